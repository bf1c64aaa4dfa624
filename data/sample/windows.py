"""Hours counted from the epoch as moments, and the labels that name windows after them."""

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.sample.processes import EPOCH


def moments(hours: npt.NDArray[np.int64]) -> pl.Series:
    """First instant of each hour, UTC.

    >>> moments(np.array([1]))[0].isoformat()
    '2026-11-20T06:00:00+00:00'
    """
    ticks = int(EPOCH.timestamp()) * 1_000_000 + hours.astype(np.int64) * 3_600_000_000
    return pl.Series("moment", ticks).cast(pl.Datetime("us", "UTC"))


def labels(start: pl.Series) -> pl.Series:
    """How a window that begins then is named: to the hour, UTC.

    >>> labels(moments(np.array([0])))[0]
    '2026-11-20T05'
    """
    return start.dt.strftime("%Y-%m-%dT%H")

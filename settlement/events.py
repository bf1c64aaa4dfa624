"""Names of settlement events: the same event has the same name in every run, and so posts once."""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.kinds.contract import ChargeCode

HALF = 12  # hexadecimal digits of each half: 48 bits


def first_halves(frame: pl.DataFrame, *, case: str, charge_code: ChargeCode, version: str) -> pl.Series:
    """What was run: (rows,) the first half of the names of all events of a case, version, charge code, horizon and interval.

    Args:
        frame: with columns horizon and start, one row a run.
        case: name of the market case.
        charge_code: what is charged.
        version: initial, final, ...
    """
    times = frame["start"].dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    keys = zip(frame["horizon"], times, strict=True)
    return digests((case, version, charge_code.value, horizon, start) for horizon, start in keys)


def second_halves(frame: pl.DataFrame, *, kind: str) -> pl.Series:
    """Whose and what: (rows,) the second half, of every cell of each row of `frame` and of the kind of event.

    >>> second_halves(pl.DataFrame({"participant": ["acme"], "tier": ["firm"]}), kind="physical").to_list()
    ['a67fd106c747']
    """
    return digests((kind, *row) for row in frame.iter_rows())


def digests(keys: Iterable[tuple[str | None, ...]]) -> pl.Series:
    """First 12 hexadecimal digits of the SHA-256 of each key, its parts set apart by a character that no name has."""
    texts = ("\x1f".join(["\x1e" if part is None else part for part in key]).encode() for key in keys)
    found = [hashlib.sha256(text).hexdigest()[:HALF] for text in texts]
    return pl.Series(found, dtype=pl.String)


def join_halves(first: pl.Series, run: npt.NDArray[np.int64], second: pl.Series, what: npt.NDArray[np.int64]) -> pl.Series:
    """(rows,) event names from the run and the thing of each row."""
    return (first.gather(run) + second.gather(what)).alias("event_id")

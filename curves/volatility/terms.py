"""Volatility between two days ahead, from a term structure of forecasts."""

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError


def volatility_between(terms: pl.DataFrame, *, index: str, model: str, first: int = 1, last: int) -> float:
    r"""Annualised volatility of the days `first` to `last` ahead, both counted: :math:`\sqrt{\frac1n \sum \sigma_d^2}` of their forwards.

    Of an option that is fixed over a delivery period, 1 to its expiry is the volatility until then.

    Args:
        terms: `VolatilityTerms`.
        index, model: of the rows.
        first, last: days ahead, from 1.

    Raises `InputError` for rows that are not there.

    >>> from datetime import UTC, datetime
    >>> rows = {"index": "X", "model": "garch", "days": [1, 2], "end": [datetime(2027, 1, 2, tzinfo=UTC)] * 2, "forward": [0.3, 0.4],
    ...         "volatility": [0.3, 0.35355]}
    >>> volatility_between(pl.DataFrame(rows), index="X", model="garch", first=2, last=2)
    0.4
    """
    own = terms.filter(pl.col("index") == index, pl.col("model").cast(pl.String) == model, pl.col("days").is_between(first, last))
    if not 1 <= first <= last or own.height != last - first + 1:
        raise InputError.of("terms", f"days {first} to {last} of {index} by {model}, from 1 on", column="days", value=f"{own.height} rows")
    return float(np.sqrt((own["forward"] ** 2).to_numpy().mean()))

"""Lots of the contracts that curves are quoted in: what a delta by quote is hedged with."""

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.terms.agreed.read import hours_of
from tenorgrid.data.terms.specifications.listed import OWN, listed, product_of
from tenorgrid.data.terms.specifications.products import known


def lots_of(quotes: pl.DataFrame, *, timezone: str) -> Vector:
    """(quotes,) GPU-hours of one lot of each quote's contract: its product's, else the hours of its delivery that the profile counts.

    Args:
        quotes: `Quotes`.
        timezone: of the days of the index.
    """
    products = known()

    def lot(contract: str, start: object, end: object, profile: str) -> float:
        product = product_of(contract, products)
        if product is not None and product is not OWN and product.timezone in (None, timezone):
            return listed(contract, timezone=timezone, products=products).lot
        return hours_of(start, end, profile, timezone)  # type: ignore[arg-type]  # moments of the table

    rows = quotes.select("contract", "start", "end", pl.col("profile").cast(pl.String)).iter_rows()
    return np.array([lot(*row) for row in rows], np.float64)

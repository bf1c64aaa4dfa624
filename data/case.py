"""A market case: its terms and its tables, checked against one another."""

from dataclasses import dataclass

import polars as pl

from tenorgrid.data.terms.market import Market


@dataclass(frozen=True, kw_only=True)
class Case:
    """One market's terms and tables (`tenorgrid.data.tables.case`), as read and checked by `read_case`."""

    market: Market
    locations: pl.DataFrame
    resources: pl.DataFrame
    tiers: pl.DataFrame  # `firm` always first
    workloads: pl.DataFrame
    recipes: pl.DataFrame
    recipe_resources: pl.DataFrame
    offers: pl.DataFrame
    bids: pl.DataFrame
    links: pl.DataFrame
    reserves: pl.DataFrame
    virtuals: pl.DataFrame

"""Case folders with a known answer, and what is expected of them: `expected.toml` beside the tables, worked out in each README."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.case import Case, read_case

CASES = Path(__file__).parent / "cases"
START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = "real-time"


@cache
def known(name: str) -> Case:
    """The case of a folder."""
    return read_case(CASES / name)


@cache
def cleared(name: str) -> ClearingRun:
    """Its run."""
    return clear_horizons(known(name))


@cache
def expected(name: str) -> dict[str, Any]:
    """What is expected of it."""
    return tomllib.loads((CASES / name / "expected.toml").read_text(encoding="utf-8"))


def wanting(case: Case, demand: float) -> Case:
    """The same case with another demand."""
    return replace(case, bids=case.bids.with_columns(pl.lit(float(demand)).alias("quantity")))


def hourly(case: Case, demands: list[int]) -> Case:
    """One case with an hour for every demand, each with units of its own: `high-tech-1@36` and so on."""

    def hours(table: pl.DataFrame, name: str) -> pl.DataFrame:
        moved = [
            table.with_columns(pl.format("{}@{}", name, pl.lit(demand)), pl.col("start", "end") + number * HOUR)
            for number, demand in enumerate(demands)
        ]
        return pl.concat(moved)

    wanted = pl.col("bid_id").str.split("@").list.last().cast(pl.Float64).alias("quantity")
    return replace(case, offers=hours(case.offers, "offer_id"), bids=hours(case.bids, "bid_id").with_columns(wanted))


def linked(values: dict[str, float]) -> Case:
    """The linked blocks with these values of parent, child and grandchild; who has none is left out."""
    case = known("linked-blocks")
    value = pl.col("bid_id").replace_strict(values, default=pl.col("value"), return_dtype=pl.Float64).alias("value")
    bids = case.bids.filter(pl.col("bid_id").is_in(["sponge", *values])).with_columns(value)
    return replace(case, bids=bids)


def kind(unit: str) -> str:
    """What a unit is: smokestack, high-tech or med-tech."""
    return unit.rsplit("@", 1)[0].rsplit("-", 1)[0]

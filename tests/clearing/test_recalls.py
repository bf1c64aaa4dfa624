"""A market's own recalls: listed ahead against offered in real time."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from tenorgrid.clearing.availability import panel, panels
from tenorgrid.clearing.recalls import recalls_of
from tenorgrid.data.case import Case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.tiering import Runs


@pytest.fixture(scope="module")
def market() -> Case:
    return read_case("packaged")


def test_listed_and_present_are_those_of_the_offers_hour_by_hour(market: Case) -> None:
    """The same by loops over the offers of one accelerator in one place."""
    found = Runs.validate(recalls_of(market, ahead="week-ahead")).filter(pl.col("pool") == "h100-sxm us-west")
    tables: dict[str, dict[tuple[str, datetime], float]] = {"week-ahead": defaultdict(float), "real-time": defaultdict(float)}
    for row in market.offers.filter(pl.col("resource") == "h100-sxm", pl.col("location") == "us-west").iter_rows(named=True):
        moment = row["start"]
        while row["horizon"] in tables and moment < row["end"]:
            tables[row["horizon"]][row["participant"], moment] += row["quantity"]
            moment += timedelta(hours=1)
    first = min(moment for _, moment in tables["real-time"])
    rows = found.rows(named=True)
    assert len(rows) == 6 * 71
    for row in rows:
        key = (row["supplier"], first + timedelta(seconds=row["begin"]))
        assert row["listed"] == pytest.approx(tables["week-ahead"][key], abs=1e-9)
        assert row["present"] == pytest.approx(min(tables["week-ahead"][key], tables["real-time"][key]), abs=1e-9)


def test_pools_are_accelerators_in_locations(market: Case) -> None:
    names = [record.pool for record in panels(recalls_of(market))]
    assert len(names) == 18
    assert not [name for name in names if name.startswith(("vcpu", "ram"))]


def test_a_supplier_that_offers_nothing_in_real_time_has_recalled_all(market: Case) -> None:
    gone = (pl.col("horizon") == "real-time") & (pl.col("participant") == "ridgeline") & (pl.col("resource") == "h100-sxm")
    runs = recalls_of(replace(market, offers=market.offers.filter(~gone))).filter(pl.col("pool") == "h100-sxm us-west")
    record = panel(runs, pool="h100-sxm us-west")
    assert dict(zip(record.suppliers, record.availability, strict=True))["ridgeline"] == 0.0


def test_interruptible_offers_alone_may_be_asked_for(market: Case) -> None:
    listed = recalls_of(market, listed="interruptible").group_by("pool").agg(pl.col("listed").sum())
    every = recalls_of(market).group_by("pool").agg(pl.col("listed").sum())
    both = listed.join(every, on="pool", suffix="_all")
    assert both.height == listed.height
    assert (both["listed"] < both["listed_all"]).all()


def test_a_market_without_an_ahead_horizon_is_refused(market: Case) -> None:
    alone = replace(market, market=replace(market.market, horizons=market.market.horizons[-1:]))
    with pytest.raises(InputError, match="an ahead horizon and real time"):
        recalls_of(alone)
    with pytest.raises(InputError, match="one of month-ahead, week-ahead, day-ahead"):
        recalls_of(market, ahead="real-time")
    with pytest.raises(InputError, match="at the horizon real-time"):
        recalls_of(replace(market, offers=market.offers.filter(pl.col("horizon") != "real-time")))

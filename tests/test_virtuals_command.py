"""`tenorgrid virtuals` and `tg.bid_virtuals`: on a market's own prices, put back into that market, and on NYISO's."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.tables.case import Virtuals
from tests.test_premium_closes import market

Command = Callable[..., Any]
NYISO = Path(__file__).parents[1].parent / "shared" / "data" / "nyiso_da_rt_hourly_lmp_11zones.csv.gz"


@pytest.mark.slow
def test_bids_chosen_on_a_market_close_part_of_its_premium_when_they_stand_in_it() -> None:
    """Days are over-bought by some 40 GPU-hours an hour; bids of at most 20 take about 0.20 off a premium of 0.40."""
    from tenorgrid.derivatives.virtual_bids.program import Limits

    without = market(0.0)
    made = tg.bid_virtuals(without, limits=Limits(hourly=20.0), least=8)
    own = made.rules.filter(pl.col("rule") == "program").row(0, named=True)
    assert own["profit"] > 0
    assert own["share"] > 0.5
    assert set(made.bids["side"].cast(pl.String)) == {"inc"}
    table = made.virtuals(participant="trader")
    assert Virtuals.validate(table).height == made.bids.height
    sold = made.bids.group_by("start").agg(pl.col("quantity").sum())["quantity"]
    assert sold.max() == pytest.approx(20.0)
    premia = [tg.premium(run).bias.filter(pl.col("hour") == -1)["bias"][0] for run in (without, market(20.0))]
    assert 1.0 - premia[1] / premia[0] == pytest.approx(0.5, abs=0.05)


def test_the_command_writes_bids_back_test_and_page(command: Command, tmp_path: Path) -> None:
    rows = []
    for hour in range(40 * 24):
        day, clock = divmod(hour, 24)
        start = f"2027-{1 + (day + 3) // 31:02}-{1 + (day + 3) % 31:02}T{clock:02}:00:00Z"
        rows.append(f"day-ahead,east,{start},{20 + clock % 5 + (day * 7 % 3) + (2 if clock > 18 else 0)},{20 + clock % 5 + (day * 7 % 3)}")
    prices, out = tmp_path / "prices.csv", tmp_path / "out"
    prices.write_text("horizon,series,start,ahead,real\n" + "\n".join(rows) + "\n", encoding="utf-8")
    said = command("virtuals", prices, "--timezone", "UTC", "--unit", "USD", "--hourly", 2, "--fee", 0.1, "--out", out, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    bids = pl.read_csv(out / "bids.csv", try_parse_dates=True)
    assert bids["side"].unique().to_list() == ["inc"]
    assert bids["start"].dt.hour().unique().sort().to_list() == [19, 20, 21, 22, 23]
    assert told["expected"] == pytest.approx(5 * 2 * 1.9)
    assert (told["losing"], told["left_out"]) == (0.0, 0)
    assert pl.read_csv(out / "hours.csv").filter(pl.col("inc") > 0).height == 5
    assert "Virtual bids" in (out / "virtuals.html").read_text(encoding="utf-8")
    own = {row["rule"]: row for row in told["rules"]}["program"]
    assert own["share"] == pytest.approx(1.0)
    assert own["drawdown"] == 0.0
    again = command("virtuals", prices, "--horizon", "week-ahead", "--out", tmp_path / "other")
    assert again.code == 1
    assert "found week-ahead, expected a horizon" in again.err
    assert command("virtuals", prices, "--date", "soon", "--out", tmp_path / "other").code == 2


def test_risk_is_that_of_the_bids_or_of_any_others_for_the_day() -> None:
    from tenorgrid.derivatives.virtual_bids.program import Limits

    made = tg.bid_virtuals(market(0.0), limits=Limits(hourly=20.0), least=8)
    own = made.risk()
    assert [own.mean, own.shortfall] == pytest.approx([made.expected, made.shortfall])
    other = made.bids.with_columns(pl.col("quantity") * 2.0)
    assert made.risk(other).mean == pytest.approx(2.0 * own.mean)
    bought = made.bids.with_columns(pl.lit("dec").cast(made.bids.schema["side"]).alias("side"), pl.lit(1e6).alias("price"))
    assert made.risk(bought.unique(["series", "start"])).mean < 0


@pytest.mark.slow
def test_on_nyiso_s_zones_bids_know_no_later_price_and_beat_what_is_naive() -> None:
    if not NYISO.is_file():
        pytest.skip("the shared NYISO prices are not here")
    made = tg.bid_virtuals(NYISO, series=["N.Y.C.", "WEST", "NORTH"], unit="USD/MWh", prices=3)
    rules = {row["rule"]: row for row in made.rules.to_dicts()}
    assert rules["program"]["days"] > 60
    assert rules["program"]["drawdown"] < rules["always inc"]["drawdown"]
    assert rules["program"]["deviation"] < rules["always inc"]["deviation"]
    assert made.day > date(2025, 1, 1)
    assert made.alignment.sort("correlation", descending=True)["shift"][0] == 0

"""The same market cleared with and without virtual bids: they close the premium that over-bought days leave, and earn less as they do."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.results import Run

FOLDER = Path(__file__).parent / "clearing" / "cases" / "two-settlement"
FIRST = datetime(2027, 1, 5, tzinfo=UTC)
HOURS = 20 * 24
OVERBOUGHT = 40.0  # GPU-hours that are bought ahead and not used, on average


def spans(count: int) -> dict[str, list[datetime]]:
    starts = [FIRST + timedelta(hours=hour) for hour in range(count)]
    return {"start": starts, "end": [start + timedelta(hours=1) for start in starts]}


@cache
def market(sold: float) -> Run:
    """60 steps of 10 GPUs, each 0.10 USD dearer; work of 200 to 400 GPUs, some 40 more ahead; an inc of `sold` at any price."""
    rng = np.random.default_rng(3)
    load = 305.0 + 95.0 * np.sin(np.arange(HOURS) * 2 * np.pi / 24) + rng.uniform(-2.0, 2.0, HOURS)
    ahead = load + OVERBOUGHT + rng.uniform(-20.0, 20.0, HOURS)
    read = tg.read_case(FOLDER)
    hours = spans(HOURS)
    offers = pl.DataFrame(
        {
            "offer_id": [f"o{step}" for step in range(60)], "participant": "G", "location": "east", "resource": "h100-sxm",
            "start": FIRST, "end": FIRST + timedelta(hours=HOURS), "step": 1, "quantity": 10.0,
            "price": [1.0 + 0.1 * step for step in range(60)], "firm_premium": 0.0,
        }
    )  # fmt: skip
    bids = pl.concat(
        pl.DataFrame(
            {
                "horizon": horizon, "bid_id": [f"load-{hour}" for hour in range(HOURS)], "participant": "load", "workload": "decode",
                "home": "east", **hours, "step": 1, "quantity": bought, "value": 100.0, "tiers": "firm",
            }
        )
        for horizon, bought in (("day-ahead", ahead), ("real-time", load))
    )  # fmt: skip
    frames = {name: getattr(read, name) for name in ("locations", "resources", "workloads", "recipes", "recipe_resources")}
    frames |= {"offers": offers, "bids": bids}
    if sold:
        frames["virtuals"] = pl.DataFrame(
            {
                "horizon": "day-ahead", "bid_id": [f"inc-{hour}" for hour in range(HOURS)], "participant": "trader", "location": "east",
                "resource": "h100-sxm", **hours, "side": "inc", "quantity": sold, "price": 0.5,
            }
        )  # fmt: skip
    return tg.clear(tg.make_case(read.market, frames))


def whole(run: Run) -> dict[str, Any]:
    return tg.premium(run).bias.filter(pl.col("hour") == -1).row(0, named=True)


def test_what_is_sold_ahead_closes_the_premium_by_as_many_steps() -> None:
    """Prices rise by 0.01 USD with every GPU-hour, so 20 sold ahead take 0.20 off the premium of about 0.40, and 40 the rest."""
    without, half, full = (whole(market(sold)) for sold in (0.0, 20.0, OVERBOUGHT))
    assert without["bias"] == pytest.approx(0.4, abs=0.02)
    assert [without["bias"] - one["bias"] for one in (half, full)] == pytest.approx([0.2, 0.4], abs=1e-9)
    assert [one["verdict"] for one in (without, half, full)] == ["ahead above real", "ahead above real", "none"]


def test_two_runs_are_compared_and_a_virtual_bid_earns_less_where_others_bid() -> None:
    told = tg.premium(market(0.0), other=market(OVERBOUGHT))
    assert told.pairs is not None
    (row,) = told.pairs.iter_rows(named=True)
    assert row["other_size"] < row["size"] / 3
    assert row["hac_t"] > 5
    earned = [tg.premium(market(sold)).virtuals["profit"][0] for sold in (0.0, 20.0, OVERBOUGHT)]
    assert earned[0] == pytest.approx(0.4, abs=0.05)
    assert earned[0] > 1.5 * earned[1] > 4 * abs(earned[2])


def test_the_bids_move_no_real_time_price_and_their_cash_is_their_pay_off() -> None:
    plain, sold = market(0.0), market(20.0)
    prices = [run.prices.filter(pl.col("horizon") == "real-time", pl.col("pricing") == "marginal")["price"] for run in (plain, sold)]
    assert prices[0].equals(prices[1])
    ahead = sold.prices.filter(pl.col("horizon") == "day-ahead", pl.col("pricing") == "marginal").sort("start")["price"]
    awarded = sold.awards.filter(pl.col("side").cast(pl.String) == "inc", pl.col("horizon") == "day-ahead").sort("start")
    assert awarded["quantity"].to_list() == pytest.approx([20.0] * HOURS)
    assert awarded["cash"].to_list() == pytest.approx((20.0 * ahead).to_list(), abs=1e-9)

"""Interruptible sales counted as reserve, and the room that the tier's promise has for their recall."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.counted import called_on, counted_sales, curve_of, warn_of_promises
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.scarcity import steps
from tenorgrid.data.case import Case
from tenorgrid.data.errors import PromiseWarning
from tenorgrid.data.terms.market import Scarcity

Markets = Callable[..., Case]
Cleared = Callable[[int], tuple[Case, ClearingRun]]
Row = dict[str, Any]
FIRM_LOAD = {"bid_id": "bank", "quantity": 30.0, "value": 900.0, "tiers": "firm"}
SPOT_LOAD = {"bid_id": "lab", "quantity": 36.0, "value": 900.0, "tiers": "spot"}


def spot(name: str = "spot", *, promise: float = 0.1, overcommit: float = 0.9, share: float | None = 0.2) -> Row:
    return {"tier": name, "interruption_probability": promise, "overcommit": overcommit, "reserve_share": share}


def found(plain_market: Markets, *, tiers: list[Row], worth: float, bids: list[Row] | None = None) -> pl.DataFrame:
    """100 firm-able hours, 30 sold firm and 40 that back 36 spot: 30 in front of what is counted. 60 of reserve at one price."""
    offers = [{"offer_id": "G", "quantity": 100.0, "price": 2.0}]
    case = plain_market(
        offers=offers, bids=bids or [FIRM_LOAD, SPOT_LOAD], tiers=tiers, reserves=[{"step": 1, "quantity": 60.0, "price": worth}]
    )
    return counted_sales(case, awards=clear_horizons(case).awards)


def test_a_share_of_spot_sales_is_called_as_often_as_the_curve_says() -> None:
    """10 hours needed for sure, 20 more one time in four: behind 5 free hours, 15 counted ones are called for 5 + 10 / 4."""
    curve = pl.DataFrame({"quantity": [10.0, 20.0], "price": [100.0, 25.0]})
    assert called_on(curve, front=np.array([5.0]), counted=np.array([15.0]), worth=100.0).item() == pytest.approx(7.5)


def test_the_area_under_the_curve_is_the_mean_call_of_drawn_needs() -> None:
    """The second opinion: a need that exceeds r with chance LOLP(r), drawn two million times."""
    terms = Scarcity(reference_price=30.0, contingency=5.0, mean=2.0, sd=15.0, steps=2000)
    quantity, price = steps(terms, voll=1000.0)
    curve = pl.DataFrame({"quantity": quantity, "price": price})
    rng = np.random.default_rng(7)
    need = np.maximum(5.0, 5.0 + rng.normal(2.0, 15.0, 2_000_000))
    for front, counted in ((0.0, 4.0), (3.0, 10.0), (12.0, 20.0)):
        drawn = np.clip(need - front, 0.0, counted)
        exact = called_on(curve, front=np.array([front]), counted=np.array([counted]), worth=970.0).item()
        assert exact == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(need.size) + 1e-3)


def test_what_is_counted_is_alpha_of_what_backs_the_sales(plain_market: Markets) -> None:
    """LOLP is 1 / 1000 where 60 of reserve are worth 1 USD of a VOLL of 1000: 8 of 40 listed hours are called for 0.008."""
    row = found(plain_market, tiers=[spot()], worth=1.0).row(0, named=True)
    expected = {"listed": 40.0, "counted": 8.0, "called": 0.008, "share": 0.0002, "promise": 0.1}
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert row["kept"]


def test_a_promise_without_room_for_the_recalls_is_warned_of(plain_market: Markets) -> None:
    """Reserve worth VOLL is needed for sure: all 8 are called, a fifth of the sales, and a promise of a tenth cannot hold."""
    broken = found(plain_market, tiers=[spot()], worth=990.0)
    assert broken["share"].item() == pytest.approx(0.2 * 0.99)
    with pytest.warns(PromiseWarning, match=r"tier spot as reserve recalls 0\.1980 of them on average, above .* of 0\.1"):
        warn_of_promises(broken)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_promises(found(plain_market, tiers=[spot(promise=0.2)], worth=990.0))


def test_the_weaker_promise_is_called_first(plain_market: Markets) -> None:
    """Two tiers of 20 listed hours, all counted, behind 30 free ones and 60 of reserve: the weaker one's 20 are called, 10 of the other."""
    tiers = [spot("spot", overcommit=1.0, share=1.0), spot("scavenge", promise=0.4, overcommit=1.0, share=1.0)]
    bids = [FIRM_LOAD, *({"bid_id": tier["tier"], "quantity": 20.0, "value": 900.0, "tiers": tier["tier"]} for tier in tiers)]
    rows = found(plain_market, tiers=tiers, worth=100.0, bids=bids)
    assert dict(rows.select("tier", "called").iter_rows()) == pytest.approx({"scavenge": 2.0, "spot": 1.0})


SEEDS = (0, 2, 5)


def test_the_share_called_is_never_above_alpha(cleared_market: Cleared) -> None:
    seen = 0
    for seed in SEEDS:
        case, run = cleared_market(seed)
        rows = counted_sales(case, awards=run.awards)
        alpha = case.tiers.filter(tier="spot")["reserve_share"].item() or 0.0
        assert rows.filter((pl.col("counted") - alpha * pl.col("listed")).abs() > 1e-9).is_empty()
        assert rows.filter((pl.col("share") > alpha) | (pl.col("share") < 0.0)).is_empty()
        seen += rows.height
    assert seen > 0


def test_free_and_counted_hours_are_the_headroom_that_is_published(cleared_market: Cleared) -> None:
    """A curve that ends half-way through the counted hours of a group, all of it needed for sure, calls half of them."""
    seen = 0
    for seed in SEEDS:
        case, run = cleared_market(seed)
        alpha = case.tiers.filter(tier="spot")["reserve_share"].item() or 0.0
        now = pl.col("horizon") == "real-time"
        awards = run.awards.filter(now)
        sold = awards.filter(pl.col("side") == "offer", pl.col("tier") == "spot").join(case.locations, on="location")
        beta = case.tiers.filter(tier="spot")["overcommit"].item()
        for region, resource, headroom in run.headroom.filter(now).group_by("region", "resource").agg(pl.col("headroom").sum()).iter_rows():
            counted = alpha * float(sold.filter(region=region, resource=resource)["quantity"].sum()) / beta
            row = {"region": region, "resource": resource, "step": 1, "quantity": headroom - counted / 2, "price": 1000.0}
            found = counted_sales(replace(case, reserves=pl.DataFrame([row])), awards=awards)
            if counted > 0:
                assert found["called"].item() == pytest.approx(counted / 2, rel=1e-6, abs=1e-6)
                seen += 1
    assert seen > 0


def test_terms_of_a_market_are_a_curve_for_every_group(plain_market: Markets, market_terms: Any) -> None:
    terms = market_terms(scarcity=Scarcity(reference_price=3.0, contingency=1.0, mean=0.0, sd=2.0, steps=4))
    case = plain_market(terms, bids=[FIRM_LOAD | {"tiers": None}], offers=[{"offer_id": "G", "quantity": 100.0, "price": 2.0}])
    assert curve_of(case).select("region", "resource").unique().rows() == [("r1", "g1")]
    assert curve_of(case)["price"].max() == pytest.approx(997.0)
    assert counted_sales(case, awards=clear_horizons(case).awards).is_empty()


def test_a_committed_offer_holds_headroom_only_while_it_is_on(plain_market: Markets) -> None:
    """30 free hours of G stand before 4 counted ones, and 50 of H where it runs: of 32 needed for sure, 2 are called without H."""
    hot = {"offer_id": "H", "participant": "h", "quantity": 50.0, "price": 2.0, "start_cost": 5.0}
    offers = [{"offer_id": "G", "quantity": 50.0, "price": 2.0}, hot]
    case = plain_market(offers=offers, bids=[SPOT_LOAD], tiers=[spot()], reserves=[{"step": 1, "quantity": 32.0, "price": 1000.0}])
    start = case.offers["start"][0]
    sale = {
        "horizon": "real-time",
        "start": start,
        "side": "offer",
        "id": "G",
        "participant": "s",
        "step": 1,
        "location": "l1",
        "resource": "g1",
    }
    awards = pl.DataFrame([sale | {"tier": "spot", "quantity": 18.0}])
    state = {"horizon": "real-time", "start": start, "side": "offer", "id": "H", "participant": "h", "started": False}
    called = [
        counted_sales(case, awards=awards, commitments=pl.DataFrame([state | {"on": on}]))["called"].item() for on in (False, True)
    ]  # fmt: skip
    assert called == pytest.approx([2.0, 0.0])

"""The right of recall over a term: share, fair, from_spreads; fair_strip and implied_strip on curves."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.paths.model import PathModel, decayed, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.preemption.option import preemption
from tenorgrid.derivatives.preemption.strip import fair, from_spreads, share
from tenorgrid.derivatives.preemption.term import Promise, fair_strip, implied_strip

PROMISE = Promise(interruption=0.1, overcommit=0.9)
APRIL, MAY, JULY = date(2027, 4, 1), date(2027, 5, 1), date(2027, 7, 1)
DEVIATION = np.array([0.0, 0.05, 0.3, 0.8, 1.5])


def test_the_example_of_the_design() -> None:
    """Market design, section 3: F = 1.6, σ√T = .8, v = 2.2, π = .1 give β .8751, λ_spot 1.980, λ_firm 2.5339 and premium .8012."""
    a = 0.787582
    found = fair(np.array([2.53394]), deviation=np.array([0.8]), availability=a, overcommit=a / 0.9)
    told = (found.outside, found.threshold, found.premium, found.spot)
    assert [values.item() for values in told] == pytest.approx([1.6, 2.2, 0.8012, 1.980], abs=2e-4)
    assert found.recalled.item() == pytest.approx(1 - a)


def test_a_strip_is_the_option_of_every_hour() -> None:
    firm, a = np.linspace(2.0, 3.0, 4), 0.8
    found = fair(firm, deviation=DEVIATION[1:], availability=a, overcommit=0.9)
    alone = preemption(found.outside, found.threshold, deviation=DEVIATION[1:], interruption=np.full(4, 1 - a / 0.9))
    assert alone.firm == pytest.approx(firm, rel=1e-12)
    assert alone.premium == pytest.approx(found.premium, rel=1e-12)
    assert alone.spot == pytest.approx(found.spot, rel=1e-12)
    assert alone.availability == pytest.approx(np.full(4, a), rel=1e-12)


def test_paths_of_the_outside_value_recall_as_often_and_are_worth_as_much() -> None:
    years, firm = np.arange(1, 25) * 30 / 8760, np.linspace(2.2, 2.8, 24)
    deviation = 0.9 * np.sqrt(decayed(np.array(8.0), years))
    found = fair(firm, deviation=deviation, availability=0.85, overcommit=0.9)
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=0.9))
    outside = simulate(model, forward=found.outside[:, None], years=years, paths=40_000, seed=6)[:, 0]
    above = outside > found.threshold[:, None]
    error = 4 / 40_000**0.5
    assert above.mean(axis=1) == pytest.approx(np.full(24, 0.15), abs=error * 0.36)
    premium, best = outside * above, np.maximum(outside, found.threshold[:, None])
    assert np.all(np.abs(premium.mean(axis=1) - found.premium) < error * premium.std(axis=1))
    assert np.all(np.abs(best.mean(axis=1) - firm) < error * best.std(axis=1))


def test_the_premium_rises_with_volatility_from_the_share_recalled() -> None:
    for a in (0.6, 0.9):
        part = share(np.linspace(0, 3, 200), availability=a)
        assert part[0] == pytest.approx(1 - a, rel=1e-12)
        assert np.all(np.diff(part) > 0)
        assert part[-1] < 1


def test_what_is_implied_gives_the_curve_back() -> None:
    firm = np.full(4, 2.5)
    made = fair(firm, deviation=DEVIATION[1:], availability=0.81, overcommit=0.9)
    found = from_spreads(firm, made.spot, availability=0.81, overcommit=0.9)
    assert found.deviation == pytest.approx(DEVIATION[1:], rel=1e-7)
    assert found.outside == pytest.approx(made.outside, rel=1e-7)
    assert found.premium == pytest.approx(made.premium, rel=1e-12)


def test_a_strip_follows_its_curve_and_adds_up(curve: ForwardCurve) -> None:
    found = fair_strip(curve, PROMISE, start=APRIL, end=MAY, volatility=0.8, reversion=4.0)
    low, high = curve.places(APRIL, MAY)
    assert found.height == 720
    assert found["firm"].to_numpy() == pytest.approx(curve.forward[low:high])
    assert (found["firm"] - 0.9 * found["spot"] - found["premium"]).abs().max() == pytest.approx(0.0, abs=1e-12)
    assert found["recalled"].sum() == pytest.approx(720 * (1 - 0.81))
    years = (16 * 24 + np.arange(720)) / 8760
    deviation = 0.8 * np.sqrt(decayed(np.array(8.0), years))
    assert found["outside_deviation"].to_numpy() == pytest.approx(deviation, rel=1e-12)
    ratio = np.exp(deviation * ndtri(0.81) - deviation**2 / 2)
    assert (found["threshold"] / found["outside_forward"]).to_numpy() == pytest.approx(ratio, rel=1e-12)
    days = fair_strip(curve, PROMISE, start=APRIL, end=MAY, volatility=0.8, reversion=4.0, by="day")
    assert days.height == 30
    assert (days["premium"] * days["hours"]).sum() == pytest.approx((found["premium"] * found["hours"]).sum(), rel=1e-4)


@pytest.mark.parametrize("by", ["hour", "day", "month"])
def test_two_curves_imply_the_volatility_that_made_one_from_the_other(curve: ForwardCurve, by: str) -> None:
    fine = fair_strip(curve, PROMISE, start=APRIL, end=JULY, volatility=0.7, reversion=2.0, by=by)  # type: ignore[arg-type]
    low, high = curve.places(APRIL, JULY)
    forward = curve.forward.copy()
    step = np.repeat(np.arange(fine.height), fine["hours"].cast(pl.Int64).to_numpy())
    forward[low:high] = curve.forward[low:high] - (fine["firm"] - fine["spot"]).to_numpy()[step]
    found = implied_strip(curve, replace(curve, forward=forward), PROMISE, start=APRIL, end=JULY, reversion=2.0, by=by)  # type: ignore[arg-type]
    assert found["volatility"].to_numpy() == pytest.approx(np.full(fine.height, 0.7), rel=1e-6)
    assert found["start"].to_list() == fine["start"].to_list()
    assert found["recalled"].to_list() == pytest.approx(fine["recalled"].to_list())


def test_a_spread_that_is_too_small_for_any_volatility_is_refused(curve: ForwardCurve) -> None:
    """λ_firm must exceed β λ / a = λ / .9: a discount of less than a tenth is none."""
    with pytest.raises(InputError, match="no volatility of recall explains a smaller spread") as caught:
        implied_strip(curve, parallel(curve, -0.2), PROMISE, start=APRIL, end=JULY)
    assert [fault.row for fault in caught.value.faults] == [1, 2, 3]
    assert "from 2027-05-01 04:00:00+00:00" in str(caught.value.faults[1])
    assert implied_strip(curve, parallel(curve, -0.3), PROMISE, start=APRIL, end=JULY)["volatility"].min() > 0  # type: ignore[operator]


def test_what_cannot_be_is_refused(curve: ForwardCurve) -> None:
    with pytest.raises(InputError) as caught:
        Promise(interruption=1.0, overcommit=-1.0)
    assert [fault.column for fault in caught.value.faults] == ["interruption", "overcommit", "availability"]
    with pytest.raises(InputError, match="availability"):
        Promise(interruption=0.1, overcommit=1.2)
    with pytest.raises(InputError, match="column volatility"):
        fair_strip(curve, PROMISE, start=APRIL, end=MAY, volatility=-0.1)
    with pytest.raises(InputError, match="one of hour, day, month"):
        fair_strip(curve, PROMISE, start=APRIL, end=MAY, volatility=0.1, by="year")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="prices above 0"):
        fair_strip(parallel(curve, -5.0), PROMISE, start=APRIL, end=MAY, volatility=0.1)
    with pytest.raises(InputError, match="numbers of at least 0"):
        share(np.array([-0.1]), availability=0.9)

"""Caps, floors, collars and capacity contracts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
US = "H100-SXM.US.FIRM"
APRIL = slice(16 * 24, 46 * 24)
Priced = Callable[..., BookValue]


def test_it_agrees_with_simulated_hours_within_their_error(priced: Priced, curve: ForwardCurve) -> None:
    years = np.arange(16 * 24, 46 * 24) / 8760
    shocks = np.random.default_rng(12).normal(size=(2000, 720))
    real = curve.forward[APRIL] * np.exp(0.8 * np.sqrt(years) * shocks - 0.32 * years)
    payoff = 50 * (np.maximum(real - 2.8, 0) * np.exp(-0.04 * (years + 1 / 8760))).sum(axis=1)
    found = priced("capacity", "2027-04", 2.8, quantity=50.0).value
    assert found == pytest.approx(payoff.mean(), abs=4 * payoff.std() / 2000**0.5)
    assert payoff.std() / 2000**0.5 < 0.005 * found


def test_with_no_volatility_it_pays_the_hours_above_the_strike(priced: Priced, market: Market, curve: ForwardCurve) -> None:
    found = priced("cap", "2027-04", 2.5, quantity=50.0, on=replace(market, volatility={US: 0.0}, discount=flat(0.0)))
    above = np.maximum(curve.forward[APRIL] - 2.5, 0)
    assert found.value == pytest.approx(50 * above.sum(), abs=1e-9)
    assert found.delta("month")["amount"].sum() == pytest.approx(50 * (above > 0).sum(), abs=1e-9)


@pytest.mark.parametrize("kind", ["cap", "floor", "collar"])
def test_sensitivities_agree_with_revaluation(priced: Priced, market: Market, kind: str) -> None:
    more = {"params": '{"floor": 2.2}'} if kind == "collar" else {}

    def at(up: float = 0.0, sigma: float = 0.0) -> BookValue:
        curves = {**market.curves, US: parallel(market.curves[US], up)}
        return priced(kind, "2027-Q2", 2.6, on=replace(market, curves=curves, volatility={US: 0.8 + sigma}), **more)

    base, high, low = at(), at(1e-4), at(-1e-4)
    assert base.delta("month")["amount"].sum() == pytest.approx((high.value - low.value) / 2e-4, rel=1e-6)
    assert base.gamma()["amount"].sum() == pytest.approx(0.01 * (high.value - 2 * base.value + low.value) / 1e-8, rel=1e-3)
    assert base.vega()["amount"].sum() == pytest.approx(0.01 * (at(sigma=1e-5).value - at(sigma=-1e-5).value) / 2e-5, rel=1e-6)
    assert base.vega()["bucket"].to_list() == ["month 2027-04", "month 2027-05", "month 2027-06"]


def test_a_cap_less_a_floor_is_a_strip_of_forwards(priced: Priced, market: Market, curve: ForwardCurve) -> None:
    cap, floor = (priced(kind, "2027-Q2", 2.6, profile="off-peak") for kind in ("cap", "floor"))
    collar = priced("collar", "2027-Q2", 2.6, profile="off-peak", params='{"floor": 2.6}')
    assert collar.value == pytest.approx(cap.value - floor.value, rel=1e-10)
    whole = [priced(kind, "2027-04", 2.6) for kind in ("cap", "floor")]
    years = np.arange(16 * 24, 46 * 24) / 8760 + 1 / 8760
    assert whole[0].value - whole[1].value == pytest.approx(100 * np.exp(-0.04 * years) @ (curve.forward[APRIL] - 2.6), rel=1e-9)


def test_it_grows_with_volatility_between_its_intrinsic_worth_and_the_whole_forward(
    priced: Priced, market: Market, curve: ForwardCurve
) -> None:
    marks = [replace(market, volatility={US: sigma}, discount=flat(0.0)) for sigma in (0.0, 0.2, 0.5, 1.0, 3.0, 30.0)]
    values = [priced("cap", "2027-04", 2.8, quantity=50.0, on=one).value for one in marks]
    assert values == sorted(values)
    assert values[-1] < 50 * curve.forward[APRIL].sum()


def test_delivered_hours_have_paid_and_the_premium_counts_until_it_is_paid(priced: Priced) -> None:
    march = priced("cap", "2027-03", 2.3)
    rest = priced("cap", (AS_OF, datetime(2027, 4, 1, 4, tzinfo=UTC)), 2.3)
    assert march.value == pytest.approx(rest.value, rel=1e-12)
    plain = priced("cap", "2027-04", 2.8).value
    due = priced("cap", "2027-04", 2.8, premium=1000.0, pay_date=AS_OF.date() + timedelta(73)).value
    paid = priced("cap", "2027-04", 2.8, premium=1000.0, pay_date=AS_OF.date() - timedelta(1)).value
    assert plain - due == pytest.approx(1000 * np.exp(-0.04 / 5), abs=1e-9)
    assert paid == plain


def test_strips_that_are_over_negative_volatility_and_a_floor_above_its_cap_are_refused(priced: Priced, market: Market) -> None:
    with pytest.raises(InputError, match="hours after"):
        priced("cap", "2027-02", 2.8)
    with pytest.raises(InputError, match="at least 0"):
        priced("cap", "2027-04", 2.8, on=replace(market, volatility={US: -0.8}))
    with pytest.raises(InputError, match="a floor not above the strike"):
        priced("collar", "2027-04", 2.8, params='{"floor": 3}')
    with pytest.raises(InputError, match="the day of the premium"):
        priced("cap", "2027-04", 2.8, premium=5.0)
    with pytest.raises(InputError, match="0 rows of"):
        priced("cap", "2027-04", 2.8, on=replace(market, volatility={}))

"""Capacity contract: a strip of hourly calls."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import TradeSide
from tenorgrid.data.terms.contracts import CapacityContract, contract_dates
from tenorgrid.derivatives.capacity import value

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)


def april(
    *, strike: float = 2.8, side: TradeSide = TradeSide.BUY, premium: float | None = None, pay: datetime | None = None
) -> CapacityContract:
    start, end = contract_dates("X:2027-04", timezone="America/New_York")
    return CapacityContract(index="X", start=start, end=end, strike=strike, quantity=50.0, side=side, premium=premium, pay=pay)


def test_it_agrees_with_simulated_hours_within_their_error(curve: ForwardCurve) -> None:
    rng = np.random.default_rng(12)
    hours = slice(16 * 24, 46 * 24)
    years = np.arange(16 * 24, 46 * 24) / 8760
    shocks = rng.normal(size=(2000, 720))
    real = curve.forward[hours] * np.exp(0.8 * np.sqrt(years) * shocks - 0.32 * years)
    discount = np.exp(-0.04 * (years + 1 / 8760))
    payoff = 50 * (np.maximum(real - 2.8, 0) * discount).sum(axis=1)
    found = value(april(), curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
    assert found == pytest.approx(payoff.mean(), abs=4 * payoff.std() / 2000**0.5)
    assert payoff.std() / 2000**0.5 < 0.005 * found


def test_with_no_volatility_it_pays_the_hours_above_the_strike(curve: ForwardCurve) -> None:
    found = value(april(strike=2.5), curve=curve, volatility=0.0, as_of=AS_OF, discount=flat(0.0))
    above = np.maximum(curve.forward[16 * 24 : 46 * 24] - 2.5, 0)
    assert found.value == pytest.approx(50 * above.sum(), abs=1e-9)
    assert found.delta.sum() == 50 * (above > 0).sum()


def test_delta_and_vega_agree_with_revaluation(curve: ForwardCurve) -> None:
    bump = np.random.default_rng(13).normal(size=curve.forward.size) * 1e-5
    base = value(april(), curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04))
    up, down = (
        value(april(), curve=replace(curve, forward=curve.forward + s * bump), volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
        for s in (1, -1)
    )
    assert base.delta @ bump == pytest.approx((up - down) / 2, rel=1e-6)
    more, less = (value(april(), curve=curve, volatility=0.8 + s, as_of=AS_OF, discount=flat(0.04)).value for s in (1e-5, -1e-5))
    assert base.vega is not None
    assert base.vega.sum() == pytest.approx((more - less) / 2e-5, rel=1e-6)


def test_it_grows_with_volatility_between_its_intrinsic_worth_and_the_whole_forward(curve: ForwardCurve) -> None:
    values = [value(april(), curve=curve, volatility=v, as_of=AS_OF, discount=flat(0.0)).value for v in (0.0, 0.2, 0.5, 1.0, 3.0, 30.0)]
    assert values == sorted(values)
    assert values[-1] < 50 * curve.forward[16 * 24 : 46 * 24].sum()


def test_delivered_hours_have_paid_and_the_premium_counts_until_it_is_paid(curve: ForwardCurve) -> None:
    start, end = contract_dates("X:2027-03", timezone="America/New_York")
    march = CapacityContract(index="X", start=start, end=end, strike=2.3, quantity=1.0, side=TradeSide.BUY)
    rest = replace(march, start=AS_OF)
    assert (
        value(march, curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
        == value(rest, curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
    )
    plain = value(april(), curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
    due = value(april(premium=1000.0, pay=AS_OF + timedelta(73)), curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
    paid = value(april(premium=1000.0, pay=AS_OF - timedelta(1)), curve=curve, volatility=0.8, as_of=AS_OF, discount=flat(0.04)).value
    assert plain - due == pytest.approx(1000 * np.exp(-0.04 / 5), abs=1e-9)
    assert paid == plain


def test_contracts_that_are_over_and_negative_volatility_are_refused(curve: ForwardCurve) -> None:
    with pytest.raises(InputError, match="hours after"):
        value(april(), curve=curve, volatility=0.8, as_of=datetime(2027, 5, 2, tzinfo=UTC), discount=flat(0.04))
    with pytest.raises(InputError, match="a standard deviation of at least 0"):
        value(april(), curve=curve, volatility=-0.8, as_of=AS_OF, discount=flat(0.04))
    with pytest.raises(InputError, match="a strike above 0"):
        april(strike=0.0)
    with pytest.raises(InputError, match="a premium and its day of payment, or neither"):
        april(premium=5.0)

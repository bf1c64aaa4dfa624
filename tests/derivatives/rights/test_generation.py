"""Generation switch: gain, value."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.paths.model import Factors, PathModel
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.rights import least_squares
from tenorgrid.derivatives.rights.generation import Switch, exercised, gain, nodes_for, value

ONE = np.ones(1)


def both(*, reversion: float = 0.0, old: float = 0.2, new: float = 0.3, correlation: float = 0.5) -> Factors:
    return Factors(
        reversion=np.full(2, reversion),
        volatility=np.array([old, new]),
        correlation=np.array([[1.0, correlation], [correlation, 1.0]]),
        loading=np.eye(2),
    )


def single(*, old: float, new: float, years: float, cost: float = 0.0, ratio: float = 1.0, rate: float = 0.0) -> Switch:
    factor = np.exp(-rate * years) * ONE
    return Switch(
        decision=years * ONE, delivery=years * ONE, quantity=ONE, old=old * ONE, new=new * ONE, ratio=ratio,
        cost=cost * ONE, discount=factor, paid=factor,
    )  # fmt: skip


def year(cost: float = 400.0) -> Switch:
    """A year of the old generation, which may be changed at the end of each month for what is left."""
    decision, delivery = np.arange(1, 12) / 12, (np.arange(12) + 0.5) / 12
    return Switch(
        decision=decision, delivery=delivery, quantity=np.full(12, 730.0), old=np.linspace(2.4, 1.9, 12), new=np.linspace(4.2, 3.4, 12),
        ratio=0.6, cost=np.full(11, cost), discount=np.exp(-0.04 * delivery), paid=np.exp(-0.04 * decision),
    )  # fmt: skip


@pytest.mark.parametrize(("second", "correlation", "known"), [(0.15, -0.5, 2.125062), (0.20, 0.0, 2.091287), (0.25, 0.5, 2.018860)])
def test_one_date_is_margrabe_s_exchange(second: float, correlation: float, known: float) -> None:
    """Assets at 22 and 20 with yields .06 and .04 in a tenth of a year, σ1 = .2."""
    switch = single(old=20 * np.exp(0.06 * 0.1), new=22 * np.exp(0.04 * 0.1), years=0.1, rate=0.10)
    found = value(switch, factors=both(old=second, new=0.2, correlation=correlation), nodes=61)
    assert found == pytest.approx(known, abs=3e-3)


def test_one_date_with_a_cost_is_the_spread_option() -> None:
    """Forwards 122 and 120, cost 3, T = .5, rate .1, volatilities .2, ρ = .5: 6.025463 by quadrature."""
    found = value(single(old=120.0, new=122.0, years=0.5, cost=3.0, rate=0.1), factors=both(new=0.2), nodes=61)
    assert found == pytest.approx(6.025463, rel=2e-3)

    def given(z: float) -> float:
        root = np.sqrt(0.5)
        ahead = 122 * np.exp(0.5 * 0.2 * root * z - 0.5 * (0.5 * 0.2 * root) ** 2)
        strike = 3 + 120 * np.exp(0.2 * root * z - 0.02 * 0.5)
        deviation = 0.2 * root * np.sqrt(0.75)
        price = black.price(np.array([ahead]), np.array([strike]), deviation=np.array([deviation]), discount=np.exp(np.array([-0.05])))
        return float(price[0] * norm.pdf(z))

    assert quad(given, -9, 9, epsabs=1e-9)[0] == pytest.approx(6.025463, abs=1e-6)


def test_monthly_decisions_agree_with_least_squares_on_paths() -> None:
    factors, switch = both(reversion=1.5, old=0.5, new=0.6), year()
    model = PathModel(factors=factors)
    dates = switch.decision.size
    price = simulate(model, forward=np.ones((dates, 2)), years=switch.decision, paths=20_000, seed=17)
    x = np.log(price) + model.correction(switch.decision)[:, :, None]
    margin = np.stack([gain(switch, factors=factors, at=at, x_old=x[at, 0], x_new=x[at, 1]) for at in range(dates)])
    found = least_squares.value(margin, state=np.moveaxis(x, 1, 2), maximum=1)
    assert value(switch, factors=factors) == pytest.approx(found.value, abs=3 * found.error)


def test_it_lies_between_the_best_single_date_and_the_sum_of_all() -> None:
    factors, switch = both(reversion=1.5, old=0.5, new=0.6), year()
    alone = [
        value(
            replace(switch, decision=switch.decision[at : at + 1], cost=switch.cost[at : at + 1], paid=switch.paid[at : at + 1]),
            factors=factors,
        )
        for at in range(11)
    ]
    assert max(alone) < value(switch, factors=factors) < sum(alone)


def test_it_falls_with_cost_and_correlation_and_rises_with_the_ratio() -> None:
    costs = [value(year(cost), factors=both(reversion=1.5), nodes=41) for cost in (0.0, 400.0, 2000.0)]
    assert costs == sorted(costs, reverse=True)
    alike = [value(year(), factors=both(reversion=1.5, correlation=c)) for c in (-0.4, 0.0, 0.5)]
    assert alike == sorted(alike, reverse=True)
    ratios = [value(replace(year(), ratio=r), factors=both(reversion=1.5)) for r in (0.0, 0.5, 0.7)]
    assert ratios[0] == 0.0
    assert ratios == sorted(ratios)


def test_what_is_certain_to_be_switched_is_the_forward_difference() -> None:
    switch = single(old=1.0, new=5.0, years=0.5, cost=0.2, ratio=0.9)
    assert value(switch, factors=both(), nodes=61) == pytest.approx(0.9 * 5.0 - 1.0 - 0.2, abs=1e-6)
    now = replace(switch, decision=np.zeros(1))
    assert value(now, factors=both()) == pytest.approx(0.9 * 5.0 - 1.0 - 0.2, abs=1e-12)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        replace(year(), decision=-year().decision, old=-year().old, ratio=-1.0, cost=np.zeros(2))
    assert [fault.column for fault in caught.value.faults] == ["decision", "old", "ratio", "cost"]
    with pytest.raises(InputError, match=r"correlations inside \(-1, 1\)"):
        value(year(), factors=both(correlation=1.0))
    with pytest.raises(InputError, match="two, of the old"):
        value(year(), factors=Factors(reversion=ONE, volatility=ONE, correlation=np.eye(1), loading=np.eye(1)))
    with pytest.raises(InputError, match="nodes for steps as short"):
        value(year(), factors=both(correlation=0.99), nodes=31)
    with pytest.raises(InputError, match="odd number from 3 to 61"):
        value(year(), factors=both(), nodes=62)


@pytest.mark.parametrize("reversion", [0.0, 1.5])
def test_deltas_by_period_are_those_of_revaluation(reversion: float) -> None:
    switch, factors = year(), both(reversion=reversion, old=0.4, new=0.5)
    found = exercised(switch, factors=factors)
    assert found.value == pytest.approx(value(switch, factors=factors), rel=1e-13)
    for name, told in (("old", found.old), ("new", found.new)):
        for at in (0, 1, 6, 11):
            bump = 1e-5 * (np.arange(12) == at)
            up, down = (value(replace(switch, **{name: getattr(switch, name) + way * bump}), factors=factors) for way in (1, -1))
            assert told[at] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-6)
    assert found.old[0] == found.new[0] == 0.0  # delivered before the first decision


def test_as_many_nodes_as_are_asked_for_are_enough() -> None:
    factors = both(correlation=0.7)
    needed = nodes_for(year(), factors=factors)
    assert value(year(), factors=factors, nodes=needed) > 0
    with pytest.raises(InputError, match=f"at least {needed} nodes"):
        value(year(), factors=factors, nodes=needed - 2)
    assert nodes_for(replace(single(old=1.0, new=1.0, years=1.0), decision=np.zeros(1)), factors=factors) == 3

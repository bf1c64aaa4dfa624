"""What a hedge removes on days that its ratios have not seen."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.settlement.effectiveness import regress, variance_reduction
from tenorgrid.settlement.held_back import held_back


def walks(count: int, correlation: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    moves = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=count)
    levels = np.cumsum(moves, axis=0) + 100
    return levels[:, 0], levels[:, 1:]


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_correlation_that_lasts_removes_what_theory_says() -> None:
    """1 − √(1 − ρ²): .4 at .8, seen over 40,000 days to three of its errors, √((1 − ρ²) / 2n) and less."""
    item, leg = walks(60_000, 0.8)
    found = held_back(item, [leg], first=20_000, draws=100, rng=rng())[0]
    assert found.removed == pytest.approx(0.4, abs=0.01)
    assert found.ratios == pytest.approx([0.8], abs=0.02)
    assert found.lower < found.removed < found.upper


def test_ratio_and_removal_are_those_of_the_basis_kernel() -> None:
    item, leg = walks(150, 0.7)
    found = held_back(item, [leg], first=100, draws=100, rng=rng())[0]
    own, other = np.diff(item), np.diff(leg[:, 0])
    fit = regress(own[:99], other[:99])
    assert found.ratios == pytest.approx([fit.ratio], rel=1e-12)
    assert (1 - found.removed) ** 2 == pytest.approx(1 - variance_reduction(own[99:], other[99:], ratio=fit.ratio), rel=1e-12)


def test_ratios_of_several_legs_are_those_of_statsmodels() -> None:
    import statsmodels.api as sm

    item, first = walks(150, 0.6)
    legs = np.column_stack([first, walks(150, 0.0, seed=2)[0] * 30])
    found = held_back(item, [legs], first=100, horizon=3, draws=100, rng=rng())[0]
    seen = slice(0, 97)
    fit = sm.OLS((item[3:] - item[:-3])[seen], sm.add_constant((legs[3:] - legs[:-3])[seen])).fit()
    assert found.ratios == pytest.approx(fit.params[1:], rel=1e-10)
    assert found.changes == 50 - 3 + 1


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """95 % of 120 studies whose truth is .4: between 85 and 100 % would be seen at four of their errors."""
    inside = 0
    for seed in range(120):
        item, leg = walks(240, 0.8, seed=seed)
        found = held_back(item, [leg], first=120, draws=200, rng=np.random.default_rng(seed))[0]
        inside += found.lower <= 0.4 <= found.upper
    assert 0.85 <= inside / 120 <= 1.0


def test_the_days_held_back_change_no_ratio_and_scale_changes_nothing() -> None:
    item, leg = walks(120, 0.8)
    one = held_back(item, [leg], first=80, draws=100, rng=rng())[0]
    later = item.copy()
    later[80:] += np.random.default_rng(3).normal(size=40) * 50
    other = held_back(later, [leg], first=80, draws=100, rng=rng())[0]
    assert (other.ratios == one.ratios).all()
    assert other.removed < one.removed
    scaled = held_back(1000 * item, [leg / 7], first=80, draws=100, rng=rng())[0]
    assert scaled.removed == pytest.approx(one.removed, rel=1e-10)
    assert scaled.ratios == pytest.approx(7000 * one.ratios, rel=1e-10)


def test_the_item_itself_removes_everything_in_every_draw() -> None:
    item, leg = walks(90, 0.5)
    found = held_back(item, [item[:, None], leg], first=60, horizon=2, draws=100, rng=rng())
    assert found[0].removed == pytest.approx(1, abs=1e-12)
    assert found[0].draws == pytest.approx(np.ones(100), abs=1e-9)
    assert (found[0].draws > found[1].draws).all()


def test_what_does_not_move_or_repeats_itself_or_is_short_is_refused() -> None:
    item, leg = walks(90, 0.5)
    with pytest.raises(InputError, match="at least 10 changes"):
        held_back(item, [leg], first=85, draws=100, rng=rng())
    with pytest.raises(InputError) as refused:
        held_back(np.r_[item[:60], np.full(30, item[59])], [np.ones((90, 1)), leg], first=60, draws=100, rng=rng())
    assert {fault.column for fault in refused.value.faults} == {"item", "contract 1"}
    with pytest.raises(InputError, match="none is made of the others"):
        held_back(item, [np.column_stack([leg, 2 * leg])], first=60, draws=100, rng=rng())
    leg[5] = np.nan
    with pytest.raises(InputError, match="finite"):
        held_back(item, [leg], first=60, draws=100, rng=rng())

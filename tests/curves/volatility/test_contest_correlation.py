"""Correlation forecasts that know no later return."""

import numpy as np
import pytest

from tenorgrid.curves.volatility.contest_correlation import correlation_contest, correlation_losses
from tenorgrid.curves.volatility.correlation import fit_dcc
from tenorgrid.data.errors import InputError


def drawn(count: int, *, moving: bool, seed: int = 2) -> dict[str, np.ndarray]:
    """Two series of constant variance whose correlation is 0.5, or swings between -0.4 and 0.9 over 400 days."""
    rng, day = np.random.default_rng(seed), np.arange(count)
    r = 0.25 + 0.65 * np.sin(2 * np.pi * day / 400) if moving else np.full(count, 0.5)
    one, other = rng.normal(size=(2, count)) * 0.01
    return {"A": one, "B": r * one + np.sqrt(1 - r**2) * other}


def test_a_correlation_that_moves_is_followed_and_a_constant_one_is_not_beaten() -> None:
    moving = correlation_losses(drawn(1400, moving=True), first=800, every=300)
    found = correlation_contest(moving, own="dcc", series="drawn").filter(rival="constant")
    assert found["statistic"][0] < -2
    still = correlation_losses(drawn(1400, moving=False), first=800, every=300)
    assert correlation_contest(still, own="constant", series="drawn").filter(rival="ewma")["statistic"][0] < 0
    assert abs(still["dcc"].mean() - still["constant"].mean()) < 0.01


def test_the_next_day_s_loss_is_that_of_a_fit_made_anew() -> None:
    returns = drawn(602, moving=True)
    made = correlation_losses(returns, first=600, every=1)
    for place, known in enumerate((600, 601)):
        fit = fit_dcc({name: series[:known] for name, series in returns.items()})
        z = np.array(
            [
                (series[known] - one.parameters["mu"]) / np.sqrt(one.next_variance)
                for one, series in zip(fit.first, returns.values(), strict=True)
            ]
        )
        loss = np.log(np.linalg.det(fit.ahead)) + z @ np.linalg.inv(fit.ahead) @ z
        assert made["dcc"][place] == pytest.approx(loss, rel=1e-8)
        assert made["constant"][place] == pytest.approx(np.log(np.linalg.det(fit.target)) + z @ np.linalg.inv(fit.target) @ z, rel=1e-8)


def test_later_returns_change_no_earlier_loss() -> None:
    returns = drawn(700, moving=True)
    later = {name: np.r_[series[:650], -3 * series[650:]] for name, series in returns.items()}
    one, other = (correlation_losses(made, first=600, every=40) for made in (returns, later))
    for name in one:
        assert np.array_equal(one[name][:50], other[name][:50])
        assert not np.array_equal(one[name][50:], other[name][50:])


def test_few_returns_a_single_series_and_unknown_models_are_refused() -> None:
    returns = drawn(300, moving=False)
    with pytest.raises(InputError, match="at least 250"):
        correlation_losses(returns, first=100)
    with pytest.raises(InputError, match="two indices"):
        correlation_losses({"A": returns["A"]}, first=260)
    with pytest.raises(InputError, match="one of a"):
        correlation_contest({"a": np.ones(9)}, own="dcc", series="x")

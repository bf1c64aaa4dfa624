"""Variance forecasts that know no later return, and which is better."""

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.premium.accuracy import diebold_mariano
from tenorgrid.curves.volatility.contest import MODELS, ahead, contest
from tenorgrid.curves.volatility.ewma import ewma
from tenorgrid.curves.volatility.garch import fit_garch
from tenorgrid.data.errors import InputError

FIRST = 600


def drawn(count: int = 1000, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Returns of a GARCH with a persistence of .97, and their variances."""
    rng, variance, told = np.random.default_rng(seed), 1e-4, []
    returns = []
    for _ in range(count):
        told.append(variance)
        returns.append(np.sqrt(variance) * rng.normal())
        variance = 3e-6 + 0.12 * returns[-1] ** 2 + 0.85 * variance
    return np.array(returns), np.array(told)


def test_the_model_that_drew_the_returns_wins_and_follows_their_variance() -> None:
    returns, truth = drawn(3000)
    told = {name: ahead(returns, name, first=FIRST, every=400) for name in ("mean", "ewma", "har", "garch")}
    found = contest(returns[FIRST:], told, own="garch", series="drawn")
    assert (found["statistic"] < 0).all()
    assert found.filter(rival="mean")["p_value"][0] < 1e-3
    assert np.corrcoef(told["garch"], truth[FIRST:])[0, 1] > 0.95
    perfect = contest(returns[FIRST:], told | {"truth": truth[FIRST:]}, own="truth", series="drawn")
    assert (perfect["own"] < perfect["other"]).all()


def test_forecasts_are_those_of_a_fit_made_anew_and_of_a_plain_loop() -> None:
    returns, _ = drawn(700)
    for model in ("garch", "gjr"):
        each = ahead(returns, model, first=698, every=1)
        assert each == pytest.approx([fit_garch(returns[:known], model=model).next_variance for known in (698, 699)], rel=1e-9)
    plain = [ewma(returns[:known]).next_variance for known in range(FIRST, 700)]
    assert ahead(returns, "ewma", first=FIRST) == pytest.approx(plain, rel=1e-12)
    means = [float((returns[:known] ** 2).mean()) for known in range(FIRST, 700)]
    assert ahead(returns, "mean", first=FIRST) == pytest.approx(means, rel=1e-12)


def test_the_loss_ranks_as_qlike_does() -> None:
    returns, _ = drawn(700)
    told = {name: ahead(returns, name, first=FIRST) for name in ("mean", "ewma")}
    ratio = {name: returns[FIRST:] ** 2 / one for name, one in told.items()}
    losses = {name: one - np.log(one) - 1 for name, one in ratio.items()}
    found = contest(returns[FIRST:], told, own="ewma", series="drawn").row(0, named=True)
    known = diebold_mariano(losses["ewma"] - losses["mean"], steps=1, window="bartlett")
    assert found["statistic"] == pytest.approx(known.corrected, rel=1e-9)
    assert found["own"] - found["other"] == pytest.approx(known.difference, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_later_returns_change_no_earlier_forecast(model: str) -> None:
    returns, _ = drawn(700)
    later = returns.copy()
    later[660:] *= -5
    one, other = (ahead(series, model, first=FIRST, every=50) for series in (returns, later))
    assert np.array_equal(one[:61], other[:61])
    assert not np.array_equal(one[61:], other[61:])
    assert one.min() > 0


def test_unknown_models_few_returns_and_forecasts_of_nothing_are_refused() -> None:
    returns, _ = drawn(700)
    with pytest.raises(InputError, match="one of mean, ewma"):
        ahead(returns, "realised", first=FIRST)
    with pytest.raises(InputError, match="at least 250"):
        ahead(returns, "mean", first=100)
    with pytest.raises(InputError, match="finite"):
        ahead(np.r_[returns, np.nan], "mean", first=FIRST)
    with pytest.raises(InputError, match="variance above 0"):
        contest(returns, {"a": np.zeros(700), "b": np.ones(700)}, own="a", series="x")
    with pytest.raises(InputError, match="one of a"):
        contest(returns, {"a": np.ones(700)}, own="c", series="x")
    same = contest(returns, {"a": np.ones(700), "b": np.ones(700)}, own="a", series="x")
    assert same.select(pl.col("statistic").is_null().all()).item()

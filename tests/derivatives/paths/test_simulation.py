"""Paths: blocks, simulate."""

import numpy as np
import pytest
from scipy.stats import norm

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.paths.model import Factors, Jumps, PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.seasonality import DAY, WEEK, season
from tenorgrid.derivatives.paths.simulation import GROUP, blocks, simulate

HOURS = 24 * 30
YEARS = np.arange(HOURS) / 8760


def two_classes() -> PathModel:
    """Two classes, each with a short factor, a long one in common, a rise of both and a fall of the second."""
    correlation = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, 0.1], [0.2, 0.1, 1.0]])
    return PathModel(
        factors=Factors(
            reversion=np.array([60.0, 20.0, 0.0]),
            volatility=np.array([3.0, 1.5, 0.4]),
            correlation=correlation,
            loading=np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.8]]),
        ),
        jumps=Jumps(
            intensity=np.array([30.0, 10.0]),
            reversion=np.array([200.0, 50.0]),
            rate=np.array([6.0, 5.0]),
            loading=np.array([[1.0, 0.0], [0.5, -1.0]]),
        ),
    )


def curve() -> Vector:
    hours = np.arange(HOURS, dtype=float)
    shape = season(hours, period=DAY, cosine=np.array([-0.2, 0.05]), sine=np.array([0.1, 0.0])) * season(
        hours, period=WEEK, cosine=np.array([0.1]), sine=np.array([0.02])
    )
    return np.stack([2.4 * shape, 1.3 * shape], axis=1)


@pytest.mark.parametrize("seed", range(20))
def test_all_hours_together_reprice_the_forward_curve(seed: int) -> None:
    forward, paths = curve(), 3000
    seasonal = season(np.arange(HOURS, dtype=float), period=DAY, cosine=np.array([0.3]), sine=np.array([0.0]))
    largest = 0.0
    begin = 0
    for part in blocks(two_classes(), forward=forward, years=YEARS, paths=paths, seed=seed, seasonal=seasonal):
        mean, spread = part.mean(axis=2), part.std(axis=2, ddof=1)
        moved = spread > 0  # the first hour is the moment of the valuation
        z = (mean - forward[begin : begin + len(part)])[moved] / spread[moved] * np.sqrt(paths)
        largest = max(largest, float(np.abs(z).max()))
        begin += len(part)
    assert begin == HOURS
    assert largest < norm.ppf(1 - 0.001 / 2 / (2 * HOURS))


def test_a_wrong_drift_falls_outside_the_band() -> None:
    """The band is no empty test: leaving the jumps' compensator out is found."""
    model, paths = two_classes(), 3000
    part = simulate(model, forward=curve(), years=YEARS, paths=paths, seed=0)
    left_out = np.exp(np.stack([model.jumps.cumulant(YEARS, row).sum(axis=1) for row in model.jumps.loading], axis=1))
    mean, spread = (part * left_out[:, :, None]).mean(axis=2), (part * left_out[:, :, None]).std(axis=2, ddof=1)
    z = np.abs(mean - curve())[1:] / spread[1:] * np.sqrt(paths)
    assert z.max() > norm.ppf(1 - 0.001 / 2 / (2 * HOURS))


def test_kluge_s_price_has_its_mean_and_its_call() -> None:
    """f0 = 30, α = 4, σ = 1, β = 5, η = 5, λ = 4, T = 1/2: mean 30, at-the-money call 4.749 by simulation."""
    model = PathModel(
        factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.0),
        jumps=Jumps(intensity=np.array([4.0]), reversion=np.array([5.0]), rate=np.array([5.0]), loading=np.ones((1, 1))),
    )
    final = simulate(model, forward=np.full((1, 1), 30.0), years=np.array([0.5]), paths=400_000, seed=3)[0, 0]
    assert final.mean() == pytest.approx(30.0, abs=3 * final.std() / 400_000**0.5)
    call = np.maximum(final - 30.0, 0)
    assert call.mean() == pytest.approx(4.749, abs=4 * call.std() / 400_000**0.5)


def test_covariances_between_classes_and_hours_are_the_model_s() -> None:
    factors = two_classes().factors
    model = PathModel(factors=factors)
    years = np.array([0.01, 0.03])
    logs = np.log(simulate(model, forward=np.ones((2, 2)), years=years, paths=200_000, seed=5))
    first = factors.loading @ factors.covariance(years)[0] @ factors.loading.T
    assert np.cov(logs[0]) == pytest.approx(first, rel=0.02)
    later = factors.loading @ np.diag(np.exp(-factors.reversion * 0.02)) @ factors.covariance(years)[0] @ factors.loading.T
    assert np.cov(logs[1], logs[0])[:2, 2:] == pytest.approx(later, rel=0.03)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("block", [1, 7, 100, 720])
def test_the_block_changes_no_number(block: int, dtype: type[np.float64] | type[np.float32]) -> None:
    hours = 200
    forward, years = curve()[:hours], YEARS[:hours]
    whole = next(blocks(two_classes(), forward=forward, years=years, paths=2100, seed=9, block=hours, dtype=dtype))
    parts = list(blocks(two_classes(), forward=forward, years=years, paths=2100, seed=9, block=block, dtype=dtype))
    assert whole.dtype == dtype
    assert np.array_equal(np.concatenate(parts), whole)


def test_seeds_differ_and_groups_are_strangers_to_one_another() -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.0))
    one, other = (simulate(model, forward=np.ones((50, 1)), years=YEARS[1:51], paths=2 * GROUP, seed=s)[:, 0] for s in (1, 2))
    assert not np.any(one == other)
    assert abs(np.corrcoef(np.log(one[0, :GROUP]), np.log(one[0, GROUP:]))[0, 1]) < 0.1


def test_without_chance_the_paths_are_the_curve() -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=0.0))
    found = simulate(model, forward=curve()[:, :1], years=YEARS, paths=3, seed=0)
    assert found[:, 0] == pytest.approx(np.repeat(curve()[:, :1], 3, axis=1), rel=1e-14)


def test_every_fault_is_named() -> None:
    with pytest.raises(InputError) as caught:
        simulate(two_classes(), forward=-curve(), years=YEARS[::-1], paths=0, seed=-1)
    assert [fault.column for fault in caught.value.faults] == ["forward", "years", "paths", "seed"]


def test_models_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match=r"correlations in \[-1, 1\]"):
        Factors(reversion=np.ones(2), volatility=np.ones(2), correlation=np.array([[1.0, 1.2], [1.2, 1.0]]), loading=np.eye(2))
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    with pytest.raises(InputError, match="no negative eigenvalue"):
        Factors(reversion=np.ones(3), volatility=np.ones(3), correlation=impossible, loading=np.eye(3))
    with pytest.raises(InputError, match="has no mean"):
        Jumps(intensity=np.ones(1), reversion=np.ones(1), rate=np.ones(1), loading=np.ones((1, 1)))
    with pytest.raises(InputError, match="loadings of 1 classes"):
        PathModel(factors=ornstein_uhlenbeck(reversion=1.0, volatility=1.0), jumps=two_classes().jumps)

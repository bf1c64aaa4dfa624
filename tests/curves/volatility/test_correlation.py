"""Dynamic conditional correlation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.correlation import fit_dcc, likelihoods, paths, second_step
from tenorgrid.curves.volatility.curvature import Matrix
from tenorgrid.data.errors import InputError

TARGET = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, -0.1], [0.2, -0.1, 1.0]])


def simulated(n: int, *, seed: int, a: float, b: float, target: Matrix = TARGET) -> Matrix:
    rng, size = np.random.default_rng(seed), target.shape[0]
    z, q = np.empty((n, size)), target.copy()
    for day in range(n):
        root = np.sqrt(np.diag(q))
        z[day] = np.linalg.cholesky(q / np.outer(root, root)) @ rng.normal(size=size)
        q = (1 - a - b) * target + a * np.outer(z[day], z[day]) + b * q
    return z


def test_one_day_by_hand() -> None:
    """Q = ¼ I + ½ (1 1') + ¼ I = [[1, .5], [.5, 1]]: ln |R| = ln ¾, z' R⁻¹ z of (1, 0) is 4/3."""
    z = np.array([[1.0, 1.0], [1.0, 0.0]])
    assert paths(z, np.eye(2), 0.5, 0.25)[1].tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert likelihoods(z, np.eye(2), 0.5, 0.25) == pytest.approx([-1.0, -0.5 * (np.log(0.75) + 4 / 3)], abs=1e-14)


def test_paths_and_likelihoods_are_those_of_a_loop() -> None:
    z, a, b = simulated(300, seed=1, a=0.05, b=0.9), 0.07, 0.88
    path, told = paths(z, TARGET, a, b), likelihoods(z, TARGET, a, b)
    q = TARGET.copy()
    for day in range(300):
        root = np.diag(1 / np.sqrt(np.diag(q)))
        r = root @ q @ root
        assert path[day] == pytest.approx(r, abs=1e-12)
        assert told[day] == pytest.approx(-0.5 * (np.log(np.linalg.det(r)) + z[day] @ np.linalg.inv(r) @ z[day]), abs=1e-10)
        q = (1 - a - b) * TARGET + a * np.outer(z[day], z[day]) + b * q


@pytest.mark.slow
def test_a_and_b_that_made_the_data_are_found_within_their_errors() -> None:
    within = []
    for seed in range(12):
        found = second_step(simulated(2500, seed=seed, a=0.04, b=0.92), names=("A", "B", "C"))
        assert found.converged
        assert found.p_value < 0.01
        within += [abs(found.a - 0.04) < 2.5 * found.robust_errors[0], abs(found.b - 0.92) < 2.5 * found.robust_errors[1]]
    assert np.mean(within) > 0.85


def test_constant_correlation_is_the_nested_case() -> None:
    gains = [second_step(simulated(800, seed=50 + seed, a=0.0, b=0.0), names=("A", "B", "C")).gain for seed in range(12)]
    assert min(gains) > -1e-6  # never worse than the case it holds
    assert np.mean(np.array(gains) > 5.99) <= 0.25
    z = simulated(800, seed=70, a=0.0, b=0.0)
    path = paths(z, TARGET, 0.0, 0.5)
    assert path == pytest.approx(np.broadcast_to(TARGET, path.shape), abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 500), a=st.floats(0.0, 0.3), b=st.floats(0.0, 0.69), more=st.integers(1, 30))
def test_every_matrix_is_a_correlation_and_later_days_change_no_earlier_one(seed: int, a: float, b: float, more: int) -> None:
    z = simulated(80, seed=seed, a=0.05, b=0.8)
    path = paths(z, TARGET, a, b)
    assert np.diagonal(path, axis1=1, axis2=2) == pytest.approx(np.ones((81, 3)), abs=1e-12)
    assert np.linalg.eigvalsh(path).min() > 0
    assert paths(z[: 80 - more], TARGET, a, b) == pytest.approx(path[: 81 - more], abs=0)


def test_both_steps_and_the_order_of_indices(garch_returns: Callable[..., Vector]) -> None:
    common = garch_returns(600, seed=3)
    first, other = common + 0.4 * garch_returns(600, seed=4), common + 0.8 * garch_returns(600, seed=5)
    found, turned = fit_dcc({"A": first, "B": other}), fit_dcc({"B": other, "A": first})
    assert found.correlations[:, 0, 1].mean() == pytest.approx(1 / np.sqrt(1.16 * 1.64), abs=0.08)
    assert turned.correlations[:, 0, 1] == pytest.approx(found.correlations[:, 0, 1], abs=2e-3)
    assert found.ahead[0, 1] == pytest.approx(turned.ahead[0, 1], abs=2e-3)
    assert [fit.returns.size for fit in found.first] == [600, 600]


def test_errors_of_both_steps_are_those_of_all_moments_at_once(garch_returns: Callable[..., Vector]) -> None:
    """The sandwich of the ten moments (4 + 4 scores of the first step, 2 of the second), differenced as one function of ten estimates."""
    from tenorgrid.curves.volatility.correlation_errors import standardised, two_step_covariance
    from tenorgrid.curves.volatility.curvature import likelihoods as of_garch

    common = garch_returns(900, seed=7)
    fitted = fit_dcc({"A": common + 0.6 * garch_returns(900, seed=8), "B": common + 0.6 * garch_returns(900, seed=9)})
    rng = np.random.default_rng(10)
    q, z = TARGET[:2, :2].copy(), np.empty((900, 2))
    for day in range(900):
        root = np.sqrt(np.diag(q))
        z[day] = np.linalg.cholesky(q / np.outer(root, root)) @ rng.normal(size=2)
        q = 0.04 * TARGET[:2, :2] + 0.06 * np.outer(z[day], z[day]) + 0.9 * q
    returns = {name: z[:, column] * np.sqrt(fitted.first[column].variance) for column, name in enumerate("AB")}
    found = fit_dcc(returns)
    fits = found.first
    start = np.concatenate([fits[0].values, fits[1].values, [found.a, found.b]])
    step = np.concatenate([0.03 * fits[0].errors, 0.03 * fits[1].errors, 0.03 * found.errors])

    def target_of(both: Matrix) -> Matrix:
        product = both.T @ both
        return np.asarray(product / np.sqrt(np.outer(np.diag(product), np.diag(product))))

    def scores(point: Vector) -> Matrix:
        rows = []
        for column, part in enumerate((point[:4], point[4:8])):
            for place in range(4):
                ends = []
                for side in (1, -1):
                    moved = part.copy()
                    moved[place] += side * step[4 * column + place]
                    fit = fits[column]
                    ends.append(of_garch(fit.model, dict(zip(fit.names, moved.tolist(), strict=True)), fit.returns, backcast=fit.backcast))
                rows.append((ends[0] - ends[1]) / (2 * step[4 * column + place]))
        both = np.column_stack([standardised(fit, part) for fit, part in zip(fits, (point[:4], point[4:8]), strict=True)])
        for move in (np.array([step[8], 0.0]), np.array([0.0, step[9]])):
            ends = [likelihoods(both, target_of(both), *(point[8:] + side * move)) for side in (1, -1)]
            rows.append((ends[0] - ends[1]) / (2 * move.sum()))
        return np.stack(rows)

    moves = np.diag(step)
    slope = np.column_stack(
        [(scores(start + m).sum(axis=1) - scores(start - m).sum(axis=1)) / (2 * one) for m, one in zip(moves, step, strict=True)]
    )
    slope[:8, 8:] = 0.0
    told = scores(start)
    inverse = np.linalg.inv(slope)
    whole = inverse @ (told @ told.T) @ inverse.T
    assert found.robust_errors == pytest.approx(np.sqrt(np.diag(whole)[8:]), rel=0.01)
    alone = two_step_covariance(fits, np.array([found.a, found.b]), lambda both, v: likelihoods(both, found.target, *v))
    assert np.isfinite(alone).all()


def test_too_few_days_one_index_and_copies_are_refused(garch_returns: Callable[..., Vector]) -> None:
    one = garch_returns(300, seed=6)
    with pytest.raises(InputError, match="found A, expected two indices at least"):
        fit_dcc({"A": one})
    with pytest.raises(InputError, match="A: 300, B: 299, expected the same days"):
        fit_dcc({"A": one, "B": one[1:]})
    with pytest.raises(InputError, match="found 200, expected at least 250 common days for 1 correlations"):
        fit_dcc({"A": one[:200], "B": one[:200]})
    with pytest.raises(InputError, match="none is made of the others"):
        fit_dcc({"A": one, "B": 2 * one})

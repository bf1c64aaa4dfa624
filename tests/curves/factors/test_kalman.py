"""Schwartz and Smith's model by a Kalman filter, beside a filter in plain numpy."""

from pathlib import Path

import numpy as np
import pytest

from tenorgrid.curves.factors import two_factor
from tenorgrid.curves.factors.kalman import Panel, fit
from tenorgrid.curves.factors.two_factor import TwoFactor
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

OIL_FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "schwartz_smith_oil_stitched_futures.csv"
PUBLISHED = np.array([1.49, 0.286, 0.157, -0.0125, 0.0115, 0.145, 0.3, 0.042, 0.006, 0.003, 1e-5, 0.004])
MATURITY = np.array([1, 5, 9, 13, 17]) / 12
STEP = 7 / 365.25
TRUE = TwoFactor(
    reversion=1.5, short_volatility=0.3, short_premium=0.1, drift=0.02, priced_drift=0.01, long_volatility=0.15, correlation=0.3
)


def oil() -> Vector:
    """The stitched weekly futures, (268, 5)."""
    if not OIL_FILE.exists():
        pytest.skip(f"needs {OIL_FILE.name}, which is not part of the project")
    return np.loadtxt(OIL_FILE, delimiter=",", skiprows=1, usecols=range(1, 6))


def drawn(rows: int = 260, *, seed: int = 5) -> Vector:
    """A panel of TRUE with measurement errors of 0.01."""
    rng, decay = np.random.default_rng(seed), np.exp(-TRUE.reversion * STEP)
    both = 0.3 * 0.3 * 0.15 * (1 - decay) / 1.5
    cov = np.array([[(1 - decay**2) * 0.09 / 3.0, both], [both, 0.15**2 * STEP]])
    moves = rng.multivariate_normal(np.zeros(2), cov, size=rows)
    short, long, made = 0.0, 1.0, []
    for move in moves:
        short, long = short * decay + move[0], long + 0.02 * STEP + move[1]
        made.append(two_factor.futures(TRUE, short=short, long=long, maturity=MATURITY))
    return np.asarray(made) * np.exp(0.01 * rng.normal(size=(rows, MATURITY.size)))


def plain(prices: Vector, values: Vector) -> tuple[float, Vector]:
    """Likelihood and filtered states by the textbook's recursion, a row at a time, missing cells left out."""
    model = TwoFactor(
        reversion=values[0], short_volatility=values[1], short_premium=values[2], drift=values[3], priced_drift=values[4],
        long_volatility=values[5], correlation=values[6],
    )  # fmt: skip
    k, logs = model.reversion, np.log(prices)
    decay = np.exp(-k * STEP)
    both = (1 - decay) * values[6] * values[1] * values[5] / k
    noise = np.array([[(1 - decay**2) * values[1] ** 2 / (2 * k), both], [both, values[5] ** 2 * STEP]])
    move, design = np.diag([decay, 1.0]), np.column_stack([np.exp(-k * MATURITY), np.ones(5)])
    mean, cov = np.array([0.0, np.nanmean(logs[0])]), np.diag([values[1] ** 2 / (2 * k), 1.0])
    total, states = 0.0, []
    for row, log in enumerate(logs):
        if row:
            mean, cov = move @ mean + np.array([0.0, values[3] * STEP]), move @ cov @ move.T + noise
        seen = ~np.isnan(log)
        z, r = design[seen], np.diag(values[7:][seen] ** 2)
        surprise = log[seen] - z @ mean - two_factor.constant(model, MATURITY)[seen]
        f = z @ cov @ z.T + r
        total -= 0.5 * (seen.sum() * np.log(2 * np.pi) + np.linalg.slogdet(f)[1] + surprise @ np.linalg.solve(f, surprise))
        gain = np.linalg.solve(f, z @ cov).T
        mean, cov = mean + gain @ surprise, cov - gain @ z @ cov
        states.append(mean)
    return float(total), np.array(states)


@pytest.mark.parametrize("holes", [False, True])
def test_likelihood_and_factors_are_those_of_a_plain_filter(holes: bool) -> None:
    prices = drawn(120)
    if holes:
        prices[np.random.default_rng(0).random(prices.shape) < 0.1] = np.nan
    values = np.r_[PUBLISHED[:7], np.full(5, 0.01)]
    panel = Panel(prices, maturity=MATURITY, step=STEP)
    total, states = plain(prices, values)
    assert panel.likelihood(values) == pytest.approx(total, abs=1e-6)
    assert panel.likelihoods(values).sum() == pytest.approx(total, abs=1e-6)
    assert Panel(np.asfortranarray(prices), maturity=MATURITY, step=STEP).likelihood(values) == panel.likelihood(values)
    made = panel.factors(TwoFactor(**dict(zip(TwoFactor.__slots__, PUBLISHED[:7], strict=True))), values[7:])
    assert np.column_stack([made.short, made.long]) == pytest.approx(states, abs=1e-9)
    assert made.smoothed_short[-1] == pytest.approx(made.short[-1], abs=1e-12)


def test_the_published_parameters_have_the_likelihood_of_a_second_filter_on_the_oil_panel() -> None:
    prices = oil()
    total, _ = plain(prices, PUBLISHED)
    assert total > 3_500
    assert Panel(prices, maturity=MATURITY, step=STEP).likelihood(PUBLISHED) == pytest.approx(total, abs=1e-3)


@pytest.mark.slow
def test_the_oil_panel_has_parameters_near_the_published_ones_and_no_lower_likelihood() -> None:
    prices = oil()
    found = fit(prices, maturity=MATURITY, step=STEP)
    assert found.estimate.converged
    assert found.estimate.log_likelihood > Panel(prices, maturity=MATURITY, step=STEP).likelihood(PUBLISHED)
    assert found.estimate.log_likelihood == pytest.approx(4033.82, abs=0.02)  # what whole searches from all three starts find
    assert found.model.reversion == pytest.approx(1.49, abs=0.25)
    assert found.model.short_volatility == pytest.approx(0.286, abs=0.05)
    assert found.model.long_volatility == pytest.approx(0.145, abs=0.03)


@pytest.mark.slow
def test_parameters_of_a_drawn_panel_come_back_within_their_errors() -> None:
    found = fit(drawn(), maturity=MATURITY, step=STEP)
    assert found.estimate.converged
    for place, name in [(0, "reversion"), (1, "short_volatility"), (5, "long_volatility"), (6, "correlation"), (3, "drift")]:
        for error in (found.estimate.hessian_errors[place], found.estimate.robust_errors[place]):
            assert abs(getattr(found.model, name) - getattr(TRUE, name)) < 4 * error
    assert found.measurement == pytest.approx(np.full(5, 0.01), rel=0.25)


def test_later_rows_leave_filtered_factors_as_they_were() -> None:
    prices = drawn(90)
    early, late = (Panel(prices[:rows], maturity=MATURITY, step=STEP).factors(TRUE, np.full(5, 0.01)) for rows in (60, 90))
    assert np.array_equal(early.short, late.short[:60])
    assert np.array_equal(early.long, late.long[:60])
    assert np.array_equal(early.fitted, late.fitted[:60])
    assert not np.array_equal(early.smoothed_short, late.smoothed_short[:60])


def test_a_negative_price_too_few_rows_and_a_single_maturity_are_refused() -> None:
    prices = drawn(40)
    prices[3, 0], prices[7, 1] = -37.63, 0.0
    with pytest.raises(InputError, match="arithmetic") as caught:
        fit(prices, maturity=MATURITY, step=STEP)
    assert [fault.row for fault in caught.value.faults] == [4, 8]
    with pytest.raises(InputError, match="36 rows"):
        fit(drawn(20), maturity=MATURITY, step=STEP)
    with pytest.raises(InputError, match="two or more"):
        fit(drawn(60)[:, :1], maturity=MATURITY[:1], step=STEP)
    with pytest.raises(InputError, match="prices that move"):
        fit(np.full((60, 5), 2.0), maturity=MATURITY, step=STEP)

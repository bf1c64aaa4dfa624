r"""Schwartz and Smith's factors from a panel of futures by a Kalman filter, and their parameters by maximum likelihood.

Measurement: :math:`\ln F_t(T_i) = e^{-\kappa T_i} \chi_t + \xi_t + A(T_i) + e_{t,i}`, errors of deviation s_i, one a maturity.
χ begins in its stationary distribution, ξ at the first row's mean log price with a deviation of 1, so that the first row decides it.
Cells without a price are left out. The filter is that of statsmodels; filtered factors know rows until theirs, smoothed ones all rows.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tenorgrid.curves.factors import two_factor
from tenorgrid.curves.factors.likelihood import Estimate, maximise
from tenorgrid.curves.factors.two_factor import TwoFactor
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError

FLOOR = 1e-5  # least measurement error: a maturity that fits exactly has no likelihood
NAMES = ("reversion", "short_volatility", "short_premium", "drift", "priced_drift", "long_volatility", "correlation")
STARTS = (0.5, 1.5, 4.0)  # reversion
ROWS_PER_PARAMETER = 3


@dataclass(frozen=True, kw_only=True)
class Factors:
    """χ and ξ of each row with their deviations, from rows until theirs and from all, and futures fitted by the former."""

    short: Vector = field(repr=False)
    long: Vector = field(repr=False)
    short_deviation: Vector = field(repr=False)
    long_deviation: Vector = field(repr=False)
    smoothed_short: Vector = field(repr=False)
    smoothed_long: Vector = field(repr=False)
    fitted: Vector = field(repr=False)  # (rows, maturities)


@dataclass(frozen=True, kw_only=True)
class PanelFit:
    """Parameters with errors (those of NAMES, then one measurement error a maturity) and the factors."""

    model: TwoFactor
    measurement: Vector = field(repr=False)
    estimate: Estimate = field(repr=False)
    factors: Factors = field(repr=False)


class Panel:
    """Log prices of one step between rows, ready for many evaluations of the likelihood.

    Raises `InputError` for prices of 0 or less (which have no logarithm: use the arithmetic `ou` on one maturity), for fewer than two
    maturities, and for a row or a maturity without any price.
    """

    def __init__(self, prices: Vector, *, maturity: Vector, step: float) -> None:
        from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother  # slow to import

        rows, count = prices.shape
        self.maturity, self.step = np.asarray(maturity, np.float64), step
        _check(prices, self.maturity, step)
        self.logs = np.ascontiguousarray(np.log(prices))  # statsmodels refuses columns of a frame as they lie
        self.first = float(np.nanmean(self.logs[0]))
        self.filter: Any = KalmanSmoother(k_endog=count, k_states=2, k_posdef=2)
        self.filter.filter_univariate = True  # errors of maturities are independent: one at a time, nothing is inverted
        self.filter.bind(self.logs)
        self.filter["selection"] = np.eye(2)
        self.rows = rows

    def likelihood(self, values: Vector) -> float:
        """Log-likelihood of NAMES followed by the measurement deviations."""
        self._set(values)
        return float(self.filter.loglike())

    def likelihoods(self, values: Vector) -> Vector:
        """The same by row, (rows,)."""
        self._set(values)
        return np.asarray(self.filter.loglikeobs(), np.float64)

    def factors(self, model: TwoFactor, measurement: Vector) -> Factors:
        """Filtered and smoothed factors at fixed parameters: the filtered ones of a row need no later row."""
        self._set(np.r_[[getattr(model, name) for name in NAMES], measurement])
        kept, self.filter.tolerance = self.filter.tolerance, 0  # a search may stop updating a gain that has settled; what is told does not
        made = self.filter.smooth()
        self.filter.tolerance = kept
        state, spread = made.filtered_state, np.sqrt(np.maximum(np.diagonal(made.filtered_state_cov), 0.0))
        load = np.exp(-model.reversion * self.maturity)
        fitted = np.exp(np.outer(state[0], load) + state[1][:, None] + two_factor.constant(model, self.maturity))
        return Factors(
            short=state[0].copy(), long=state[1].copy(), short_deviation=spread[:, 0], long_deviation=spread[:, 1],
            smoothed_short=made.smoothed_state[0].copy(), smoothed_long=made.smoothed_state[1].copy(), fitted=fitted,
        )  # fmt: skip

    def _set(self, values: Vector) -> None:
        k, short, _, drift, _, long, correlation = values[:7]
        load = np.exp(-k * self.maturity)
        # not through TwoFactor: a search steps a little out of bounds for its differences
        product = correlation * short * long
        variance = -np.expm1(-2 * k * self.maturity) * short**2 / (2 * k) + long**2 * self.maturity + 2 * (1 - load) * product / k
        self.filter["obs_intercept"] = (values[4] * self.maturity - (1 - load) * values[2] / k + variance / 2)[:, None]
        self.filter["design"] = np.column_stack([load, np.ones_like(load)])
        self.filter["obs_cov"] = np.diag(values[7:] ** 2)
        decay = np.exp(-k * self.step)
        self.filter["transition"] = np.diag([decay, 1.0])
        self.filter["state_intercept"] = np.array([[0.0], [drift * self.step]])
        both = (1 - decay) * product / k
        self.filter["state_cov"] = np.array([[(1 - decay**2) * short**2 / (2 * k), both], [both, long**2 * self.step]])
        self.filter.initialize_known(np.array([0.0, self.first]), np.diag([short**2 / (2 * k), 1.0]))


def fit(prices: Vector, *, maturity: Vector, step: float) -> PanelFit:
    """Parameters by maximum likelihood, from several starts, with factors filtered and smoothed at the best.

    Args:
        prices: (rows, maturities) futures, NaN where there is none.
        maturity: (maturities,) years to delivery, the same in every row.
        step: years between rows.

    Raises `InputError` for a panel that no such model fits (see `Panel`), or fewer than 3 rows a parameter.
    """
    panel = Panel(prices, maturity=maturity, step=step)
    count = panel.maturity.size
    if panel.rows < ROWS_PER_PARAMETER * (7 + count):
        raise InputError.of("panel", f"at least {ROWS_PER_PARAMETER * (7 + count)} rows for {7 + count} parameters", value=panel.rows)
    moves = np.nanstd(np.diff(panel.logs, axis=0), axis=0) / np.sqrt(step)
    near, far = moves[np.argmin(panel.maturity)], moves[np.argmax(panel.maturity)]
    if not (near > 0 and far > 0):
        raise InputError.of("panel", "prices that move", value="a constant maturity")
    spread = np.nanmedian(np.nanstd(panel.logs - np.nanmean(panel.logs, axis=1, keepdims=True), axis=0))
    error = np.log(max(0.1 * float(spread), 10 * FLOOR))
    starts = [
        np.r_[np.log(k), np.log(near), 0.0, 0.0, 0.0, np.log(far), 0.3, np.full(count, error)]
        for k in STARTS
    ]  # fmt: skip
    bounds = [
        (np.log(1e-2), np.log(50.0)), (np.log(1e-3), np.log(10.0)), (-5.0, 5.0), (-3.0, 3.0), (-3.0, 3.0),
        (np.log(1e-3), np.log(10.0)), (-3.8, 3.8), *[(np.log(FLOOR), 0.0)] * count,
    ]  # fmt: skip
    found = maximise(panel.likelihoods, natural=_natural, starts=starts, bounds=bounds, total=panel.likelihood)
    model = TwoFactor(**dict(zip(NAMES, map(float, found.values[:7]), strict=True)))
    measurement = found.values[7:]
    return PanelFit(model=model, measurement=measurement, estimate=found, factors=panel.factors(model, measurement))


def _natural(theta: Vector) -> Vector:
    values = theta.copy()
    values[[0, 1, 5]] = np.exp(theta[[0, 1, 5]])
    values[6] = np.tanh(theta[6])
    values[7:] = np.exp(theta[7:])
    return values


def _check(prices: Vector, maturity: Vector, step: float) -> None:
    faults = [
        Fault(file="panel", row=int(row) + 1, column=f"maturity {maturity[place]:g}", value=f"{prices[row, place]:g}",
              expected="a price above 0: this is a model of logarithms; the arithmetic ou takes prices of any sign")
        for row, place in np.argwhere(prices <= 0)
    ]  # fmt: skip
    if maturity.size < 2 or np.any(np.diff(np.sort(maturity)) <= 0) or np.any(maturity < 0):
        faults.append(
            Fault(file="panel", column="maturity", value=str(maturity.tolist()), expected="two or more distinct times of at least 0")
        )
    empty = np.flatnonzero(np.isnan(prices).all(axis=1))
    faults += [Fault(file="panel", row=int(row) + 1, expected="at least one price") for row in empty]
    faults += [
        Fault(file="panel", column=f"maturity {maturity[place]:g}", expected="at least one price")
        for place in np.flatnonzero(np.isnan(prices).all(axis=0))
    ]
    if not step > 0:
        faults.append(Fault(file="panel", column="step", value=str(step), expected="years between rows above 0"))
    if faults:
        raise InputError(faults)

r"""The spread of two prices: the log of their ratio, or the residual of their cointegration, as a process that reverts.

.. math:: r = \ln P_1 - \beta \ln P_2, \qquad dr = \kappa(\theta - r) dt + \sigma dz

With β = 1 whether r reverts is tested by Dickey and Fuller; with β estimated by Engle and Granger, whose critical values know that it is.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

from tenorgrid.curves.factors import reverting
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import PriceForm


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The reverting spread, its β, the test with its 5 % value, and the correlation of the two prices' moves with its 95 % interval."""

    beta: float
    process: reverting.Reverting
    states: Vector = field(repr=False)
    statistic: float
    critical: float
    step: float
    correlation: float
    correlation_lower: float
    correlation_upper: float

    def forecast(self, steps: int, *, level: float = 0.95) -> tuple[Vector, Vector, Vector]:
        """Mean, lower and upper (steps,) of the spread after the last row, at these parameters.

        Raises `InputError` for no step or a level that is not between 0 and 1.
        """
        if steps < 1 or not 0 < level < 1:
            raise InputError.of("forecast", "at least 1 step and a level between 0 and 1", value=f"{steps} and {level}")
        one, ahead = self.process, self.step * np.arange(1, steps + 1)
        decay = np.exp(-one.reversion * ahead)
        mean = one.level + decay * (self.states[-1] - one.level)
        deviation = one.volatility * np.sqrt((1 - decay**2) / (2 * one.reversion))
        wide = float(ndtri((1 + level) / 2)) * deviation
        return mean, mean - wide, mean + wide


def fit(first: Vector, second: Vector, *, step: float, estimated: bool = False) -> Spread:
    """The spread of two series of spots on the same days.

    Args:
        first, second: (rows,) prices above 0.
        step: years between rows.
        estimated: β by the regression of ln P1 on ln P2 instead of 1.

    Raises `InputError` where a spread that wanders is not rejected at 5 %, with the statistic, and as `reverting.states`.
    """
    if first.shape != second.shape:
        raise InputError.of("spread", "two prices a day", value=f"{first.size} and {second.size} rows")
    one, two = (reverting.states(prices, PriceForm.LOGARITHMIC) for prices in (first, second))
    beta = float(np.cov(one, two)[0, 1] / np.var(two, ddof=1)) if estimated else 1.0
    r = one - beta * two
    if np.ptp(r) == 0:
        raise InputError.of("spread", "two prices of which the ratio moves", value="a constant ratio")
    statistic, critical = _cointegration(one, two) if estimated else reverting.dickey_fuller(r)
    if not statistic < critical:
        raise InputError.of(
            "spread",
            f"a spread that reverts: a statistic below {critical:.2f}, the 5 % value",
            value=f"{statistic:.2f}, a spread that may wander",
        )
    process = reverting.fit(np.exp(r), step=step)
    moves = np.corrcoef(np.diff(one), np.diff(two))[0, 1]
    half = float(ndtri(0.975)) / np.sqrt(one.size - 4)  # Fisher's, of one.size - 1 moves
    lower, upper = np.tanh(np.arctanh(np.clip(moves, -1 + 1e-15, 1 - 1e-15)) + np.array([-half, half]))
    return Spread(
        beta=beta, process=process, states=r, statistic=statistic, critical=critical, step=step, correlation=float(moves),
        correlation_lower=float(lower), correlation_upper=float(upper),
    )  # fmt: skip


def _cointegration(one: Vector, two: Vector) -> tuple[float, float]:
    from statsmodels.tsa.stattools import coint

    statistic, _, critical = coint(one, two, trend="c", autolag="aic")
    return float(statistic), float(critical[1])

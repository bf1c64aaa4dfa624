r"""A price or its logarithm that reverts to a level: Ornstein and Uhlenbeck's model by exact maximum likelihood.

.. math:: dx = \kappa(\theta - x) dt + \sigma dz, \qquad x_{t+\Delta} = \theta + e^{-\kappa\Delta}(x_t - \theta) + \varepsilon,
   \qquad \operatorname{Var} \varepsilon = \sigma^2 \frac{1 - e^{-2\kappa\Delta}}{2\kappa}

In logarithms it is Schwartz's one-factor model. It takes spots: the mean of a trailing window is smoother than the price that it averages.
"""

from dataclasses import dataclass, field

import numpy as np

from tenorgrid.curves.factors.likelihood import errors
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import PriceForm

LEAST = 30


@dataclass(frozen=True, kw_only=True)
class Reverting:
    """κ, θ and σ with errors; `half_life` in years; `adf` is the Dickey-Fuller statistic, `adf_critical` its 5 % value."""

    form: PriceForm
    reversion: float
    level: float
    volatility: float
    hessian_errors: Vector = field(repr=False)
    robust_errors: Vector = field(repr=False)
    log_likelihood: float
    adf: float
    adf_critical: float

    @property
    def half_life(self) -> float:
        """Years after which half of a deviation is left."""
        return float(np.log(2) / self.reversion)

    @property
    def reverts(self) -> bool:
        """Whether a random walk is rejected at 5 %."""
        return self.adf < self.adf_critical


def states(prices: Vector, form: PriceForm) -> Vector:
    """Prices, or their logarithms.

    Raises `InputError` naming every price that has none, gaps, and a series that is constant or short.
    """
    faults = [
        Fault(file="prices", row=int(row) + 1, value=f"{prices[row]}", expected="a price") for row in np.flatnonzero(~np.isfinite(prices))
    ]
    if form == PriceForm.LOGARITHMIC:
        faults += [
            Fault(
                file="prices",
                row=int(row) + 1,
                value=f"{prices[row]:g}",
                expected="a price above 0, or the arithmetic form, which takes any",
            )
            for row in np.flatnonzero(prices <= 0)
        ]
    if prices.size < LEAST:
        faults.append(Fault(file="prices", value=f"{prices.size} rows", expected=f"at least {LEAST}"))
    if faults:
        raise InputError(faults)
    if np.ptp(prices) == 0:
        raise InputError.of("prices", "a series that moves", value="a constant")
    return np.log(prices) if form == PriceForm.LOGARITHMIC else np.asarray(prices, np.float64)


def moments(reversion: float, volatility: float, step: float) -> tuple[float, float]:
    """What is left of a deviation after a step, and the variance of the step."""
    return float(np.exp(-reversion * step)), float(volatility**2 * -np.expm1(-2 * reversion * step) / (2 * reversion))


def fit(prices: Vector, *, step: float, form: PriceForm = PriceForm.LOGARITHMIC) -> Reverting:
    """κ, θ, σ by exact maximum likelihood, given the first price; errors by the Hessian and robust.

    Args:
        prices: (rows,) spots, one a step.
        step: years between rows.
        form: of logarithms, or arithmetic for prices that may be 0 or less.

    Raises `InputError` for prices with no such model: see `states`, and a series that does not revert at all.
    """
    x = states(prices, form)
    before, after = x[:-1], x[1:]
    centred = before - before.mean()
    slope = float(centred @ after / (centred @ centred))
    if not 0 < slope < 1:
        raise InputError.of(
            "prices", "a series that reverts: a slope between 0 and 1 of each state on the one before", value=f"slope {slope:.4f}"
        )
    level = float((after.mean() - slope * before.mean()) / (1 - slope))
    residual = after - level - slope * (before - level)
    reversion = -float(np.log(slope)) / step
    volatility = float(np.sqrt(residual @ residual / residual.size * 2 * reversion / (1 - slope**2)))

    def each(values: Vector) -> Vector:
        left, variance = moments(values[0], values[2], step)
        surprise = after - values[1] - left * (before - values[1])
        return np.asarray(-0.5 * (np.log(2 * np.pi * variance) + surprise**2 / variance))

    values = np.array([reversion, level, volatility])
    hessian, robust = errors(each, values)
    adf, critical = dickey_fuller(x)
    return Reverting(
        form=form, reversion=reversion, level=level, volatility=volatility, hessian_errors=hessian, robust_errors=robust,
        log_likelihood=float(each(values).sum()), adf=adf, adf_critical=critical,
    )  # fmt: skip


def dickey_fuller(x: Vector) -> tuple[float, float]:
    """Augmented Dickey-Fuller statistic with a constant, lags by AIC, and its 5 % critical value (MacKinnon's), by statsmodels."""
    import warnings

    from statsmodels.tsa.stattools import adfuller

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # of how statsmodels will return its result
        found = adfuller(x, regression="c", autolag="AIC")
    return float(found[0]), float(found[4]["5%"])

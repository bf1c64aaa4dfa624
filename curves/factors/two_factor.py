r"""Schwartz and Smith's (2000) short-term and long-term factor: futures, volatilities and variances in closed form.

.. math:: \ln S = \chi + \xi, \qquad d\chi = -\kappa \chi dt + \sigma_\chi dz_\chi, \qquad d\xi = \mu_\xi dt + \sigma_\xi dz_\xi,

with correlation ρ of the two; for pricing χ drifts by −κχ − λ_χ and ξ by μ*_ξ. Times are in years, rates and volatilities a year.

Source: Schwartz, E. and Smith, J. (2000), Short-term variations and long-term dynamics in commodity prices, Management Science 46(7).
"""

from dataclasses import dataclass, fields

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoFactor:
    """Parameters, a year; `long_volatility` 0 leaves the one-factor model of a price that reverts to its long-run level.

    Raises `InputError` with every value that cannot be.
    """

    reversion: float  # κ
    short_volatility: float  # σ_χ
    short_premium: float  # λ_χ
    drift: float  # μ_ξ
    priced_drift: float  # μ*_ξ
    long_volatility: float  # σ_ξ
    correlation: float  # ρ

    def __post_init__(self) -> None:
        rules = {
            "reversion": (self.reversion > 0, "a number above 0"),
            "short_volatility": (self.short_volatility >= 0, "a number of at least 0"),
            "long_volatility": (self.long_volatility >= 0, "a number of at least 0"),
            "correlation": (abs(self.correlation) <= 1, "a number from -1 to 1"),
        }
        faults = [
            Fault(file="two-factor model", column=one.name, value=str(getattr(self, one.name)), expected=rules.get(one.name, (True, ""))[1])
            for one in fields(self)
            if one.name in rules and not rules[one.name][0]
        ]
        faults += [
            Fault(file="two-factor model", column=one.name, value=str(getattr(self, one.name)), expected="a finite number")
            for one in fields(self)
            if not np.isfinite(getattr(self, one.name))
        ]
        if faults:
            raise InputError(faults)


def constant(model: TwoFactor, maturity: Vector) -> Vector:
    r"""A(T) of :math:`\ln F(T) = e^{-\kappa T} \chi + \xi + A(T)`: premia, drift and half of the variance, to (maturities,).

    Args:
        model: parameters.
        maturity: (maturities,) years to delivery.
    """
    k, left = model.reversion, -np.expm1(-model.reversion * maturity)
    product = model.correlation * model.short_volatility * model.long_volatility
    variance = (
        -np.expm1(-2 * k * maturity) * model.short_volatility**2 / (2 * k) + model.long_volatility**2 * maturity + 2 * left * product / k
    )
    return np.asarray(model.priced_drift * maturity - left * model.short_premium / k + variance / 2)


def futures(model: TwoFactor, *, short: float, long: float, maturity: Vector) -> Vector:
    """Futures prices (maturities,) at given factors.

    Args:
        model: parameters.
        short, long: χ and ξ, of which the sum is the log price.
        maturity: (maturities,) years to delivery.

    Raises `InputError` for a maturity below 0.

    >>> model = TwoFactor(reversion=1.49, short_volatility=0.286, short_premium=0.157, drift=-0.0125, priced_drift=0.0115,
    ...                   long_volatility=0.145, correlation=0.3)
    >>> futures(model, short=0.119, long=2.857, maturity=np.array([0.0, 1.0])).round(2).tolist()
    [19.61, 17.18]
    """
    _not_before(maturity)
    return np.asarray(np.exp(np.exp(-model.reversion * maturity) * short + long + constant(model, maturity)))


def volatility(model: TwoFactor, maturity: Vector) -> Vector:
    r"""Instantaneous volatility of futures by time to delivery (Samuelson's effect), to (maturities,).

    :math:`\sqrt{e^{-2\kappa T}\sigma_\chi^2 + \sigma_\xi^2 + 2 e^{-\kappa T} \rho \sigma_\chi \sigma_\xi}`.

    >>> model = TwoFactor(reversion=1.49, short_volatility=0.286, short_premium=0.157, drift=-0.0125, priced_drift=0.0115,
    ...                   long_volatility=0.145, correlation=0.3)
    >>> volatility(model, np.array([0.0, 1.0])).round(6).tolist()
    [0.357356, 0.175463]
    """
    _not_before(maturity)
    decay = np.exp(-model.reversion * maturity)
    short, long = model.short_volatility, model.long_volatility
    return np.sqrt(decay**2 * short**2 + long**2 + 2 * decay * model.correlation * short * long)


def variance(model: TwoFactor, *, expiry: Vector, maturity: Vector) -> Vector:
    r"""Variance of the log of a futures price over [0, expiry]: the integral of its squared instantaneous volatility.

    Args:
        model: parameters.
        expiry: (options,) years until the option is exercised.
        maturity: (options,) years until the futures' delivery, not before `expiry`.

    Raises `InputError` for a delivery before the expiry.
    """
    _not_before(expiry)
    if np.any(maturity < expiry):
        raise InputError.of(
            "option on futures", "a delivery that is not before the expiry", column="maturity", value=np.min(maturity - expiry)
        )
    k, rest = model.reversion, maturity - expiry
    short = np.exp(-2 * k * rest) * -np.expm1(-2 * k * expiry) * model.short_volatility**2 / (2 * k)
    both = 2 * np.exp(-k * rest) * -np.expm1(-k * expiry) * model.correlation * model.short_volatility * model.long_volatility / k
    return np.asarray(short + both + model.long_volatility**2 * expiry)


def average_volatility(model: TwoFactor, *, expiry: Vector, maturity: Vector) -> Vector:
    """Volatility a year that an option on the futures is priced with: √(variance over [0, expiry] / expiry); expiry above 0."""
    if np.any(expiry <= 0):
        raise InputError.of("option on futures", "an expiry above 0", column="expiry", value=np.min(expiry))
    return np.asarray(np.sqrt(variance(model, expiry=expiry, maturity=maturity) / expiry))


def period_variance(model: TwoFactor, *, expiry: float, first: float, end: float, points: int = 32) -> float:
    r"""Variance over [0, expiry] of the log of a futures price that delivers evenly over [first, end).

    The average of futures of every instant, each weighing alike, moves by the mean of e^{−κ(T−u)} on χ and by 1 on ξ. This is exact for a
    flat curve; on a curve that is not, prices should weigh, which changes the answer by the slope of the curve within the period times
    that of the volatility: small beside a month. Gauss and Legendre's points integrate it.

    Raises `InputError` for an empty period or one that begins before the expiry.
    """
    if not 0 < expiry <= first < end:
        raise InputError.of("delivery period", "0 < expiry <= first < end", value=f"{expiry}, {first}, {end}")
    k = model.reversion
    mean = (np.exp(-k * (first - expiry)) - np.exp(-k * (end - expiry))) / (k * (end - first))  # of e^{-k(T - expiry)}
    node, weight = np.polynomial.legendre.leggauss(points)
    back = expiry * (1 - node) / 2  # expiry - u
    load = mean * np.exp(-k * back)
    short, long = model.short_volatility, model.long_volatility
    rate = load**2 * short**2 + long**2 + 2 * load * model.correlation * short * long
    return float(expiry / 2 * (weight @ rate))


def _not_before(time: Vector) -> None:
    if np.any(~(np.asarray(time) >= 0)):
        raise InputError.of("two-factor model", "years of at least 0", column="maturity", value=np.min(time))

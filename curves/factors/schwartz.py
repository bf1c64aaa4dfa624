r"""Schwartz's (1997) one- and two-factor models: futures in closed form, and the same two-factor model in Schwartz and Smith's terms.

One factor: :math:`d \ln S = \kappa(\alpha - \ln S) dt + \sigma dz`, α = μ − σ²/2κ, priced with α* = α − λ. Two factors: the convenience
yield δ reverts to α at κ with volatility σ₂ and premium λ, and the price grows by r − δ with volatility σ₁.

Source: Schwartz, E. (1997), The stochastic behavior of commodity prices, Journal of Finance 52(3).
"""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.factors.two_factor import TwoFactor
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvenienceYield:
    """Parameters of the two-factor model, a year."""

    reversion: float  # κ
    level: float  # α
    price_volatility: float  # σ1
    yield_volatility: float  # σ2
    correlation: float  # ρ
    premium: float  # λ
    rate: float  # r

    def __post_init__(self) -> None:
        if not (self.reversion > 0 and self.price_volatility > 0 and self.yield_volatility > 0 and abs(self.correlation) <= 1):
            raise InputError.of("convenience yield model", "reversion and volatilities above 0 and a correlation from -1 to 1", value=self)


def one_factor_futures(price: float, *, reversion: float, level: float, volatility: float, premium: float, maturity: Vector) -> Vector:
    """Futures (maturities,) of the one-factor model.

    Args:
        price: S, above 0.
        reversion, level, volatility, premium: κ, μ, σ and λ.
        maturity: (maturities,) years.

    Raises `InputError` for a price of 0 or less, which has no logarithm.

    >>> one_factor_futures(20.0, reversion=0.301, level=3.093, volatility=0.334, premium=-0.242, maturity=np.array([1.0])).round(6)
    array([21.707456])
    """
    if not price > 0:
        raise InputError.of("one-factor model", "a price above 0: a model of logarithms", column="price", value=price)
    decay = np.exp(-reversion * maturity)
    priced = level - volatility**2 / (2 * reversion) - premium
    return np.asarray(np.exp(decay * np.log(price) + (1 - decay) * priced + volatility**2 / (4 * reversion) * (1 - decay**2)))


def convenience_futures(model: ConvenienceYield, *, price: float, yielded: float, maturity: Vector) -> Vector:
    """Futures (maturities,) of the two-factor model at price S and convenience yield δ, by Schwartz's own closed form.

    Raises `InputError` for a price of 0 or less.
    """
    if not price > 0:
        raise InputError.of("convenience yield model", "a price above 0: a model of logarithms", column="price", value=price)
    k, s1, s2 = model.reversion, model.price_volatility, model.yield_volatility
    decay = np.exp(-k * maturity)
    priced = model.level - model.premium / k
    drift = model.rate - priced + s2**2 / (2 * k**2) - s1 * s2 * model.correlation / k
    fading = priced * k + s1 * s2 * model.correlation - s2**2 / k
    grown = drift * maturity + s2**2 / 4 * (1 - decay**2) / k**3 + fading * (1 - decay) / k**2
    return np.asarray(price * np.exp(-yielded * (1 - decay) / k + grown))


def as_two_factor(model: ConvenienceYield, *, growth: float = 0.0) -> TwoFactor:
    """The same model in Schwartz and Smith's terms: χ = (δ − α) / κ and ξ = ln S − χ; `growth` is Schwartz's μ, only for the real drift.

    Source: Schwartz and Smith (2000), table 1.
    """
    k, s1, s2 = model.reversion, model.price_volatility, model.yield_volatility
    short = s2 / k
    long = np.sqrt(s1**2 + short**2 - 2 * model.correlation * s1 * short)
    return TwoFactor(
        reversion=k, short_volatility=short, short_premium=model.premium / k, drift=growth - model.level - s1**2 / 2,
        priced_drift=model.rate - model.level + model.premium / k - s1**2 / 2, long_volatility=float(long),
        correlation=float((model.correlation * s1 - short) / long),
    )  # fmt: skip

r"""Options on one hour of a path model by its characteristic function: the exact price that simulation must come to.

With φ the characteristic function of log(S/F), F the forward and k = log(F / K),

.. math:: E(S - K)^+ = F - \frac{\sqrt{F K}}{\pi} \int_0^\infty \Re\bigl[e^{i u k} \varphi(u - i/2)\bigr] \frac{du}{u^2 + 1/4}

Lewis, "A simple option formula for general jump-diffusion and other exponential Lévy processes" (2001), equation 3.11.
"""

import numpy as np
import numpy.typing as npt
from scipy.integrate import quad_vec

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.model import PathModel
from tenorgrid.derivatives.paths.refusal import refuse

TOLERANCE = 1e-10
CERTAIN = 1e-16  # variance below which the price is its forward

Complex = npt.NDArray[np.complex128]


def characteristic(model: PathModel, argument: complex, *, years: Vector, place: int = 0) -> Complex:
    """E exp(i u log(S/F)) of one class at `years`, (years,).

    >>> from tenorgrid.derivatives.paths.model import ornstein_uhlenbeck
    >>> model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.2))
    >>> characteristic(model, -1j, years=np.array([0.5])).round(12)  # E S / F
    array([1.+0.j])
    """
    loading = model.factors.loading[place]
    spread = np.einsum("f,tfg,g->t", loading, model.factors.covariance(years), loading)
    exponent = -1j * argument * model.correction(years)[:, place] - 0.5 * argument**2 * spread
    if model.jumps.intensity.size:
        exponent = exponent + model.jumps.cumulant(years, 1j * argument * model.jumps.loading[place]).sum(axis=1)
    return np.asarray(np.exp(exponent), np.complex128)


def call(model: PathModel, *, forward: Vector, strike: Vector, years: Vector, place: int = 0) -> Vector:
    """Calls on the price of single hours, not discounted, (years,) USD/GPUh.

    Args:
        model: factors and jumps.
        forward: (years,) F, above 0.
        strike: (years,) K; at or below 0 the call is the forward less the strike.
        years: (years,) from the valuation to the price, at least 0.
        place: which class.

    Raises `InputError` for forwards at or below 0, strikes that are not finite and negative times.

    >>> from tenorgrid.derivatives.paths.model import ornstein_uhlenbeck
    >>> model = PathModel(factors=ornstein_uhlenbeck(reversion=0.0, volatility=0.28))
    >>> call(model, forward=np.array([19.0]), strike=np.array([19.0]), years=np.array([0.75])).round(4)  # 1.701051 before discounting
    array([1.8335])
    """
    refuse(
        "option",
        ("forward", forward.min(), "forwards above 0", bool(np.all(forward > 0))),
        ("strike", "some", "finite strikes", bool(np.all(np.isfinite(strike)))),
        ("years", years.min(), "times from 0 on", bool(np.all(years >= 0))),
    )
    price = np.maximum(forward - strike, 0.0)
    loading = model.factors.loading[place]
    spread = np.einsum("f,tfg,g->t", loading, model.factors.covariance(years), loading)
    still = (spread < CERTAIN) & ((years == 0) | (not model.jumps.intensity.any()))
    open_ = np.flatnonzero((strike > 0) & ~still)
    if open_.size == 0:
        return price
    ahead, paid, moment = forward[open_], strike[open_], years[open_]
    moneyness = np.log(ahead / paid)

    def integrand(u: float) -> Vector:
        return np.asarray(np.real(np.exp(1j * u * moneyness) * characteristic(model, u - 0.5j, years=moment, place=place)) / (u * u + 0.25))

    area, _ = quad_vec(integrand, 0.0, np.inf, epsabs=TOLERANCE, epsrel=TOLERANCE, limit=2000)
    price[open_] = ahead - np.sqrt(ahead * paid) / np.pi * area
    return price

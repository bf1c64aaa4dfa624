r"""Reliability option: the seller of capacity pays what λ exceeds a strike, a penalty for what it does not deliver then, and no more a year
than its stop-loss.

.. math:: p_h = Q_h (\lambda_h - K_h)^+ + z \, (Q_h - d_h)^+ \, 1\{\lambda_h > K_h\}, \qquad
    \text{paid}_h = \min(C_h, L) - \min(C_{h-1}, L), \quad C_h = \sum_{g \le h \text{ in its year}} p_g

d is what was delivered. Without penalty and stop-loss it is a strip of calls. The shape is that of Vazquez, Rivier and Pérez-Arriaga, "A
market approach to long-term security of supply", IEEE Transactions on Power Systems 17 (2002), with the annual cap of Ireland's scheme.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.paths.model import PathModel
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.paths.transform import call


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """What the seller owes. Raises `InputError` with every fault.

    Args:
        strike: (hours,) USD/GPUh.
        quantity: (hours,) GPUh sold, at least 0.
        penalty: USD/GPUh for each one not delivered while λ is above the strike, at least 0.
        stop_loss: USD a year that the seller pays at most, at least 0; infinite for none.
        year: (hours,) which delivery year an hour belongs to, in order.
        paid: USD that the seller has paid in the first of these years before its first hour here, from 0 to the stop-loss.
    """

    strike: Vector
    quantity: Vector
    penalty: float
    stop_loss: float
    year: npt.NDArray[np.intp]
    paid: float = 0.0

    def __post_init__(self) -> None:
        hours = self.strike.shape
        good = self.quantity.shape == hours and bool(np.all(self.quantity >= 0))
        refuse(
            "reliability option",
            ("strike", hours, "finite numbers, (hours,)", self.strike.ndim == 1 and bool(np.all(np.isfinite(self.strike)))),
            ("quantity", self.quantity.shape, f"numbers of at least 0, {hours}", good),
            ("penalty", self.penalty, "at least 0", 0 <= self.penalty < np.inf),
            ("stop_loss", self.stop_loss, "at least 0", self.stop_loss >= 0),
            ("paid", self.paid, f"from 0 to the stop-loss, {self.stop_loss}", 0 <= self.paid <= max(self.stop_loss, 0.0)),
            ("year", self.year.shape, f"years in order, {hours}", self.year.shape == hours and bool(np.all(np.diff(self.year) >= 0))),
        )


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What the option is worth to its buyer."""

    value: float  # USD, before any premium
    error: float  # its standard error
    paid: Vector  # (hours,) mean USD the seller pays, not discounted
    stopped: float  # share of years and paths in which the stop-loss was reached


def payments(option: Reliability, *, price: Vector, delivered: Vector) -> Vector:
    """What the seller pays hour by hour, (hours, paths) USD.

    Args:
        option: what was agreed.
        price: (hours, paths) USD/GPUh, λ.
        delivered: (hours, paths) GPUh, at least 0; broadcasts.

    Raises `InputError` with every fault.

    >>> option = Reliability(strike=np.full(3, 2.0), quantity=np.ones(3), penalty=1.0, stop_loss=2.5, year=np.zeros(3, int))
    >>> payments(option, price=np.array([[3.0], [1.0], [4.0]]), delivered=np.array([[1.0], [0.0], [0.0]])).ravel().tolist()
    [1.0, 0.0, 1.5]
    """
    hours = option.strike.size
    refuse(
        "reliability option",
        ("price", price.shape, f"finite numbers, {hours} hours × paths", price.shape[0] == hours and bool(np.all(np.isfinite(price)))),
        ("delivered", delivered.min(initial=0), "at least 0", bool(np.all(delivered >= 0))),
    )
    above = price - option.strike[:, None]
    missing = np.maximum(option.quantity[:, None] - delivered, 0.0)
    owed = option.quantity[:, None] * np.maximum(above, 0.0) + option.penalty * missing * (above > 0)
    if np.isinf(option.stop_loss):
        return np.asarray(owed)
    for year in np.unique(option.year):
        low, high = np.searchsorted(option.year, [year, year + 1])
        before = option.paid if low == 0 else 0.0
        capped = np.minimum(before + np.cumsum(owed[low:high], axis=0), option.stop_loss)
        owed[low:high] = np.diff(capped, axis=0, prepend=before)
    return np.asarray(owed)


def value(option: Reliability, *, price: Vector, delivered: Vector, discount: Vector) -> Worth:
    """Worth on paths of prices and deliveries.

    Args:
        option: what was agreed.
        price: (hours, paths) USD/GPUh.
        delivered: (hours, paths) GPUh; deliveries that fail when prices are high are what the penalty is about.
        discount: (hours,) D, above 0.

    Raises `InputError` with every fault.

    >>> option = Reliability(strike=np.full(2, 2.0), quantity=np.ones(2), penalty=0.0, stop_loss=np.inf, year=np.zeros(2, int))
    >>> value(option, price=np.array([[3.0, 1.0], [1.0, 5.0]]), delivered=np.ones((1, 1)), discount=np.array([1.0, 0.5])).value
    1.25
    """
    hours = option.strike.shape
    refuse(
        "reliability option",
        ("discount", discount.shape, f"factors above 0, {hours}", discount.shape == hours and bool(np.all(discount > 0))),
    )
    paid = payments(option, price=price, delivered=delivered)
    total, paths = discount @ paid, paid.shape[1]
    years = np.unique(option.year)
    yearly = np.stack([paid[option.year == year].sum(axis=0) for year in years])
    yearly[0] += option.paid
    stopped = yearly >= option.stop_loss * (1 - 1e-12) if np.isfinite(option.stop_loss) else np.zeros_like(yearly)
    error = float(total.std(ddof=1) / np.sqrt(paths)) if paths > 1 else 0.0
    return Worth(value=float(total.mean()), error=error, paid=paid.mean(axis=1), stopped=float(stopped.mean()))


def unlimited(
    option: Reliability, *, model: PathModel, forward: Vector, years: Vector, discount: Vector, present: Vector | None = None
) -> float:
    """Worth without its stop-loss and with deliveries that do not look at prices, in closed form: an upper bound for that with it, USD.

    Σ D Q E(λ − K)⁺ + Σ D z (1 − present) Q P(λ > K); both by the model's characteristic function, the chance by the call's slope in K.

    Args:
        option: what was agreed.
        model: one class, the first is taken.
        forward: (hours,) USD/GPUh, above 0.
        years: (hours,) from the valuation, at least 0.
        discount: (hours,) D.
        present: (hours,) share of the quantity delivered on average, in [0, 1]; all of it if absent.

    Raises `InputError` for shares outside [0, 1] and what `transform.call` refuses.

    >>> from tenorgrid.derivatives.paths.model import ornstein_uhlenbeck
    >>> model = PathModel(factors=ornstein_uhlenbeck(reversion=0.0, volatility=0.28))
    >>> option = Reliability(strike=np.array([19.0]), quantity=np.ones(1), penalty=0.0, stop_loss=np.inf, year=np.zeros(1, int))
    >>> round(unlimited(option, model=model, forward=np.array([19.0]), years=np.array([0.75]), discount=np.exp(np.array([-0.075]))), 4)
    1.7011
    """
    absent = np.zeros(forward.size) if present is None else 1 - present
    refuse("reliability option", ("present", present, "shares in [0, 1]", bool(np.all((absent >= 0) & (absent <= 1)))))
    worth = call(model, forward=forward, strike=option.strike, years=years)
    total = float((discount * option.quantity * worth).sum())
    if option.penalty and absent.any():
        gap = 1e-4 * forward
        lower, upper = (call(model, forward=forward, strike=option.strike + way * gap, years=years) for way in (-1, 1))
        total += float((discount * option.quantity * option.penalty * absent * (lower - upper) / (2 * gap)).sum())
    return total


def binary(forward: Vector, strike: Vector, *, deviation: Vector) -> tuple[Vector, Vector]:
    """P(λ > K) of a lognormal λ and by how much it rises with the forward, (n,) each; 0 where nothing is uncertain.

    Args:
        forward: (n,) USD/GPUh, F, above 0.
        strike: (n,) USD/GPUh, K, above 0.
        deviation: (n,) σ√T, at least 0.

    >>> [part.round(4).item() for part in binary(np.array([2.5]), np.array([2.8]), deviation=np.array([0.3]))]
    [0.2988, 0.4628]
    """
    certain = deviation < black.CERTAIN
    spread = np.where(certain, 1.0, deviation)
    lower = np.log(forward / strike) / spread - spread / 2
    density = np.exp(-0.5 * lower**2) / np.sqrt(2 * np.pi) / (forward * spread)
    return np.where(certain, 1.0 * (forward > strike), ndtr(lower)), np.where(certain, 0.0, density)

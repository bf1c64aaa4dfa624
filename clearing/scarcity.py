"""A(r): what one more unit of headroom is worth when r units are left (market design, section 4)."""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr

from tenorgrid.data.terms.market import Scarcity

Vector = npt.NDArray[np.float64]


def loss_of_load_probability(headroom: Vector, *, contingency: float, mean: float, sd: float) -> Vector:
    r"""Chance that headroom does not last: 1 up to the contingency, then :math:`1 - \Phi((r - X - \mu) / \sigma)`.

    Args:
        headroom: (n,) resource-hours per hour, r.
        contingency: resource-hours per hour, X, the loss that must be survived.
        mean, sd: resource-hours per hour, μ and σ of the forecast error of net load.

    Returns (n,) probabilities. With a mean above 0 the curve jumps at the contingency. Source: ERCOT's operating reserve demand curve.

    >>> loss_of_load_probability(np.array([2000.0, 3000.0]), contingency=2000.0, mean=0.0, sd=1000.0).round(6)
    array([1.      , 0.158655])
    """
    return np.where(headroom <= contingency, 1.0, ndtr(-(headroom - contingency - mean) / sd))


def adder(headroom: Vector, *, scarcity: Scarcity, voll: float) -> Vector:
    r"""Scarcity adder :math:`A(r) = (VOLL - \lambda_{ref}) \cdot LOLP(r)` in USD per resource-hour, (n,).

    >>> terms = Scarcity(reference_price=30.0, contingency=2000.0, mean=0.0, sd=1000.0, steps=4)
    >>> adder(np.array([2500.0, 4000.0]), scarcity=terms, voll=9000.0).round(2)
    array([2767.58,  204.07])
    """
    chance = loss_of_load_probability(headroom, contingency=scarcity.contingency, mean=scarcity.mean, sd=scarcity.sd)
    return (voll - scarcity.reference_price) * chance


def steps(scarcity: Scarcity, *, voll: float) -> tuple[Vector, Vector]:
    """A(r) as steps for the linear program: quantities and prices, (steps,) each, dearest first.

    The first step is the contingency at full price; the others cut the falling part, up to μ + 3 σ past the contingency, into equal
    widths, each at the price of its middle, so that the area under the steps is that of the curve to second order in the width.

    >>> quantity, price = steps(Scarcity(reference_price=0.0, contingency=10.0, mean=0.0, sd=5.0, steps=3), voll=100.0)
    >>> quantity.round(2), price.round(2)
    (array([10. ,  7.5,  7.5]), array([100.  ,  22.66,   1.22]))
    """
    falling = max(scarcity.steps - 1, 1)
    reach = scarcity.mean + 3.0 * scarcity.sd
    width = np.full(falling, reach / falling)
    middles = scarcity.contingency + np.cumsum(width) - width / 2
    prices = adder(middles, scarcity=scarcity, voll=voll)
    if scarcity.steps == 1 or scarcity.contingency == 0:
        return width, prices
    return np.r_[scarcity.contingency, width], np.r_[voll - scarcity.reference_price, prices]


def reserves(scarcity: Scarcity, *, voll: float, regions: list[str], accelerators: list[str]) -> pl.DataFrame:
    """The same steps as a `Reserves` table, for every accelerator in every region."""
    quantity, price = steps(scarcity, voll=voll)
    curve = pl.DataFrame({"step": np.arange(1, quantity.size + 1), "quantity": quantity, "price": price})
    groups = pl.DataFrame({"region": regions}).join(pl.DataFrame({"resource": accelerators}), how="cross")
    return groups.join(curve, how="cross")

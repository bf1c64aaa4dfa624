"""Par rates and forwards: the same term structure, said of rentals that begin now and of the months between."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError

Payment = Literal["advance", "arrears"]
Months = npt.NDArray[np.int64]
PER_YEAR = 12


def annuities(months: Months, *, discount: Discount | None = None, payment: Payment = "arrears") -> Vector:
    r"""Worth now of 1 a year, paid by the month over each tenor: :math:`A_k = \frac{1}{12} \sum_{j=1}^{k} D(t_j)`.

    Without a discount :math:`A_k = k / 12`, and the forwards are those that Silicon Data publishes.

    Args:
        months: (n,) tenors, whole months of at least 1.
        discount: of money; months are twelfths of a year of 365 days.
        payment: `arrears` at the end of each month, t = j / 12, or `advance` at its beginning, t = (j − 1) / 12.

    Returns (n,) years. Raises `InputError` for tenors below 1 and an unknown payment.

    >>> from tenorgrid.curves.discount import flat
    >>> annuities(np.array([12, 36])), annuities(np.array([12]), discount=flat(0.05)).round(6)
    (array([1., 3.]), array([0.973381]))
    """
    if payment not in ("advance", "arrears"):
        raise InputError.of("rates", "advance or arrears", column="payment", value=payment)
    if months.size == 0 or months.min() < 1:
        raise InputError.of("rates", "tenors of at least a month", column="months", value=months.tolist())
    if discount is None:
        return np.asarray(months / PER_YEAR, dtype=np.float64)
    paid = np.arange(1, int(months.max()) + 1) - (payment == "advance")
    return np.asarray(np.cumsum(discount.factors(paid / PER_YEAR))[months - 1] / PER_YEAR, dtype=np.float64)


def forwards(par: Vector, annuity: Vector) -> Vector:
    r"""Rate of each period between two tenors: :math:`F_k = (A_k P_k - A_{k-1} P_{k-1}) / (A_k - A_{k-1})`, :math:`A_0 = 0`.

    Args:
        par: (n,) USD per GPU-hour, in the order of tenors.
        annuity: (n,) years, increasing.

    Returns (n,) USD per GPU-hour; the first is the first par rate. Below zero where a longer rental costs less than a shorter one.

    >>> forwards(np.array([3.2979, 2.8713]), np.array([1.0, 3.0])).round(4)
    array([3.2979, 2.658 ])
    """
    return np.asarray(np.diff(annuity * par, prepend=0.0) / np.diff(annuity, prepend=0.0))


def pars(forward: Vector, annuity: Vector) -> Vector:
    r"""Par rates of the tenors from the rates of the periods between: :math:`P_k = \sum_{j \le k} F_j (A_j - A_{j-1}) / A_k`.

    >>> pars(np.array([3.2979, 2.658]), np.array([1.0, 3.0])).round(4)
    array([3.2979, 2.8713])
    """
    return np.asarray(np.cumsum(forward * np.diff(annuity, prepend=0.0)) / annuity)


def ageing(forward: Vector, months: Months) -> Vector:
    r"""Ageing yield :math:`-\partial \ln F / \partial T` a year, between the middles of neighbouring periods; NaN for the first period.

    What the same GPU is rented for less, the later the rental begins: age, and whatever else the market expects of prices.

    Args:
        forward: (n,) above 0; of a period without price the yield is NaN.
        months: (n,) tenors at which the periods end.

    >>> ageing(np.array([2.0, 2.0 * np.exp(-0.3)]), np.array([12, 24])).round(9)
    array([nan, 0.3])
    """
    first = np.concatenate([[0], months[:-1]])
    middle = (first + months) / 2 / PER_YEAR
    logs = np.log(np.where(forward > 0, forward, np.nan))
    return np.concatenate([[np.nan], -np.diff(logs) / np.diff(middle)])


def refuse_free_months(par: Vector, annuity: Vector, months: Months, *, index: str) -> list[Fault]:
    """A fault for every tenor that costs less in all than a shorter one: rent it, use the beginning, and the rest was less than free."""
    worth = annuity * par
    return [
        Fault(
            file="rates",
            column="price",
            value=f"{index}: {months[k]} months at {par[k]:g} against {months[k - 1]} months at {par[k - 1]:g}, "
            f"{(worth[k] - worth[k - 1]) * 8760:+,.2f} USD per GPU",
            expected="a longer rental that costs at least as much as the shorter one",
        )
        for k in range(1, par.size)
        if worth[k] < worth[k - 1] - 1e-12 * worth[k - 1]
    ]

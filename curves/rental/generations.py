"""One generation's term structure tied to another's: equal cost of work, and by how much the market departs from it."""

from collections.abc import Callable

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.rental.par import Months
from tenorgrid.data.errors import InputError

Tenors = tuple[Months, Vector]


def tied_forwards(
    own: Tenors, reference: Tenors, *, performance: float, annuity: Callable[[Months], Vector], names: tuple[str, str]
) -> dict[str, Vector | Months]:
    r"""Forwards of a generation on the periods of a reference.

    .. math:: F_c(T) = r \, F_b(T) \, e^{s(T)}

    r is the work of one GPU-hour of c over that of b, so that at s = 0 work costs the same on both. s is one number between two of c's own
    tenors, and such that c's own par rates come out exactly: :math:`e^{s_k} = (A_k P_k - A_{k-1} P_{k-1}) / (r \sum_{k} F_b \Delta A)`.

    Args:
        own: tenors (n,) months and par rates (n,) of c.
        reference: tenors (m,) at which the reference's periods end and their forwards (m,).
        performance: r.
        annuity: of tenors, years.
        names: of c and of the reference, for refusals.

    Returns first, months (k,), forward, equal = r F_b, and shift = s. Raises `InputError` for a performance that is not above 0, a tenor of
    c beyond the reference's last, and a period in which either has no price.

    >>> found = tied_forwards((np.array([12]), np.array([6.0])), (np.array([6, 12]), np.array([3.2, 2.8])), performance=2.0,
    ...                       annuity=lambda months: months / 12, names=("new", "old"))
    >>> found["forward"], found["shift"]
    (array([6.4, 5.6]), array([0., 0.]))
    """
    if not 0 < performance < float("inf"):
        raise InputError.of("rental", f"work of {names[0]} over that of {names[1]}, above 0", column="performance", value=performance)
    (months, par), (tenors, base) = own, reference
    if months[-1] > tenors[-1]:
        expected = f"tenors of {names[0]} up to the {tenors[-1]} months that {names[1]} has"
        raise InputError.of("rental", expected, column="months", value=int(months[-1]))
    grid = np.unique(np.concatenate([months, tenors[tenors < months[-1]]]))
    equal = performance * base[np.searchsorted(tenors, grid)]
    steps = np.diff(annuity(grid), prepend=0.0)
    part = np.searchsorted(months, grid)
    made = np.bincount(part, weights=equal * steps)
    paid = np.diff(annuity(months) * par, prepend=0.0)
    if not (made > 0).all() or not (paid > 0).all():
        raise InputError.of("rental", f"forwards above 0 of {names[0]} and {names[1]} in every period that is tied", column="forward")
    shift = np.log(paid / made)[part]
    return {
        "first": np.concatenate([[0], grid[:-1]]),
        "months": grid,
        "forward": equal * np.exp(shift),
        "equal": equal,
        "shift": shift,
    }

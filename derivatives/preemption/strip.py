r"""The right of recall hour by hour: what a firm forward curve and a promise make it worth, and what firm and spot curves imply of it.

Suppliers of whom a share a is present in every hour recall above v, and whoever gives that up asks λ_firm (market design, section 3;
`option` has one hour). With :math:`D = \Phi^{-1}(a)` and s the deviation of the logarithm of the outside value W until the hour,

.. math:: v = E[W] \, e^{s D - s^2 / 2}, \qquad \lambda_{firm} - \beta \lambda_k = E[W] \, \Phi(s - D), \qquad \beta \lambda_k = a v

so that the premium is a share of the firm price that depends on a and s alone,

.. math:: \frac{\lambda_{firm} - \beta \lambda_k}{\lambda_{firm}} = \frac{\Phi(s - D)}{\Phi(s - D) + a e^{s D - s^2 / 2}}

and rises with s from 1 − a: a firm and a spot price imply one s where λ_firm > β λ_k / a, and none elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.preemption.option import implied

SHOWN = 20
FILE = "preemption"


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The right of recall over a term, (hours,) each; prices in USD per resource-hour."""

    firm: Vector  # λ_firm
    spot: Vector  # λ_k, for an hour sold
    premium: Vector  # λ_firm − β λ_k: of an hour listed, what the right of recalling it is worth
    threshold: Vector  # v, above which an hour is recalled
    outside: Vector  # E[W]
    deviation: Vector  # s, of the logarithm of W
    recalled: Vector  # 1 − a, share of the listed hours that is recalled


def share(deviation: Vector, *, availability: float) -> Vector:
    """Premium over firm price, (n,): the delta of a strip by its firm forwards.

    Args:
        deviation: (n,) s, at least 0.
        availability: a, in (0, 1).

    Raises `InputError` for arguments outside these ranges.

    >>> share(np.array([0.0, 0.8]), availability=0.787582).round(4)
    array([0.2124, 0.3162])
    """
    refuse(
        FILE,
        ("deviation", deviation.min(initial=0.0), "numbers of at least 0", bool(np.all((deviation >= 0) & np.isfinite(deviation)))),
        ("availability", availability, "a share in (0, 1)", 0 < availability < 1),
    )
    distance = ndtri(availability)
    kept = ndtr(deviation - distance)
    return np.asarray(kept / (kept + availability * np.exp(deviation * distance - deviation**2 / 2)))


def fair(firm: Vector, *, deviation: Vector, availability: float, overcommit: float) -> Strip:
    """Premiums, thresholds and fair spot prices on a firm forward curve.

    Args:
        firm: (hours,) USD per resource-hour, λ_firm, above 0.
        deviation: (hours,) s, at least 0.
        availability: a of the suppliers, in (0, 1); with perfect pooling (1 − π) β.
        overcommit: β, hours sold for one listed, above 0.

    Raises `InputError` for arguments outside these ranges.

    >>> one = fair(np.array([2.53394]), deviation=np.array([0.8]), availability=0.787582, overcommit=0.875091)
    >>> [values.round(3).item() for values in (one.outside, one.threshold, one.premium, one.spot)]
    [1.6, 2.2, 0.801, 1.98]
    """
    _refuse(overcommit, firm=firm)
    part = share(deviation, availability=availability)
    premium = firm * part
    threshold = (firm - premium) / availability
    distance = ndtri(availability)
    return Strip(
        firm=firm, spot=(firm - premium) / overcommit, premium=premium, threshold=threshold,
        outside=threshold * np.exp(deviation**2 / 2 - deviation * distance), deviation=deviation,
        recalled=np.full(firm.shape, 1 - availability),
    )  # fmt: skip


def from_spreads(firm: Vector, spot: Vector, *, availability: float, overcommit: float) -> Strip:
    """The outside values, and so the deviations of recall, that firm and spot forwards imply: one for every hour.

    Args:
        firm: (hours,) USD per resource-hour, λ_firm, above 0.
        spot: (hours,) USD per resource-hour, λ_k, above 0.
        availability: a, in (0, 1).
        overcommit: β, above 0.

    Raises `InputError` for arguments outside these ranges, and naming the hours whose spread no outside value explains.

    >>> one = from_spreads(np.array([2.53394]), np.array([1.98]), availability=0.787582, overcommit=0.875091)
    >>> one.deviation.round(3), one.outside.round(3)
    (array([0.8]), array([1.6]))
    """
    _refuse(overcommit, firm=firm, spot=spot)
    refuse(FILE, ("availability", availability, "a share in (0, 1)", 0 < availability < 1))
    threshold = overcommit * spot / availability
    outside, deviation = implied(firm - threshold, threshold, availability=np.full(firm.shape, availability))
    none = np.flatnonzero(np.isnan(deviation))
    if none.size:
        raise InputError(
            Fault(
                file=FILE, row=int(at) + 1, column="spot", value=f"{spot[at]:g} beside a firm {firm[at]:g}",
                expected=f"a firm price above β λ / a = {threshold[at]:g}: no volatility of recall explains a smaller spread",
            )
            for at in none[:SHOWN]
        )  # fmt: skip
    return Strip(
        firm=firm, spot=spot, premium=firm - overcommit * spot, threshold=threshold, outside=outside, deviation=deviation,
        recalled=np.full(firm.shape, 1 - availability),
    )  # fmt: skip


def _refuse(overcommit: float, **prices: Vector) -> None:
    refuse(
        FILE,
        *(
            (name, values.min(initial=np.inf), "prices above 0", bool(np.all(np.isfinite(values) & (values > 0))))
            for name, values in prices.items()
        ),
        ("overcommit", overcommit, "a number above 0", 0 < overcommit < np.inf),
    )  # fmt: skip

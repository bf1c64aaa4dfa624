"""Expected pay-off of a virtual bid: (E[λ_rt] − λ̂) q to a dec, the opposite to an inc, in every hour it stands for.

E[λ_rt] is the forward of the node's curve at that hour. The curve comes from ahead prices, which may hold a premium over what real time
turns out to be; what is measured here is the worth at today's forwards, not a forecast of profit.
"""

from datetime import datetime

import numpy as np

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.contracts import VirtualBid
from tenorgrid.derivatives.valuation import Valuation


def value(bid: VirtualBid, *, curve: ForwardCurve, as_of: datetime, discount: Discount) -> Valuation:
    """Present value and hourly deltas of a virtual bid, each hour paid at its end.

    Args:
        bid: a cleared virtual bid.
        curve: forwards of its node.
        as_of: moment of the valuation; the bid must not have begun, for real time has closed it then.
        discount: to the end of the bid.

    Raises `InputError` for a bid that has begun and hours that the curve does not cover.
    """
    if bid.start < as_of:
        raise InputError.of("virtual bid", f"hours at or after {as_of}: real time has closed the others", column="start", value=bid.start)
    low, high = curve.places(bid.start, bid.end)
    weight = np.zeros(curve.forward.size)
    years = ((bid.start - as_of).total_seconds() / 3600 + 1 + np.arange(high - low)) / (24 * 365)
    weight[low:high] = bid.sign * bid.quantity * discount.factors(years)
    return Valuation(value=float(weight[low:high] @ (curve.forward[low:high] - bid.price)), delta=weight)

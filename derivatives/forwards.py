"""Forward on the mean of an index's daily marks, before and inside the delivery period.

    value = ± D [ (Σ known marks + Σ forwards of the days to come) / N − K ] · quantity · hours

N days, a day's forward the mean of its hours on the curve. Only hours to come move it.
"""

from collections.abc import Mapping
from datetime import date, datetime

import numpy as np

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.periods import day as day_of
from tenorgrid.data.periods import midnight
from tenorgrid.data.terms.contracts import Forward
from tenorgrid.derivatives.valuation import Valuation


def value(forward: Forward, *, curve: ForwardCurve, fixings: Mapping[date, float], as_of: datetime, discount: Discount) -> Valuation:
    """Present value and hourly deltas of a forward.

    Args:
        forward: what was agreed.
        curve: forwards of its index from `as_of` on.
        fixings: marks by local day; those of days before `as_of` are used, all of them are needed.
        as_of: moment of the valuation, a local midnight of the contract.
        discount: to the day of payment.

    Raises `NotPublishedError` naming every day that is over and has no mark, and `InputError` for an `as_of` inside a day, a payment in the
    past or a period that the curve does not cover.
    """
    days = forward.days
    pay = forward.pay or forward.end
    scale = forward.sign * forward.quantity * forward.hours * discount.factor(as_of, pay)
    begins = {day: midnight(day, timezone=forward.timezone) for day in days}
    ahead = [day for day in days if begins[day] >= as_of]
    known = days[: len(days) - len(ahead)]
    if forward.start < as_of < forward.end and as_of not in begins.values():
        raise InputError.of("forward", f"the beginning of a day in {forward.timezone}", column="as_of", value=as_of)
    missing = [day for day in known if day not in fixings]
    if missing:
        raise NotPublishedError(f"{forward.index} has no fixing for {', '.join(map(str, missing))}")
    weight = np.zeros(curve.forward.size)
    for day in ahead:
        hours = day_of(day, timezone=forward.timezone)
        low, high = curve.places(hours.start, hours.end)
        weight[low:high] = 1 / (high - low) / len(days)
    mean = sum(fixings[day] for day in known) / len(days) + float(weight @ curve.forward)
    return Valuation(value=scale * (mean - forward.fixed), delta=scale * weight)

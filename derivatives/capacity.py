"""Capacity contract: the right to GPU-hours at a strike, hour by hour, as a strip of Black calls on λ.

    value = ± quantity · Σ_h D_h · Black(F_h, K, σ √T_h)

F_h the curve's forward of the hour, T_h the time from `as_of` to its beginning, D_h to its end, σ one volatility for all hours. One σ
for a day as for a month overstates what a price that swings back can do by then; a term structure of volatility takes its place later.
"""

from datetime import datetime

import numpy as np

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.contracts import CapacityContract
from tenorgrid.derivatives import black
from tenorgrid.derivatives.valuation import Valuation

HOURS_PER_YEAR = 24 * 365


def value(contract: CapacityContract, *, curve: ForwardCurve, volatility: float, as_of: datetime, discount: Discount) -> Valuation:
    """Present value, hourly deltas and vega of the hours still to come; those before `as_of` have paid.

    Args:
        contract: what was agreed; its premium counts until it is paid.
        curve: forwards of its index over the hours to come.
        volatility: σ, annualised, at least 0.
        as_of: moment of the valuation, on the hour.
        discount: of each hour's pay-off to its end, and of the premium to its day.

    Raises `InputError` for a contract that is over, for hours that the curve does not cover, and for what `black.price` refuses.
    """
    begin = max(contract.start, as_of)
    if begin >= contract.end:
        raise InputError.of("capacity contract", f"hours after {as_of}", column="end", value=contract.end)
    low, high = curve.places(begin, contract.end)
    years = ((begin - as_of).total_seconds() / 3600 + np.arange(high - low)) / HOURS_PER_YEAR
    root = np.sqrt(years)
    forward, strike = curve.forward[low:high], np.full(high - low, contract.strike)
    scale, factor = contract.sign * contract.quantity, discount.factors(years + 1 / HOURS_PER_YEAR)
    deviation = volatility * root
    delta = np.zeros(curve.forward.size)
    delta[low:high] = scale * black.delta(forward, strike, deviation=deviation, discount=factor)
    vega = np.zeros(curve.forward.size)
    vega[low:high] = scale * black.vega(forward, strike, deviation=deviation, discount=factor) * root
    premium = 0.0
    if contract.premium is not None and contract.pay is not None and contract.pay >= as_of:
        premium = contract.sign * contract.premium * discount.factor(as_of, contract.pay)
    return Valuation(
        value=scale * float(black.price(forward, strike, deviation=deviation, discount=factor).sum()) - premium,
        delta=delta,
        vega=vega,
    )

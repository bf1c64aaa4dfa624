"""What one trade is worth and how it moves with each hour of the curve."""

from dataclasses import dataclass

from tenorgrid.curves.hours import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """Present value in USD, and by hour of the curve (hours,) ∂ value / ∂ forward in GPU-hours and ∂ value / ∂ volatility in USD per 1.00.

    delta is positive where the trade gains when the forward rises; vega is None for what has no optionality.
    """

    value: float
    delta: Vector
    vega: Vector | None = None

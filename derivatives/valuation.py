"""What one trade is worth and how it moves with each hour of the curve."""

from dataclasses import dataclass

from tenorgrid.curves.hours import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """Present value in USD, `delta` (hours of the curve,) in GPU-hours, `vega` in USD for 1.00 of volatility.

    delta is ∂ value / ∂ forward of each hour, in USD per (USD per GPU-hour); positive gains when the forward rises.
    """

    value: float
    delta: Vector
    vega: float = 0.0

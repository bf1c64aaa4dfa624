"""Value and sensitivities of a batch of options."""

from dataclasses import dataclass

from tenorgrid.curves.hours import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeks:
    """Of options on one forward, or of averages when all forwards move by the same amount.

    price: (n,) USD/GPUh. delta: (n,) ∂ price / ∂ forward. gamma: (n,) ∂² price / ∂ forward². vega: (n,) ∂ price / ∂ σ, per 1.00 of
    volatility a year. theta: (n,) what the price gains as a year passes, forwards and volatilities held: usually negative.
    """

    price: Vector
    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderGreeks(Greeks):
    """Of options on several forwards: `ladder` (n, m) is ∂ price / ∂ each forward, and adds to `delta`."""

    ladder: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadGreeks:
    """Of options on the difference of two forwards.

    price: (n,) USD/GPUh. delta, vega: (n, 2) by leg. gamma: (n, 3) ∂² price / ∂F₁², / ∂F₁∂F₂ and / ∂F₂². theta: (n,) a year.
    correlation: (n,) ∂ price / ∂ρ, per 1.00 of correlation.
    """

    price: Vector
    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector
    correlation: Vector

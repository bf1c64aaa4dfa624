"""What the trades of one kind are worth and what moves them, as arrays by trade."""

from dataclasses import dataclass, field

from tenorgrid.curves.hours import Counts, Vector


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Sensitivities of some trades to one index: rows (n,) among the trades priced, delta in GPU-hours.

    `quotes` (n, quotes) ∂ value / ∂ price of each quote of the index's curve, `months` (n, months) ∂ value / ∂ forward by delivery month,
    `gamma` (n, months) change of delta in GPU-hours for 1.00 USD of all forwards, `vega` (n, months) USD for 1.00 of volatility.
    """

    index: str
    rows: Counts
    quotes: Vector
    months: Vector
    gamma: Vector | None = None
    vega: Vector | None = None
    unit: str | None = None  # of the delta, where it is not the trade's


@dataclass(frozen=True, eq=False, kw_only=True)
class Priced:
    """Values (n,) in USD, theta (n,) in USD for a year's passing, blocks of sensitivities, and correlation: pair, rows, USD per 1.00."""

    value: Vector
    theta: Vector
    blocks: list[Block] = field(default_factory=list)
    correlation: list[tuple[tuple[str, str], Counts, Vector]] = field(default_factory=list)

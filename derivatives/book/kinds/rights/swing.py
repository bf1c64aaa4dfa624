"""Swing in books: so many rights to the quantity of a step, a day's hours or an hour, at the strike, by dynamic programming on a chain."""

from dataclasses import dataclass

import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.kinds.rights import engine
from tenorgrid.derivatives.book.kinds.rights.chain import chain
from tenorgrid.derivatives.book.kinds.rights.engine import Kind, Terms
from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights import swing as kernel
from tenorgrid.derivatives.rights.lattice import Lattice

MOST_STATES = 1_500_000_000  # steps × lots × nodes × levels: bytes that the policy takes


@dataclass(frozen=True, kw_only=True)
class SwingRight:
    """Lots of `quantity` GPU-hours in every hour of a step."""

    lots: kernel.Swing
    quantity: float
    strike: float
    reversion: float

    def value(self, seen: Seen) -> float:
        """Present value by the kernel, USD."""
        lot = self.quantity * seen.hours
        grid = self._grid(seen)
        return kernel.value(self.lots, chain=grid, forward=lot * seen.forward[0], strike=lot * self.strike, discount=seen.discount)

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """The best policy carried forward: D E[lots S / F] by step."""
        lot = self.quantity * seen.hours
        grid = self._grid(seen)
        found = kernel.exercised(self.lots, chain=grid, forward=lot * seen.forward[0], strike=lot * self.strike, discount=seen.discount)
        return found.value, (lot * found.delta,)

    def _grid(self, seen: Seen) -> Lattice:
        grid = chain(seen, reversion=self.reversion)
        levels = 1 if self.lots.ramp is None else self.lots.most + 1
        states = seen.years.size * (self.lots.maximum + 1) * grid.nodes.size * levels
        refuse("swing", ("params", f"{states:,} states", f"at most {MOST_STATES:,}: fewer rights or longer steps", states <= MOST_STATES))
        return grid


def _right(terms: Terms) -> SwingRight:
    left = int(terms["rights"] - terms["used"])
    lots = kernel.Swing(
        maximum=left, minimum=max(int(terms["minimum"] - terms["used"]), 0), most=int(terms["most"]),
        ramp=None if terms["ramp"] is None else int(terms["ramp"]), start=int(terms["before"]),
    )  # fmt: skip
    return SwingRight(lots=lots, quantity=terms["quantity"], strike=terms["strike"], reversion=terms["reversion"])


KIND = Kind(right=_right, volatile=lambda _: 1, by=lambda terms: str(terms["step"]))


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of swings. Raises `InputError` for a minimum that can no longer be met."""
    return engine.price(trades, market, KIND)


def values(trades: pl.DataFrame, market: Market) -> Vector:
    """(n,) values alone, USD."""
    return engine.values(trades, market, KIND)

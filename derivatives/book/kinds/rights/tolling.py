"""Tolling in books: running when the output's price covers its inputs, with starts that cost and runs and rests that last.

The output's price is a chain of one factor around its forwards; the input (`index2`) counts at its forwards, so that what it may move by
adds nothing here. By `intrinsic` both stand at their forwards.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.kinds.rights import engine
from tenorgrid.derivatives.book.kinds.rights.chain import chain
from tenorgrid.derivatives.book.kinds.rights.engine import Kind, Terms
from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.rights.tolling import Plant, schedule
from tenorgrid.derivatives.rights.tolling_chance import on_chain


@dataclass(frozen=True, kw_only=True)
class Toll:
    """A plant that takes `rate` of the input and `cost` USD of other things in a unit of output; `start` is what a start costs, USD."""

    plant: Plant
    rate: float
    cost: float
    start: float
    reversion: float | None  # None is intrinsic

    def value(self, seen: Seen) -> float:
        """Present value, USD."""
        return self.ladder(seen)[0]

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """Deltas by hour of the output, D E[q S / F], and of the input, −rate D E[q]."""
        output, given = seen.forward
        cost, discount = self.rate * given + self.cost, seen.discount
        start = np.full(output.size, self.start)
        if self.reversion is None:
            best = schedule(self.plant, spread=(discount * (output - cost))[:, None], start=(discount * start)[:, None])
            made = discount * best.output[:, 0]
            return float(best.value[0]), (made, -self.rate * made)
        grid = chain(seen, reversion=self.reversion)
        found = on_chain(self.plant, chain=grid, forward=output, cost=cost, start=start, discount=discount)
        return found.value, (found.delta, -self.rate * discount * found.output)


def _right(terms: Terms) -> Toll:
    most = terms["quantity"]
    plant = Plant(
        least=terms["minimum_output"] * most, most=most, run=int(terms["minimum_run"]), rest=int(terms["minimum_rest"]),
        before=terms["before"],
    )  # fmt: skip
    reversion = terms["reversion"] if terms["method"] == "chain" else None
    return Toll(plant=plant, rate=terms["rate"], cost=terms["strike"], start=terms["start_cost"], reversion=reversion)


KIND = Kind(right=_right, volatile=lambda terms: int(terms["method"] == "chain"), by=lambda _: "hour")


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of tolling contracts."""
    return engine.price(trades, market, KIND)


def values(trades: pl.DataFrame, market: Market) -> Vector:
    """(n,) values alone, USD."""
    return engine.values(trades, market, KIND)

"""Generation switches in books: once, the rest of the term may change from the old index's hours to `ratio` of the new one's, at a cost.

Deliveries are calendar months, decided on as they begin and paid as they end. Both curves move by one factor each.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.kinds.rights import engine
from tenorgrid.derivatives.book.kinds.rights.engine import Kind, Terms
from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.paths.model import Factors
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights import generation as kernel

NODES = 41  # each way, or as many as the decisions need


@dataclass(frozen=True, kw_only=True)
class SwitchRight:
    """`quantity` GPU-hours an hour of the old generation; `monthly` decides at the beginning of every month, else at that of the term."""

    quantity: float
    ratio: float
    cost: float
    monthly: bool
    reversion: tuple[float, float]

    def value(self, seen: Seen) -> float:
        """Present value, USD."""
        switch, factors = self._switch(seen), self._factors(seen)
        return kernel.value(switch, factors=factors, nodes=_nodes(switch, factors))

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """Deltas by month of the old and of the new generation."""
        switch, factors = self._switch(seen), self._factors(seen)
        found = kernel.exercised(switch, factors=factors, nodes=_nodes(switch, factors))
        return found.value, (found.old, found.new)

    def _switch(self, seen: Seen) -> kernel.Switch:
        first = int(seen.begun)
        decision = seen.years[first:] if self.monthly else seen.years[first:1]
        refuse("switch", ("start", "a term that has begun", "a decision still to come", decision.size > 0))
        return kernel.Switch(
            decision=decision, delivery=0.5 * (seen.years + seen.pay), quantity=self.quantity * seen.hours, old=seen.forward[0],
            new=seen.forward[1], ratio=self.ratio, cost=np.full(decision.size, self.cost), discount=seen.discount,
            paid=seen.rate.factors(decision),
        )  # fmt: skip

    def _factors(self, seen: Seen) -> Factors:
        both = np.array([[1.0, seen.rho], [seen.rho, 1.0]])
        return Factors(reversion=np.array(self.reversion), volatility=np.array(seen.sigma), correlation=both, loading=np.eye(2))


def _nodes(switch: kernel.Switch, factors: Factors) -> int:
    return max(NODES, kernel.nodes_for(switch, factors=factors)) if abs(factors.correlation[0, 1]) < 1 else NODES


def _right(terms: Terms) -> SwitchRight:
    return SwitchRight(
        quantity=terms["quantity"], ratio=terms["ratio"], cost=terms["cost"], monthly=terms["decisions"] == "monthly",
        reversion=(terms["reversion"], terms["reversion2"]),
    )  # fmt: skip


KIND = Kind(right=_right, volatile=lambda _: 2, by=lambda _: "month")


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of generation switches. Raises `InputError` where the last decision is over."""
    return engine.price(trades, market, KIND)


def values(trades: pl.DataFrame, market: Market) -> Vector:
    """(n,) values alone, USD."""
    return engine.values(trades, market, KIND)

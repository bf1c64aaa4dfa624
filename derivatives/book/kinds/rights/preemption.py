"""The right of recall in books: the buyer may recall the quantity in any hour and accepts `strike` less than firm for every hour listed.

    value = ± Σ D q (premium − K),   premium = λ_firm · share(a, s)

hour by hour on the firm curve, so that a strike at the fair discount is worth nothing. The outside value that a supplier recalls for is
published nowhere: its volatility is taken to be that of the index.
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
from tenorgrid.derivatives.paths.model import decayed
from tenorgrid.derivatives.preemption.strip import fair
from tenorgrid.derivatives.preemption.term import Promise


@dataclass(frozen=True, kw_only=True)
class Recall:
    """`quantity` resource-hours listed in every hour under a promise."""

    quantity: float
    strike: float
    promise: Promise
    reversion: float

    def value(self, seen: Seen) -> float:
        """Present value, USD."""
        return self.ladder(seen)[0]

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """The premium is proportional to the firm forward."""
        scale, deviation = (
            seen.discount * self.quantity * seen.hours,
            seen.sigma[0] * np.sqrt(decayed(np.array(2 * self.reversion), seen.years)),
        )
        found = fair(
            seen.forward[0], deviation=deviation, availability=self.promise.availability, overcommit=self.promise.overcommit
        )  # fmt: skip
        return float(scale @ (found.premium - self.strike)), (scale * found.premium / found.firm,)


def _right(terms: Terms) -> Recall:
    promise = Promise(interruption=terms["interruption"], overcommit=terms["overcommit"], present=terms["availability"])
    return Recall(quantity=terms["quantity"], strike=terms["strike"], promise=promise, reversion=terms["reversion"])


KIND = Kind(right=_right, volatile=lambda _: 1, by=lambda _: "hour")


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of rights of recall."""
    return engine.price(trades, market, KIND)


def values(trades: pl.DataFrame, market: Market) -> Vector:
    """(n,) values alone, USD."""
    return engine.values(trades, market, KIND)

"""Reliability options in books: the buyer gets what λ exceeds the strike, a penalty for what is not delivered then, up to a stop-loss.

Without stop-loss every hour has a closed form, of which a cap is the part without penalty,

    Σ D q [Black(F, K) + z (1 − a) P(λ > K)]

a the share that is delivered. What the stop-loss takes off is a mean over paths, the same numbers at every valuation.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.book.kinds.rights import engine
from tenorgrid.derivatives.book.kinds.rights.engine import Kind, Terms
from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.paths.model import PathModel, decayed, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.paths.simulation import GROUP, simulate
from tenorgrid.derivatives.rights.reliability import Reliability, binary
from tenorgrid.derivatives.rights.stop_loss import Cut, cut

GROUPS = 4  # of paths, one at a time


@dataclass(frozen=True, kw_only=True)
class ReliabilityRight:
    """What was agreed; `delivered` is the share of the quantity that is delivered in every hour."""

    quantity: float
    strike: float
    penalty: float
    delivered: float
    stop_loss: float
    paid: float
    reversion: float
    start: object  # first instant of the whole term, from which delivery years run

    def value(self, seen: Seen) -> float:
        """Present value, USD."""
        return self.ladder(seen)[0]

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """Closed forms by hour less what the stop-loss takes off."""
        forward, scale = seen.forward[0], seen.discount * self.quantity * seen.hours
        refuse("reliability option", ("forward", forward.min(), "forwards above 0: logarithms have no others", bool(np.all(forward > 0))))
        deviation, strike = seen.sigma[0] * np.sqrt(decayed(np.array(2 * self.reversion), seen.years)), np.full(forward.size, self.strike)
        worth, slope, _ = black.together(forward, strike, deviation=deviation, discount=scale)
        above, density = binary(forward, strike, deviation=deviation)
        fined = self.penalty * (1 - self.delivered) * scale
        off = self._cut(seen)
        value = float((worth + fined * above).sum()) - off.value
        return value, (slope + fined * density - off.delta,)

    def _cut(self, seen: Seen) -> Cut:
        hours = seen.years.size
        if np.isinf(self.stop_loss):
            return Cut(value=0.0, delta=np.zeros(hours))
        lots = self.quantity * seen.hours
        option = Reliability(
            strike=np.full(hours, self.strike), quantity=lots, penalty=self.penalty, stop_loss=self.stop_loss, paid=self.paid,
            year=delivery_years(seen.begins, self.start),
        )  # fmt: skip
        model = PathModel(factors=ornstein_uhlenbeck(reversion=self.reversion, volatility=seen.sigma[0]))
        found = [
            cut(
                option, forward=seen.forward[0], delivered=self.delivered * lots[:, None], discount=seen.discount,
                ratio=simulate(model, forward=np.ones((hours, 1)), years=seen.years, paths=GROUP, seed=seed)[:, 0],
            )
            for seed in range(GROUPS)
        ]  # fmt: skip
        return Cut(value=sum(one.value for one in found) / GROUPS, delta=np.mean([one.delta for one in found], axis=0))


def delivery_years(begins: pl.Series, start: object) -> Counts:
    """(hours,) twelve calendar months from that of the start, and so on: 0, 0, ..., 1, ...

    Args:
        begins: moments in the book's time zone.
        start: first instant of the term.
    """
    first = pl.Series([start], dtype=begins.dtype)
    months = 12 * (begins.dt.year() - first.dt.year()[0]) + begins.dt.month().cast(pl.Int32) - int(first.dt.month()[0])
    return np.asarray(months.to_numpy() // 12, np.intp)


def _right(terms: Terms) -> ReliabilityRight:
    return ReliabilityRight(
        quantity=terms["quantity"], strike=terms["strike"], penalty=terms["penalty"], delivered=terms["availability"],
        stop_loss=np.inf if terms["stop_loss"] is None else terms["stop_loss"], paid=terms["paid"], reversion=terms["reversion"],
        start=terms["start"],
    )  # fmt: skip


KIND = Kind(right=_right, volatile=lambda _: 1, by=lambda _: "hour")


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of reliability options."""
    return engine.price(trades, market, KIND)


def values(trades: pl.DataFrame, market: Market) -> Vector:
    """(n,) values alone, USD."""
    return engine.values(trades, market, KIND)

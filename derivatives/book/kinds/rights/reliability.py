"""Reliability options in books: the buyer gets what λ exceeds the strike, a penalty for what is not delivered then, up to a stop-loss.

Without stop-loss every hour has a closed form, of which a cap is the part without penalty,

    Σ D q [Black(F, K) + z (1 − a) P(λ > K)]

a the share that is delivered. With one it is a mean over 4,096 paths, the same draws at every valuation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.book.kinds.rights import engine
from tenorgrid.derivatives.book.kinds.rights.engine import Kind, Terms
from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.paths.model import decayed
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights import stop_loss
from tenorgrid.derivatives.rights.reliability import Reliability, binary

GROUPS, GROUP = 4, 1024  # paths, a group at a time


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
    start: datetime  # of the whole term, from which delivery years run

    def value(self, seen: Seen) -> float:
        """Present value, USD."""
        if np.isinf(self.stop_loss):
            return self._closed(seen)[0]
        worth = [
            stop_loss.value(
                self._option(seen), forward=seen.forward[0], ratio=ratio, delivered=self._delivered(seen), discount=seen.discount
            )
            for ratio in self._paths(seen)
        ]
        return float(np.mean(worth))

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """Value and deltas by hour."""
        if np.isinf(self.stop_loss):
            worth, slope = self._closed(seen)
            return worth, (slope,)
        option, delivered = self._option(seen), self._delivered(seen)
        found = [
            stop_loss.stopped(option, forward=seen.forward[0], ratio=ratio, delivered=delivered, discount=seen.discount)
            for ratio in self._paths(seen)
        ]
        return float(np.mean([one.value for one in found])), (np.mean([one.delta for one in found], axis=0),)

    def _closed(self, seen: Seen) -> tuple[float, Vector]:
        forward, scale = seen.forward[0], seen.discount * self.quantity * seen.hours
        refuse("reliability option", ("forward", forward.min(), "forwards above 0: logarithms have no others", bool(np.all(forward > 0))))
        deviation = seen.sigma[0] * np.sqrt(decayed(np.array(2 * self.reversion), seen.years))
        strike = np.full(forward.size, self.strike)
        worth, slope, _ = black.together(forward, strike, deviation=deviation, discount=scale)
        above, density = binary(forward, strike, deviation=deviation)
        fined = self.penalty * (1 - self.delivered) * scale
        return float((worth + fined * above).sum()), slope + fined * density

    def _option(self, seen: Seen) -> Reliability:
        return Reliability(
            strike=np.full(seen.years.size, self.strike), quantity=self.quantity * seen.hours, penalty=self.penalty,
            stop_loss=self.stop_loss, paid=self.paid, year=delivery_years(seen.begins, self.start),
        )  # fmt: skip

    def _delivered(self, seen: Seen) -> Vector:
        return (self.delivered * self.quantity * seen.hours)[:, None]

    def _paths(self, seen: Seen) -> Iterator[Vector]:
        for seed in range(GROUPS):
            yield stop_loss.ratios(reversion=self.reversion, volatility=seen.sigma[0], years=seen.years, paths=GROUP, seed=seed)


def delivery_years(begins: pl.Series, start: datetime) -> Counts:
    """(hours,) twelve calendar months from that of the start, and so on: 0, 0, ..., 1, ...

    Args:
        begins: moments in the book's time zone.
        start: first instant of the term.
    """
    first = pl.Series([start], dtype=begins.dtype)
    months = 12 * (begins.dt.year() - first.dt.year()[0]) + begins.dt.month().cast(pl.Int32) - int(first.dt.month()[0])
    return np.asarray(months.to_numpy() // 12, np.int64)


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

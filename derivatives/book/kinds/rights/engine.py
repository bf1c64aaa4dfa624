"""Pricing of rights trade by trade: value and deltas by the kernel, gamma, vega, theta and correlation by moving what it sees."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.kinds.rights.steps import HOUR, Seen, Steps, make_steps
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced
from tenorgrid.derivatives.book.risks import GPU_HOURS

BEND = 1e-2  # of the mean forward, for gamma: far above a grid's mesh
TURN = 1e-3  # of a volatility or correlation
Terms = Mapping[str, Any]


class Right(Protocol):
    """One right as its kernel knows it; values are to its buyer, USD."""

    def value(self, seen: Seen) -> float:
        """Present value."""
        ...

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """Present value, and ∂ value / ∂ forward of each step, by index."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How trades of one kind become rights: `volatile` tells how many of its indices need a volatility, none for one at known prices."""

    right: Callable[[Terms], Right]
    volatile: Callable[[Terms], int]
    by: Callable[[Terms], str]


def price(trades: pl.DataFrame, market: Market, kind: Kind) -> Priced:
    """Value and sensitivities, in the order of the rows. Raises `InputError` naming the trade's row."""
    value, theta = owed(trades, market)
    made = Priced(value=value, theta=theta)
    for at, terms, right, steps in _each(trades, market, kind):
        seen = steps.seen(market, volatile=kind.volatile(terms))
        with told(terms):
            _add(made, at, terms, right, steps, seen, kind.volatile(terms))
    return made


def values(trades: pl.DataFrame, market: Market, kind: Kind) -> Vector:
    """(n,) values alone: what a grid of scenarios asks for, several times cheaper."""
    found, _ = owed(trades, market)
    for at, terms, right, steps in _each(trades, market, kind):
        seen = steps.seen(market, volatile=kind.volatile(terms))
        with told(terms):
            found[at] += terms["sign"] * right.value(seen)
    return found


@contextmanager
def told(terms: Terms) -> Iterator[None]:
    """Faults of a kernel as faults of the trade's row."""
    try:
        yield
    except InputError as error:
        raise InputError(replace(fault, file="trades", row=fault.row or terms["number"]) for fault in error.faults) from error


def _each(trades: pl.DataFrame, market: Market, kind: Kind) -> Iterator[tuple[int, Terms, Right, Steps]]:
    rows = list(trades.iter_rows(named=True))
    cut = make_steps(trades, market, pl.Series("by", [kind.by(terms) for terms in rows], dtype=pl.String))
    for at, (terms, steps) in enumerate(zip(rows, cut, strict=True)):
        with told(terms):
            right = kind.right(terms)
        yield at, terms, right, steps


def _add(made: Priced, at: int, terms: Terms, right: Right, steps: Steps, seen: Seen, volatile: int) -> None:
    sign, rows = terms["sign"], np.array([at])
    worth, ladders = right.ladder(seen)
    made.value[at] += sign * worth
    made.theta[at] += sign * _theta(right, seen)
    for place, leg in enumerate(steps.legs):
        quotes, months = steps.mapped(sign * ladders[place], leg)
        gamma = vega = None
        if volatile:
            gamma = (sign * steps.mapped(_bend(right, seen, place), leg)[1])[None, :]
            vega = np.zeros((1, months.size))
            vega[0, leg.month] = sign * _vega(right, seen, place) if place < volatile else 0.0
        unit = GPU_HOURS if place else None  # a trade's own unit is that of its first index
        made.blocks.append(
            Block(index=leg.index, rows=rows, quotes=quotes[None, :], months=months[None, :], gamma=gamma, vega=vega, unit=unit)
        )
    if volatile > 1:
        made.correlation.append(((steps.legs[0].index, steps.legs[1].index), rows, np.array([sign * _turn(right, seen)])))


def _theta(right: Right, seen: Seen) -> float:
    """USD for a year's passing, from an hour forward and back; no further back than the first step lies ahead."""
    ahead = min(HOUR, 0.5 * float(seen.years[0]))
    return (right.value(seen.later(ahead)) - right.value(seen.later(-HOUR))) / (ahead + HOUR)


def _bend(right: Right, seen: Seen, place: int) -> Vector:
    """(steps,) how the deltas of one index change for 1.00 USD of all its forwards."""
    move = BEND * float(np.mean(np.abs(seen.forward[place])))
    up, down = (right.ladder(seen.raised(place, way * move))[1][place] for way in (1.0, -1.0))
    return np.asarray((up - down) / (2.0 * move))


def _vega(right: Right, seen: Seen, place: int) -> float:
    """USD for 1.00 of one volatility."""
    down = min(TURN, 0.5 * seen.sigma[place])
    return (right.value(seen.blown(place, TURN)) - right.value(seen.blown(place, -down))) / (TURN + down)


def _turn(right: Right, seen: Seen) -> float:
    """USD for 1.00 of correlation, by a difference that stays inside (−1, 1)."""
    step = min(TURN, 0.5 * (1.0 - abs(seen.rho)))
    if step == 0:
        return 0.0
    up, down = (right.value(replace(seen, rho=seen.rho + way * step)) for way in (1.0, -1.0))
    return (up - down) / (2.0 * step)

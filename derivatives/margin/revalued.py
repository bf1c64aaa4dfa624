"""What a book gains under moves of its indices, at once: by its Greeks, in full, in full where its Greeks find the worst, or on a grid.

A move of an index multiplies its whole forward curve, or hours by their distance: exp(move × e^(−κ T)) for a κ above 0, as prices that
come back move less where they are far away. Volatilities, rates and the moment stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.curves.risk.scenarios import shifted
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market
from tenorgrid.derivatives.book.priced import Block
from tenorgrid.derivatives.book.risks import Part
from tenorgrid.derivatives.book.valuation import valued, worth
from tenorgrid.derivatives.margin.gridded import NODES, interpolated
from tenorgrid.derivatives.margin.moves import Moves

Method = Literal["worst", "full", "greeks", "grid"]
METHODS: tuple[Method, ...] = ("worst", "full", "greeks", "grid")
WORST = 4.0  # times the share of the tail that is revalued in full


def gains(
    agreed: Agreed, market: Market, moves: Moves, *, method: Method = "worst", level: float = 0.975, reversion: float = 0.0
) -> Vector:
    """(n,) USD that a book gains in each move.

    Args:
        agreed: trades as `read_trades` gives them.
        market: where it stands.
        moves: of every index that the book reads.
        method: `greeks` (delta and gamma by delivery month), `full` revaluation of every move, or `worst`: Greeks for all, and full
            for those that they rank among the worst 4 (1 − level) of the moves, which is what value at risk and shortfall read; `grid`
            revalues in full at nodes and interpolates between them, as `gridded` tells, which is quick for thousands of moves.
        level: of the tail that matters.
        reversion: κ, a year, at least 0.

    Raises `InputError` for an unknown method, a negative κ and indices of the book without moves.
    """
    if method not in METHODS:
        raise InputError.of("moves", f"one of {', '.join(METHODS)}", column="method", value=method)
    if not reversion >= 0:
        raise InputError.of("moves", "a reversion of at least 0", column="reversion", value=reversion)
    found = valued(agreed, market)
    read = sorted({block.index for part in found.parts for block in part.priced.blocks})
    lacking = [index for index in read if index not in moves.indices]
    if lacking:
        raise InputError.of("moves", f"moves of every index of the book: {', '.join(read)}", column="index", value=", ".join(lacking))
    places = np.arange(len(moves.values))
    if method == "grid" and places.size > NODES:
        return interpolated(agreed, found.parts, moves, price=partial(_worth, market, reversion)) - found.value
    if method in ("full", "grid"):
        return _full(agreed, market, moves, places, found.value, reversion)
    made = by_greeks(found.parts, market, moves, reversion=reversion)
    if method == "worst":
        count = min(int(np.ceil(WORST * (1.0 - level) * made.size)), made.size)
        worst = np.argsort(made, kind="stable")[:count]
        made[worst] = _full(agreed, market, moves, worst, found.value, reversion)
    return made


def by_greeks(parts: Sequence[Part], market: Market, moves: Moves, *, reversion: float = 0.0) -> Vector:
    """(n,) USD by delta and gamma of every delivery month of every index."""
    made = np.zeros(len(moves.values))
    deltas, gammas = _by_month(parts, market)
    for index, delta in deltas.items():
        move = moves.values[:, moves.indices.index(index)]
        forward, load = _months(market, index, reversion)
        change = forward * np.expm1(np.outer(move, load))
        made += change @ delta + 0.5 * np.square(change) @ gammas[index]
    return made


def moved(market: Market, moves: Mapping[str, float], *, reversion: float = 0.0) -> Market:
    """The market with the curves of some indices multiplied by exp(move), hours by their distance where κ is above 0."""
    curves = {
        index: shifted(curve, curve.forward * np.expm1(moves[index] * _load(curve, market, reversion))) if index in moves else curve
        for index, curve in market.curves.items()
    }
    made = replace(market, curves=curves)
    vars(made)["months"] = market.months  # of the same hours: finding them again would take as long as pricing
    return made


def _worth(market: Market, reversion: float, agreed: Agreed, moves: Mapping[str, float]) -> Vector:
    return worth(agreed, moved(market, moves, reversion=reversion))


def _full(agreed: Agreed, market: Market, moves: Moves, places: Counts, base: float, reversion: float) -> Vector:
    return np.array([
        worth(agreed, moved(market, dict(zip(moves.indices, moves.values[place].tolist(), strict=True)), reversion=reversion)).sum() - base
        for place in places
    ])  # fmt: skip


def _by_month(parts: Sequence[Part], market: Market) -> tuple[dict[str, Vector], dict[str, Vector]]:
    """GPU-hours and their change for 1 USD by index, (months,) each."""
    deltas: dict[str, Vector] = {}
    gammas: dict[str, Vector] = {}
    blocks: list[Block] = [block for part in parts for block in part.priced.blocks]
    for block in blocks:
        size = len(market.months[block.index][0])
        deltas[block.index] = deltas.get(block.index, np.zeros(size)) + block.months.sum(axis=0)
        bent = np.zeros(size) if block.gamma is None else block.gamma.sum(axis=0)
        gammas[block.index] = gammas.get(block.index, np.zeros(size)) + bent
    return deltas, gammas


def _months(market: Market, index: str, reversion: float) -> tuple[Vector, Vector]:
    """Mean forward and mean load (months,) of an index."""
    curve, (names, places) = market.curves[index], market.months[index]
    count = np.bincount(places, minlength=len(names))
    load = _load(curve, market, reversion)
    forward = np.bincount(places, weights=curve.forward, minlength=len(names)) / count
    return np.asarray(forward), np.asarray(np.bincount(places, weights=load, minlength=len(names)) / count)


def _load(curve: ForwardCurve, market: Market, reversion: float) -> Vector:
    if reversion == 0.0:
        return np.ones(curve.forward.size)
    first = (curve.starts[0] - market.as_of).total_seconds()
    years = np.maximum(first + 3600.0 * np.arange(curve.forward.size), 0.0) / SECONDS_PER_YEAR
    return np.asarray(np.exp(-reversion * years))

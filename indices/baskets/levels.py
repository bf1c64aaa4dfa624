"""Levels of a basket before they are printed: compared with the last rebalancing, or by windows that roll."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import BasketQuantity, IndexFormula
from tenorgrid.indices.baskets.bilateral import against
from tenorgrid.indices.baskets.contributions import log_contributions, points, window_contributions
from tenorgrid.indices.baskets.divisor import divided
from tenorgrid.indices.baskets.grid import FRESH, Grid
from tenorgrid.indices.baskets.multilateral import MULTILATERAL
from tenorgrid.indices.baskets.panel import Matrix, Panel, Vector
from tenorgrid.indices.baskets.splicing import rolling
from tenorgrid.indices.baskets.terms import Basket


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """A composition from the close of the period at `row` on: `quantity` (indices,), NaN where an index is not in it."""

    row: int
    level: float
    quantity: Vector
    listed: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """A basket by period: `levels` (periods,), NaN where nothing can be compared; `held` (periods, indices); shares of value as `weights`,
    and `contributions` to the move from the level before, both (periods, indices); `spliced` (periods,) what linking windows added."""

    levels: Vector
    held: npt.NDArray[np.bool_]
    weights: Matrix
    contributions: Matrix
    spliced: Vector
    links: tuple[Link, ...]


def series(grid: Grid, basket: Basket) -> Series:
    """Levels, weights and contributions of a basket.

    Raises `InputError` where no period is the base, nothing is in the basket then, or a window falls apart.
    """
    base = _base(grid, basket)
    return _windowed(grid, basket, base) if basket.formula in MULTILATERAL else _linked(grid, basket, base)


def _base(grid: Grid, basket: Basket) -> int:
    """The row of the base: the last period of the base day, or the first in which all that is listed can join."""
    if basket.base_date is not None:
        rows = [row for row, day in enumerate(grid.days) if day == basket.base_date]
        if not rows:
            span = f"{basket.base_date}, while marks run from {grid.days[0]} to {grid.days[-1]}"
            raise InputError.of(basket.name, "a day with marks of its constituents", column="base.date", value=span)
        return rows[-1]
    for row in range(len(grid.days)):
        listed = _listed(grid, basket, row)
        if listed.any() and _joins(grid, basket, row)[listed].all():
            return row
    never = [name for name, able in zip(grid.indices, _ever(grid, basket), strict=True) if not able]
    raise InputError.of(basket.name, "a day on which every constituent has a mark to join with", value=", ".join(never) or "none")


def _ever(grid: Grid, basket: Basket) -> npt.NDArray[np.bool_]:
    return np.asarray(np.array([_joins(grid, basket, row) for row in range(len(grid.days))]).any(axis=0), dtype=np.bool_)


def _listed(grid: Grid, basket: Basket, row: int) -> npt.NDArray[np.bool_]:
    """Which indices the file, or its rule, takes into the basket at the close of a period."""
    day = grid.days[row]
    if basket.selection is None:
        held = {one.index for one in basket.constituents if one.holds(day)}
        return np.array([name in held for name in grid.indices])
    rule = basket.selection
    recent = [place for place in range(row + 1) if (day - grid.days[place]).days < rule.of_days]
    published = np.array([[grid.state[place, column] == FRESH for column in range(len(grid.indices))] for place in recent])
    seen = [
        {grid.days[place] for place, there in zip(recent, published[:, column], strict=True) if there}
        for column in range(len(grid.indices))
    ]
    found = np.array([len(of) >= rule.published_days for of in seen])
    if rule.most is not None and found.sum() > rule.most:
        largest = sorted(np.flatnonzero(found), key=lambda column: (-grid.quantity[row, column], grid.indices[column]))[: rule.most]
        found = np.isin(np.arange(len(grid.indices)), largest)
    return found


def _joins(grid: Grid, basket: Basket, row: int) -> npt.NDArray[np.bool_]:
    """Which indices have what it takes to join: a price, and a quantity where marks bring it."""
    there = ~np.isnan(grid.price[row])
    return np.asarray(there & (grid.quantity[row] > 0) if basket.quantities is BasketQuantity.MARKS else there, dtype=np.bool_)


def _link(grid: Grid, basket: Basket, row: int, level: float) -> Link | None:
    """The composition that a rebalancing at the close of a period makes; None where nothing can join."""
    listed = _listed(grid, basket, row)
    member = listed & _joins(grid, basket, row)
    if not member.any():
        return None
    written = {one.index: one.quantity or one.share for one in basket.constituents if one.holds(grid.days[row])}
    if basket.quantities is BasketQuantity.MARKS:
        quantity = grid.quantity[row]
    elif basket.quantities is BasketQuantity.NONE:
        quantity = np.ones(len(grid.indices))
    else:
        quantity = np.array([written.get(name) or 0.0 for name in grid.indices])
    if basket.quantities is BasketQuantity.VALUE_SHARES:
        quantity = np.divide(quantity, grid.price[row], out=np.full(len(quantity), np.nan), where=member)
    return Link(row=row, level=level, quantity=np.where(member, quantity, np.nan), listed=listed)


def _first_link(grid: Grid, basket: Basket, base: int) -> Link:
    found = _link(grid, basket, base, basket.base_value or 0.0)
    if found is None:
        raise InputError.of(basket.name, "at least one constituent with a mark to join with", column="base.date", value=grid.days[base])
    if basket.base_value is not None:
        return found
    held = ~np.isnan(found.quantity)
    mean = (found.quantity[held] @ grid.price[base, held]) / found.quantity[held].sum()
    return Link(row=base, level=float(mean), quantity=found.quantity, listed=found.listed)


def _linked(grid: Grid, basket: Basket, base: int) -> Series:
    """Every period compared with the last rebalancing before it."""
    shape = grid.price.shape
    levels, spliced = np.full(shape[0], np.nan), np.zeros(shape[0])
    held = np.zeros(shape, dtype=bool)
    weights, contributions = np.zeros((2, *shape))
    link, end = _first_link(grid, basket, base), shape[0] - 1
    links = [link]
    levels[base], held[base], weights[base] = link.level, ~np.isnan(link.quantity), _worth(grid, basket, link)
    while link.row < end:
        due = next((row for row in range(link.row + 1, end + 1) if _due(grid, basket, row)), None)
        for last in range(end if due is None else due, end + 1):  # where nothing can be compared or join, the next period is tried
            part = _segment(grid, basket, link, last)
            following = None if due is None or np.isnan(part.levels[-1]) else _link(grid, basket, last, float(part.levels[-1]))
            if following is not None:
                break
        rows = slice(link.row + 1, last + 1)
        levels[rows], weights[rows], contributions[rows] = part.levels, part.weights, part.contributions
        held[rows] = ~np.isnan(link.quantity)
        if following is None:
            break
        link = following
        links.append(link)
    return Series(levels=levels, held=held, weights=weights, contributions=contributions, spliced=spliced, links=tuple(links))


def _due(grid: Grid, basket: Basket, row: int) -> bool:
    """Whether the period at `row` is the last of a day at whose close the basket is rebalanced."""
    following = grid.days[row + 1] if row + 1 < len(grid.days) else None
    return following != grid.days[row] and basket.rebalances(grid.days[row], following)


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """Periods that are compared with one rebalancing."""

    levels: Vector
    weights: Matrix
    contributions: Matrix


def _segment(grid: Grid, basket: Basket, link: Link, last: int) -> Segment:
    """The periods after a rebalancing, up to the one at row `last`."""
    held = ~np.isnan(link.quantity)
    price = grid.price[link.row : last + 1, held]
    compared = ~np.isnan(price).all(axis=1)
    if basket.formula is IndexFormula.LASPEYRES:
        found = divided(price[compared], link.quantity[None, held], since=[0], base=link.level)
        levels, moved = found.levels, found.contributions
        weights = found.values / found.values.sum(axis=1, keepdims=True)
    else:
        quantity = grid.quantity[link.row : last + 1, held] if basket.quantities is BasketQuantity.MARKS else np.ones(price.shape)
        there = ~np.isnan(price)
        panel = Panel(
            periods=tuple(grid.days[link.row : last + 1]),
            products=tuple(np.array(grid.indices)[held]),
            price=price,
            quantity=np.where(there, quantity, np.nan),
        )
        index = against(panel, basket.formula)
        compared &= ~np.isnan(index)
        logs = log_contributions(_picked(panel, compared), basket.formula)
        levels = link.level * index[compared]
        moved = np.vstack([np.zeros((1, held.sum())), points(np.diff(logs, axis=0), levels)])
        weights = np.tile(_worth(grid, basket, link)[held], (len(levels), 1))
    shape = (last + 1 - link.row, len(grid.indices))
    full = Segment(levels=np.full(shape[0], np.nan), weights=np.zeros(shape), contributions=np.zeros(shape))
    place = np.ix_(compared, held)
    full.levels[compared], full.weights[place], full.contributions[place] = levels, weights, moved
    full.weights[np.ix_(~compared, held)] = _worth(grid, basket, link)[held]
    return Segment(levels=full.levels[1:], weights=full.weights[1:], contributions=full.contributions[1:])


def _picked(panel: Panel, rows: npt.NDArray[np.bool_]) -> Panel:
    periods = tuple(period for period, there in zip(panel.periods, rows, strict=True) if there)
    return Panel(periods=periods, products=panel.products, price=panel.price[rows], quantity=panel.quantity[rows])


def _worth(grid: Grid, basket: Basket, link: Link) -> Vector:
    """Share of each index in the value of a composition at its rebalancing; equal where there are no quantities."""
    held = ~np.isnan(link.quantity)
    value = np.where(held, 1.0 if basket.quantities is BasketQuantity.NONE else grid.price[link.row] * link.quantity, 0.0)
    return np.asarray(value / value.sum())


def _windowed(grid: Grid, basket: Basket, base: int) -> Series:
    """A multilateral formula over windows that roll, linked to what is published."""
    if basket.window is None:
        raise InputError.of(basket.name, f"a window, as {basket.formula} needs one", column="window")
    shape, length = grid.price.shape, basket.window.periods
    link = _first_link(grid, basket, base)
    listed = np.array([_listed(grid, basket, row) if row >= base else np.zeros(shape[1], dtype=bool) for row in range(shape[0])])
    there = listed & ~np.isnan(grid.price) & (grid.quantity > 0)
    rows = np.flatnonzero(there.any(axis=1))
    if not len(rows) or rows[0] != base:
        raise InputError.of(basket.name, "a constituent with a price and a quantity", column="base.date", value=grid.days[base])
    panel = Panel(
        periods=tuple(grid.days[row] for row in rows),
        products=grid.indices,
        price=np.where(there, grid.price, np.nan)[rows],
        quantity=np.where(there, grid.quantity, np.nan)[rows],
    )
    index = link.level * rolling(panel, basket.formula, window=length, splice=basket.window.splice, first="growing")
    logs = _rolled_contributions(panel, basket.formula, length)
    paid = panel.paid / panel.paid.sum(axis=1, keepdims=True)
    recent = np.array([paid[max(0, row + 1 - length) : row + 1].mean(axis=0) for row in range(len(rows))])
    levels, spliced = np.full(shape[0], np.nan), np.zeros(shape[0])
    weights, contributions = np.zeros((2, *shape))
    levels[rows], weights[rows] = index, recent
    contributions[rows[1:]] = points(logs, index)
    rest = np.log(index[1:] / index[:-1]) - logs.sum(axis=1)
    spliced[rows[1:]] = points(rest[:, None], index)[:, 0]
    return Series(levels=levels, held=listed, weights=weights, contributions=contributions, spliced=spliced, links=(link,))


def _rolled_contributions(panel: Panel, formula: IndexFormula, length: int) -> Matrix:
    """Contributions in logarithms to each change: of each window its last."""
    ends = range(2, len(panel.periods) + 1)
    found = [window_contributions(panel.rows(max(0, end - length), end), formula)[-1] for end in ends]
    return np.array(found).reshape(-1, len(panel.products))

"""Ways in which one contributor could try to move a mark: under which name, when, at which prices, and in which direction."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nextafter
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.kinds.index import FilterRule, ObservationKind, Weighting
from tenorgrid.indices.estimators import Places, Vector
from tenorgrid.indices.sensitivity.ground import INSIDE, Ground
from tenorgrid.indices.sensitivity.placing import Spot, spots
from tenorgrid.indices.specification import Level, Requirement

SHARE = 0.01
FARTHEST = 100.0  # times the mark, and the mark over it: where the rule itself sets no bound to a price
SMALLEST = 1.0  # GPU-hour, or unit of work: the smallest trade, where the rule asks for no more
MOST = 100.0  # times all that stands behind the mark
FRESH = "\N{BULLET} new name"  # that nobody has
AWAY = (0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.33, 0.5, 0.75)
FAR_UP = (1.0, 1.5, 2.0, 4.0, 9.0, 24.0, 49.0, 99.0)
FAR_DOWN = (0.9, 0.95, 0.99)
FEW = (0, 3, 7, 10, 13, 15, 17, 20, 24)  # of these, where a window has parts: its plans are many
QUOTES = (ObservationKind.LIST_PRICE, ObservationKind.FIRM_QUOTE)


@dataclass(frozen=True, kw_only=True)
class Plans:
    """A row a plan: the mark and its value, the sign of the move, the name, where its rows go, and what a row weighs by confidence.

    `rank` is what the level has to reach at least so that it decides the mark; `most` the largest quantity of a row, `limit` the largest
    number of rows at each of its times. Prices lie from `low` to `high`. `alone` tells that the level has no other row for the mark.
    """

    mark: Places
    value: Vector
    rank: Places
    sign: Vector
    name: tuple[str, ...]
    fresh: npt.NDArray[np.bool_]
    spot: tuple[Spot, ...]
    weight: Vector
    low: Vector
    high: Vector
    smallest: float
    most: Vector
    limit: Places
    parts: bool
    alone: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return self.mark.size

    @property
    def target(self) -> Vector:
        """What the mark has to come to."""
        found: Vector = self.value * (1 + self.sign * SHARE)
        return found

    def prices(self) -> npt.NDArray[np.float64]:
        """(plans, prices) the prices that are tried, from the one nearest to the mark; NaN where there is no further one."""
        last = [FAR_DOWN[-1]] * (len(FAR_UP) - len(FAR_DOWN))
        up, down = (
            self.value[:, None] * (1 + sign * np.array(away)) for sign, away in ((1, [*AWAY, *FAR_UP]), (-1, [*AWAY, *FAR_DOWN, *last]))
        )
        grid = np.where(self.sign[:, None] > 0, up, down)
        grid[:, 0] = self.target
        grid = np.clip(grid, self.low[:, None], self.high[:, None])
        grid = grid[:, FEW] if self.parts else grid
        again = np.zeros(grid.shape, dtype=bool)
        again[:, 1:] = grid[:, 1:] == grid[:, :-1]
        again[:, 1:-1] |= self.alone[
            :, None
        ]  # where the price is the mark, the nearest costs the least cash, and the lowest the least notional
        return np.where(again | (self.low > self.high)[:, None], np.nan, grid)


def by_quantity(level: Level) -> bool:
    """Whether a trade weighs by its quantity: then it is the quantity that is looked for, else the number of rows."""
    return Weighting.QUANTITY in level.weights.by


def kind_of(level: Level) -> ObservationKind:
    """What the rows are: what binds to least, where the level takes several kinds."""
    return next((kind for kind in QUOTES if kind in level.kinds), level.kinds[0])


def names_matter(level: Level) -> bool:
    """Whether it makes a difference under which name rows are added."""
    least = [part.largest_share < 1 for part in (level.publish, level.low_confidence) if part is not None]
    judged = any(part.rule in (FilterRule.VENUE, FilterRule.JUMP) for part in level.filters)
    weights = level.weights
    bounded = weights.cap is not None or weights.floor is not None or weights.confidence is not None
    return level.vote is not None or bounded or any(least) or judged


def panel(level: Level) -> tuple[str, ...] | None:
    """The only contributors that the rule takes; None where anybody may come."""
    lists = [part.limit for part in level.requirements if part.column == "provider" and isinstance(part.limit, tuple)]
    return tuple(sorted(set(lists[0]).intersection(*lists[1:]))) if lists else None


def interval(level: Level, column: str) -> tuple[float, float]:
    """From where to where the rule lets a column be.

    >>> from tenorgrid.indices.methodology import load
    >>> interval(load("eu-cri-0.2.0").levels[0], "price")
    (0.25, 25.0)
    """
    low, high = -inf, inf
    for part in level.requirements:
        if part.column == column and isinstance(part.limit, float):
            low, high = _narrowed(part, part.limit, low, high)
    if column == "price":
        for one in level.filters:
            if one.rule is FilterRule.BOUNDS:
                low = low if one.lowest is None else max(low, one.lowest)
                high = high if one.highest is None else min(high, one.highest)
    return low, high


def _narrowed(part: Requirement, limit: float, low: float, high: float) -> tuple[float, float]:
    match part.comparison:
        case "at_least":
            return max(low, limit), high
        case "above":
            return max(low, nextafter(limit, inf)), high
        case "at_most":
            return low, min(high, limit)
        case _:
            return low, min(high, nextafter(limit, -inf))


def planned(ground: Ground, wanted: pl.DataFrame) -> Plans:
    """All plans on the level for marks.

    Args:
        ground: what the level has.
        wanted: mark (its number), value and rank.
    """
    level = ground.level
    rows = _rows(ground, wanted)
    smallest, most = interval(level, "quantity")
    smallest = max(smallest, SMALLEST)
    whole = np.array([max(MOST * float(row["quantity"]), MOST * smallest) for row in rows])
    value = np.array([float(row["value"]) for row in rows])
    low, high = interval(level, "price")
    return Plans(
        mark=np.array([row["mark"] for row in rows], dtype=np.int64),
        value=value,
        rank=np.array([row["rank"] for row in rows], dtype=np.int64),
        sign=np.array([row["sign"] for row in rows], dtype=np.float64),
        name=tuple(row["name"] for row in rows),
        fresh=np.array([row["fresh"] for row in rows], dtype=bool),
        spot=tuple(row["spot"] for row in rows),
        weight=np.array([row["weight"] for row in rows], dtype=np.float64),
        low=np.maximum(value / FARTHEST, low),
        high=np.minimum(value * FARTHEST, high),
        smallest=smallest,
        most=np.minimum(whole, most),
        limit=np.array([row["limit"] for row in rows], dtype=np.int64),
        parts=level.partitions > 1,
        alone=np.diff(ground.bounds)[[row["mark"] for row in rows]] == 0,
    )


def _rows(ground: Ground, wanted: pl.DataFrame) -> list[dict[str, Any]]:
    placed, behind, found = spots(ground, wanted["mark"].to_numpy()), _behind(ground), []
    for mark, value, rank in wanted.select("mark", "value", "rank").iter_rows():
        mine = behind.get(mark, {})
        for name, fresh, weight, own in _names(ground.level, mine):
            rows = sum(one["rows"] for one in mine.values())
            quantity = sum(one["quantity"] or 0.0 for one in mine.values())
            limit = _limit(ground.level, rows=rows, own=own)
            for spot in placed[mark]:
                row = {"mark": mark, "value": value, "rank": rank, "name": name, "fresh": fresh, "weight": weight, "spot": spot}
                found += [row | {"sign": sign, "limit": limit, "quantity": quantity} for sign in (1.0, -1.0)]
    return found


def _behind(ground: Ground) -> dict[int, dict[str, dict[str, Any]]]:
    """Of each mark its contributors with their rows, their quantity and what they weigh by confidence."""
    column = ground.level.weights.confidence
    review = ground.level.review
    trust = pl.lit(1.0) if column is None else pl.col(column).cast(pl.Float64)
    weight = trust.sum() if review is not None and review.spread == "by capacity" else trust.max()
    inside = ground.rows.filter(INSIDE) if INSIDE in ground.rows.columns else ground.rows
    each = inside.group_by("mark", "provider").agg(pl.len().alias("rows"), pl.col("quantity").sum(), weight.alias("weight"))
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in each.sort("mark", "provider").iter_rows(named=True):
        found.setdefault(row["mark"], {})[row["provider"]] = row
    return found


def _names(level: Level, mine: dict[str, dict[str, Any]]) -> Iterator[tuple[str, bool, float, int]]:
    """Names that may add rows: whether the name is new, what a row of it weighs by confidence, and how many it has.

    Of the existing all, where each has one vote; else that with the least and that with the most behind it.
    """
    allowed = panel(level)
    most = max((one["weight"] for one in mine.values()), default=min(interval(level, level.weights.confidence or "")[1], 1.0))
    free = [name for name in allowed or () if name not in mine]
    if allowed is None or free:
        yield FRESH if allowed is None else free[0], True, most, 0
    if names_matter(level) or allowed is not None:
        order = sorted(mine, key=lambda name: (mine[name]["quantity"] or 0.0, mine[name]["rows"], name))
        chosen = order if level.vote is not None else order[:1] if not names_matter(level) else dict.fromkeys((*order[:1], *order[-1:]))
        for name in chosen:
            yield name, False, mine[name]["weight"], mine[name]["rows"]


def _limit(level: Level, *, rows: int, own: int) -> int:
    """How many rows at one time can still make a difference: more than all others together."""
    asked = max(part.observations for part in (level.low_confidence, level.publish) if part is not None)
    return asked + (2 * rows if level.vote is None else own) + 8

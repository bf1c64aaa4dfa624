"""Dollars to move a mark by one per cent: the smallest attack of one contributor, upward and downward, and what it costs."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import Estimator, MarkStatus
from tenorgrid.indices.calculation import Calculation
from tenorgrid.indices.estimators import Places
from tenorgrid.indices.sensitivity.ground import Ground, grounds, outcomes
from tenorgrid.indices.sensitivity.means import closed, least_of_means
from tenorgrid.indices.sensitivity.obstacles import obstacle
from tenorgrid.indices.sensitivity.plans import FRESH, QUOTES, SHARE, Plans, interval, kind_of, names_matter, panel, planned
from tenorgrid.indices.sensitivity.search import HAIR, Found, additions, least
from tenorgrid.indices.windows import MARK

ANY, NEW, OLD = "any name", "new name", "existing name"
SIDES = {1.0: "up", -1.0: "down"}
ATTACK: dict[str, pl.DataType] = {
    "mark": pl.Int64(),
    "sign": pl.Float64(),
    "part": pl.Int64(),
    "place": pl.Int64(),  # among what the part found
    "by": pl.String(),
    "name": pl.String(),
    "observations": pl.Int64(),
    "quantity": pl.Float64(),
    "price": pl.Float64(),
    "notional": pl.Float64(),
    "cash_cost": pl.Float64(),
    "away": pl.Float64(),  # from the mark
    "value": pl.Float64(),
}
BY_NOTIONAL = ("notional", "cash_cost", "observations", "away", "name")
BY_CASH = ("cash_cost", "notional", "observations", "away", "name")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What was planned on a level, and which of the plans move their marks."""

    ground: Ground
    plans: Plans
    found: Found


def to_move(made: Calculation) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Of each mark with a level the attacks that move it by one per cent; docs/audit.md says what is tried."""
    sound = pl.col("level").is_not_null() & (pl.col("unrounded") > 0)
    marks = made.decided.filter(sound).select(*MARK, "level", "status", "unrounded")
    if marks.is_empty():
        return {}
    numbers = {level.name: number for number, level in enumerate(made.methodology.levels)}
    chosen = marks["level"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
    published = (marks["status"].cast(pl.String) == MarkStatus.PUBLISHED.value).to_numpy()
    rank = chosen + np.where(published, 0, len(numbers))
    told = pl.DataFrame({"mark": np.arange(marks.height), "value": marks["unrounded"], "rank": rank, "chosen": chosen})
    stands = grounds(made, marks.select(MARK))
    parts = [part for ground in stands for part in _on_level(ground, told)]
    tables = [_attacks(part, number) for number, part in enumerate(parts)]
    attacks = pl.concat([pl.DataFrame(schema=ATTACK), *tables]).with_row_index("attack")
    best = _best(attacks)
    while lost := _lost(best, parts, stands):
        attacks = attacks.filter(~pl.col("attack").is_in(lost))
        best = _best(attacks)
    return _entries(marks, told, best, parts, stands)


def _on_level(ground: Ground, told: pl.DataFrame) -> list[Part]:
    """Plans on one level: of the marks that it decides, and of those that it would decide if it had a little more."""
    own = told.filter(pl.col("chosen") == ground.number)
    other = told.filter(pl.col("chosen") != ground.number).with_columns(rank=pl.col("rank") - 1)
    found = []
    for wanted, average in ((own, closed(ground)), (other.filter(_reachable(other, ground)), False)):
        if not wanted.is_empty():
            plans = planned(ground, wanted)
            found.append(Part(ground=ground, plans=plans, found=least_of_means(ground, plans) if average else least(ground, plans)))
    return found


def _reachable(told: pl.DataFrame, ground: Ground) -> pl.Series:
    """Whether one contributor more could let the level decide marks that another one decides."""
    level = ground.level
    known = ground.rows.group_by("mark").agg(pl.col("provider").n_unique().alias("names"))
    names = told.select("mark").join(known, on="mark", how="left", maintain_order="left")["names"].fill_null(0).to_numpy() + 1
    needed = 0 if level.weights.cap is None else ceil(1 / level.weights.cap - 1e-9)
    rank, able = told["rank"].to_numpy(), np.zeros(told.height, dtype=bool)
    for asked, place in ((level.publish, ground.number), (level.low_confidence, ground.number + ground.levels)):
        if asked is not None:
            able |= (place <= rank) & (names >= max(asked.contributors, needed))
    return pl.Series(able, dtype=pl.Boolean)


def _attacks(part: Part, number: int) -> pl.DataFrame:
    level, plans, found = part.ground.level, part.plans, part.found
    away = np.abs(found.price - plans.value[found.plan])
    volume = found.rows * found.quantity * (kind_of(level) not in QUOTES)
    named = names_matter(level) or panel(level) is not None
    names = pl.Series([plans.name[plan] for plan in found.plan.tolist()], dtype=pl.String)
    columns = {
        "mark": plans.mark[found.plan],
        "sign": plans.sign[found.plan],
        "part": np.full(len(found), number),
        "place": np.arange(len(found)),
        "by": pl.Series(np.where(plans.fresh[found.plan], NEW, OLD) if named else np.full(len(found), ANY), dtype=pl.String),
        "name": names.replace(FRESH, None),
        "observations": found.rows,
        "quantity": found.quantity,
        "price": found.price,
        "notional": volume * found.price,
        "cash_cost": volume * away,
        "away": away,
        "value": found.value,
    }
    return pl.DataFrame(columns, schema=ATTACK)


def _best(attacks: pl.DataFrame) -> pl.DataFrame:
    """Of each mark, direction and kind of name the attack of least notional and that of least cash; `least` and `by` say what it is."""
    both = pl.concat([attacks.filter(pl.col("by") != other).with_columns(by=pl.lit(one)) for one, other in ((OLD, NEW), (NEW, OLD))])
    key = ["mark", "sign", "by"]
    found = [
        both.sort(*key, *order, "attack", nulls_last=True).unique(key, keep="first", maintain_order=True).with_columns(least=pl.lit(name))
        for name, order in (("notional", BY_NOTIONAL), ("cash", BY_CASH))
    ]
    once = pl.concat(found).group_by(*key, "attack", maintain_order=True).agg(pl.all().exclude("least").first(), pl.col("least"))
    same = once.group_by("mark", "sign", "attack", maintain_order=True).agg(pl.all().exclude("by").first(), pl.col("by"))
    two = (pl.col("by").list.len() == 2) & pl.col("name").is_null()
    return same.with_columns(by=pl.when(two).then(pl.lit([ANY])).otherwise("by")).sort(
        "mark", "sign", "attack", descending=[False, True, False]
    )


def _lost(best: pl.DataFrame, parts: list[Part], stands: list[Ground]) -> list[int]:
    """Attacks whose rows lift another level above the one that they are meant for, which the mark then is not moved by."""
    lost: list[int] = []
    for (number,), mine in best.group_by("part", maintain_order=True):
        part = parts[int(str(number))]
        for other in stands:
            if other is part.ground or kind_of(part.ground.level) not in other.level.kinds:
                continue
            lost += mine["attack"].to_numpy()[_overtaken(mine["place"].to_numpy(), part, other)].tolist()
    return lost


def _overtaken(places: Places, part: Part, other: Ground) -> Places:
    """Which of the attacks another level takes over from the part's own, without being moved as far."""
    plans, found = part.plans, part.found
    plan = found.plan[places]
    ahead = other.number if other.level.publish is not None or other.number < part.ground.number else other.number + other.levels
    near: Places = np.flatnonzero(plans.rank[plan] > ahead).astype(np.int64)
    if near.size == 0:
        return near
    plan, at = plan[near], places[near]
    added = additions(part.ground, plans, plan, found.price[at], found.quantity[at], found.copies[at])
    (value, rank), (_, own) = outcomes(other, added), outcomes(part.ground, added)
    moved = plans.sign[plan] * (value - plans.target[plan]) >= -HAIR * plans.value[plan]
    taken: Places = near[(rank < own) & ~moved]
    return taken


def _entries(
    marks: pl.DataFrame, told: pl.DataFrame, best: pl.DataFrame, parts: list[Part], stands: list[Ground]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What stands in the audit of each mark."""
    attacks: dict[tuple[int, float], list[dict[str, Any]]] = {}
    for row in best.iter_rows(named=True):
        attacks.setdefault((row["mark"], row["sign"]), []).append(row)
    found = {}
    for number, (key, value, chosen) in enumerate(zip(marks.select(MARK).iter_rows(), told["value"], told["chosen"], strict=True)):
        rows = []
        for sign, side in SIDES.items():
            mine = attacks.get((number, sign), [])
            rows += [_told(row, side, parts[row["part"]]) for row in mine]
            reached = {by for row in mine for by in row["by"]}
            missing = [by for by in (NEW, OLD) if by not in reached and ANY not in reached]
            if missing:
                by = ANY if len(missing) == 2 else missing[0]
                rows.append({"direction": side, "by": by, "cannot": obstacle(stands[chosen], number, value, sign, new=by == NEW)})
        found[key] = {"share": SHARE, "attacks": rows}
    return found


def _moments(part: Part, place: int) -> Places:
    """When the rows of an attack are shown: at each moment as many."""
    spot, copies = part.plans.spot[int(part.found.plan[place])], int(part.found.copies[place])
    times: Places = spot.times[:copies] if part.ground.level.estimator is Estimator.TWAP else spot.times
    return times


def _told(row: dict[str, Any], side: str, part: Part) -> dict[str, Any]:
    level = part.ground.level
    sized = kind_of(level) not in QUOTES or interval(level, "quantity")[0] > 0
    return {
        "direction": side,
        "by": row["by"][0],
        "provider": row["name"],
        "least": row["least"],
        "level": level.name,
        "kind": kind_of(level).value,
        "observations": row["observations"],
        "at": [str(np.datetime64(moment, "us")) + "Z" for moment in _moments(part, row["place"]).tolist()],
        "quantity": row["quantity"] if sized else None,
        "price": row["price"],
        "confidence": None if level.weights.confidence is None else float(part.plans.weight[part.found.plan[row["place"]]]),
        "notional": row["notional"],
        "cash_cost": row["cash_cost"],
        "value": row["value"],
    }

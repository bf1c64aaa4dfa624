"""What a level without filters gives with rows added: the votes of the marks as arrays, and the estimators' own kernels over them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.kinds.index import Estimator, Vote, Weighting
from tenorgrid.indices import estimators
from tenorgrid.indices.estimators import Places, Vector
from tenorgrid.indices.levels import cast_votes, estimate
from tenorgrid.indices.specification import Level, Sufficiency
from tenorgrid.indices.weights import capped, halved
from tenorgrid.indices.windows import SEEN


@dataclass(frozen=True, kw_only=True)
class Votes:
    """The votes of all marks, those of mark k from `bounds[k]` to `bounds[k + 1]` by part and time, and the rows that they are made of.

    `who` numbers the contributors; `own` (mark times the number of names, plus who) begins the rows of each contributor in `rows`.
    """

    level: Level
    price: Vector
    weight: Vector
    who: Places
    time: Places
    part: Places
    bounds: Places
    names: dict[str, int]
    rows: Vector
    trust: Vector
    size: Vector
    own: Places
    counts: dict[str, Vector]
    opens: Places
    ends: Places


def votes_of(rows: pl.DataFrame, level: Level, marks: pl.DataFrame, periods: pl.DataFrame) -> Votes:
    """The votes that rows cast.

    Args:
        rows: that count, with mark, in the order of mark and time.
        level: the rule.
        marks: mark, opens, end and seen.
        periods: as `periods` gives them.
    """
    used = rows.rename({"mark": "index"})
    cast = cast_votes(used, level, periods).sort("index", "part", maintain_order=True)
    names = {name: number for number, name in enumerate(used["provider"].unique().sort().to_list())}
    column = level.weights.confidence
    told = used.with_columns(who=pl.col("provider").replace_strict(names, return_dtype=pl.Int64)).sort("index", "who", maintain_order=True)
    place = np.arange(marks.height * max(len(names), 1) + 1)
    number = told["index"].to_numpy() * max(len(names), 1) + told["who"].to_numpy()
    trust = np.ones(told.height) if column is None else told[column].cast(pl.Float64).to_numpy()
    return Votes(
        level=level,
        price=cast["price"].to_numpy(),
        weight=cast["weight"].to_numpy(),
        who=cast["provider"].replace_strict(names, return_dtype=pl.Int64).to_numpy(),
        time=cast["time"].to_physical().to_numpy(),
        part=cast["part"].to_numpy(),
        bounds=np.searchsorted(cast["index"].to_numpy(), np.arange(marks.height + 1)),
        names=names,
        rows=told["price"].to_numpy(),
        trust=trust,
        size=told["quantity"].fill_null(0.0).to_numpy(),
        own=np.searchsorted(number, place),
        counts=_counts(used, marks),
        opens=marks["opens"].to_physical().to_numpy(),
        ends=marks["end"].to_physical().to_numpy(),
    )


def _counts(used: pl.DataFrame, marks: pl.DataFrame) -> dict[str, Vector]:
    each = (
        used.join(marks.select(index="mark", last=SEEN), on="index")
        .group_by("index")
        .agg(
            observations=pl.len(),
            contributors=pl.col("provider").n_unique(),
            days=pl.col(SEEN).n_unique(),
            quantity=pl.col("quantity").sum(),
            today=(pl.col(SEEN) == pl.col("last")).any(),
        )
    )
    found = marks.select(index="mark").join(each, on="index", how="left", maintain_order="left")
    return {name: found[name].cast(pl.Float64).fill_null(0.0).to_numpy() for name in found.columns if name != "index"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One contributor's rows for each case: mark, name (-1 is new), price, quantity, rows at each moment, and the moments, case by case."""

    mark: Places
    who: Places
    price: Vector
    quantity: Vector
    copies: Places
    slots: Places
    times: Places
    trust: Vector


def values_of(votes: Votes, case: Case) -> tuple[Vector, dict[str, Vector]]:
    """(cases,) the value with the rows added, NaN where there is none; and what stands behind it: counts, partitions, largest share."""
    level = votes.level
    base, extra = _base(votes, case), _extra(votes, case)
    which, price, weight, who, time, part = (np.concatenate(both) for both in zip(base, extra, strict=True))
    order = (
        np.lexsort((time, part, which)) if level.estimator is Estimator.TWAP else np.argsort(which * level.partitions + part, kind="stable")
    )
    which, price, weight, who, time, part = (column[order] for column in (which, price, weight, who, time, part))
    piece = which * level.partitions + part
    begins = np.flatnonzero(np.concatenate([[True], piece[1:] != piece[:-1]]))
    bounds, owner = np.append(begins, piece.size), which[begins]
    exists = np.ones(begins.size, dtype=bool)
    final = weight
    if level.weights.cap is not None or level.weights.floor is not None:
        final, exists = capped(weight, who, bounds, cap=level.weights.cap, floor=level.weights.floor)
    found = estimate(price, final, time, votes.ends[case.mark[owner]], bounds, level)
    count = np.bincount(owner, weights=exists, minlength=case.mark.size).astype(np.float64)
    total = np.bincount(owner, weights=np.where(exists, found, 0.0), minlength=case.mark.size)
    value: Vector = np.divide(total, count, out=np.full(count.size, np.nan), where=count > 0)
    return value, _behind(votes, case) | {"partitions": count, "largest_share": _largest(votes, which, who, weight, case.mark.size)}


def suffices(least: Sufficiency, value: Vector, behind: dict[str, Vector]) -> npt.NDArray[np.bool_]:
    """Which values are enough for a standard."""
    enough = [behind[name] >= getattr(least, name) for name in ("observations", "contributors", "days", "partitions", "quantity")]
    found: npt.NDArray[np.bool_] = np.isfinite(value) & (behind["largest_share"] <= least.largest_share + estimators.HAIR)
    for one in enough:
        found &= one
    return found


def _base(votes: Votes, case: Case) -> tuple[npt.NDArray[np.generic], ...]:
    """The votes of each case's mark, but the contributor's own where it has one vote."""
    count = np.diff(votes.bounds)[case.mark]
    which = np.repeat(np.arange(case.mark.size), count)
    place = np.repeat(votes.bounds[case.mark] - np.cumsum(count) + count, count) + np.arange(which.size)
    if votes.level.vote is not None:
        others = votes.who[place] != case.who[which]
        which, place = which[others], place[others]
    return which, votes.price[place], votes.weight[place], votes.who[place], votes.time[place], votes.part[place]


def _extra(votes: Votes, case: Case) -> tuple[npt.NDArray[np.generic], ...]:
    """The votes that the contributor's rows cast."""
    level = votes.level
    who = np.where(case.who < 0, len(votes.names), case.who)
    if level.vote is not None:
        return _one_vote(votes, case, who)
    slot = np.repeat(np.arange(case.mark.size), case.slots)  # of each moment its case
    which = np.repeat(slot, case.copies[slot])
    time = np.repeat(case.times, case.copies[slot])
    mark = case.mark[which]
    opens, ends = votes.opens[mark], votes.ends[mark]
    part = (time - opens) * level.partitions // (ends - opens)
    weight = _weights(level, case.quantity[which], case.trust[which], ends - time)
    return which, case.price[which], weight, who[which], time, part


def _one_vote(votes: Votes, case: Case, who: Places) -> tuple[npt.NDArray[np.generic], ...]:
    """The contributor's one vote, of its own rows and those added."""
    level, every = votes.level, np.arange(case.mark.size)
    key = _own(votes, case)
    count = np.where(case.who < 0, 0, votes.own[key + 1] - votes.own[key])
    mine = np.repeat(votes.own[key] - np.cumsum(count) + count, count) + np.arange(count.sum())
    added = case.copies * case.slots
    case_of = np.concatenate([np.repeat(every, count), np.repeat(every, added)])
    order = np.argsort(case_of, kind="stable")
    price = np.concatenate([votes.rows[mine], np.repeat(case.price, added)])[order]
    bounds = np.concatenate([[0], np.cumsum(count + added)])
    match level.vote:
        case Vote.MEDIAN:
            voted = estimators.medians(price, bounds)
        case Vote.MEAN:
            voted = estimators.means(price, np.ones(price.size), bounds)
        case Vote.LOWEST:
            voted = np.minimum.reduceat(price, bounds[:-1])
        case _:
            voted = case.price
    trust = (np.bincount(np.repeat(every, count), weights=votes.trust[mine], minlength=every.size) + added * case.trust) / (count + added)
    size = np.bincount(np.repeat(every, count), weights=votes.size[mine], minlength=every.size) + added * case.quantity
    time = case.times[np.cumsum(case.slots) - 1]
    weight = _weights(level, size, trust, votes.ends[case.mark] - time)
    return every, voted, weight, who, time, np.zeros(every.size, dtype=np.int64)


def _weights(level: Level, quantity: Vector, trust: Vector, age: Places) -> Vector:
    found = np.ones(quantity.size)
    if Weighting.QUANTITY in level.weights.by:
        found = found * quantity
    if Weighting.CONFIDENCE in level.weights.by:
        found = found * trust
    if level.weights.half_life is not None:
        found = found * halved(age.astype(np.float64), level.weights.half_life.total_seconds() * 1e6)
    return found


def _behind(votes: Votes, case: Case) -> dict[str, Vector]:
    counts = {name: column[case.mark] for name, column in votes.counts.items()}
    added = case.copies * case.slots
    key = _own(votes, case)
    here = (case.who >= 0) & (votes.own[key + 1] > votes.own[key])
    return {
        "observations": counts["observations"] + added,
        "contributors": counts["contributors"] + ~here,
        "days": counts["days"] + (counts["today"] == 0),
        "quantity": counts["quantity"] + added * case.quantity,
    }


def _own(votes: Votes, case: Case) -> Places:
    """Where the rows of each case's contributor stand in `own`; of a new one anywhere."""
    return case.mark * max(len(votes.names), 1) + np.maximum(case.who, 0)


def _largest(votes: Votes, which: Places, who: Places, weight: Vector, cases: int) -> Vector:
    """The largest share of the weight that one contributor has before caps; nothing where no standard looks at it."""
    standards = [one for one in (votes.level.publish, votes.level.low_confidence) if one is not None]
    if all(one.largest_share >= 1 for one in standards):
        return np.zeros(cases)
    number = len(votes.names) + 1
    each = np.bincount(which * number + who, weights=weight, minlength=cases * number).reshape(cases, number)
    found: Vector = each.max(axis=1) / each.sum(axis=1)
    return found

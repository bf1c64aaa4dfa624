r"""Weights of contributors from what they showed: by capacity or kind, of the day itself or of a scheduled review.

A contributor's weight of a day is :math:`d = m_k \min(\sum c, \bar c)`, with the multiple of its kind of observation, the capacities of
its rows and the most that counts; where its kind shows no capacity, :math:`d = m_k c_0`. A review that takes effect on a weekday gives it
until the next one

.. math:: w = \operatorname{median}(d) \cdot \frac{\text{days on which it was seen}}{\text{days of collection}}

over the window before, and :math:`m_k c_0` to a contributor that the window has not. While the window has too few days of collection the
weight is that of the day itself.

Source: EU-CRI methodology 0.2.0-dev, section 3.1, and 0.3.0-dev, section 3 (github.com/markrusch/Compute-Index, METHODOLOGY.md).
"""

from dataclasses import replace
from datetime import timedelta
from typing import cast, get_args

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind, Weighting
from tenorgrid.indices.eligibility import screen
from tenorgrid.indices.review_terms import Review, Schedule, Spread, Standing
from tenorgrid.indices.section import Section
from tenorgrid.indices.specification import RESERVED, Level, Methodology, Weights

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GROUP = ["resource", "provider"]
DAY, CAPACITY, WEIGHT, RANK = "day", "capacity", "weight", "rank"


def reviewed(observations: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """Observations with the attribute that each review of the methodology makes; as they are where there is none.

    A row that its level's requirements exclude, or whose contributor shows a preferred kind, has a null there.

    Args:
        observations: `Observations`, with attributes: all that was collected, for any row makes its day a day of collection.
        methodology: the rule.

    Raises `InputError` where the attribute is there already, or the column of the capacity is not, or is not of numbers.

    >>> from datetime import UTC, datetime
    >>> from tenorgrid.indices.methodology import load
    >>> row = {"time": datetime(2027, 3, 8, 12, tzinfo=UTC), "resource": "h100-sxm", "tier": "firm", "country": "DE", "term": "on_demand"}
    >>> row |= {"kind": "firm quote", "price": 2.0}
    >>> asks = [row | {"observation_id": f"o{gpus:.0f}", "provider": "bazaar", "gpu_count": gpus} for gpus in (4.0, 8.0, 16.0)]
    >>> reviewed(pl.DataFrame(asks), load("eu-cri-0.2.0"))["review_weight"].to_list()  # twice the GPUs of the two that are eligible
    [None, 48.0, 48.0]
    """
    for level in methodology.levels:
        if level.review is not None:
            observations = _with_weights(observations, level, level.review, methodology)
    return observations


def _with_weights(observations: pl.DataFrame, level: Level, review: Review, methodology: Methodology) -> pl.DataFrame:
    if review.name in observations.columns:
        raise InputError.of("observations", f"no such column: the review of the level {level.name!r} makes it", column=review.name)
    if review.column is not None and review.column not in observations.columns:
        asked = f"a column, which the review of the level {level.name!r} asks for"
        raise InputError.of("observations", asked, column=review.column, value="a missing column")
    if review.column is not None and not ((kind := observations.schema[review.column]).is_numeric() or kind == pl.Null):
        asked = f"numbers, which the review of the level {level.name!r} asks for"
        raise InputError.of("observations", asked, column=review.column, value=str(kind))
    rows = observations.with_columns(_day(methodology))
    chosen = _preferred(screen(rows, _bare(level, review)).eligible, review)
    daily = _daily(chosen, review)
    collected = rows[DAY].unique().sort()
    weights = daily if review.schedule is None else _by_schedule(daily, collected, review, review.schedule)
    found = chosen.join(weights.select(*GROUP, DAY, WEIGHT), on=[*GROUP, DAY], how="left", maintain_order="left")
    if review.spread == "by capacity":
        own = pl.col(CAPACITY)
        found = found.with_columns(pl.col(WEIGHT) * own / own.sum().over(*GROUP, DAY))
    named = found.select("observation_id", pl.col(WEIGHT).alias(review.name))
    return observations.join(named, on="observation_id", how="left", maintain_order="left")


def _bare(level: Level, review: Review) -> Level:
    """The level's eligibility without what depends on the weights."""
    asked = tuple(part for part in level.requirements if part.column != review.name)
    return replace(level, requirements=asked, filters=(), weights=Weights(by=(Weighting.EQUAL,)))


def _day(methodology: Methodology) -> pl.Expr:
    local = pl.col("time").dt.convert_time_zone(methodology.timezone)
    late = pl.lit(False) if methodology.cut_off is None else local.dt.time() >= methodology.cut_off
    return (local.dt.date() + pl.when(late).then(timedelta(1)).otherwise(timedelta(0))).alias(DAY)


def _preferred(rows: pl.DataFrame, review: Review) -> pl.DataFrame:
    """Rows of each contributor's preferred kind, with their capacity and what one unit of it weighs."""
    kinds = [kind.value for kind in review.multiples]
    kind = pl.col("kind").cast(pl.String)
    ranked = rows.with_columns(kind.replace_strict(kinds, range(len(kinds)), default=None, return_dtype=pl.Int64).alias(RANK))
    ranked = ranked.filter(pl.col(RANK) == pl.col(RANK).min().over(*GROUP, DAY))
    offered = pl.lit(None, dtype=pl.Float64) if review.column is None else pl.col(review.column).cast(pl.Float64)
    return ranked.with_columns(
        kind.replace_strict(kinds, list(review.multiples.values()), return_dtype=pl.Float64).alias("multiple"),
        kind.is_in([part.value for part in review.observed]).alias("shown"),
        offered.alias("offered"),
        offered.clip(upper_bound=review.at_most).fill_null(pl.lit(review.unknown, dtype=pl.Float64)).alias(CAPACITY),
    )


def _daily(rows: pl.DataFrame, review: Review) -> pl.DataFrame:
    """A contributor's weight of each day, and what it would be with unknown capacity."""
    groups, one = rows.group_by(*GROUP, DAY, maintain_order=True), pl.col("multiple").first()
    if review.standing == "kind":
        return groups.agg(one.alias(WEIGHT))
    offered, unknown = pl.col("offered"), pl.lit(review.unknown, dtype=pl.Float64)
    known = pl.col("shown").first() & (offered.count() > 0)
    capacity = pl.when(known).then(offered.sum().clip(upper_bound=review.at_most)).otherwise(unknown)
    return groups.agg((one * capacity).alias(WEIGHT), (one * unknown).alias("newcomer"))


def _by_schedule(daily: pl.DataFrame, collected: pl.Series, review: Review, schedule: Schedule) -> pl.DataFrame:
    """Weights of each day as the review in effect gives them."""
    since = (pl.col(DAY).dt.weekday().cast(pl.Int64) - schedule.weekday) % 7
    effect = (pl.col(DAY) - pl.duration(days=since)).alias("effect")
    days = daily.with_columns(effect)
    reviews = days.select("effect").unique()
    before = pl.col("seen").is_between(pl.col("effect") - timedelta(schedule.window_days), pl.col("effect"), closed="left")
    counts = reviews.join(collected.rename("seen").to_frame(), how="cross").filter(before).group_by("effect").agg(pl.len().alias("days"))
    windows = reviews.join(daily.rename({DAY: "seen"}), how="cross").filter(before).join(counts, on="effect")
    medians = windows.group_by("effect", *GROUP).agg(pl.col(WEIGHT).median() * pl.len() / pl.col("days").first())
    both = days.join(medians.rename({WEIGHT: "reviewed"}), on=["effect", *GROUP], how="left", maintain_order="left")
    both = both.join(counts, on="effect", how="left", maintain_order="left")
    due = pl.col("days").fill_null(0) >= schedule.least_days
    return both.with_columns(pl.when(due).then(pl.col("reviewed").fill_null(pl.col("newcomer"))).otherwise(WEIGHT).alias(WEIGHT))


def read_review(section: Section) -> Review:
    """The `[levels.review]` table of a methodology file; everything that is wrong with it becomes a fault of the section."""
    multiples = section.section("multiples")
    for name in multiples.names():
        if name not in list(ObservationKind):
            multiples.fault(name, f"kinds out of {', '.join(ObservationKind)}", name)
    read = {name: multiples.positive(name) for name in multiples.names()}
    if not read:
        section.fault("multiples", "at least one kind of observation with its multiple")
    found = Review(
        name=section.text("name"),
        standing=cast(Standing, _one(section, "standing", get_args(Standing))),
        spread=cast(Spread, _one(section, "spread", get_args(Spread))),
        multiples={ObservationKind(name): value for name, value in read.items() if name in list(ObservationKind)},
        column=section.text("column") if section.has("column") else None,
        at_most=section.positive("at_most") if section.has("at_most") else None,
        unknown=section.positive("unknown") if section.has("unknown") else None,
        observed=section.choices("observed", ObservationKind) if section.has("observed") else (),
        schedule=_schedule(section.section("schedule")) if section.has("schedule") else None,
    )
    _refuse(section, found)
    multiples.close()
    section.close()
    return found


def _refuse(section: Section, found: Review) -> None:
    for key, column in (("name", found.name), ("column", found.column)):
        if column in RESERVED:
            section.fault(key, f"a column other than {', '.join(RESERVED)}", column)
    by_capacity = found.standing == "capacity"
    sized = by_capacity or found.spread == "by capacity"
    given = {"column": found.column, "at_most": found.at_most, "unknown": found.unknown}
    for key, value in given.items():
        if value is not None and not sized:
            section.fault(key, "nothing where capacity neither makes a weight nor spreads it", value)
    if found.column is None and sized:
        section.fault("column", "the column of the capacity")
    for key, there in (("unknown", found.unknown is not None), ("observed", bool(found.observed))):
        if by_capacity and not there:
            section.fault(key, "this, where contributors weigh by capacity")
    if found.observed and not by_capacity:
        section.fault("observed", "nothing where contributors weigh by kind", ", ".join(found.observed))
    if strange := [kind for kind in found.observed if kind not in found.multiples]:
        section.fault("observed", "kinds that have a multiple", ", ".join(strange))
    if found.schedule is not None and not by_capacity:
        section.fault("schedule", "a schedule where contributors weigh by capacity", found.standing)


def _one(section: Section, key: str, values: tuple[str, ...]) -> str:
    found = section.text(key)
    if found not in values:
        section.fault(key, f"one of {', '.join(values)}", found)
        return values[0]
    return found


def _schedule(section: Section) -> Schedule:
    weekday = _one(section, "weekday", WEEKDAYS)
    found = Schedule(
        weekday=WEEKDAYS.index(weekday) + 1,
        window_days=section.whole("window_days", least=1),
        least_days=section.whole("least_days", least=1),
    )
    if found.least_days > found.window_days:
        section.fault("least_days", f"at most the {found.window_days} days of the window", found.least_days)
    section.close()
    return found

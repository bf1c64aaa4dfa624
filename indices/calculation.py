"""From observations to marks: the first level of evidence that suffices, else the fallback, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks, Observations
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.fallback import NO_REASONS, carried
from tenorgrid.indices.levels import COUNTS, Evidence, reaches, tried
from tenorgrid.indices.reviews import reviewed
from tenorgrid.indices.scope import GPU_HOUR, NAME, refuse_mixed, scope
from tenorgrid.indices.specification import Level, Methodology
from tenorgrid.indices.windows import MARK, back, periods

REVISION = 0
WEEK = 7
EXCLUSION: dict[str, pl.DataType] = {
    "index": pl.String(),
    "start": pl.Datetime("us", "UTC"),
    "observation_id": pl.String(),
    "rule": pl.String(),
    "value": pl.String(),
    "limit": pl.String(),
}


@dataclass(frozen=True, kw_only=True)
class Left:
    """What days leave to those that follow: `known`, since when each index is seen and its unit, and `chosen`, the level and value of each
    mark as far back as the fallback reaches."""

    known: pl.DataFrame
    chosen: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class Calculation:
    """Everything that was decided on the way to the marks of the days [first, end).

    `marked` are the periods, as `periods` gives them, `observations` what was handed in, and `rows` what `scope` made of it from the day
    `since` on. `decided` has a row per mark: the level chosen (null where none was), its unrounded value and what stood behind it, the
    value as printed, its status, `carried_from` and the reasons for low confidence. `left` is for the calculation of the days that follow.
    """

    methodology: Methodology
    first: date
    end: date
    since: date
    marked: pl.DataFrame
    observations: pl.DataFrame
    rows: pl.DataFrame
    evidence: tuple[Evidence, ...]
    decided: pl.DataFrame
    left: Left

    @property
    def marks(self) -> pl.DataFrame:
        """`Marks`."""
        rule = self.methodology
        frame = self.decided.select(
            "index",
            pl.lit(rule.name).alias("methodology"),
            "start",
            "end",
            pl.col("end").alias("published_at"),
            pl.lit(REVISION).alias("revision"),
            "value",
            ("USD/" + pl.col("unit")).alias("unit"),
            "quantity",
            "status",
            pl.lit(rule.hash).alias("method_hash"),
        )
        return checked(frame, Marks, name="marks").sort("index", "start")

    @property
    def exclusions(self) -> pl.DataFrame:
        """index, start, observation_id, rule, value, limit: of the level that made each mark, of all levels where none did."""
        found = [
            part.excluded.join(self.decided.select(*MARK, "level"), on=MARK).filter(
                pl.col("level").is_null() | (pl.col("level") == part.level.name)
            )
            for part in self.evidence
        ]
        frames = [part.select(pl.col(name).cast(kind) for name, kind in EXCLUSION.items()) for part in found]
        return pl.concat([pl.DataFrame(schema=EXCLUSION), *frames]).sort("index", "start", "observation_id", "rule")


def calculate(
    observations: pl.DataFrame,
    *,
    methodology: Methodology,
    first: date,
    end: date,
    indices: Sequence[str] | None = None,
    left: Left | None = None,
) -> Calculation:
    """The marks of the days [first, end) and all that led to them.

    An index has marks from the first period by whose end something in its scope was seen, as far back as window and fallback reach.
    Levels are tried in order: the first that suffices to publish, else the first that suffices for low confidence, else the fallback.

    Args:
        observations: `Observations`, with attributes, in any order.
        methodology: the rule.
        first: first day.
        end: the day after the last.
        indices: only these, each from the first day on; None is every one that shows up.
        left: of the calculation of the days until `first`. With it the marks are what one calculation of all the days would give, and
            `observations` need only go back to the day that `looks_back` names.

    Raises `InputError` for bad rows, a missing attribute, mixed units, or no day.
    """
    if first >= end:
        raise InputError.of("dates", "a first day before the end", column="first", value=f"{first} to {end}")
    reach = 0 if left is not None else methodology.fallback.reach
    marks = periods(methodology, first=back(methodology, first, number=reach), end=end)
    seen = checked(observations, Observations, name=NAME, attributes=True)
    since = _seen_from(methodology, marks, first)
    rows = scope(reviewed(seen, methodology), methodology, first=since, end=end, indices=None if indices is None else list(indices))
    evidence = tried(rows, methodology, marks)
    known = _known(rows, left)
    chosen = _numbered(_chosen(_grid(known, marks, named=indices), evidence, methodology), left)
    decided = carried(chosen, methodology.fallback)
    return Calculation(
        methodology=methodology,
        first=first,
        end=end,
        since=since,
        marked=marks.filter(pl.col("day") >= first),
        observations=seen,
        rows=rows,
        evidence=evidence,
        decided=decided.filter(pl.col("day") >= first).sort(MARK),
        left=Left(known=known, chosen=_within_reach(chosen, methodology)),
    )


def looks_back(methodology: Methodology, first: date, end: date, *, alone: bool) -> date:
    """The first day whose observations the marks of [first, end) depend on.

    Args:
        methodology: the rule.
        first: first day.
        end: the day after the last.
        alone: whether nothing is left of the days before, so that the fallback looks at their observations too.
    """
    reach = methodology.fallback.reach if alone else 0
    marks = periods(methodology, first=back(methodology, first, number=reach), end=end)
    schedules = [level.review.schedule for level in methodology.levels if level.review is not None]
    days = max((schedule.window_days + WEEK for schedule in schedules if schedule is not None), default=0)
    return _seen_from(methodology, marks, first) - timedelta(days)


def _seen_from(methodology: Methodology, marks: pl.DataFrame, first: date) -> date:
    """The first day whose observations anything depends on."""
    opens = marks["opens"].min()
    day = methodology.day_of(opens) if isinstance(opens, datetime) else first
    most = max((sum(part.back for part in level.filters) for level in methodology.levels), default=0)  # each looks at what the last left
    learned = 0 if methodology.normalisation is None else methodology.normalisation.days or 0
    return day - timedelta(ceil(most * methodology.every.length / timedelta(days=1)) + learned)


def _known(rows: pl.DataFrame, left: Left | None) -> pl.DataFrame:
    """index, since and unit of what was seen by now. Raises `InputError` where an index had another unit before."""
    known = rows.group_by("index").agg(pl.col("time").min().alias("since"), pl.col("unit").first())
    if left is None:
        return known
    both = pl.concat([left.known, known])
    refuse_mixed(both)
    return both.group_by("index").agg(pl.col("since").min(), pl.col("unit").first())


def _grid(known: pl.DataFrame, marks: pl.DataFrame, *, named: Sequence[str] | None) -> pl.DataFrame:
    """Every index and period that is decided on."""
    if named is not None:
        asked = pl.DataFrame({"index": sorted(set(named))}, schema={"index": pl.String})
        known = asked.join(known, on="index", how="left").with_columns(since=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
        known = known.with_columns(pl.col("unit").fill_null(GPU_HOUR))
    grid = known.join(marks.drop("opens").with_row_index("number"), how="cross")
    seen = (pl.col("end") > pl.col("since")).fill_null(True)
    return grid.filter(seen).drop("since").with_columns(pl.col("number").cast(pl.Int64)).sort(MARK)


def _numbered(chosen: pl.DataFrame, left: Left | None) -> pl.DataFrame:
    """The marks of these days after those that were left, numbered on."""
    if left is None:
        return chosen
    last = left.chosen["number"].max()
    number = pl.col("number") + (int(last) + 1 if isinstance(last, int) else 0)
    return pl.concat([left.chosen, chosen.with_columns(number)]).sort(MARK)


def _within_reach(chosen: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """What the fallback of later periods can still look at; at least the last period, by whose number they are counted."""
    return chosen.filter(pl.col("number") > pl.col("number").max() - max(methodology.fallback.reach, 1))


def _chosen(grid: pl.DataFrame, evidence: tuple[Evidence, ...], methodology: Methodology) -> pl.DataFrame:
    """The level that decides each mark, with its numbers; null where none suffices."""
    best = by_evidence(evidence)
    best = best.with_columns(
        value=pl.Series(
            [rounded(value, decimals=methodology.decimals, rule=methodology.rounding) for value in best["value"]], dtype=pl.Float64
        ),
    )
    return grid.join(best.drop("rank", "votes"), on=MARK, how="left", maintain_order="left")


def by_evidence(evidence: tuple[Evidence, ...]) -> pl.DataFrame:
    """The level that decides each mark by its `rank` (the first that publishes, else the first that suffices for low confidence), with
    its numbers, `unrounded`, status and reasons. Marks of which no level suffices have no row."""
    offers = []
    for number, part in enumerate(evidence):
        level, values = part.level, part.values
        publishes = reaches(level.publish) if level.publish is not None else pl.lit(False)
        rank = pl.when(publishes).then(number).when(reaches(level.low_confidence)).then(number + len(evidence))
        offers.append(
            values.with_columns(rank=rank, level=pl.lit(level.name), reasons=_reasons(level)).filter(pl.col("rank").is_not_null())
        )
    best = pl.concat(offers).sort(*MARK, "rank").unique(MARK, keep="first", maintain_order=True)
    sound = pl.col("rank") < len(evidence)
    status = pl.when(sound).then(pl.lit(MarkStatus.PUBLISHED.value)).otherwise(pl.lit(MarkStatus.LOW_CONFIDENCE.value))
    return best.with_columns(status=status, reasons=pl.when(~sound).then("reasons").otherwise(NO_REASONS), unrounded="value")


def _reasons(level: Level) -> pl.Expr:
    """What is short of the level's own standard, in words."""
    least = level.publish
    if least is None:
        return pl.lit([f"{level.name} is never more than low-confidence"], dtype=pl.List(pl.String))
    texts = []
    for name in COUNTS:
        count, asked = pl.col(name).fill_null(0), getattr(least, name)
        texts.append(pl.when(count < asked).then(pl.format(f"{{}} {name}, fewer than {asked:g}", count)))
    share = pl.col("largest_share")
    dominant = pl.format(f"a contributor has {{}} of the weight, more than {least.largest_share:g}", share.round_sig_figs(6))
    return pl.concat_list(*texts, pl.when(share > least.largest_share).then(dominant)).list.drop_nulls()

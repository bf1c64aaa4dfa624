"""From observations to marks: the first level of evidence that suffices, else the fallback, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import MarkStatus
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks, Observations
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.fallback import NO_REASONS, carried
from tenorgrid.indices.levels import COUNTS, Evidence, reaches, tried
from tenorgrid.indices.reviews import reviewed
from tenorgrid.indices.scope import GPU_HOUR, NAME, scope
from tenorgrid.indices.specification import Level, Methodology
from tenorgrid.indices.windows import MARK, back, periods

REVISION = 0
EXCLUSION: dict[str, pl.DataType] = {
    "index": pl.String(),
    "start": pl.Datetime("us", "UTC"),
    "observation_id": pl.String(),
    "rule": pl.String(),
    "value": pl.String(),
    "limit": pl.String(),
}


@dataclass(frozen=True, kw_only=True)
class Calculation:
    """Everything that was decided on the way to the marks of the days [first, end).

    `marked` are the periods, as `periods` gives them, `observations` what was handed in, and `rows` what `scope` made of it from the day
    `since` on. `decided` has a row per mark: the level chosen (null where none was), its unrounded value and what stood behind it, the
    value as printed, its status, `carried_from` and the reasons for low confidence.
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
    observations: pl.DataFrame, *, methodology: Methodology, first: date, end: date, indices: Sequence[str] | None = None
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

    Raises `InputError` for bad rows, a missing attribute, mixed units, or no day.
    """
    if first >= end:
        raise InputError.of("dates", "a first day before the end", column="first", value=f"{first} to {end}")
    marks = periods(methodology, first=back(methodology, first, number=methodology.fallback.reach), end=end)
    seen = checked(observations, Observations, name=NAME, attributes=True)
    since = _seen_from(methodology, marks, first)
    known = scope(reviewed(seen, methodology), methodology, first=since, end=end, indices=None if indices is None else list(indices))
    evidence = tried(known, methodology, marks)
    decided = carried(_chosen(_grid(known, marks, named=indices), evidence, methodology), methodology.fallback)
    return Calculation(
        methodology=methodology,
        first=first,
        end=end,
        since=since,
        marked=marks.filter(pl.col("day") >= first),
        observations=seen,
        rows=known,
        evidence=evidence,
        decided=decided.filter(pl.col("day") >= first).sort(MARK),
    )


def _seen_from(methodology: Methodology, marks: pl.DataFrame, first: date) -> date:
    """The first day whose observations anything depends on."""
    opens = marks["opens"].min()
    day = methodology.day_of(opens) if isinstance(opens, datetime) else first
    most = max((part.back for level in methodology.levels for part in level.filters), default=0)
    learned = 0 if methodology.normalisation is None else methodology.normalisation.days or 0
    return day - timedelta(ceil(most * methodology.every.length / timedelta(days=1)) + learned)


def _grid(rows: pl.DataFrame, marks: pl.DataFrame, *, named: Sequence[str] | None) -> pl.DataFrame:
    """Every index and period that is decided on."""
    known = rows.group_by("index").agg(pl.col("time").min().alias("since"), pl.col("unit").first())
    if named is not None:
        asked = pl.DataFrame({"index": sorted(set(named))}, schema={"index": pl.String})
        known = asked.join(known, on="index", how="left").with_columns(since=pl.lit(None, dtype=pl.Datetime("us", "UTC")))
        known = known.with_columns(pl.col("unit").fill_null(GPU_HOUR))
    grid = known.join(marks.drop("opens").with_row_index("number"), how="cross")
    seen = (pl.col("end") > pl.col("since")).fill_null(True)
    return grid.filter(seen).drop("since").with_columns(pl.col("number").cast(pl.Int64)).sort(MARK)


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

"""From observations to marks: the first level of evidence that suffices, else the last print carried, else nothing, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import MarkStatus
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.levels import COUNTS, Evidence, reaches, tried
from tenorgrid.indices.scope import MARK, scope
from tenorgrid.indices.specification import Level, Methodology

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

    `decided` has a row per mark: the level chosen (null where none was), its unrounded value and what stood behind it, the value as
    printed, its status, `carried_from` and the reasons for low confidence.
    """

    methodology: Methodology
    first: date
    end: date
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
            part.excluded.join(self.decided.select(*MARK, "start", "level"), on=MARK).filter(
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

    An index has marks from the first day on which something in its scope was seen, as far back as window and fallback reach. Levels are
    tried in order: the first that suffices to publish, else the first that suffices for low confidence, else the last such print of the
    days before, as far as the fallback goes, else the mark is withheld.

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
    rows = scope(observations, methodology, first=first, end=end, indices=None if indices is None else list(indices))
    early = first - timedelta(methodology.carry_days)
    evidence = tried(rows, methodology, first=early, end=end)
    grid = _grid(rows, early, end, named=indices)
    decided = _carried(_chosen(grid, evidence, methodology), methodology)
    decided = decided.filter(pl.col("day") >= first).sort(MARK)
    periods = _periods(methodology, first, end)
    return Calculation(
        methodology=methodology,
        first=first,
        end=end,
        rows=rows,
        evidence=evidence,
        decided=decided.join(periods, on="day", maintain_order="left"),
    )


def _grid(rows: pl.DataFrame, first: date, end: date, *, named: Sequence[str] | None) -> pl.DataFrame:
    """Every index and day that is decided on."""
    known = rows.group_by("index").agg(pl.col("day").min().alias("since"), pl.col("unit").first())
    if named is not None:
        asked = pl.DataFrame({"index": sorted(set(named))}, schema={"index": pl.String})
        known = asked.join(known, on="index", how="left").with_columns(since=pl.lit(first), unit=pl.col("unit").fill_null("GPUh"))
    days = pl.select(pl.date_range(first, end, closed="left").alias("day"))
    return known.join(days, how="cross").filter(pl.col("day") >= pl.col("since")).drop("since").sort(MARK)


def _chosen(grid: pl.DataFrame, evidence: tuple[Evidence, ...], methodology: Methodology) -> pl.DataFrame:
    """The level that decides each mark, with its numbers; null where none suffices."""
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
    best = best.with_columns(
        status=status,
        reasons=pl.when(~sound).then("reasons").otherwise(pl.lit([], dtype=pl.List(pl.String))),
        unrounded="value",
        value=pl.Series(
            [rounded(value, decimals=methodology.decimals, rule=methodology.rounding) for value in best["value"]], dtype=pl.Float64
        ),
    )
    return grid.join(best.drop("rank", "votes"), on=MARK, how="left", maintain_order="left")


def _reasons(level: Level) -> pl.Expr:
    """What is short of the level's own standard, in words."""
    if level.publish is None:
        return pl.lit([f"{level.name} is never more than low-confidence"], dtype=pl.List(pl.String))
    texts = [
        pl.when(pl.col(name) < least).then(pl.format(f"{{}} {name}, fewer than {least}", pl.col(name)))
        for name in COUNTS
        if (least := getattr(level.publish, name)) > 1
    ]
    return pl.concat_list(texts).list.drop_nulls() if texts else pl.lit([], dtype=pl.List(pl.String))


def _carried(chosen: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """Days without a print of their own take the last one at most `carry_days` back."""
    made = pl.col("level").is_not_null()
    back = chosen.with_columns(
        last=pl.col("value").forward_fill().over("index"),
        carried_from=pl.when(made).then("day").forward_fill().over("index"),
    )
    near = (pl.col("day") - pl.col("carried_from")).dt.total_days() <= methodology.carry_days
    kept = ~made & near.fill_null(False)
    return back.with_columns(
        value=pl.when(kept).then("last").otherwise("value"),
        status=pl.when(made).then("status").when(kept).then(pl.lit(MarkStatus.CARRIED.value)).otherwise(pl.lit(MarkStatus.WITHHELD.value)),
        carried_from=pl.when(kept).then("carried_from"),
        reasons=pl.col("reasons").fill_null(pl.lit([], dtype=pl.List(pl.String))),
    ).drop("last")


def _periods(methodology: Methodology, first: date, end: date) -> pl.DataFrame:
    days = [first + timedelta(number) for number in range((end - first).days + 1)]
    edges = list(pairwise([methodology.opens(day) for day in days]))
    return pl.DataFrame(
        {"day": days[:-1], "start": [opens for opens, _ in edges], "end": [closes for _, closes in edges]},
        schema={"day": pl.Date, "start": pl.Datetime("us", "UTC"), "end": pl.Datetime("us", "UTC")},
    )

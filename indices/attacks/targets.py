"""Which prints are attacked: those that the asked days and indices have, else the ones that most observations stand behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.indices.calculation import Calculation, calculate
from tenorgrid.indices.names import parts
from tenorgrid.indices.specification import Methodology

RECENT = 7  # days that are looked at where none is asked for


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is attacked: days [first, end), None for the last seven that were seen; indices, None for the `most` with most observations."""

    first: date | None = None
    end: date | None = None
    indices: tuple[str, ...] | None = None
    most: int = 3


def targets(observations: pl.DataFrame, rule: Methodology, asked: Asked) -> pl.DataFrame | str:
    """index, start and day of the prints that are attacked, one an index and day; or why the methodology does not fit, in words.

    Of a day with several prints the last fresh one is taken. Without days, one print an index: the one with most observations, the later
    of equal ones. Without indices, the `most` with most observations, at most one of a resource and tier.
    """
    try:
        made = calculate(
            observations, methodology=rule, first=(span := _days(observations, rule, asked))[0], end=span[1], indices=asked.indices
        )
    except InputError as error:
        return str(error)
    fresh = _fresh(made)
    if isinstance(fresh, str):
        return fresh
    by_day = fresh.sort("index", "start").group_by("index", "day", maintain_order=True).last()
    if asked.first is None:
        by_day = by_day.sort("index", "observations", "start").group_by("index", maintain_order=True).last()
    if asked.indices is None:
        by_day = by_day.filter(pl.col("index").is_in(_largest(by_day, asked.most)))
    return by_day.select("index", "start", "day").sort("index", "start")


def _days(observations: pl.DataFrame, rule: Methodology, asked: Asked) -> tuple[date, date]:
    last = observations["time"].max()
    if not isinstance(last, datetime):
        raise InputError.of("observations", "at least one row")
    end = asked.end or rule.day_of(last) + timedelta(1)
    return asked.first or end - timedelta(RECENT), end


def _fresh(made: Calculation) -> pl.DataFrame | str:
    """Prints that a level gave their value; a level of clearing prices alone is nothing that anybody adds rows to."""
    cleared = [part.name for part in made.methodology.levels if part.kinds == (ObservationKind.CLEARING,)]
    known = made.decided.filter(pl.col("level").is_not_null())
    if known.is_empty():
        seen = sum(part.used.height + part.excluded.height for part in made.evidence)
        if not seen:
            return "nothing that it looks at is there on these days"
        return f"no level suffices on any of these days{_short(made)}"
    fresh = known.filter(~pl.col("level").is_in(cleared))
    return fresh if not fresh.is_empty() else "its marks are made of clearing prices, to which nobody adds rows"


def _short(made: Calculation) -> str:
    """Which rules took most out, so that a reader knows what is missing."""
    gone = [part.excluded for part in made.evidence if not part.excluded.is_empty()]
    if not gone:
        return ": too little is there"
    rules = (
        pl.concat([part.select("rule", "limit") for part in gone])
        .group_by("rule", "limit")
        .len()
        .sort("len", "rule", descending=[True, False])
    )
    rule, limit, number = rules.row(0)
    return f": {number} rows are excluded by {rule} ({str(limit)[:60]})"


def _largest(rows: pl.DataFrame, most: int) -> list[str]:
    by_size = rows.group_by("index").agg(pl.col("observations").max()).sort("observations", "index", descending=[True, False])
    apart = by_size.with_columns(parts()).unique(["subject", "tier"], keep="first", maintain_order=True)
    return apart.head(most)["index"].to_list()


def attacked(observations: pl.DataFrame, rule: Methodology, indices: Sequence[str], day: date) -> Calculation:
    """The calculation of indices on one day."""
    return calculate(observations, methodology=rule, first=day, end=day + timedelta(1), indices=indices)


def within(observations: pl.DataFrame, made: Calculation) -> pl.DataFrame:
    """The observations that the calculation's marks depend on: those in its scope, or all for a methodology that learns from what was
    collected, weights by review or the worth of characteristics."""
    rule = made.methodology
    if rule.normalisation is not None or any(level.review is not None for level in rule.levels):
        return observations
    return observations.join(made.rows.select("observation_id"), on="observation_id", how="semi", maintain_order="left")

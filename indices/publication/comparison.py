"""Two methodologies over the same days: what each prints, and how far they are apart."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.publication import MethodComparison
from tenorgrid.indices.marks import mark
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology

KEY = ["index", "start"]


def compare_versions(
    observations: pl.DataFrame,
    *,
    methodology: Methodology | Path | str,
    against: Methodology | Path | str,
    first: date,
    end: date,
    indices: Sequence[str] | None = None,
) -> pl.DataFrame:
    """`MethodComparison` of the days [first, end): a parallel run of two methodologies, as before a change of version.

    Args:
        observations: `Observations`, with the attributes that both ask for.
        methodology: the one.
        against: the other; differences are the one less this one.
        first: first day, of each methodology in its own time zone; two daily marks of one day are compared.
        end: the day after the last.
        indices: only these; None is every one that either prints.

    Raises `InputError` where both are the same file, and as `mark` does.
    """
    one, other = load(methodology), load(against)
    if one.hash == other.hash:
        raise InputError.of("--against", f"another methodology than {one.name}", value=other.name)
    runs = [mark(observations, methodology=rule, first=first, end=end, indices=indices).marks for rule in (one, other)]
    mine, theirs = (run.select(*KEY, "value", "status", "unit") for run in runs)
    _refuse_units(mine, theirs)
    both = _side_by_side(mine.drop("unit"), theirs.drop("unit"), one, other)
    apart = pl.col("value") - pl.col("value_against")
    told = both.with_columns(difference=apart, ratio=pl.when(pl.col("value_against") != 0).then(apart / pl.col("value_against")))
    return MethodComparison.cast(told.select(list(MethodComparison.columns()))).sort(KEY)


def distances(comparison: pl.DataFrame) -> pl.DataFrame:
    """A row an index: periods that both print, mean and largest absolute difference, and periods that only one of them prints.

    >>> distances(MethodComparison.create_empty()).height
    0
    """
    one, other = pl.col("value").is_not_null(), pl.col("value_against").is_not_null()
    return (
        comparison.group_by("index")
        .agg(
            (one & other).sum().alias("both"),
            pl.col("difference").mean().alias("mean"),
            pl.col("difference").abs().max().alias("largest"),
            pl.col("start").sort_by(pl.col("difference").abs(), descending=True, nulls_last=True).first().alias("largest_at"),
            (one & ~other).sum().alias("only_one"),
            (other & ~one).sum().alias("only_other"),
        )
        .sort("index")
    )


def _side_by_side(mine: pl.DataFrame, theirs: pl.DataFrame, one: Methodology, other: Methodology) -> pl.DataFrame:
    """Daily marks meet on their day, whichever midnight it begins at; a day that the one has not starts where the other says."""
    if not (one.daily and other.daily):
        return mine.join(theirs, on=KEY, how="full", coalesce=True, suffix="_against")
    dated = [marks.join(_days(marks, rule), on="start") for marks, rule in ((mine, one), (theirs, other))]
    met = dated[0].join(dated[1], on=["index", "day"], how="full", coalesce=True, suffix="_against")
    return met.with_columns(start=pl.coalesce("start", "start_against"))


def _days(marks: pl.DataFrame, rule: Methodology) -> pl.DataFrame:
    starts = marks["start"].unique()
    return pl.DataFrame({"start": starts, "day": [rule.day_of(start) for start in starts]}, schema={"start": starts.dtype, "day": pl.Date})


def _refuse_units(mine: pl.DataFrame, theirs: pl.DataFrame) -> None:
    pairs = mine.select("index", "unit").unique().join(theirs.select("index", "unit").unique(), on="index", suffix="_against")
    for index, unit, other in pairs.filter(pl.col("unit") != pl.col("unit_against")).sort("index").iter_rows():
        raise InputError.of("marks", f"one unit of {index}", column="unit", value=f"{unit} and {other}")

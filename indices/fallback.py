"""What stands in where nothing suffices: the last print carried, then nothing, and how an index comes back or ends."""

import polars as pl

from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.indices.specification import Fallback

NO_REASONS = pl.lit([], dtype=pl.List(pl.String))


def carried(chosen: pl.DataFrame, fallback: Fallback) -> pl.DataFrame:
    """Marks with what stands in for those of which no level suffices.

    Such a mark takes the last print at most `carry` periods back, else it is withheld. Sufficient periods with gaps of at most `carry`
    between them are one spell, and only from the `resume`-th of a spell on do they print. With `cease_after`, an index of which none of
    the last `carry + cease_after` periods suffices has no row.

    Args:
        chosen: a row an index and period, in the order of both; `number` counts the periods, and level, value and status are null where
            no level suffices.
        fallback: the rule.

    Returns the rows with value, status, `carried_from` (the start of the period that was carried) and reasons.
    """
    enough = pl.col("level").is_not_null()
    told = chosen.with_columns(enough=enough, last_enough=pl.when(enough).then("number").forward_fill().over("index"))
    before = pl.col("last_enough").shift(1).over("index")
    fresh = enough & (before.is_null() | (pl.col("number") - before > fallback.carry + 1))
    told = told.with_columns(spell=fresh.cum_sum().over("index"))
    told = told.with_columns(place=pl.when("enough").then(pl.col("enough").cum_sum().over("index", "spell")))
    told = told.with_columns(made=(pl.col("place") >= fallback.resume).fill_null(False))
    told = told.with_columns(
        last=pl.when("made").then("value").forward_fill().over("index"),
        since=pl.when("made").then("number").forward_fill().over("index"),
        carried_from=pl.when("made").then("start").forward_fill().over("index"),
    )
    kept = ~pl.col("made") & (pl.col("number") - pl.col("since") <= fallback.carry).fill_null(False)
    waits = pl.concat_list(pl.format(f"{{}} of the {fallback.resume} periods after which it prints again", pl.col("place")))
    reasons = pl.col("reasons").fill_null(NO_REASONS)
    told = told.with_columns(
        value=pl.when("made").then("value").when(kept).then("last"),
        status=pl.when("made")
        .then("status")
        .when(kept)
        .then(pl.lit(MarkStatus.CARRIED.value))
        .otherwise(pl.lit(MarkStatus.WITHHELD.value)),
        carried_from=pl.when(kept).then("carried_from"),
        reasons=pl.when(pl.col("enough") & ~pl.col("made")).then(waits).otherwise(reasons),
        level=pl.when("made").then("level"),
    )
    if fallback.cease_after is not None:
        idle = pl.col("number") - pl.col("last_enough")
        told = told.filter((idle < fallback.carry + fallback.cease_after).fill_null(False))
    return told.drop("enough", "last_enough", "spell", "place", "made", "last", "since")

"""Normalisation within a methodology: each price brought to the base specification by what was known on its day."""

from datetime import date, timedelta

import polars as pl

from tenorgrid.data.errors import InputError, brief
from tenorgrid.indices.normalisation.characteristics import Model
from tenorgrid.indices.normalisation.design import described
from tenorgrid.indices.normalisation.normalise import ADJUSTED, REASON, normalise
from tenorgrid.indices.specification import Methodology

UNADJUSTED = "unadjusted"  # why a row has no price at the base specification


def adjusted(rows: pl.DataFrame, days: pl.Series, methodology: Methodology) -> pl.DataFrame:
    """Rows with their price at the base specification, and `unadjusted`, the reason where there is none.

    The regression of a day looks at the rows of the last `days` days before the day's cut-off; before its beginning where the day has
    several marks, so that none depends on what comes after it. A row keeps what its own day made of it: no later day changes a price.

    Args:
        rows: `Observations` with attributes.
        days: the day of each row.
        methodology: the rule; without a normalisation the rows are handed back as they are.

    Raises `InputError` where a characteristic is not among the columns or is no number.
    """
    model = methodology.normalisation
    if model is None:
        return rows
    sound = pl.col("price") > 0
    described(rows.filter(sound), model)  # refuses what no day's regression could read
    found = [_of_day(rows.filter(sound), day, model, methodology) for day in days.filter(rows.select(sound).to_series()).unique().sort()]
    empty = rows.clear().select("observation_id", pl.col("price").alias(ADJUSTED), pl.lit(None, dtype=pl.String).alias(REASON))
    told = rows.join(pl.concat([empty, *found]), on="observation_id", how="left", maintain_order="left")
    reason = pl.when(sound).then(REASON).otherwise(pl.lit("no price above 0"))
    return told.with_columns(pl.coalesce(ADJUSTED, "price").alias("price"), reason.alias(UNADJUSTED)).drop(ADJUSTED, REASON)


def _of_day(rows: pl.DataFrame, day: date, model: Model, methodology: Methodology) -> pl.DataFrame:
    opens, closes = methodology.opens(day), methodology.closes(day)
    until = closes if methodology.daily else opens
    since = until - timedelta(days=model.days or 1)
    seen = rows.filter(pl.col("time").is_between(since, closes, closed="left"))
    own = pl.col("time").is_between(opens, closes, closed="left")
    try:
        made = normalise(seen, model, until=until).observations
    except InputError as error:  # too little was seen: the day's rows say so among the exclusions
        return seen.filter(own).select("observation_id", pl.lit(None, dtype=pl.Float64).alias(ADJUSTED), pl.lit(brief(error)).alias(REASON))
    return made.filter(own).select("observation_id", ADJUSTED, REASON)

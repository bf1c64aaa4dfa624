"""The mix of recipes by which a market did its work: where the cheapest chip is short on the day, others do the rest.

Prices alone give the cheapest recipe. A cleared market also tells quantities: each recipe that did work costs ω at the market's prices
(complementary slackness), so that the mix has one cost and the workload's price needs no weights. The mix says which chips that price
stands on, and how thin the cheapest was.
"""

import polars as pl

from tenorgrid.data.tables.cleared import Placements
from tenorgrid.data.tables.door import checked

WORK = ["horizon", "workload", "home", "tier"]


def recipe_mix(placements: pl.DataFrame, *, every: str = "1d", timezone: str = "UTC") -> pl.DataFrame:
    """Work done by each recipe and its share, one row for each horizon, period, workload, home, tier and recipe.

    Args:
        placements: `Placements` of a run: work an hour.
        every: length of a period, as polars writes it, such as 1h or 1d.
        timezone: of the days.

    Returns horizon, workload, home, tier, start (of the period), recipe, work (sum of the rates), share. Raises `InputError` for bad rows.

    >>> from datetime import UTC, datetime
    >>> row = {"horizon": "real-time", "start": datetime(2027, 1, 5, tzinfo=UTC), "workload": "w", "home": "us", "tier": "firm"}
    >>> done = [row | {"recipe": name, "location": "us", "level": 1.0, "work": work} for name, work in (("cheap", 3.0), ("dear", 1.0))]
    >>> recipe_mix(pl.DataFrame(done)).select("recipe", "share").rows()
    [('cheap', 0.75), ('dear', 0.25)]
    """
    placed = checked(placements, Placements, name="placements").filter(pl.col("work") > 0)
    local = placed.with_columns(start=pl.col("start").dt.convert_time_zone(timezone).dt.truncate(every).dt.convert_time_zone("UTC"))
    key = [*WORK, "start"]
    done = local.group_by(*key, "recipe").agg(pl.col("work").sort().sum())
    return done.with_columns(share=pl.col("work") / pl.col("work").sum().over(key)).sort(
        *key, "share", "recipe", descending=[False] * 5 + [True, False]
    )

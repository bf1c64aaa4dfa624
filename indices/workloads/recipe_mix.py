"""The mix of recipes by which a market did its work: where the cheapest chip is short on the day, others do the rest.

Prices alone give the cheapest recipe. A cleared market also tells quantities: each recipe that did work costs ω at the market's prices
(complementary slackness), so that the mix has one cost and the workload's price needs no weights. The mix says which chips that price
stands on, and how thin the cheapest was.
"""

import polars as pl

from tenorgrid.data.tables.cleared import Placements
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import RecipeMix
from tenorgrid.indices.specification import Methodology

WORK = ["horizon", "workload", "home", "tier"]
LABELS = pl.Schema({"home": pl.String(), "label": pl.List(pl.String())})


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


def mix_of_marks(placements: pl.DataFrame, marks: pl.DataFrame, *, methodology: Methodology, hours: float) -> pl.DataFrame:
    """`RecipeMix`: which recipes did the work that stands behind each mark of work made from a market's own prices.

    The mix is of what was placed at the methodology's horizons, in the periods and at the homes that the mark is of. A mark that no
    work stands behind (it was carried, or nobody asked) has no rows.

    Args:
        placements: `Placements` of the run.
        marks: `Marks` of the run; those that are not of work have no rows.
        methodology: that made them.
        hours: length of the market's interval, h.

    Raises `InputError` for bad rows.
    """
    placed = checked(placements, Placements, name="placements").filter(pl.col("work") > 0, pl.col("horizon").is_in(methodology.horizons))
    homes = placed["home"].unique().to_list()
    labels = pl.DataFrame({"home": homes, "label": [list(methodology.regions.labels(home)) for home in homes]}, schema=LABELS)
    name = pl.concat_str(pl.col("workload").str.to_uppercase(), "label", pl.col("tier").str.to_uppercase(), separator=".")
    named = placed.join(labels.explode("label"), on="home").with_columns(index=name).rename({"start": "time"})
    periods = marks.select("index", "start", "end").unique().sort("start")
    within = named.sort("time").join_asof(
        periods, left_on="time", right_on="start", by="index", strategy="backward", check_sortedness=False
    )
    done = within.filter(pl.col("time") < pl.col("end")).group_by("index", "start", "recipe").agg(work=pl.col("work").sort().sum() * hours)
    shares = done.with_columns(share=pl.col("work") / pl.col("work").sum().over("index", "start"))
    return RecipeMix.cast(shares).sort("index", "start", "share", "recipe", descending=[False, False, True, False])

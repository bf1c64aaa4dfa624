"""Prices by horizon, and the market's summary."""

from datetime import datetime

import polars as pl

from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.reports.figures import prices
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, local, number, table
from tenorgrid.reports.theme import HORIZONS

FIRM = "firm"
GPUH = "USD/GPUh"


def reference(table: pl.DataFrame) -> str:
    """The resource that the page follows: an H100 where the market has one, else the dearest on average.

    >>> reference(pl.DataFrame({"resource": ["a100", "h100-sxm"], "price": [9.0, 1.0]}))
    'h100-sxm'
    """
    means = table.group_by("resource").agg(pl.col("price").mean()).sort("price", "resource", descending=[True, False], nulls_last=True)
    found = sorted(resource for resource in means["resource"] if resource.startswith("h100"))
    return str(found[0] if found else means["resource"][0])


def reference_nodes(run: Run) -> pl.DataFrame | None:
    """`node_prices` of the reference resource, firm; None where the run has no prices."""
    if run.prices is None:
        return None
    nodes = prices.node_prices(run.prices, resource=reference(run.prices), tier=FIRM, timezone=run.timezone, pricing=run.pricing)
    return None if nodes.is_empty() else nodes


def summary(table: pl.DataFrame, *, pricing: str) -> pl.DataFrame:
    """Per resource and location in real time: hours, mean firm price, its 5th and 95th percentile, other tiers' mean over firm's.

    Args:
        table: `Prices`.

    Returns location, resource, hours, mean, low, high (USD per resource-hour), spot (mean of the cheapest other tier) and
    spot_share (spot over firm mean).
    """
    real = table.filter(pl.col("horizon") == "real-time", settles_under(pricing), pl.col("price").is_not_null())
    price = pl.col("price")
    firm = (
        real.filter(pl.col("tier") == FIRM)
        .group_by("resource", "location")
        .agg(pl.len().alias("hours"), price.mean().alias("mean"), price.quantile(0.05).alias("low"), price.quantile(0.95).alias("high"))
    )
    others = real.filter(pl.col("tier") != FIRM).group_by("resource", "location", "tier").agg(price.mean().alias("spot"))
    cheapest = others.group_by("resource", "location").agg(pl.col("spot").min())
    return (
        firm.join(cheapest, on=["resource", "location"], how="left")
        .with_columns((pl.col("spot") / pl.col("mean")).alias("spot_share"))
        .sort("mean", "resource", "location", descending=[True, False, False])
    )


def premiums(nodes: pl.DataFrame) -> pl.DataFrame:
    """Every ahead horizon against real time over the hours that both cleared, per location.

    Returns location, horizon, hours, ahead, real_time (means), premium (ahead − real_time), spread (sd of the difference), all in
    USD/GPUh, and rank (Spearman).
    """
    ahead = [horizon for horizon in nodes["horizon"].unique().sort() if horizon != "real-time"]
    parts = [
        prices.paired(nodes, horizon=horizon)
        .group_by("location")
        .agg(
            pl.lit(horizon).alias("horizon"),
            pl.len().alias("hours"),
            pl.col("ahead", "real_time").mean(),
            pl.col("difference").mean().alias("premium"),
            pl.col("difference").std().alias("spread"),
            pl.corr("ahead", "real_time", method="spearman").alias("rank"),
        )
        for horizon in ahead
    ]
    if not parts:
        return pl.DataFrame(schema={"location": pl.String, "horizon": pl.String, "hours": pl.UInt32, "premium": pl.Float64})
    order = {horizon: place for place, horizon in enumerate(HORIZONS)}
    return pl.concat(parts).sort("location", pl.col("horizon").replace_strict(order, default=len(order), return_dtype=pl.Int64), "horizon")


def market(run: Run) -> Section | None:
    """The market at a glance: what every resource cost in real time."""
    if run.prices is None:
        return None
    found = summary(run.prices, pricing=run.pricing)
    if found.is_empty():
        return None
    columns = [
        Column(name="resource", head="Resource"),
        Column(name="location", head="Location"),
        Column(name="hours", head="Cleared", unit="hours", form=",d"),
        Column(name="mean", head="Firm mean", unit="USD/resource-h", form=",.4f"),
        Column(name="low", head="5 %", unit="USD/resource-h", form=",.4f"),
        Column(name="high", head="95 %", unit="USD/resource-h", form=",.4f"),
        Column(name="spot", head="Spot mean", unit="USD/resource-h", form=",.4f"),
        Column(name="spot_share", head="Spot / firm", unit="1", form=".2f"),
    ]
    listing = Listing(
        name="summary",
        title="Real-time prices by resource and location",
        table=table(found, columns, name="summary-table"),
        caption=(
            "Means over all cleared real-time hours, dearest first; 5 % and 95 % are percentiles of the hourly firm price. "
            "Of a GPU class the resource-hour is the GPU-hour. Spot is the cheapest tier that is not firm."
        ),
    )
    spans = horizon_spans(run.prices, run.surplus, pricing=run.pricing)
    horizons = Listing(
        name="horizons",
        title="What was cleared",
        table=table(
            spans.with_columns(local(["first", "last"], run.timezone)),
            [
                Column(name="horizon", head="Horizon"),
                Column(name="first", head="First delivery", unit=run.timezone),
                Column(name="last", head="Last delivery", unit=run.timezone),
                Column(name="hours", head="Cleared", unit="hours", form=",d"),
                Column(name="nodes", head="Prices", unit="count", form=",d"),
                Column(name="total", head="Surplus", unit="USD", form=",.0f"),
            ],
            name="horizons-table",
        ),
        caption="Deliveries whose market had run at each horizon by the as-of date; the surplus is the objective of all its hours.",
    )
    return Section(
        name="market",
        title="The market",
        lead="Which compute was cleared, for when, and at what price in real time.",
        blocks=[horizons, listing],
    )


def horizon_spans(table: pl.DataFrame, surplus: pl.DataFrame | None, *, pricing: str) -> pl.DataFrame:
    """Per horizon: first and last delivery, hours, prices published, and the surplus of its runs in USD (null where not given)."""
    spans = (
        table.filter(settles_under(pricing))
        .group_by("horizon")
        .agg(
            pl.col("start").min().alias("first"),
            pl.col("start").max().alias("last"),
            pl.col("start").n_unique().alias("hours"),
            pl.col("price").count().alias("nodes"),
        )
    )
    if surplus is None:
        joined = spans.with_columns(pl.lit(None, dtype=pl.Float64).alias("total"))
    else:
        totals = surplus.filter(settles_under(pricing)).select("horizon", "total")
        joined = spans.join(totals, on="horizon", how="left")
    return joined.sort("hours", "horizon")


def section(run: Run) -> Section | None:
    """Prices of the reference resource by horizon, by hour and day-ahead against real time."""
    nodes = reference_nodes(run)
    if run.prices is None or nodes is None:
        return None
    name = f"{reference(run.prices).upper()} firm"
    as_of, several = _within(run, nodes), nodes["horizon"].n_unique() > 1
    known = (
        " Real time is known up to the dotted line, the ahead horizons past it: that is the market's own view of what comes."
        if as_of is not None
        else ""
    )
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="by-horizon",
            title=f"{name}: daily mean price{' at each horizon' if several else ''}",
            figure=prices.by_horizon(nodes, as_of=as_of),
            caption=(f"USD per GPU-hour, means over the cleared hours of each delivery day in {run.timezone}.{known}"),
        ),
        Drawing(
            name="by-hour",
            title=f"{name}: mean price by hour of day",
            figure=prices.by_hour(nodes),
            caption=(
                f"USD per GPU-hour by local hour ({run.timezone}), means over the {_common_hours(nodes):,} hours of delivery "
                f"that cleared{' at every horizon, so that the lines are of the same hours' if several else ''}."
            ),
        ),
    ]
    gaps = prices.paired(nodes, horizon="day-ahead")
    if not gaps.is_empty():
        edge = prices.saturation(gaps["difference"])
        blocks.append(
            Drawing(
                name="day-ahead-minus-real-time",
                title=f"{name}: day-ahead minus real-time price",
                figure=prices.day_ahead_minus_real_time(nodes, limit=edge),
                caption=(
                    f"USD per GPU-hour; terracotta where day-ahead was dearer, blue where real time was. "
                    f"Colours saturate at ±{edge:.2f} USD/GPUh, the 98th "
                    f"percentile of sizes; the largest difference is {number(_largest(gaps['difference']), ',.2f')} USD/GPUh. "
                    f"Days and hours in {run.timezone}; an hour that the clock skips is blank."
                ),
            )
        )
    found = premiums(nodes)
    if not found.is_empty():
        blocks.append(_premium_table(found, name))
    return Section(
        name="prices",
        title="Prices by horizon",
        lead=(
            f"What {name} cost when it was bought ahead, and what it cost in real time."
            if several
            else f"What {name} cost in the {nodes['horizon'][0]} run."
        ),
        blocks=blocks,
    )


def _premium_table(found: pl.DataFrame, name: str) -> Listing:
    columns = [
        Column(name="location", head="Location"),
        Column(name="horizon", head="Horizon"),
        Column(name="hours", head="Pairs", unit="hours", form=",d"),
        Column(name="ahead", head="Ahead mean", unit=GPUH, form=".4f"),
        Column(name="real_time", head="Real-time mean", unit=GPUH, form=".4f"),
        Column(name="premium", head="Ahead − real time", unit=GPUH, form="+.4f"),
        Column(name="spread", head="SD of difference", unit=GPUH, form=".4f"),
        Column(name="rank", head="Rank correlation", unit="1", form=".3f"),
    ]
    return Listing(
        name="premiums",
        title=f"{name}: ahead prices against real time",
        table=table(found, columns, name="premiums-table"),
        caption="Over the hours that cleared both ahead and in real time. Rank correlation is Spearman's, hour by hour.",
    )


def _within(run: Run, nodes: pl.DataFrame) -> datetime | None:
    """The local as-of moment where some delivery that cleared lies before it and some after; else there is no line to draw."""
    if run.as_of is None:
        return None
    moment = pl.Series([run.as_of]).dt.convert_time_zone(run.timezone).dt.replace_time_zone(None)[0]
    days = nodes["local"]
    return moment if (days < moment).any() and (days >= moment).any() else None


def _common_hours(nodes: pl.DataFrame) -> int:
    return prices.common_hours(nodes)["start"].n_unique()


def _largest(differences: pl.Series) -> float:
    place = differences.abs().arg_max()
    return 0.0 if place is None else float(differences[place])

"""Cleared prices of one resource and tier: by horizon, by hour of day, and day-ahead against real time."""

from datetime import datetime

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.reports import theme

RULE = "marginal"
UNIT = "USD per GPU-hour"
DAY = 86_400_000  # milliseconds
FEW = 7  # days up to which each has its tick


def node_prices(prices: pl.DataFrame, *, resource: str, tier: str, timezone: str, pricing: str = RULE) -> pl.DataFrame:
    """Prices of one resource and tier with the delivery's local day and hour of day; null prices are left out.

    Args:
        prices: `Prices`.
        timezone: IANA zone that days and hours are counted in.

    Returns horizon, location, start, local (naive local time), day, hour, price, scarcity, ordered.
    """
    local = pl.col("start").dt.convert_time_zone(timezone)
    return (
        prices.filter(
            pl.col("resource") == resource,
            pl.col("tier") == tier,
            settles_under(pricing),
            pl.col("price").is_not_null(),
        )
        .select(
            "horizon",
            "location",
            "start",
            local.dt.replace_time_zone(None).alias("local"),
            local.dt.date().alias("day"),
            local.dt.hour().cast(pl.Int64).alias("hour"),
            "price",
            "scarcity",
        )
        .sort("location", "horizon", "start")
    )


def daily_means(nodes: pl.DataFrame) -> pl.DataFrame:
    """Mean price per horizon, location and local day of delivery, from `node_prices`: horizon, location, day, price (USD/GPUh), hours."""
    return (
        nodes.group_by("location", "horizon", "day").agg(pl.col("price").mean(), pl.len().alias("hours")).sort("location", "horizon", "day")
    )


def paired(nodes: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """Hours that cleared both at `horizon` and in real time.

    Returns location, start, local, day, hour, ahead, real_time, difference (ahead − real time, USD/GPUh).
    """
    ahead = nodes.filter(pl.col("horizon") == horizon).select("location", "start", "local", "day", "hour", pl.col("price").alias("ahead"))
    real = nodes.filter(pl.col("horizon") == "real-time").select("location", "start", pl.col("price").alias("real_time"))
    joined = ahead.join(real, on=["location", "start"], how="inner")
    return joined.with_columns((pl.col("ahead") - pl.col("real_time")).alias("difference")).sort("location", "start")


def common_hours(nodes: pl.DataFrame) -> pl.DataFrame:
    """Only the deliveries that cleared at every horizon, so that means over them compare like with like."""
    horizons = nodes["horizon"].n_unique()
    return nodes.filter(pl.col("horizon").n_unique().over("location", "start") == horizons)


def hourly_means(nodes: pl.DataFrame) -> pl.DataFrame:
    """Mean price per horizon, location and local hour of day over the hours that every horizon cleared.

    Returns location, horizon, hour, price (USD/GPUh), days.
    """
    return (
        common_hours(nodes)
        .group_by("location", "horizon", "hour")
        .agg(pl.col("price").mean(), pl.len().alias("days"))
        .sort("location", "horizon", "hour")
    )


def by_horizon(nodes: pl.DataFrame, *, as_of: datetime | None = None) -> go.Figure:
    """Daily means of every horizon, one strip per location.

    Args:
        nodes: from `node_prices`.
        as_of: moment drawn as a dotted line, in the nodes' local time.
    """
    means = daily_means(nodes)
    few = means["day"].n_unique() <= FEW
    locations = means["location"].unique().sort().to_list()
    drawn = theme.strips([(location, f", {UNIT}") for location in locations], height=170)
    for position, location in enumerate(locations):
        for order, horizon in reversed(list(enumerate(theme.horizon_order(means["horizon"].to_list())))):
            line = means.filter(pl.col("location") == location, pl.col("horizon") == horizon)
            if line.is_empty():
                continue
            drawn.add_scatter(
                x=line["day"].to_list(),
                y=line["price"].to_numpy(),
                yaxis=theme.axis(position),
                name=horizon,
                legendgroup=horizon,
                legendrank=order,
                showlegend=position == 0,
                mode="lines+markers" if few else "lines",
                marker={"size": 5},
                line={"color": theme.colour(order if order < 2 else order + 1), "width": 2 if order < 2 else 1.5},
                meta=location,
                hovertemplate="%{meta} %{fullData.name}<br>%{x|%d %b}: %{y:.3f} USD/GPUh<extra></extra>",
            )
    if as_of is not None:
        theme.mark_moment(drawn, as_of, label="as of")
    drawn.update_xaxes(tickformat="%d %b", title=None, dtick=DAY if few else None)
    return drawn


def by_hour(nodes: pl.DataFrame) -> go.Figure:
    """Mean price by local hour of day at every horizon, one strip per location, over the hours that every horizon cleared."""
    means = hourly_means(nodes)
    locations = means["location"].unique().sort().to_list()
    drawn = theme.strips([(location, f", {UNIT}") for location in locations], height=150)
    for position, location in enumerate(locations):
        for order, horizon in reversed(list(enumerate(theme.horizon_order(means["horizon"].to_list())))):
            line = means.filter(pl.col("location") == location, pl.col("horizon") == horizon)
            drawn.add_scatter(
                x=line["hour"].to_numpy(),
                y=line["price"].to_numpy(),
                yaxis=theme.axis(position),
                name=horizon,
                legendgroup=horizon,
                legendrank=order,
                showlegend=position == 0,
                mode="lines",
                line={"color": theme.colour(order if order < 2 else order + 1), "width": 2 if order < 2 else 1.5, "shape": "hvh"},
                meta=location,
                hovertemplate="%{meta} %{fullData.name}<br>%{x}:00: %{y:.3f} USD/GPUh<extra></extra>",
            )
    drawn.update_xaxes(
        title={"text": "local hour of day", "standoff": 6}, tickmode="array", tickvals=list(range(0, 24, 3)), range=[-0.5, 23.5]
    )
    return drawn


def day_ahead_minus_real_time(nodes: pl.DataFrame, *, limit: float | None = None) -> go.Figure:
    """Heat map of day-ahead less real-time price, days across and hours of day up, one strip per location.

    Args:
        nodes: from `node_prices`.
        limit: USD/GPUh at which the colour saturates; by default `saturation` of the differences. Hovering shows the true value.
    """
    gaps = paired(nodes, horizon="day-ahead")
    edge = saturation(gaps["difference"]) if limit is None else limit
    locations = gaps["location"].unique().sort().to_list()
    drawn = theme.strips([(location, ", local hour") for location in locations], height=150)
    for position, location in enumerate(locations):
        here = gaps.filter(pl.col("location") == location)
        days = here["day"].unique().sort()
        grid = np.full((24, len(days)), np.nan)
        column = np.searchsorted(days.to_numpy(), here["day"].to_numpy())
        # The autumn day has one hour twice: the later one is shown.
        grid[here["hour"].to_numpy(), column] = here["difference"].to_numpy()
        drawn.add_heatmap(
            x=days.to_list(),
            y=np.arange(24),
            z=grid,
            yaxis=theme.axis(position),
            zmin=-edge,
            zmax=edge,
            colorscale=[list(step) for step in theme.DIVERGING],
            showscale=position == 0,
            colorbar={
                "orientation": "h",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "x": 0,
                "xanchor": "left",
                "xref": "paper",
                "len": 0.5,
                "thickness": 8,
                "ypad": 4,
                "xpad": 0,
                "tickfont": {"size": 11},
                "title": {"text": "USD per GPU-hour", "side": "top", "font": {"size": 11}},
            },
            meta=location,
            hovertemplate="%{meta} %{x|%d %b} %{y}:00<br>%{z:.3f} USD/GPUh<extra></extra>",
        )
    drawn.update_xaxes(tickformat="%d %b")
    drawn.update_yaxes(tickmode="array", tickvals=[0, 6, 12, 18], showgrid=False)
    return drawn


def saturation(differences: pl.Series) -> float:
    """Where a diverging colour scale saturates: the 98th percentile of sizes, at least one cent.

    >>> saturation(pl.Series([0.0, -0.5, 0.5]))
    0.5
    """
    sizes = differences.abs().quantile(0.98, interpolation="higher")
    return max(0.01, 0.0 if sizes is None else float(sizes))

"""Hours in which reserve was short, and the constraints that set prices."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme


def scarce(nodes: pl.DataFrame, *, threshold: float) -> pl.DataFrame:
    """Real-time hours of `node_prices` whose scarcity adder is at least `threshold` USD/GPUh."""
    return nodes.filter(pl.col("horizon") == "real-time", pl.col("scarcity") >= threshold)


def adders(nodes: pl.DataFrame, *, threshold: float) -> go.Figure:
    """The scarcity adder of every scarce real-time hour, one strip per location, on the same logarithmic axis; at least one hour is scarce.

    Args:
        nodes: from `node_prices`.
        threshold: USD/GPUh from which an hour counts as scarce.
    """
    hours = scarce(nodes, threshold=threshold)
    real = nodes.filter(pl.col("horizon") == "real-time")
    locations = real["location"].unique().sort().to_list()
    drawn = theme.strips([(location, ", adder in USD per GPU-hour") for location in locations], height=110)
    for position, location in enumerate(locations):
        here = hours.filter(pl.col("location") == location)
        drawn.add_scatter(
            x=here["local"].to_list(),
            y=here["scarcity"].to_numpy(),
            yaxis=theme.axis(position),
            name=location,
            showlegend=False,
            mode="markers",
            marker={"color": theme.ACCENT, "size": 6, "opacity": 0.75, "line": {"width": 0}},
            hovertemplate="%{fullData.name}<br>%{x|%d %b %H:%M}: %{y:.2f} USD/GPUh<extra></extra>",
        )
    drawn.update_layout(margin={"t": 34})
    drawn.update_xaxes(tickformat="%d %b", range=[real["local"].min(), real["local"].max()])
    ends = np.log10([hours["scarcity"].to_numpy().min(), hours["scarcity"].to_numpy().max()])
    drawn.update_yaxes(type="log", range=[ends[0] - 0.15, ends[1] + 0.15], dtick="D2" if ends[1] - ends[0] < 1.5 else 1, tickformat="~g")
    return drawn


def binding_counts(binding: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """Per constraint of one horizon: kind, key, hours that it binds in, mean_dual, largest_dual, and its meaning at its largest."""
    return (
        binding.filter(pl.col("horizon") == horizon)
        .with_columns(pl.col("kind").cast(pl.String))
        .group_by("kind", "key")
        .agg(
            pl.col("start").n_unique().alias("hours"),
            pl.col("dual").mean().alias("mean_dual"),
            pl.col("dual").abs().max().alias("largest_dual"),
            pl.col("meaning").sort_by(pl.col("dual").abs(), "start", descending=[True, False]).first(),
        )
        .sort("kind", "hours", "largest_dual", "key", descending=[False, True, True, False])
    )

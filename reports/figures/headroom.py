"""The scarcity curve, and where on it the market cleared."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

REAL_TIME = "real-time"


def cleared(headroom: pl.DataFrame, *, resource: str) -> pl.DataFrame:
    """Real-time hours of one resource with an adder: region, start, headroom of all holders together, price A; dearest first.

    Args:
        headroom: `Headroom`.
    """
    mine = headroom.filter(pl.col("horizon") == REAL_TIME, pl.col("resource") == resource)
    sums = mine.group_by("region", "start").agg(pl.col("headroom").sum(), pl.col("price").first())
    return sums.sort("price", "region", "start", descending=[True, False, False])


def on_curve(curve: pl.DataFrame, hours: pl.DataFrame, *, timezone: str) -> go.Figure:
    """A(r) in steps and every cleared hour on it, one panel a region, over one axis of headroom; the adder's axis is logarithmic.

    Args:
        curve: `Reserves` of one resource, at least one step.
        hours: from `cleared`.
        timezone: in which hours are named.
    """
    regions = curve["region"].unique().sort().to_list()
    drawn = theme.strips([(region, ", adder in USD per GPU-hour") for region in regions], height=170)
    for position, region in enumerate(regions):
        steps = curve.filter(pl.col("region") == region, pl.col("price") > 0).sort("step")
        edges = np.r_[0.0, np.cumsum(steps["quantity"].to_numpy())]
        drawn.add_scatter(
            x=edges,
            y=np.r_[steps["price"].to_numpy(), steps["price"].to_numpy()[-1:]],
            yaxis=theme.axis(position),
            name="the curve, A(r)",
            legendgroup="curve",
            showlegend=position == 0,
            mode="lines",
            line={"color": theme.BLUE, "width": 1.5, "shape": "hv"},
            hovertemplate="%{x:,.0f} GPUs of headroom: %{y:.2f} USD/GPUh<extra>the curve</extra>",
        )
        here = hours.filter(pl.col("region") == region)
        drawn.add_scatter(
            x=here["headroom"].to_numpy(),
            y=here["price"].to_numpy(),
            customdata=here["start"].dt.convert_time_zone(timezone).dt.strftime("%d %b %H:%M").to_list(),
            yaxis=theme.axis(position),
            name="an hour as it cleared",
            legendgroup="hour",
            showlegend=position == 0,
            mode="markers",
            marker={"color": theme.ACCENT, "size": 6, "opacity": 0.75, "line": {"width": 0}},
            hovertemplate="%{customdata}: %{x:,.0f} GPUs of headroom, %{y:.2f} USD/GPUh<extra></extra>",
        )
    priced = np.r_[curve.filter(pl.col("price") > 0)["price"].to_numpy(), hours["price"].to_numpy()]
    ends = np.log10([priced.min(), priced.max()])
    drawn.update_yaxes(type="log", range=[ends[0] - 0.15, ends[1] + 0.15], dtick=1, tickformat="~g")
    drawn.update_xaxes(title={"text": "headroom, GPUs", "font": {"size": 12}}, rangemode="tozero", tickformat=",d")
    drawn.update_layout(margin={"b": 56})
    return drawn

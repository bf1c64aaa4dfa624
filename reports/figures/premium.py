"""Figures of the premium: two errors beside one another, hours of the day, forecasts, and what a trade earned."""

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

SIGNIFICANT = 1.959964


def errors(bias: pl.DataFrame) -> go.Figure:
    """Bias over its error, naive and HAC, of every series of one horizon; beyond the dotted lines it is significant at 5 %."""
    rows = bias.filter(pl.col("hour") == -1).sort("series", descending=True)
    drawn = theme.figure(height=110 + 26 * rows.height)
    names = rows["series"].to_list()
    for column, label, colour in (("naive_t", "as if hours were independent", theme.LIGHT), ("hac_t", "HAC errors", theme.ACCENT)):
        drawn.add_scatter(
            x=rows[column].to_list(), y=names, name=label, mode="markers", marker={"size": 10, "color": colour},
            customdata=rows.select("bias", "naive_error", "hac_error").to_numpy(),
            hovertemplate="%{y}<br>t %{x:.2f}; %{customdata[0]:.4f}, errors %{customdata[1]:.4f} and %{customdata[2]:.4f}<extra></extra>",
        )  # fmt: skip
    for limit in (-SIGNIFICANT, SIGNIFICANT):
        drawn.add_shape(type="line", x0=limit, x1=limit, y0=0, y1=1, yref="paper", line={"color": theme.MIDDLE, "width": 1, "dash": "dot"})
    drawn.update_layout(margin={"l": 190})
    drawn.update_xaxes(zeroline=True, zerolinecolor=theme.MIDDLE)
    return drawn


def hours(bias: pl.DataFrame, *, horizons: Sequence[str]) -> go.Figure:
    """Bias of one series by local hour with its HAC interval of 95 %, one strip per horizon."""
    drawn = theme.strips([(name, ", ahead − real by local hour") for name in horizons], height=130)
    for place, horizon in enumerate(horizons):
        rows = bias.filter(pl.col("horizon") == horizon, pl.col("hour") >= 0).sort("hour")
        drawn.add_scatter(
            x=rows["hour"].to_list(), y=rows["bias"].to_list(), yaxis=theme.axis(place), name=horizon, showlegend=False, mode="markers",
            marker={"color": theme.ACCENT, "size": 7},
            error_y={"array": (SIGNIFICANT * rows["hac_error"]).to_list(), "color": theme.MIDDLE, "thickness": 1.2, "width": 3},
            hovertemplate="%{x}:00 %{y:.4f}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_yaxes(zeroline=True, zerolinecolor=theme.MIDDLE)
    drawn.update_xaxes(dtick=3, title={"text": "local hour"})
    return drawn


def earned(days: pl.DataFrame, *, series: Sequence[str]) -> go.Figure:
    """Sum of a virtual bid's daily profits so far, one line per series."""
    drawn = theme.figure(height=320)
    for place, name in enumerate(series):
        rows = days.filter(pl.col("series") == name, pl.col("profit").is_not_null()).sort("day")
        drawn.add_scatter(
            x=rows["day"].to_list(), y=rows["profit"].cum_sum().to_list(), name=name, mode="lines",
            line={"color": theme.colour(place), "dash": theme.dash(place), "width": 1.8},
            hovertemplate="%{x|%d %b %Y}: %{y:.2f}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_yaxes(zeroline=True, zerolinecolor=theme.MIDDLE)
    return drawn

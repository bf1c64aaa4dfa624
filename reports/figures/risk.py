"""Figures of what a book may lose: outcomes with their tail, stress, margin, exposure, and forecasts beside what followed."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

LOSSES = (("value_at_risk", "value at risk", theme.BLUE), ("expected_shortfall", "expected shortfall", theme.ACCENT))


def outcomes(gains: pl.DataFrame, tails: pl.DataFrame) -> go.Figure:
    """Distribution of gains, a strip a method, with value at risk and shortfall of the first level as lines.

    Args:
        gains: columns method and gain.
        tails: `TailRisks`.
    """
    methods = tails["method"].unique(maintain_order=True).to_list()
    level = tails["level"][0]
    drawn = theme.strips([(name, ", share of outcomes") for name in methods], height=150)
    for place, name in enumerate(methods):
        axis = theme.axis(place)
        drawn.add_histogram(
            x=gains.filter(pl.col("method") == name)["gain"].to_list(), yaxis=axis, histnorm="probability", nbinsx=60,
            marker={"color": theme.LIGHT}, showlegend=False, hovertemplate="%{x} USD: %{y:.1%}<extra></extra>",
        )  # fmt: skip
        told = tails.filter(pl.col("method") == name, pl.col("level") == level)
        for column, label, colour in LOSSES:
            loss = -told[column][0]
            drawn.add_scatter(
                x=[loss, loss], y=[0.0, 0.12], yaxis=axis, mode="lines", name=f"{label}, {level:g}", legendgroup=label,
                showlegend=place == 0,
                line={"color": colour, "width": 2}, hovertemplate=f"{label}: " + "%{x:,.0f} USD<extra></extra>",
            )  # fmt: skip
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero")
    drawn.update_xaxes(title={"text": "gain, USD"}, tickformat=",.3~s")
    return drawn


def bars(rows: pl.DataFrame, *, name: str, amount: str, title: str) -> go.Figure:
    """Horizontal bars from the first row down: terracotta above zero, blue below."""
    rows = rows.reverse()
    drawn = theme.figure(height=96 + 30 * rows.height)
    drawn.add_bar(
        x=rows[amount].to_list(), y=rows[name].to_list(), orientation="h", showlegend=False,
        marker={"color": [theme.ACCENT if value >= 0 else theme.BLUE for value in rows[amount]]},
        hovertemplate="%{y}: %{x:,.0f} USD<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(title={"text": title, "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE)
    beside(drawn, rows[name].to_list())
    return drawn


def exposures(rows: pl.DataFrame) -> go.Figure:
    """Expected value with its band, and the mean of what is owed either way, by day."""
    drawn, days = theme.figure(height=340), rows["day"].to_list()
    for edge, fill in (("low", None), ("high", "tonexty")):
        drawn.add_scatter(
            x=days, y=rows[edge].to_list(), mode="lines", line={"width": 0}, fill=fill, fillcolor="rgba(193, 89, 47, 0.16)",
            name=f"{1 - rows['level'][0]:.0%} to {rows['level'][0]:.0%} of paths", showlegend=fill is not None,
            hovertemplate="%{x|%d %b}: %{y:,.0f} USD<extra>" + edge + "</extra>",
        )  # fmt: skip
    for column, label, colour, dash in (
        ("expected", "expected value", theme.ACCENT, "solid"), ("positive", "owed to the book", theme.DARK, "dot"),
        ("negative", "owed by it", theme.BLUE, "dot"),
    ):  # fmt: skip
        drawn.add_scatter(
            x=days, y=rows[column].to_list(), mode="lines+markers", name=label, line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 5}, hovertemplate="%{x|%d %b}: %{y:,.0f} USD<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_yaxes(title={"text": "USD", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE)
    drawn.update_xaxes(tickformat="%d %b")
    return drawn


def exceptions(rows: pl.DataFrame) -> go.Figure:
    """Gains day by day above the forecast loss, those that went beyond it marked."""
    drawn, days = theme.figure(height=320), rows["day"].to_list()
    drawn.add_bar(
        x=days, y=rows["gain"].to_list(), name="gain of today's book", marker={"color": theme.LIGHT},
        hovertemplate="%{x|%d %b %Y}: %{y:,.0f} USD<extra></extra>",
    )  # fmt: skip
    for column, label, colour in LOSSES:
        drawn.add_scatter(
            x=days, y=(-rows[column]).to_list(), mode="lines", name=label, line={"color": colour, "width": 1.5},
            hovertemplate="%{x|%d %b %Y}: %{y:,.0f} USD<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    beyond = rows.filter(pl.col("exceeded"))
    drawn.add_scatter(
        x=beyond["day"].to_list(), y=beyond["gain"].to_list(), mode="markers", name="exception",
        marker={"color": theme.DARK, "symbol": "x", "size": 8}, hovertemplate="%{x|%d %b %Y}: %{y:,.0f} USD<extra>exception</extra>",
    )  # fmt: skip
    drawn.update_yaxes(title={"text": "USD", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE)
    return drawn

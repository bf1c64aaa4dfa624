"""Figures of rental rates: par rates as points, the forwards in them as steps, and ageing."""

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme


def term_structure(curve: pl.DataFrame, *, indices: Sequence[str]) -> go.Figure:
    """Par rates by tenor and forwards over their periods, one strip per index."""
    drawn = theme.strips([(name, ", USD per GPU-hour") for name in indices], height=150)
    for place, index in enumerate(indices):
        rows = curve.filter(pl.col("index") == index).sort("months")
        edges = [edge for first, end in rows.select("first", "months").iter_rows() for edge in (first, end)]
        steps = [forward for forward in rows["forward"] for _ in range(2)]
        axis, first_strip = theme.axis(place), place == 0
        drawn.add_scatter(
            x=edges, y=steps, yaxis=axis, name="forward", legendgroup="forward", showlegend=first_strip, mode="lines",
            line={"color": theme.ACCENT, "width": 2}, hovertemplate="month %{x}: forward %{y:.4f}<extra></extra>",
        )  # fmt: skip
        drawn.add_scatter(
            x=rows["months"].to_list(), y=rows["par"].to_list(), yaxis=axis, name="par rate", legendgroup="par", showlegend=first_strip,
            mode="markers", marker={"color": theme.BLUE, "size": 8}, hovertemplate="%{x} months: par %{y:.4f}<extra></extra>",
        )  # fmt: skip
    drawn.update_yaxes(rangemode="tozero")
    drawn.update_xaxes(dtick=12, rangemode="tozero", title={"text": "months from now"})
    return drawn


def shifts(rows: pl.DataFrame) -> go.Figure:
    """Shift of each tied index over its periods, in per cent of the price of equal work."""
    drawn = theme.figure(height=300)
    for place, (name,) in enumerate(rows.select("index").unique(maintain_order=True).iter_rows()):
        mine = rows.filter(pl.col("index") == name).sort("months")
        edges = [edge for first, end in mine.select("first", "months").iter_rows() for edge in (first, end)]
        values = [100 * value for value in mine["shift"].exp() - 1 for _ in range(2)]
        drawn.add_scatter(
            x=edges, y=values, name=name, mode="lines", line={"color": theme.colour(place), "dash": theme.dash(place), "width": 2},
            hovertemplate="month %{x}: %{y:.1f} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_yaxes(zeroline=True, zerolinecolor=theme.MIDDLE, ticksuffix=" %")
    drawn.update_xaxes(dtick=12, title={"text": "months from now"})
    return drawn


def spots(rows: pl.DataFrame, *, indices: Sequence[str]) -> go.Figure:
    """By how much spot was cheaper than on demand, a line an index."""
    drawn = theme.figure(height=320)
    for place, name in enumerate(indices):
        mine = rows.filter(pl.col("index") == name).sort("day")
        drawn.add_scatter(
            x=mine["day"].to_list(), y=(100 * mine["discount"]).to_list(), name=name, mode="lines",
            line={"color": theme.colour(place), "dash": theme.dash(place), "width": 2},
            hovertemplate="%{x|%d %b %Y}: %{y:.1f} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_yaxes(ticksuffix=" %")
    return drawn


def bands(rows: pl.DataFrame, *, indices: Sequence[str]) -> go.Figure:
    """Bid to ask of each tenor as a bar, and the forwards they leave open as areas over their periods; one strip an index."""
    drawn = theme.strips([(name, ", USD per GPU-hour") for name in indices], height=180)
    for place, index in enumerate(indices):
        mine = rows.filter(pl.col("index") == index).sort("months")
        axis, first_strip = theme.axis(place), place == 0
        top = max((value for name in ("ask", "bid", "upper", "lower") for value in mine[name].drop_nulls()), default=1.0)
        for number, (first, end, lower, upper) in enumerate(mine.select("first", "months", "lower", "upper").iter_rows()):
            said = f"months {first} to {end}: {lower:.4f} " + ("or more" if upper is None else f"to {upper:.4f}")
            drawn.add_scatter(
                x=[first, end, end, first], y=[lower, lower, *[1.05 * top if upper is None else upper] * 2], yaxis=axis, name="forward",
                legendgroup="forward", showlegend=first_strip and number == 0, mode="lines", fill="toself", fillcolor="rgba(193,89,47,.22)",
                line={"color": theme.ACCENT, "width": 0 if upper is None else 1}, text=said, hoveron="fills", hoverinfo="text",
            )  # fmt: skip
        for side, sign in (("bid", "triangle-up"), ("ask", "triangle-down")):
            drawn.add_scatter(
                x=mine["months"].to_list(), y=mine[side].to_list(), yaxis=axis, name=side, legendgroup=side, showlegend=first_strip,
                mode="markers", marker={"color": theme.BLUE, "size": 8, "symbol": sign},
                hovertemplate=f"%{{x}} months: {side} %{{y:.4f}}<extra></extra>",
            )  # fmt: skip
        for months, bid, ask in mine.select("months", "bid", "ask").drop_nulls().iter_rows():
            drawn.add_scatter(
                x=[months, months], y=[bid, ask], yaxis=axis, showlegend=False, mode="lines", line={"color": theme.BLUE, "width": 2},
                hoverinfo="skip",
            )  # fmt: skip
    drawn.update_yaxes(rangemode="tozero")
    drawn.update_xaxes(dtick=12, rangemode="tozero", title={"text": "months from now"})
    return drawn

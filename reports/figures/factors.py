"""Figures of factor models: factors through time, volatility by time to delivery, how futures are missed, a spread ahead."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

BAND = 1.96  # standard deviations either side
LIKELY = 0.5  # probability from which a day is drawn as one of a jump


def through_time(states: pl.DataFrame, *, unit: str) -> go.Figure:
    """Each factor as filtered and as smoothed, with the filtered one's band, one strip a factor; days that likely jumped are marked."""
    names = states["factor"].unique(maintain_order=True).to_list()
    drawn = theme.strips([(name, f", {unit}") for name in names], height=200)
    for place, name in enumerate(names):
        rows = states.filter(pl.col("factor") == name).sort("day")
        axis, first, days = theme.axis(place), place == 0, rows["day"].to_list()
        filtered, reach = rows["filtered"].to_numpy(), BAND * rows["deviation"].to_numpy()
        if reach.any():
            drawn.add_scatter(
                x=[*days, *reversed(days)], y=np.concatenate([filtered + reach, (filtered - reach)[::-1]]).tolist(), yaxis=axis,
                name="95 % of the filtered", legendgroup="band", showlegend=first, mode="lines", line={"width": 0}, fill="toself",
                fillcolor="rgba(193, 89, 47, 0.15)", hoverinfo="skip",
            )  # fmt: skip
            drawn.add_scatter(
                x=days, y=rows["smoothed"].to_list(), yaxis=axis, name="smoothed: from all days", legendgroup="smoothed",
                showlegend=first, mode="lines", line={"color": theme.BLUE, "width": 1.5}, hovertemplate="%{x|%d %b %Y}: %{y:.4f}",
            )  # fmt: skip
        drawn.add_scatter(
            x=days, y=filtered.tolist(), yaxis=axis, name="from days until then", legendgroup="filtered", showlegend=first, mode="lines",
            line={"color": theme.ACCENT, "width": 2}, hovertemplate="%{x|%d %b %Y}: %{y:.4f}",
        )  # fmt: skip
        jumped = rows.filter(pl.col("jumped") >= LIKELY)
        if jumped.height:
            drawn.add_scatter(
                x=jumped["day"].to_list(), y=jumped["filtered"].to_list(), yaxis=axis, name="likely a jump", legendgroup="jump",
                showlegend=first, mode="markers", marker={"color": theme.DARK, "size": 7, "symbol": "diamond"},
                hovertemplate="%{x|%d %b %Y}: a jump",
            )  # fmt: skip
    return drawn


def by_delivery(volatility: pl.DataFrame) -> go.Figure:
    """Volatility of futures by time to delivery: what the panel moved, the model, and curves fitted to what moved."""
    drawn = theme.figure(height=340)
    seen = volatility.filter(pl.col("realised").is_not_null())
    drawn.add_scatter(
        x=seen["maturity"].to_list(), y=(100 * seen["realised"]).to_list(), name="the panel's own moves", mode="markers",
        marker={"color": theme.DARK, "size": 8},
        error_y={"type": "data", "array": (100 * BAND * seen["realised_error"].fill_null(0.0)).to_list(), "color": theme.MIDDLE},
        hovertemplate="%{x:.2f} years: %{y:.1f} %",
    )  # fmt: skip
    lines = (("model", "the model"), ("two_factors", "two factors, fitted to the moves"), ("one_factor", "one factor, fitted"))
    for number, (column, label) in enumerate(lines):
        rows = volatility.filter(pl.col(column).is_not_null()).sort("maturity")
        drawn.add_scatter(
            x=rows["maturity"].to_list(), y=(100 * rows[column]).to_list(), name=label, mode="lines",
            line={"color": theme.colour(number), "dash": theme.dash(number), "width": 2}, hovertemplate="%{x:.2f} years: %{y:.1f} %",
        )  # fmt: skip
    drawn.update_yaxes(rangemode="tozero", ticksuffix=" %", title={"text": "a year"})
    drawn.update_xaxes(title={"text": "years to delivery"})
    return drawn


def missed(futures: pl.DataFrame) -> go.Figure:
    """By how much the filtered factors miss each futures, in per cent, a line a maturity."""
    drawn = theme.figure(height=300)
    for number, ((maturity,), rows) in enumerate(
        futures.drop_nulls("price").sort("maturity", "day").group_by("maturity", maintain_order=True)
    ):
        drawn.add_scatter(
            x=rows["day"].to_list(), y=(100 * (rows["fitted"] / rows["price"] - 1)).to_list(), name=f"{maturity:.2f} years", mode="lines",
            line={"color": theme.colour(number), "dash": theme.dash(number), "width": 1.5}, hovertemplate="%{x|%d %b %Y}: %{y:.2f} %",
        )  # fmt: skip
    drawn.update_yaxes(ticksuffix=" %")
    return drawn


def ahead(states: pl.DataFrame, forecasts: pl.DataFrame) -> go.Figure:
    """A spread's past and what is expected of it, with the band."""
    drawn = theme.figure(height=320)
    days = forecasts["day"].to_list()
    drawn.add_scatter(
        x=[*days, *reversed(days)], y=[*forecasts["upper"].to_list(), *reversed(forecasts["lower"].to_list())], name="95 % band",
        mode="lines",
        line={"width": 0}, fill="toself", fillcolor="rgba(47, 102, 144, 0.15)", hoverinfo="skip",
    )  # fmt: skip
    for frame, column, label, colour in ((states, "filtered", "seen", theme.ACCENT), (forecasts, "mean", "expected", theme.BLUE)):
        drawn.add_scatter(
            x=frame["day"].to_list(), y=frame[column].to_list(), name=label, mode="lines", line={"color": colour, "width": 2},
            hovertemplate="%{x|%d %b %Y}: %{y:.4f}",
        )  # fmt: skip
    drawn.update_yaxes(title={"text": "log of the ratio"})
    return drawn

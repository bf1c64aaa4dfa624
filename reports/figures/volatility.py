"""Figures of volatility: through time, its forecast term structure, what a day's prints say, and correlations."""

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme


def through_time(path: pl.DataFrame, *, indices: Sequence[str]) -> go.Figure:
    """Annualised volatility of every model by day over the size of each day's move, one strip per index."""
    drawn = theme.strips([(name, ", % per √year") for name in indices], height=190)
    models = path["model"].cast(pl.String).unique(maintain_order=True).to_list()
    for place, index in enumerate(indices):
        mine = path.filter(pl.col("index") == index)
        moves = mine.unique("start", keep="first", maintain_order=True).sort("start")
        drawn.add_bar(
            x=moves["start"].to_list(), y=(100 * 365**0.5 * moves["change"].abs()).to_list(), yaxis=theme.axis(place),
            name="the day's own move", legendgroup="move", showlegend=place == 0, marker={"color": theme.LIGHT},
            hovertemplate="%{x|%d %b %Y}: %{y:.0f} %<extra></extra>",
        )  # fmt: skip
        for number, model in enumerate(models):
            rows = mine.filter(pl.col("model").cast(pl.String) == model).sort("start")
            drawn.add_scatter(
                x=rows["start"].to_list(), y=(100 * rows["volatility"]).to_list(), yaxis=theme.axis(place), name=model, legendgroup=model,
                showlegend=place == 0, mode="lines", line={"color": theme.colour(number), "dash": theme.dash(number), "width": 2},
                hovertemplate="%{x|%d %b %Y}: %{y:.1f} %<extra>" + model + "</extra>",
            )  # fmt: skip
    drawn.update_yaxes(rangemode="tozero", ticksuffix=" %")
    return drawn


def term_structure(terms: pl.DataFrame, *, indices: Sequence[str]) -> go.Figure:
    """Expected volatility of the next so many days by every model, one strip per index."""
    drawn = theme.strips([(name, ", % per √year") for name in indices], height=170)
    models = terms["model"].cast(pl.String).unique(maintain_order=True).to_list()
    for place, index in enumerate(indices):
        for number, model in enumerate(models):
            rows = terms.filter(pl.col("index") == index, pl.col("model").cast(pl.String) == model).sort("days")
            drawn.add_scatter(
                x=rows["days"].to_list(), y=(100 * rows["volatility"]).to_list(), yaxis=theme.axis(place), name=model, legendgroup=model,
                showlegend=place == 0, mode="lines", line={"color": theme.colour(number), "dash": theme.dash(number), "width": 2},
                hovertemplate="next %{x} days: %{y:.1f} %<extra>" + model + "</extra>",
            )  # fmt: skip
    drawn.update_yaxes(rangemode="tozero", ticksuffix=" %")
    drawn.update_xaxes(title={"text": "days ahead"})
    return drawn


def jumps(days: pl.DataFrame, *, series: Sequence[str]) -> go.Figure:
    """Root of realised variance and of bipower variation by day, the days with a jump marked, one strip per series."""
    drawn = theme.strips([(name, ", % per √year") for name in series], height=170)
    for place, name in enumerate(series):
        rows = days.filter(pl.col("series") == name).sort("day")
        axis, first = theme.axis(place), place == 0
        for number, (column, label) in enumerate((("variance", "realised"), ("bipower", "without jumps (bipower)"))):
            drawn.add_scatter(
                x=rows["day"].to_list(), y=(100 * (365 * rows[column]).sqrt()).to_list(), yaxis=axis, name=label, legendgroup=label,
                showlegend=first, mode="lines", line={"color": theme.colour(number), "width": 2},
                hovertemplate="%{x|%d %b %Y}: %{y:.1f} %<extra>" + label + "</extra>",
            )  # fmt: skip
        found = rows.filter(pl.col("jump") > 0)
        drawn.add_scatter(
            x=found["day"].to_list(), y=(100 * (365 * found["variance"]).sqrt()).to_list(), yaxis=axis, name="a jump", legendgroup="jump",
            showlegend=first, mode="markers", marker={"color": theme.DARK, "size": 8, "symbol": "diamond"},
            hovertemplate="%{x|%d %b %Y}: a jump<extra></extra>",
        )  # fmt: skip
    drawn.update_yaxes(rangemode="tozero", ticksuffix=" %")
    return drawn


def correlations(table: pl.DataFrame, *, most: int) -> go.Figure:
    """Expected correlation of each pair by day, `most` pairs."""
    drawn = theme.figure(height=320)
    pairs = table.select("index", "other").unique(maintain_order=True).head(most)
    for place, (index, other) in enumerate(pairs.iter_rows()):
        rows = table.filter(pl.col("index") == index, pl.col("other") == other).sort("day")
        drawn.add_scatter(
            x=rows["day"].to_list(), y=rows["correlation"].to_list(), name=f"{index} and {other}", mode="lines",
            line={"color": theme.colour(place), "dash": theme.dash(place), "width": 2},
            hovertemplate="%{x|%d %b %Y}: %{y:.2f}<extra></extra>",
        )  # fmt: skip
    drawn.update_yaxes(zeroline=True, zerolinecolor=theme.MIDDLE)
    return drawn


def smiles(points: pl.DataFrame, *, most: int) -> go.Figure:
    """Quoted volatilities as points and the smile through them as a line, one strip per contract and expiry, `most` of them."""
    names = points.select("contract", "expiry").unique(maintain_order=True).head(most).rows()
    drawn = theme.strips([(contract, f", {expiry:%d %b %Y}") for contract, expiry in names], height=150)
    for place, (contract, expiry) in enumerate(names):
        rows = points.filter(pl.col("contract") == contract, pl.col("expiry") == expiry).sort("strike")
        shared = {"yaxis": theme.axis(place), "showlegend": place == 0, "x": rows["strike"].to_list()}
        drawn.add_scatter(
            y=rows["volatility"].to_list(), name="smile", legendgroup="smile", mode="lines", line={"color": theme.ACCENT, "width": 2},
            hovertemplate="%{x}: %{y:.4f}<extra>smile</extra>", **shared,
        )  # fmt: skip
        drawn.add_scatter(
            y=rows["quoted"].to_list(), name="quoted", legendgroup="quoted", mode="markers", marker={"color": theme.BLUE, "size": 8},
            hovertemplate="%{x}: %{y:.4f}<extra>quoted</extra>", **shared,
        )  # fmt: skip
    drawn.update_xaxes(title={"text": "strike"})
    return drawn

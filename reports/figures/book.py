"""The book: what each trade is worth and which quotes move it."""

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from tenorgrid.derivatives.book import MONTH
from tenorgrid.reports import theme
from tenorgrid.reports.names import beside


def values(table: pl.DataFrame) -> go.Figure:
    """Present value of every trade, as horizontal bars: terracotta above zero, blue below."""
    rows = table.sort("value", "trade_id")
    drawn = theme.figure(height=100 + 26 * rows.height)
    drawn.add_bar(
        x=rows["value"].to_numpy(),
        y=rows["trade_id"].to_list(),
        orientation="h",
        marker={"color": [theme.ACCENT if value >= 0 else theme.BLUE for value in rows["value"]]},
        text=rows["kind"].cast(pl.String).to_list(),
        textposition="none",
        hovertemplate="%{y} (%{text}): %{x:,.0f} USD<extra></extra>",
        showlegend=False,
    )
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(title={"text": "present value, USD", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE)
    beside(drawn, rows["trade_id"].to_list())
    return drawn


def delta_by_bucket(risks: pl.DataFrame) -> pl.DataFrame:
    """Delta of the whole book: view (quote or month, two views of one risk), unit, bucket, amount."""
    deltas = risks.filter(pl.col("risk").cast(pl.String) == "delta")
    view = pl.when(pl.col("bucket").str.starts_with(MONTH)).then(pl.lit("month")).otherwise(pl.lit("quote")).alias("view")
    return deltas.group_by(view, "unit", "bucket").agg(pl.col("amount").sum()).sort("view", "unit", "bucket")


def shared_index(buckets: list[str]) -> str:
    """The index that all names of buckets begin with, before a colon; empty where they differ.

    >>> shared_index(["H100.US.FIRM:2027-04", "H100.US.FIRM:2027-05"])
    'H100.US.FIRM'
    """
    heads = {name.partition(":")[0] if ":" in name else "" for name in buckets}
    return heads.pop() if len(heads) == 1 else ""


def deltas(risks: pl.DataFrame, *, unit: str, view: Literal["quote", "month"]) -> go.Figure:
    """Delta of the whole book by quote or by delivery month, as horizontal bars from the first bucket down.

    Args:
        risks: `Risks`.
        unit: the one unit of delta that is drawn, for example GPU-hours; different units do not add.
        view: which buckets.
    """
    rows = delta_by_bucket(risks).filter(pl.col("unit") == unit, pl.col("view") == view).sort("bucket", descending=True)
    shared = shared_index(rows["bucket"].to_list())
    buckets = [bucket.removeprefix(f"{shared}:").removeprefix(MONTH) for bucket in rows["bucket"]]
    drawn = theme.figure(height=100 + 24 * rows.height)
    drawn.add_bar(
        x=rows["amount"].to_numpy(),
        y=buckets,
        orientation="h",
        marker={"color": [theme.ACCENT if amount >= 0 else theme.BLUE for amount in rows["amount"]]},
        meta=unit,
        hovertemplate="%{y}: %{x:,.1f} %{meta}<extra></extra>",
        showlegend=False,
    )
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(title={"text": f"delta, {unit}", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE)
    beside(drawn, buckets)
    return drawn


def by_contract(rows: pl.DataFrame) -> go.Figure:
    """Present value by contract, as horizontal bars from the first row down; columns contract and value."""
    rows = rows.reverse()
    drawn = theme.figure(height=100 + 24 * rows.height)
    drawn.add_bar(
        x=rows["value"].to_numpy(), y=rows["contract"].to_list(), orientation="h",
        marker={"color": [theme.ACCENT if value >= 0 else theme.BLUE for value in rows["value"]]},
        hovertemplate="%{y}: %{x:,.0f} USD<extra></extra>", showlegend=False,
    )  # fmt: skip
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(title={"text": "present value, USD", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE)
    beside(drawn, rows["contract"].to_list())
    return drawn


def vegas(rows: pl.DataFrame) -> go.Figure:
    """Vega of the whole book by month of expiry, as bars; columns bucket and amount."""
    drawn = theme.figure(height=280)
    drawn.add_bar(
        x=[bucket.removeprefix(MONTH) for bucket in rows["bucket"]], y=rows["amount"].to_list(), marker={"color": theme.ACCENT},
        hovertemplate="%{x}: %{y:,.0f} USD<extra></extra>", showlegend=False,
    )  # fmt: skip
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(type="category", nticks=12, tickangle=0, automargin=True)
    drawn.update_yaxes(
        title={"text": "USD for 0.01 of volatility", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE
    )
    return drawn


def grid(scenarios: pl.DataFrame) -> go.Figure:
    """Gains of the book as a heat map of moves of prices by moves of volatilities; 0 is white."""
    across, up = scenarios["price"].unique().sort().to_list(), scenarios["volatility"].unique().sort().to_list()
    gains = dict(zip(scenarios.select("volatility", "price").iter_rows(), scenarios["gain"], strict=True))
    values = [[gains[move, price] for price in across] for move in up]
    most = max(abs(gain) for row in values for gain in row) or 1.0
    drawn = theme.figure(height=110 + 44 * len(up))
    drawn.add_heatmap(
        x=[f"{price:+g}" for price in across], y=[f"{move:+g}" for move in up], z=values, zmin=-most, zmax=most,
        colorscale=[list(stop) for stop in theme.DIVERGING], xgap=1, ygap=1, text=values, texttemplate="%{text:.3s}",
        textfont={"size": 10}, colorbar={"thickness": 10, "outlinewidth": 0, "len": 1.0, "tickfont": {"size": 11}, "tickformat": ".3s"},
        hovertemplate="prices %{x}, volatilities %{y}: %{z:,.0f} USD<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(type="category", showgrid=False, tickangle=0, title={"text": "move of all prices, USD per GPU-hour", "standoff": 6})
    drawn.update_yaxes(type="category", showgrid=False, title={"text": "move of all volatilities", "standoff": 6})
    return drawn


def cones(table: pl.DataFrame) -> go.Figure:
    """The running month of each index, one strip an index: marks, the mean so far, forwards, and the cone of the month's mean.

    Args:
        table: `MonthCones`.
    """
    indices = table["index"].unique(maintain_order=True).to_list()
    drawn = theme.strips([(index, ", USD per GPU-hour") for index in indices], height=230)
    for place, index in enumerate(indices):
        rows = table.filter(pl.col("index") == index).sort("day")
        axis, told = theme.axis(place), place == 0
        ahead = rows.filter(pl.col("expected").is_not_null())
        for low, high, colour, name in (
            ("lower", "upper", "rgba(193, 89, 47, 0.14)", "95 %"),
            ("low", "high", "rgba(193, 89, 47, 0.32)", "50 %"),
        ):
            for edge, fill in ((low, None), (high, "tonexty")):
                drawn.add_scatter(
                    x=ahead["day"].to_list(), y=ahead[edge].to_list(), yaxis=axis, mode="lines", line={"width": 0}, fill=fill,
                    fillcolor=colour, name=f"mean of the month, {name}", legendgroup=name, showlegend=told and fill is not None,
                    hovertemplate="%{x|%d %b}: %{y:.4f}<extra>" + edge + "</extra>",
                )  # fmt: skip
        for column, name, style in (
            ("mark", "mark", {"mode": "markers", "marker": {"color": theme.DARK, "size": 6}}),
            ("so_far", "mean so far", {"mode": "lines", "line": {"color": theme.ACCENT, "width": 2}}),
            ("forward", "forward", {"mode": "lines", "line": {"color": theme.BLUE, "width": 1.5, "dash": "dot"}}),
            ("expected", "mean of the month, expected", {"mode": "lines", "line": {"color": theme.ACCENT, "width": 1.5, "dash": "dash"}}),
        ):
            mine = rows.filter(pl.col(column).is_not_null())
            drawn.add_scatter(
                x=mine["day"].to_list(), y=mine[column].to_list(), yaxis=axis, name=name, legendgroup=name, showlegend=told,
                hovertemplate="%{x|%d %b}: %{y:.4f}<extra>%{fullData.name}</extra>", **style,
            )  # fmt: skip
    drawn.update_xaxes(tickformat="%d %b")
    return drawn

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

"""Whose demand it is: accelerator-hours by class of work and region."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

MILLION = 1e6


def by_class(demand: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """Accelerator-hours of one horizon by class and region where they ran, with their mean price: class, region, hours, price; classes with
    the most hours first.
    """
    rows = demand.filter(pl.col("horizon") == horizon).group_by("class", "region").agg(pl.col("hours").sum(), pl.col("spend").sum())
    whole = rows.with_columns((pl.col("spend") / pl.col("hours")).alias("price"), pl.col("hours").sum().over("class").alias("of_class"))
    ranked = whole.sort("of_class", "class", "region", descending=[True, False, False])
    return ranked.select("class", "region", "hours", "price")


def bars(rows: pl.DataFrame) -> go.Figure:
    """Accelerator-hours by class, a bar each, one part of it a region.

    Args:
        rows: from `by_class`; at least one.
    """
    classes = rows["class"].unique(maintain_order=True).to_list()
    drawn = theme.figure(height=120 + 44 * len(classes))
    for position, region in enumerate(rows["region"].unique().sort()):
        here = rows.filter(pl.col("region") == region)
        drawn.add_bar(
            y=here["class"].to_list(),
            x=(here["hours"] / MILLION).to_numpy(),
            customdata=here["price"].fill_null(0.0).to_numpy(),
            name=region,
            orientation="h",
            marker={"color": theme.colour(position)},
            hovertemplate="%{y}, %{fullData.name}<br>%{x:,.2f} million GPU-hours at %{customdata:.2f} USD<extra></extra>",
        )
    drawn.update_layout(barmode="stack", margin={"b": 56}, legend_traceorder="normal")
    beside(drawn, classes[::-1])
    drawn.update_xaxes(title={"text": "million GPU-hours", "font": {"size": 12}}, rangemode="tozero")
    return drawn

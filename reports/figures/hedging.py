"""Figures of a hedge study: volatility removed by contract, and a cost with and without its hedge."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

PUBLISHED = (0.62, 0.78)  # what arXiv 2603.21690 finds in its simulation
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")


def removed(study: pl.DataFrame) -> go.Figure:
    """Volatility removed on the days held back with its interval, a row an item and a colour a contract; the published band is shaded."""
    names = study["contract"].unique(maintain_order=True).to_list()
    items = study["item"].unique(maintain_order=True).to_list()
    drawn = theme.figure(height=130 + 18 * len(items) * (1 + len(names)))
    for place, name in enumerate(names):
        rows = study.filter(pl.col("contract") == name)
        level = [-(items.index(item) * (len(names) + 1) + place) for item in rows["item"]]
        value = (100 * rows["removed"]).to_list()
        drawn.add_scatter(
            x=value, y=level, name=name, mode="markers",
            marker={"color": theme.colour(place), "size": 9, "symbol": SYMBOLS[place % len(SYMBOLS)]},
            error_x={
                "type": "data", "symmetric": False, "array": (100 * (rows["upper"] - rows["removed"]).fill_null(0.0)).to_list(),
                "arrayminus": (100 * (rows["removed"] - rows["lower"]).fill_null(0.0)).to_list(), "color": theme.MIDDLE, "thickness": 1.2,
                "width": 3,
            },
            customdata=rows["item"].to_list(), hovertemplate="%{customdata}: %{x:.1f} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.add_shape(
        type="rect", x0=100 * PUBLISHED[0], x1=100 * PUBLISHED[1], y0=0, y1=1, yref="paper", line={"width": 0}, layer="below",
        fillcolor="rgba(31, 77, 112, 0.12)",
    )  # fmt: skip
    middle = (len(names) - 1) / 2
    ticks = [-(place * (len(names) + 1) + middle) for place in range(len(items))]
    drawn.update_yaxes(tickvals=ticks, ticktext=items, showgrid=False)
    drawn.update_xaxes(title={"text": "% of the volatility removed"}, zeroline=True, zerolinecolor=theme.MIDDLE)
    drawn.update_layout(margin={"l": 150})
    return drawn


def through_time(days: pl.DataFrame, *, item: str, volume: str, boundary: object) -> go.Figure:
    """An item's cost by day, with the day from which it was held back."""
    rows = days.filter(pl.col("name") == item, pl.col("volume") == volume).sort("day")
    drawn = theme.figure(height=280)
    drawn.add_scatter(
        x=rows["day"].to_list(), y=rows["value"].to_list(), name=item, mode="lines", line={"color": theme.ACCENT, "width": 1.8},
        hovertemplate="%{x|%d %b %Y}: %{y:,.0f}<extra></extra>",
    )  # fmt: skip
    theme.mark_moment(drawn, boundary, label="held back from here")
    return drawn

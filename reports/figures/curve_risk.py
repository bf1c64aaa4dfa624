"""What moves a curve: its Jacobian as a map, and how its months moved between two days."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

ROW, LEAST = 15, 220  # pixels of a quote, and of the plot


def jacobian(table: pl.DataFrame, quotes: pl.DataFrame) -> go.Figure:
    """A heat map of quotes (nearest delivery on top) by delivery months; 0 is white.

    Args:
        table: `MonthlyJacobian` of one index.
        quotes: `Quotes` of the same index, which give the order.
    """
    quotes = quotes.sort("start", "end", "quote_id", descending=True)  # drawn from the bottom up
    order = quotes["quote_id"].to_list()
    months = table["month"].unique().sort().to_list()
    wide = table.pivot(on="month", index="quote_id", values="weight")
    rows = {row["quote_id"]: [row[month] for month in months] for row in wide.iter_rows(named=True)}
    values = [rows[name] for name in order]
    contracts = quotes["contract"].str.strip_prefix(f"{quotes['index'][0]}:")  # shorter, where they tell quotes apart
    labels = order if contracts.is_duplicated().any() else contracts.to_list()
    most = max((abs(cell) for row in values for cell in row), default=0.0) or 1.0
    drawn = theme.figure(height=max(LEAST, 76 + ROW * len(order)))
    drawn.add_heatmap(
        x=months,
        y=labels,
        z=values,
        zmin=-most,
        zmax=most,
        colorscale=[list(stop) for stop in theme.DIVERGING],
        xgap=1,
        ygap=1,
        colorbar={"thickness": 10, "outlinewidth": 0, "len": 1.0, "tickfont": {"size": 11}},
        hovertemplate="%{y}, %{x}: %{z:.4f}<extra></extra>",
    )
    beside(drawn, labels)
    drawn.update_layout(margin={"t": 16})
    drawn.update_yaxes(tickfont={"size": 10})
    drawn.update_xaxes(type="category", showgrid=False, nticks=12, tickangle=0, automargin=True)
    return drawn


def moved(table: pl.DataFrame) -> go.Figure:
    """Two panels over the months: the mean forwards of both days, and the change with its two parts.

    Args:
        table: `CurveMoves` of one index.
    """
    rows = table.sort("month")
    months = rows["month"].to_list()
    drawn = theme.strips([("Mean forward", ", USD per GPU-hour"), ("Change", ", USD per GPU-hour")], height=210)
    for name, colour in (("before", theme.MIDDLE), ("after", theme.ACCENT)):
        drawn.add_scatter(
            x=months, y=rows[name].to_list(), name=name, mode="lines+markers", yaxis=theme.axis(0),
            line={"color": colour, "width": 2}, marker={"size": 5},
            hovertemplate="%{x}: %{y:.4f} USD/GPUh<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    for name, label, colour in (("roll_down", "by time alone", theme.LIGHT), ("market", "by the market", theme.BLUE)):
        drawn.add_bar(
            x=months, y=rows[name].to_list(), name=label, yaxis=theme.axis(1), marker={"color": colour},
            hovertemplate="%{x}: %{y:+.4f} USD/GPUh<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.add_scatter(
        x=months, y=rows["change"].to_list(), name="together", mode="markers", yaxis=theme.axis(1),
        marker={"color": theme.DARK, "size": 8, "symbol": "line-ew-open", "line": {"width": 2}},
        hovertemplate="%{x}: %{y:+.4f} USD/GPUh<extra>together</extra>",
    )  # fmt: skip
    drawn.update_layout(barmode="relative")
    drawn.update_xaxes(type="category", nticks=12, tickangle=0)
    return drawn


def quotes_alone(quotes: pl.DataFrame, *, timezone: str, named: set[str]) -> go.Figure:
    """Quotes as bars over their delivery where no curve could be made: those of an arbitrage in colour.

    Args:
        quotes: `Quotes` of one index.
        timezone: IANA zone of the axis.
        named: quotes of an arbitrage.
    """
    local = [pl.col(edge).dt.convert_time_zone(timezone).dt.replace_time_zone(None) for edge in ("start", "end")]
    drawn = theme.figure(height=380)
    for label, colour, part in (
        ("other quotes", theme.LIGHT, quotes.filter(~pl.col("quote_id").is_in(list(named)))),
        ("quotes that contradict one another", theme.ACCENT, quotes.filter(pl.col("quote_id").is_in(list(named)))),
    ):
        if part.is_empty():
            continue
        across: list[object] = []
        up: list[float | None] = []
        told: list[str | None] = []
        for start, end, price, name in part.with_columns(local).select("start", "end", "price", "quote_id").iter_rows():
            across += [start, end, None]
            up += [price, price, None]
            told += [name, name, None]
        drawn.add_scatter(
            x=across, y=up, text=told, name=label, mode="lines+markers", line={"color": colour, "width": 4}, marker={"size": 5},
            connectgaps=False, hovertemplate="%{text}: %{y:.4f} USD/GPUh<extra></extra>",
        )  # fmt: skip
    drawn.update_layout(showlegend=True)
    drawn.update_yaxes(title={"text": "USD per GPU-hour", "standoff": 8})
    drawn.update_xaxes(tickformat="%d %b<br>%Y")
    return drawn

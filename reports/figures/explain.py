"""What a book gained, drawn: the way from nothing to the gain, by what happened and by what moved."""

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside
from tenorgrid.reports.tables import number

ROW = 30  # pixels of a step
ROOM = 100  # pixels of axis and legend
MOST = 16  # moves drawn, the others together


def waterfall(components: pl.DataFrame, *, residual: float) -> go.Figure:
    """From nothing at the top to the gain at the bottom, a bar a factor by the Greeks, and a diamond where full revaluation would end it.

    Args:
        components: `ExplainComponents`.
        residual: what the Greeks leave unsaid, USD.
    """
    told = components.filter((pl.col("greeks") != 0) | (pl.col("revalued") != 0))
    names = [*told["factor"].cast(pl.String), "residual"]
    amounts = [*told["greeks"], residual]
    drawn, starts = _steps(names, amounts, last="gain")
    drawn.add_scatter(
        y=told["factor"].cast(pl.String).to_list(), x=[start + full for start, full in zip(starts, told["revalued"], strict=False)],
        mode="markers", name="full revaluation", marker={"color": theme.DARK, "size": 9, "symbol": "diamond-open", "line": {"width": 2}},
        customdata=told["revalued"].to_list(), hovertemplate="%{y}, revalued in full: %{customdata:+,.2f} USD<extra></extra>",
    )  # fmt: skip
    beside(drawn, ["gain", *names[::-1]])
    return drawn


def moves(table: pl.DataFrame) -> go.Figure:
    """What each quote, volatility, correlation and the discount moved the book by, the largest first, as steps to their sum.

    Args:
        table: `ExplainMoves`.
    """
    rows = moved(table)
    names, amounts = rows["name"].to_list(), rows["amount"].to_list()
    drawn, _ = _steps(names, amounts, last="all moves")
    beside(drawn, ["all moves", *names[::-1]])
    return drawn


def moved(table: pl.DataFrame) -> pl.DataFrame:
    """Name and amount of each move, the largest first; what comes after the first 16 is one row.

    A quote is named by itself where its name says the index, else after it.
    """
    factor, index, bucket = pl.col("factor").cast(pl.String), pl.col("index"), pl.col("bucket")
    quote = pl.when(bucket.str.starts_with(index)).then(bucket).otherwise(pl.format("{} {}", index, bucket))
    name = pl.when(factor == "curve").then(quote).otherwise(pl.format("{} {}", factor, index).str.strip_chars())
    rows = table.select(name.alias("name"), (pl.col("first") + pl.col("second")).alias("amount"))
    rows = rows.sort(pl.col("amount").abs(), "name", descending=[True, False])
    if rows.height <= MOST:
        return rows
    rest = rows.slice(MOST)
    return pl.concat([rows.head(MOST), rest.select(pl.lit(f"{rest.height:,} others").alias("name"), pl.col("amount").sum())])


def _steps(names: Sequence[str], amounts: Sequence[float], *, last: str) -> tuple[go.Figure, list[float]]:
    """Bars that begin where the one above ended, and their sum from nothing; where each began."""
    edges = [0.0]
    for amount in amounts:
        edges.append(edges[-1] + amount)
    drawn = theme.figure(height=ROOM + ROW * (len(names) + 1))
    for said, colour, sign in (("gains", theme.ACCENT, 1), ("losses", theme.BLUE, -1)):
        at = [place for place, amount in enumerate(amounts) if amount * sign > 0]
        drawn.add_bar(
            y=[names[place] for place in at], x=[amounts[place] for place in at], base=[edges[place] for place in at], orientation="h",
            name=said, marker={"color": colour}, customdata=[amounts[place] for place in at],
            text=[number(amounts[place], "+,.0f") for place in at], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{customdata:+,.2f} USD<extra></extra>",
        )  # fmt: skip
    drawn.add_bar(
        y=[last], x=[edges[-1]], orientation="h", name=last, marker={"color": theme.MIDDLE}, text=[number(edges[-1], "+,.0f")],
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:+,.2f} USD<extra></extra>",
    )  # fmt: skip
    low, high = min(edges), max(edges)
    spare = 0.2 * (high - low) or 1.0
    drawn.update_xaxes(
        title={"text": "USD", "standoff": 6},
        tickformat=",.3~s",
        zeroline=True,
        zerolinecolor=theme.MIDDLE,
        range=[low - spare, high + spare],
    )
    drawn.update_layout(barmode="overlay", bargap=0.35)
    return drawn, edges[:-1]

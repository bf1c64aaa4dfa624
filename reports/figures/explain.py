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

    Of an index's name only what tells it from the others is said, and a quote's name not the index again.
    """
    indices = table["index"].unique().sort().to_list()
    short = dict(zip(indices, _telling(indices), strict=True))
    names = []
    for factor, index, bucket in table.select(pl.col("factor").cast(pl.String), "index", "bucket").iter_rows():
        quote = bucket.removeprefix(index).lstrip(": ")
        names.append(f"{short[index]} {quote if factor == 'curve' else factor}".strip())
    rows = pl.DataFrame({"name": pl.Series(names, dtype=pl.String), "amount": table["first"] + table["second"]})
    rows = (
        rows.group_by("name", maintain_order=True)
        .agg(pl.col("amount").sum())
        .sort(pl.col("amount").abs(), "name", descending=[True, False])
    )
    if rows.height <= MOST:
        return rows
    rest = rows.slice(MOST)
    return pl.concat([rows.head(MOST), rest.select(pl.lit(f"{rest.height:,} others").alias("name"), pl.col("amount").sum())])


def _telling(names: Sequence[str]) -> list[str]:
    """Names without the parts between dots that all of them share; pairs stay whole, and so do names of different lengths.

    >>> _telling(["H100.US.FIRM", "H100.EU.FIRM"]), _telling(["H100.US.FIRM", ""]), _telling(["A.US", "A.EU", "A.US | A.EU"])
    (['US', 'EU'], ['', ''], ['US', 'EU', 'A.US | A.EU'])
    """
    parts = [name.split(".") for name in names]
    plain = [one for one, name in zip(parts, names, strict=True) if name and " | " not in name]
    if not plain or len({len(one) for one in plain}) > 1:
        return list(names)
    kept = [place for place, words in enumerate(zip(*plain, strict=True)) if len(set(words)) > 1]
    return [
        name if " | " in name else ".".join(one[place] for place in kept if place < len(one))
        for name, one in zip(names, parts, strict=True)
    ]


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
            hovertemplate="%{y}: %{customdata:+,.2f} USD<extra></extra>",
        )  # fmt: skip
    drawn.add_bar(
        y=[last], x=[edges[-1]], orientation="h", name=last, marker={"color": theme.MIDDLE},
        hovertemplate="%{y}: %{x:+,.2f} USD<extra></extra>",
    )  # fmt: skip
    low, high = min(edges), max(edges)
    spare = 0.05 * (high - low) or 1.0
    edge = high + 5 * spare  # where the amounts stand in a column of their own
    drawn.add_scatter(
        y=[*names, last], x=[edge] * (len(names) + 1), mode="text", text=[number(amount, "+,.0f") for amount in (*amounts, edges[-1])],
        textposition="middle left", showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    drawn.update_xaxes(
        title={"text": "USD", "standoff": 6},
        tickformat=",.3~s",
        zeroline=True,
        zerolinecolor=theme.MIDDLE,
        range=[low - spare, edge],
    )
    drawn.update_layout(barmode="overlay", bargap=0.35)
    return drawn, edges[:-1]

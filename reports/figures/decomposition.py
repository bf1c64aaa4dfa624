"""Why two indices differ, drawn: the way from one print to the other rule by rule, and how far each rule's part depends on the others."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside
from tenorgrid.reports.tables import number

ROW = 30  # pixels of a rule
ROOM = 90  # pixels of axis and legend


def told(rules: pl.DataFrame) -> pl.DataFrame:
    """Rules of one index that move some coalition, from the largest share to the smallest, in size.

    Args:
        rules: `GapRules` of one index.
    """
    moving = rules.filter("exchanged", (pl.col("lowest") != 0) | (pl.col("highest") != 0))
    return moving.sort(pl.col("share").abs(), "rule", descending=[True, False])


def waterfall(rules: pl.DataFrame, *, names: tuple[str, str], prints: tuple[float, float], unit: str) -> go.Figure:
    """From the other's print at the top, a bar a rule, to the one's at the bottom.

    Args:
        rules: `GapRules` of one index.
        names: of the one methodology and the other.
        prints: of the one and the other.
        unit: of both.
    """
    rows = told(rules)
    shares = rows["share"].to_list()
    edges = [prints[1]]
    for share in shares:
        edges.append(edges[-1] + share)
    labels = [names[1], *rows["rule"], names[0] if names[0] != names[1] else f"{names[0]} (the one)"]
    drawn = theme.figure(height=ROOM + ROW * len(labels))
    for name, colour, chosen in (("raises", theme.ACCENT, 1), ("lowers", theme.BLUE, -1)):
        places = [place for place, share in enumerate(shares) if share * chosen > 0]
        drawn.add_bar(
            y=[labels[place + 1] for place in places], x=[shares[place] for place in places], base=[edges[place] for place in places],
            orientation="h", name=f"{name} the print", marker={"color": colour}, customdata=[shares[place] for place in places],
            text=[number(shares[place], "+.4f") for place in places], textposition="outside", cliponaxis=False, meta=unit,
            hovertemplate="%{y}: %{customdata:+.6g} %{meta}<extra></extra>",
        )  # fmt: skip
    drawn.add_scatter(
        y=[labels[0], labels[-1]], x=[prints[1], prints[0]], mode="markers+text", name="prints", meta=unit,
        marker={"color": theme.DARK, "size": 11, "symbol": "diamond"}, text=[f"{value:.6g}" for value in (prints[1], prints[0])],
        textposition="middle right", cliponaxis=False, hovertemplate="%{y} prints %{x:.6g} %{meta}<extra></extra>",
    )  # fmt: skip
    _place(drawn, labels, unit)
    low, high = min(edges), max(edges)
    spare = 0.18 * (high - low) or 0.05 * abs(high)
    drawn.update_xaxes(range=[low - spare, high + 1.4 * spare])
    drawn.update_layout(barmode="overlay", bargap=0.35)
    return drawn


def ranges(rules: pl.DataFrame, *, unit: str) -> go.Figure:
    """What each rule adds at least, at most and on average over all orders in which rules are exchanged; left of zero it lowers the print.

    Args:
        rules: `GapRules` of one index.
        unit: of its prints.
    """
    rows = told(rules)
    labels = rows["rule"].to_list()
    drawn = theme.figure(height=ROOM + ROW * max(len(labels), 1))
    lines = [(label, low, high) for label, low, high in rows.select("rule", "lowest", "highest").iter_rows()]
    edges = [edge for _, low, high in lines for edge in (low, high, None)]
    drawn.add_scatter(
        y=[label for label, _, _ in lines for _ in range(3)], x=edges, mode="lines",
        line={"color": theme.LIGHT, "width": 7}, name="over all orders", meta=unit, hovertemplate="%{y}: %{x:+.6g} %{meta}<extra></extra>",
    )  # fmt: skip
    drawn.add_scatter(
        y=labels, x=rows["share"].to_list(), mode="markers", marker={"color": theme.ACCENT, "size": 10}, name="on average: its share",
        meta=unit, hovertemplate="%{y}: %{x:+.6g} %{meta}<extra></extra>",
    )  # fmt: skip
    _place(drawn, labels, unit)
    ends = [0.0, *rows["lowest"], *rows["highest"]]
    spare = 0.08 * (max(ends) - min(ends))
    drawn.update_xaxes(zeroline=True, zerolinecolor=theme.MIDDLE, range=[min(ends) - spare, max(ends) + spare])
    return drawn


def _place(drawn: go.Figure, labels: list[str], unit: str) -> None:
    """The first label at the top."""
    beside(drawn, labels[::-1])
    drawn.update_xaxes(title={"text": unit, "standoff": 4})

"""Attacks on marks as figures: of each methodology, how far each attack in each of its sizes moves the mark."""

from math import log10
from typing import Any

import plotly.graph_objects as go
import polars as pl

from tenorgrid.indices.attacks.catalog import Attack, size_text
from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

FLAT = 5e-4  # a move that would be written as 0.0 %
FULL = 4.0  # decades above 0.1 % at which the colour is full
DEEP = 0.62  # from where on the text of a cell is white
GONE = -1.0  # on the scale of colours: there is no fresh mark
SCALE = [(0.0, "#9db8cb"), (0.49, "#9db8cb"), (0.5, "#f4f4f3"), (0.75, "#dd9c7c"), (1.0, "#a5431c")]
UNUSUAL = ("withheld", "carried")


def reached(moves: pl.DataFrame) -> pl.DataFrame:
    """Of several days the print that each attack in each size moves furthest: a print without a fresh mark counts as the furthest.

    Args:
        moves: of `Stress`, of one methodology and index.
    """
    known = moves.filter(pl.col("size").is_not_null())
    gone = pl.col("status_after").is_in(UNUSUAL)
    ordered = known.sort(gone, pl.col("move").abs(), descending=[True, True], nulls_last=True, maintain_order=True)
    return ordered.unique(["attack", "size"], keep="first", maintain_order=True)


def moved_text(move: float | None, status: str) -> str:
    """A move as a figure and a table tell it.

    >>> moved_text(8.2416, "published"), moved_text(-0.00001, "published"), moved_text(0.1, "carried"), moved_text(None, "withheld")
    ('+824 %', '0.0 %', 'carried', 'withheld')
    """
    if status in UNUSUAL or move is None:
        return status
    if abs(move) < FLAT:
        return "0.0 %"
    text = f"{100 * move:+,.0f} %" if abs(move) >= 0.995 else f"{100 * move:+.1f} %"
    return text.replace("-", "−")


def shade(move: float | None, status: str) -> float:
    """Where a move stands on the scale of colours, by the logarithm of its size.

    >>> shade(0.0, "published"), round(shade(1.0, "published"), 2), shade(None, "withheld")
    (0.0, 0.75, -1.0)
    """
    if status in UNUSUAL or move is None:
        return GONE
    return 0.0 if abs(move) < FLAT else min(max(log10(abs(move) * 1000) / FULL, 0.05), 1.0)


def moves(found: pl.DataFrame, attacks: tuple[Attack, ...]) -> go.Figure:
    """A row an attack, its sizes from the left to the right; in each cell the size and how far it moves the mark.

    Args:
        found: of `reached`.
        attacks: in the order in which they are drawn, from the top.
    """
    told = {(row["attack"], row["size"]): row for row in found.iter_rows(named=True)}
    most = max(len(attack.sizes) for attack in attacks)
    rows = [[told.get((attack.name, size)) for size in attack.sizes] for attack in attacks]
    rows = [[*row, *[None] * (most - len(row))] for row in rows][::-1]
    drawn = theme.figure(height=70 + 44 * len(attacks))
    places, names = [str(place + 1) for place in range(most)], [attack.name for attack in attacks][::-1]
    drawn.add_heatmap(
        x=places, y=names, z=[[None if row is None else shade(row["move"], row["status_after"]) for row in line] for line in rows],
        colorscale=SCALE, zmin=-1, zmax=1, showscale=False, xgap=2, ygap=2, hoverinfo="skip",
    )  # fmt: skip
    cells = [(place, name, row) for name, line in zip(names, rows, strict=True) for place, row in zip(places, line, strict=True) if row]
    deep = [shade(row["move"], row["status_after"]) > DEEP for _, _, row in cells]
    drawn.add_scatter(
        x=[place for place, _, _ in cells], y=[name for _, name, _ in cells], mode="text", showlegend=False,
        customdata=[_cell(row) for _, _, row in cells], texttemplate="%{customdata[0]}<br>%{customdata[1]}",
        textfont={"size": 10, "color": ["white" if dark else theme.DARK for dark in deep]},
        hovertemplate="%{y}, %{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>",
    )  # fmt: skip
    beside(drawn, names)
    drawn.update_xaxes(type="category", showticklabels=False, ticks="", showgrid=False)
    drawn.update_layout(margin={"t": 16, "b": 20})
    return drawn


def _cell(row: dict[str, Any]) -> list[str]:
    after = "no mark" if row["after"] is None else f"{row['after']:.6g}"
    marks = f"{row['index']}: {row['before']:.6g} to {after}, {row['status_after']}"
    kept = f"{row['used']} of {row['rows']} rows count" + (f", excluded by {row['rules']}" if row["rules"] else "")
    return [size_text(row["size"], row["unit"]), moved_text(row["move"], row["status_after"]), marks, kept]

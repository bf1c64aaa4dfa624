"""How good the solutions of clearing are, from their own primal and dual values."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

MEASURES = ("primal", "dual", "complementarity", "gap")
LIMIT = 1e-6  # past it the engine solves again and, failing that, publishes nothing (market design, section 6)
_FLOOR = 1e-18  # zero has no place on a logarithmic axis


def worst(certificate: pl.DataFrame) -> pl.DataFrame:
    """Per horizon: problems and their intervals, the largest of each measure and of the gaps of whole solutions (null where nothing is
    decided whole), columns and rows of the largest problem, seconds in all.
    """
    return (
        certificate.group_by("horizon")
        .agg(
            pl.len().alias("problems"),
            pl.col("hours").sum(),
            pl.col("incumbent_gap").max(),
            pl.col("hull_gap").filter(pl.col("incumbent_gap").is_not_null()).max(),
            *(pl.col(measure).abs().max() for measure in MEASURES),
            pl.col("columns").max(),
            pl.col("rows").max(),
            pl.col("seconds").sum(),
        )
        .sort("horizon")
    )


def worst_of_all(certificate: pl.DataFrame) -> float:
    """The largest measure of any problem."""
    return float(np.abs(certificate.select(MEASURES).to_numpy()).max())


def measures(certificate: pl.DataFrame) -> go.Figure:
    """The largest of each measure per horizon on a logarithmic axis, with the limit past which nothing is published.

    A zero is drawn at 1e-18.
    """
    rows = worst(certificate)
    order = theme.horizon_order(rows["horizon"].to_list())
    drawn = theme.figure(height=90 + 40 * len(MEASURES) + 20)
    for position, horizon in enumerate(order):
        row = rows.filter(pl.col("horizon") == horizon)
        drawn.add_scatter(
            x=np.maximum(row.select(MEASURES).to_numpy()[0], _FLOOR),
            y=list(MEASURES),
            mode="markers",
            name=horizon,
            marker={"color": theme.colour(position if position < 2 else position + 1), "size": 9, "opacity": 0.9},
            hovertemplate="%{y}: %{x:.1e}<extra>%{fullData.name}</extra>",
        )
    drawn.add_shape(type="line", x0=LIMIT, x1=LIMIT, y0=0, y1=1, yref="paper", line={"color": theme.DARK, "width": 1, "dash": "dot"})
    largest = max(LIMIT, worst_of_all(certificate))
    smallest = max(_FLOOR, rows.select(MEASURES).to_numpy().min())
    drawn.update_xaxes(range=[np.log10(smallest) - 0.5, np.log10(largest) + 0.7])
    drawn.update_xaxes(type="log", title={"text": "largest value, relative (1)", "standoff": 6})
    drawn.update_xaxes(exponentformat="power", dtick=2 if largest / smallest < 1e8 else 4, tickangle=0)
    drawn.update_yaxes(automargin=True, categoryorder="array", categoryarray=list(reversed(MEASURES)))
    return drawn

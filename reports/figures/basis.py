"""Basis: changes of an exposure against changes of the index it is hedged with."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme


def changes(series: pl.DataFrame, *, ratio: float, unit: str, index: str) -> go.Figure:
    """Scatter of changes with the hedge line through their means.

    Args:
        series: exposure_change and index_change, one row a day; rows without both are left out.
        ratio: slope of the line, index units per unit of the exposure.
        unit: of the exposure's changes.
        index: name of the index.
    """
    rows = series.drop_nulls(["exposure_change", "index_change"])
    across, up = rows["index_change"].to_numpy(), rows["exposure_change"].to_numpy()
    drawn = theme.figure(height=400)
    drawn.add_scatter(
        x=across,
        y=up,
        name="daily changes",
        mode="markers",
        marker={"color": theme.BLUE, "size": 7, "opacity": 0.6},
        meta=index,
        hovertemplate="%{meta} %{x:.4f}<br>exposure %{y:.4f}<extra></extra>",
    )
    ends = np.array([across.min(), across.max()])
    drawn.add_scatter(
        x=ends,
        y=up.mean() + ratio * (ends - across.mean()),
        name=f"hedge line, slope {ratio:.4g}",
        mode="lines",
        line={"color": theme.ACCENT, "width": 2},
        hoverinfo="skip",
    )
    drawn.update_xaxes(title={"text": "change of the index, USD/GPUh", "standoff": 6}, zeroline=True, zerolinecolor=theme.LIGHT)
    drawn.update_yaxes(
        title={"text": f"change of the exposure, {unit}", "standoff": 6}, zeroline=True, zerolinecolor=theme.LIGHT, automargin=True
    )
    return drawn

"""Two methodologies over the same days: both series, and the difference under them where there is one."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

MOST_INDICES = 4
FEW = 40  # periods that are drawn with a marker each
SAME = ": no difference where both print"


def chosen(comparison: pl.DataFrame) -> list[str]:
    """Indices that are drawn: of those with a value the ones that are furthest apart, at most `MOST_INDICES`."""
    valued = comparison.filter(pl.col("value").is_not_null() | pl.col("value_against").is_not_null())
    apart = valued.group_by("index").agg(pl.col("difference").abs().max().fill_null(0.0).alias("apart"))
    return apart.sort("apart", "index", descending=[True, False])["index"].head(MOST_INDICES).to_list()


def both(comparison: pl.DataFrame, *, names: tuple[str, str], indices: list[str]) -> go.Figure:
    """For each index a strip with both series, the second dashed so that equal ones are seen, and one with their difference where
    there is any; a period without a mark is a gap.

    Args:
        comparison: `MethodComparison`.
        names: of the one methodology and of the other.
        indices: from the top.
    """
    apart = {index for index in indices if _differs(comparison.filter(pl.col("index") == index))}
    panels = [(index, column) for index in indices for column in ("value", "difference") if column == "value" or index in apart]
    titles = [_title(index, column, same=index not in apart) for index, column in panels]
    drawn = theme.strips(titles, height=110)
    for place, (index, column) in enumerate(panels):
        rows = comparison.filter(pl.col("index") == index).sort("start")
        if column == "value":
            _series(drawn, rows, names=names, place=place)
        else:
            _difference(drawn, rows, place=place)
    drawn.update_xaxes(tickformat="%d %b")
    drawn.update_yaxes(exponentformat="none")
    return drawn


def _differs(rows: pl.DataFrame) -> bool:
    return bool((rows["difference"].fill_null(0.0) != 0).any())


def _title(index: str, column: str, *, same: bool) -> str | tuple[str, str]:
    return "difference" if column == "difference" else (index, SAME if same else "")


def _series(drawn: go.Figure, rows: pl.DataFrame, *, names: tuple[str, str], place: int) -> None:
    times = rows["start"].dt.replace_time_zone(None).to_list()
    for order, column in enumerate(("value", "value_against")):
        drawn.add_scatter(
            x=times,
            y=rows[column].to_numpy(),
            yaxis=theme.axis(place),
            name=names[order],
            legendgroup=names[order],
            showlegend=place == 0,
            mode="lines+markers" if rows.height < FEW else "lines",
            marker={"size": 7 - 3 * order},
            line={"color": theme.colour(order), "width": 2, "dash": "solid" if order == 0 else "dash"},
            meta=rows["index"][0],
            hovertemplate="%{meta}<br>%{x|%d %b %Y}: %{y:.6g}<extra>%{fullData.name}</extra>",
        )


def _difference(drawn: go.Figure, rows: pl.DataFrame, *, place: int) -> None:
    drawn.add_bar(
        x=rows["start"].dt.replace_time_zone(None).to_list(),
        y=rows["difference"].to_numpy(),
        yaxis=theme.axis(place),
        name="difference",
        showlegend=False,
        marker={"color": theme.MIDDLE},
        meta=rows["index"][0],
        hovertemplate="%{meta}<br>%{x|%d %b %Y}: %{y:+.6g}<extra></extra>",
    )

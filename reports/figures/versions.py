"""Two methodologies over the same days: both series, and the difference under them."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

MOST_INDICES = 4


def chosen(comparison: pl.DataFrame) -> list[str]:
    """Indices that are drawn: of those with a value the ones that are furthest apart, at most `MOST_INDICES`."""
    valued = comparison.filter(pl.col("value").is_not_null() | pl.col("value_against").is_not_null())
    apart = valued.group_by("index").agg(pl.col("difference").abs().max().fill_null(0.0).alias("apart"))
    return apart.sort("apart", "index", descending=[True, False])["index"].head(MOST_INDICES).to_list()


def both(comparison: pl.DataFrame, *, names: tuple[str, str], indices: list[str]) -> go.Figure:
    """For each index a strip with both series and one with their difference; a period without a mark is a gap.

    Args:
        comparison: `MethodComparison`.
        names: of the one methodology and of the other.
        indices: from the top.
    """
    titles = [title for index in indices for title in ((index, ""), "difference")]
    drawn = theme.strips(titles, height=110)
    for place, index in enumerate(indices):
        rows = comparison.filter(pl.col("index") == index).sort("start")
        times = rows["start"].dt.replace_time_zone(None).to_list()
        mode = "lines+markers" if rows.height < 40 else "lines"
        for order, column in enumerate(("value", "value_against")):
            drawn.add_scatter(
                x=times,
                y=rows[column].to_numpy(),
                yaxis=theme.axis(2 * place),
                name=names[order],
                legendgroup=names[order],
                showlegend=place == 0,
                mode=mode,
                marker={"size": 5},
                line={"color": theme.colour(order), "width": 2},
                meta=index,
                hovertemplate="%{meta}<br>%{x|%d %b %Y}: %{y:.6g}<extra>%{fullData.name}</extra>",
            )
        drawn.add_bar(
            x=times,
            y=rows["difference"].to_numpy(),
            yaxis=theme.axis(2 * place + 1),
            name="difference",
            showlegend=False,
            marker={"color": theme.MIDDLE},
            meta=index,
            hovertemplate="%{meta}<br>%{x|%d %b %Y}: %{y:+.6g}<extra></extra>",
        )
    drawn.update_xaxes(tickformat="%d %b")
    drawn.update_yaxes(exponentformat="none")
    return drawn

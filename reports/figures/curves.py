"""The forward curve with the quotes it was made of, and volatility with its interval."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

SMOOTHEST = 1500  # intervals above which days are drawn instead


def drawn_curve(curve: pl.DataFrame, *, timezone: str) -> pl.DataFrame:
    """What the figure shows of one index's curve: its intervals, or means over local days where there are more than `SMOOTHEST`.

    Returns start, end (naive local times), forward, lower, upper in USD/GPUh.
    """
    local = curve.with_columns(_local("start", timezone), _local("end", timezone)).sort("start")
    if local.height <= SMOOTHEST:
        return local.select("start", "end", "forward", "lower", "upper")
    day = pl.col("start").dt.truncate("1d").alias("day")
    means = local.group_by(day).agg(pl.col("start").min(), pl.col("end").max(), pl.col("forward", "lower", "upper").mean())
    return means.select("start", "end", "forward", "lower", "upper").sort("start")


def forward(curve: pl.DataFrame, quotes: pl.DataFrame, *, timezone: str) -> go.Figure:
    """The forward curve as steps, its band, and every quote as a bar over its delivery period.

    Args:
        curve: `Curve` of one index.
        quotes: `Quotes` of the same index; those outside the curve are drawn too.
        timezone: IANA zone of the axis.
    """
    shown = drawn_curve(curve, timezone=timezone)
    drawn = theme.figure(height=430)
    banded = shown.filter(pl.col("lower").is_not_null(), pl.col("upper").is_not_null())
    if not banded.is_empty():
        edges = {"mode": "lines", "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", "legendgroup": "band"}
        drawn.add_scatter(x=_steps_x(banded), y=_steps_y(banded, "lower"), showlegend=False, name="band, lower end", **edges)
        drawn.add_scatter(
            x=_steps_x(banded),
            y=_steps_y(banded, "upper"),
            name="band",
            fill="tonexty",
            fillcolor="rgba(193,89,47,0.14)",
            showlegend=True,
            **edges,
        )
    local = quotes.with_columns(_local("start", timezone), _local("end", timezone)).sort("start", "quote_id")
    for order, source in enumerate(_sources(local)):
        _bars(drawn, local.filter(pl.col("source") == source), source=source, order=order)
    drawn.add_scatter(
        x=_steps_x(shown),
        y=_steps_y(shown, "forward"),
        name="curve",
        legendrank=1,
        mode="lines",
        line={"color": theme.ACCENT, "width": 1.5, "shape": "hv"},
        hovertemplate="%{x|%d %b %Y %H:%M}: %{y:.3f} USD/GPUh<extra>curve</extra>",
    )
    drawn.update_yaxes(title={"text": "USD per GPU-hour", "standoff": 8})
    drawn.update_xaxes(tickformat="%d %b<br>%Y")
    return drawn


def volatility(table: pl.DataFrame) -> go.Figure:
    """Annualised volatility of every index and model with its interval, as dots with bars."""
    rows = table.sort("volatility", "index", "model")
    drawn = theme.figure(height=110 + 24 * rows.height)
    models = rows["model"].unique().sort().to_list()
    for order, model in enumerate(models):
        here = rows.filter(pl.col("model") == model)
        drawn.add_scatter(
            x=(100 * here["volatility"]).to_numpy(),
            y=here["index"].to_list(),
            name=model,
            mode="markers",
            marker={"color": theme.colour(order), "size": 8},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (100 * (here["upper"] - here["volatility"])).to_numpy(),
                "arrayminus": (100 * (here["volatility"] - here["lower"])).to_numpy(),
                "color": theme.colour(order),
                "thickness": 1.5,
                "width": 4,
            },
            hovertemplate="%{y}: %{x:.1f} % a year<extra>%{fullData.name}</extra>",
        )
    drawn.update_layout(showlegend=len(models) > 1)
    drawn.update_xaxes(title={"text": "volatility, % per √year", "standoff": 6}, rangemode="tozero")
    beside(drawn, rows["index"].to_list())
    drawn.update_yaxes(showgrid=True)
    return drawn


def _local(name: str, timezone: str) -> pl.Expr:
    return pl.col(name).dt.convert_time_zone(timezone).dt.replace_time_zone(None)


def _steps_x(shown: pl.DataFrame) -> list[object]:
    return [*shown["start"].to_list(), shown["end"].to_list()[-1]]


def _steps_y(shown: pl.DataFrame, name: str) -> list[float]:
    values = shown[name].to_list()
    return [*values, values[-1]]


def _sources(quotes: pl.DataFrame) -> list[str]:
    """Sources of quotes, those of the nearest delivery first."""
    return quotes.group_by("source").agg(pl.col("start").min()).sort("start", "source")["source"].to_list()


def _bars(drawn: go.Figure, quotes: pl.DataFrame, *, source: str, order: int) -> None:
    """One trace of bars, broken by nulls: each is a horizontal stroke at the quote's price over its delivery, hovered at its middle."""
    stroke = theme.colour(order + 1)
    across, up = [], []
    for start, end, price in quotes.select("start", "end", "price").iter_rows():
        across += [start, end, None]
        up += [price, price, None]
    drawn.add_scatter(
        x=across,
        y=up,
        name=source,
        legendgroup=source,
        mode="lines",
        line={"color": stroke, "width": 4},
        opacity=0.85,
        hoverinfo="skip",
        connectgaps=False,
    )
    middles = [start + (end - start) / 2 for start, end in quotes.select("start", "end").iter_rows()]
    spans = [f"{start:%d %b %Y %H:%M} to {end:%d %b %Y %H:%M}" for start, end in quotes.select("start", "end").iter_rows()]
    drawn.add_scatter(
        x=middles,
        y=quotes["price"].to_list(),
        mode="markers",
        marker={"size": 12, "opacity": 0, "color": stroke},
        legendgroup=source,
        showlegend=False,
        name=source,
        text=quotes["contract"].to_list(),
        customdata=spans,
        hovertemplate="%{text}<br>%{customdata}<br>%{y:.3f} USD/GPUh<extra>%{fullData.name}</extra>",
    )

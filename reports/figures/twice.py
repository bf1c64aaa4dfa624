"""Prices under both rules: marginal against convex-hull by interval, and what scale-up domains add."""

from datetime import timedelta

import numpy as np
import plotly.graph_objects as go
import polars as pl

from tenorgrid.data.kinds.market import PriceKind
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.reports import theme

NODE = ("location", "resource", "tier")
FINEST = 1500  # intervals above which days are drawn instead
SPIKE = 8.0  # times the median price: past it a price is drawn at the edge of its axis
UNIT = "USD/resource-h"


def paired(prices: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """Nodes and intervals that have a price under both rules: location, resource, tier, start, marginal, hull, kind (of the second),
    difference (marginal − hull), USD/resource-h.

    Args:
        prices: `Prices`.
        horizon: of the run that is shown.
    """
    mine = prices.filter(pl.col("horizon") == horizon, pl.col("price").is_not_null())
    marginal = mine.filter(settles_under("marginal")).select(*NODE, "start", pl.col("price").alias("marginal"))
    second = mine.filter(settles_under("convex-hull"))
    hull = second.select(*NODE, "start", pl.col("price").alias("hull"), pl.col("pricing").cast(pl.String).alias("kind"))
    joined = marginal.join(hull, on=[*NODE, "start"], how="inner")
    return joined.with_columns((pl.col("marginal") - pl.col("hull")).alias("difference")).sort(*NODE, "start")


def by_node(pairs: pl.DataFrame) -> pl.DataFrame:
    """Per node, the widest apart first: intervals, means of both prices, apart (mean size of the difference) and the largest difference
    by size (signed), USD/resource-h.
    """
    gap = pl.col("difference")
    found = pairs.group_by(*NODE).agg(
        pl.len().alias("intervals"),
        pl.col("marginal", "hull").mean(),
        gap.abs().mean().alias("apart"),
        gap.get(gap.abs().arg_max()).alias("largest"),
    )
    return found.sort("apart", *NODE, descending=[True, False, False, False])


def chosen(nodes: pl.DataFrame, *, reference: str) -> pl.DataFrame:
    """The node of the reference resource whose prices are widest apart, and the node of any resource where that is wider still.

    Args:
        nodes: from `by_node`.
        reference: a resource.
    """
    own = nodes.filter(pl.col("resource") == reference).head(1)
    widest = nodes.head(1)
    wider = own.is_empty() or float(widest["apart"][0]) > float(own["apart"][0])
    return pl.concat([own, widest]) if wider else own


def edge(values: pl.Series) -> float | None:
    """Where an axis of prices ends, if prices at the cap would flatten all else: a quarter above the largest price that is no spike, which
    is `SPIKE` times the median of those above zero. None shows all of them.

    >>> edge(pl.Series([0.0, 1.0, 1.0, 2.0, 500.0]))
    2.5
    >>> edge(pl.Series([1.0, 2.0, 3.0])) is None
    True
    """
    above = values.filter(values > 0.0)
    middle = above.median()
    if not isinstance(middle, float):
        return None
    plain = above.filter(above <= SPIKE * middle)
    return None if plain.len() == above.len() else 1.25 * float(plain.to_numpy().max())


def side_by_side(pairs: pl.DataFrame, nodes: pl.DataFrame, *, settles: str, interval: timedelta, timezone: str) -> go.Figure:
    """Both prices of each node in steps, one strip a node; intervals whose second price is a relaxation are dotted.

    Args:
        pairs: from `paired`.
        nodes: location, resource, tier of the strips from the top; at least one.
        settles: the rule whose prices settle, drawn in terracotta.
        interval: length of an interval.
        timezone: IANA zone of the axis.
    """
    drawn = theme.strips([(_node(row), f", {UNIT}") for row in nodes.select(*NODE).iter_rows()], height=190)
    own = "marginal" if settles == "marginal" else "hull"
    lines: list[tuple[str, str, str | None, str]] = [
        ("marginal", "marginal", None, "solid"),
        (PriceKind.CONVEX_HULL.value, "hull", PriceKind.CONVEX_HULL.value, "solid"),
        (PriceKind.RELAXATION.value, "hull", PriceKind.RELAXATION.value, "dot"),
    ]
    lines.sort(key=lambda line: line[1] == own)  # what settles lies on top, the other is wider so that both are seen
    named: set[str] = set()
    for position, node in enumerate(nodes.select(*NODE).iter_rows(named=True)):
        here = pairs.filter(*(pl.col(name) == value for name, value in node.items()))
        steps = _steps(here, interval=interval, timezone=timezone)
        end = edge(pl.concat([here["marginal"], here["hull"]]))
        for name, column, kind, dash in lines:
            rows = steps if kind is None else steps.filter(pl.col("kind") == kind)
            if rows.is_empty():
                continue
            settling = column == own
            style: dict[str, object] = {"color": theme.ACCENT if settling else theme.BLUE, "width": 1.8 if settling else 3.5, "dash": dash}
            _line(drawn, rows, column, name=name, line=style, position=position, end=end, first=name not in named)
            named.add(name)
        _limits(drawn, position, here.select("marginal", "hull").to_numpy(), end)
    _clock(drawn)
    return drawn


def premia(domains: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """Per node and domain size with a premium under either rule, the largest mean first: intervals, those with a premium (priced), means
    under both rules (marginal, hull) and the largest of either, USD/GPUh.

    Args:
        domains: `DomainPrices`.
    """
    mine = domains.filter(pl.col("horizon") == horizon).with_columns(settles_under("marginal").alias("one"))
    size = pl.col("premium")
    found = mine.group_by(*NODE, "domain").agg(
        pl.col("start").n_unique().alias("intervals"),
        pl.col("start").filter(size > 0).n_unique().alias("priced"),
        size.filter(pl.col("one")).mean().alias("marginal"),
        size.filter(~pl.col("one")).mean().alias("hull"),
        size.max().alias("largest"),
    )
    order = pl.max_horizontal("marginal", "hull")
    return found.filter(pl.col("priced") > 0).sort(order, *NODE, "domain", descending=[True, False, False, False, False])


def premium_lines(
    domains: pl.DataFrame, nodes: pl.DataFrame, *, horizon: str, settles: str, interval: timedelta, timezone: str
) -> go.Figure:
    """The premium of every domain size over time at the prices that settle, one strip a node.

    Args:
        domains: `DomainPrices`.
        nodes: location, resource, tier of the strips from the top; at least one.
        settles: the rule.
        interval: length of an interval.
        timezone: IANA zone of the axis.
    """
    drawn = theme.strips([(_node(row), ", USD/GPUh over λ") for row in nodes.select(*NODE).iter_rows()], height=150)
    mine = domains.filter(pl.col("horizon") == horizon, settles_under(settles))
    sizes = mine.join(nodes, on=list(NODE), how="semi")["domain"].unique().sort().to_list()
    named: set[int] = set()
    for position, node in enumerate(nodes.select(*NODE).iter_rows(named=True)):
        here = mine.filter(*(pl.col(name) == value for name, value in node.items())).with_columns(pl.lit("").alias("kind"))
        end = edge(here["premium"])
        for order, size in enumerate(sizes):
            rows = _steps(here.filter(pl.col("domain") == size), interval=interval, timezone=timezone)
            if not rows.is_empty():
                style: dict[str, object] = {"color": theme.colour(order), "width": 2, "dash": theme.dash(order)}
                _line(
                    drawn, rows, "premium", name=f"domain of {size} GPUs", line=style, position=position, end=end, first=size not in named
                )
                named.add(size)
        _limits(drawn, position, here.select("premium").to_numpy(), end)
    _clock(drawn)
    return drawn


def _node(row: tuple[str, ...]) -> str:
    location, resource, tier = row
    return f"{location}, {resource} {tier}"


def _steps(rows: pl.DataFrame, *, interval: timedelta, timezone: str) -> pl.DataFrame:
    """Rows of one line with start and end as naive local times; where there are more than `FINEST`, means by local day and kind."""
    local = pl.col("start").dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    timed = rows.sort("start").with_columns(local, (pl.col("start") + interval).dt.convert_time_zone(timezone).dt.replace_time_zone(None)
        .alias("end"))  # fmt: skip
    if timed["start"].n_unique() <= FINEST:
        return timed
    values = [name for name in ("marginal", "hull", "premium") if name in rows.columns]
    days = timed.group_by(pl.col("start").dt.truncate("1d"), "kind").agg(pl.col(*values).mean())
    return days.with_columns((pl.col("start") + pl.duration(days=1)).alias("end")).sort("start", "kind")


def _line(
    drawn: go.Figure, rows: pl.DataFrame, column: str, *, name: str, line: dict[str, object], position: int, end: float | None, first: bool
) -> None:
    """A price in steps, broken where intervals do not follow each other, with a mark at the edge for what lies above it."""
    across: list[object] = []
    up: list[float | None] = []
    last = None
    for start, stop, value in rows.select("start", "end", column).iter_rows():
        if last is not None and start != last:
            across.append(last)
            up.append(None)
        across += [start, stop]
        up += [value, value]
        last = stop
    drawn.add_scatter(
        x=across, y=up, yaxis=theme.axis(position), name=name, legendgroup=name, showlegend=first, mode="lines", line=line,
        connectgaps=False, hovertemplate="%{x|%d %b %H:%M}: %{y:.4f}<extra>%{fullData.name}</extra>",
    )  # fmt: skip
    over = rows.filter(pl.col(column) > end) if end is not None else rows.clear()
    if not over.is_empty():
        drawn.add_scatter(
            x=[start + (stop - start) / 2 for start, stop in over.select("start", "end").iter_rows()],
            y=np.full(over.height, end), yaxis=theme.axis(position), name=name, legendgroup=name, showlegend=False, mode="markers",
            marker={"symbol": "triangle-up", "size": 8, "color": line["color"]}, cliponaxis=False,
            customdata=over[column].to_list(), hovertemplate="%{x|%d %b %H:%M}: %{customdata:,.2f}<extra>%{fullData.name}</extra>",
        )  # fmt: skip


def _clock(drawn: go.Figure) -> None:
    """The axis of time, from the first start to the last end: left alone, plotly would make room for the marks."""
    times = [moment for trace in drawn.data if trace.mode == "lines" for moment in trace.x]
    drawn.update_xaxes(tickformat="%d %b<br>%H:%M", nticks=7, tickangle=0, range=[min(times), max(times)])


def _limits(drawn: go.Figure, position: int, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], end: float | None) -> None:
    low, high = min(0.0, float(values.min())), float(values.max()) if end is None else end
    room = 0.06 * max(high - low, 0.01)
    drawn.layout[theme.axis(position).replace("y", "yaxis")].update(range=[low - room if low < 0 else 0.0, high + room])

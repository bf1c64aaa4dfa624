"""Index marks over time: GPU classes in strips, regions as lines; firm against spot; workloads in their own units."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

NARROW = "USD/GPUh"
MOST_LINES = 6  # a strip with more says less; the table below it has them all


def current(marks: pl.DataFrame, *, methodology: str) -> pl.DataFrame:
    """The latest revision of every mark of one methodology, with the parts of its index name.

    Args:
        marks: `Marks`.

    Returns index, subject (resource or workload), place, tier, start, value, unit, quantity, status, ordered by index and start; `place` and `tier` are
    what stands before the last dot and after it.
    """
    latest = (
        marks.filter(pl.col("methodology") == methodology).sort("revision").unique(["index", "start"], keep="last", maintain_order=True)
    )
    parts = pl.col("index").str.split(".")
    return latest.select(
        "index",
        parts.list.first().alias("subject"),
        parts.list.get(1, null_on_oob=True).fill_null("").alias("place"),
        parts.list.slice(2).list.join(".").alias("tier"),
        "start",
        "value",
        "unit",
        "quantity",
        pl.col("status").cast(pl.String),
    ).sort("index", "start")


def main_methodology(marks: pl.DataFrame) -> str:
    """The methodology with the most marks; of equals the first by name."""
    counts = marks.group_by("methodology").len().sort("len", "methodology", descending=[True, False])
    return str(counts["methodology"][0])


def narrow(series: pl.DataFrame) -> pl.DataFrame:
    """The marks in USD per GPU-hour."""
    return series.filter(pl.col("unit") == NARROW)


def workload(series: pl.DataFrame) -> pl.DataFrame:
    """The marks per unit of work."""
    return series.filter(pl.col("unit") != NARROW)


def subjects(series: pl.DataFrame) -> list[str]:
    """What the marks are of, H100 first because the market quotes it, the rest by name."""
    return sorted(series["subject"].unique().to_list(), key=lambda subject: (not subject.startswith("H100"), subject))


def places(series: pl.DataFrame) -> list[str]:
    """Places of the marks, groups of regions (the shortest names) first, so that a place has the same colour in every figure."""
    return sorted(series["place"].unique().to_list(), key=lambda place: ("-" in place, place))


def by_place(series: pl.DataFrame) -> go.Figure:
    """One strip per subject, one line per place, from marks of a single tier; a withheld mark is a gap."""
    kinds, where = subjects(series), places(series)[:MOST_LINES]
    units = dict(zip(series["subject"].to_list(), series["unit"].to_list(), strict=True))
    drawn = theme.strips([f"<b>{kind}</b>, {units[kind].replace('USD/GPUh', 'USD per GPU-hour')}" for kind in kinds], height=96)
    for position, kind in enumerate(kinds):
        for order, place in reversed(list(enumerate(where))):
            line = series.filter(pl.col("subject") == kind, pl.col("place") == place)
            if not line.is_empty():
                _line(drawn, line, name=place, position=position, order=order, first=_first_with(series, kinds, place) == position)
    drawn.update_xaxes(tickformat="%d %b")
    return drawn


def by_tier(series: pl.DataFrame) -> go.Figure:
    """One strip per subject, one line per tier, from marks of a single place; a withheld mark is a gap."""
    kinds = subjects(series)
    tiers = sorted(series["tier"].unique().to_list(), key=lambda tier: (tier != "FIRM", tier))[:MOST_LINES]
    drawn = theme.strips([f"<b>{kind}</b>, USD per GPU-hour" for kind in kinds], height=96)
    for position, kind in enumerate(kinds):
        for order, tier in reversed(list(enumerate(tiers))):
            line = series.filter(pl.col("subject") == kind, pl.col("tier") == tier)
            if not line.is_empty():
                shown = next(
                    k for k, other in enumerate(kinds) if not series.filter(pl.col("subject") == other, pl.col("tier") == tier).is_empty()
                )
                _line(drawn, line, name=tier, position=position, order=order, first=shown == position)
    drawn.update_xaxes(tickformat="%d %b")
    return drawn


def _first_with(series: pl.DataFrame, kinds: list[str], place: str) -> int:
    return next(k for k, kind in enumerate(kinds) if not series.filter(pl.col("subject") == kind, pl.col("place") == place).is_empty())


def _line(drawn: go.Figure, line: pl.DataFrame, *, name: str, position: int, order: int, first: bool) -> None:
    ordered = line.sort("start")
    drawn.add_scatter(
        x=ordered["start"].dt.replace_time_zone(None).to_list(),
        y=ordered["value"].to_numpy(),
        yaxis=theme.axis(position),
        name=name,
        legendgroup=name,
        legendrank=order,
        showlegend=first,
        mode="lines+markers" if ordered.height < 40 else "lines",
        marker={"size": 4},
        line={"color": theme.colour(order), "width": 2 if order == 0 else 1.5, "dash": theme.dash(order)},
        hovertemplate=f"{ordered['index'][0]}<br>%{{x|%d %b %Y}}: %{{y:.4g}}<extra></extra>",
    )

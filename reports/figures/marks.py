"""Index marks over time: GPU classes in strips, regions as lines; firm against spot; workloads in their own units."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.indices.names import parts
from tenorgrid.reports import theme

NARROW = "USD/GPUh"
MOST_LINES = 5  # a strip with more says less; the table below it has them all
MOST_STRIPS = 8
FAVOURITES = ("US", "GLOBAL")  # groups that the house methodology quotes first


def current(marks: pl.DataFrame, *, methodology: str) -> pl.DataFrame:
    """The latest revision of every mark of one methodology, with the parts of its index name.

    A term is told with the tier (`FIRM 1Y`): a committed year is a line of its own, never mixed with what is rented by the hour.

    Args:
        marks: `Marks`.
        methodology: its name.

    Returns index, subject (resource or workload), place, tier, start, value, unit, quantity, status, ordered by index and start.
    """
    latest = (
        marks.filter(pl.col("methodology") == methodology).sort("revision").unique(["index", "start"], keep="last", maintain_order=True)
    )
    named = latest.with_columns(parts())
    return named.select(
        "index",
        "subject",
        pl.col("place").fill_null(""),
        pl.concat_str("tier", "term", separator=" ", ignore_nulls=True).alias("tier"),
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
    """What the figures show: H100 first because the market quotes it, then those with the most values, at most `MOST_STRIPS`."""
    longest = series.filter(pl.col("value").is_not_null()).group_by("subject", "index").len().group_by("subject").agg(pl.col("len").max())
    ranked = sorted(
        longest.iter_rows(), key=lambda row: (not row[0].startswith("H100-SXM"), not row[0].startswith("H100"), -row[1], row[0])
    )
    return [subject for subject, _ in ranked[:MOST_STRIPS]]


def places(series: pl.DataFrame) -> list[str]:
    """Places that the figures show, at most `MOST_LINES`: the favoured groups, then those with the most marks."""
    ranked = series.group_by("place").len().sort("len", "place", descending=[True, False])["place"].to_list()
    favoured = [place for place in FAVOURITES if place in ranked]
    return (favoured + [place for place in ranked if place not in favoured])[:MOST_LINES]


def by_place(series: pl.DataFrame, *, kinds: list[str], where: list[str]) -> go.Figure:
    """One strip per subject, one line per place, from marks of a single tier; a withheld mark is a gap.

    Args:
        series: from `current`, one tier.
        kinds: subjects, from the top.
        where: places, the most important first; a place has the same colour in every figure that is given the same list.
    """
    units = dict(zip(series["subject"].to_list(), series["unit"].to_list(), strict=True))
    return _drawn(series.with_columns(pl.col("place").alias("line")), kinds=kinds, lines=where, units=units)


def by_tier(series: pl.DataFrame, *, kinds: list[str]) -> go.Figure:
    """One strip per subject, one line per tier, from marks of a single place; a withheld mark is a gap."""
    tiers = sorted(series["tier"].unique().to_list(), key=lambda tier: (tier != "FIRM", tier))[:MOST_LINES]
    return _drawn(series.with_columns(pl.col("tier").alias("line")), kinds=kinds, lines=tiers, units=dict.fromkeys(kinds, NARROW))


def _drawn(series: pl.DataFrame, *, kinds: list[str], lines: list[str], units: dict[str, str]) -> go.Figure:
    drawn = theme.strips([(kind, f", {units[kind].replace(NARROW, 'USD per GPU-hour')}") for kind in kinds], height=96)
    shown: set[str] = set()
    for position, kind in enumerate(kinds):
        for order, name in reversed(list(enumerate(lines))):
            line = series.filter(pl.col("subject") == kind, pl.col("line") == name)
            if not line.is_empty():
                _line(drawn, line, name=name, position=position, order=order, first=name not in shown)
                shown.add(name)
    drawn.update_xaxes(tickformat="%d %b")
    return drawn


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
        meta=ordered["index"][0],
        hovertemplate="%{meta}<br>%{x|%d %b %Y}: %{y:.4g}<extra></extra>",
    )

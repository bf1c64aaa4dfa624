"""Index marks: narrow ones per GPU class, workload ones per unit of work."""

import polars as pl

from tenorgrid.reports.figures import marks
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, local, table


def main_tier(series: pl.DataFrame) -> str:
    """`FIRM` where there is one, else the tier with the most marks."""
    tiers = series.group_by("tier").len().sort("len", "tier", descending=[True, False])["tier"].to_list()
    return "FIRM" if "FIRM" in tiers else str(tiers[0])


def latest(series: pl.DataFrame) -> pl.DataFrame:
    """The last mark of every index that has a value, GPU-hours first.

    Returns index, start, value, unit, quantity, status, and how many marks and withheld ones it has.
    """
    counts = series.group_by("index").agg(pl.len().alias("marks"), (pl.col("status") == "withheld").sum().alias("withheld"))
    last = series.filter(pl.col("value").is_not_null()).sort("start").unique("index", keep="last", maintain_order=True)
    return (
        last.select("index", "start", "value", "unit", "quantity", "status")
        .join(counts, on="index", how="left")
        .sort(pl.col("unit") != marks.NARROW, "index")
    )


def section(run: Run) -> Section | None:
    """Marks of the methodology that has most of them, in figures; the last mark of every index in a table."""
    if run.marks is None:
        return None
    methodology = marks.main_methodology(run.marks)
    series = marks.current(run.marks, methodology=methodology)
    blocks: list[Drawing | Listing] = []
    narrow, work = marks.narrow(series), marks.workload(series)
    where = marks.places(series)
    if not narrow.is_empty():
        blocks += _narrow(narrow, methodology, where)
    if not work.is_empty():
        blocks.append(_work(work, methodology, where))
    blocks.append(_table(series, methodology, run.timezone))
    return Section(
        name="marks",
        title="Index marks",
        lead="What a GPU-hour, or a unit of work, was worth on each day by a published rule that anyone can recompute.",
        blocks=blocks,
    )


def _narrow(series: pl.DataFrame, methodology: str, where: list[str]) -> list[Drawing | Listing]:
    tier = main_tier(series)
    where, shown = _shown(series, tier, where)
    kinds = marks.subjects(shown)
    drawings: list[Drawing | Listing] = [
        Drawing(
            name="narrow-marks",
            title=f"Narrow marks, {tier.lower()}",
            figure=marks.by_place(shown, kinds=kinds, where=where),
            caption=f"USD per GPU-hour, methodology {methodology}. {_counted(shown, kinds, of=series)}",
        )
    ]
    place = next(place for place in where if place in shown["place"])
    there = series.filter(pl.col("place") == place, pl.col("subject").is_in(kinds), pl.col("value").is_not_null())
    both = there.group_by("subject").agg(pl.col("tier").n_unique()).filter(pl.col("tier") > 1)["subject"].to_list()
    tiers = series.filter(pl.col("place") == place, pl.col("subject").is_in(both))
    if both:
        drawings.append(
            Drawing(
                name="tier-marks",
                title=f"Narrow marks in {place} by tier",
                figure=marks.by_tier(tiers, kinds=marks.subjects(tiers)),
                caption=f"USD per GPU-hour booked, methodology {methodology}. {_counted(tiers, kinds, of=series)}",
            )
        )
    return drawings


def _work(series: pl.DataFrame, methodology: str, where: list[str]) -> Drawing:
    tier = main_tier(series)
    where, shown = _shown(series, tier, where)
    kinds = marks.subjects(shown)
    return Drawing(
        name="workload-marks",
        title=f"Workload marks, {tier.lower()}",
        figure=marks.by_place(shown, kinds=kinds, where=where),
        caption=(
            f"USD per unit of work as named above each strip, one line per home of the work, methodology {methodology}. "
            f"{_counted(shown, kinds, of=series)}"
        ),
    )


def _shown(series: pl.DataFrame, tier: str, where: list[str]) -> tuple[list[str], pl.DataFrame]:
    """Marks of a tier in the places `where`, and these; in its own main places where it has none there."""
    mine = series.filter(pl.col("tier") == tier)
    places = where if mine["place"].is_in(where).any() else marks.places(mine)
    return places, mine.filter(pl.col("place").is_in(places))


def _counted(series: pl.DataFrame, kinds: list[str], *, of: pl.DataFrame) -> str:
    """How many marks are drawn, how many of them are weak, and how many indices the figure leaves to the tables."""
    drawn = series.filter(pl.col("subject").is_in(kinds))
    missing = drawn.filter(pl.col("status") == "withheld").height
    weak = drawn.filter(pl.col("status").is_in(["low-confidence", "carried"])).height
    left = of["index"].n_unique() - drawn["index"].n_unique()
    rest = f" {left:,} more indices are in the marks table." if left else ""
    return f"{drawn.height:,} marks, of which {missing:,} withheld (gaps) and {weak:,} carried or of low confidence.{rest}"


def _table(series: pl.DataFrame, methodology: str, timezone: str) -> Listing:
    columns = [
        Column(name="index", head="Index"),
        Column(name="start", head="Period from", unit=timezone),
        Column(name="value", head="Mark", form=",.4f"),
        Column(name="unit", head="Unit"),
        Column(name="quantity", head="Quantity", unit="GPUh or units", form=",.0f"),
        Column(name="status", head="Status"),
        Column(name="marks", head="Marks", unit="count", form=",d"),
        Column(name="withheld", head="Withheld", unit="count", form=",d"),
    ]
    return Listing(
        name="latest-marks",
        title="The last mark of every index",
        table=table(latest(series).with_columns(local(["start"], timezone)), columns, name="latest-marks-table"),
        caption=(
            f"Latest revisions of methodology {methodology}. Quantity is what stands behind the mark: GPU-hours, or units of work; "
            f"none for quotes."
        ),
    )

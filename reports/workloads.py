"""The page of workload indices: what work cost, by which chip, how close the next one was, and what moved it."""

import polars as pl

from tenorgrid.data.wording import counted
from tenorgrid.indices.workloads.indices import WorkloadIndices
from tenorgrid.indices.workloads.terms import POINTS
from tenorgrid.reports.figures import work as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, table

LIMITS_OF_FIGURES = (
    "What the figures do not cover: a benchmark is one release of software on one chip, tuned by its submitter, with every user busy all "
    "the time. A fleet has idle hours, prompts beside answers, failures and older software, so that work costs more than this. Marks of "
    "observed offers bundle hosts with GPUs."
)


def render(run: WorkloadIndices) -> str:
    """The page as one HTML text that loads nothing from anywhere; of the home and tier with the most prints, all others in the tables."""
    rows = figures.story(run.audits)
    home, tier = _main(rows)
    shown = rows.filter(home=home, tier=tier)
    days = rows.drop_nulls("value")["date"]
    sure = rows.filter(pl.col("status") == "published").height
    keys = [
        Key(
            label="Prints",
            value=f"{rows.height:,}",
            note=f"{sure:,} published, {rows.height - sure:,} of low confidence, carried or withheld",
        ),
        Key(
            label="Indices",
            value=f"{rows['index'].n_unique():,}",
            note=f"{counted(rows['home'].n_unique(), 'home')}, {counted(rows['tier'].n_unique(), 'tier')}",
        ),
        Key(label="First day", value=str(days.min()), note="with a value"),
        Key(label="Last day", value=str(days.max()), note="with a value"),
    ]
    return compose(
        title="Workload indices",
        subtitle=(
            f"{run.basket.name}: USD per unit of work, by the cheapest recipe at each day's marks of {run.basket.marks}. "
            f"Figures: {home}, {tier}."
        ),
        keys=keys,
        sections=[_prices(shown), _families(shown), _last(rows), _moves(rows)],
        note="",
    )


def _main(rows: pl.DataFrame) -> tuple[str, str]:
    counts = rows.drop_nulls("value").group_by("home", "tier").len().sort("len", "home", "tier", descending=[True, False, False])
    return str(counts["home"][0]), str(counts["tier"][0])


def _prices(rows: pl.DataFrame) -> Section:
    blocks = [
        Drawing(
            name="work-prices",
            title="Prices of work, by model and limit",
            figure=figures.prices(rows),
            caption="A line a workload, named with its limit; hollow dots are days that are not fully to be relied on.",
        ),
        Drawing(
            name="work-cheapest",
            title="The cheapest chip",
            figure=figures.cheapest(rows),
            caption="A square a day; under the pointer the runner-up, and by how much it is dearer.",
        ),
    ]
    return Section(name="prices", title="Prices of work", lead=LIMITS_OF_FIGURES, blocks=blocks)


def _families(rows: pl.DataFrame) -> Section:
    blocks = [
        Drawing(
            name=f"work-families-{place}",
            title=f"Classes and architectures, {unit}",
            figure=figures.families(rows, unit),
            caption="Fixed shares of value at the base, where the index is 100." if unit == POINTS else "Fixed shares of work.",
        )
        for place, unit in enumerate(figures.family_units(rows), start=1)
    ]
    lead = "Shares never move: a family moves for its workloads' prices and for nothing else."
    return Section(name="families", title="Families", lead=lead, blocks=blocks)


def _last(rows: pl.DataFrame) -> Section:
    last = rows.drop_nulls("value").group_by("index", maintain_order=True).last()
    columns = [
        Column(name="index", head="Index"),
        Column(name="date", head="Day"),
        Column(name="value", head="Value", form=",.6g"),
        Column(name="unit", head="Unit"),
        Column(name="status", head="Status"),
        Column(name="recipe", head="Cheapest recipe"),
        Column(name="percent", head="GPUs", unit="% of cost", form=",.1f"),
        Column(name="runner_up", head="Runner-up"),
        Column(name="dearer_percent", head="Dearer", unit="%", form=",.1f"),
        Column(name="limit", head="Limit"),
    ]
    shown = last.with_columns(percent=100 * pl.col("accelerators"), dearer_percent=100 * pl.col("dearer"))
    listing = Listing(
        name="work-last",
        title="The last print of each index",
        table=table(shown, columns, name="work-last-table"),
        caption="The audit of each print has every resource's hours, price and share, and the mark that the price is of.",
    )
    return Section(name="last", title="Last prints", lead="What each unit of work cost last, and on what that stands.", blocks=[listing])


def _moves(rows: pl.DataFrame) -> Section:
    work = rows.drop_nulls("model").drop_nulls("value")
    parts = ("prices", "entering", "leaving")
    moved = work.group_by("index", "unit", maintain_order=True).agg(
        pl.col("value").first().alias("first"), pl.col("value").last().alias("last"), *(pl.col(part).sum() for part in parts),
        pl.col("chip").n_unique().alias("chips"),
    )  # fmt: skip
    columns = [
        Column(name="index", head="Index"),
        Column(name="unit", head="Unit"),
        Column(name="first", head="First", form=",.6g"),
        Column(name="last", head="Last", form=",.6g"),
        Column(name="prices", head="Prices", form="+,.6g"),
        Column(name="entering", head="Ways that came", form="+,.6g"),
        Column(name="leaving", head="Ways that went", form="+,.6g"),
        Column(name="chips", head="Cheapest chips", form="d"),
    ]
    listing = Listing(
        name="work-moves",
        title="Why prices of work moved",
        table=table(moved, columns, name="work-moves-table"),
        caption="From the first print to the last: changes of prices of ways that were there on both days, ways that came, ways that went.",
    )
    return Section(name="moves", title="What moved", lead="Three parts that sum to the whole change but for rounding.", blocks=[listing])

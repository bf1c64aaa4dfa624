"""The page of a benchmark: for each model its frontier, f_n(X) and returns in the number of accelerators, and what was left out."""

import polars as pl

from tenorgrid.data.benchmarks.limits import limits
from tenorgrid.data.benchmarks.recipes import RecipeBook
from tenorgrid.reports.figures import frontier as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, table

FILE = "recipes.html"


def render(book: RecipeBook) -> str:
    """The page as one HTML text that loads nothing from anywhere; the same text for the same book."""
    families = book.frontier["family"].unique(maintain_order=True).to_list()
    reasons = book.left_out["reason"].value_counts(sort=True).rows()
    keys = [
        Key(label="Workloads", value=f"{book.workloads.height:,}", note=f"{len(families)} models, each with its limits"),
        Key(label="Recipes", value=f"{book.recipes.height:,}", note=f"on {book.hosts.height} kinds of accelerators"),
        Key(label="Results", value=f"{book.frontier['row'].n_unique():,}", note="that meet some limit"),
        Key(
            label="Left out", value=f"{book.left_out.height:,}", note=", ".join(f"{count} {reason}" for reason, count in reasons) or "none"
        ),
    ]
    sections = [_family(book, family) for family in families]
    return compose(
        title=f"Recipes from {book.format}",
        subtitle=f"{book.source}: what published results say a bundle of accelerators and their hosts can do in an hour.",
        keys=keys,
        sections=[*sections, _hosts(book), _left_out(book)],
        note="",
    )


def _family(book: RecipeBook, family: str) -> Section:
    rows = book.frontier.filter(family=family)
    recipes = rows.filter(pl.col("recipe").is_not_null())
    unit = str(book.workloads.filter(workload=rows["workload"][0])["unit"][0])
    shown = [limit for limit in limits(book.format, book.limits) if rows.filter(pl.col("speed") >= limit.speed).height]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name=f"{_id(family)}-frontier",
            title="Work against speed",
            figure=figures.speed_frontier(rows, shown, format=book.format, unit=unit),
            caption="A dot a result, hollow where no recipe is made of it; the stair is the most work at that speed or a faster one.",
        ),
        Drawing(
            name=f"{_id(family)}-performance",
            title="f(X): work of a bundle",
            figure=figures.performances(rows, book.recipes, book.recipe_resources, unit=unit),
            caption=(
                f"X is so many accelerators of one kind with the vCPU, memory and network of at most {figures.HOSTED} of them. "
                "Dotted: under the tightest limit. Dashed: outside of any scale-up domain. "
                "A line that is not there is nothing, or lies on another."
            ),
        ),
    ]
    scaling = book.scaling.filter(family=family)
    if scaling.filter(pl.len().over("resources", "spread") > 1).height:
        blocks.append(
            Drawing(
                name=f"{_id(family)}-returns",
                title="One job on more accelerators",
                figure=figures.returns(scaling, unit=unit),
                caption="Dots are results, lines the least concave curve over them, dotted what the smallest job would make of more.",
            )
        )
    columns = [
        Column(name="workload", head="Workload"),
        Column(name="recipe", head="Recipe"),
        Column(name="domain", head="Domain", unit="GPU", form=",d"),
        Column(name="output_per_hour", head="Work", unit=f"{unit} / h", form=",.4g"),
        Column(name="per_gpu", head="Work of one", unit=f"{unit} / GPUh", form=",.4g"),
        Column(name="row", head="Row", form="d"),
        Column(name="entry", head="Result"),
    ]
    ordered = recipes.sort(_place(recipes["workload"]), -recipes["per_gpu"])
    blocks.append(
        Listing(
            name=f"{_id(family)}-recipes",
            title="Recipes",
            table=table(ordered, columns, name=f"{_id(family)}-table"),
            caption="One recipe-hour is the measured system for an hour.",
        )
    )
    lead = (
        f"{rows['row'].n_unique()} results, {recipes.height} recipes of {rows['workload'].n_unique()} workloads, in {unit}. {_limits(rows)}"
    )
    return Section(name=_id(family), title=family, lead=lead, blocks=blocks)


def _hosts(book: RecipeBook) -> Section:
    columns = [
        Column(name="resource", head="Accelerator"),
        Column(name="scale_up", head="Scale-up domain", unit="GPU", form=",d"),
        Column(name="vcpu", head="vCPU", unit="a GPU", form=",.4g"),
        Column(name="ram_gib", head="Memory", unit="GiB a GPU", form=",.5g"),
        Column(name="net_gbps", head="Network", unit="Gbit/s a GPU", form=",.4g"),
        Column(name="source", head="Machine"),
    ]
    shown = Listing(
        name="hosts-listing",
        title="Hosts",
        table=table(book.hosts, columns, name="hosts-table"),
        caption="A file of hosts overrides any row.",
    )
    lead = "What stands beside one accelerator: the published machine, divided by its accelerators."
    return Section(name="hosts", title="Hosts", lead=lead, blocks=[shown])


def _left_out(book: RecipeBook) -> Section:
    columns = [
        Column(name="row", head="Row", form="d"),
        Column(name="reason", head="Reason"),
        Column(name="column", head="Column"),
        Column(name="value", head="Found"),
        Column(name="detail", head="Why"),
    ]
    shown = Listing(
        name="left-out-listing",
        title="Rows left out",
        table=table(book.left_out, columns, name="left-out-table"),
        caption="Rows count from 1 below the header.",
    )
    return Section(name="left-out", title="Left out", lead="Rows of the file of which no recipe was made.", blocks=[shown])


def _limits(rows: pl.DataFrame) -> str:
    """The limits of a family's workloads as one text."""
    named = rows.select("workload", "limit").unique(maintain_order=True).filter(pl.col("limit").is_not_null())
    return " ".join(f"{workload}: {limit}." for workload, limit in named.iter_rows())


def _place(workloads: pl.Series) -> pl.Series:
    """Where each workload first stands: the loosest comes first."""
    place = {name: number for number, name in enumerate(workloads.unique(maintain_order=True))}
    return workloads.replace_strict(place, return_dtype=pl.Int64)


def _id(family: str) -> str:
    return f"m-{family.replace('.', '-')}"

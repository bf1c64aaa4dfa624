"""The page of `tenorgrid publish compare`: two methodologies over the same days."""

import polars as pl

from tenorgrid.reports.figures import versions
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "compare.html"


def render(comparison: pl.DataFrame, distances: pl.DataFrame, *, names: tuple[str, str], source: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        comparison: `MethodComparison`.
        distances: what `tenorgrid.indices.publication.comparison.distances` made of it.
        names: of the one methodology and of the other.
        source: what the observations are called.
    """
    shown = versions.chosen(comparison)
    largest = distances.sort("largest", descending=True, nulls_last=True).row(0, named=True) if distances.height else None
    keys = [
        Key(label="Indices", value=number(distances.height, ",d"), note=f"{comparison['start'].n_unique()} periods"),
        Key(label="Printed by both", value=number(int(distances["both"].sum()), ",d"), note="marks"),
        Key(
            label="Largest difference",
            value=number(largest["largest"] if largest else None, ".6g"),
            note=f"{largest['index']}, {largest['largest_at']:%d %b %Y}" if largest and largest["largest"] is not None else "none",
        ),
    ]
    columns = [
        Column(name="index", head="Index"),
        Column(name="both", head="Both", unit="marks", form=",d"),
        Column(name="only_one", head=f"Only {names[0]}", unit="marks", form=",d"),
        Column(name="only_other", head=f"Only {names[1]}", unit="marks", form=",d"),
        Column(name="mean", head="Mean difference", unit="see the index", form="+,.6f"),
        Column(name="largest", head="Largest difference", unit="see the index", form=",.6f"),
    ]
    caption = f"Differences are {names[0]} less {names[1]}, in the unit of the index."
    ordered = distances.sort("largest", "both", "index", descending=[True, True, False], nulls_last=True)
    blocks: list[Drawing | Listing] = [
        Drawing(name="series", title="Both series", figure=versions.both(comparison, names=names, indices=shown), caption=caption),
        Listing(name="distances", title="By index", table=table(ordered, columns, name="distances-table"), caption=caption),
    ]
    section = Section(
        name="versions", title="Period by period", lead="A gap is a period of which a methodology has no value.", blocks=blocks
    )
    return compose(title=f"{names[0]} against {names[1]}", subtitle=source, keys=keys, sections=[section], note="")

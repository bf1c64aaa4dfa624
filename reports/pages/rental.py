"""The page of `tenorgrid rental`: par rates, the forwards in them, how they age, and generations beside one another."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from tenorgrid.reports.figures import rental as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "rental.html"
DRAWN = 6  # strips of one figure


def render(tables: Mapping[str, pl.DataFrame], *, source: str, as_of: date) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: curve, and shifts where generations were tied, of `tenorgrid.data.tables.rental`.
        source: what the rates are called.
        as_of: their day.
    """
    curve = tables["curve"].sort("index", "months")
    several = curve.group_by("index").len().sort("len", "index", descending=[True, False])
    drawn = several["index"].head(DRAWN).sort().to_list()
    rising = curve.filter(pl.col("ageing") < 0).height
    told = curve["ageing"].drop_nulls()
    middle = told.median() if told.len() else None
    keys = [
        Key(label="Indices", value=f"{several.height:,}", note=f"{curve.height:,} tenors"),
        Key(label="Longest tenor", value=str(curve["months"].max()), note="months"),
        Key(label="Ageing yield", value=number(middle if isinstance(middle, float) else None, ".3f"), note="a year, median of all periods"),
        Key(label="Rising", value=f"{rising}", note="periods dearer than the one before"),
    ]
    columns = [
        Column(name="index", head="Index"),
        Column(name="first", head="From", unit="months", form=",d"),
        Column(name="months", head="To", unit="months", form=",d"),
        Column(name="par", head="Par rate", unit="USD/GPUh", form=",.4f"),
        Column(name="annuity", head="Annuity", unit="years", form=",.4f"),
        Column(name="forward", head="Forward", unit="USD/GPUh", form=",.4f"),
        Column(name="ageing", head="Ageing yield", unit="1/year", form=".4f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="term-structure",
            title="Par rates and forwards",
            figure=figures.term_structure(curve, indices=drawn),
            caption=f"Points: a rental that begins now. Steps: what its later months cost. {len(drawn)} of {several.height} indices.",
        ),
        Listing(
            name="forwards", title="Forwards", table=table(curve, columns, name="forwards-table"),
            caption="F = (A₂ P₂ − A₁ P₁) / (A₂ − A₁); the ageing yield is −∂ ln F / ∂T between the middles of two periods.",
        ),
    ]  # fmt: skip
    lead = "What the months between two tenors cost."
    sections = [Section(name="forwards-section", title="The term structure", lead=lead, blocks=blocks)]
    if "spots" in tables:
        sections.append(_spots(tables["spots"]))
    if "shifts" in tables:
        sections.append(_generations(tables["shifts"]))
    return compose(title="Rental rates", subtitle=f"{source}, {as_of}.", keys=keys, sections=sections, note="")


def _spots(spots: pl.DataFrame) -> Section:
    last = spots.sort("day").group_by("index", maintain_order=True).last().sort("discount", "index", descending=[True, False])
    longest = spots.group_by("index").len().sort("len", "index", descending=[True, False])["index"].head(DRAWN).sort().to_list()
    columns = [
        Column(name="index", head="Index"),
        Column(name="day", head="Last listed"),
        Column(name="firm", head="On demand", unit="USD/GPUh", form=",.4f"),
        Column(name="spot", head="Spot", unit="USD/GPUh", form=",.4f"),
        Column(name="discount", head="Cheaper by", form=".1%"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="spots", title="Spot below on demand", figure=figures.spots(spots, indices=longest),
            caption=f"1 − spot / on demand. {len(longest)} of {last.height} indices.",
        ),
        Listing(
            name="spot-table", title="Last listed", table=table(last, columns, name="spots-table"),
            caption="The cheapest beside on demand first.",
        ),
    ]  # fmt: skip
    lead = "Spot is no tenor: its price holds until the capacity is taken away, and no forward is made of it."
    return Section(name="spots-section", title="Spot beside on demand", lead=lead, blocks=blocks)


def _generations(shifts: pl.DataFrame) -> Section:
    columns = [
        Column(name="index", head="Index"),
        Column(name="reference", head="Tied to"),
        Column(name="performance", head="Work beside it", form=".3g"),
        Column(name="first", head="From", unit="months", form=",d"),
        Column(name="months", head="To", unit="months", form=",d"),
        Column(name="forward", head="Forward", unit="USD/GPUh", form=",.4f"),
        Column(name="equal", head="At equal cost of work", unit="USD/GPUh", form=",.4f"),
        Column(name="shift", head="Shift s", form=".4f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="shifts",
            title="What a generation costs above equal work",
            figure=figures.shifts(shifts),
            caption="Per cent of the reference's forward times the work per GPU-hour; one number between two of its own tenors.",
        ),
        Listing(
            name="tied",
            title="Tied forwards",
            table=table(shifts, columns, name="tied-table"),
            caption="F = r F of the reference × exp(s); the generation's own par rates come out exactly.",
        ),
    ]
    lead = "Term structures tied by the work that a GPU-hour does."
    return Section(name="generations", title="From one generation to the next", lead=lead, blocks=blocks)

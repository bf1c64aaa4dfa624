"""The page of `tenorgrid rental` on bids and asks: what whole rentals are quoted at, and the forwards that leaves open."""

from datetime import date

import polars as pl

from tenorgrid.reports.figures import rental as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.pages.rental import DRAWN
from tenorgrid.reports.tables import Column, number, table


def render(bands: pl.DataFrame, *, source: str, as_of: date) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        bands: `RentalBands` of one day.
        source: what the quotes are called.
        as_of: their day.
    """
    bands = bands.sort("index", "months")
    several = bands.group_by("index").len().sort("len", "index", descending=[True, False])
    drawn = several["index"].head(DRAWN).sort().to_list()
    width = (bands["upper"] - bands["lower"]).drop_nulls()
    quoted = (bands["ask"] - bands["bid"]).drop_nulls()
    keys = [
        Key(label="Indices", value=f"{several.height:,}", note=f"{bands.height:,} tenors"),
        Key(label="Longest tenor", value=str(bands["months"].max()), note="months"),
        Key(label="Bid to ask", value=_middle(quoted), note="USD/GPUh, median of whole rentals"),
        Key(label="Least to greatest", value=_middle(width), note="USD/GPUh, median of forwards"),
    ]
    columns = [
        Column(name="index", head="Index"),
        Column(name="first", head="From", unit="months", form=",d"),
        Column(name="months", head="To", unit="months", form=",d"),
        Column(name="bid", head="Bid of the tenor", unit="USD/GPUh", form=",.4f"),
        Column(name="ask", head="Ask of the tenor", unit="USD/GPUh", form=",.4f"),
        Column(name="lower", head="Least forward", unit="USD/GPUh", form=",.4f"),
        Column(name="upper", head="Greatest forward", unit="USD/GPUh", form=",.4f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="bands", title="Bids, asks and the forwards between them", figure=figures.bands(bands, indices=drawn),
            caption="Bars: bid to ask of a rental that begins now; a point where only one side is quoted. "
            "Areas: what its later months may cost; one without an edge has no upper end. "
            f"{len(drawn)} of {several.height} indices.",
        ),
        Listing(
            name="bands-listing", title="Forwards left open", table=table(bands, columns, name="bands-table"),
            caption="max(0, L₂ − U₁) / (A₂ − A₁) to (U₂ − L₁) / (A₂ − A₁), L and U what a whole rental costs at least and at most. "
            "Without an ask as long nothing limits the greatest.",
        ),
    ]  # fmt: skip
    lead = "The least and the greatest that no quote contradicts, each period for itself."
    sections = [Section(name="bands-section", title="The term structure between bids and asks", lead=lead, blocks=blocks)]
    return compose(title="Bids and asks of rental rates", subtitle=f"{source}, {as_of}.", keys=keys, sections=sections, note="")


def _middle(values: pl.Series) -> str:
    middle = values.median() if values.len() else None
    return number(middle if isinstance(middle, float) else None, ".3f")

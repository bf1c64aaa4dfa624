"""Bids and asks of rental rates in the hand of a desk: what forwards they leave open, with its page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.rental.band import rental_bands
from tenorgrid.curves.rental.par import Payment
from tenorgrid.data.store import write_result
from tenorgrid.results import Tables


@dataclass(frozen=True, kw_only=True)
class RentalBand(Tables):
    """`bands`: the `RentalBands` of one day."""

    source: str
    as_of: date
    bands: pl.DataFrame = field(repr=False)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.rental_bands import render  # plotly, only needed here

        return render(self.bands, source=self.source, as_of=self.as_of)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None, settings: Mapping[str, object] | None = None) -> Path:
        """Write the table and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.rental import FILE

        return write_result(
            folder, {"bands": self.bands}, pages={FILE: self.page()}, command="rental", inputs=inputs, as_of=self.as_of, settings=settings
        )  # fmt: skip


def rental_band(
    quotes: pl.DataFrame, *, source: str = "bids and asks", as_of: date | None = None, discount: Discount | None = None,
    payment: Payment = "arrears",
) -> RentalBand:  # fmt: skip
    """`tg.rental_bands` with its page.

    Args:
        quotes: `RentalQuotes`; a side may be missing.
        source: what the quotes are called.
        as_of, discount, payment: as of `rental_curve`.

    Raises `InputError` as `rental_bands` does.
    """
    bands = rental_bands(quotes, as_of=as_of, discount=discount, payment=payment)
    return RentalBand(source=source, as_of=bands["as_of"][0], bands=bands)

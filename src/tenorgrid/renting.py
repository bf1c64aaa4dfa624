"""Rental rates and the forwards in them, in the hand of a desk: `tg.rental_curve(...)`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.rental.band import rental_bands as rental_bands
from tenorgrid.curves.rental.curve import RentalCurve
from tenorgrid.curves.rental.curve import rental_curve as fit
from tenorgrid.curves.rental.listed import listed_rates
from tenorgrid.curves.rental.par import Payment
from tenorgrid.curves.rental.spot import spot_discounts
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.data.readers.term_structures import COLUMNS, read_published_rates
from tenorgrid.data.store import write_result
from tenorgrid.data.tables.door import read_checked
from tenorgrid.data.tables.rental import RentalQuotes, RentalRates
from tenorgrid.results import Tables

BY = ("resource", "region", "tier")  # columns of list prices that name an index


@dataclass(frozen=True, kw_only=True)
class Rental(Tables):
    """`rates`, `curve` (forwards), `shifts` where generations were tied, and `spots` where list prices told spot beside on demand.

    The tables are those of `tenorgrid.data.tables.rental`.
    """

    source: str
    fitted: RentalCurve = field(repr=False)
    rates: pl.DataFrame = field(repr=False)
    curve: pl.DataFrame = field(repr=False)
    shifts: pl.DataFrame | None = field(repr=False)
    spots: pl.DataFrame | None = field(repr=False, default=None)

    @property
    def as_of(self) -> date:
        """Day of the rates."""
        return self.fitted.as_of

    def par(self, index: str, months: int) -> float:
        """Par rate of a tenor, also between those quoted."""
        return self.fitted.par(index, months)

    def forward(self, index: str, first: int, months: int) -> float:
        """Rate of a rental from `first` to `months` months from now."""
        return self.fitted.forward(index, first, months)

    def quotes(self, *, timezone: str = "UTC") -> pl.DataFrame:
        """`Quotes` of the forward periods, for `tg.fit_curve`."""
        return self.fitted.quotes(timezone=timezone)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.rental import render  # plotly, only needed here

        return render(self.tables(), source=self.source, as_of=self.as_of)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None, settings: Mapping[str, object] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.rental import FILE

        return write_result(
            folder, self.tables(), pages={FILE: self.page()}, command="rental", inputs=inputs, as_of=self.as_of, settings=settings
        )  # fmt: skip


def rental_curve(
    rates: pl.DataFrame | Path | str,
    *,
    as_of: date | None = None,
    discount: Discount | None = None,
    payment: Payment = "arrears",
    performance: Mapping[str, float] | None = None,
    reference: str | None = None,
    by: tuple[str, ...] = BY,
    where: Mapping[str, str] | None = None,
) -> Rental:
    """Forwards in rental rates of one to many months, the ageing yield, and generations tied by the work they do.

    Args:
        rates: `RentalRates`, or a file: their table, CCIR's term structure, or prices that some reader knows, whose terms are the tenors.
        as_of: day; None is the last of the table.
        discount: `tg.flat(...)`, `tg.discount_curve(...)`; None is the zero-rate case.
        payment: `arrears` or `advance`, by the month.
        performance: work per GPU-hour of indices over that of `reference`; ties their curves to its.
        reference: index that the others are tied to.
        by, where: of observations, the columns that name an index, and the value that a column must have.

    Raises `InputError` with every fault, also where a longer rental costs less than a shorter one.

    >>> table = pl.DataFrame({"as_of": [date(2026, 4, 24)] * 2, "index": ["A100"] * 2, "months": [12, 36], "price": [3.2979, 2.8713]})
    >>> round(rental_curve(table).forward("A100", 12, 36), 4)
    2.658
    """
    source = "rental rates" if isinstance(rates, pl.DataFrame) else Path(rates).name
    table, spots = (rates, None) if isinstance(rates, pl.DataFrame) else _read(Path(rates), as_of, by, where or {})
    fitted = fit(table, as_of=as_of, discount=discount, payment=payment)
    if (performance is None) != (reference is None):
        raise InputError.of("rental", "a performance and the reference that it is of, both or neither", column="reference", value=reference)
    shifts = None if performance is None or reference is None else fitted.tied(performance, reference=reference)
    return Rental(source=source, fitted=fitted, rates=fitted.rates, curve=fitted.curve, shifts=shifts, spots=spots)


def two_sided(path: Path) -> pl.DataFrame | None:
    """The `RentalQuotes` of a file of bids and asks; None where the file is another. Raises `InputError` with every fault."""
    columns = _columns(path)
    if not ({"as_of", "months"} <= columns and columns & {"bid", "ask"}):
        return None
    rows, faults = read_checked(path, RentalQuotes, empty=False)
    if faults:
        raise InputError(faults)
    return rows


def _columns(path: Path) -> set[str]:
    if not path.is_file():
        raise InputError.of(path.name, "a file of rental rates or of observed prices", value="nothing there")
    try:
        head = pl.read_parquet(path, n_rows=1) if path.suffix == ".parquet" else pl.read_csv(path, n_rows=1, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise InputError.of(path.name, "CSV or Parquet", value=str(error).splitlines()[0]) from error
    return set(head.columns)


def _read(path: Path, as_of: date | None, by: tuple[str, ...], where: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    columns = _columns(path)
    if columns >= COLUMNS:
        return read_published_rates(path), None
    if {"as_of", "months"} <= columns:
        rows, faults = read_checked(path, RentalRates, empty=False)
        if faults:
            raise InputError(faults)
        return rows, None
    seen = read_observations(path)
    if lacking := [name for name in where if name not in seen.columns]:
        raise InputError.of(path.name, "columns of the observations", column="where", value=", ".join(lacking))
    seen = seen.filter(*(pl.col(name).cast(pl.String) == value for name, value in where.items()))
    last = seen["time"].max()
    if not isinstance(last, datetime):
        raise InputError.of(path.name, "at least one observation that is asked for")
    day = as_of or last.astimezone(UTC).date()
    spots = spot_discounts(seen, as_of=day, by=tuple(name for name in by if name != "tier"))
    return listed_rates(seen, as_of=day, by=by), spots if spots.height else None

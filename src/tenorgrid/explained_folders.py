"""A book valued at two run folders, each trade where it stands."""

from pathlib import Path

import polars as pl

from tenorgrid.api import value
from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.book import Correlations, Trades
from tenorgrid.data.tables.contracts import Fallbacks
from tenorgrid.data.tables.curve import VolatilityByExpiry
from tenorgrid.data.terms.specifications.products import read_products
from tenorgrid.derivatives.explain import standing
from tenorgrid.folders import read_curves, read_file
from tenorgrid.mark_tables import fixings_of
from tenorgrid.results import Valued

Two = tuple[Path | None, Path | None]


def value_between(
    book: Path, before: Path, after: Path, *, rates: tuple[float, float], marks: Path | None = None, correlations: Two = (None, None),
    expiries: Two = (None, None), fallbacks: Path | None = None, products: Path | None = None,
) -> tuple[pl.DataFrame, Valued, Valued]:  # fmt: skip
    """The trades that stand at either moment, and their valuation at each, by the curves, marks and volatilities of two run folders.

    Args:
        book: file of `Trades`.
        before, after: run folders with marks/ and curve/.
        rates: flat, a year, of the two moments.
        marks: read instead of the folders' own, for both.
        correlations, expiries: files for each moment.
        fallbacks, products: files for both.

    Raises `InputError` for folders that are no run folders, and where no trade of the book stands at one of the moments.
    """
    _refuse_folders(before, after)
    trades = read_file(book, Trades)
    found, names = [], []
    for folder, rate, pairs, terms in zip((before, after), rates, correlations, expiries, strict=True):
        curves, volatility = read_curves(folder / "curve")
        one = next(iter(curves.values()))
        rows = standing(trades, as_of=one.as_of, timezone=one.timezone)
        if rows.is_empty():
            raise InputError.of(book.name, f"at least one trade agreed by {one.as_of} and not over", value=f"none of {trades.height}")
        found.append(
            value(
                rows, curve=curves, fixings=fixings_of(marks or folder / "marks", at=one.as_of), volatility=volatility, discount=flat(rate),
                correlation=None if pairs is None else read_file(pairs, Correlations),
                expiries=None if terms is None else read_file(terms, VolatilityByExpiry),
                fallbacks=None if fallbacks is None else read_file(fallbacks, Fallbacks),
                products=None if products is None else read_products(products),
            )
        )  # fmt: skip
        names += rows["trade_id"].to_list()
    return trades.filter(pl.col("trade_id").is_in(names)), found[0], found[1]


def _refuse_folders(before: Path, after: Path) -> None:
    faults = [
        Fault(file=name, value=str(folder), expected="a run folder with curve/ in it")
        for name, folder in (("--before", before), ("--after", after))
        if not (folder / "curve").is_dir()
    ]
    if faults:
        raise InputError(faults)

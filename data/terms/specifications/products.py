"""Listed products: those that come with the package, and the user's own from a TOML file or a table."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import Averaging, MissingDay
from tenorgrid.data.tables.contracts import Products
from tenorgrid.data.tables.door import checked, read_checked

PACKAGED = Path(__file__).with_name("products.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One row of `Products`, as its columns are described there."""

    product: str
    index: str | None
    settles_on: str
    unit: str
    lot: float | None
    tick: float
    months: int | None
    average: Averaging
    calendar: str | None
    timezone: str | None
    missing_day: MissingDay | None
    price_limit: float | None
    fallback: str | None
    decimals: int | None
    source: str
    not_published: str | None


def read_products(source: Path | str | pl.DataFrame) -> pl.DataFrame:
    """`Products` of a TOML file (a table for each product), a CSV or Parquet file, or a frame.

    Raises `InputError` with every fault.

    >>> read_products(PACKAGED).select("product", "lot", "tick", "months").rows()
    [('GPU1', 730.0, 0.01, 36), ('GPU2', 730.0, 0.01, 36), ('HPR', None, 0.001, 24)]
    """
    if isinstance(source, pl.DataFrame):
        return checked(source, Products, name="products")
    path = Path(source)
    if path.suffix == ".toml":
        return checked(_of_toml(path), Products, name=path.name)
    found, faults = read_checked(path, Products)
    if faults:
        raise InputError(faults)
    return found


def packaged() -> pl.DataFrame:
    """`Products` that come with the package."""
    return _packaged()


def known(products: pl.DataFrame | None = None) -> Mapping[str, Product]:
    """Products by code: the packaged ones, and those of a table, which stand in for packaged ones of the same code.

    >>> known()["HPR"].average
    <Averaging.CALENDAR_DAY: 'calendar-day'>
    """
    own = {} if products is None else _by_code(checked(products, Products, name="products"))
    return _by_code(packaged()) | own


def listing(products: pl.DataFrame | None = None) -> pl.DataFrame:
    """`Products` of `known`, as a table."""
    own = Products.create_empty() if products is None else checked(products, Products, name="products")
    return pl.concat([packaged().filter(~pl.col("product").is_in(own["product"].implode())), own]).sort("product")


@cache
def _packaged() -> pl.DataFrame:
    return read_products(PACKAGED)


def _by_code(products: pl.DataFrame) -> dict[str, Product]:
    return {row["product"]: _product(row) for row in products.iter_rows(named=True)}


def _product(row: dict[str, Any]) -> Product:
    missing = row["missing_day"]
    return Product(**row | {"average": Averaging(row["average"]), "missing_day": None if missing is None else MissingDay(missing)})


def _of_toml(path: Path) -> pl.DataFrame:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.of(path.name, "a TOML file with a table for each product", value=str(error)) from error
    columns = Products.column_names()
    faults = [
        Fault(file=path.name, column=code, value=str(terms), expected="a table of its rules")
        for code, terms in told.items()
        if not isinstance(terms, dict)
    ]
    faults += [
        Fault(file=path.name, column=f"{code}.{name}", value="an unlisted key", expected=f"only the keys {', '.join(columns[1:])}")
        for code, terms in told.items()
        if isinstance(terms, dict)
        for name in terms.keys() - set(columns[1:])
    ]
    if faults:
        raise InputError(faults)
    rows = [{"product": code} | {name: _text(value) for name, value in terms.items()} for code, terms in told.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()))


def _text(value: object) -> str:
    """Values as a table's cells, so that one door checks both."""
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)

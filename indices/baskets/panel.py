"""A panel: prices and quantities of products by period, as the formulas of price indices want them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.faults import faulty_rows

Vector: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = npt.NDArray[np.float64]
NUMBERS = ("price", "quantity")
KEY = ("period", "product")
DERIVED = ("there", "sold", "paid", "logs", "spent", "shares", "weighed")  # by period


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """Prices and quantities of `products` in `periods`, which stand in order of time.

    `price` and `quantity` are (periods, products); NaN in both where a product has no price in a period. A quantity of 0 with a price is
    a product that was offered and not sold.
    """

    periods: tuple[Any, ...]
    products: tuple[str, ...]
    price: Matrix
    quantity: Matrix

    def __post_init__(self) -> None:
        shape = (len(self.periods), len(self.products))
        if self.price.shape != shape or self.quantity.shape != shape or 0 in shape:
            found = f"prices {self.price.shape}, quantities {self.quantity.shape}"
            raise InputError.of("panel", f"prices and quantities of shape {shape}, at least one of each", value=found)
        there = self.there
        wrong = (there & ~((self.price > 0) & np.isfinite(self.price) & (self.quantity >= 0) & np.isfinite(self.quantity))) | (
            ~there & ~np.isnan(self.quantity)
        )
        if wrong.any():
            raise InputError(
                Fault(
                    file="panel",
                    row=int(row) + 1,
                    column=str(self.products[column]),
                    value=f"price {self.price[row, column]}, quantity {self.quantity[row, column]}",
                    expected="a price above 0 with a quantity of at least 0, or NaN for both",
                )
                for row, column in np.argwhere(wrong)
            )

    def rows(self, first: int, end: int) -> "Panel":
        """The periods [first, end), with every product: views of what is checked and worked out for the whole.

        Raises `InputError` where there are none.
        """
        if not self.periods[first:end]:
            raise InputError.of("panel", f"some of its {len(self.periods)} periods", value=f"{first} to {end}")
        part: Panel = object.__new__(Panel)
        part.__dict__.update(periods=self.periods[first:end], products=self.products)
        part.__dict__.update({name: getattr(self, name)[first:end] for name in ("price", "quantity", *DERIVED)})
        part.__dict__["centre"] = self.centre
        return part

    @cached_property
    def there(self) -> npt.NDArray[np.bool_]:
        """Which product has a price in which period, (periods, products)."""
        return ~np.isnan(self.price)

    @cached_property
    def sold(self) -> Matrix:
        """Quantities with 0 where a product is not there, (periods, products)."""
        return np.where(self.there, self.quantity, 0.0)

    @cached_property
    def paid(self) -> Matrix:
        """Price times quantity, 0 where a product is not there, (periods, products)."""
        return np.where(self.there, self.price * self.quantity, 0.0)

    @cached_property
    def centre(self) -> Vector:
        """Mean logarithm of each product's prices, 0 where it has none, (products,); of the whole, where this is a part."""
        logs = np.where(self.there, np.log(np.where(self.there, self.price, 1.0)), 0.0)
        return np.asarray(logs.sum(axis=0) / np.maximum(self.there.sum(axis=0), 1))

    @cached_property
    def logs(self) -> Matrix:
        """Logarithms of prices less their product's `centre`, which keeps digits where units differ; 0 where it is not there."""
        return np.where(self.there, np.log(np.where(self.there, self.price, 1.0)) - self.centre, 0.0)

    @cached_property
    def spent(self) -> Vector:
        """What is paid in each period, (periods,)."""
        return np.asarray(self.paid.sum(axis=1))

    @cached_property
    def shares(self) -> Matrix:
        """Shares of what is paid in each period, 0 in one in which nothing is, (periods, products)."""
        return np.divide(self.paid, self.spent[:, None], out=np.zeros_like(self.paid), where=self.spent[:, None] > 0)

    @cached_property
    def weighed(self) -> Matrix:
        """`shares` times `logs`, (periods, products)."""
        return self.shares * self.logs


def panel(rows: pl.DataFrame) -> Panel:
    """A panel from one row per period and product; what has no row is not there. The order of rows does not matter.

    Args:
        rows: period (anything that sorts), product (text), price (above 0), quantity (at least 0).

    Raises `InputError` with every fault: missing columns, prices, quantities, and a product that stands twice in a period.

    >>> seen = {"period": [2, 1, 1], "product": ["a", "b", "a"], "price": [3.0, 2.0, 1.0], "quantity": [1.0, 1.0, 4.0]}
    >>> found = panel(pl.DataFrame(seen))
    >>> found.periods, found.products, found.price.tolist()
    ((1, 2), ('a', 'b'), [[1.0, 2.0], [3.0, nan]])
    """
    if missing := [name for name in (*KEY, *NUMBERS) if name not in rows.columns]:
        raise InputError(Fault(file="panel", column=name, expected="this column", value="a missing column") for name in missing)
    if faults := _faults(rows):
        raise InputError(faults)
    sound = rows.select(*KEY, *(pl.col(name).cast(pl.Float64) for name in NUMBERS))
    periods, products = (sound[name].unique().sort() for name in KEY)
    price, quantity = np.full((2, len(periods), len(products)), np.nan)
    row, column = (
        sound[name].replace_strict(known, range(len(known)), return_dtype=pl.Int64).to_numpy()
        for name, known in zip(KEY, (periods, products), strict=True)
    )
    price[row, column], quantity[row, column] = sound["price"].to_numpy(), sound["quantity"].to_numpy()
    return Panel(periods=tuple(periods), products=tuple(products), price=price, quantity=quantity)


def _faults(rows: pl.DataFrame) -> Sequence[Fault]:
    if rows.is_empty():
        return [Fault(file="panel", expected="at least one row")]
    price, quantity = (pl.col(name) for name in NUMBERS)
    checks = [
        *((pl.col(name).is_null(), name, "a value") for name in KEY),
        (~(price.is_finite() & (price > 0)).fill_null(False), "price", "a number above 0"),
        (~(quantity.is_finite() & (quantity >= 0)).fill_null(False), "quantity", "a number of at least 0"),
        (~pl.struct(KEY).is_first_distinct(), "product", "each product once in a period"),
    ]
    return [fault for wrong, name, expected in checks for fault in faulty_rows(rows, wrong, file="panel", column=name, expected=expected)]

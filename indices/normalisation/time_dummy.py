"""The time-product-dummy: a price index of products that come and go, each compared with itself alone, with standard errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from scipy.stats import t as student

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.faults import faulty_rows
from tenorgrid.indices.normalisation.two_way import Codes, Errors, Sums, TwoWay, solve, sums

NAME = "observations"
AT_MOST = 5000  # members of the smaller side: its matrix is dense
CONFIDENCE = 0.95
SHOWN = 3  # periods and products of a part that a refusal names
Parts: TypeAlias = Literal["refuse", "largest"]


@dataclass(frozen=True, kw_only=True)
class TimeDummy:
    """An index by period, and what stands behind it.

    `periods`: period, value (1 in the base period), se, lower, upper, rows, products. `products`: the columns that name a product, price
    (in the base period's prices, estimated), rows, periods. `left_out`: period and product columns of rows that nothing ties to the rest.
    `se` is that of the logarithm; lower and upper are the exponentials of an interval of the logarithm.
    """

    periods: pl.DataFrame = field(repr=False)
    products: pl.DataFrame = field(repr=False)
    left_out: pl.DataFrame = field(repr=False)
    base: Any
    errors: Errors
    rows: int
    free: int
    sigma: float  # of a price's logarithm, given product and period; of a row of weight 1
    r_squared: float


def time_dummy(
    rows: pl.DataFrame,
    *,
    product: Sequence[str],
    period: str = "period",
    price: str = "price",
    weight: str | None = None,
    base: Any = None,
    errors: Errors = "cluster",
    parts: Parts = "refuse",
    confidence: float = CONFIDENCE,
) -> TimeDummy:
    r"""Weighted time-product-dummy: :math:`\ln p_{it} = a_i + \beta_t + e_{it}` by least squares, the index being :math:`\exp \beta_t`.

    A product that is in one period only, or a panel that shrinks, moves nothing by itself: what enters is how prices of the same product
    differ between periods. On a balanced panel with equal weights it is the Jevons index, the geometric mean of price relatives.

    Args:
        rows: one price each; several of one product and period may stand.
        product: columns that together say what is compared with what; null is a value like another.
        period: column of the period; it sorts by time.
        price: column of prices above 0.
        weight: column of weights above 0; None weighs rows alike. With expenditure shares of each period it is the weighted
            time-product-dummy of Rao (2005).
        base: period whose index is 1; None is the first.
        errors: `cluster` by product (a product's prices deviate together for long), `robust` to unequal variances, or `classical`.
        parts: where products fall into parts without a period, or periods into parts without a product, in common: `refuse` names them,
            `largest` keeps the part with most rows.
        confidence: of lower and upper, by Student's t.

    Raises `InputError` with every fault: unknown columns, prices or weights that are not above 0, an empty table, a base that is not there,
    parts, and more than 5,000 products and periods each.

    Source: R. Summers, Review of Income and Wealth 19 (1973), as country-product-dummy; weights: D. S. P. Rao, ibid. 51 (2005).

    >>> prices = pl.DataFrame({"sku": ["a", "b", "a", "b"], "period": [1, 1, 2, 2], "price": [2.0, 1.0, 2.2, 1.1]})
    >>> time_dummy(prices, product=["sku"]).periods["value"].round(12).to_list()
    [1.0, 1.1]
    """
    named = list(product)
    kept = _checked(rows, named, period=period, price=price, weight=weight, confidence=confidence)
    kept, left, coded = _tied(kept, named, parts)
    times = coded.periods["period"]
    begin = times[0] if base is None else base
    place = times.index_of(begin) if begin in times else None
    if place is None:
        raise InputError.of(NAME, f"a base out of the periods that are kept, {times[0]} to {times[-1]}", column=period, value=begin)
    fit = solve(coded.sums, base=place, errors=errors)
    return TimeDummy(
        periods=_periods(coded, fit, confidence=confidence),
        products=_products(coded, fit),
        left_out=left.select("period", *named).unique().sort("period", *named),
        base=begin,
        errors=errors,
        rows=fit.rows,
        free=fit.free,
        sigma=float(np.sqrt(fit.squares / fit.free)) if fit.free > 0 else float("nan"),
        r_squared=1 - fit.squares / fit.total if fit.total > 0 else float("nan"),
    )


def interval(value: pl.Series, se: pl.Series, *, free: int, confidence: float) -> tuple[pl.Series, pl.Series]:
    """Exponentials of the ends of an interval of a logarithm, by Student's t; null where the error is."""
    reach = float(student.ppf((1 + confidence) / 2, free)) if free > 0 else float("nan")
    return (value * (-reach * se).exp()).fill_nan(None).alias("lower"), (value * (reach * se).exp()).fill_nan(None).alias("upper")


def _checked(rows: pl.DataFrame, product: list[str], *, period: str, price: str, weight: str | None, confidence: float) -> pl.DataFrame:
    """The product's columns, period, price and weight, by these names."""
    wanted = [*product, period, price, *([] if weight is None else [weight])]
    faults = [
        Fault(file=NAME, column=column, expected="a column of the table", value=f"columns {', '.join(rows.columns)}")
        for column in wanted
        if column not in rows.columns
    ]
    if not product or len(set(wanted)) < len(wanted):
        faults.append(Fault(file=NAME, expected="columns of product, period, price and weight that differ", value=", ".join(wanted)))
    if not 0 < confidence < 1:
        faults.append(Fault(file="confidence", expected="a number between 0 and 1", value=str(confidence)))
    if not faults and rows.is_empty():
        faults.append(Fault(file=NAME, expected="at least one row"))
    if faults:
        raise InputError(faults)
    found = rows.select(
        *product,
        pl.col(period).alias("period"),
        pl.col(price).alias("price"),
        *([] if weight is None else [pl.col(weight).alias("weight")]),
    )
    faults = list(faulty_rows(found, pl.col("period").is_null(), file=NAME, column="period", expected="a period"))
    for column in found.columns[len(product) + 1 :]:
        sound = (pl.col(column) > 0) & pl.col(column).is_finite()
        faults += faulty_rows(found, ~sound.fill_null(False), file=NAME, column=column, expected="a finite number above 0")
    if faults:
        raise InputError(faults)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Coded:
    """Rows as the kernel wants them: its sums, the members of both sides in the order of their codes, and each row's product."""

    sums: Sums
    products: pl.DataFrame
    periods: pl.DataFrame
    product: Codes

    def counts(self, *, of_products: bool) -> tuple[Codes, Codes]:
        """Rows of each member, and members of the other side that it is seen with."""
        small = of_products != self.sums.by_period
        if small:
            return np.bincount(self.sums.small, minlength=self.sums.size), self.sums.own_met
        return np.diff(self.sums.edges), self.sums.met


def _tied(rows: pl.DataFrame, product: list[str], parts: Parts) -> tuple[pl.DataFrame, pl.DataFrame, _Coded]:
    """Rows that hang together, the others, and the first as the kernel wants them."""
    coded = _coded(rows, product)
    found = coded.sums
    if not found.parts.any():
        return rows, rows.clear(), coded
    labels = (found.far_parts() if found.by_period else found.parts)[coded.product]
    if parts == "refuse":
        raise InputError(_apart(rows.with_columns(pl.Series("part", labels)), product))
    inside = pl.Series(labels == np.bincount(labels).argmax())  # of parts alike the first
    return rows.filter(inside), rows.filter(~inside), _coded(rows.filter(inside), product)


def _coded(rows: pl.DataFrame, product: list[str]) -> _Coded:
    products, product_of = _members(rows, product)
    periods, period_of = _members(rows, ["period"])
    if min(products.height, periods.height) > AT_MOST:
        value = f"{products.height} and {periods.height}"
        raise InputError.of(NAME, f"at most {AT_MOST} products or at most {AT_MOST} periods", value=value)
    weight = rows["weight"].cast(pl.Float64).to_numpy() if "weight" in rows.columns else None
    if weight is not None:
        weight = weight / weight.mean()  # the scale tells nothing; near 1 nothing underflows
    logs = rows["price"].cast(pl.Float64).log().to_numpy()
    found = sums(product_of, period_of, logs, weight=weight, products=products.height, periods=periods.height)
    return _Coded(sums=found, products=products, periods=periods, product=product_of)


def _members(rows: pl.DataFrame, columns: list[str]) -> tuple[pl.DataFrame, Codes]:
    """The different values of columns, sorted, and the place of each row's among them."""
    members = rows.select(columns).unique().sort(columns)
    joined = rows.select(columns).join(members.with_row_index("\x1f"), on=columns, how="left", nulls_equal=True, maintain_order="left")
    return members, joined["\x1f"].cast(pl.Int64).to_numpy()


def _apart(rows: pl.DataFrame, product: list[str]) -> list[Fault]:
    """Every part but the one with most rows, by its periods and products."""
    name = pl.concat_str([pl.col(column).cast(pl.String).fill_null("null") for column in product], separator=" / ")
    found = (
        rows.group_by("part", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("period").unique().sort(), name.unique().sort().alias("product"))
        .sort("rows", descending=True, maintain_order=True)
    )
    return [
        Fault(
            file=NAME,
            value=f"{row['rows']} rows apart from the rest: periods {_some(row['period'])}; products {_some(row['product'])}",
            expected="periods and products that hang together by common ones (parts='largest' goes on without these)",
        )
        for row in found[1:].iter_rows(named=True)
    ]


def _some(values: list[Any]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(map(str, values[:SHOWN])) + more


def _periods(coded: _Coded, fit: TwoWay, *, confidence: float) -> pl.DataFrame:
    value, se = pl.Series("value", np.exp(fit.period)), pl.Series("se", np.sqrt(np.maximum(fit.variance, 0.0))).fill_nan(None)
    rows, products = coded.counts(of_products=False)
    ends = interval(value, se, free=fit.quantile_free, confidence=confidence)
    return coded.periods.with_columns(value, se, *ends, pl.Series("rows", rows), pl.Series("products", products))


def _products(coded: _Coded, fit: TwoWay) -> pl.DataFrame:
    rows, periods = coded.counts(of_products=True)
    return coded.products.with_columns(pl.Series("price", np.exp(fit.product)), pl.Series("rows", rows), pl.Series("periods", periods))

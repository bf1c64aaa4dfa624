"""Plain averages beside quality-adjusted indices of the same rows, and both with every product's price held: what the mix alone does."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from tenorgrid.data.errors import InputError, brief
from tenorgrid.data.tables.normalised import IndexSeries
from tenorgrid.indices.normalisation.characteristics import Model
from tenorgrid.indices.normalisation.design import NAME, period_of
from tenorgrid.indices.normalisation.normalise import Normalised, group_of
from tenorgrid.indices.normalisation.time_dummy import TimeDummy, time_dummy
from tenorgrid.indices.traits import traits

HELD = ", prices held"
MEAN, MEDIAN, PRODUCT_DUMMY, HEDONIC = "mean", "median", "time-product-dummy", "hedonic"
AT, OF, PRICE = "\x1fat", "\x1fgroup", "\x1fprice"  # no column is called so


@dataclass(frozen=True, kw_only=True)
class Compared:
    """`series` is `IndexSeries`; `refused` says why a group has no time-product-dummy; `left_out` are group, period and product of rows
    that nothing ties to the others of their group."""

    series: pl.DataFrame
    refused: dict[str, str]
    left_out: pl.DataFrame


def compare_series(normalised: Normalised) -> Compared:
    """Mean and median of the observed prices, the time-product-dummy and the hedonic time-dummy of each group, 1 in its first period.

    The three that end in `prices held` are of the same rows with every product at one price for ever, the one that the time-product-dummy
    estimates: what they move by is the mix alone. A mean and a median move; the time-product-dummy cannot.

    Args:
        normalised: what `normalise` returned; the series are of its rows before its cut-off.

    Raises `InputError` for a model without periods, columns of its products that are not there, and where no group has a series.
    """
    model = normalised.model
    parts: list[pl.DataFrame] = []
    left: list[pl.DataFrame] = []
    refused: dict[str, str] = {}
    hedonic = normalised.periods()
    for group, rows in _groups(normalised, model):
        try:
            found = time_dummy(rows, product=model.products, period=AT, price=PRICE, parts="largest")
        except InputError as error:
            refused[group] = brief(error)
            continue
        left.append(
            found.left_out.select(
                pl.lit(group).alias("group"),
                "period",
                pl.concat_list(pl.col(model.products).cast(pl.String).fill_null("none")).list.join(" / ").alias("product"),
            )
        )
        parts += _series(group, rows, found, model)
        parts.append(
            _shaped(hedonic.filter(pl.col("group") == group, pl.col("value").is_not_null()).with_columns(products=None), group, HEDONIC)
        )
    if not parts:
        raise InputError.of(NAME, "a group with a series", value="; ".join(f"{group}: {why}" for group, why in refused.items()))
    series = pl.concat(parts).sort("group", "method", "period")
    return Compared(series=IndexSeries.validate(series, cast=True), refused=refused, left_out=pl.concat(left))


def _groups(normalised: Normalised, model: Model) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and rows of each group, with period, price and the columns that name a product."""
    rows = normalised.observations
    if normalised.until is not None:
        rows = rows.filter(pl.col("time") < normalised.until)
    if {"resource", "term_hours"} <= set(rows.columns):
        rows = traits(rows, {*model.products, *model.by})
    missing = [column for column in model.products if column not in rows.columns]
    if missing or model.period == "none":
        expected = f"columns that name a product of {model.name}" if missing else f"a model with periods, unlike {model.name}"
        raise InputError.of(NAME, expected, column=", ".join(missing) or None, value="no such column" if missing else "none")
    placed = rows.select(*model.products, group_of(model).alias(OF), period_of(model).alias(AT), pl.col("price").alias(PRICE))
    for (group,), part in sorted(placed.group_by(OF), key=lambda found: str(found[0][0])):
        yield str(group), part.drop(OF)


def _series(group: str, rows: pl.DataFrame, found: TimeDummy, model: Model) -> Iterator[pl.DataFrame]:
    keys = [AT, *model.products]
    kept = rows.join(found.left_out.rename({"period": AT}), on=keys, how="anti", nulls_equal=True)
    held = kept.join(found.products.select(*model.products, "price"), on=list(model.products), how="left", nulls_equal=True)
    held = held.with_columns(pl.col("price").alias(PRICE)).drop("price")
    for table, note in ((kept, ""), (held, HELD)):
        counts = (pl.len().alias("rows"), pl.struct(model.products).n_unique().alias("products"))
        plain = table.group_by(AT).agg(pl.col(PRICE).mean().alias(MEAN), pl.col(PRICE).median().alias(MEDIAN), *counts)
        plain = plain.sort(AT).rename({AT: "period"})
        none = pl.lit(None, dtype=pl.Float64)
        for method in (MEAN, MEDIAN):
            level = plain.with_columns(
                (pl.col(method) / pl.col(method).first()).alias("value"), none.alias("se"), none.alias("lower"), none.alias("upper")
            )
            yield _shaped(level, group, f"{method}{note}")
    yield _shaped(found.periods, group, PRODUCT_DUMMY)
    yield _shaped(time_dummy(held, product=model.products, period=AT, price=PRICE).periods, group, f"{PRODUCT_DUMMY}{HELD}")


def _shaped(rows: pl.DataFrame, group: str, method: str) -> pl.DataFrame:
    numbers = [pl.col(name).cast(pl.Float64) for name in ("value", "se", "lower", "upper")]
    counts = [pl.col(name).cast(pl.Int64) for name in ("rows", "products")]
    return rows.select(
        pl.lit(group).alias("group"), pl.lit(method).alias("method"), pl.col("period").cast(pl.Datetime("us", "UTC")), *numbers, *counts
    )

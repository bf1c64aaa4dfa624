"""Futures on listed contracts: what a row leaves out is taken from its contract's rules, what contradicts them is refused."""

from collections.abc import Iterator, Mapping

import polars as pl

from tenorgrid.data.errors import Fault
from tenorgrid.data.kinds.contract import Averaging, MissingDay, Profile
from tenorgrid.data.terms.specifications.listed import OWN, product_of
from tenorgrid.data.terms.specifications.products import Product

FILE = "trades"
OF_RULES = ("lot", "average", "calendar", "missing_day", "index", "timezone", "decimals")
DAILY = str(Averaging.CALENDAR_DAY)
LISTED = pl.col("_product").fill_null(OWN.product) != OWN.product
TYPES = {"lot": pl.Float64(), "decimals": pl.Int64()}


def with_rules(rows: pl.DataFrame, products: Mapping[str, Product], timezone: str) -> tuple[pl.DataFrame, list[Fault]]:
    """Rows with lot, average, calendar, missing_day and decimals of their contracts' products, and what contradicts them.

    Where a product has no rule for missing days, none being published, the row must say one.
    A lot that is null in the result is the hours of the period. INDEX:PERIOD is the parties' own, whose rules a row may replace.

    Args:
        rows: number, contract, index, profile, calendar, missing_day, lot and average, the last four null where not said.
        products: by code.
        timezone: of the book's days.
    """
    codes = rows["contract"].drop_nulls().unique(maintain_order=True)
    found = {code: product_of(code, products) for code in codes}
    rules = [
        {"contract": code, "_product": None if one is None else one.product}
        | {f"_{name}": None if one is None else _plain(getattr(one, name)) for name in OF_RULES}
        for code, one in found.items()
    ]
    schema = {"contract": pl.String(), "_product": pl.String()} | {f"_{name}": TYPES.get(name, pl.String()) for name in OF_RULES}
    joined = rows.join(pl.DataFrame(rules, schema=schema), on="contract", how="left", maintain_order="left")
    faults = list(_faults(joined, timezone))
    first, second = pl.col("average"), pl.col("_average")
    filled = joined.with_columns(
        pl.coalesce("lot", "_lot").alias("lot"),
        pl.when(LISTED).then(pl.coalesce(second, first)).otherwise(pl.coalesce(first, second, pl.lit(DAILY))).alias("average"),
        pl.coalesce("calendar", "_calendar").alias("calendar"),
        pl.coalesce("missing_day", "_missing_day").alias("missing_day"),
        pl.col("_decimals").alias("decimals"),
    )
    return filled.drop(pl.selectors.starts_with("_")), faults


def _faults(rows: pl.DataFrame, timezone: str) -> Iterator[Fault]:
    unknown = pl.col("contract").is_not_null() & pl.col("_product").is_null()
    for number, code in rows.filter(unknown, pl.col("lot").is_null()).select("number", "contract").iter_rows():
        yield Fault(
            file=FILE, row=number, column="params", value=code,
            expected="a listed contract, INDEX:PERIOD, or lot, a number above 0, in a JSON object",
        )  # fmt: skip
    told = [("lot", "params"), ("average", "params"), ("calendar", "calendar"), ("missing_day", "missing_day"), ("index", "index")]
    for name, column in told:
        own = pl.col(f"_{name}")
        wrong = LISTED & own.is_not_null() & pl.col(name).is_not_null() & (pl.col(name) != own)
        if name == "lot":  # a product without a lot of its own has one of the period's hours
            wrong = LISTED & pl.col("lot").is_not_null() & ~pl.col("lot").eq_missing(own)
        for number, code, value, wanted in rows.filter(wrong).select("number", "contract", name, own).iter_rows():
            rule = "the hours of its period" if wanted is None else wanted
            yield Fault(file=FILE, row=number, column=column, value=f"{name} {value}", expected=f"{rule}, as {code} says, or nothing")
    silent = LISTED & pl.col("_missing_day").is_null() & pl.col("missing_day").is_null()
    for number, code in rows.filter(silent).select("number", "contract").iter_rows():
        rules = ", ".join(MissingDay)
        yield Fault(file=FILE, row=number, column="missing_day", value="nothing", expected=f"one of {rules}: the rules of {code} name none")
    odd = LISTED & (pl.col("profile").cast(pl.String).fill_null(str(Profile.BASE)) != str(Profile.BASE))
    for number, code in rows.filter(odd).select("number", "contract").iter_rows():
        yield Fault(file=FILE, row=number, column="profile", value=code, expected="base or nothing: the contract counts every hour")
    away = LISTED & pl.col("_timezone").is_not_null() & (pl.col("_timezone") != timezone)
    for number, code, zone in rows.filter(away).select("number", "contract", "_timezone").iter_rows():
        yield Fault(file=FILE, row=number, column="contract", value=code, expected=f"a contract of days in {timezone}, not {zone}")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Averaging | MissingDay) else value

"""What a book reads where its indices jump, halt or end: fixings and curves as its contracts have them, made before anything is priced.

A row of `Fallbacks` without a contract changes the index itself. One with a contract, and a product's price limit, give the index a
second name, `INDEX for CONTRACT`, with fixings, curve, volatility and correlations of its own, which the contract's trades then read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.substituted import substituted
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import FallbackKind, TradeKind
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.book import Correlations
from tenorgrid.data.tables.contracts import Fallbacks, FixingChanges
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Fixings
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.data.terms.specifications.fallbacks import alias, ending, settlement_fixings
from tenorgrid.data.terms.specifications.listed import product_of
from tenorgrid.data.terms.specifications.products import known

Curves = Mapping[str, ForwardCurve]
Names = dict[tuple[str, str], tuple[str, str]]  # index and contract of trades: the contract that a row of fallbacks names, the second name


@dataclass(frozen=True, eq=False, kw_only=True)
class Read:
    """What a book reads instead of what it was given; `changes` is `FixingChanges`."""

    agreed: Agreed
    curves: Curves
    fixings: pl.DataFrame
    volatility: pl.DataFrame
    expiries: pl.DataFrame | None
    correlation: pl.DataFrame | None
    changes: pl.DataFrame


def with_fallbacks(
    agreed: Agreed,
    *,
    curves: Curves,
    fixings: pl.DataFrame,
    volatility: pl.DataFrame,
    expiries: pl.DataFrame | None,
    correlation: pl.DataFrame | None,
    fallbacks: pl.DataFrame | None,
    as_of: datetime,
    timezone: str,
    products: pl.DataFrame | None = None,
) -> Read:
    """Trades and market with every fallback applied, and price limits of products.

    Raises `InputError` as `settlement_fixings` and `substituted` do, and for a substitute without a curve.
    """
    told = checked(Fallbacks.create_empty() if fallbacks is None else fallbacks, Fallbacks, name="fallbacks")
    rows = pl.concat([told, _limits(agreed, told, products)])
    if rows.is_empty():
        return Read(
            agreed=agreed, curves=curves, fixings=fixings, volatility=volatility, expiries=expiries, correlation=correlation,
            changes=FixingChanges.create_empty(),
        )  # fmt: skip
    published = checked(fixings, Fixings, name="fixings").filter(pl.col("published_at") <= as_of)
    settled, changes = settlement_fixings(published, rows, end=as_of.astimezone(ZoneInfo(timezone)).date())
    names = _names(agreed, rows, products)
    own = {second: index for (index, _), (_, second) in names.items()}
    return Read(
        agreed={kind: _renamed(trades, names) for kind, trades in agreed.items()}, curves=_curves(curves, rows, names, timezone),
        fixings=settled, volatility=_doubled(volatility, own), expiries=None if expiries is None else _doubled(expiries, own),
        correlation=_correlated(correlation, own) if own else correlation, changes=changes,
    )  # fmt: skip


def _limits(agreed: Agreed, told: pl.DataFrame, products: pl.DataFrame | None) -> pl.DataFrame:
    """Rows for the price limits of the products of futures, where the table says none for the product."""
    there = known(products)
    said = set(told.filter(pl.col("kind").cast(pl.String) == FallbackKind.PRICE_LIMIT.value).select("index", "contract").iter_rows())
    found: dict[tuple[str, str], float] = {}
    for index, contract in _contracts(agreed, TradeKind.FUTURE):
        product = product_of(contract, there)
        if product is not None and product.price_limit is not None and (index, product.product) not in said:
            found[index, product.product] = product.price_limit
    rows = [{"index": index, "contract": code, "kind": "price-limit", "limit": limit} for (index, code), limit in found.items()]
    schema = {name: column.dtype for name, column in Fallbacks.columns().items()}
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")


def _contracts(agreed: Agreed, *kinds: TradeKind) -> list[tuple[str, str]]:
    """Distinct indices and contracts of trades, of some kinds or all."""
    frames = [trades.select("index", "contract") for kind, trades in agreed.items() if not kinds or kind in kinds]
    return pl.concat(frames).drop_nulls().unique(maintain_order=True).rows() if frames else []


def _names(agreed: Agreed, rows: pl.DataFrame, products: pl.DataFrame | None) -> Names:
    there, narrowed = known(products), set(rows.drop_nulls("contract").select("index", "contract").iter_rows())
    found: Names = {}
    for index, contract in _contracts(agreed):
        product = product_of(contract, there)
        for code in (contract, product.product if product else ""):  # the contract's own row before its product's
            if (index, code) in narrowed:
                found[index, contract] = (code, alias(index, code))
                break
    return found


def _renamed(trades: pl.DataFrame, names: Names) -> pl.DataFrame:
    if not names:
        return trades
    second = pl.DataFrame(
        [(index, contract, name) for (index, contract), (_, name) in names.items()], schema=["index", "contract", "_name"], orient="row"
    )
    joined = trades.join(second, on=["index", "contract"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("_name", "index").alias("index")).drop("_name")


def _curves(curves: Curves, rows: pl.DataFrame, names: Names, timezone: str) -> Curves:
    found: dict[tuple[str, str | None], ForwardCurve | None] = {}

    def of(index: str, contract: str | None) -> ForwardCurve | None:
        if (index, contract) not in found:
            row, own = ending(rows, index, contract), curves.get(index)
            if row is not None:
                other = of(row["substitute"], None)
                if other is None:
                    told = f"{index} ends on {row['first']}"
                    raise InputError.of(
                        "fallbacks", f"a substitute with a curve: {', '.join(sorted(curves))}", column="substitute", value=told
                    )
                end = midnight(row["first"], timezone=timezone)
                ratio = 1.0 if row["ratio"] is None else row["ratio"]
                own = substituted(own, other, index=index, end=end, ratio=ratio, spread=row["spread"] or 0.0)
            found[index, contract] = own
        return found[index, contract]

    ended = rows.filter(pl.col("contract").is_null())["index"].to_list()
    made = {index: of(index, None) for index in [*curves, *ended]}
    made |= {name: of(index, code) for (index, _), (code, name) in names.items()}
    return {name: curve for name, curve in made.items() if curve is not None}


def _doubled(table: pl.DataFrame, own: Mapping[str, str]) -> pl.DataFrame:
    """Rows of indices again under their second names; a table without them is refused where it is read."""
    if "index" not in table.columns:
        return table
    again = [table.filter(pl.col("index") == index).with_columns(pl.lit(name).alias("index")) for name, index in own.items()]
    return pl.concat([table, *again])


def _correlated(table: pl.DataFrame | None, own: Mapping[str, str]) -> pl.DataFrame:
    """Correlations of second names: those of their indices, 1 of two names of one index."""
    base = Correlations.create_empty() if table is None else checked(table, Correlations, name="correlation")
    known_pairs = {frozenset((first, second)): rho for first, second, rho in base.iter_rows()}
    indices = sorted({index for pair in known_pairs for index in pair} | set(own.values()))
    more = []
    for first, second in combinations([*indices, *own], 2):
        one, other = own.get(first, first), own.get(second, second)
        if first in own or second in own:
            rho = 1.0 if one == other else known_pairs.get(frozenset((one, other)))
            if rho is not None:
                more.append((first, second, rho))
    return pl.concat([base, pl.DataFrame(more, schema=base.schema, orient="row")])

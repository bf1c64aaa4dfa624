"""Baskets: marks of several indices made into one, by a rule in a file, with who moved it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import BasketQuantity, MarkStatus, MissingMark
from tenorgrid.data.tables.baskets import BasketContributions, BasketRebalancings
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.baskets.file import load_basket
from tenorgrid.indices.baskets.grid import CARRIED, FRESH, LEFT_OUT, LOW, STATES, Grid, grid
from tenorgrid.indices.baskets.levels import Link, Series, series
from tenorgrid.indices.baskets.terms import POINTS, Basket
from tenorgrid.indices.estimators import rounded

CLOCK = "%Y-%m-%dT%H:%M:%SZ"
SPLICE = "splice"
INPUT = ("index", "methodology", "start", "revision", "value", "quantity", "status")
DIGITS = 12
NEAR = 1e-12  # a share of weights that sums to 1 but for rounding


@dataclass(frozen=True, kw_only=True)
class BasketRun:
    """A basket over time with all that led to it.

    `marks` are `Marks`, those of the baskets in it first; `contributions` and `rebalancings` are the tables of
    `tenorgrid.data.tables.baskets`; `audits` has index, date and the audit as one JSON text.
    """

    basket: Basket
    marks: pl.DataFrame
    contributions: pl.DataFrame
    rebalancings: pl.DataFrame
    audits: pl.DataFrame


def basket_marks(marks: pl.DataFrame, *, definition: Basket | Path | str, at: datetime | None = None) -> BasketRun:
    """Marks of a basket, and of every basket in it, from marks of what it holds.

    A mark of a day reads nothing later. Its quantity is what was paid for the constituents over its value, so that value times quantity
    is money; null where the basket's quantities are not from marks. Marks that are withheld are rows too.

    Args:
        marks: `Marks`; of several revisions the latest.
        definition: a shipped name, a TOML file, or what `load_basket` gave.
        at: only what was published by this moment, with its time zone; None is everything.

    Raises `InputError` for bad rows, constituents without marks, rivals of which none is chosen, a base without marks, and a name that
    the marks have already.

    >>> from datetime import UTC, timedelta
    >>> days = [datetime(2027, 1, day, 5, tzinfo=UTC) for day in (1, 2, 3)]
    >>> prices = {"H100-SXM.US.FIRM": [2.0, 2.2, 2.1], "H200-SXM.US.FIRM": [3.0, 3.0, 3.3]}
    >>> rest = {"methodology": "house", "revision": 0, "unit": "USD/GPUh", "quantity": 1000.0, "status": "published", "method_hash": "0"}
    >>> made = pl.DataFrame([
    ...     {"index": name, "start": day, "end": day + timedelta(1), "published_at": day + timedelta(1), "value": value} | rest
    ...     for name, values in prices.items() for day, value in zip(days, values)
    ... ])
    >>> run = basket_marks(made, definition="hopper-us")
    >>> run.marks.select("index", "value", "unit", "status").rows()[1:]
    [('HOPPER.US.FIRM', 2.6, 'USD/GPUh', 'published'), ('HOPPER.US.FIRM', 2.7, 'USD/GPUh', 'published')]
    >>> run.contributions.filter(pl.col("start") == days[2]).select("constituent", pl.col("contribution").round(6)).rows()
    [('H100-SXM.US.FIRM', -0.05), ('H200-SXM.US.FIRM', 0.15)]
    """
    top = load_basket(definition)
    known = checked(marks, Marks, name="marks")
    if at is not None:
        known = known.filter(pl.col("published_at") <= _zoned(at))
    made: list[BasketRun] = []
    for stage in top.stages():
        if stage.index in known["index"].unique().to_list():
            raise InputError.of("marks", "no marks of an index that a basket makes", column="index", value=stage.index)
        made.append(_run(known, stage))
        known = pl.concat([known, made[-1].marks])
    names = ("marks", "contributions", "rebalancings", "audits")
    frames: dict[str, Any] = {name: pl.concat([getattr(run, name) for run in made]) for name in names}
    return BasketRun(basket=top, **frames)


def compared_levels(marks: pl.DataFrame, basket: Basket) -> tuple[Grid, Series]:
    """The grid and the unrounded series of one basket whose constituents all have marks."""
    found = grid(marks, basket)
    return found, series(found, basket)


def _zoned(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise InputError.of("basket", "a time with its zone", column="at", value=at)
    return at


def _run(marks: pl.DataFrame, basket: Basket) -> BasketRun:
    seen, found = compared_levels(marks, basket)
    printed = _marks(seen, found, basket)
    contributions = _contributions(seen, found, basket)
    entries = list(_entries(seen, found, printed, contributions, basket))
    audits = pl.DataFrame(
        {name: [entry[name] for entry in entries] for name in ("index", "date")}
        | {"audit": [json.dumps(entry, ensure_ascii=False) for entry in entries]},
        schema=dict.fromkeys(["index", "date", "audit"], pl.String),
    )
    return BasketRun(
        basket=basket, marks=printed, contributions=contributions, rebalancings=_rebalancings(seen, found, basket), audits=audits
    )


def _first(found: Series) -> int:
    return found.links[0].row


def _marks(seen: Grid, found: Series, basket: Basket) -> pl.DataFrame:
    rows = range(_first(found), len(seen.days))
    statuses = [_status(seen, found, basket, row) for row in rows]
    values = [
        None if status is MarkStatus.WITHHELD else rounded(float(found.levels[row]), decimals=basket.decimals, rule=basket.rounding)
        for row, status in zip(rows, statuses, strict=True)
    ]
    units = set(seen.units.values())
    frame = seen.periods[_first(found) :].select(
        "start",
        "end",
        "published_at",
        pl.Series("value", values, dtype=pl.Float64),
        pl.Series("quantity", [_quantity(seen, found, basket, row) for row in rows], dtype=pl.Float64),
        pl.Series("status", [status.value for status in statuses]),
        index=pl.lit(basket.index),
        methodology=pl.lit(basket.name),
        method_hash=pl.lit(basket.hash),
        revision=pl.lit(0),
        unit=pl.lit(units.pop() if basket.base_value is None else POINTS),
    )
    return checked(frame, Marks, name=basket.name)


def _shares(seen: Grid, found: Series, row: int) -> tuple[float, float, float]:
    """Shares of the basket's value that stand on marks: published; of low confidence or better; any that may be used."""
    held, weight = found.held[row], found.weights[row]
    fresh, low, carried = (float(weight[held & (seen.state[row] == code)].sum()) for code in (FRESH, LOW, CARRIED))
    return fresh, fresh + low, fresh + low + carried


def _status(seen: Grid, found: Series, basket: Basket, row: int) -> MarkStatus:
    """The most that the basket's own rule lets its mark be relied on for."""
    fresh, low, usable = _shares(seen, found, row)
    lost = bool((found.held[row] & (seen.state[row] == LEFT_OUT)).any())
    if np.isnan(found.levels[row]) or (lost and basket.marks.missing is MissingMark.WITHHOLD):
        return MarkStatus.WITHHELD
    if fresh >= basket.published - NEAR:
        return MarkStatus.PUBLISHED
    if low >= basket.low_confidence - NEAR:
        return MarkStatus.LOW_CONFIDENCE
    return MarkStatus.CARRIED if usable >= basket.low_confidence - NEAR else MarkStatus.WITHHELD


def _quantity(seen: Grid, found: Series, basket: Basket, row: int) -> float | None:
    if basket.quantities is not BasketQuantity.MARKS or np.isnan(found.levels[row]):
        return None
    paid = np.where(found.held[row], seen.price[row] * seen.sold[row], 0.0)
    return float(np.nansum(paid) / found.levels[row])


def _contributions(seen: Grid, found: Series, basket: Basket) -> pl.DataFrame:
    rows, columns = np.nonzero(found.held)
    spliced = np.flatnonzero(found.spliced)
    starts = seen.periods["start"]
    price = seen.price[rows, columns]
    constituents = pl.DataFrame(
        {
            "start": starts[rows],
            "constituent": np.array(seen.indices)[columns],
            "state": [STATES[code].value for code in seen.state[rows, columns]],
            "price": pl.Series(price, dtype=pl.Float64).fill_nan(None),
            "weight": found.weights[rows, columns],
            "contribution": found.contributions[rows, columns],
        }
    )
    rest = pl.DataFrame({"start": starts[spliced], "contribution": found.spliced[spliced]}).with_columns(constituent=pl.lit(SPLICE))
    whole = pl.concat([constituents, rest], how="diagonal").with_columns(index=pl.lit(basket.index)).sort("start", "constituent")
    return checked(whole, BasketContributions, name=f"{basket.name} contributions")


def _rebalancings(seen: Grid, found: Series, basket: Basket) -> pl.DataFrame:
    frames = [_composition(seen, link, basket) for link in found.links]
    return checked(pl.concat(frames), BasketRebalancings, name=f"{basket.name} rebalancings")


def _composition(seen: Grid, link: Link, basket: Basket) -> pl.DataFrame:
    counted = basket.quantities is not BasketQuantity.NONE
    names = np.flatnonzero(link.listed)
    joined = ~np.isnan(link.quantity[names])
    price, quantity = (pl.Series(values, dtype=pl.Float64).fill_nan(None) for values in (seen.price[link.row, names], link.quantity[names]))
    frame = pl.DataFrame({"constituent": [seen.indices[name] for name in names], "price": price, "quantity": quantity, "joined": joined})
    value = pl.col("price") * pl.col("quantity")
    return frame.with_columns(
        index=pl.lit(basket.index),
        start=pl.lit(seen.periods["start"][link.row]),
        level=pl.lit(link.level),
        divisor=value.sum() / link.level if counted else pl.lit(None, dtype=pl.Float64),
        quantity=pl.col("quantity") if counted else pl.lit(None, dtype=pl.Float64),
        weight=value / value.sum() if counted else pl.when("joined").then(1 / pl.col("joined").sum()),
    )


def _entries(seen: Grid, found: Series, printed: pl.DataFrame, contributions: pl.DataFrame, basket: Basket) -> Iterator[dict[str, Any]]:
    parts = contributions.partition_by("start", as_dict=True, include_key=False)
    inputs = (
        seen.rows.select(pl.col(name).cast(pl.String) for name in INPUT)
        .with_columns(seen.rows["start"])
        .partition_by("start", as_dict=True)
    )
    links = iter([*found.links, None])
    link, following = next(links), next(links)
    for row, mark in zip(range(_first(found), len(seen.days)), printed.iter_rows(named=True), strict=True):
        while following is not None and following.row < row:  # a composition holds from the period after its own on
            link, following = following, next(links)
        fresh, low, usable = _shares(seen, found, row)
        level = float(found.levels[row])
        yield {
            "index": basket.index,
            "date": str(seen.days[row]),
            "start": mark["start"].strftime(CLOCK),
            "value": mark["value"],
            "unrounded": None if np.isnan(level) else level,
            "unit": mark["unit"],
            "quantity": mark["quantity"],
            "status": str(mark["status"]),
            "methodology": {"name": basket.name, "hash": basket.hash},
            "formula": basket.formula.value,
            "rebalanced": None if link is None else str(seen.days[link.row]),
            "input": _hashed(inputs.get((mark["start"],))),
            "shares": {
                name: round(share, DIGITS) for name, share in (("published", fresh), ("with_low_confidence", low), ("usable", usable))
            },
            "constituents": _told(parts.get((mark["start"],))),
        }


def _told(parts: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Contributions of a period for its audit; past `DIGITS` decimals the order of a sum shows, which another machine may change."""
    if parts is None:
        return []
    return parts.drop("index").with_columns(pl.col("weight", "contribution").round(DIGITS)).to_dicts()


def _hashed(rows: pl.DataFrame | None) -> dict[str, Any]:
    """Number and SHA-256 of the marks of a period that the basket may read."""
    found = [] if rows is None else rows.select(INPUT).with_columns(pl.col("start").dt.to_string(CLOCK)).rows()
    return {"rows": len(found), "hash": hashlib.sha256(json.dumps(found).encode()).hexdigest()}


def with_formula(basket: Basket, **changes: Any) -> Basket:
    """The same basket with some of its rule changed, for comparison; it is no longer what its hash names."""
    return replace(basket, **changes)

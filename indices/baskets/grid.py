"""The marks that a basket reads, as arrays: which values may be used in which period, in which state, and what stands behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import BasketQuantity, ConstituentState, MarkStatus, MissingMark
from tenorgrid.indices.baskets.panel import Matrix
from tenorgrid.indices.baskets.terms import POINTS, Basket

STATES = tuple(ConstituentState)
FRESH, LOW, CARRIED, LEFT_OUT = range(4)
CODES = {MarkStatus.PUBLISHED: FRESH, MarkStatus.LOW_CONFIDENCE: LOW, MarkStatus.CARRIED: CARRIED, MarkStatus.WITHHELD: LEFT_OUT}


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """Marks of `indices` by period, in order of time.

    `price` (periods, indices) is the value that enters, NaN where none may; `state` the place of its state in `STATES`; `sold` the
    quantity behind the mark of the period itself and `quantity` its mean over the basket's days, both 0 where there is none. `days` are
    the local days in which periods end; `rows` are the marks themselves.
    """

    periods: pl.DataFrame
    days: tuple[date, ...]
    indices: tuple[str, ...]
    price: Matrix
    state: npt.NDArray[np.int64]
    sold: Matrix
    quantity: Matrix
    units: dict[str, str]
    rows: pl.DataFrame


def grid(marks: pl.DataFrame, basket: Basket) -> Grid:
    """The latest revisions of the marks that a basket may hold, with the basket's own rule on what may be used.

    Args:
        marks: `Marks`, checked.
        basket: the rule.

    Raises `InputError` for constituents without any mark, rival methodologies of one, periods that do not fit one another, and units that
    the quantities cannot go with.
    """
    latest = marks.sort("revision").unique(["index", "methodology", "start"], keep="last").sort("index", "start")
    names = _candidates(latest, basket)
    rows = latest.filter(pl.col("index").is_in(names))
    _refuse_rivals(rows, basket)
    periods = rows.group_by("start").agg(pl.col("end").unique(), pl.col("published_at").max()).sort("start")
    _refuse_overlaps(periods, basket)
    periods = periods.with_columns(pl.col("end").list.first())
    units = dict(rows.select("index", "unit").unique(maintain_order=True).iter_rows())
    _refuse_units(rows, units, basket)
    value, sold = (_matrix(rows, periods, names, column) for column in ("value", "quantity"))
    days = tuple(basket.closed_on(end) for end in periods["end"])
    price, state = _usable(value, _states(rows, periods, names), basket, days)
    return Grid(
        periods=periods,
        days=days,
        indices=tuple(names),
        price=price,
        state=state,
        sold=np.nan_to_num(sold),
        quantity=_trailing(np.nan_to_num(sold), days, basket.quantity_days),
        units=units,
        rows=rows,
    )


def _candidates(marks: pl.DataFrame, basket: Basket) -> list[str]:
    known = marks["index"].unique().to_list()
    if basket.selection is not None:
        like = basket.selection.like
        found = sorted(name for name in known if name != basket.index and any(fnmatchcase(name, pattern) for pattern in like))
        if not found:
            raise InputError.of(basket.name, "marks of an index that the rule selects", column="select.like", value=", ".join(like))
        return found
    names = sorted({one.index for one in basket.constituents})
    if missing := [name for name in names if name not in known]:
        raise InputError(
            Fault(file=basket.name, column="constituents", value=name, expected="an index of which there are marks") for name in missing
        )
    return names


def _refuse_rivals(rows: pl.DataFrame, basket: Basket) -> None:
    rivals = rows.group_by("index").agg(pl.col("methodology").unique().sort()).filter(pl.col("methodology").list.len() > 1).sort("index")
    if rivals.height:
        raise InputError(
            Fault(file=basket.name, column=index, value=" and ".join(names), expected="marks of one methodology")
            for index, names in rivals.iter_rows()
        )


def _refuse_overlaps(periods: pl.DataFrame, basket: Basket) -> None:
    wrong = (pl.col("end").list.len() > 1) | (pl.col("end").list.max() > pl.col("start").shift(-1)).fill_null(False)
    if (found := periods.filter(wrong)).height:
        raise InputError(
            Fault(file=basket.name, column="start", value=str(start), expected="constituents whose periods are the same")
            for start in found["start"]
        )


def _refuse_units(rows: pl.DataFrame, units: dict[str, str], basket: Basket) -> None:
    faults = [
        Fault(file=basket.name, column=index, value=" and ".join(found), expected="marks in one unit")
        for index, found in rows.group_by("index").agg(pl.col("unit").unique().sort()).sort("index").iter_rows()
        if len(found) > 1
    ]
    if basket.base_value is None and len(set(units.values())) > 1:
        found = ", ".join(sorted(set(units.values())))
        faults.append(Fault(file=basket.name, column="base.value", value=found, expected="constituents in one unit, for a mean price"))
    if basket.quantities is BasketQuantity.FIXED:
        faults += [
            Fault(file=basket.name, column=index, value=POINTS, expected="a unit of money, to go with a fixed quantity")
            for index, unit in sorted(units.items())
            if unit == POINTS
        ]
    if basket.quantities is BasketQuantity.MARKS and rows["quantity"].null_count() == rows.height:
        faults.append(Fault(file=basket.name, column="quantity", value="none", expected="marks with quantities, as the basket takes them"))
    if faults:
        raise InputError(faults)


def _matrix(rows: pl.DataFrame, periods: pl.DataFrame, names: Sequence[str], column: str) -> Matrix:
    found = np.full((periods.height, len(names)), np.nan)
    row, place = _places(rows, periods, names)
    found[row, place] = rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def _states(rows: pl.DataFrame, periods: pl.DataFrame, names: Sequence[str]) -> npt.NDArray[np.int64]:
    found = np.full((periods.height, len(names)), LEFT_OUT)
    codes = {status.value: code for status, code in CODES.items()}
    found[_places(rows, periods, names)] = rows["status"].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64).to_numpy()
    return found


def _places(rows: pl.DataFrame, periods: pl.DataFrame, names: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and column of each mark in the arrays."""
    row = periods["start"].search_sorted(rows["start"]).to_numpy().astype(np.int64)
    return row, rows["index"].replace_strict(list(names), range(len(names)), return_dtype=pl.Int64).to_numpy()


def _usable(value: Matrix, state: npt.NDArray[np.int64], basket: Basket, days: Sequence[date]) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """Values that enter, and how: what the basket's rule does not take counts as missing, and is carried where the rule says so."""
    rule = basket.marks
    barred = ((state == LOW) & (not rule.low_confidence)) | ((state == CARRIED) & (not rule.carried)) | (state == LEFT_OUT)
    price, found = np.where(barred, np.nan, value), np.where(barred, LEFT_OUT, state)
    if rule.missing is not MissingMark.CARRY:
        return price, found
    ordinal = np.array([day.toordinal() for day in days])
    there = ~np.isnan(price)
    last = np.maximum.accumulate(np.where(there, np.arange(len(days))[:, None], -1), axis=0)
    young = (last >= 0) & (ordinal[:, None] - ordinal[np.maximum(last, 0)] <= rule.carry_days) & ~there
    earlier = np.take_along_axis(price, np.maximum(last, 0), axis=0)
    return np.where(young, earlier, price), np.where(young, CARRIED, found)


def _trailing(sold: Matrix, days: Sequence[date], over: int) -> Matrix:
    """Mean of the periods of the last `over` days up to each period's own."""
    if over == 1 and len(set(days)) == len(days):
        return sold
    ordinal = np.array([day.toordinal() for day in days])
    first = np.searchsorted(ordinal, ordinal - over, side="right")
    return np.array([sold[begin : row + 1].mean(axis=0) for row, begin in enumerate(first)])

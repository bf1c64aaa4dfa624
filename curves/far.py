"""The far end: long-dated marks joined to near quotes, within what these leave free."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from scipy.optimize import linprog

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.weights import weights
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.rental import FarLimits, FarMarks

TOLERANCE = 1e-6  # USD per GPU-hour
NAMED = 1e-7  # least multiplier of a quote that is named in a contradiction


@dataclass(frozen=True, eq=False, kw_only=True)
class Joined:
    """`quotes`: near quotes and the marks that say something more, fit for `fit_curve`; `limits`: `FarLimits` of every mark."""

    quotes: pl.DataFrame
    limits: pl.DataFrame


def join_far(
    near: pl.DataFrame,
    far: pl.DataFrame,
    *,
    index: str,
    as_of: datetime,
    timezone: str | None = None,
    floor: float = 0.0,
    tolerance: float = TOLERANCE,
) -> Joined:
    r"""Long-dated marks of an index joined to its near quotes without arbitrage.

    The near quotes leave the average over a mark's period free between the least and the largest of :math:`w \cdot F` over all hourly
    forwards with :math:`W F = p` and :math:`F \ge` floor: two linear programs. Outside of that interval the mark and the quotes are a
    portfolio that pays for nothing; the multipliers of the program say which. Marks are taken in the order of their ends, each against
    the quotes and the marks before it.

    A mark that is a bid and an ask contradicts where all of bid to ask is outside. Else its price is what is nearest to their middle
    and free, and both sides stay with the quote: a curve `within` "bid-ask" may end anywhere between them.

    Args:
        near: `Quotes`; rows of other indices are left alone.
        far: `FarMarks`, each the price, or the bid and the ask, of every hour of its period; rows of other indices are left alone.
        index: index that both are of.
        as_of: moment that the marks are known at.
        timezone: of the marks' days; None is that of the near quotes.
        floor: least hourly forward: a rented GPU may stand idle, so 0.
        tolerance: USD per GPU-hour by which a mark may stand outside; also what it may differ from quotes that say the same.

    Raises `InputError` for bad tables, for near quotes that no forwards of at least `floor` meet, and for every mark that contradicts,
    with the quotes that it contradicts, the interval and the size. Nothing is moved or averaged.
    """
    quotes = checked(near, Quotes, name="quotes").filter(pl.col("index") == index).sort("start", "end", "quote_id")
    marks = checked(far, FarMarks, name="far").filter(pl.col("index") == index).sort("end", "start", "quote_id")
    if quotes.is_empty() or marks.is_empty():
        raise InputError.of("quotes" if quotes.is_empty() else "far", f"at least one row of {index}")
    both = set(quotes["quote_id"]) & set(marks["quote_id"])
    if both:
        raise InputError(
            Fault(file="far", column="quote_id", value=name, expected="a name that no near quote has") for name in sorted(both)
        )
    whole = pl.concat([quotes, _quoted(marks, as_of, timezone or str(quotes["timezone"][0]))])
    rows, price, names = _cells(whole), whole["price"].to_numpy(writable=True), whole["quote_id"].to_list()
    kept = list(range(quotes.height))
    _refuse_near(rows[kept], price[kept], names, floor, tolerance)
    faults, found = [], []
    for place, (bid, asked, ask) in enumerate(_sides(marks), start=quotes.height):
        low, high, against = _limits(rows[kept], price[kept], rows[place], floor)
        size = max(low - ask, bid - high)
        if size > tolerance:
            side = against[0] if low - ask > tolerance else against[1]
            said = f"{low:.6g}" if high - low <= tolerance else f"{low:.6g} to {high:.6g}" if np.isfinite(high) else f"at least {low:.6g}"
            told = f"{asked:g}" if bid == ask else f"{bid:g} to {ask:g}"
            faults.append(
                Fault(
                    file="far",
                    column="price",
                    value=f"{names[place]} at {told}, {size:.6g} USD per GPU-hour outside",
                    expected=f"{said}, as {', '.join(names[kept[i]] for i in side)} say",
                )
            )
            continue
        price[place] = asked if bid == ask else np.clip(asked, low, high)
        implied = high - low <= tolerance
        found.append((names[place], float(price[place]), low, high if np.isfinite(high) else None, "implied" if implied else "joined"))
        if not implied:
            kept.append(place)
    if faults:
        raise InputError(faults)
    limits = pl.DataFrame(found, schema=list(FarLimits.column_names()), orient="row")
    return Joined(quotes=Quotes.validate(whole.with_columns(pl.Series("price", price))[kept]), limits=FarLimits.validate(limits, cast=True))


def _quoted(marks: pl.DataFrame, as_of: datetime, timezone: str) -> pl.DataFrame:
    return Quotes.validate(
        marks.select(
            pl.lit(as_of).dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("as_of"),
            "quote_id", "index", pl.col("quote_id").alias("contract"), "start", "end", pl.lit("base").alias("profile"),
            "bid", pl.coalesce("price", pl.mean_horizontal("bid", "ask")), "ask", pl.lit("hourly").alias("average"),
            pl.lit(None, dtype=pl.String).alias("calendar"), pl.lit(timezone).alias("timezone"),
            pl.col("kind").cast(pl.String).alias("source"),
        ),
        cast=True,
    )  # fmt: skip


def _sides(marks: pl.DataFrame) -> Iterator[tuple[float, float, float]]:
    """Least, asked and greatest of each mark: a price is all three, a bid and an ask have their middle between them."""
    for bid, price, ask in marks.select("bid", "price", "ask").iter_rows():
        yield (bid, (bid + ask) / 2, ask) if price is None else (price, price, price)


def _cells(quotes: pl.DataFrame) -> Vector:
    """(m, cells) weights of each quote on groups of hours that no quote tells apart."""
    rows = weights(quotes)
    label = rows.interval
    for density in rows.densities:
        _, code = np.unique(density, return_inverse=True)
        label = label * (code.max() + 1) + code
    _, label = np.unique(label, return_inverse=True)
    return np.stack([np.bincount(label, weights=rows.row(i)) for i in range(quotes.height)])


def _limits(rows: Vector, price: Vector, mark: Vector, floor: float) -> tuple[float, float, tuple[list[int], list[int]]]:
    """Least and largest average of a mark's period, and the positions of the quotes that set each."""
    ends: list[float] = []
    against: list[list[int]] = []
    for sign in (1.0, -1.0):
        solved = linprog(sign * mark, A_eq=rows, b_eq=price, bounds=(floor, None), method="highs")
        if solved.status == 3:
            ends.append(sign * -np.inf)
            against.append([])
            continue
        ends.append(sign * float(np.float64(solved.fun)))
        against.append([int(i) for i in np.flatnonzero(np.abs(solved.eqlin.marginals) > NAMED)])
    return ends[0], ends[1], (against[0], against[1])


def _refuse_near(rows: Vector, price: Vector, names: list[str], floor: float, tolerance: float) -> None:
    """Near quotes that no forwards meet are named: those that must move in the cheapest repair."""
    count, cells = rows.shape
    slack = np.hstack([np.eye(count), -np.eye(count)])
    cost = np.concatenate([np.zeros(cells), np.ones(2 * count)])
    bounds = [(floor, None)] * cells + [(0, None)] * (2 * count)
    solved = linprog(cost, A_eq=np.hstack([rows, slack]), b_eq=price, bounds=bounds, method="highs")
    moved = np.asarray(solved.x)[cells:]
    size = moved[:count] - moved[count:]
    if np.abs(size).max() > tolerance:
        raise InputError(
            Fault(
                file="quotes",
                column="price",
                value=f"{names[i]} {size[i]:+.6g} USD per GPU-hour",
                expected=f"near quotes that forwards of at least {floor:g} meet",
            )
            for i in np.flatnonzero(np.abs(size) > tolerance)
        )

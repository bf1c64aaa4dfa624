"""Constraints of the user's own as rows of the coupling: a power cap over a site, an emission budget over a month, "both or neither".

What they can speak of: listed hours of offers, work of bids, recipe levels, acceptances of gangs and commitments of offers. Try them first
in the readable model (`tenorgrid.clearing.reference`), then hand them to the engine.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.coupling import EXTRA, NO_HOURS, CouplingBuilder
from tenorgrid.clearing.grid import ANYWHERE
from tenorgrid.clearing.layout import Layout, Places
from tenorgrid.clearing.orders import Orders
from tenorgrid.clearing.wholes import wholes
from tenorgrid.data.case import Case
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import ExtraKind, ExtraSpan
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.extra import ExtraRows

NAME = "extra_rows"
Vector = npt.NDArray[np.float64]


def check_extra(rows: pl.DataFrame, case: Case) -> pl.DataFrame:
    """A table of constraints, checked: its own rules, and every name known to the case.

    Raises InputError with every fault.
    """
    found = checked(rows, ExtraRows, name=NAME)
    faults = [
        *_unequal(found),
        *_strangers(found, ExtraKind.OFFER, "id", case.offers["offer_id"]),
        *_strangers(found, ExtraKind.COMMITTED, "id", case.offers["offer_id"]),
        *_strangers(found, ExtraKind.BID, "id", case.bids["bid_id"]),
        *_strangers(found, ExtraKind.ACCEPTED, "id", case.bids.filter(pl.col("min_share") > 0)["bid_id"]),
        *_strangers(found, ExtraKind.LEVEL, "workload", case.workloads["workload"]),
    ]
    for column, known in (("tier", case.tiers["tier"]), ("resource", case.resources["resource"]), ("location", case.locations["location"])):
        faults += _strangers(found, None, column, known)
    faults += [*_unknown_steps(found, case), *_unknown_recipes(found, case), *_never_committed(found, case), *_off_the_grid(found, case)]
    if faults:
        raise InputError(faults)
    return found


def put_extra(build: CouplingBuilder, rows: pl.DataFrame, orders: Orders, *, offers: pl.DataFrame, bids: pl.DataFrame) -> None:
    """Add the constraints to the coupling, after all of its own columns.

    Args:
        build: whose columns exist already.
        rows: checked.
        orders: of the horizon; terms of orders that do not stand in its span count nothing.
        offers, bids: members with their class and rank.
    """
    for constraint in rows.sort("row", maintain_order=True).partition_by("row", maintain_order=True):
        lower, upper = (constraint[edge][0] for edge in ("lower", "upper"))
        least, most = -np.inf if lower is None else float(lower), np.inf if upper is None else float(upper)
        name = str(constraint["row"][0])
        key = {"id": name, "participant": "", "component": f"{EXTRA}:{name}"}
        whole_run = str(constraint["span"][0]) == ExtraSpan.RUN.value
        hours = np.arange(orders.span.count)
        at = build.row(EXTRA, key, NO_HOURS if whole_run else hours, lower=least, upper=most)
        for term in constraint.iter_rows(named=True):
            there = hours if term["start"] is None else hours[[int((term["start"] - orders.span.first) // orders.span.interval)] == hours]
            places = np.broadcast_to(at, hours.shape)[there] if whole_run else at[there]
            worth = term["coefficient"] * (build.hours if whole_run else 1.0)
            _put_term(build, term, orders, offers if term["kind"] == ExtraKind.OFFER.value else bids, hours=there, rows=places, worth=worth)


def _put_term(
    build: CouplingBuilder, term: dict[str, object], orders: Orders, members: pl.DataFrame, *, hours: Places, rows: Places, worth: float
) -> None:
    kind, shape = str(term["kind"]), orders.layout
    if kind == ExtraKind.LEVEL.value:
        number, per = _levels(shape, term)
        build.put_inner(rows[:, None], hours[:, None], number[None, :], worth * per[None, :])
    elif kind in (ExtraKind.ACCEPTED.value, ExtraKind.COMMITTED.value):
        _put_decision(build, term, hours=hours, rows=rows, worth=worth)
    else:
        _put_order(build, term, shape, members, hours=hours, rows=rows, worth=worth)


def _put_order(
    build: CouplingBuilder, term: dict[str, object], shape: Layout, members: pl.DataFrame, *, hours: Places, rows: Places, worth: float
) -> None:
    offered = term["kind"] == ExtraKind.OFFER.value
    slots, columns = (shape.offer_slots, shape.offer_column) if offered else (shape.bid_slots, shape.bid_column)
    mine = members.filter(pl.col("id") == term["id"], pl.lit(value=True) if term["step"] is None else pl.col("step") == term["step"])
    if offered and term["resource"] is not None:
        fitting = [number for number, offer in enumerate(shape.offers) if offer.resource == term["resource"]]
        mine = mine.filter(pl.col("class_number").is_in(fitting))
    mine = mine.filter(pl.col("hour").is_in(hours.tolist()))
    place = np.searchsorted(hours, mine["hour"].to_numpy())
    slot = slots[mine["class_number"].to_numpy()] + mine["rank"].to_numpy()
    for k, tier in enumerate(shape.grid.tiers.names):
        if term["tier"] in (None, tier):
            build.put_inner(rows[place], hours[place], columns[slot, k], worth)


def _put_decision(build: CouplingBuilder, term: dict[str, object], *, hours: Places, rows: Places, worth: float) -> None:
    names = build.columns.frame().with_row_index("number")
    mine = names.filter(pl.col("kind") == term["kind"], pl.col("id") == term["id"])
    for number, hour in mine.select("number", "hour").iter_rows():
        if hour < 0:  # an acceptance holds in every interval of the row, and once in a row over the run
            build.put(np.unique(rows), np.array(number), term["coefficient"] if np.unique(rows).size == 1 else worth)  # type: ignore[arg-type]
        elif hour in hours:
            build.put(rows[hours == hour], np.array(number), worth)


def _levels(shape: Layout, term: dict[str, object]) -> tuple[Places, Vector]:
    """Columns of the levels that a term speaks of, and recipe-hours per unit of each: a pool with a single recipe counts in work."""
    wanted = [pl.col(name) == term[name] for name in ("workload", "home", "recipe", "location", "tier") if term[name] is not None]
    found = shape.columns.filter(pl.col("kind").is_in(["level", "bid"]), pl.col("recipe").is_not_null(), *wanted)
    made = {
        (workload, name): output
        for workload, book in shape.grid.recipes.items()
        for name, output in zip(book.names, book.output, strict=True)
    }
    per = [
        1.0 if kind == "level" else 1.0 / float(made[workload, recipe])
        for kind, workload, recipe in found.select("kind", "workload", "recipe").iter_rows()
    ]
    return found["number"].to_numpy().astype(np.int64), np.array(per)


def _unequal(rows: pl.DataFrame) -> list[Fault]:
    """Terms whose bounds or span are not those of the first term of their row."""
    faults = []
    for column in ("lower", "upper", "span"):
        wrong = rows.with_row_index("at", offset=1).filter(pl.col(column).ne_missing(pl.col(column).first().over("row")))
        for at, value in wrong.select("at", pl.col(column).cast(pl.String)).iter_rows():
            faults.append(
                Fault(file=NAME, row=at, column=column, value=value or "nothing", expected=f"the same {column} on all terms of a row")
            )
    return faults


def _strangers(rows: pl.DataFrame, kind: ExtraKind | None, column: str, known: pl.Series) -> list[Fault]:
    """Names that the case does not have."""
    mine = rows.with_row_index("at", offset=1)
    if kind is not None:
        mine = mine.filter(pl.col("kind").cast(pl.String) == kind.value)
    wrong = mine.filter(pl.col(column).is_not_null(), ~pl.col(column).is_in(known.unique().implode()))
    what = "a gang" if kind is ExtraKind.ACCEPTED else f"a {column}" if kind is None else f"the {column} of {kind.value}s"
    return [
        Fault(file=NAME, row=at, column=column, value=value, expected=f"{what} of the case")
        for at, value in wrong.select("at", column).iter_rows()
    ]


def _unknown_steps(rows: pl.DataFrame, case: Case) -> list[Fault]:
    """Steps and resources that an order does not have."""
    offers = case.offers.select("step", "resource", id="offer_id", kind=pl.lit(ExtraKind.OFFER.value))
    bids = case.bids.select("step", pl.lit(None, dtype=pl.String).alias("resource"), id="bid_id", kind=pl.lit(ExtraKind.BID.value))
    orders = pl.concat([offers, bids]).unique()
    mine = rows.with_row_index("at", offset=1).with_columns(pl.col("kind").cast(pl.String)).join(orders, on=["kind", "id"], suffix="_has")
    faults = []
    for column in ("step", "resource"):
        fits = pl.col(column).is_null() | (pl.col(column) == pl.col(f"{column}_has"))
        told = mine.filter(pl.col("kind") == ExtraKind.OFFER.value) if column == "resource" else mine
        wrong = told.group_by("at", "id", column, maintain_order=True).agg(fits.any().alias("fits")).filter(~pl.col("fits"))
        for at, name, value in wrong.select("at", "id", column).iter_rows():
            faults.append(Fault(file=NAME, row=at, column=column, value=value, expected=f"a {column} of {name}"))
    return faults


def _unknown_recipes(rows: pl.DataFrame, case: Case) -> list[Fault]:
    """Recipes that the workload does not have, and homes that are no place."""
    level = pl.col("kind").cast(pl.String) == ExtraKind.LEVEL.value
    mine = rows.with_row_index("at", offset=1).filter(level)
    known = case.recipes.select("workload", "recipe")
    wrong = mine.filter(pl.col("recipe").is_not_null()).join(known, on=["workload", "recipe"], how="anti", maintain_order="left")
    faults = [
        Fault(file=NAME, row=at, column="recipe", value=recipe, expected=f"a recipe of {workload}")
        for at, recipe, workload in wrong.select("at", "recipe", "workload").iter_rows()
    ]
    homes = [*case.locations["location"], ANYWHERE]
    for at, home in mine.filter(pl.col("home").is_not_null(), ~pl.col("home").is_in(homes)).select("at", "home").iter_rows():
        faults.append(Fault(file=NAME, row=at, column="home", value=home, expected=f"a location of the case, or {ANYWHERE}"))
    return faults


def _never_committed(rows: pl.DataFrame, case: Case) -> list[Fault]:
    """Commitments of offers that are never committed: those without start cost, least run and block."""
    decided = wholes(case.offers.rename({"offer_id": "id"}), case.bids.rename({"bid_id": "id"})).offers["id"]
    mine = rows.with_row_index("at", offset=1).filter(pl.col("kind").cast(pl.String) == ExtraKind.COMMITTED.value)
    wrong = mine.filter(pl.col("id").is_in(case.offers["offer_id"].implode()), ~pl.col("id").is_in(decided.implode()))
    expected = "an offer with a start cost, a least run or a block"
    return [Fault(file=NAME, row=at, column="id", value=name, expected=expected) for at, name in wrong.select("at", "id").iter_rows()]


def _off_the_grid(rows: pl.DataFrame, case: Case) -> list[Fault]:
    """Starts that are not the first instant of an interval."""
    first, interval = case.bids["start"].min(), case.market.interval
    away = (pl.col("start") - pl.lit(first)).dt.total_microseconds() % int(interval.total_seconds() * 1_000_000)
    wrong = rows.with_row_index("at", offset=1).filter(away != 0)
    return [
        Fault(file=NAME, row=at, column="start", value=start, expected=f"the first instant of an interval of {interval}")
        for at, start in wrong.select("at", "start").iter_rows()
    ]

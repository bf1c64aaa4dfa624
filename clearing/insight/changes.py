"""Orders changed: offers or bids added, replaced, changed in some cells, or withdrawn; the case that comes of it is checked as any is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from tenorgrid.data.case import Case, check_case
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.case import Bids, Offers
from tenorgrid.data.tables.door import inspect
from tenorgrid.data.tables.insight import BidChanges, OfferChanges

ACTIONS = ("add", "replace", "change", "withdraw")
SCHEMAS = {"offers": OfferChanges, "bids": BidChanges}
WHOLE = {"offers": Offers, "bids": Bids}
NAMES = {"offers": "offer_id", "bids": "bid_id"}


def kind(changes: pl.DataFrame) -> str:
    """Whether changes are of offers or of bids, by the column that names the order. Raises InputError where they are of neither."""
    found = [table for table, name in NAMES.items() if name in changes.columns]
    if len(found) != 1:
        raise InputError.of("change", "a column offer_id or a column bid_id", value=f"the columns {', '.join(changes.columns)}")
    return found[0]


def changed(case: Case, changes: pl.DataFrame, *, name: str = "change") -> Case:
    """The case with some orders changed.

    Args:
        case: as it is.
        changes: `OfferChanges` or `BidChanges`. `add` gives every row of a new order, `replace` every row of one that is there, `change`
            cells of its rows (those of one step, or of all; empty cells stay), `withdraw` its name.
        name: that faults call them by.

    Raises InputError with every fault: an unknown action, an order that is or is not there, rows that are no order, a case that would
    break its own rules.
    """
    table = kind(changes)
    rows, faults = inspect(changes, SCHEMAS[table], name=name)
    if not faults:
        faults = list(_faults(case, rows, table, name))
    if rows.is_empty():
        faults.append(Fault(file=name, expected="at least one row"))
    if faults:
        raise InputError(faults)
    orders = _applied(getattr(case, table), rows, table, name)
    after = replace(case, offers=orders) if table == "offers" else replace(case, bids=orders)
    if faults := check_case(after):
        raise InputError(faults)
    return after


def withdrawn(case: Case, participants: Sequence[str]) -> Case:
    """The case without the offers of some suppliers. Raises InputError for one that offers nothing."""
    known = case.offers["participant"].unique()
    if unknown := sorted(set(participants) - set(known)):
        raise InputError.of("participant", f"one who offers: {', '.join(known.sort())}", value=", ".join(unknown))
    return replace(case, offers=case.offers.filter(~pl.col("participant").is_in(list(participants))))


def _key(table: str) -> pl.Expr:
    return pl.struct(pl.col("horizon").fill_null(""), pl.col(NAMES[table]))


def _faults(case: Case, rows: pl.DataFrame, table: str, name: str) -> Iterator[Fault]:
    there = getattr(case, table).select(_key(table).alias("key"))["key"].unique().implode()
    marked = rows.with_row_index("row", offset=1).with_columns(_key(table).is_in(there).alias("there"))
    several = marked.group_by(_key(table).alias("key")).agg(pl.col("action").n_unique().alias("count")).filter(pl.col("count") > 1)
    twice = marked.filter(_key(table).is_in(several["key"].implode()))["row"].to_list()
    for row in marked.iter_rows(named=True):
        order, where = row[NAMES[table]], {"file": name, "row": row["row"]}
        if row["action"] not in ACTIONS:
            yield Fault(**where, column="action", value=str(row["action"]), expected=f"one of {', '.join(ACTIONS)}")
        elif row["action"] == "add" and row["there"]:
            yield Fault(**where, column=NAMES[table], value=order, expected=f"a name that {table} do not have at this horizon")
        elif row["action"] != "add" and not row["there"]:
            yield Fault(**where, column=NAMES[table], value=order, expected=f"one of the case's {table} at this horizon (empty: every one)")
        if row["row"] in twice:
            yield Fault(**where, column="action", value=str(row["action"]), expected=f"one action for {order}")
        cells = [column for column in getattr(case, table).columns if column not in ("horizon", NAMES[table], "step", "resource")]
        if row["action"] == "change" and all(row[column] is None for column in cells):
            yield Fault(**where, column="action", value="change", expected="at least one cell to change")


def _applied(orders: pl.DataFrame, rows: pl.DataFrame, table: str, name: str) -> pl.DataFrame:
    gone = rows.filter(pl.col("action").is_in(["replace", "withdraw"])).select(_key(table).alias("key"))["key"]
    kept = orders.filter(~_key(table).is_in(gone.implode())) if gone.len() else orders
    new = rows.filter(pl.col("action").is_in(["add", "replace"])).drop("action")
    whole, faults = inspect(new, WHOLE[table], name=name)
    if faults:
        raise InputError(faults)
    kept = pl.concat([kept, whole.select(kept.columns)])
    for cells in rows.filter(pl.col("action") == "change").iter_rows(named=True):
        mine = (pl.col("horizon").fill_null("") == (cells["horizon"] or "")) & (pl.col(NAMES[table]) == cells[NAMES[table]])
        for column in ("step", "resource"):
            if cells.get(column) is not None:
                mine &= pl.col(column) == cells[column]
        if kept.filter(mine).is_empty():
            raise InputError.of(name, f"a row of {cells[NAMES[table]]}", column="step", value=cells["step"])
        fixed = {"action", "horizon", NAMES[table], "step", "resource"}
        given = {column: value for column, value in cells.items() if value is not None and column not in fixed}
        kept = kept.with_columns(
            pl.when(mine).then(pl.lit(value)).otherwise(pl.col(column)).cast(kept.schema[column]).alias(column)
            for column, value in given.items()
        )
    return kept


def window(before: Case, after: Case) -> tuple[pl.Series, pl.Series]:
    """First instants and ends of the windows of every order that differs between two cases."""
    starts, ends = [], []
    for table in ("offers", "bids", "virtuals"):
        old, new = getattr(before, table), getattr(after, table)
        for one, other in ((old, new), (new, old)):
            moved = one.join(other, on=one.columns, how="anti", nulls_equal=True)
            starts.append(moved["start"])
            ends.append(moved["end"])
    return pl.concat(starts), pl.concat(ends)

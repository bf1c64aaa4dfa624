"""The settlement of a run as a folder: ledger and positions that are appended to, statements and checks that are written anew."""

import re
from pathlib import Path

from tenorgrid.data import store
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.settled import Checks, Closings, Invoices, Ledger, Positions, Statements
from tenorgrid.settlement.ledger import Ledger as Book
from tenorgrid.settlement.settle import Settlement

LONG = ("ledger", "positions")  # Parquet whatever the form of the rest: a million rows as text are slow to read and to write
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def write_settlement(settlement: Settlement, folder: Path, *, form: store.Form = "csv") -> None:
    """Write every table into `folder`, which exists, and each account's statement as `statements/<participant>.csv`.

    Characters that no file name should have become `-`. Hand it the temporary folder of `store.writing`, and the manifest after it.

    Args:
        settlement: what to write.
        folder: where.
        form: of all tables but the ledger and the positions, which are Parquet.

    Raises InputError where two participants would share a file.
    """
    for name, table in settlement.tables().items():
        store.write_table(folder, name, table, form="parquet" if name in LONG else form)
    place = folder / "statements"
    place.mkdir()
    written: dict[str, str] = {}
    for (participant,), lines in settlement.statements.group_by("participant", maintain_order=True):
        name = file_name(str(participant))
        if other := written.get(name):
            raise InputError.of("statements", "participants whose names differ as file names", value=f"{other} and {participant}")
        written[name] = str(participant)
        store.write_table(place, name, lines)


def read_settlement(folder: Path, *, timezone: str) -> Settlement | None:
    """What an earlier run wrote into `folder`, to be handed to `settle` as `before`; None where there is none.

    Args:
        folder: may not exist.
        timezone: of the market.

    Raises InputError where a table is missing or broken, or the ledger does not balance.
    """
    if store.find_table(folder, "ledger") is None:
        return None
    ledger = Book(frame=store.read_table(folder, "ledger", Ledger))
    ledger.check()
    return Settlement(
        positions=store.read_table(folder, "positions", Positions),
        ledger=ledger,
        statements=store.read_table(folder, "statements", Statements),
        invoices=store.read_table(folder, "invoices", Invoices),
        closings=store.read_table(folder, "closings", Closings),
        checks=store.read_table(folder, "checks", Checks),
        timezone=timezone,
    )


def file_name(participant: str) -> str:
    """A participant's name as a file name.

    >>> file_name("operator:solver-residual")
    'operator-solver-residual'
    """
    return _UNSAFE.sub("-", participant)

"""A book of trades that grows by adding: `tg.Book(rows) + tg.AsianCall(...)`."""

import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.store import write_table
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.door import checked, read_checked
from tenorgrid.data.terms.tickets.ticket import Ticket, drafted
from tenorgrid.results import Tables


class Book(Tables):
    """Trades in the order they were added; adding gives another book.

    Args:
        rows: `Trades` or a file of them, a ticket such as `tg.Forward(...)`, several of them, another book, or nothing.

    Names that tickets made of their terms are told apart where the same terms are added twice: `forward-1a2b3c4d`, `forward-1a2b3c4d-2`.

    Raises `InputError` for rows that are no `Trades`, and for two trades of one name that was given.

    >>> from tenorgrid.data.terms.tickets.linear import Forward
    >>> one = Forward(index="X", contract="2027-05", strike=2.5, quantity=100.0)
    >>> book = Book(one) + one + Forward(index="X", contract="2027-06", strike=2.5, lots=-40)
    >>> len(book), book.trades["quantity"].to_list(), book.trades["side"].to_list()
    (3, [100.0, 100.0, 40.0], ['buy', 'buy', 'sell'])
    """

    trades: pl.DataFrame

    def __init__(self, rows: "pl.DataFrame | Path | str | Ticket | Book | Iterable[Ticket] | None" = None) -> None:
        self.trades = checked(_table(rows), Trades, name="trades")

    def __add__(self, other: "pl.DataFrame | Path | str | Ticket | Book | Iterable[Ticket]") -> "Book":
        mine, more = self.trades, _table(other)
        if isinstance(other, pl.DataFrame | Path | str):
            more = checked(more, Trades, name="trades")
        else:
            more = _told_apart(more, set(mine["trade_id"]))
        return Book(pl.concat(rows.with_columns(pl.col(pl.Enum).cast(pl.String)) for rows in (mine, more)))

    def __len__(self) -> int:
        return self.trades.height

    def __repr__(self) -> str:
        kinds = self.trades.group_by("kind", maintain_order=True).len()
        return f"Book({', '.join(f'{count} {kind}' for kind, count in kinds.iter_rows()) or 'no trades'})"

    def save(self, path: Path | str) -> Path:
        """Write the trades as CSV or Parquet, by the suffix of the path, as `tenorgrid price` and `tg.Book(path)` read them.

        Raises `InputError` for another suffix.
        """
        place = Path(path)
        if place.suffix not in (".csv", ".parquet"):
            raise InputError.of("book", "a file that ends in .csv or .parquet", value=place.name)
        return write_table(place.parent, place.stem, self.trades, form="parquet" if place.suffix == ".parquet" else "csv")

    def tables(self) -> dict[str, pl.DataFrame]:
        """The trades, by the name of their table."""
        return {"trades": self.trades}


def trades_of(book: pl.DataFrame | Book | Ticket) -> pl.DataFrame:
    """`Trades` of a book, of a ticket, or themselves."""
    return book if isinstance(book, pl.DataFrame) else Book(book).trades


def _table(rows: "pl.DataFrame | Path | str | Ticket | Book | Iterable[Ticket] | None") -> pl.DataFrame:
    if isinstance(rows, pl.DataFrame):
        return rows
    if isinstance(rows, Path | str):
        found, faults = read_checked(Path(rows), Trades)
        if faults:
            raise InputError(faults)
        return found
    if isinstance(rows, Book):
        return rows.trades
    tickets = [] if rows is None else [rows] if isinstance(rows, Ticket) else list(rows)
    if strange := [type(one).__name__ for one in tickets if not isinstance(one, Ticket)]:
        raise InputError.of("book", "trades, tickets such as tg.Forward(...), or a book", value=", ".join(strange))
    return _told_apart(drafted(tickets), set())


def _told_apart(trades: pl.DataFrame, taken: set[str]) -> pl.DataFrame:
    """The names of trades, numbered where they were made of the same terms and stand already."""
    names = []
    for name, kind in trades.select("trade_id", pl.col("kind").cast(pl.String)).iter_rows():
        made, number, one = re.fullmatch(rf"({re.escape(kind)}-[0-9a-f]{{8}})(-\d+)?", name), 1, name
        while made and one in taken:
            number += 1
            one = f"{made[1]}-{number}"
        taken.add(one)
        names.append(one)
    return trades.with_columns(pl.Series("trade_id", names, dtype=pl.String))

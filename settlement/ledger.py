"""The ledger: append-only postings that sum to zero, each named after its event, so that the same event posts once."""

from dataclasses import dataclass, field

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.settled import Ledger as Postings

BALANCE = ("charge_code", "interval", "version")
CONTENT = ("event_id", "account", "charge_code", "interval", "amount", "version", "effective_at")
LARGEST_SUM = 2.0**62


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Postings in the order in which they were appended (`tenorgrid.data.tables.settled.Ledger`).

    Nothing is ever taken out or changed: `append` gives a new ledger that begins with this one.
    """

    frame: pl.DataFrame = field(default_factory=Postings.create_empty)

    def append(self, postings: pl.DataFrame) -> "Ledger":
        """This ledger and those of the postings that it does not hold yet.

        A posting it holds already is passed over, whenever it was recorded; so is what a second run of the same events gives.

        Args:
            postings: rows of the table.

        Raises InputError, and appends nothing, where a posting has the name of another with other content, an event that has posted
        gets a further posting, or the new postings of a charge code, interval and version do not sum to zero.
        """
        rows = checked(postings, Postings, name="ledger")
        if self.frame.is_empty():
            new = rows
        else:
            held = self.frame.join(rows.select("posting_id"), on="posting_id", how="semi")
            _refuse_changed(rows, held)
            new = rows.join(held.select("posting_id"), on="posting_id", how="anti", maintain_order="left")
            self._refuse_further(new)
        refuse_unbalanced(new)
        return Ledger(frame=pl.concat([self.frame, new]))

    def check(self) -> None:
        """Raises InputError where the postings of a charge code, interval and version do not sum to zero, or are no rows of the table."""
        refuse_unbalanced(checked(self.frame, Postings, name="ledger"))

    def _refuse_further(self, new: pl.DataFrame) -> None:
        again = self.frame.select("event_id").join(new.select("event_id"), on="event_id", how="semi")["event_id"].unique().sort()
        if not again.is_empty():
            raise InputError(
                Fault(file="ledger", column="event_id", value=event, expected="no further posting of an event that has posted")
                for event in again
            )


def balances(postings: pl.DataFrame) -> pl.DataFrame:
    """charge_code, interval, version, postings and the sum of their amounts, in micro-dollars.

    Raises InputError where the amounts are so large that their sum could pass 2^63.
    """
    size = postings["amount"].cast(pl.Float64).abs().sum()
    if size > LARGEST_SUM:
        raise InputError.of("ledger", "less than 2^62 micro-dollars in all", column="amount", value=size)
    return postings.group_by(BALANCE).agg(pl.len().alias("postings"), pl.col("amount").sum()).sort(BALANCE)


def refuse_unbalanced(postings: pl.DataFrame) -> None:
    """Raises InputError naming every charge code, interval and version whose postings do not sum to zero.

    >>> refuse_unbalanced(Postings.create_empty())
    """
    open_ = balances(postings).filter(pl.col("amount") != 0)
    if not open_.is_empty():
        raise InputError(
            Fault(file="ledger", column="amount", value=f"{row['amount']} micro-dollars over {row['postings']} postings",
                  expected=f"a sum of 0 for {row['charge_code']}, {row['interval']:%Y-%m-%dT%H:%MZ}, {row['version']}")
            for row in open_.iter_rows(named=True)
        )  # fmt: skip


def _refuse_changed(rows: pl.DataFrame, held: pl.DataFrame) -> None:
    both = rows.join(held, on="posting_id", suffix="_before")
    changed = both.filter(~pl.all_horizontal(pl.col(name) == pl.col(f"{name}_before") for name in CONTENT))
    if not changed.is_empty():
        raise InputError(
            Fault(file="ledger", column="posting_id", value=f"{row['posting_id']} of {row['amount']} to {row['account']}",
                  expected=f"what was posted under this name before: {row['amount_before']} to {row['account_before']}")
            for row in changed.sort("posting_id").iter_rows(named=True)
        )  # fmt: skip

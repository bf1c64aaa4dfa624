"""Terms of rights on capacity that bind one another: a least above a most, more used than there is."""

from collections.abc import Iterator

import polars as pl

from tenorgrid.data.errors import Fault
from tenorgrid.data.kinds.contract import TradeKind

FILE = "trades"
Rule = tuple[pl.Expr, str, str]  # what is wrong, the column that says it, what was expected
COLUMN = pl.col
RULES: dict[TradeKind, tuple[Rule, ...]] = {
    TradeKind.TAKE_OR_PAY: (
        (COLUMN("minimum") > COLUMN("maximum"), "params", "a minimum not above the maximum"),
        (COLUMN("taken") > COLUMN("maximum"), "params", "no more taken than the maximum"),
    ),
    TradeKind.SWING: (
        (COLUMN("minimum") > COLUMN("rights"), "params", "a minimum not above the rights"),
        (COLUMN("used") > COLUMN("rights"), "params", "no more used than there are rights"),
        (COLUMN("before") > COLUMN("most"), "params", "before, the lots of the step before, not above the most"),
    ),
    TradeKind.RELIABILITY: (
        (COLUMN("strike") <= 0, "strike", "a strike above 0"),
        (COLUMN("paid") > COLUMN("stop_loss"), "params", "no more paid than the stop-loss"),
    ),
    TradeKind.TOLLING: (
        (COLUMN("index") == COLUMN("index2"), "index2", "another index than that of the output"),
        (COLUMN("profile").cast(pl.String) != "base", "profile", "base or nothing: runs and rests last over all hours"),
    ),
    TradeKind.LEASE: (
        (COLUMN("concentration").is_not_null() & ~COLUMN("availability").is_between(0, 1, closed="none"), "params",
         "an availability in (0, 1) beside a concentration"),
    ),
    TradeKind.PREEMPTION: (
        (COLUMN("interruption") >= 1, "params", "an interruption below 1"),
        (pl.coalesce("availability", (1 - COLUMN("interruption")) * COLUMN("overcommit")) >= 1, "params",
         "an availability, or (1 − interruption) × overcommit where it is not given, below 1"),
    ),
    TradeKind.GENERATION_SWITCH: ((COLUMN("index") == COLUMN("index2"), "index2", "the index of another generation"),),
}  # fmt: skip


def unfit(rows: pl.DataFrame, kind: TradeKind) -> Iterator[Fault]:
    """Faults of rows whose terms contradict one another; `rows` have the parameters of their kind as columns."""
    for wrong, column, expected in RULES.get(kind, ()):
        if set(wrong.meta.root_names()) <= set(rows.columns):
            for number, value in rows.filter(wrong).select("number", pl.col(column).cast(pl.String)).iter_rows():
                yield Fault(file=FILE, row=number, column=column, value="nothing" if value is None else value, expected=expected)

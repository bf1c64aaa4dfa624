"""Faults of rows: which rows of a table break a rule, told one by one."""

from collections.abc import Iterator

import polars as pl

from tenorgrid.data.errors import Fault

TIMES = frozenset({"start", "end"})


def faulty_rows(
    frame: pl.DataFrame, wrong: pl.Expr, *, file: str, column: str, expected: str, value: pl.Expr | None = None
) -> Iterator[Fault]:
    """A fault for each row where `wrong` is true; null is not wrong, as cells that could not be read are null and told of elsewhere.

    Args:
        frame: the table. wrong: over its rows. file: what the table is called. column: whose cell is at fault. expected: the rule.
        value: what is shown as found; the cell if None.

    >>> table = pl.DataFrame({"step": [1, -2, None]})
    >>> found = faulty_rows(table, pl.col("step") < 0, file="a.csv", column="step", expected="no less than 0")
    >>> [str(fault) for fault in found]
    ['a.csv row 2, column step: found -2, expected no less than 0']
    """
    mask = frame.select(wrong.fill_null(False).alias("wrong")).to_series()
    if not mask.any():
        return
    shown = (pl.col(column) if value is None else value).cast(pl.String).alias("value")
    found = frame.with_row_index("row", offset=1).filter(mask).select("row", shown)
    for row, text in found.iter_rows():
        yield Fault(file=file, row=row, column=column, value=text, expected=expected)


def labelled(column: str, *, by: str) -> pl.Expr:
    """A cell together with whose it is, as it is shown in a fault: `2 (offer_id o)`.

    >>> pl.DataFrame({"id": ["o"], "n": [2]}).select(labelled("n", by="id")).item()
    '2 (id o)'
    """
    shown = pl.col(column).dt.to_string("%Y-%m-%dT%H:%M:%SZ") if column in TIMES else pl.col(column).cast(pl.String)
    return pl.format("{} ({} {})", shown.fill_null("nothing"), pl.lit(by), pl.col(by).fill_null("nothing"))

"""Frames as HTML tables: units in the head, numbers to the right in figures of one width."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import polars as pl

LONG = 40  # letters above which a cell breaks its line
WIDE = 22  # letters above which a cell at the beginning of a row breaks its line on a phone
TALL = 40  # rows above which a table scrolls by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: where it is read from, what its head says, and how its numbers are written.

    `form` is a format specification of Python, for example `,.2f`; None is text.
    """

    name: str
    head: str
    unit: str = ""
    form: str | None = None


def table(frame: pl.DataFrame, columns: Sequence[Column], *, name: str) -> str:
    """`frame` as an HTML table with the id `name`, in the frame's own order.

    >>> frame = pl.DataFrame({"index": ["A"], "value": [-1234.5]})
    >>> shown = table(frame, [Column(name="index", head="Index"), Column(name="value", head="Value", unit="USD", form=",.2f")], name="t")
    >>> "−1,234.50" in shown and "USD" in shown
    True
    """
    heads = "".join(_head(column) for column in columns)
    rows = "\n".join(
        f"<tr>{''.join(_cell(value, column) for value, column in zip(row, columns, strict=True))}</tr>"
        for row in frame.select(c.name for c in columns).iter_rows()
    )
    tall = " tall" if frame.height > TALL else ""
    return (
        f'<div class="scroll{tall}"><table id="{html.escape(name)}"><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'
    )


def number(value: float | int | Decimal | None, form: str) -> str:
    """A number as the report writes it: a true minus sign, a dash where there is none, and no negative zero.

    >>> number(-0.001, ",.2f"), number(None, ",.2f"), number(-3, ",d")
    ('0.00', '–', '−3')
    """
    if value is None:
        return "–"
    text = format(value, form)
    if text.startswith("-"):
        text = text[1:] if not any(digit in text for digit in "123456789") else f"−{text[1:]}"
    return text.replace("e-", "e−")


def local(names: Sequence[str], timezone: str) -> list[pl.Expr]:
    """The moments of columns `names` on the clock of `timezone`; a midnight is shown as its day alone."""
    return [pl.col(name).dt.convert_time_zone(timezone).dt.replace_time_zone(None) for name in names]


def earliest(moments: pl.Series) -> str:
    """The first of some moments, or days, as text; a dash where there is none."""
    return _text(moments.min())


def latest(moments: pl.Series) -> str:
    """The last of some moments, or days, as text; a dash where there is none.

    >>> latest(pl.Series([datetime(2027, 3, 16, 4), datetime(2027, 3, 15)]))
    '2027-03-16 04:00'
    """
    return _text(moments.max())


def _head(column: Column) -> str:
    unit = f'<span class="unit">{html.escape(column.unit)}</span>' if column.unit else ""
    return f"<th{'' if column.form is None else ' class=num'}>{html.escape(column.head)}{unit}</th>"


def _cell(value: object, column: Column) -> str:
    if column.form is not None and (value is None or isinstance(value, int | float | Decimal)):
        return f"<td class=num>{html.escape(number(value, column.form))}</td>"
    text = _text(value)
    size = " class=long" if len(text) > LONG else " class=wide" if len(text) > WIDE else ""
    return f"<td{size}>{html.escape(text)}</td>"


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.hour == value.minute == 0 else f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)

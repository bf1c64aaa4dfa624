"""Cells as text, and what they mean: one strict reading for each type of column, and the sentence that says what was expected."""

from collections.abc import Callable

import dataframely as dy
import polars as pl

TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|\+00:00)$"
DAY = r"^\d{4}-\d{2}-\d{2}$"
UTC_TIME = pl.Datetime("us", "UTC")


def typed(raw: pl.Series, column: dy.Column) -> pl.Series:
    """Text as the column's type; null where it cannot be read so. Empty text is null.

    >>> typed(pl.Series(["2", "two", None]), dy.Float64()).to_list()
    [2.0, None, None]
    """
    text = raw.replace("", None)
    kind = column.dtype
    if isinstance(kind, pl.Datetime):
        return _distinct(text, _times, UTC_TIME)
    if isinstance(kind, pl.Date):
        return _distinct(text, _days, pl.Date)
    if isinstance(kind, pl.Decimal):
        return _amounts(text, kind)
    if isinstance(kind, pl.Boolean):
        return text.replace_strict(["true", "false"], [True, False], default=None, return_dtype=pl.Boolean)
    if kind.is_float():
        number = text.cast(kind, strict=False)
        return number.set(~number.is_finite(), None)
    return text.cast(kind, strict=False)


def expected(column: dy.Column) -> str:
    """What a cell of this column must be, in words.

    >>> expected(dy.Int64(min=1))
    'a whole number of at least 1'
    """
    words = _kind_words(column)
    bounds = [
        f"{sentence} {limit:g}"
        for name, sentence in (("min", "of at least"), ("min_exclusive", "above"), ("max", "of at most"), ("max_exclusive", "below"))
        if isinstance(limit := getattr(column, name, None), int | float)
    ]
    return " ".join([words, " and ".join(bounds)]).strip() + (", or nothing" if column.nullable else "")


def guessed(raw: pl.Series) -> pl.Series:
    """An attribute column, which no schema types: numbers or true/false where every cell is one, else text."""
    text = raw.replace("", None)
    if text.null_count() == len(text):
        return text
    lower = text.str.to_lowercase()
    if lower.drop_nulls().is_in(["true", "false"]).all():
        return (lower == "true").alias(raw.name)
    number = text.cast(pl.Float64, strict=False)
    return number if number.null_count() == text.null_count() and bool(number.drop_nulls().is_finite().all()) else text


def _kind_words(column: dy.Column) -> str:
    kind = column.dtype
    if isinstance(kind, pl.Enum):
        return f"one of {', '.join(kind.categories)}"
    if isinstance(kind, pl.Datetime):
        return "a UTC time like 2027-01-01T05:00:00Z"
    if isinstance(kind, pl.Date):
        return "a date like 2027-01-01"
    if isinstance(kind, pl.Decimal):
        return f"an amount with at most {kind.scale} decimals"
    if isinstance(kind, pl.Boolean):
        return "true or false"
    if kind.is_integer():
        return "a whole number"
    return "a number" if kind.is_float() else "text"


def _distinct(text: pl.Series, read: Callable[[pl.Series], pl.Series], kind: pl.DataType | type[pl.DataType]) -> pl.Series:
    """Each different text is read once: most tables repeat their times thousands of times."""
    different = text.drop_nulls().unique()
    if different.is_empty():
        return pl.Series(text.name, [None] * len(text), dtype=kind)
    return text.replace_strict(different, read(different), default=None, return_dtype=kind)


def _times(text: pl.Series) -> pl.Series:
    strict = text.set(~text.str.contains(TIME), None)
    plain = strict.str.replace(r"(Z|\+00:00)$", "").str.replace(r"(T\d{2}:\d{2})$", "${1}:00")
    return plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us").dt.replace_time_zone("UTC")


def _days(text: pl.Series) -> pl.Series:
    return text.set(~text.str.contains(DAY), None).str.to_date("%Y-%m-%d", strict=False)


def _amounts(text: pl.Series, kind: pl.Decimal) -> pl.Series:
    """A cast would round what has too many decimals without a word, so the digits are counted first."""
    scale = kind.scale
    whole = (kind.precision or 38) - scale
    decimals = rf"(\.\d{{1,{scale}}})?" if scale else ""
    return text.set(~text.str.contains(rf"^-?\d{{1,{whole}}}{decimals}$"), None).cast(kind, strict=False)

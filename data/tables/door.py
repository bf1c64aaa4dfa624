"""The one door through which rows enter: files and frames, checked against a declared schema, every fault told.

Text is read as text with its row number, so that a cell that does not fit its column is named and never turned into a null. Typed
columns, as Parquet has them, are taken as they are where the type fits.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.cells import UTC_TIME, expected, guessed, typed

NOTHING = "nothing"


def read_checked(path: Path, schema: type[dy.Schema], *, attributes: bool = False, empty: bool = True) -> tuple[pl.DataFrame, list[Fault]]:
    """Rows of a CSV (`.csv`, `.csv.gz`) or Parquet file, and every fault that they have.

    Args:
        path: the file; faults name it without its folder.
        schema: what the rows must be. A column that may be null may be absent.
        attributes: whether columns that the schema does not list are kept, after its own; else each is a fault.
        empty: whether a file with a header and no row will do.

    Returns the frame, in the schema's column order, and the faults. The frame is sound only where there are no faults; columns
    that are missing or could not be read are null in it.
    """
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except pl.exceptions.NoDataError:
        return schema.create_empty(), [Fault(file=path.name, expected="a header with the table's columns", value="an empty file")]
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        form = "Parquet" if path.suffix == ".parquet" else "CSV in UTF-8 with as many cells in a row as in the header"
        return schema.create_empty(), [Fault(file=path.name, expected=form, value=(str(error).splitlines() or [type(error).__name__])[0])]
    faults = []
    if frame.is_empty() and not empty:
        faults.append(Fault(file=path.name, expected="at least one row"))
    found, more = inspect(frame, schema, name=path.name, attributes=attributes)
    text = [column for column in found.columns if column not in schema.columns() and path.suffix != ".parquet"]
    return found.with_columns(guessed(found[column]) for column in text), faults + more


def checked(frame: pl.DataFrame, schema: type[dy.Schema], *, name: str, attributes: bool = False) -> pl.DataFrame:
    """A frame that comes from Python, checked like a file called `name`; its columns in the schema's order.

    Raises `InputError` with every fault.

    >>> from tenorgrid.data.tables.case import Locations
    >>> checked(pl.DataFrame({"location": ["us-east"], "region": ["us"]}), Locations, name="locations").columns
    ['location', 'region', 'provider']
    """
    found, faults = inspect(frame, schema, name=name, attributes=attributes)
    if faults:
        raise InputError(faults)
    return found


def inspect(frame: pl.DataFrame, schema: type[dy.Schema], *, name: str, attributes: bool = False) -> tuple[pl.DataFrame, list[Fault]]:
    """`read_checked` for rows that are read already: text columns are read strictly, typed ones must fit."""
    columns = schema.columns()
    faults = list(_column_faults(frame, columns, name, attributes=attributes))
    absent = {column for column, declared in columns.items() if column not in frame.columns and not declared.nullable}
    series: list[pl.Series] = []
    unread: dict[str, pl.Series] = {}
    for column, declared in columns.items():
        if column not in frame.columns:
            series.append(pl.Series(column, [None], dtype=declared.dtype).new_from_index(0, frame.height))
            continue
        raw = frame[column]
        value = _fitted(raw, declared)
        if value is None:
            faults.append(Fault(file=name, column=column, expected=expected(declared), value=f"a column of {raw.dtype}"))
            absent.add(column)
            series.append(pl.Series(column, [None], dtype=declared.dtype).new_from_index(0, frame.height))
            continue
        bad = _lost(raw, value)
        if bad.any():
            unread[column] = bad
            faults += _cell_faults(raw, bad, name, declared)
        series.append(value)
    whole = pl.DataFrame(series)
    if not (absent or unread) and schema.is_valid(whole):
        return _with_attributes(whole, frame, attributes=attributes), faults
    faults += _rule_faults(whole, schema, name, absent=absent, unread=unread)
    order = {column: place for place, column in enumerate(columns)}
    faults.sort(key=lambda fault: (fault.row or 0, order.get(fault.column or "", len(order))))
    return _with_attributes(whole, frame, attributes=attributes), faults


def _column_faults(frame: pl.DataFrame, columns: dict[str, dy.Column], name: str, *, attributes: bool) -> Iterator[Fault]:
    for column in frame.columns:
        first, mark, _ = column.partition("_duplicated_")
        if mark and first in frame.columns:
            yield Fault(file=name, column=first, expected="each column once", value="the column twice")
        elif column not in columns and not attributes:
            yield Fault(file=name, column=column, expected=f"only the columns {', '.join(columns)}", value="an unlisted column")
    for column, declared in columns.items():
        if column not in frame.columns and not declared.nullable:
            yield Fault(file=name, column=column, expected=f"this column: {declared.description or column}", value="a missing column")


def _fitted(raw: pl.Series, declared: dy.Column) -> pl.Series | None:
    """The column in its declared type, or None where the types have nothing to do with one another."""
    kind = declared.dtype
    if raw.dtype == kind and not kind.is_float():
        return raw
    if raw.dtype == pl.Null:
        return raw.cast(kind)
    if raw.dtype == pl.String:
        return typed(raw, declared)
    if isinstance(kind, pl.Datetime):
        return raw.dt.convert_time_zone("UTC").cast(UTC_TIME) if isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone else None
    if isinstance(kind, pl.Enum | pl.String):
        return raw.cast(pl.String).cast(kind, strict=False) if isinstance(raw.dtype, pl.Enum | pl.Categorical) else None
    if kind.is_float() and raw.dtype.is_numeric():
        number = raw.cast(kind, strict=False)
        return number if number.is_finite().all() else number.set(~number.is_finite(), None)
    if kind.is_integer() and raw.dtype.is_numeric():
        number = raw.cast(kind, strict=False)
        return number.set(number.cast(raw.dtype, strict=False) != raw, None)  # 2.5 is not a whole number
    if isinstance(kind, pl.Decimal) and (raw.dtype.is_integer() or raw.dtype.is_decimal()):
        return typed(raw.cast(pl.String), declared)
    return None


def _lost(raw: pl.Series, value: pl.Series) -> pl.Series:
    """Which cells held something that the column's type has no place for."""
    if value.null_count() == raw.null_count():
        return pl.Series([False]).new_from_index(0, len(raw))
    there = raw.is_not_null() & (raw != "") if raw.dtype == pl.String else raw.is_not_null()
    return there & value.is_null()


def _cell_faults(raw: pl.Series, bad: pl.Series, name: str, declared: dy.Column) -> Iterator[Fault]:
    sentence = expected(declared)
    for row, cell in zip(bad.arg_true(), raw.filter(bad), strict=True):
        yield Fault(file=name, row=row + 1, column=raw.name, value=str(cell), expected=sentence)


def _rule_faults(
    frame: pl.DataFrame, schema: type[dy.Schema], name: str, *, absent: set[str], unread: dict[str, pl.Series]
) -> Iterator[Fault]:
    """Every row that breaks a rule of the schema, but for cells that are known to be unreadable or missing."""
    columns = schema.columns()
    for rule, expression in _rules(schema):
        column, mark, _ = rule.partition("|")
        used = [column] if mark else list(dict.fromkeys(expression.meta.root_names()))  # a rule may read a column twice
        if absent.intersection(used):
            continue
        broken = frame.select(~expression.fill_null(True)).to_series()
        for part in used:
            if part in unread:
                broken &= ~unread[part]
        if not broken.any():
            continue
        rows = [row + 1 for row in broken.arg_true()]
        if mark:
            sentence = expected(columns[column])
            for row, cell in zip(rows, frame[column].filter(broken), strict=True):
                yield Fault(file=name, row=row, column=column, value=_shown(cell), expected=sentence)
        elif rule == "primary_key" or rule.startswith("unique"):
            needed = [part for part in used if not columns[part].nullable]  # a key that is missing is told of as missing
            yield from _repeats(frame, used, name, broken & frame.select(pl.all_horizontal(pl.col(needed).is_not_null())).to_series())
        else:
            sentence = _sentence(schema, rule)
            for row, cells in zip(rows, frame.select(used).filter(broken).iter_rows(), strict=True):
                found = ", ".join(f"{part} {_shown(cell)}" for part, cell in zip(used, cells, strict=True))
                yield Fault(file=name, row=row, column=used[0], value=found, expected=sentence)


def _rules(schema: type[dy.Schema]) -> Iterable[tuple[str, pl.Expr]]:
    return ((name, rule.expr) for name, rule in schema._validation_rules(with_cast=False).items())


def _sentence(schema: type[dy.Schema], rule: str) -> str:
    """A rule's docstring says what it asks for."""
    function = getattr(getattr(schema, rule), "validation_fn", None)
    return (function.__doc__ or rule).strip().rstrip(".")


def _repeats(frame: pl.DataFrame, key: list[str], name: str, broken: pl.Series) -> Iterator[Fault]:
    """Each row, of those that are not alone with their key, whose key an earlier one has."""
    numbered = frame.select(*key, row=pl.int_range(1, pl.len() + 1)).filter(broken)
    repeated = numbered.with_columns(first=pl.col("row").min().over(key)).filter(pl.col("row") > pl.col("first"))
    words = key[0] if len(key) == 1 else f"{', '.join(key[:-1])} and {key[-1]}"
    for found in repeated.iter_rows(named=True):
        value = ", ".join(_shown(found[part]) for part in key)
        sentence = f"one row per {words} (row {found['first']} has the same)"
        yield Fault(file=name, row=found["row"], column=key[0], value=value, expected=sentence)


def _shown(value: object) -> str:
    if value is None:
        return NOTHING
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") and hasattr(value, "hour") else str(value)


def _with_attributes(whole: pl.DataFrame, frame: pl.DataFrame, *, attributes: bool) -> pl.DataFrame:
    if not attributes:
        return whole
    return whole.hstack(frame.drop(whole.columns, strict=False))

"""Persistent history: append-only Delta tables, and files kept under their own hash.

A commit is one file of the table's log that is put in place if its number is free: a writer that is killed leaves nothing that readers
see, and of two writers who saw the same version one is told that it was overtaken. Each commit brings a file; many small ones are put
together into larger ones from time to time, and the small ones stay for who reads a former version.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError, TableNotFoundError

from tenorgrid.data.errors import InputError, TenorgridError
from tenorgrid.data.tables.door import checked

APPEND, COMPACTION = "WRITE", "OPTIMIZE"
COMPACT_AT = 100  # files of a table: reading costs about 0.1 ms a file
LARGE = 4 * 2**20  # bytes of a file that is left alone: of a table of a hundred megabytes not all is written again every hundred commits
EMPTY = -1  # version of a table that nobody has written yet
KEEP_ALL = {"delta.enableExpiredLogCleanup": "false"}  # else a checkpoint may take the log of what is older than a month


class OvertakenError(TenorgridError):
    """Somebody else appended since the table was read: read again, and decide again."""


class HistoryError(TenorgridError):
    """A history that cannot be read: a file of it is missing, cut short or changed."""


def append(folder: Path, name: str, rows: pl.DataFrame, schema: type[dy.Schema], *, seen: int) -> int:
    """Append rows to the table `name` in one commit; returns its version.

    Args:
        folder: the history.
        name: table.
        rows: what `schema` allows.
        schema: of the table.
        seen: version that the caller decided upon, `EMPTY` for none.

    Raises `InputError` for bad rows, `OvertakenError` where the table is no longer at `seen`.
    """
    made = _appended(folder, name, rows, schema, seen=seen)
    if len(_files(folder, name, made)) > COMPACT_AT:
        with suppress(OvertakenError):  # whoever was faster, or the next one, puts them together
            compact(folder, name)
    return made


def _appended(folder: Path, name: str, rows: pl.DataFrame, schema: type[dy.Schema], *, seen: int) -> int:
    sound = checked(rows, schema, name=name)
    plain = sound.with_columns(pl.col(pl.Enum).cast(pl.String))  # Delta has no closed sets
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / name
    try:
        if seen == EMPTY:
            write_deltalake(place, plain, mode="error", configuration=KEEP_ALL)
        else:
            target = DeltaTable(place, version=seen)
            once = CommitProperties(max_commit_retries=0, app_transactions=[Transaction("tenorgrid", seen + 1)])
            wider = set(plain.columns) - {field.name for field in target.schema().fields}  # a table from before a column
            write_deltalake(target, plain, mode="append", schema_mode="merge" if wider else None, commit_properties=once)
    except CommitFailedError as error:
        raise OvertakenError(f"{name} of {folder.name} is past version {seen}: somebody else has published since it was read") from error
    except DeltaError as error:
        if seen == EMPTY and version(folder, name) != EMPTY:
            raise OvertakenError(f"{name} of {folder.name} is past its beginning: somebody else has published") from error
        raise HistoryError(f"{name} of {folder.name} cannot be written: {_first_line(error)}") from error
    return seen + 1


@dataclass(frozen=True, kw_only=True)
class Compaction:
    """What putting small files together did: how many files readers open, before and after, and the version."""

    before: int
    after: int
    version: int


def compact(folder: Path, name: str) -> Compaction:
    """Put small files of a table together in a commit of its own that changes no row; a table of one small file at most is left alone.

    No file is deleted, so every former version can still be read. `append` does this by itself at `COMPACT_AT` files.

    Raises `OvertakenError` where somebody else was faster, `HistoryError` where a file is missing or damaged.
    """
    seen = version(folder, name)
    if seen == EMPTY:
        return Compaction(before=0, after=0, version=EMPTY)
    before = len(_refuse_damaged(folder, name, seen))
    try:
        table = DeltaTable(folder / name, version=seen)
        table.optimize.compact(target_size=LARGE, max_concurrent_tasks=1)
    except CommitFailedError as error:
        raise OvertakenError(f"{name} of {folder.name} is past version {seen}: somebody else has published since it was read") from error
    except DeltaError as error:
        raise HistoryError(f"{name} of {folder.name} cannot be compacted: {_first_line(error)}") from error
    now = version(folder, name)
    return Compaction(before=before, after=len(_files(folder, name, now)), version=now)


def version(folder: Path, name: str) -> int:
    """Version of the table, `EMPTY` where there is none."""
    try:
        return int(DeltaTable(folder / name).version())
    except TableNotFoundError:
        if (folder / name).is_dir() and any((folder / name / "_delta_log").glob("*.json")):
            raise HistoryError(f"{name} of {folder.name} cannot be read: the beginning of its log is missing") from None
        return EMPTY
    except (DeltaError, DeltaProtocolError, OSError, ValueError) as error:
        raise HistoryError(f"{name} of {folder.name} cannot be read: {_first_line(error)}") from error


def table_of(folder: Path, name: str, *, version_of: int | None = None) -> DeltaTable:
    """The Delta table `name` of a folder, at a version. Raises `HistoryError` where there is none or its log cannot be read."""
    try:
        return DeltaTable(folder / name, version=version_of)
    except (DeltaError, DeltaProtocolError, OSError, ValueError) as error:
        raise HistoryError(f"{name} of {folder.name} cannot be read: {_first_line(error)}") from error


def read(
    folder: Path, name: str, schema: type[dy.Schema] | None, *, version_of: int | None = None, where: pl.Expr | None = None
) -> tuple[pl.DataFrame, int]:
    """All rows of a table, checked, and the version that they are of; none at `EMPTY` where there is no table.

    Args:
        folder: the history.
        name: table.
        schema: what its rows must be; None takes them as they are.
        version_of: a version of the table; None is the current one.
        where: only rows of which this holds, whose files alone are opened; None is all.

    Raises `HistoryError` where a file of the table is missing or damaged, `InputError` where rows break the schema.
    """
    found = version(folder, name) if version_of is None else version_of
    if found == EMPTY:
        return pl.DataFrame() if schema is None else schema.create_empty(), EMPTY
    _refuse_damaged(folder, name, found)
    try:
        place = str(folder / name)
        rows = pl.read_delta(place, version=found) if where is None else pl.scan_delta(place, version=found).filter(where).collect()
    except (DeltaError, pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise HistoryError(f"{name} of {folder.name} cannot be read: {_first_line(error)}") from error
    return rows if schema is None else checked(rows, schema, name=name), found


def _files(folder: Path, name: str, found: int) -> list[tuple[str, int]]:
    """Name and size of the files that a version is made of."""
    files = pl.DataFrame(table_of(folder, name, version_of=found).get_add_actions(flatten=True))
    return files.select("path", "size_bytes").sort("path").rows() if files.height else []


def _refuse_damaged(folder: Path, name: str, found: int) -> list[tuple[str, int]]:
    """Files that are missing or have another length than their commit says: readers of Parquet may end the process over them."""
    files = _files(folder, name, found)
    for path, size in files:
        file = folder / name / path
        if not file.is_file():
            raise HistoryError(f"{name} of {folder.name} cannot be read: {path} is missing")
        if file.stat().st_size != size:
            raise HistoryError(f"{name} of {folder.name} cannot be read: {path} has {file.stat().st_size} bytes of the {size} written")
    return files


def foreign_commits(folder: Path, name: str) -> Iterator[str]:
    """Commits of the table's log that neither append nor put files together: a history has none."""
    if version(folder, name) == EMPTY:
        return
    for entry in DeltaTable(folder / name).history():
        mode = str(entry.get("operationParameters", {}).get("mode", ""))
        if entry.get("operation") == COMPACTION:
            continue
        if entry.get("operation") != APPEND or (mode not in ("Append", "ErrorIfExists") and entry["version"] > 0):
            yield f"version {entry['version']} is {entry.get('operation')} {mode}".rstrip()


def keep(folder: Path, content: bytes, *, suffix: str) -> str:
    """Keep content as a file named by its SHA-256, moved in when whole; returns the hash. What is kept already is left alone."""
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{digest}{suffix}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{digest}.{os.getpid()}"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    return digest


def kept(folder: Path, digest: str, *, suffix: str) -> Path:
    """The file that `keep` made. Raises `HistoryError` where it is missing or its content is no longer that of its name."""
    path = folder / f"{digest}{suffix}"
    if not path.is_file():
        raise HistoryError(f"{folder.name}/{path.name} is missing")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        raise HistoryError(f"{folder.name}/{path.name} was changed: its SHA-256 is {found}")
    return path


def refuse_none(folder: Path, name: str) -> None:
    """Raises `InputError` where the folder holds no table of that name."""
    if version(folder, name) == EMPTY:
        raise InputError.of(str(folder), f"a history, a folder with the Delta table {name}")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

"""One run's output: a folder of tables with a manifest, written beside its place and moved in when whole.

A command that fails or is killed leaves the last good output where it was. Tables are CSV or Parquet, or Delta where their former
versions stay; times in CSV are ISO 8601 UTC with a Z, numbers are written with as many digits as it takes to read the same number back.
"""

import ctypes
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, Literal

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import read_checked

Form = Literal["csv", "parquet"]
MANIFEST = "manifest.json"
SUFFIXES = (".csv", ".csv.gz", ".parquet")
DELTA, LOG = ".delta", "_delta_log"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FINE_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.6fZ"
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of <fcntl.h> and <linux/fs.h>
_serial = count()  # tells apart the threads of one process


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, moved into its place when the block ends without an error.

    Only an empty folder or one with a manifest, which some command wrote, is replaced: anything else is refused before the block runs.
    Old and new output change names, in one step where the system can, else the old one is renamed aside first; then it is deleted. An
    exception removes the temporary folder and every parent made for it. What a killed run left is mended on the next use.

    Args:
        folder: where the output shall stand.

    Raises `InputError` where `folder` is a file or holds something that no command wrote.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     with writing(Path(place) / "clear") as temporary:
    ...         _ = write_manifest(temporary, command="clear")
    ...     sorted(path.name for path in (Path(place) / "clear").iterdir())
    ['manifest.json']
    """
    folder = Path(os.path.abspath(folder))  # not resolve(): a link that a user made to their output stays a link to its name
    made = _make_parents(folder)
    _mend(folder)
    _refuse_foreign(folder)
    mark = f"{os.getpid()}-{next(_serial)}"
    temporary, aside = _beside(folder, f"new-{mark}"), _beside(folder, f"old-{mark}")
    temporary.mkdir()
    try:
        yield temporary
        _move_in(temporary, folder, aside)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for parent in reversed(made):
            if not any(parent.iterdir()):
                parent.rmdir()
        raise


def write_table(folder: Path, name: str, frame: pl.DataFrame, *, form: Form = "csv") -> Path:
    """Write `frame` as `folder/name.csv` or `folder/name.parquet`; returns the path.

    Raises `InputError` for a number that is NaN or infinite (an absent number is null), and for a time without a zone.

    >>> from tempfile import TemporaryDirectory
    >>> frame = pl.DataFrame({"start": [datetime(2027, 1, 1, 5, tzinfo=UTC)], "price": [0.1]})
    >>> with TemporaryDirectory() as place:
    ...     print(write_table(Path(place), "prices", frame).read_text())
    start,price
    2027-01-01T05:00:00Z,0.1
    <BLANKLINE>
    """
    _refuse_unwritable(frame, name)
    path = folder / f"{name}.{form}"
    if form == "parquet":
        frame.write_parquet(path)
    else:
        _as_text(frame).write_csv(path)
    return path


def write_version(folder: Path, name: str, frame: pl.DataFrame, *, before: Path | None = None) -> Path:
    """Write `frame` as the Delta table `folder/name.delta`, and beside it as `folder/name.csv` for people; returns the table's path.

    Args:
        folder: of the output, not yet in its place.
        name: table.
        frame: its rows.
        before: the last output, in its place: its table is carried over with all versions, and what differs becomes the next one.

    Raises as `write_table` does, and `HistoryError` where the table in `before` is damaged.
    """
    from tenorgrid.data import versions  # loaded by who needs it: start-up is every command's

    write_table(folder, name, frame)
    versions.write_version(folder, name, frame, before=before)
    return folder / f"{name}{DELTA}"


def find_table(folder: Path, name: str) -> Path | None:
    """The file that holds table `name` in `folder`, whatever its suffix, or its Delta table; None where there is none.

    Raises `InputError` where two files hold it. A file beside a Delta table is the export of that.
    """
    found = [path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]
    if len(found) > 1:
        raise InputError.of(found[0].name, f"one file for the table {name}", value=" and ".join(path.name for path in found))
    delta = folder / f"{name}{DELTA}"
    if (delta / LOG).is_dir():
        return delta
    return found[0] if found else None


def read_table(folder: Path, name: str, schema: type[dy.Schema], *, attributes: bool = False) -> pl.DataFrame:
    """Table `name` of `folder`, CSV, Parquet or Delta, checked against `schema`; its columns in the schema's order.

    Args:
        folder: a folder that some command wrote, or a user did.
        name: the table's name, without suffix.
        schema: what its rows must be.
        attributes: whether columns that the schema does not list are kept, after its own; else they are refused.

    Raises `InputError` with every fault, also where the file is missing, and where the export of a Delta table is not what the table says.
    """
    path = find_table(folder, name)
    if path is None:
        raise InputError.of(f"{name}.csv", f"a file of this name, or {name}.parquet, in the folder {folder.name}")
    if path.suffix == DELTA:
        from tenorgrid.data.versions import read_version

        frame = read_version(folder, name, schema)
        _refuse_other_export(folder, name, frame, schema)
        return frame
    frame, faults = read_checked(path, schema, attributes=attributes)
    if faults:
        raise InputError(faults)
    return frame


def write_manifest(
    folder: Path,
    *,
    command: str,
    inputs: Mapping[str, Path] | None = None,
    as_of: date | None = None,
    seed: int | None = None,
    settings: Mapping[str, object] | None = None,
    written_at: datetime | None = None,
) -> Path:
    """Write `manifest.json`: what was run, on what, by which code. Only `written_at` differs between two runs of the same.

    Args:
        folder: the output folder.
        command: what was run, for example `clear`.
        inputs: what was read; of a file its SHA-256, of a folder that of each file in it. Names are kept, places are not.
        as_of: date or UTC time past which nothing was known.
        seed: of the random numbers.
        settings: everything else that was chosen, as JSON values.
        written_at: moment of writing; None is now.
    """
    content = {
        "command": command,
        "as_of": None if as_of is None else _iso(as_of),
        "seed": seed,
        "settings": dict(settings or {}),
        "inputs": {name: _hashes(path) for name, path in (inputs or {}).items()},
        "code": {"tenorgrid": version("tenorgrid")},
        "written_at": _iso(written_at or datetime.now(UTC).replace(microsecond=0)),
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return path


def write_result(
    folder: Path | str,
    tables: Mapping[str, pl.DataFrame],
    *,
    pages: Mapping[str, str],
    command: str,
    inputs: Mapping[str, Path] | None = None,
    as_of: date | None = None,
    settings: Mapping[str, object] | None = None,
) -> Path:
    """Tables by name, pages by file name and the manifest of a command in a folder, replaced as a whole; the path of its first page."""
    with writing(Path(folder)) as temporary:
        for name, frame in tables.items():
            write_table(temporary, name, frame)
        for file, text in pages.items():
            (temporary / file).write_text(text, encoding="utf-8")
        write_manifest(temporary, command=command, inputs=inputs, as_of=as_of, settings=settings)
    return Path(folder) / next(iter(pages))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an output folder. Raises `InputError` where there is none or it is not JSON."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError.of(MANIFEST, f"a file of this name in the folder {folder.name}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError.of(MANIFEST, "JSON", value=str(error)) from error
    if not isinstance(content, dict):
        raise InputError.of(MANIFEST, "a JSON object", value=type(content).__name__)
    return content


def _refuse_other_export(folder: Path, name: str, frame: pl.DataFrame, schema: type[dy.Schema]) -> None:
    """A file beside a Delta table that says something else: whoever changed it expects it to be read."""
    path = next((path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None)
    if path is None:
        return
    told, faults = read_checked(path, schema)
    if not faults and not told.equals(frame):
        expected = f"the rows of {name}{DELTA}, which it is the export of: nobody reads a change of it"
        columns = frame.columns
        strange = told.with_row_index("row", 1).join(frame, on=columns, how="anti", nulls_equal=True).sort("row")
        faults = [
            Fault(file=path.name, row=row, value="a row that the table has not", expected=expected) for row in strange["row"].to_list()
        ]
        faults = faults or [Fault(file=path.name, value=f"{told.height} rows of {frame.height}", expected=expected)]
    if faults:
        raise InputError(faults)


def _make_parents(folder: Path) -> list[Path]:
    missing = [parent for parent in reversed(folder.parents) if not parent.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _beside(folder: Path, mark: str) -> Path:
    return folder.parent / f".{folder.name}.{mark}"


def _mend(folder: Path) -> None:
    """Finish or undo what runs that are no longer alive had begun."""
    prefix = f".{folder.name}."
    for path in sorted(folder.parent.glob(f"{_escaped(prefix)}*")):
        kind, _, mark = path.name.removeprefix(prefix).partition("-")
        process, _, serial = mark.partition("-")
        if kind not in {"new", "old"} or not process.isdigit() or not serial.isdigit() or _alive(int(process)):
            continue
        if kind == "old" and not folder.exists():
            path.rename(folder)  # killed between the two renames: the last good output goes back
        else:
            shutil.rmtree(path, ignore_errors=True)


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError.of(folder.name, "a folder to write into", value="a file")
    if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise InputError.of(folder.name, f"an empty folder, or one with a {MANIFEST} that may be replaced", value="a folder of other files")


def _move_in(temporary: Path, folder: Path, aside: Path) -> None:
    if not folder.exists():
        temporary.rename(folder)
        return
    if _exchange(temporary, folder):
        temporary.rename(aside)
    else:
        folder.rename(aside)
        try:
            temporary.rename(folder)
        except BaseException:
            aside.rename(folder)
            raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step, where the system can (Linux, renameat2(2)): then there is no moment without an output."""
    if sys.platform != "linux":
        return False
    swap = getattr(ctypes.CDLL(None), "renameat2", None)
    if swap is None:
        return False
    return bool(swap(AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE) == 0)


def _refuse_unwritable(frame: pl.DataFrame, name: str) -> None:
    for column in frame:
        if column.dtype.is_float() and not (column.is_finite().all()):
            raise InputError.of(name, "finite numbers, and null where there is none", column=column.name, value="NaN or infinity")
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone != "UTC":
            raise InputError.of(name, "times in UTC", column=column.name, value=f"times in zone {column.dtype.time_zone}")


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its times as text, for CSV."""
    return frame.with_columns(_time_text(column) for column in frame if column.dtype.base_type() is pl.Datetime)


def _time_text(column: pl.Series) -> pl.Series:
    """Each different time is formatted once: most tables repeat theirs thousands of times."""
    times = column.drop_nulls().unique()
    whole = bool((times.dt.microsecond() == 0).all())
    return column.replace_strict(
        times, times.dt.to_string(TIME_FORMAT if whole else FINE_TIME_FORMAT), default=None, return_dtype=pl.String
    )


def _iso(moment: date) -> str:
    if not isinstance(moment, datetime):
        return moment.isoformat()
    if moment.tzinfo is None:
        raise ValueError(f"a time needs a zone: {moment}")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _hashes(path: Path) -> str | dict[str, str]:
    """Of a file its hash, of a folder that of each file in it; of a Delta table that of its rows: its files bear names drawn at random."""
    if not path.is_dir():
        return _hash(path)
    tables = sorted(log.parent for log in path.rglob(LOG) if log.is_dir())
    if path in tables:
        return _hash_of_rows(path)
    files = (found for found in path.rglob("*") if found.is_file() and found.name != MANIFEST)
    hashes = {found.relative_to(path).as_posix(): _hash(found) for found in files if not any(one in found.parents for one in tables)}
    hashes |= {one.relative_to(path).as_posix(): _hash_of_rows(one) for one in tables}
    return dict(sorted(hashes.items()))


def _hash_of_rows(table: Path) -> str:
    """SHA-256 of a Delta table as it stands: of the CSV that `write_table` makes of it."""
    from tenorgrid.data.versions import rows_of

    return hashlib.sha256(_as_text(rows_of(table)).write_csv().encode()).hexdigest()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

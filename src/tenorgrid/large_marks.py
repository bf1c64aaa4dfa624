"""`tenorgrid mark` of observations that need not fit into memory."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.readers.formats import Format, read_observations, recognise
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.store import write_manifest, write_version, writing
from tenorgrid.indices.entries import Sensitivity
from tenorgrid.indices.streaming.marking import AT_ONCE, mark_stream
from tenorgrid.indices.streaming.source import is_large, opened
from tenorgrid.indices.streaming.written import Written, write_stream


def reads_in_pieces(path: Path, *, reader: str | None) -> bool:
    """Whether a path is read days by days: a folder or pattern of Parquet files, a Delta table, a Parquet file of very many rows.

    Raises `InputError` where a folder is to be read in another layout than our own.
    """
    if not is_large(path, at_once=AT_ONCE):
        return False
    own = (None, Format.OBSERVATIONS)
    if path.is_file():
        return reader in own and (reader is not None or recognise(path) is Format.OBSERVATIONS)
    if reader not in own:
        raise InputError.of("--format", f"{Format.OBSERVATIONS}, the only layout of a folder of files", value=reader)
    return True


def read_whole(path: Path, *, reader: str | None) -> pl.DataFrame:
    """`Observations` of a file, or of all parts of a folder, a pattern or a Delta table, in memory: what a proof is held against."""
    if path.is_file() or not reads_in_pieces(path, reader=reader):
        return read_observations(path, format=reader)
    return observed(opened(path).rows.collect(), name=path.name)


def mark_large(path: Path, out: Path, *, method: str | Path, day: date | None, sensitivity: Sensitivity) -> Written:
    """Write marks with their exclusions and audits into `out`, the same files that a smaller input gives.

    Args:
        path: what `mark_stream` reads.
        out: folder; replaced as a whole when all is made.
        method: name of a shipped methodology or a TOML file.
        day: the only day; None is all.
        sensitivity: of the audits.

    Raises as `mark_stream` does, and `NotPublishedError` where no mark has a value.
    """
    end = None if day is None else day + timedelta(days=1)
    with writing(out) as folder, TemporaryDirectory(prefix="tenorgrid-") as aside:
        folder.mkdir(parents=True, exist_ok=True)
        runs = mark_stream(path, methodology=method, first=day, end=end, sensitivity=sensitivity)
        found = write_stream(runs, folder, aside=Path(aside))
        rule = found.methodology
        if found.marks["value"].is_null().all():
            excluded = found.excluded["rows"].sum()
            raise NotPublishedError(f"no mark has a value: {found.marks.height} withheld, {excluded} observations excluded by {rule.name}")
        write_version(folder, "marks", found.marks, before=out)
        settings = {"methodology": rule.name, "method_hash": rule.hash, "timezone": rule.timezone}
        write_manifest(folder, command="mark", inputs=_inputs(path), settings=settings)
    return found


def _inputs(path: Path) -> Mapping[str, Path]:
    """What was read, by name; of a pattern each file."""
    if path.exists():
        return {path.name: path}
    return {found.name: found for found in sorted(path.parent.glob(path.name))}

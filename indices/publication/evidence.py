"""The evidence pack: prints with audits, rules, inputs and approvals in one file, which recomputes itself anywhere."""

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.history import kept
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.publication import Prints
from tenorgrid.data.wording import counted
from tenorgrid.indices.publication.chain import LINK_COLUMNS, broken_links, changed, head, heads, label
from tenorgrid.indices.publication.history import INPUTS, PARQUET, RULES, TOML, History, in_utc, only
from tenorgrid.indices.publication.rules import beside_hash
from tenorgrid.indices.publication.verification import verify_prints

PRINTS, CHAIN, MANIFEST, SCRIPT = "prints.parquet", "chain.parquet", "manifest.json", "recompute.py"
STAMP = (1980, 1, 1, 0, 0, 0)  # so that equal content is an equal file
APPROVALS = ["publication", "draft_hash", "made_by", "made_at", "approved_by", "approved_at", "judgements", "reason", "rule"]
RECOMPUTE = '''"""Recompute every print of this pack: python recompute.py, where tenorgrid is installed."""

import sys
from pathlib import Path

from tenorgrid.indices.publication.evidence import verify_evidence

found = verify_evidence(Path(__file__).parent)
print(found)
sys.exit(0 if found.confirmed else 1)
'''


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What recomputing a pack showed: `faults` is empty where all `prints` are confirmed. `head` is the last publication's hash."""

    prints: int
    head: str
    faults: tuple[str, ...]

    @property
    def confirmed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def __str__(self) -> str:
        told = f"{counted(self.prints, 'print')} recomputed"
        if self.confirmed:
            return f"{told}, none differs; the chains are whole up to {self.head}"
        return "\n".join([f"{told}, {len(self.faults)} faults", *self.faults])


def evidence(
    history: History,
    path: Path,
    *,
    at: datetime,
    indices: Sequence[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Path:
    """Write a pack as a zip file, put in place when whole; returns its path.

    It holds the chosen prints (Parquet, and CSV to read), their audits, the rules and inputs that they were made of, the approvals, the
    hashes of all prints of the history, the code version, and `recompute.py`.

    Args:
        history: whose prints.
        path: ends in .zip; an earlier pack there is replaced.
        at: moment of making, with its time zone.
        indices: only these; None is all.
        start, end: only periods that begin in [start, end); None is without that bound.

    Raises `InputError` for another file at `path`, `NotPublishedError` for no print, `HistoryError` where an input or rule is gone.
    """
    _refuse_path(path)
    rows = only(history.prints, indices)
    rows = rows if start is None else rows.filter(pl.col("start") >= in_utc(start, name="start"))
    rows = rows if end is None else rows.filter(pl.col("start") < in_utc(end, name="end"))
    if rows.is_empty():
        raise NotPublishedError(f"{history.folder.name} has no print of these days")
    content = _files(history, rows)
    told = {
        "made_at": in_utc(at, name="at").isoformat(),
        "code": {"tenorgrid": version("tenorgrid")},
        "head": head(history.prints),
        "prints": rows.height,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(content.items())},
    }
    content[MANIFEST] = (json.dumps(told, indent=2) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(_zipped(content))
    temporary.replace(path)
    return path


def verify_evidence(pack: Path, *, anchor: str | None = None) -> Evidence:
    """Recompute every print of a pack, a zip file or the folder it was unpacked into.

    Args:
        pack: what `evidence` wrote.
        anchor: hash of a publication that was noted down when it was made; it must be in the chain.

    Raises `InputError` for a file that is no pack.
    """
    if pack.is_dir():
        return _verified(pack, anchor)
    with TemporaryDirectory() as place:
        try:
            with zipfile.ZipFile(pack) as archive:
                archive.extractall(place)
        except (zipfile.BadZipFile, zlib.error, OSError) as error:
            raise InputError.of(str(pack), "an evidence pack, a zip file", value=str(error)) from error
        return _verified(Path(place), anchor)


def _verified(folder: Path, anchor: str | None) -> Evidence:
    told = _manifest(folder)
    last = str(told["head"])
    unlike = _unlike(folder, told["files"])
    if unlike:
        return Evidence(prints=0, head=last, faults=tuple(unlike))
    prints = checked(pl.read_parquet(folder / PRINTS), Prints, name=PRINTS)
    chain = pl.read_parquet(folder / CHAIN)
    faults = [*changed(prints.to_dicts()), *broken_links(chain, anchor=last)]
    if head(chain) != last:
        faults.append(f"the last publication is {head(chain)}, the manifest says {last}")
    if anchor is not None and anchor not in heads(chain):
        faults.append(f"no publication has the hash {anchor}: what was published up to it was changed or taken away")
    alone = prints.join(chain, on=list(LINK_COLUMNS), how="anti")
    faults += [f"{label(row)} is not in the chain" for row in alone.iter_rows(named=True)]
    again = verify_prints(History(folder=folder, prints=prints, version=0), prints)
    return Evidence(prints=prints.height, head=last, faults=(*faults, *map(str, again.differences)))


def _files(history: History, rows: pl.DataFrame) -> dict[str, bytes]:
    ordered = rows.sort("index", "number")
    found = {
        PRINTS: _parquet(ordered),
        CHAIN: _parquet(history.prints.select(LINK_COLUMNS).sort("index", "number")),
        "prints.csv": ordered.drop("audit").write_csv().encode(),
        "audits.jsonl": "".join(f"{audit}\n" for audit in ordered["audit"]).encode(),
        "approvals.csv": rows.select(APPROVALS).unique().sort("publication").write_csv().encode(),
        SCRIPT: RECOMPUTE.encode(),
    }
    beside = {beside_hash(json.loads(audit)) for audit in rows["audit"]}
    for digest in sorted(digest for digest in beside if digest is not None):
        found[f"{RULES}/{digest}{TOML}"] = kept(history.folder / RULES, digest, suffix=TOML).read_bytes()
    for column, place, suffix in (("input_hash", INPUTS, PARQUET), ("method_hash", RULES, TOML)):
        for digest in rows[column].unique().sort():
            found[f"{place}/{digest}{suffix}"] = kept(history.folder / place, digest, suffix=suffix).read_bytes()
    return found | {"README.md": _read_me(history, ordered).encode()}


def _read_me(history: History, rows: pl.DataFrame) -> str:
    names = "\n".join(f"- {index}: {count} prints" for index, count in rows.group_by("index").len().sort("index").iter_rows())
    return f"""# Evidence

{names}

`python recompute.py`, or `tenorgrid publish evidence --verify .`, makes every print again from `inputs/` by `methodologies/`,
holds it against `prints.parquet`, and follows the hashes of all {history.prints.height} prints of the history
(`chain.parquet`) to the last publication:

    {head(history.prints)}

Whoever noted that hash down on the day can tell that nothing was written anew. `approvals.csv` says who made and who approved
each draft, and why failed checks were accepted. Made with tenorgrid {version("tenorgrid")}.
"""


def _zipped(content: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            archive.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def _refuse_path(path: Path) -> None:
    if path.suffix != ".zip":
        raise InputError.of("--out", "the name of a zip file", value=path)
    if path.exists():
        mine = zipfile.is_zipfile(path)
        if mine:
            with zipfile.ZipFile(path) as archive:
                mine = {PRINTS, CHAIN, MANIFEST} <= set(archive.namelist())
        if not mine:
            raise InputError.of("--out", "a new file, or an evidence pack that may be replaced", value=path)


def _manifest(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(found, dict) and isinstance(found["files"], dict) and isinstance(found["head"], str)
    except (OSError, ValueError, KeyError) as error:
        raise InputError.of(MANIFEST, "the manifest of an evidence pack", value=type(error).__name__) from error
    if not sound or not {PRINTS, CHAIN} <= set(found["files"]):
        raise InputError.of(MANIFEST, "the manifest of an evidence pack")
    return dict(found)


def _unlike(folder: Path, files: Mapping[str, str]) -> list[str]:
    found = []
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append(f"{name} was changed: its SHA-256 is not {digest}")
    return found

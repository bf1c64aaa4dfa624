"""The history of prints: what was published, known at any past moment, with the input and the rule that each print was made by."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.history import append, foreign_commits, keep, kept, read, refuse_none
from tenorgrid.data.tables.observed import Fixings, Marks
from tenorgrid.data.tables.publication import MARK_COLUMNS, Prints
from tenorgrid.indices.fixings import fixings
from tenorgrid.indices.publication.chain import broken, head
from tenorgrid.indices.publication.rules import Maker, Terms, beside_hash, maker_of, terms_of

TABLE = "prints"
INPUTS, RULES = "inputs", "methodologies"
PARQUET, TOML = ".parquet", ".toml"


@dataclass(frozen=True, kw_only=True)
class History:
    """What a folder holds of prints at one version of its table: `prints` are `Prints` in the order of publication."""

    folder: Path
    prints: pl.DataFrame
    version: int

    @property
    def head(self) -> str:
        """Hash of the last publication: note it down elsewhere, and nobody can rewrite the history unseen."""
        return head(self.prints)

    def known_at(self, moment: datetime | None = None) -> pl.DataFrame:
        """`Prints` that were published at `moment` or before; None is all. Raises `InputError` for a time without a zone."""
        if moment is None:
            return self.prints
        return self.prints.filter(pl.col("published_at") <= in_utc(moment, name="as-of"))

    def marks(self, moment: datetime | None = None, *, latest: bool = True) -> pl.DataFrame:
        """`Marks` as they were known at `moment`: the latest revision of each, or all of them."""
        rows = self.known_at(moment).select(MARK_COLUMNS).sort("index", "methodology", "start", "revision")
        found = rows.unique(["index", "methodology", "start"], keep="last", maintain_order=True) if latest else rows
        return Marks.cast(found)

    def fixings(self, moment: datetime, *, methodology: str | None = None) -> pl.DataFrame:
        """`Fixings` known at `moment`, each day in the time zone of the rule that its mark was made by.

        Args:
            moment: the cut-off, with its zone.
            methodology: of several of one index, the name of the one to read.

        Raises `InputError` where an index has marks of two methodologies and none is chosen.
        """
        known = self.marks(moment, latest=False)
        known = known if methodology is None else known.filter(pl.col("methodology") == methodology)
        names = known.group_by("methodology").agg(pl.col("method_hash").last()).sort("methodology")
        rival = known.group_by("index").agg(pl.col("methodology").unique().sort()).filter(pl.col("methodology").list.len() > 1)
        if rival.height:
            index, found = rival.sort("index").row(0)
            raise InputError.of("marks", f"the choice of one methodology of {index}", value=" and ".join(found))
        parts = [
            fixings(known.filter(pl.col("methodology") == name), at=moment, methodology=self.methodology(digest))
            for name, digest in names.iter_rows()
        ]
        return Fixings.cast(pl.concat([Fixings.create_empty(), *parts])).sort("index", "date")

    def last(self, index: str, *, before: datetime | None = None, methodology: str | None = None) -> dict[str, object] | None:
        """The latest revision of the last print of an index whose period starts before a moment; None where there is none."""
        rows = self.prints.filter(pl.col("index") == index)
        rows = rows if before is None else rows.filter(pl.col("start") < before)
        rows = rows if methodology is None else rows.filter(pl.col("methodology") == methodology)
        return None if rows.is_empty() else rows.sort("start", "revision").row(-1, named=True)

    def of(self, index: str, start: datetime, *, methodology: str | None = None, revision: int | None = None) -> dict[str, object]:
        """One print, by default its last revision. Raises `NotPublishedError` where there is none, `InputError` for two methodologies."""
        rows = self.prints.filter(pl.col("index") == index, pl.col("start") == start)
        rows = rows if methodology is None else rows.filter(pl.col("methodology") == methodology)
        rows = rows if revision is None else rows.filter(pl.col("revision") == revision)
        if rows.is_empty():
            raise NotPublishedError(f"{index} has no print of the period from {start:%Y-%m-%dT%H:%MZ} in {self.folder.name}")
        names = rows["methodology"].unique().sort().to_list()
        if len(names) > 1:
            raise InputError.of("prints", f"the choice of one methodology of {index}", value=" and ".join(names))
        return rows.sort("revision").row(-1, named=True)

    def observations(self, input_hash: str) -> pl.DataFrame:
        """The observations that a print was made from. Raises `HistoryError` where they are gone or changed."""
        return read_snapshot(kept(self.folder / INPUTS, input_hash, suffix=PARQUET))

    def methodology(self, method_hash: str) -> Terms:
        """The rule that a print was made by. Raises `HistoryError` where it is gone or changed."""
        path = kept(self.folder / RULES, method_hash, suffix=TOML)
        return terms_of(path.read_bytes(), file=path.name)

    def maker(self, row: Mapping[str, Any]) -> Maker:
        """What made a print: its rule, and that of the marks beside it where it says one. Raises `HistoryError` where one is gone."""
        beside = beside_hash(json.loads(row["audit"]))
        kept_beside = None if beside is None else kept(self.folder / RULES, beside, suffix=TOML).read_bytes()
        return maker_of(self.methodology(row["method_hash"]), beside=kept_beside)

    def broken(self, *, anchor: str | None = None) -> tuple[str, ...]:
        """What is wrong with the chains and with the log of the table, a sentence each; empty where all is whole."""
        foreign = [f"{TABLE}: {commit}, and a history is only appended to" for commit in foreign_commits(self.folder, TABLE)]
        return (*foreign, *broken(self.prints, anchor=anchor))

    def appended(self, rows: pl.DataFrame) -> "History":
        """The history with `Prints` at its end, in one commit. Raises `OvertakenError` where somebody else has published since."""
        version = append(self.folder, TABLE, rows, Prints, seen=self.version)
        return History(folder=self.folder, prints=pl.concat([self.prints, rows]), version=version)


def open_history(folder: Path | str, *, new: bool = False) -> History:
    """The history in a folder, as it stands now.

    Args:
        folder: where the Delta table `prints` is, or with `new` will be.
        new: whether a folder without one is an empty history; else it is refused.

    Raises `InputError` for a folder that is no history, `HistoryError` for one that cannot be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     open_history(place, new=True).prints.height
    0
    """
    place = Path(folder)
    if not new:
        refuse_none(place, TABLE)
    prints, version = read(place, TABLE, Prints)
    return History(folder=place, prints=prints.sort("publication", "index", "number"), version=version)


def keep_sources(folder: Path, *, observations: bytes, rules: Sequence[bytes]) -> str:
    """Keep what prints are made from, observations and rules, each under its hash; returns that of the observations."""
    for rule in rules:
        keep(folder / RULES, rule, suffix=TOML)
    return keep(folder / INPUTS, observations, suffix=PARQUET)


def read_snapshot(path: Path) -> pl.DataFrame:
    """Observations of a snapshot. Raises `InputError` where it is no Parquet file."""
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError.of(path.name, "Parquet", value=str(error).splitlines()[0]) from error


def in_utc(moment: datetime, *, name: str) -> datetime:
    """The moment in UTC. Raises `InputError` for one without a zone."""
    if moment.tzinfo is None:
        raise InputError.of("moment", "a time with its zone, such as 2026-03-05T17:00Z", column=name, value=moment)
    return moment.astimezone(UTC)


def only(prints: pl.DataFrame, indices: Sequence[str] | None) -> pl.DataFrame:
    """Prints of some indices; None is all. Raises `NotPublishedError` for an index without a print."""
    for index in indices or ():
        if prints.filter(pl.col("index") == index).is_empty():
            raise NotPublishedError(f"{index} has no print in the history")
    return prints if indices is None else prints.filter(pl.col("index").is_in(list(indices)))

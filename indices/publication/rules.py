"""What makes marks: a methodology from observations, a basket of indices or of workloads from marks; each is a `Maker` to publication."""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeAlias

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks, Observations
from tenorgrid.indices.audit import Verification, compare, held_against
from tenorgrid.indices.baskets.basket import basket_marks
from tenorgrid.indices.baskets.file import load_basket, shipped_baskets
from tenorgrid.indices.baskets.terms import Basket
from tenorgrid.indices.calculation import REVISION, Calculation, calculate
from tenorgrid.indices.entries import CLOCK, Entry, entries, text
from tenorgrid.indices.methodology import Methodology, load, shipped
from tenorgrid.indices.windows import periods
from tenorgrid.indices.workloads.file import load_workloads, shipped_workloads
from tenorgrid.indices.workloads.indices import workload_indices
from tenorgrid.indices.workloads.terms import WorkloadBasket

Terms: TypeAlias = Methodology | Basket | WorkloadBasket
BESIDE = "marks-methodology.toml"
DayOf: TypeAlias = Callable[[datetime, datetime], date]


@dataclass(frozen=True, kw_only=True)
class Made:
    """`Marks`, the audit entry of each in the same order, and the input rows that any of them depends on."""

    marks: pl.DataFrame
    audits: tuple[Entry, ...]
    inputs: pl.DataFrame


class Maker(Protocol):
    """A rule that makes marks from inputs, observations or marks."""

    @property
    def terms(self) -> Terms:
        """The rule itself."""

    @property
    def of_marks(self) -> bool:
        """Whether its inputs are marks; else they are observations."""

    @property
    def daily(self) -> bool:
        """Whether it makes one mark a day."""

    @property
    def timezone(self) -> str:
        """In which its days are."""

    def make(self, inputs: pl.DataFrame, *, first: date, end: date, indices: Sequence[str] | None = None) -> Made:
        """The marks of the days [first, end). Raises `InputError` for inputs that it cannot use."""

    def day_of(self, start: datetime, end: datetime) -> date:
        """The day that a period belongs to."""

    def missing(self, inputs: pl.DataFrame, *, after: datetime, before: datetime) -> int:
        """Periods that begin in [after, before)."""

    def verify(self, audits: Sequence[Entry], inputs: pl.DataFrame) -> Verification:
        """Hold audits against what the inputs give again."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """A methodology, from observations."""

    terms: Methodology
    of_marks: bool = False

    @property
    def daily(self) -> bool:
        """Whether it makes one mark a day."""
        return self.terms.daily

    @property
    def timezone(self) -> str:
        """In which its days are."""
        return self.terms.timezone

    def make(self, inputs: pl.DataFrame, *, first: date, end: date, indices: Sequence[str] | None = None) -> Made:
        """The marks of the days [first, end)."""
        made = calculate(inputs, methodology=self.terms, first=first, end=end, indices=indices)
        return Made(marks=made.marks, audits=tuple(json.loads(text(entry)) for entry in entries(made)), inputs=_used(inputs, made))

    def day_of(self, start: datetime, end: datetime) -> date:
        """The day that a period belongs to."""
        return self.terms.day_of(start)

    def missing(self, inputs: pl.DataFrame, *, after: datetime, before: datetime) -> int:
        """Periods that begin in [after, before)."""
        between = periods(self.terms, first=self.terms.day_of(after), end=self.terms.day_of(before) + timedelta(1))
        return between.filter(pl.col("start") >= after, pl.col("start") < before).height

    def verify(self, audits: Sequence[Entry], inputs: pl.DataFrame) -> Verification:
        """Hold audits against what the inputs give again."""
        return compare(audits, inputs, self.terms)


@dataclass(frozen=True, slots=True)
class Composed:
    """A basket or a basket of workloads, from marks of what it holds, all since its beginning; `marks` is the methodology of those that
    workloads are priced by, and says what their days are."""

    terms: Basket | WorkloadBasket
    marks: Methodology | None
    of_marks: bool = True
    daily: bool = True

    @property
    def timezone(self) -> str:
        """In which its days are."""
        return self.terms.timezone if isinstance(self.terms, Basket) else self._days().timezone

    def make(self, inputs: pl.DataFrame, *, first: date, end: date, indices: Sequence[str] | None = None) -> Made:
        """The marks of the days [first, end)."""
        rows = _upto(self._readable(inputs), self.day_of, end)
        made, audits = self._run(rows, indices)
        days = [self.day_of(*row) for row in made.select("start", "end").iter_rows()]
        marks = made.filter(pl.Series([first <= day < end for day in days], dtype=pl.Boolean))
        if indices is not None:
            marks = marks.filter(pl.col("index").is_in(list(indices)))
        told = {(entry["index"], entry["start"]): entry for entry in map(json.loads, audits)}
        return Made(marks=marks, audits=tuple(_entry(row, told) for row in marks.iter_rows(named=True)), inputs=rows)

    def day_of(self, start: datetime, end: datetime) -> date:
        """The day that a period belongs to."""
        return self.terms.closed_on(end) if isinstance(self.terms, Basket) else self._days().day_of(start)

    def missing(self, inputs: pl.DataFrame, *, after: datetime, before: datetime) -> int:
        """Periods that begin in [after, before)."""
        return int(inputs.filter(pl.col("start") >= after, pl.col("start") < before)["start"].n_unique())

    def verify(self, audits: Sequence[Entry], inputs: pl.DataFrame) -> Verification:
        """Hold audits against what the inputs give again."""
        days = [date.fromisoformat(entry["date"]) for entry in audits]
        again = self.make(inputs, first=min(days), end=max(days) + timedelta(1), indices=sorted({entry["index"] for entry in audits}))
        return held_against(audits, again.audits)

    def _readable(self, inputs: pl.DataFrame) -> pl.DataFrame:
        """The marks that it may read: none of its own, which may stand in the same history."""
        rows = checked(inputs, Marks, name="marks").filter(pl.col("methodology") != self.terms.name)
        if isinstance(self.terms, WorkloadBasket):
            return rows.filter(pl.col("methodology") == self.terms.marks)
        held = [part.index for part in self.terms.constituents]
        return rows if self.terms.selection is not None else rows.filter(pl.col("index").is_in(held))

    def _days(self) -> Methodology:
        if self.marks is None:
            raise InputError.of(self.terms.name, "the methodology of its marks")
        return self.marks

    def _run(self, rows: pl.DataFrame, indices: Sequence[str] | None) -> tuple[pl.DataFrame, list[str]]:
        if isinstance(self.terms, Basket):
            basket = basket_marks(rows, definition=self.terms)
            return basket.marks, basket.audits["audit"].to_list()
        homes, tiers = ({name.rsplit(".", 2)[place] for name in indices or () if name.count(".") > 1} for place in (-2, -1))
        work = workload_indices(rows, self.terms, methodology=self._days(), homes=sorted(homes), tiers=sorted(tiers))
        return work.marks, work.audits["audit"].to_list()


def maker_of(terms: Terms, *, beside: bytes | None = None) -> Maker:
    """The maker of a rule; `beside` is the file of the methodology of a workload basket's marks, None the shipped one."""
    if isinstance(terms, Methodology):
        return Narrow(terms)
    text = beside_of(terms) if beside is None else beside
    marks = None if text is None else terms_of(text, file=BESIDE)
    if marks is not None and not isinstance(marks, Methodology):
        raise InputError.of(BESIDE, "a methodology", value=marks.name)
    return Composed(terms, marks)


def beside_of(terms: Terms) -> bytes | None:
    """The file of the shipped methodology by whose marks a basket of workloads prices; None of other rules, which are whole in one."""
    return text_of(terms.marks) if isinstance(terms, WorkloadBasket) else None


def beside_hash(entry: Entry) -> str | None:
    """SHA-256 of that file, as the audit of a workload mark says it.

    >>> beside_hash({"marks": {"name": "house", "hash": "0"}}), beside_hash({})
    ('0', None)
    """
    found = entry.get("marks", {}).get("hash")
    return None if found is None else str(found)


def text_of(definition: Path | str) -> bytes:
    """The file of a rule, by a shipped name or a path. Raises `InputError` with all that is shipped for a name that is neither."""
    named = str(definition)
    for names, folder in (
        (shipped(), files("tenorgrid.indices") / "methodologies"),
        (shipped_baskets(), files("tenorgrid.indices.baskets") / "definitions"),
        (shipped_workloads(), files("tenorgrid.indices.workloads") / "definitions"),
    ):
        if named in names:
            return (folder / f"{named}.toml").read_bytes()
    path = Path(definition)
    if path.suffix != ".toml" or not path.is_file():
        every = ", ".join([*shipped(), *shipped_baskets(), *shipped_workloads()])
        raise InputError.of("methodology", f"one of {every}, or the path of a TOML file", value=named)
    return path.read_bytes()


def terms_of(content: bytes, *, file: str) -> Terms:
    """The rule that a file says: a basket has a formula, a basket of workloads has workloads.

    Args:
        content: of the file.
        file: what it is called, for refusals.

    Raises `InputError` with every fault; also for a basket that holds baskets, and for workloads by figures of files, as neither is whole
    in one file.

    >>> terms_of(text_of("hopper-us"), file="hopper-us.toml").name
    'hopper-us'
    """
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.of(file, "TOML in UTF-8", value=str(error)) from error
    stem, name = Path(file).name.removesuffix(".toml"), values.get("name")
    if "formula" in values and isinstance(name, str) and name.replace("-", "").isalnum():
        stem = name  # a basket's file bears its name
    with TemporaryDirectory() as place:
        path = Path(place) / f"{stem}.toml"
        path.write_bytes(content)
        if "formula" in values:
            basket = load_basket(path)
            if basket.parts:
                held = ", ".join(sorted(basket.parts))
                raise InputError.of(file, "a basket of indices: one that holds baskets is not published yet", value=f"{name}, of {held}")
            return basket
        if "workloads" in values:
            work = load_workloads(path)
            if strange := [figures.name for figures in work.figures.values() if figures.file is not None]:
                raise InputError.of(file, "figures that come with the package: those of a file are not kept", value=", ".join(strange))
            return work
        return load(path)


def _used(observations: pl.DataFrame, made: Calculation) -> pl.DataFrame:
    """The observations that a calculation depends on, whole rows, in the order of time and name."""
    rows = checked(observations, Observations, name="observations", attributes=True)
    return rows.join(made.rows.select("observation_id").unique(), on="observation_id", how="semi").sort("time", "observation_id")


def _upto(rows: pl.DataFrame, day_of: DayOf, end: date) -> pl.DataFrame:
    """Marks of periods of the days before `end`, in a fixed order."""
    spans = rows.select("start", "end").unique()
    early = spans.filter(pl.Series([day_of(*span) < end for span in spans.iter_rows()], dtype=pl.Boolean))
    return rows.join(early, on=["start", "end"], how="semi").sort("index", "methodology", "start", "revision")


def _entry(row: dict[str, object], told: dict[tuple[str, str], Entry]) -> Entry:
    """The audit of a mark, with what every print says: its period and its revision."""
    start, end = (moment.strftime(CLOCK) for moment in (row["start"], row["end"]) if isinstance(moment, datetime))
    return told[str(row["index"]), start] | {"end": end, "revision": REVISION}

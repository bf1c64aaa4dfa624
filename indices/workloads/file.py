"""A basket of workloads: one TOML file that holds the whole rule, read into frozen terms; unknown keys and nonsense are refused."""

import hashlib
import re
import tomllib
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from tenorgrid.data.benchmarks.cited import cited
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import Rounding
from tenorgrid.data.kinds.work import Architecture, FamilyShares, WorkClass
from tenorgrid.indices.section import Section
from tenorgrid.indices.workloads.terms import NO_LIMIT, PACKAGED, Family, Figures, Home, WorkloadBasket, WorkloadTerm

FOLDER = "definitions"
NAME = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")
MOST_DECIMALS = 12
FIRST = "first"


def shipped_workloads() -> tuple[str, ...]:
    """Names of the baskets of workloads that come with the package.

    >>> shipped_workloads()
    ('house-work',)
    """
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load_workloads(definition: WorkloadBasket | Path | str) -> WorkloadBasket:
    """A shipped basket of workloads by its name, or one from a TOML file; what is loaded already is handed back.

    Raises `InputError` with every fault: an unknown name or key, a value of the wrong type, and what does not fit together.

    >>> basket = load_workloads("house-work")
    >>> [family.index for family in basket.families][:2]
    ['PREFILL', 'DECODE']
    """
    if isinstance(definition, WorkloadBasket):
        return definition
    named = str(definition)
    if named in shipped_workloads():
        return _parsed((_folder() / f"{named}.toml").read_bytes(), f"{named}.toml", folder=None)
    path = Path(definition)
    if path.suffix != ".toml" or not path.is_file():
        raise InputError.of("definition", f"one of {', '.join(shipped_workloads())}, or the path of a TOML file", value=named)
    return _parsed(path.read_bytes(), path.name, folder=path.parent)


def _folder() -> Any:
    return files("tenorgrid.indices.workloads") / FOLDER


def _parsed(content: bytes, file: str, *, folder: Path | None) -> WorkloadBasket:
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.of(file, "TOML in UTF-8", value=str(error)) from error
    faults: list[Fault] = []
    found = _basket(Section(values, path="", file=file, faults=faults), hashlib.sha256(content).hexdigest(), folder)
    if faults:
        raise InputError(faults)
    return found


def _basket(top: Section, digest: str, folder: Path | None) -> WorkloadBasket:
    marks, beside, sources = top.section("marks"), top.section("auxiliary"), top.section("figures")
    homes, places = top.section("homes"), []
    for name in homes.names():
        places.append(_home(homes.section(name), name))
        if not NAME.fullmatch(name):
            homes.fault(name, "capital letters, digits and dashes, such as US-EAST", name)
    known = {name: _figures(sources.section(name), name, folder) for name in sources.names()}
    workloads = tuple(_workload(section, known) for section in top.sections("workloads"))
    families = tuple(_family(section) for section in top.sections("families"))
    found = WorkloadBasket(
        name=top.text("name"),
        hash=digest,
        source=top.text("source"),
        marks=marks.text("methodology"),
        low_confidence=_used(marks, "low_confidence"),
        carried=_used(marks, "carried"),
        leaving_days=marks.whole("leaving_days", least=0),
        decimals=top.whole("decimals", least=0),
        rounding=top.choice("rounding", Rounding),
        auxiliary={name: _price(beside, name) for name in beside.names()},
        figures=known,
        homes=tuple(places),
        workloads=workloads,
        families=families,
    )
    marks.close()
    top.close()
    _refuse_nonsense(found, top)
    return found


def _figures(section: Section, name: str, folder: Path | None) -> Figures:
    shipped = section.text("shipped") if section.has("shipped") else None
    file = section.text("file") if section.has("file") else None
    if (shipped is None) == (file is None):
        section.fault("shipped", "either figures that come with the package, or a file", "both" if shipped else "neither")
    if shipped is not None and shipped not in (PACKAGED, *cited()):
        section.fault("shipped", f"one of {', '.join((PACKAGED, *cited()))}", shipped)
    section.close()
    where = None if file is None else str(Path(file) if folder is None else folder / file)
    return Figures(name=name, shipped=shipped, file=where)


def _home(section: Section, name: str) -> Home:
    return Home(name=name, places={place: _price(section, place) for place in section.names()})


def _workload(section: Section, figures: dict[str, Figures]) -> WorkloadTerm:
    found = WorkloadTerm(
        index=section.text("index"),
        kind=section.choice("class", WorkClass),
        architecture=section.choice("architecture", Architecture),
        figures=section.text("figures"),
        model=section.text("model"),
        limit=section.text("limit"),
        unit=section.text("unit"),
        of=section.text("of"),
        work=section.number("work"),
        weight=section.number("weight"),
        gib=section.number("gib", default=0.0),
    )
    for key, amount in (("work", found.work), ("weight", found.weight)):
        if amount <= 0:
            section.fault(key, "a number above 0", amount)
    if found.gib < 0:
        section.fault("gib", "a number of at least 0", found.gib)
    if found.index and not NAME.fullmatch(found.index):
        section.fault("index", "capital letters, digits and dashes, such as LLAMA-70B-DECODE-20TPS", found.index)
    if found.figures and found.figures not in figures:
        section.fault("figures", f"one of the tables under figures: {', '.join(figures) or 'none'}", found.figures)
    elif found.figures and found.limit and figures[found.figures].shipped == PACKAGED and found.limit != NO_LIMIT:
        section.fault("limit", f"{NO_LIMIT}, as these figures have the limits that they were measured under", found.limit)
    section.close()
    return found


def _family(section: Section) -> Family:
    kind = section.choice("class", WorkClass) if section.has("class") else None
    architecture = section.choice("architecture", Architecture) if section.has("architecture") else None
    shares = section.choice("shares", FamilyShares)
    base = _base(section) if shares is FamilyShares.VALUE else None
    if kind is None and architecture is None:
        section.fault("class", "a class, an architecture, or both", "neither")
    found = Family(index=section.text("index"), kind=kind, architecture=architecture, shares=shares, base=base)
    if found.index and not NAME.fullmatch(found.index):
        section.fault("index", "capital letters, digits and dashes, such as DECODE", found.index)
    section.close()
    return found


def _used(section: Section, key: str) -> bool:
    """Whether marks of such a status are used like others, or count as missing."""
    found = section.text(key)
    if found not in ("use", "missing"):
        section.fault(key, "use or missing", found)
    return found == "use"


def _price(section: Section, key: str) -> float:
    found = section.number(key)
    if not 0 <= found < float("inf"):
        section.fault(key, "a number of at least 0", found)
    return found


def _refuse_nonsense(found: WorkloadBasket, top: Section) -> None:
    """What cannot be marked, or would be marked twice under one name."""
    names = [*(workload.index for workload in found.workloads), *(family.index for family in found.families)]
    if not found.workloads:
        top.fault("workloads", "at least one workload")
    if found.decimals > MOST_DECIMALS:
        top.fault("decimals", f"at most {MOST_DECIMALS}", found.decimals)
    for name in _repeated([name for name in names if name]):
        top.fault("index", "a name of its own for every index", name)
    for number, family in enumerate(found.families, start=1):
        members = found.members(family)
        units = sorted({member.unit for member in members})
        if not members:
            top.fault(f"families[{number}].class", "a class or an architecture that some workload has", family.index)
        if family.shares is FamilyShares.WORK and len(units) > 1:
            expected = f"{FamilyShares.VALUE}, as a price per unit of work needs one unit"
            top.fault(f"families[{number}].shares", expected, f"{FamilyShares.WORK} of {', '.join(units)}")


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _base(section: Section) -> date | None:
    """The day at which shares of value are taken; None is the first that every workload of the family has a mark on."""
    written = section.text("base")
    if written in (FIRST, ""):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        section.fault("base", f"{FIRST}, or a day such as 2027-01-05", written)
        return None

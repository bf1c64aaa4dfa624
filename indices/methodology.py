"""An index methodology: one TOML file that holds the whole rule, read into a frozen specification."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import time, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import Calendar, ObservationKind, Rounding, Terms
from tenorgrid.indices.level_section import read_level
from tenorgrid.indices.normalisation.characteristics import Model, parse
from tenorgrid.indices.section import Section
from tenorgrid.indices.spans import Span
from tenorgrid.indices.specification import Fallback, Methodology, Regions, Restatement

__all__ = ["Methodology", "load", "of_values", "shipped", "values_of"]

FOLDER = "tenorgrid.indices"
MOST_DECIMALS = 12
NEVER = "never"


def shipped() -> tuple[str, ...]:
    """Names of the methodologies that come with the package.

    >>> [name for name in shipped() if name.startswith("ccir")]
    ['ccir-1.1.0', 'ccir-1.1.1']
    """
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load(methodology: Methodology | Path | str) -> Methodology:
    """A shipped methodology by its name, or one from a TOML file; a methodology that is loaded already is handed back.

    Args:
        methodology: a name (`house`), or the path of a file that ends in .toml.

    Raises `InputError` with every fault: an unknown name or key, a value of the wrong type, and combinations that make no sense.

    >>> str(load("ccir-1.1.1").window)
    '7d'
    """
    if isinstance(methodology, Methodology):
        return methodology
    return _parsed(*_content(methodology))


def values_of(methodology: Path | str) -> dict[str, Any]:
    """What the file of a methodology says, key by key, after it was checked as `load` checks it.

    >>> values_of("ccir-1.1.1")["levels"][0]["filters"][0]["at_least"]
    8
    """
    content, file = _content(methodology)
    _parsed(content, file)
    return tomllib.loads(content.decode())


def of_values(values: Mapping[str, Any], *, file: str) -> Methodology:
    """A methodology from the keys that a file would hold, refused as a file is; its hash is that of the keys as JSON.

    >>> of_values(values_of("house"), file="house again").levels == load("house").levels
    True
    """
    return _of_values(values, file, hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest())


def _content(methodology: Path | str) -> tuple[bytes, str]:
    """The bytes of a methodology's file, and what it is called."""
    named = str(methodology)
    if named in shipped():
        return (_folder() / f"{named}.toml").read_bytes(), f"{named}.toml"
    path = Path(methodology)
    if path.suffix != ".toml" or not path.is_file():
        raise InputError.of("methodology", f"one of {', '.join(shipped())}, or the path of a TOML file", value=named)
    return path.read_bytes(), path.name


def _folder() -> Any:
    return files(FOLDER) / "methodologies"


@lru_cache(maxsize=32)
def _parsed(content: bytes, file: str) -> Methodology:
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.of(file, "TOML in UTF-8", value=str(error)) from error
    return _of_values(values, file, hashlib.sha256(content).hexdigest())


def _of_values(values: Mapping[str, Any], file: str, digest: str) -> Methodology:
    faults: list[Fault] = []
    found = _methodology(Section(values, path="", file=file, faults=faults), digest)
    if faults:
        raise InputError(faults)
    return found


def _methodology(top: Section, digest: str) -> Methodology:
    timezone = top.text("timezone")
    if timezone and not _is_zone(timezone):
        top.fault("timezone", "a time zone like America/New_York", timezone)
    every, window = top.span("every"), top.span("window")
    _refuse_spans(top, every, window)
    levels = tuple(read_level(section, window=window, every=every) for section in top.sections("levels"))
    names = [level.name for level in levels]
    if not levels or len(set(names)) < len(names):
        top.fault("levels", "at least one level, and different names", names)
    horizons = top.texts("horizons")
    cleared = any(ObservationKind.CLEARING in level.kinds for level in levels)
    if cleared != bool(horizons):
        top.fault("horizons", "horizons where, and only where, some level takes clearing prices", list(horizons))
    found = Methodology(
        name=top.text("name"),
        hash=digest,
        source=top.text("source"),
        timezone=timezone,
        calendar=top.choice("calendar", Calendar),
        cut_off=_cut_off(top, timezone),
        every=every,
        window=window,
        horizons=horizons,
        decimals=top.whole("decimals", least=0),
        rounding=top.choice("rounding", Rounding),
        regions=_regions(top.section("regions")),
        terms=top.choice("terms", Terms, default=Terms.POOLED),
        levels=levels,
        fallback=_fallback(top.section("fallback")),
        restatement=_restatement(top.section("restatement")),
        normalisation=_normalisation(top) if top.has("normalisation") else None,
    )
    if found.decimals > MOST_DECIMALS:
        top.fault("decimals", f"at most {MOST_DECIMALS} decimals", found.decimals)
    top.close()
    return found


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _refuse_spans(top: Section, every: Span, window: Span) -> None:
    """Marks are daily, or as often as an hour divides into: so they tile the days on which a clock is changed."""
    if every.number != 1 if every.unit in ("d", "h") else timedelta(hours=1) % every.length:
        top.fault("every", "1d, 1h, or minutes that divide an hour", every)
    if window.days and not every.days:
        top.fault("window", "hours or minutes where there is more than one mark a day", window)


def _cut_off(top: Section, timezone: str) -> time | None:
    """`16:00 America/New_York`: a time of day in the methodology's own zone; 24:00 is the end of the day."""
    written = top.text("cut_off")
    match = re.fullmatch(r"(\d\d):(\d\d) (\S+)", written)
    hour, minute = (int(match[1]), int(match[2])) if match else (99, 0)
    if not match or match[3] != timezone or minute > 59 or (hour, minute) > (24, 0) or (hour, minute) == (0, 0):
        top.fault("cut_off", f"a time from 00:01 to 24:00 in the methodology's own zone, like 16:00 {timezone}", written)
        return None
    return None if hour == 24 else time(hour, minute)


def _regions(section: Section) -> Regions:
    everything = section.text("everything") if section.has("everything") else None
    groups = section.section("groups")
    found = Regions(groups={name: groups.texts(name) for name in groups.names()}, everything=everything)
    if everything is not None and found.groups:
        section.fault("everything", "either everything under one name, or groups", everything)
    for name, members in found.groups.items():
        if name != name.upper() or not members:
            section.fault(f"groups.{name}", "a name in upper case and at least one region", list(members))
    section.close()
    return found


def _fallback(section: Section) -> Fallback:
    found = Fallback(
        carry=section.whole("carry", least=0),
        resume=section.whole("resume", least=1, default=1),
        cease_after=section.whole("cease_after", least=1) if section.has("cease_after") else None,
    )
    section.close()
    return found


def _restatement(section: Section) -> Restatement:
    never = section.has("until") and section.text("until") == NEVER
    until = None if never else section.span("until", units=("h", "min")).length
    above = section.share("above", below=1) if section.has("above") else 0.0
    if never and section.has("above"):
        section.fault("above", "no materiality where nothing is ever restated", above)
    section.close()
    return Restatement(until=until, above=above)


def _normalisation(top: Section) -> Model | None:
    """The regression that brings prices to one specification; its days are needed, so that no mark depends on all of history."""
    section = top.section("normalisation")
    if not section.has("days"):
        section.fault("days", "how many days before a mark its regression looks at")
    for key in ("errors", "cluster", "product"):
        if section.has(key):
            section.fault(key, "nothing: within a methodology the regression gives prices alone", key)
    try:
        return parse({name: section.value(name) for name in section.names()})
    except InputError as error:
        for fault in error.faults:
            section.fault(fault.column or "", fault.expected, fault.value)
        return None

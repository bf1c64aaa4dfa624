"""An index methodology: one TOML file that holds the whole rule, read into a frozen specification."""

import hashlib
import re
import tomllib
from datetime import time
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast, get_args
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds import Estimator, MedianTie, ObservationKind, Pooling, Rounding, Weighting
from tenorgrid.indices.section import Section
from tenorgrid.indices.specification import RESERVED, Comparison, Level, Methodology, OutlierScreen, Regions, Requirement, Sufficiency

__all__ = ["Methodology", "load", "shipped"]

FOLDER = "tenorgrid.indices"
BY_QUANTITY = (Estimator.VWAP, Estimator.VOLUME_WEIGHTED_MEDIAN)
MOST_DECIMALS = 12


def shipped() -> tuple[str, ...]:
    """Names of the methodologies that come with the package.

    >>> shipped()
    ('ccir-1.1.1', 'house')
    """
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load(methodology: Methodology | Path | str) -> Methodology:
    """A shipped methodology by its name, or one from a TOML file; a methodology that is loaded already is handed back.

    Args:
        methodology: a name (`house`), or the path of a file that ends in .toml.

    Raises `InputError` with every fault: an unknown name or key, a value of the wrong type, and combinations that make no sense.

    >>> load("ccir-1.1.1").window_days
    7
    """
    if isinstance(methodology, Methodology):
        return methodology
    named = str(methodology)
    if named in shipped():
        return _parsed((_folder() / f"{named}.toml").read_bytes(), f"{named}.toml")
    path = Path(methodology)
    if path.suffix != ".toml" or not path.is_file():
        raise InputError.of("methodology", f"one of {', '.join(shipped())}, or the path of a TOML file", value=named)
    return _parsed(path.read_bytes(), path.name)


def _folder() -> Any:
    return files(FOLDER) / "methodologies"


@lru_cache(maxsize=32)
def _parsed(content: bytes, file: str) -> Methodology:
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.of(file, "TOML in UTF-8", value=str(error)) from error
    faults: list[Fault] = []
    found = _methodology(Section(values, path="", file=file, faults=faults), hashlib.sha256(content).hexdigest())
    if faults:
        raise InputError(faults)
    return found


def _methodology(top: Section, digest: str) -> Methodology:
    timezone = top.text("timezone")
    if timezone and not _is_zone(timezone):
        top.fault("timezone", "a time zone like America/New_York", timezone)
    window_days = top.whole("window_days", least=1)
    levels = tuple(_level(section, window_days) for section in top.sections("levels"))
    names = [level.name for level in levels]
    if not levels or len(set(names)) < len(names):
        top.fault("levels", "at least one level, and different names", names)
    horizons = top.texts("horizons")
    cleared = any(ObservationKind.CLEARING in level.kinds for level in levels)
    if cleared != bool(horizons):
        top.fault("horizons", "horizons where, and only where, some level takes clearing prices", list(horizons))
    fallback = top.section("fallback")
    found = Methodology(
        name=top.text("name"),
        hash=digest,
        source=top.text("source"),
        timezone=timezone,
        cut_off=_cut_off(top, timezone),
        window_days=window_days,
        horizons=horizons,
        decimals=top.whole("decimals", least=0),
        rounding=top.choice("rounding", Rounding),
        regions=_regions(top.section("regions")),
        levels=levels,
        carry_days=fallback.whole("carry_days", least=0),
    )
    if found.decimals > MOST_DECIMALS:
        top.fault("decimals", f"at most {MOST_DECIMALS} decimals", found.decimals)
    fallback.close()
    top.close()
    return found


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


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


def _level(section: Section, window_days: int) -> Level:
    days, outliers = section.section("days"), section.section("outliers")
    kinds = section.texts("kinds")
    least = _sufficiency(section.section("low_confidence"), default=Sufficiency())
    for kind in kinds:
        if kind not in list(ObservationKind):
            section.fault("kinds", f"kinds out of {', '.join(ObservationKind)}", kind)
    if not kinds:
        section.fault("kinds", "at least one kind of observation")
    found = Level(
        name=section.text("name"),
        kinds=tuple(ObservationKind(kind) for kind in kinds if kind in list(ObservationKind)),
        weighting=section.choice("weighting", Weighting),
        pooling=section.choice("pooling", Pooling),
        estimator=section.choice("estimator", Estimator),
        requirements=tuple(_requirement(part) for part in section.sections("require")),
        day_at_least=days.whole("at_least", least=1, default=1),
        outliers=_outliers(outliers) if section.has("outliers") else None,
        trim=section.number("trim") if section.has("trim") else None,
        tie=section.choice("tie", MedianTie) if section.has("tie") else None,
        partitions=section.whole("partitions", least=1, default=1),
        publish=_sufficiency(section.section("publish"), default=least) if section.has("publish") else None,
        low_confidence=least,
    )
    days.close()
    section.close()
    _refuse_impossible(section, found, window_days)
    return found


def _refuse_impossible(section: Section, level: Level, window_days: int) -> None:
    by_quantity = level.estimator in BY_QUANTITY
    if by_quantity != (level.weighting is Weighting.QUANTITY):
        section.fault("weighting", f"{'quantity' if by_quantity else 'equal'} with the estimator {level.estimator}", level.weighting)
    if by_quantity and not any(part.column == "quantity" and part.comparison == "above" and part.limit == 0 for part in level.requirements):
        section.fault("require", f"a quantity above 0 with the estimator {level.estimator}")
    if by_quantity and level.pooling is Pooling.CONTRIBUTOR:
        section.fault("pooling", f"observation with the estimator {level.estimator}", level.pooling)
    if (level.trim is not None) != (level.estimator is Estimator.TRIMMED_MEAN):
        section.fault("trim", "a trim with the estimator trimmed mean, and with no other", level.trim)
    if level.trim is not None and not 0 <= level.trim < 0.5:
        section.fault("trim", "a share of at least 0 and below 0.5", level.trim)
    if (level.tie is not None) != (level.estimator is Estimator.VOLUME_WEIGHTED_MEDIAN):
        section.fault("tie", "a tie with the estimator volume-weighted median, and with no other", level.tie)
    if level.partitions > 1 and not by_quantity:
        section.fault("partitions", "partitions only with an estimator that weighs by quantity", level.partitions)
    least, publish = level.low_confidence, level.publish or level.low_confidence
    for name in ("observations", "contributors", "days"):
        if getattr(publish, name) < getattr(least, name):
            section.fault(f"publish.{name}", "at least what low_confidence asks for", getattr(publish, name))
    if max(publish.days, least.days) > window_days:
        section.fault("publish.days", f"at most the {window_days} days of the window", publish.days)


def _requirement(section: Section) -> Requirement:
    written = [name for name in get_args(Comparison) if section.has(name)]
    column = section.text("column")
    if column in RESERVED:
        section.fault("column", f"a column other than {', '.join(RESERVED)}", column)
    missing = section.text("missing", default="exclude")
    if missing not in ("exclude", "keep"):
        section.fault("missing", "one of exclude, keep", missing)
    for name in get_args(Comparison):
        if name in written:
            limit = section.texts(name) if name == "one_of" else section.number(name)
    if len(written) != 1:
        section.fault("column", f"exactly one of {', '.join(get_args(Comparison))} for {column}", ", ".join(written) or "none")
        written, limit = ["above"], 0.0
    section.close()
    return Requirement(
        column=column, comparison=cast(Comparison, written[0]), limit=limit, missing=cast(Literal["exclude", "keep"], missing)
    )


def _outliers(section: Section) -> OutlierScreen:
    found = OutlierScreen(trim=section.number("trim"), sigmas=section.number("sigmas"), at_least=section.whole("at_least", least=3))
    if not 0 <= found.trim < 0.5:
        section.fault("trim", "a share of at least 0 and below 0.5", found.trim)
    if found.sigmas <= 0:
        section.fault("sigmas", "a number above 0", found.sigmas)
    section.close()
    return found


def _sufficiency(section: Section, *, default: Sufficiency) -> Sufficiency:
    found = Sufficiency(
        observations=section.whole("observations", least=1, default=default.observations),
        contributors=section.whole("contributors", least=1, default=default.contributors),
        days=section.whole("days", least=1, default=default.days),
    )
    section.close()
    return found

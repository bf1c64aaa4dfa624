"""Reading and writing `market.toml`, the terms of one market."""

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import FILE, REAL_TIME, Horizon, Market, Scarcity

KEYS = ("name", "interval", "timezone", "pricing", "price_floor", "price_cap", "voll")
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
MISSING = "a missing key"


def read_market(folder: Path) -> Market:
    """The terms in `folder/market.toml`. Raises `InputError` with every unknown, missing or bad key."""
    path = folder / FILE
    if not path.is_file():
        raise InputError.of(FILE, f"a file of this name in the folder {folder.name}")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # what is not TOML, and what is not UTF-8
        raise InputError.of(FILE, "TOML in UTF-8", value=str(error)) from error
    return market_of(content)


def market_of(content: Mapping[str, Any]) -> Market:
    """The terms that a parsed `market.toml` holds. Raises `InputError` with every unknown, missing or bad key.

    >>> terms = {"name": "one", "interval": "1h", "timezone": "UTC", "pricing": "marginal", "price_floor": 0, "price_cap": 9, "voll": 9}
    >>> market_of(terms).hours
    1.0
    """
    faults: list[Fault] = []
    found = {key: _value(content, key, _READERS[key], faults) for key in KEYS}
    faults += _unknown(content, (*KEYS, "horizons", "scarcity"), "")
    horizons = _horizons(content.get("horizons"), faults)
    scarcity = _scarcity(content.get("scarcity"), faults)
    if faults:
        raise InputError(faults)
    return Market(**found, horizons=horizons, scarcity=scarcity)


def write_market(market: Market, folder: Path) -> Path:
    """Write the terms as `folder/market.toml`, so that `read_market` gives the same terms again."""
    lines = [
        f"name = {json.dumps(market.name, ensure_ascii=False)}",
        f'interval = "{_span_text(market.interval)}"',
        f'timezone = "{market.timezone}"',
        f'pricing = "{market.pricing.value}"',
        f"price_floor = {market.price_floor!r}",
        f"price_cap = {market.price_cap!r}",
        f"voll = {market.voll!r}",
    ]
    for horizon in market.horizons:
        lines += ["", "[[horizons]]", f"name = {json.dumps(horizon.name, ensure_ascii=False)}", f'lead = "{_span_text(horizon.lead)}"']
    if market.scarcity is not None:
        lines += ["", "[scarcity]", *(f"{key} = {getattr(market.scarcity, key)!r}" for key in _SCARCITY_READERS)]
    path = folder / FILE
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _value(content: Mapping[str, Any], key: str, read: Callable[[Any], Any], faults: list[Fault], *, within: str = "") -> Any:
    column, expected = f"{within}{key}", _EXPECTED[read]
    if key not in content:
        faults.append(Fault(file=FILE, column=column, value=MISSING, expected=expected))
        return None
    try:
        return read(content[key])
    except (ValueError, TypeError, KeyError, OSError):  # ZoneInfo raises the last two for a name that is none
        faults.append(Fault(file=FILE, column=column, value=repr(content[key]), expected=expected))
        return None


def _unknown(content: Mapping[str, Any], known: tuple[str, ...], within: str) -> list[Fault]:
    expected = f"only the keys {', '.join(known)}"
    return [Fault(file=FILE, column=f"{within}{key}", value="an unlisted key", expected=expected) for key in content if key not in known]


def _horizons(content: Any, faults: list[Fault]) -> tuple[Horizon, ...]:
    if content is None:
        return (REAL_TIME,)
    if not isinstance(content, list) or not content or not all(isinstance(entry, dict) for entry in content):
        faults.append(Fault(file=FILE, column="horizons", value=repr(content), expected="one [[horizons]] table or more, or none at all"))
        return (REAL_TIME,)
    horizons = []
    for place, entry in enumerate(content, start=1):
        within = f"horizons[{place}]."
        name = _value(entry, "name", _text, faults, within=within)
        lead = _value(entry, "lead", _span, faults, within=within)
        faults += _unknown(entry, ("name", "lead"), within)
        if name is not None and lead is not None:
            horizons.append(Horizon(name=name, lead=lead))
    return tuple(sorted(horizons, key=lambda horizon: -horizon.lead))


def _scarcity(content: Any, faults: list[Fault]) -> Scarcity | None:
    if content is None:
        return None
    if not isinstance(content, dict):
        faults.append(Fault(file=FILE, column="scarcity", value=repr(content), expected="a [scarcity] table"))
        return None
    before = len(faults)
    found = {key: _value(content, key, read, faults, within="scarcity.") for key, read in _SCARCITY_READERS.items()}
    faults += _unknown(content, tuple(_SCARCITY_READERS), "scarcity.")
    if len(faults) > before:
        return None
    try:
        return Scarcity(**found)
    except InputError as error:
        faults += error.faults
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not math.isfinite(value):
        raise ValueError
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def to_span(text: str, *, name: str) -> timedelta:
    """A length of time from text like "1d", "6h" or "15m". Raises InputError, which says `name`, for other text.

    >>> to_span("6h", name="step")
    datetime.timedelta(seconds=21600)
    """
    try:
        return _span(text)
    except (ValueError, TypeError) as error:
        raise InputError.of(name, _EXPECTED[_span], value=text) from error


def _span(value: Any) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([dhm])", value)
    if match is None:
        raise ValueError
    return int(match[1]) * UNITS[match[2]]


def _zone(value: Any) -> str:
    return ZoneInfo(value).key


def _pricing(value: Any) -> PricingRule:
    return PricingRule(value)


def _span_text(span: timedelta) -> str:
    for letter, unit in UNITS.items():
        if span % unit == timedelta(0) and (span or letter == "h"):
            return f"{span // unit}{letter}"
    raise ValueError(f"a length of time in whole minutes is needed: {span}")


_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _text,
    "interval": _span,
    "timezone": _zone,
    "pricing": _pricing,
    "price_floor": _number,
    "price_cap": _number,
    "voll": _number,
}
_SCARCITY_READERS: dict[str, Callable[[Any], Any]] = {
    "reference_price": _number,
    "contingency": _number,
    "mean": _number,
    "sd": _number,
    "steps": _whole,
}
_EXPECTED: dict[Callable[[Any], Any], str] = {
    _text: "text",
    _number: "a number",
    _whole: "a whole number",
    _span: 'a length of time like "30d", "1h" or "15m"',
    _zone: 'an IANA time zone like "America/New_York"',
    _pricing: '"marginal" or "convex-hull"',
}

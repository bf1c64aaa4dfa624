"""A basket as data: one TOML file that holds its whole rule, read into frozen terms; baskets in it are read with it."""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import BasketQuantity, IndexFormula, MissingMark, Rebalancing, Rounding, Splice
from tenorgrid.indices.baskets.multilateral import MULTILATERAL
from tenorgrid.indices.baskets.terms import Basket, Constituent, MarkRule, Selection, Window
from tenorgrid.indices.section import Section

__all__ = ["Basket", "load_basket", "shipped_baskets"]

FIRST, MEAN_PRICE = "first", "mean price"
UNWEIGHTED = (IndexFormula.JEVONS,)
BY_BASE = (IndexFormula.LASPEYRES,)  # needs no quantities but those of the rebalancing
MOST_DECIMALS = 12
SAME = 1e-9

Find = Callable[[str], bytes | None]


def shipped_baskets() -> tuple[str, ...]:
    """Names of the baskets that come with the package.

    >>> "accelerators-us" in shipped_baskets()
    True
    """
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml")))


def load_basket(definition: Basket | Path | str) -> Basket:
    """A shipped basket by its name, or one from a TOML file; one that is loaded already is handed back.

    A basket that is in another one is looked for beside its file, as NAME.toml, and then among the shipped ones.

    Args:
        definition: a name (`hopper-us`), or the path of a file that ends in .toml.

    Raises `InputError` with every fault of every file: unknown names and keys, combinations that make no sense, a basket that holds itself.

    >>> [part.name for part in load_basket("accelerators-us").stages()]
    ['hopper-us', 'blackwell-us', 'accelerators-us']
    """
    if isinstance(definition, Basket):
        return definition
    named = str(definition)
    if named in shipped_baskets():
        return _whole(named, _shipped, ())
    path = Path(definition)
    if path.suffix != ".toml" or not path.is_file():
        raise InputError.of("basket", f"one of {', '.join(shipped_baskets())}, or the path of a TOML file", value=named)

    def beside(name: str) -> bytes | None:
        near = path.parent / f"{name}.toml"
        return near.read_bytes() if near.is_file() else _shipped(name)

    return _whole(path.stem, beside, ())


def _folder() -> Traversable:
    return files("tenorgrid.indices.baskets") / "definitions"


def _shipped(name: str) -> bytes | None:
    return (_folder() / f"{name}.toml").read_bytes() if name in shipped_baskets() else None


def _whole(name: str, find: Find, above: tuple[str, ...]) -> Basket:
    """The basket `name`, which those `above` hold, with all that it holds."""
    file = f"{name}.toml"
    if name in above:
        raise InputError.of(file, "baskets that do not hold themselves", column="constituents", value=" > ".join([*above, name]))
    content = find(name)
    if content is None:
        raise InputError.of(f"{above[-1]}.toml", f"a file {file} beside it, or a shipped basket", column="constituents", value=name)
    try:
        values = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.of(file, "TOML in UTF-8", value=str(error)) from error
    faults: list[Fault] = []
    top = Section(values, path="", file=file, faults=faults)
    written = top.sections("constituents")
    inner = [section.text("basket") for section in written if section.has("basket")]
    parts: dict[str, Basket] = {}
    for part in inner:
        try:
            parts[part] = _whole(part, find, (*above, name))
        except InputError as error:
            faults += error.faults
    digest = hashlib.sha256(b"".join([content, *(parts[part].hash.encode() for part in sorted(parts))])).hexdigest()
    found = _basket(top, values, written, parts, digest)
    if found.name != name:
        top.fault("name", f"the name of its file, {name}", found.name)
    if faults:
        raise InputError(dict.fromkeys(faults))
    return found


def _basket(top: Section, values: Mapping[str, Any], written: list[Section], parts: dict[str, Basket], digest: str) -> Basket:
    base, quantities, rebalancing = (top.section(key) for key in ("base", "quantities", "rebalancing"))
    marks, sufficiency = top.section("marks"), top.section("sufficiency")
    missing = marks.choice("missing", MissingMark)
    found = Basket(
        name=top.text("name"),
        index=top.text("index"),
        hash=digest,
        source=top.text("source"),
        timezone=_zone(top),
        formula=top.choice("formula", IndexFormula),
        base_date=None if _raw(values, "base", "date") == FIRST and base.has("date") else _day(base, "date", _raw(values, "base", "date")),
        base_value=_base_value(base, _raw(values, "base", "value")),
        quantities=quantities.choice("from", BasketQuantity),
        quantity_days=quantities.whole("days", least=1) if quantities.has("days") else 1,
        rebalancing=rebalancing.choice("when", Rebalancing),
        dates=_days(rebalancing, _raw(values, "rebalancing", "dates")),
        window=_window(top.section("window")) if top.has("window") else None,
        marks=MarkRule(
            low_confidence=_used(marks, "low_confidence"),
            carried=_used(marks, "carried"),
            missing=missing,
            carry_days=marks.whole("carry_days", least=1) if marks.has("carry_days") else 0,
        ),
        published=_part(sufficiency, "published"),
        low_confidence=_part(sufficiency, "low_confidence"),
        decimals=top.whole("decimals", least=0),
        rounding=top.choice("rounding", Rounding),
        constituents=tuple(
            _constituent(section, raw, parts) for section, raw in zip(written, values.get("constituents", []), strict=False)
        ),
        selection=_selection(top.section("select")) if top.has("select") else None,
        parts=parts,
    )
    _refuse_nonsense(found, top, quantities=quantities, rebalancing=rebalancing, marks=marks, sufficiency=sufficiency, base=base)
    for section in (base, quantities, rebalancing, marks, sufficiency, top):
        section.close()
    return found


def _zone(top: Section) -> str:
    name = top.text("timezone")
    if not name:
        return "UTC"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        top.fault("timezone", "a time zone like America/New_York", name)
        return "UTC"
    return name


def _raw(values: Mapping[str, Any], table: str, key: str) -> object:
    """What stands at a key of a table, days and all; None where there is neither."""
    found = values.get(table)
    return found.get(key) if isinstance(found, Mapping) else None


def _day(section: Section, key: str, found: object) -> date:
    """A day as TOML writes it."""
    if section.has(key) and isinstance(found, date) and not isinstance(found, datetime):
        return found
    section.fault(key, "a day such as 2027-01-01", found)
    return date.min


def _days(section: Section, found: object) -> tuple[date, ...]:
    if not section.has("dates"):
        return ()
    if not isinstance(found, list) or not all(isinstance(day, date) and not isinstance(day, datetime) for day in found):
        section.fault("dates", "a list of days such as 2027-01-01", found)
        return ()
    if found != sorted(set(found)):
        section.fault("dates", "different days in their order", ", ".join(map(str, found)))
    return tuple(found)


def _base_value(base: Section, written: object) -> float | None:
    if written == MEAN_PRICE and base.has("value"):
        return None
    found = base.number("value")
    if found <= 0:
        base.fault("value", f"a number above 0, or {MEAN_PRICE}", found)
    return found


def _used(section: Section, key: str) -> bool:
    """Whether marks of such a status are used like others, or count as missing."""
    found = section.text(key)
    if found and found not in ("use", "missing"):
        section.fault(key, "use or missing", found)
    return found == "use"


def _part(section: Section, key: str) -> float:
    found = section.number(key)
    if section.has(key) and not 0 < found <= 1:
        section.fault(key, "a share above 0 and of at most 1", found)
    return found


def _window(section: Section) -> Window:
    found = Window(periods=section.whole("periods", least=2), splice=section.choice("splice", Splice))
    if found.splice is Splice.HALF and found.periods % 2 == 0:
        section.fault("periods", "an odd number, as the half splice links in the middle", found.periods)
    section.close()
    return found


def _constituent(section: Section, written: Mapping[str, Any], parts: dict[str, Basket]) -> Constituent:
    basket = section.text("basket") if section.has("basket") else None
    index = section.text("index") if section.has("index") else None
    if (basket is None) == (index is None):
        section.fault("index", "either an index or a basket", "both" if basket else "neither")
    amounts = {key: section.number(key) for key in ("quantity", "share") if section.has(key)}
    for key, amount in amounts.items():
        if amount <= 0:
            section.fault(key, "a number above 0", amount)
    first, end = (_day(section, key, written[key]) if section.has(key) else None for key in ("from", "until"))
    if first is not None and end is not None and first >= end:
        section.fault("until", f"a day after {first}", end)
    section.close()
    inner = parts[basket].index if basket in parts else basket
    return Constituent(
        index=index or inner or "", basket=basket, quantity=amounts.get("quantity"), share=amounts.get("share"), first=first, end=end
    )


def _selection(section: Section) -> Selection:
    found = Selection(
        like=section.texts("like"),
        published_days=section.whole("published_days", least=1),
        of_days=section.whole("of_days", least=1),
        most=section.whole("most", least=1) if section.has("most") else None,
    )
    if found.published_days > found.of_days:
        section.fault("published_days", f"at most of_days, {found.of_days}", found.published_days)
    if not found.like:
        section.fault("like", "at least one pattern, such as H100*.US.FIRM")
    section.close()
    return found


def _refuse_nonsense(
    found: Basket, top: Section, *, quantities: Section, rebalancing: Section, marks: Section, sufficiency: Section, base: Section
) -> None:
    """Combinations of which some part would not be read, or could not be computed."""
    many, named = found.formula in MULTILATERAL, [one.index for one in found.constituents]
    if not re.fullmatch(r"[A-Z0-9-]+(\.[A-Z0-9-]+)*", found.index):
        top.fault("index", "capital letters, digits, dashes and dots, such as HOPPER.US.FIRM", found.index)
    if found.index in named:
        top.fault("index", "a name that is not a constituent's", found.index)
    if found.decimals > MOST_DECIMALS:
        top.fault("decimals", f"at most {MOST_DECIMALS}", found.decimals)
    wanted = _quantities_for(found.formula)
    if found.quantities not in wanted:
        quantities.fault("from", f"{' or '.join(wanted)} with the formula {found.formula}", found.quantities)
    if quantities.has("days") and found.quantities is not BasketQuantity.MARKS:
        quantities.fault("days", f"no days, as quantities are not from {BasketQuantity.MARKS}", found.quantity_days)
    if many != (found.window is not None):
        top.fault("window", f"a window {'with' if many else 'only with'} a multilateral formula", found.formula)
    if many and found.rebalancing is not Rebalancing.NEVER:
        rebalancing.fault("when", f"{Rebalancing.NEVER}, as the window of {found.formula} rolls", found.rebalancing)
    if bool(found.dates) != (found.rebalancing is Rebalancing.DATES):
        rebalancing.fault("dates", f"days with when = {Rebalancing.DATES}, and only then", ", ".join(map(str, found.dates)) or "none")
    if (found.marks.missing is MissingMark.CARRY) != (found.marks.carry_days > 0):
        marks.fault("carry_days", f"days with missing = {MissingMark.CARRY}, and only then", found.marks.carry_days or "none")
    if found.low_confidence > found.published:
        sufficiency.fault("low_confidence", f"at most the share that publishes, {found.published}", found.low_confidence)
    if found.base_value is None and found.quantities is BasketQuantity.NONE:
        base.fault("value", f"a number, as {found.formula} has no quantities that a mean price could weigh", MEAN_PRICE)
    if bool(found.constituents) == (found.selection is not None):
        top.fault("constituents", "either constituents or a rule under select", "both" if found.constituents else "neither")
    if found.selection is not None and found.base_date is None:
        base.fault("date", "a day, as the rule under select needs days before it", FIRST)
    for one, other in combinations(found.constituents, 2):
        if one.index == other.index and one.meets(other):
            top.fault("constituents", "each constituent once at a time", one.index)
    if found.selection is not None and found.selection.most is not None and found.quantities is not BasketQuantity.MARKS:
        top.fault("select.most", f"no limit, as quantities, by which the largest are told, are not from {BasketQuantity.MARKS}")
    _refuse_amounts(found, top)


def _quantities_for(formula: IndexFormula) -> tuple[BasketQuantity, ...]:
    if formula in UNWEIGHTED:
        return (BasketQuantity.NONE,)
    if formula in BY_BASE:
        return (BasketQuantity.FIXED, BasketQuantity.VALUE_SHARES, BasketQuantity.MARKS)
    return (BasketQuantity.MARKS,)


def _refuse_amounts(found: Basket, top: Section) -> None:
    """Each constituent has the amount that its basket's quantities are from, and no other."""
    key = {BasketQuantity.FIXED: "quantity", BasketQuantity.VALUE_SHARES: "share"}.get(found.quantities)
    for number, one in enumerate(found.constituents, start=1):
        for amount, given in (("quantity", one.quantity), ("share", one.share)):
            if (given is not None) != (amount == key):
                expected = f"a {amount}" if amount == key else f"no {amount}"
                top.fault(f"constituents[{number}].{amount}", f"{expected}, as quantities are from {found.quantities}", given or "none")
    if key == "share":
        _refuse_parts(found, top)
    if found.selection is not None and key is not None:
        top.fault("select", f"constituents with a {key} each, as quantities are from {found.quantities}", "a rule")


def _refuse_parts(found: Basket, top: Section) -> None:
    """Shares are of the whole, on every day on which the basket may hold something."""
    edges = {date.min} | {edge for one in found.constituents for edge in (one.first, one.end) if edge is not None}
    for edge in sorted(edges):
        held = [one.share or 0.0 for one in found.constituents if one.holds(edge)]
        if held and abs(sum(held) - 1) > SAME:
            since = "" if edge == date.min else f" from {edge} on"
            top.fault("constituents.share", f"shares that sum to 1{since}", f"{sum(held):g}")

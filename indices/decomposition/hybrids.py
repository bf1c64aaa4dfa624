"""A methodology with some of its rules taken from another: the two sides of one coalition."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tenorgrid.indices.decomposition.rules import (
    EVIDENCE,
    REGIONS,
    TERMS,
    TITLES,
    Values,
    differing,
    level_part,
    rules_of,
    whole_part,
)
from tenorgrid.indices.methodology import of_values
from tenorgrid.indices.names import parsed
from tenorgrid.indices.specification import Methodology

ALWAYS_IN_PERIOD = ("jump", "price bounds")  # these two and stale do not say where they look


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two methodologies, and the level of each that made the print of which the gap is told.

    A level's rules are held against those of its partner in the other file. The two levels that made the prints are partners. Any other
    level has as partner the other file's deciding level where they share a kind of observation, else its first level that shares one. A
    level without a partner keeps its own rules in every coalition: the other methodology says nothing of such evidence.
    """

    one: Values
    other: Values
    deciding: tuple[str | None, str | None] = (None, None)
    _parts: dict[tuple[int, str], dict[str, Any]] = field(init=False, default_factory=dict, repr=False, compare=False)

    @property
    def rules(self) -> list[str]:
        """Rules of the two that can be taken from either, in the order of `rules_of`; titles change no print."""
        return [rule for rule in rules_of(self.one, self.other) if rule != TITLES]

    def tells_apart(self, rule: str) -> bool:
        """Whether it matters from which of the two a rule is taken."""
        if whole_part(self.one, rule) != whole_part(self.other, rule):
            return True
        if rule == EVIDENCE and _order(self.one) != _order(self.other):
            return True
        sides = ((self.one, self.other, False), (self.other, self.one, True))
        told = ((level, self._partner(level, guest, turned)) for owner, guest, turned in sides for level in owner["levels"])
        return rule != EVIDENCE and any(level_part(level, rule) != level_part(partner, rule) for level, partner in told)

    def hybrid(self, taken: Collection[str]) -> dict[str, Any]:
        """The keys of the one methodology with the rules `taken` from the other; with all of them, and titles, the other itself."""
        sides = {rule: self.other if rule in taken else self.one for rule in rules_of(self.one, self.other)}
        found: dict[str, Any] = {}
        for rule, side in sides.items():
            found |= self._part(side, rule)
        turned = EVIDENCE in taken
        owner, guest = (self.other, self.one) if turned else (self.one, self.other)
        found["levels"] = [
            self._level({rule: (level if side is owner else partner) for rule, side in sides.items()}, owned=level)
            for level in owner["levels"]
            for partner in [self._partner(level, guest, turned)]
        ]
        if TITLES not in taken and taken:
            found["name"] = f"{self.one['name']} with {', '.join(rule for rule in sides if rule in taken)} of {self.other['name']}"
        return found

    def methodology(self, taken: Collection[str]) -> Methodology:
        """The hybrid as a methodology. Raises `InputError` where its parts do not go together."""
        values = self.hybrid(taken)
        return of_values(values, file=str(values["name"]))

    def _part(self, table: Values, rule: str) -> dict[str, Any]:
        """What a file, or one of its levels, says of a rule: the same for every coalition."""
        key = (id(table), rule)
        if key not in self._parts:
            self._parts[key] = whole_part(table, rule) if "levels" in table else level_part(table, rule)
        return self._parts[key]

    def _level(self, sides: Mapping[str, Values], *, owned: Values) -> dict[str, Any]:
        """One level, each rule from the side that is named; its name and kinds are its own."""
        found: dict[str, Any] = {}
        weights: dict[str, Any] = {}
        filters: list[tuple[int, Values]] = []
        for rule, side in sides.items():
            part = self._part(side, rule)
            weights |= part.get("weights", {})
            mine = part.get("filters", ())
            filters += [(place, each) for place, each in enumerate(side.get("filters", ())) if each in mine]
            found |= {key: value for key, value in part.items() if key not in ("weights", "filters")}
        found |= {"name": owned["name"], "kinds": owned["kinds"], "weights": weights}
        if filters:  # those within the period first, as a file must have them, each side's in its own order
            found["filters"] = [each for _, each in sorted(filters, key=lambda part: (_late(part[1]), part[0], part[1]["rule"]))]
        return found

    def _partner(self, level: Values, guest: Values, turned: bool) -> Values:
        mine, theirs = reversed(self.deciding) if turned else self.deciding
        made: Values | None = next((part for part in guest["levels"] if part["name"] == theirs), None)
        if level["name"] == mine and made is not None:
            return made
        first = [made] if made is not None else []
        sharing = (part for part in [*first, *guest["levels"]] if set(part["kinds"]) & set(level["kinds"]))
        return next(sharing, level)


def held(values: Values, label: str) -> tuple[str, ...] | str:
    """What an index of the region `label` holds beyond the region of that name: its group's members, or everything.

    >>> held({"regions": {"groups": {"GLOBAL": ["*"]}}}, "GLOBAL"), held({"regions": {"everything": "US"}}, "US")
    (('*',), 'everything')
    """
    regions = values.get("regions", {})
    if "everything" in regions:
        return "everything" if regions["everything"] == label else "nothing"
    return tuple(sorted(regions.get("groups", {}).get(label, ())))


def moving(pair: Pair, labels: tuple[str, str]) -> list[str]:
    """The differing rules on which the marks of an index can depend: coalitions are made of these alone.

    Args:
        pair: the two methodologies.
        labels: the index's region as the one and as the other call it; groups of other regions do not bear on it.
    """
    found = [rule for rule in differing(pair.one, pair.other) if rule != TITLES and pair.tells_apart(rule)]
    if labels[0] == labels[1] and held(pair.one, labels[0]) == held(pair.other, labels[1]) != "nothing":
        found = [rule for rule in found if rule != REGIONS]
    return found


def named(index: tuple[str, str], taken: Collection[str]) -> str:
    """What an index is called in a coalition: its region as the side of the rule on regions has it, its term likewise.

    >>> named(("H100-SXM.US.FIRM", "H100-SXM.EU.FIRM"), {"regions"})
    'H100-SXM.EU.FIRM'
    """
    names = [parsed(name) for name in index]
    region, term = (names[rule in taken] for rule in (REGIONS, TERMS))
    return str(replace(names[0], place=region.place, term=term.term))


def _order(values: Values) -> list[list[str]]:
    return [list(level["kinds"]) for level in values["levels"]]


def _late(part: Values) -> bool:
    return part["rule"] not in ALWAYS_IN_PERIOD and part.get("within", "window") == "window"

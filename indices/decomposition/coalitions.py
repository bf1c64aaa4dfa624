"""Which rules can be exchanged one by one, and which only together because one without the other makes no methodology."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError, brief
from tenorgrid.indices.decomposition.hybrids import Pair
from tenorgrid.indices.decomposition.rules import FALLBACK, NORMALISATION, REGIONS, ROUNDING, TERMS
from tenorgrid.indices.traits import TRAITS

MOST = 14  # rules, or rules taken together, of which all coalitions are computed: 16,384
FREE = {REGIONS, TERMS, NORMALISATION, FALLBACK, ROUNDING}  # whose keys go with any of the others
Group: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Rules that are exchanged together, and why: what is wrong with a coalition that has one of them and not the others."""

    rules: Group
    reason: str


def groups_of(
    pair: Pair, rules: Sequence[str], *, seen: pl.DataFrame, together: Sequence[Collection[str]] = ()
) -> tuple[list[Group], list[Joined]]:
    """The rules in groups of which every coalition is a methodology that can be computed, and why some are together.

    Of the groups of which some coalition is refused, the two are joined that leave the fewest refused ones, and so on until none is. That
    the answer is the same for both directions follows: a coalition is the complement of one of the other direction.

    Args:
        pair: the two methodologies.
        rules: those that can be exchanged.
        seen: the observations: a coalition that asks them for a column which they do not have cannot be computed.
        together: rules to be exchanged together whatever they do.

    Raises `InputError` for an unknown rule, and where there are more than `MOST` groups.
    """
    groups = _asked(rules, together)
    joined = [Joined(rules=group, reason="as asked") for group in groups if len(group) > 1]
    bound = [group for group in groups if not FREE.issuperset(group)]
    _refuse_many(bound)
    kinds = set(seen["kind"].cast(pl.String).unique())
    between = coalitions(bound)[1:-1]  # the first and the last are the two methodologies themselves
    faults = {taken: fault for taken in between if (fault := _fault(pair, taken, set(seen.columns), kinds)) is not None}
    while faults:
        first, second = _best(bound, faults)
        said = min((taken for taken in faults if _parted(taken, first, second)), key=lambda taken: (len(taken), sorted(taken)))
        both = tuple(rule for rule in rules if rule in (*first, *second))
        joined = [part for part in joined if part.rules not in (first, second)] + [Joined(rules=both, reason=faults[said])]
        bound = [both if group == first else group for group in bound if group != second]
        faults = {taken: fault for taken, fault in faults.items() if not _parted(taken, first, second)}
    groups = sorted([*bound, *(group for group in groups if FREE.issuperset(group))], key=lambda group: rules.index(group[0]))
    _refuse_many(groups)
    return groups, joined


def coalitions(groups: Sequence[Group]) -> list[frozenset[str]]:
    """The rules of each coalition; the bits of its place say which groups are in it.

    >>> [sorted(taken) for taken in coalitions([("caps",), ("clock", "window")])]
    [[], ['caps'], ['clock', 'window'], ['caps', 'clock', 'window']]
    """
    masks = np.arange(1 << len(groups))
    return [frozenset(rule for place, group in enumerate(groups) if mask >> place & 1 for rule in group) for mask in masks.tolist()]


def _refuse_many(groups: Sequence[Group]) -> None:
    if len(groups) > MOST:
        names = ", ".join("+".join(group) for group in groups)
        raise InputError.of("rules", f"at most {MOST} that differ, some of them taken together", value=f"{len(groups)}: {names}")


def _asked(rules: Sequence[str], together: Sequence[Collection[str]]) -> list[Group]:
    named = [rule for part in together for rule in part]
    if strange := sorted({rule for rule in named if rule not in rules or named.count(rule) > 1}):
        raise InputError.of("--together", f"rules out of {', '.join(rules)}, each once", value=", ".join(strange))
    parts = [frozenset(part) for part in together] + [frozenset({rule}) for rule in rules if rule not in named]
    return sorted((tuple(rule for rule in rules if rule in part) for part in parts), key=lambda group: rules.index(group[0]))


def _fault(pair: Pair, taken: Collection[str], columns: Collection[str], kinds: Collection[str]) -> str | None:
    """What is wrong with a coalition, if anything is."""
    try:
        rule = pair.methodology(taken)
    except InputError as error:
        return brief(error)
    for level in rule.levels:
        made = {*TRAITS, *([level.review.name] if level.review is not None else [])}
        weighed = {level.weights.confidence} - {None}
        optional = {part.column for part in level.requirements if part.missing == "keep"}
        asked = level.columns - optional if set(level.kinds) & set(kinds) else weighed
        if missing := sorted(str(column) for column in asked - set(columns) - made):
            return f"{rule.name}: the level {level.name!r} asks for the column {missing[0]}, which the observations do not have"
    return None


def _parted(taken: Collection[str], first: Group, second: Group) -> bool:
    return (first[0] in taken) != (second[0] in taken)


def _best(groups: Sequence[Group], faults: Collection[frozenset[str]]) -> tuple[Group, Group]:
    """The two groups whose joining leaves the fewest coalitions that are refused, the first such two."""
    return min(combinations(groups, 2), key=lambda two: sum(not _parted(taken, *two) for taken in faults))

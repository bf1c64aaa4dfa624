"""Why two indices differ: the gap between their prints split over the rules, by the print of every coalition."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError, TenorgridError
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.decomposition.coalitions import Group, coalitions, groups_of
from tenorgrid.indices.decomposition.gap import Coalition, Gap, Idle, Share, worth
from tenorgrid.indices.decomposition.hybrids import Pair, moving, named
from tenorgrid.indices.decomposition.prints import Print, Prints
from tenorgrid.indices.decomposition.rules import REGIONS, TERMS, TITLES, Values, differing
from tenorgrid.indices.decomposition.shapley import shapley
from tenorgrid.indices.methodology import load, values_of
from tenorgrid.indices.names import parsed
from tenorgrid.indices.specification import Methodology


@dataclass(frozen=True, kw_only=True)
class Splits:
    """Gaps of many indices, and those that could not be split with why."""

    gaps: tuple[Gap, ...]
    refused: Mapping[str, str]


def split(
    observations: pl.DataFrame,
    *,
    methodology: Path | str,
    against: Path | str,
    when: date | datetime,
    index: str,
    index_against: str | None = None,
    together: Sequence[Collection[str]] = (),
) -> Gap:
    """Why two methodologies print different values of one index on the same observations.

    Every coalition of the differing rules is a methodology of its own: those rules from the other, the rest from the one. Each is made
    into a print with its own fallback, and a rule's share is what it adds, averaged over all orders of exchanging them.

    Args:
        observations: `Observations`, with the attributes that both ask for.
        methodology: the one: a shipped name or a TOML file.
        against: the other, from whose print the gap is told.
        when: a day, each methodology's own (of several prints a day the last), or a moment: the print of the period that holds it.
        index: RESOURCE.REGION.TIER, as the one names it.
        index_against: as the other names it, where regions or terms have other names there; resource and tier are the same.
        together: rules to be exchanged together.

    Raises `InputError` where the methodologies are the same, the indices are not of the same thing, or there are too many rules;
    `NotPublishedError` where one of the two, or some coalition even by its fallback, has no print.

    >>> from datetime import UTC
    >>> row = {"time": datetime(2027, 1, 5, 18, tzinfo=UTC), "resource": "h100-sxm", "region": "us", "tier": "firm", "kind": "list price"}
    >>> listed = {"aws": 4.0, "azure": 3.0, "lambda": 2.0, "vultr": 2.4, "nebius": 2.6}
    >>> seen = pl.DataFrame([row | {"observation_id": name, "provider": name, "price": price} for name, price in listed.items()])
    >>> moment, index = datetime(2027, 1, 5, 18, tzinfo=UTC), "H100-SXM.GLOBAL.FIRM"
    >>> found = split(seen, methodology="house", against="gpu-markets-like", when=moment, index=index)
    >>> round(found.size, 9), round(sum(share.value for share in found.shares), 9)
    (0.06, 0.06)
    """
    files, rules = _files(methodology, against)
    names = (index, index_against or index)
    _refuse_other_things(names, rules)
    prints = Prints(observations=observations, when=when, files=files, indices=_every_name([names]))
    return _split(prints, names, together)


def split_all(
    observations: pl.DataFrame,
    *,
    methodology: Path | str,
    against: Path | str,
    when: date | datetime,
    together: Sequence[Collection[str]] = (),
) -> Splits:
    """The gaps of every index that both methodologies print under one name; what cannot be split is told with why.

    Args:
        observations, methodology, against, when, together: as for `split`.

    Raises `InputError` where the methodologies are the same, `NotPublishedError` where they have no index in common.
    """
    files, rules = _files(methodology, against)
    known = [_printed(observations, rule, when) for rule in rules]
    common = sorted(known[0] & known[1])
    if not common:
        theirs = (f"{rule.name} prints {', '.join(sorted(names)[:5]) or 'none'}" for rule, names in zip(rules, known, strict=True))
        raise NotPublishedError(f"no index has a print of {when} by both: {'; '.join(theirs)}")
    pairs = [(name, name) for name in common]
    prints = Prints(observations=observations, when=when, files=files, indices=_every_name(pairs))
    gaps, refused = [], {}
    for pair in pairs:
        try:
            gaps.append(_split(prints, pair, together))
        except TenorgridError as error:
            refused[pair[0]] = str(error)
    return Splits(gaps=tuple(gaps), refused=refused)


def _files(methodology: Path | str, against: Path | str) -> tuple[tuple[Values, Values], tuple[Methodology, Methodology]]:
    rules = (load(methodology), load(against))
    if rules[0].hash == rules[1].hash:
        raise InputError.of("--against", f"another methodology than {rules[0].name}", value=rules[1].name)
    return (values_of(methodology), values_of(against)), rules


def _printed(observations: pl.DataFrame, rule: Methodology, when: date | datetime) -> set[str]:
    """Indices that have a value on the day."""
    day = rule.day_of(when) if isinstance(when, datetime) else when
    made = calculate(observations, methodology=rule, first=day, end=day + timedelta(1)).decided
    return set(made.filter(pl.col("value").is_not_null())["index"])


def _every_name(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return sorted({named(pair, taken) for pair in pairs for taken in coalitions([(REGIONS,), (TERMS,)])})


def _split(prints: Prints, indices: tuple[str, str], together: Sequence[Collection[str]]) -> Gap:
    one, other = prints.files
    names = (str(one["name"]), str(other["name"]))
    ends = tuple(prints.of(values, index) for values, index in zip(prints.files, indices, strict=True))
    for name, end in zip(names, ends, strict=True):
        if end.value is None:
            raise NotPublishedError(f"{name} has no mark of {end.index} on {prints.when}{_because(end)}: there is no gap to split")
    pair = Pair(one=one, other=other, deciding=(ends[0].level, ends[1].level))
    labels = (parsed(indices[0]).place, parsed(indices[1]).place)
    groups, joined = groups_of(pair, moving(pair, labels), seen=prints.rows, together=together)
    made = _made(prints, pair, groups, indices)
    _refuse_withheld(made, groups, names, prints.when)
    keys = differing(one, other)
    return Gap(
        indices=indices, names=names, when=prints.when, one=ends[0], other=ends[1], shares=tuple(_shares(made, groups, keys)),
        coalitions=tuple(made), joined=tuple(joined), idle=tuple(_idle(keys, groups)),
    )  # fmt: skip


def _made(prints: Prints, pair: Pair, groups: Sequence[Group], indices: tuple[str, str]) -> list[Coalition]:
    """The print of every coalition, in the order of `coalitions`."""
    found = []
    for taken in coalitions(groups):
        ordered = tuple(rule for group in groups for rule in group if rule in taken)
        found.append(Coalition(taken=ordered, printed=prints.of(pair.hybrid(taken), named(indices, taken))))
    units = sorted({part.printed.unit for part in found if part.printed.value is not None})
    if len(units) > 1:
        raise InputError.of("marks", f"one unit of {' and '.join(dict.fromkeys(indices))}", column="unit", value=" and ".join(units))
    return found


def _shares(made: Sequence[Coalition], groups: Sequence[Group], keys: Mapping[str, Sequence[str]]) -> Iterable[Share]:
    """Of each rule what having it from the one adds: a coalition of the other's rules is worth what it takes away."""
    added = shapley(-np.array([worth(part.printed) for part in made]))
    for place, group in enumerate(groups):
        yield Share(
            rules=group,
            value=float(added.value[place]),
            lowest=float(added.lowest[place]),
            highest=float(added.highest[place]),
            alone=float(added.last[place]),  # the last to be taken from the other is the only one of the one
            last=float(added.first[place]),
            keys=tuple(key for rule in group for key in keys[rule]),
        )


def _refuse_other_things(indices: tuple[str, str], rules: tuple[Methodology, Methodology]) -> None:
    """Two names are of one thing where resource and tier are the same; a region or a term may be called otherwise in the other file."""
    one, other = (parsed(name) for name in indices)
    if (one.subject, one.tier) != (other.subject, other.tier):
        asked = f"the resource and tier of {indices[0]}, for a gap is between prints of one thing"
        raise InputError.of("--against-index", asked, value=indices[1])
    if one.term != other.term and rules[0].terms == rules[1].terms:
        raise InputError.of("--against-index", f"the term of {indices[0]}, as both name terms in one way", value=indices[1])


def _refuse_withheld(made: Sequence[Coalition], groups: Sequence[Group], names: tuple[str, str], when: date | datetime) -> None:
    """A coalition without a print, even by its own fallback, leaves nothing to average: the smallest such one is named."""
    silent = [part for part in made if part.printed.value is None]
    if not silent:
        return
    first = min(silent, key=lambda part: len(part.taken))
    spoken = {part.taken for part in made if part.printed.value is not None}
    culprits = [group for group in groups if set(group) <= set(first.taken) and tuple(r for r in first.taken if r not in group) in spoken]
    who = f"{names[0]} with {', '.join(first.taken)} of {names[1]}"
    raise NotPublishedError(
        f"the gap between {names[0]} and {names[1]} on {when} cannot be split: {who} has no mark of {first.printed.index}"
        f"{_because(first.printed)}, and its own fallback has none; {' or '.join('+'.join(group) for group in culprits)} takes it away. "
        f"{len(silent)} of {len(made)} coalitions have none; rules that are exchanged together (--together) make fewer"
    )


def _because(printed: Print) -> str:
    return f" ({'; '.join(printed.reasons)})" if printed.reasons else ""


def _idle(keys: Mapping[str, Sequence[str]], groups: Sequence[Group]) -> Iterable[Idle]:
    exchanged = {rule for group in groups for rule in group}
    reasons = {TITLES: "no first print depends on it", REGIONS: "the index holds the same in both"}
    other = "the files differ only where the other has no level for such evidence: it comes and goes with the evidence"
    for rule, found in keys.items():
        if rule not in exchanged:
            yield Idle(rule=rule, reason=reasons.get(rule, other), keys=tuple(found))

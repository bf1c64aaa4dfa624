"""The rules of a methodology as a reader names them: each key of the file belongs to exactly one."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from tenorgrid.data.errors import InputError

Values: TypeAlias = Mapping[str, Any]  # what a methodology's file holds, or one table of it

REGIONS, TERMS = "regions", "terms"
CLOCK, WINDOW = "clock", "window"
NORMALISATION = "normalisation"
EVIDENCE = "evidence"
ELIGIBILITY = "eligibility"
POOLING, WEIGHTS, CAPS = "pooling", "weights", "caps"
ESTIMATOR, PARTITIONS = "estimator", "partitions"
SUFFICIENCY, FALLBACK = "sufficiency", "fallback"
ROUNDING = "rounding"
TITLES = "titles"
FILTER = "filter "  # and the name of the filter: each is a rule of its own

TOP = {
    "name": TITLES, "source": TITLES, "restatement": TITLES,
    "timezone": CLOCK, "calendar": CLOCK, "cut_off": CLOCK, "every": WINDOW, "window": WINDOW,
    "horizons": EVIDENCE, "regions": REGIONS, "terms": TERMS, "normalisation": NORMALISATION, "fallback": FALLBACK,
    "decimals": ROUNDING, "rounding": ROUNDING,
}  # fmt: skip
LEVEL = {
    "name": TITLES, "kinds": EVIDENCE, "require": ELIGIBILITY, "pooling": POOLING, "vote": POOLING, "review": WEIGHTS,
    "estimator": ESTIMATOR, "trim": ESTIMATOR, "tie": ESTIMATOR, "partitions": PARTITIONS,
    "publish": SUFFICIENCY, "low_confidence": SUFFICIENCY,
}  # fmt: skip
WEIGHING = {"by": WEIGHTS, "half_life": WEIGHTS, "confidence": WEIGHTS, "cap": CAPS, "floor": CAPS}

MEANINGS = {
    REGIONS: "which regions an index holds",
    TERMS: "whether terms are pooled or named",
    CLOCK: "time zone, calendar and cut-off",
    WINDOW: "how far a mark looks back, and how often there is one",
    NORMALISATION: "how prices are brought to one specification",
    EVIDENCE: "which kinds of observation count, in which order of trust",
    ELIGIBILITY: "what an observation must show to count",
    POOLING: "whether each observation has a vote or each contributor",
    WEIGHTS: "what a vote weighs",
    CAPS: "the largest and smallest share of one contributor",
    ESTIMATOR: "the estimator, with its trim or tie rule",
    PARTITIONS: "into how many parts the window is cut",
    SUFFICIENCY: "what must stand behind a print",
    FALLBACK: "what stands in where nothing suffices",
    ROUNDING: "decimals and how they are rounded",
    TITLES: "names, source and restatement, on which no first print depends",
}


def meaning(rule: str) -> str:
    """A rule in words.

    >>> meaning("caps"), meaning("filter sigma")
    ('the largest and smallest share of one contributor', 'the filter sigma')
    """
    return MEANINGS.get(rule, f"the {rule}")


def rules_of(*files: Values) -> list[str]:
    """Every rule that methodologies hold, as a reader would ask for them: what is seen, what counts, what is made of it.

    >>> rules_of({"levels": [{"filters": [{"rule": "sigma"}]}]})[6:9]
    ['eligibility', 'filter sigma', 'pooling']
    """
    filters = sorted({filter_rule(part) for values in files for level in values["levels"] for part in level.get("filters", ())})
    *first, pooling = (REGIONS, TERMS, CLOCK, WINDOW, NORMALISATION, EVIDENCE, ELIGIBILITY, POOLING)
    return [*first, *filters, pooling, WEIGHTS, CAPS, ESTIMATOR, PARTITIONS, SUFFICIENCY, FALLBACK, ROUNDING, TITLES]


def filter_rule(part: Values) -> str:
    """The rule that a filter is.

    >>> filter_rule({"rule": "too few", "at_least": 8})
    'filter too few'
    """
    return f"{FILTER}{part['rule']}"


def whole_part(values: Values, rule: str) -> dict[str, Any]:
    """What a file says of a rule outside of its levels."""
    return {key: value for key, value in values.items() if key != "levels" and _known(TOP, key) == rule}


def level_part(level: Values, rule: str) -> dict[str, Any]:
    """What a level says of a rule.

    >>> level_part({"estimator": "vwap", "weights": {"by": ["quantity"], "cap": 0.3}}, "caps")
    {'weights': {'cap': 0.3}}
    """
    found = {key: value for key, value in level.items() if key not in ("weights", "filters") and _known(LEVEL, key) == rule}
    if weights := {key: value for key, value in level.get("weights", {}).items() if _known(WEIGHING, key) == rule}:
        found["weights"] = weights
    if filters := [part for part in level.get("filters", ()) if filter_rule(part) == rule]:
        found["filters"] = filters
    return found


def keys_of(values: Values) -> dict[str, tuple[str, Any]]:
    """Every key of a file with the rule that it belongs to and its value; tables of a list are told by their place, from 1.

    >>> keys_of({"window": "7d", "levels": [{"weights": {"by": ["equal"]}}]})
    {'window': ('window', '7d'), 'levels[1].weights.by': ('weights', ['equal'])}
    """
    found: dict[str, tuple[str, Any]] = {}
    for key, value in values.items():
        if key != "levels":
            found |= {path: (_known(TOP, key), leaf) for path, leaf in _leaves(value, key)}
    for place, level in enumerate(values["levels"], start=1):
        for key, value in level.items():
            at = f"levels[{place}].{key}"
            if key == "weights":
                found |= {f"{at}.{name}": (_known(WEIGHING, name), leaf) for name, leaf in value.items()}
            elif key == "filters":
                parts = [(f"{at}[{number}]", part) for number, part in enumerate(value, start=1)]
                found |= {path: (filter_rule(part), leaf) for name, part in parts for path, leaf in _leaves(part, name)}
            else:
                found |= {path: (_known(LEVEL, key), leaf) for path, leaf in _leaves(value, at)}
    return found


def differing(one: Values, other: Values) -> dict[str, list[str]]:
    """The rules in which two files differ, each with the keys: those that only one file has, or with another value or rule."""
    mine, theirs = keys_of(one), keys_of(other)
    found: dict[str, list[str]] = {rule: [] for rule in rules_of(one, other)}
    for path in dict.fromkeys([*mine, *theirs]):
        if mine.get(path) != theirs.get(path):
            for rule in {side[path][0]: None for side in (mine, theirs) if path in side}:
                found[rule].append(path)
    return {rule: paths for rule, paths in found.items() if paths}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}")
    elif isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
        for place, part in enumerate(value, start=1):
            yield from _leaves(part, f"{path}[{place}]")
    else:
        yield path, value


def _known(names: Mapping[str, str], key: str) -> str:
    if key not in names:
        raise InputError.of("methodology", f"one of the keys {', '.join(names)}, each of which belongs to a rule", column=key)
    return names[key]

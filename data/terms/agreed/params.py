"""Parameters of trades: the JSON objects of a column, each distinct text read once, as typed columns."""

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import polars as pl

from tenorgrid.data.terms.agreed.kinds import Parameter

TYPES: dict[str, pl.DataType] = {"number": pl.Float64(), "text": pl.String(), "weights": pl.String()}
Broken = tuple[str, str]  # value, what was expected


def read_params(texts: pl.Series, parameters: Mapping[str, Parameter], *, kind: str) -> tuple[pl.DataFrame, dict[str | None, list[Broken]]]:
    """A row for each distinct text with a column a parameter, defaults filled; and what is wrong, by text.

    Weights stay the text of an object of index: weight, in the order of names.

    >>> rows, wrong = read_params(pl.Series("params", ['{"ratio": 2}', None]), {"ratio": Parameter(default=1.0)}, kind="spread")
    >>> sorted(rows["ratio"].to_list()), wrong
    ([1.0, 2.0], {})
    """
    distinct = texts.unique(maintain_order=True).to_list()
    wrong: dict[str | None, list[Broken]] = {}
    found = []
    for text in distinct:
        given, faults = _object(text)
        if not faults:
            faults = list(_faults(given, parameters, kind, text))
        if faults:
            wrong[text] = faults
            given = {}
        found.append({"params": text} | {name: _value(given.get(name, one.default), one) for name, one in parameters.items()})
    schema = {"params": pl.String()} | {name: TYPES[one.type] for name, one in parameters.items()}
    return pl.DataFrame(found, schema=schema), wrong


def _object(text: str | None) -> tuple[dict[str, Any], list[Broken]]:
    if text is None:
        return {}, []
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return {}, [(text, "a JSON object")]
    return given, []


def _faults(given: Mapping[str, Any], parameters: Mapping[str, Parameter], kind: str, text: str | None) -> Iterator[Broken]:
    said = text or "nothing"
    for name in given.keys() - parameters.keys():
        yield said, f"no {name}: a {kind} has none"
    for name, one in parameters.items():
        if name not in given:
            if one.default is None and not one.optional:
                yield said, f"a JSON object with {_wanted(name, one)}: a {kind} needs it"
        elif not _good(given[name], one):
            yield said, f"{_wanted(name, one)}"


def _wanted(name: str, one: Parameter) -> str:
    if one.type == "weights":
        return f"{name}, an object of two or more indices, each with a number other than 0"
    if one.type == "number":
        least = "" if one.least is None else f" of at least {one.least:g}"
        low = least if one.above is None else f" above {one.above:g}"
        most = "" if one.most is None else f" and at most {one.most:g}"
        return f"{name}, a {'whole ' if one.whole else ''}number{low}{most}"
    among = f", one of {', '.join(one.words)}" if one.words else ""
    return f"the text {name}{among}" + (f", not {', '.join(one.not_)}" if one.not_ else "")


def _good(value: Any, one: Parameter) -> bool:
    if one.type == "weights":
        return isinstance(value, dict) and len(value) > 1 and all(_number(weight) and weight != 0 for weight in value.values())
    if one.type == "number":
        return _number(value) and _inside(float(value), one)
    return isinstance(value, str) and bool(value) and (not one.words or value in one.words) and value not in one.not_


def _inside(value: float, one: Parameter) -> bool:
    low = (one.above is None or value > one.above) and (one.least is None or value >= one.least)
    return low and (one.most is None or value <= one.most) and (not one.whole or value.is_integer())


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _value(value: Any, one: Parameter) -> Any:
    if one.type == "number" and value is not None:
        return float(value)
    return json.dumps(value, sort_keys=True) if one.type == "weights" and value is not None else value

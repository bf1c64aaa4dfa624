"""What an argument of an option may be: refused with every fault at once, each with the first value that broke its rule."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.data.errors import Fault, InputError


class Rule(NamedTuple):
    """One argument, where it holds its rule, and the rule in words."""

    name: str
    values: Vector
    holds: Flags
    expected: str


def finite(name: str, values: Vector) -> Rule:
    """Any number."""
    return Rule(name, values, np.isfinite(values), "a number")


def positive(name: str, values: Vector) -> Rule:
    """A number above 0."""
    return Rule(name, values, _below_infinity(values) & (np.asarray(values) > 0), "a number above 0")


def at_least_zero(name: str, values: Vector) -> Rule:
    """A number of at least 0."""
    return Rule(name, values, _below_infinity(values) & (np.asarray(values) >= 0), "a number of at least 0")


def correlated(values: Vector, name: str = "correlation") -> Rule:
    """A correlation."""
    return Rule(name, values, np.abs(np.asarray(values)) <= 1.0, "a correlation between -1 and 1")


def refuse(rules: Iterable[Rule], *, kind: str = "option") -> None:
    """Raise `InputError` with one fault for each rule that is broken somewhere.

    >>> refuse([at_least_zero("volatility", np.array([0.2, -0.1]))])
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: option, column volatility: found -0.1, expected a number of at least 0
    """
    faults = [
        Fault(file=kind, column=rule.name, value=_first(rule), expected=rule.expected) for rule in rules if not np.asarray(rule.holds).all()
    ]
    if faults:
        raise InputError(faults)


def _below_infinity(values: Vector) -> Flags:
    return np.asarray(np.asarray(values) < np.inf)


def _first(rule: Rule) -> str:
    values, holds = np.broadcast_arrays(np.asarray(rule.values), np.asarray(rule.holds))
    return str(values[~holds].flat[0])

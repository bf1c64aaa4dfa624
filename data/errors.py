"""What tenorgrid raises and warns of, told apart by who must act.

`InputError`: fix the file. `NotPublishedError`: wait for the index, or ask its administrator. `SolverError`: nothing was published,
report the case. `ClusterError`: nothing was published, mend the cluster. `ThinMarketWarning`: the result stands, but needs an eye;
so does `OvercommitWarning`, of the case it was made from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

SHOWN_PER_FILE = 20


class TenorgridError(Exception):
    """Base class; `exit_code` is what the command line returns."""

    exit_code: int = 1  # 2 is kept for wrong usage, which the command line library reports


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One broken rule: where it is, what was found and what was expected.

    >>> print(Fault(file="offers.csv", row=3, column="quantity", value="-5", expected="a number of at least 0"))
    offers.csv row 3, column quantity: found -5, expected a number of at least 0
    """

    file: str
    expected: str
    row: int | None = None  # 1 is the first row below the header
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        row = "" if self.row is None else f" row {self.row}"
        column = "" if self.column is None else f", column {self.column}"
        found = "" if self.value is None else f"found {self.value}, "
        return f"{self.file}{row}{column}: {found}expected {self.expected}"


class InputError(TenorgridError):
    """What was handed in broke rules; `faults` holds every one of them, the sentence the first 20 of each file.

    >>> raise InputError([Fault(file="bids.csv", expected="at least one row")])
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: bids.csv: expected at least one row
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        if not self.faults:
            raise ValueError("an InputError needs at least one fault")
        super().__init__("\n".join(_sentences(self.faults)))

    def __reduce__(self) -> tuple[type["InputError"], tuple[tuple[Fault, ...]]]:
        """Its faults, not its sentence: an error may be raised in a process of a pool or on a cluster."""
        return type(self), (self.faults,)

    @classmethod
    def of(cls, file: str, expected: str, *, row: int | None = None, column: str | None = None, value: object = None) -> "InputError":
        """An error with a single fault."""
        found = None if value is None else str(value)
        return cls([Fault(file=file, expected=expected, row=row, column=column, value=found)])


class NotPublishedError(TenorgridError):
    """A value that has not been published was asked for: a missing mark, fixing or price."""


class SolverError(TenorgridError):
    """No solution passed its certificate, so nothing is published."""


class ClusterError(TenorgridError):
    """The cluster that should clear cannot be reached, was lost, or runs other code, so nothing is published."""


class ThinMarketWarning(UserWarning):
    """A result that stands on few observations."""


class ConvergenceWarning(UserWarning):
    """An estimate whose search ended elsewhere than at an optimum."""


class PartLeftOutWarning(UserWarning):
    """A part that the input is too short, gapped or constant for; the rest of the run stands without it."""


class OvercommitWarning(UserWarning):
    """A tier that promises more present hours than its listed hours can hold: (1 − π) β > 1."""


class PromiseWarning(UserWarning):
    """A tier whose promised π is below the recalls that come with counting a share of its sales as reserve."""


def brief(error: TenorgridError) -> str:
    """The first sentence of an error, and how many more there are: for a warning.

    >>> brief(InputError([Fault(file="a.csv", expected="x"), Fault(file="a.csv", expected="y")]))
    'a.csv: expected x (and 1 more)'
    """
    first, *more = str(error).splitlines()
    return f"{first} (and {len(more)} more)" if more else first


def _sentences(faults: tuple[Fault, ...]) -> Iterable[str]:
    for file, group in groupby(sorted(faults, key=lambda fault: fault.file), key=lambda fault: fault.file):
        found = list(group)
        yield from map(str, found[:SHOWN_PER_FILE])
        if len(found) > SHOWN_PER_FILE:
            yield f"{file}: {len(found) - SHOWN_PER_FILE} more faults"

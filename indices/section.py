"""One table of a TOML file, read key by key: what is missing, of the wrong type, out of range or unknown becomes a fault."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from tenorgrid.data.errors import Fault
from tenorgrid.indices.spans import UNITS, Span

E = TypeVar("E", bound=StrEnum)


class Section:
    """A table at `path` of `file`. Faults go into one list for the whole file; what cannot be read is replaced by a default."""

    def __init__(self, values: Mapping[str, Any], *, path: str, file: str, faults: list[Fault]) -> None:
        self._values, self._path, self._file, self._faults = dict(values), path, file, faults
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there; a key that is asked for is a known one."""
        self._read.add(key)
        return key in self._values

    def fault(self, key: str, expected: str, value: object = None) -> None:
        """Note that what stands at `key` is not as expected."""
        found = None if value is None else str(value)
        self._faults.append(Fault(file=self._file, column=f"{self._path}{key}", value=found, expected=expected))

    def faulty(self, key: str) -> bool:
        """Whether something is wrong with the key, or within it, already: what stands in for it says nothing about the others."""
        name = f"{self._path}{key}"
        return any(fault.column == name or str(fault.column).startswith(f"{name}.") for fault in self._faults)

    def text(self, key: str, *, default: str | None = None) -> str:
        """A text that is not empty."""
        found = self._take(key, default)
        if not isinstance(found, str) or not found:
            self.fault(key, "text", found)
            return ""
        return found

    def number(self, key: str, *, default: float | None = None) -> float:
        """A number, whole or not."""
        found = self._take(key, default)
        if isinstance(found, bool) or not isinstance(found, int | float) or found != found:
            self.fault(key, "a number", found)
            return 0.0
        return float(found)

    def whole(self, key: str, *, least: int, default: int | None = None) -> int:
        """A whole number of at least `least`."""
        found = self._take(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            self.fault(key, f"a whole number of at least {least}", found)
            return least
        return found

    def share(self, key: str, *, below: float) -> float:
        """A number of at least 0 and below `below`."""
        found = self.number(key)
        if not 0 <= found < below:
            self.fault(key, f"a share of at least 0 and below {below:g}", found)
            return 0.0
        return found

    def positive(self, key: str) -> float:
        """A number above 0."""
        found = self.number(key, default=None)
        if found <= 0 and self.has(key):
            self.fault(key, "a number above 0", found)
            return 1.0
        return found

    def span(self, key: str, *, units: Sequence[str] = tuple(UNITS)) -> Span:
        """A length of time such as 7d, 24h or 30min."""
        written = self.text(key)
        match = re.fullmatch(r"([1-9]\d{0,4})([a-z]+)", written)
        if match is None or match[2] not in units:
            if written:
                self.fault(key, f"a length of time in {' or '.join(units)}, like 1{units[0]}", written)
            return Span(number=1, unit=units[0])
        return Span(number=int(match[1]), unit=match[2])

    def choice(self, key: str, kind: type[E], *, default: E | None = None) -> E:
        """One of an Enum's values."""
        found = self._take(key, default)
        if found not in list(kind):
            self.fault(key, f"one of {', '.join(kind)}", found)
            return next(iter(kind))
        return kind(found)

    def choices(self, key: str, kind: type[E]) -> tuple[E, ...]:
        """A list of at least one of an Enum's values, none twice."""
        found = self.texts(key)
        for name in found:
            if name not in list(kind):
                self.fault(key, f"values out of {', '.join(kind)}", name)
        if not found:
            self.fault(key, f"at least one of {', '.join(kind)}")
        return tuple(kind(name) for name in found if name in list(kind))

    def texts(self, key: str, *, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts, none twice."""
        found = self._take(key, default)
        if not isinstance(found, list | tuple) or not all(isinstance(part, str) for part in found) or len(set(found)) < len(found):
            self.fault(key, "a list of different texts", found)
            return ()
        return tuple(found)

    def section(self, key: str) -> "Section":
        """A table within; empty where it is absent."""
        found = self._take(key, {})
        if not isinstance(found, Mapping):
            self.fault(key, "a table", found)
            found = {}
        return Section(found, path=f"{self._path}{key}.", file=self._file, faults=self._faults)

    def sections(self, key: str) -> list["Section"]:
        """A list of tables within; empty where it is absent."""
        found = self._take(key, [])
        if not isinstance(found, list) or not all(isinstance(part, Mapping) for part in found):
            self.fault(key, "a list of tables", found)
            return []
        return [
            Section(part, path=f"{self._path}{key}[{n}].", file=self._file, faults=self._faults) for n, part in enumerate(found, start=1)
        ]

    def names(self) -> tuple[str, ...]:
        """Names of what stands in the table, where the file chooses them."""
        return tuple(self._values)

    def value(self, key: str) -> Any:
        """What stands at a key, for a reader of its own."""
        return self._take(key, None)

    def close(self) -> None:
        """Every key that nobody asked for is a fault."""
        for key in self._values:
            if key not in self._read:
                self.fault(key, f"one of the keys {', '.join(sorted(self._read))}", "an unknown key")

    def _take(self, key: str, default: Any) -> Any:
        self._read.add(key)
        return self._values.get(key, default)

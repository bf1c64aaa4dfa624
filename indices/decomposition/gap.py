"""The gap between two prints as terms: the prints, what each rule adds, every coalition, and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.gaps import GapCoalitions, GapRules, Gaps
from tenorgrid.indices.decomposition.coalitions import Group, Joined
from tenorgrid.indices.decomposition.prints import Print
from tenorgrid.indices.decomposition.rules import FILTER, meaning

BESIDE = " + "
FEWEST = 2  # decimals of a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a rule adds to the gap: its Shapley value, and the least and most over all orders in which rules are exchanged.

    `alone` is what it adds to the other's print where it alone is the one's, `last` where all other rules are the one's already. `keys`
    are those in which the files differ.
    """

    rules: Group
    value: float
    lowest: float
    highest: float
    alone: float
    last: float
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rules, as one name."""
        return BESIDE.join(self.rules)

    @property
    def turns(self) -> bool:
        """Whether it raises the print beside some rules and lowers it beside others."""
        return self.lowest < 0 < self.highest


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A rule in which the files differ and no coalition could, and why."""

    rule: str
    reason: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coalition:
    """The one methodology with `taken` rules of the other, and its print."""

    taken: Group
    printed: Print


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Two prints of one thing, and why they differ: `shares` sum to `size`.

    `indices` and `names` are what the two call the index and themselves; `joined` are rules that could only be exchanged together.
    """

    indices: tuple[str, str]
    names: tuple[str, str]
    when: date | datetime
    one: Print
    other: Print
    shares: tuple[Share, ...]
    coalitions: tuple[Coalition, ...]
    joined: tuple[Joined, ...]
    idle: tuple[Idle, ...]

    @property
    def size(self) -> float:
        """The one print less the other."""
        return worth(self.one) - worth(self.other)

    @property
    def moment(self) -> str:
        """The day, or the moment in UTC, as text."""
        return f"{self.when.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if isinstance(self.when, datetime) else str(self.when)

    @property
    def sentence(self) -> str:
        """Both prints, and what each rule adds to their gap, the largest first."""
        digits = max(FEWEST, *(len(repr(worth(end)).partition(".")[2]) for end in (self.one, self.other)))
        prints = f"{self.names[0]} prints {worth(self.one):.{digits}f} and {self.names[1]} {worth(self.other):.{digits}f}"
        of = self.indices[0] if len(set(self.indices)) == 1 else f"{self.indices[0]}, which is {self.indices[1]} there,"
        head = f"{prints} for {of} on {self.moment} ({self.one.unit}), a gap of {_signed(self.size, digits)}"
        counted = [share for share in self.shares if share.lowest or share.highest]
        parts = [f"{_signed(part.value, digits)} from {_said(part)}" for part in sorted(counted, key=lambda part: -abs(part.value))]
        if not parts:
            return f"{head}: no rule moves it."
        turning = [f"{_said(part)} ({_signed(part.lowest, digits)} to {_signed(part.highest, digits)})" for part in counted if part.turns]
        tail = f" Which way it pulls depends on the other rules for {', '.join(turning)}." if turning else ""
        return f"{head}: {', '.join(parts)}.{tail}"


def worth(printed: Print) -> float:
    """The value of a print that has one.

    Raises `ValueError` for one that has none: a gap is never made of such.
    """
    if printed.value is None:
        raise ValueError(f"{printed.index} has no value at {printed.start}")
    return printed.value


def gaps_table(found: Sequence[Gap]) -> pl.DataFrame:
    """`Gaps`, a row an index."""
    rows = [
        {
            "index": gap.indices[0], "index_against": gap.indices[1], "when": gap.moment, "methodology": gap.names[0],
            "against": gap.names[1],
            "start": gap.one.start, "start_against": gap.other.start, "value": gap.one.value, "value_against": gap.other.value,
            "status": gap.one.status, "status_against": gap.other.status, "unit": gap.one.unit, "gap": gap.size, "sentence": gap.sentence,
        }
        for gap in found
    ]  # fmt: skip
    return checked(pl.DataFrame(rows, schema=_columns(Gaps)), Gaps, name="gaps")


def rules_table(found: Sequence[Gap]) -> pl.DataFrame:
    """`GapRules`, a row an index and rule, those that no coalition was made of last."""
    rows = [
        {
            "index": gap.indices[0], "rule": share.name, "meaning": "; ".join(map(meaning, share.rules)), "share": share.value,
            "lowest": share.lowest, "highest": share.highest, "alone": share.alone, "last": share.last, "exchanged": True,
            "note": _note(share, gap), "keys": " ".join(share.keys),
        }
        for gap in found
        for share in gap.shares
    ] + [
        {
            "index": gap.indices[0], "rule": idle.rule, "meaning": meaning(idle.rule), "share": 0.0, "lowest": 0.0, "highest": 0.0,
            "alone": 0.0, "last": 0.0, "exchanged": False, "note": idle.reason, "keys": " ".join(idle.keys),
        }
        for gap in found
        for idle in gap.idle
    ]  # fmt: skip
    return checked(pl.DataFrame(rows, schema=_columns(GapRules)), GapRules, name="gap_rules")


def coalitions_table(found: Sequence[Gap]) -> pl.DataFrame:
    """`GapCoalitions`, a row an index and coalition."""
    rows = [
        {
            "index": gap.indices[0], "taken": ", ".join(part.taken), "value": part.printed.value, "status": part.printed.status,
            "level": part.printed.level,
        }
        for gap in found
        for part in gap.coalitions
    ]  # fmt: skip
    return checked(pl.DataFrame(rows, schema=_columns(GapCoalitions)), GapCoalitions, name="gap_coalitions")


def _columns(schema: type[Gaps] | type[GapRules] | type[GapCoalitions]) -> dict[str, pl.DataType]:
    return {name: column.dtype for name, column in schema.columns().items()}


def _note(share: Share, gap: Gap) -> str | None:
    return next((f"together: {part.reason}" for part in gap.joined if part.rules == share.rules), None)


def _said(share: Share) -> str:
    rules = [f"filter {rule.removeprefix(FILTER)!r}" if rule.startswith(FILTER) else rule for rule in share.rules]
    return f"the {', '.join(rules[:-1])} and {rules[-1]} together" if len(rules) > 1 else f"the {rules[0]}"


def _signed(value: float, digits: int) -> str:
    """A number with its sign, a true minus.

    >>> _signed(-0.25, 2), _signed(1e-9, 2)
    ('−0.25', '+0.00')
    """
    return f"{value + 0.0:+.{digits}f}".replace("-", "−")

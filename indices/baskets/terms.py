"""What a basket says, as frozen terms: what is in it, in which quantities, by which formula, from when on, and what happens when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tenorgrid.data.kinds.index import BasketQuantity, IndexFormula, MissingMark, Rebalancing, Rounding, Splice

INSTANT = timedelta(microseconds=1)
POINTS = "index points"  # the unit of a basket whose base value is a plain number


@dataclass(frozen=True, slots=True, kw_only=True)
class Constituent:
    """A mark, by the name of its index, or the mark of another basket, with its quantity or its share of value where the file has it.

    It is in the basket from the first rebalancing that closes a day of [first, end); None is no limit.
    """

    index: str
    basket: str | None = None
    quantity: float | None = None
    share: float | None = None
    first: date | None = None
    end: date | None = None

    def holds(self, day: date) -> bool:
        """Whether a rebalancing at the close of `day` takes it in."""
        return (self.first is None or self.first <= day) and (self.end is None or day < self.end)

    def meets(self, other: "Constituent") -> bool:
        """Whether there is a day on which both may be taken in."""
        first, end = max(self.first or date.min, other.first or date.min), min(self.end or date.max, other.end or date.max)
        return first < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rule by which each rebalancing chooses constituents.

    Indices whose names match one of the patterns, with marks published on at least `published_days` of the last `of_days` days; of them
    at most `most`, those with the largest quantities.
    """

    like: tuple[str, ...]
    published_days: int
    of_days: int
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRule:
    """Which marks of constituents may be used, and what becomes of the basket where there is none."""

    low_confidence: bool
    carried: bool
    missing: MissingMark
    carry_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Periods that a multilateral formula sees at once, and how a new window is linked to what is published."""

    periods: int
    splice: Splice


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """The whole rule of a basket, with the baskets in it, and the SHA-256 of its file and theirs.

    `base_date` None is the first day on which every listed constituent has a mark; `base_value` None is the mean price on that day.
    `quantity_days`: of quantities behind marks, the days up to a rebalancing or a period over which their mean is taken.
    `published` and `low_confidence` are the least shares of the basket's value that must stand on marks that are published, and that are
    published or of low confidence.
    """

    name: str
    index: str
    hash: str
    source: str
    timezone: str
    formula: IndexFormula
    base_date: date | None
    base_value: float | None
    quantities: BasketQuantity
    quantity_days: int
    rebalancing: Rebalancing
    dates: tuple[date, ...]
    window: Window | None
    marks: MarkRule
    published: float
    low_confidence: float
    decimals: int
    rounding: Rounding
    constituents: tuple[Constituent, ...] = ()
    selection: Selection | None = None
    parts: Mapping[str, "Basket"] = field(default_factory=dict)

    def stages(self) -> Iterator["Basket"]:
        """The baskets in this one and itself, each after those that it holds and once."""
        seen: set[str] = set()
        for part in self.parts.values():
            for inner in part.stages():
                if inner.name not in seen:
                    seen.add(inner.name)
                    yield inner
        yield self

    def closed_on(self, end: datetime) -> date:
        """The local day in which a period that ends at `end` closes: the day that its mark is of.

        >>> from datetime import UTC
        >>> from tenorgrid.indices.baskets.file import load_basket
        >>> load_basket("hopper-us").closed_on(datetime(2027, 3, 15, 4, tzinfo=UTC)).isoformat()
        '2027-03-14'
        """
        return (end - INSTANT).astimezone(ZoneInfo(self.timezone)).date()

    def rebalances(self, day: date, following: date | None) -> bool:
        """Whether the basket is rebalanced at the close of `day`, the next day with marks being `following`; None is not known yet."""
        if self.rebalancing is Rebalancing.NEVER:
            return False
        after = following or day + timedelta(days=1)
        if self.rebalancing is Rebalancing.DATES:
            return any(day <= listed < after for listed in self.dates)
        return self.rebalancing is Rebalancing.DAILY or _span(day, self.rebalancing) != _span(after, self.rebalancing)


def _span(day: date, rebalancing: Rebalancing) -> tuple[int, int]:
    """The month, quarter or year that a day lies in."""
    months = {Rebalancing.MONTHLY: 1, Rebalancing.QUARTERLY: 3, Rebalancing.YEARLY: 12}[rebalancing]
    return day.year, (day.month - 1) // months

"""What an index methodology says, as frozen terms: evidence in order of trust, how it counts, and when it is enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from tenorgrid.data.kinds.index import (
    Calendar,
    Estimator,
    FilterRule,
    MedianTie,
    ObservationKind,
    Pooling,
    Rounding,
    Terms,
    Vote,
    Weighting,
)
from tenorgrid.indices.normalisation.characteristics import Model
from tenorgrid.indices.review_terms import Review
from tenorgrid.indices.spans import Span

Comparison: TypeAlias = Literal["at_least", "above", "at_most", "below", "one_of", "differs_from"]
Limit: TypeAlias = float | str | tuple[str, ...]
Within: TypeAlias = Literal["period", "window"]

# what a calculation calls its own columns
RESERVED = ("index", "day", "seen", "period", "start", "end", "part", "weight", "label", "digest", "unadjusted", "rule", "value", "limit")
ANYWHERE = "*"  # member of a group that takes in every region


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What an observation must show in one column; `missing` says what becomes of a null there.

    `limit` is a number, a list of texts for `one_of`, or the name of another column for `differs_from`.
    """

    column: str
    comparison: Comparison
    limit: Limit
    missing: Literal["exclude", "keep"] = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One rule that takes observations out, `within` the period in which they were seen or the whole window of a mark.

    `limit` is the rule's own number (sigmas, deviations, fences, share, distance, move); `at_least` the number of observations, or of
    venues, from which on the rule is applied, or which it asks for; `trim` belongs to sigma, `column` to the erroneous venue, `lowest` and
    `highest` to the price bounds, `age` to staleness and `back` (periods) to the jump.
    """

    rule: FilterRule
    within: Within
    limit: float = 0.0
    at_least: int = 1
    trim: float = 0.0
    column: str = "provider"
    lowest: float | None = None
    highest: float | None = None
    age: timedelta | None = None
    back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a vote weighs: the product of `by`, after which no contributor has more than `cap` or less than `floor` of the whole.

    `half_life` belongs to recency, `confidence` (the name of an attribute) to confidence.
    """

    by: tuple[Weighting, ...]
    half_life: timedelta | None = None
    confidence: str | None = None
    cap: float | None = None
    floor: float | None = None

    @property
    def plain(self) -> bool:
        """Whether every vote weighs the same."""
        return self.by == (Weighting.EQUAL,) and self.cap is None and self.floor is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufficiency:
    """The least that must stand behind a print, and the largest share of the weight that one contributor may have before caps."""

    observations: int = 1
    contributors: int = 1
    days: int = 1
    partitions: int = 1
    quantity: float = 0.0
    largest_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One kind of evidence and how it becomes a value; the levels of a methodology stand in the order in which they are tried.

    `publish` None: what this level gives is never more than low-confidence. `review` makes the attribute that confidence weighs by, where
    no column of the observations does. `vote` belongs to pooling by contributor, `trim` to the
    trimmed and winsorised means, `tie` to the weighted medians.
    """

    name: str
    kinds: tuple[ObservationKind, ...]
    weights: Weights
    pooling: Pooling
    estimator: Estimator
    low_confidence: Sufficiency
    publish: Sufficiency | None = None
    requirements: tuple[Requirement, ...] = ()
    filters: tuple[Filter, ...] = ()
    vote: Vote | None = None
    trim: float | None = None
    tie: MedianTie | None = None
    partitions: int = 1
    review: Review | None = None

    @property
    def columns(self) -> set[str]:
        """Columns of the observations that the level reads beyond time and price."""
        other = {part.limit for part in self.requirements if isinstance(part.limit, str)}
        venues = {part.column for part in self.filters if part.rule is FilterRule.VENUE}
        confidence = set() if self.weights.confidence is None else {self.weights.confidence}
        return {part.column for part in self.requirements} | other | venues | confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """Which regions an index name may hold: a region's own and those of its groups, or `everything` under one name.

    A group lists regions; `*` takes in every region, and observations that name none.
    """

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    everything: str | None = None

    def labels(self, region: str | None) -> tuple[str, ...]:
        """Names under which an observation of `region` is indexed.

        >>> regions = Regions(groups={"US": ("us-east", "us-west"), "GLOBAL": (ANYWHERE,)})
        >>> regions.labels("us-east"), regions.labels(None)
        (('GLOBAL', 'US', 'US-EAST'), ('GLOBAL',))
        """
        if self.everything is not None:
            return (self.everything,)
        own = set() if region is None else {region.upper()}
        return tuple(sorted(own | {group for group, members in self.groups.items() if ANYWHERE in members or region in members}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What stands in where no level suffices: the last print for `carry` periods, then nothing.

    After a longer gap, and at its beginning, an index prints again once `resume` periods suffice without such a gap between them. An index
    of which none of the last `carry + cease_after` periods suffices has ceased: it has no marks, not even withheld ones.
    """

    carry: int
    resume: int = 1
    cease_after: int | None = None

    @property
    def reach(self) -> int:
        """Periods before its own that a mark can depend on."""
        return self.resume * (self.carry + 1) + (self.cease_after or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """A print may be replaced until `until` after its publication (None: never), where it moves by more than the share `above`."""

    until: timedelta | None
    above: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Methodology:
    """The whole rule of an index family, and the SHA-256 of the file it stands in."""

    name: str
    hash: str
    source: str
    timezone: str
    calendar: Calendar
    cut_off: time | None  # None is 24:00, the end of the day
    every: Span
    window: Span
    horizons: tuple[str, ...]
    decimals: int
    rounding: Rounding
    regions: Regions
    terms: Terms
    levels: tuple[Level, ...]
    fallback: Fallback
    restatement: Restatement
    normalisation: Model | None = None

    @property
    def daily(self) -> bool:
        """Whether there is one mark a day."""
        return self.every.days == 1

    def closes(self, day: date) -> datetime:
        """The cut-off of `day`, in UTC; a day runs from the cut-off before it to this one.

        >>> from tenorgrid.indices.methodology import load
        >>> load("house").closes(date(2027, 3, 14)).isoformat()
        '2027-03-15T04:00:00+00:00'
        """
        zone = ZoneInfo(self.timezone)
        local = datetime.combine(day + timedelta(1), time(0), zone) if self.cut_off is None else datetime.combine(day, self.cut_off, zone)
        return local.astimezone(ZoneInfo("UTC"))

    def opens(self, day: date) -> datetime:
        """First instant of `day`, in UTC."""
        return self.closes(day - timedelta(1))

    def day_of(self, moment: datetime) -> date:
        """The day that holds `moment`.

        >>> from tenorgrid.indices.methodology import load
        >>> load("house").day_of(datetime(2027, 3, 16, 3, 59, tzinfo=ZoneInfo("UTC"))).isoformat()
        '2027-03-15'
        """
        day = moment.astimezone(ZoneInfo(self.timezone)).date()
        return day if moment < self.closes(day) else day + timedelta(1)

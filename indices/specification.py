"""What an index methodology says, as frozen terms: evidence in order of trust, how it counts, and when it is enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from tenorgrid.data.kinds import Estimator, MedianTie, ObservationKind, Pooling, Rounding, Weighting

Comparison: TypeAlias = Literal["at_least", "above", "at_most", "below", "one_of"]
Limit: TypeAlias = float | tuple[str, ...]

RESERVED = ("index", "day", "seen", "label", "digest", "rule", "value", "limit")  # what a calculation calls its own columns
ANYWHERE = "*"  # member of a group that takes in every region


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What an observation must show in one column; `missing` says what becomes of a null there."""

    column: str
    comparison: Comparison
    limit: Limit
    missing: Literal["exclude", "keep"] = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierScreen:
    """Each day's prices further than `sigmas` deviations from the mean without `trim` at each end go, from `at_least` prices on."""

    trim: float
    sigmas: float
    at_least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufficiency:
    """The least that must stand behind a print."""

    observations: int = 1
    contributors: int = 1
    days: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One kind of evidence and how it becomes a value; the levels of a methodology stand in the order in which they are tried.

    `publish` None: what this level gives is never more than low-confidence. `trim` belongs to the trimmed mean, `tie` to the
    volume-weighted median, `partitions` to the two estimators that weigh by quantity.
    """

    name: str
    kinds: tuple[ObservationKind, ...]
    weighting: Weighting
    pooling: Pooling
    estimator: Estimator
    low_confidence: Sufficiency
    publish: Sufficiency | None = None
    requirements: tuple[Requirement, ...] = ()
    day_at_least: int = 1
    outliers: OutlierScreen | None = None
    trim: float | None = None
    tie: MedianTie | None = None
    partitions: int = 1


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
class Methodology:
    """The whole rule of an index family, and the SHA-256 of the file it stands in."""

    name: str
    hash: str
    source: str
    timezone: str
    cut_off: time | None  # None is 24:00, the end of the day
    window_days: int
    horizons: tuple[str, ...]
    decimals: int
    rounding: Rounding
    regions: Regions
    levels: tuple[Level, ...]
    carry_days: int

    def closes(self, day: date) -> datetime:
        """The cut-off of `day`, in UTC; the period of a day's mark runs from the cut-off before it to this one.

        >>> from tenorgrid.indices.methodology import load
        >>> load("house").closes(date(2027, 3, 14)).isoformat()
        '2027-03-15T04:00:00+00:00'
        """
        zone = ZoneInfo(self.timezone)
        local = datetime.combine(day + timedelta(1), time(0), zone) if self.cut_off is None else datetime.combine(day, self.cut_off, zone)
        return local.astimezone(ZoneInfo("UTC"))

    def opens(self, day: date) -> datetime:
        """First instant of the period of `day`'s mark, in UTC."""
        return self.closes(day - timedelta(1))

    def day_of(self, moment: datetime) -> date:
        """The day whose period holds `moment`.

        >>> from tenorgrid.indices.methodology import load
        >>> load("house").day_of(datetime(2027, 3, 16, 3, 59, tzinfo=ZoneInfo("UTC"))).isoformat()
        '2027-03-15'
        """
        day = moment.astimezone(ZoneInfo(self.timezone)).date()
        return day if moment < self.closes(day) else day + timedelta(1)

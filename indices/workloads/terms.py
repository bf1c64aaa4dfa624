"""What a basket of workloads says, as frozen terms: which work, by which figures, under which limit, at which prices, in which shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tenorgrid.data.kinds.index import Rounding
from tenorgrid.data.kinds.work import Architecture, FamilyShares, WorkClass

PACKAGED = "packaged"  # the figures, cited line by line, that the packaged market is made of
NO_LIMIT = "none"
POINTS = "index points"
BASE_LEVEL = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Where recipes come from: figures that come with the package by their name, or a benchmark's file as the definition writes it."""

    name: str
    shipped: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadTerm:
    """One workload: `model` at `limit` of `figures`; one `unit` of the index is `work` times the figures' own unit `of`.

    `gib` is data carried to where work is done, GiB in one unit of the index.
    """

    index: str
    kind: WorkClass
    architecture: Architecture
    figures: str
    model: str
    limit: str
    unit: str
    of: str
    work: float
    weight: float
    gib: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An index above those of workloads: of one class, of one architecture, or of both; None is any."""

    index: str
    kind: WorkClass | None
    architecture: Architecture | None
    shares: FamilyShares
    base: date | None  # None is the first day on which every workload of it has a mark

    def holds(self, workload: WorkloadTerm) -> bool:
        """Whether the workload belongs to the family."""
        return self.kind in (None, workload.kind) and self.architecture in (None, workload.architecture)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where work is asked for, and what it costs to carry a GiB of it to each place where it may be done."""

    name: str
    places: Mapping[str, float]  # USD per GiB by region of the marks


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadBasket:
    """The whole rule of a basket of workloads, and the SHA-256 of its file.

    `marks` names the methodology of the marks per GPU-hour. `leaving_days`: days for which a mark is of low confidence after the cheapest
    recipe lost a mark that it needs. `auxiliary`: USD per resource-hour of what stands beside accelerators and has no mark of its own.
    """

    name: str
    hash: str
    source: str
    marks: str
    low_confidence: bool
    carried: bool
    leaving_days: int
    decimals: int
    rounding: Rounding
    auxiliary: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, Figures] = field(default_factory=dict)
    homes: tuple[Home, ...] = ()  # none: each region of the marks is a home of its own
    workloads: tuple[WorkloadTerm, ...] = ()
    families: tuple[Family, ...] = ()

    def members(self, family: Family) -> tuple[WorkloadTerm, ...]:
        """Workloads of a family."""
        return tuple(workload for workload in self.workloads if family.holds(workload))

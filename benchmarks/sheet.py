"""The markets of the benchmarks as plain arrays, from which every tool writes its own model; synthetic, the same from the same seed.

Three regions with links between each two; two classes of GPU with processors, memory, network and disk beside them; two workloads that
run on either class, at home or over a link. In every hour every step of a bid or offer has a price and a quantity of its own.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Kind = Literal["plain", "flexible", "whole"]

REGIONS = ("east", "north", "west")
RESOURCES = ("h100", "b200", "vcpu", "ram_gib", "net_gbps", "disk_tib")
LOW = np.array([1.5, 3.0, 0.010, 0.0020, 0.010, 0.050])  # USD per resource-hour
HIGH = np.array([4.0, 7.0, 0.040, 0.0060, 0.030, 0.150])
SIZE = np.array([10.0, 10.0, 280.0, 3000.0, 1200.0, 40.0])  # mean quantity of a step
WORKLOADS = ("chat", "code")
EGRESS = np.array([1.0, 0.5])  # GiB per unit of work
USE = np.array([  # resource-hours of an hour of each recipe: workload, class of GPU, resource
    [[1.0, 0.0, 12.0, 128.0, 50.0, 1.5], [0.0, 1.0, 16.0, 192.0, 50.0, 2.0]],
    [[1.0, 0.0, 8.0, 96.0, 100.0, 0.5], [0.0, 1.0, 12.0, 128.0, 100.0, 1.0]],
])  # fmt: skip
OUTPUT = np.array([[1.0, 2.2], [1.1, 2.0]])  # units of work per hour of a recipe
CAPACITY, CARRIAGE = 2000.0, 0.05  # GiB per hour, USD per GiB, of each link
LINKS = tuple((a, b) for a in range(len(REGIONS)) for b in range(len(REGIONS)) if a != b)
NODES = len(REGIONS) * len(RESOURCES)
CLASSES = len(WORKLOADS) * len(REGIONS)
SEED = 2027
OFFERED, WANTED = 0.4, 0.6  # of the steps of an hour
JOBS, BLOCKS, GANGS = 500, 500, 500


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Every way to do work: a recipe in a place for a class of bids (workload and home)."""

    of_class: Places
    output: Vector  # units of work per recipe-hour
    use: Vector = field(repr=False)  # (nodes, ways) resource-hours per recipe-hour
    link: Places  # -1 at home
    moved: Vector  # GiB per recipe-hour; 0 at home


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Orders over windows of hours [first, end). Columns that a kind of order does not have are zero."""

    place: Places  # node of a block, class of a job or gang
    first: Places
    end: Places
    quantity: Vector  # per hour
    price: Vector  # cost or value of a unit
    total: Vector  # of a job, over its window
    share: Vector  # least share of a gang
    start_cost: Vector  # of a block
    least: Places  # hours of its shortest run

    @property
    def count(self) -> int:
        """How many."""
        return self.place.size

    def inside(self, hours: int) -> npt.NDArray[np.bool_]:
        """(hours, orders) whether the window holds the hour."""
        hour = np.arange(hours)[:, None]
        return (hour >= self.first) & (hour < self.end)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One market over some hours."""

    hours: int
    node: Places = field(repr=False)  # (offers,)
    offered: Vector = field(repr=False)  # (hours, offers) resource-hours
    cost: Vector = field(repr=False)
    group: Places = field(repr=False)  # (bids,) class
    wanted: Vector = field(repr=False)  # (hours, bids) units of work
    value: Vector = field(repr=False)
    jobs: Windows = field(repr=False)
    gangs: Windows = field(repr=False)
    blocks: Windows = field(repr=False)


def ways() -> Ways:
    """Workload by home by recipe by place."""
    found = [
        (w, home, r, at) for w in range(len(WORKLOADS)) for home in range(len(REGIONS)) for r in range(2) for at in range(len(REGIONS))
    ]
    use = np.zeros((NODES, len(found)))
    for way, (w, _, r, at) in enumerate(found):
        use[at * len(RESOURCES) : (at + 1) * len(RESOURCES), way] = USE[w, r]
    link = np.array([-1 if home == at else LINKS.index((home, at)) for _, home, _, at in found])
    output = np.array([OUTPUT[w, r] for w, _, r, _ in found])
    moved = np.where(link < 0, 0.0, output * np.array([EGRESS[w] for w, *_ in found]))
    return Ways(of_class=np.array([w * len(REGIONS) + home for w, home, _, _ in found]), output=output, use=use, link=link, moved=moved)


def sheet(kind: Kind, hours: int, steps: int = 5000, *, jobs: int = JOBS, blocks: int = BLOCKS, gangs: int = GANGS) -> Sheet:
    """A market of `steps` steps of bids and offers an hour.

    Args:
        kind: plain has nothing that ties hours; flexible has jobs with a total besides; whole has blocks, start costs and gangs.
        hours: how many, from the first.
        steps: of bids and offers together, in every hour.
        jobs, blocks, gangs: how many of the kind's own.
    """
    rng = np.random.default_rng(SEED)
    offers, bids = round(steps * OFFERED), round(steps * WANTED)
    node, group = np.arange(offers) % NODES, np.arange(bids) % CLASSES
    at = node % len(RESOURCES)
    scale = 2000.0 / offers  # the market is as large whatever the number of steps
    flexible, whole = kind == "flexible", kind == "whole"
    return Sheet(
        hours=hours,
        node=node,
        offered=SIZE[at] * scale * rng.uniform(0.1, 1.9, (hours, offers)),
        cost=LOW[at] + (HIGH - LOW)[at] * rng.uniform(0.0, 1.0, (hours, offers)),
        group=group,
        wanted=scale * rng.uniform(0.5, 9.5, (hours, bids)),
        value=rng.uniform(1.0, 9.0, (hours, bids)),
        jobs=_jobs(rng, hours, jobs if flexible else 0),
        gangs=_gangs(rng, hours, gangs if whole else 0),
        blocks=_blocks(rng, hours, blocks if whole else 0),
    )


def _jobs(rng: np.random.Generator, hours: int, count: int) -> Windows:
    """Work that may be done at any hour of a window, up to two fifths of what its rate would allow."""
    first, end = _windows(rng, hours, count, shortest=12, longest=96)
    rate = rng.uniform(2.0, 12.0, count)
    total = 0.4 * rate * (end - first)
    return _orders(
        count, place=np.arange(count) % CLASSES, first=first, end=end, quantity=rate, price=rng.uniform(2.0, 7.0, count), total=total
    )


def _gangs(rng: np.random.Generator, hours: int, count: int) -> Windows:
    """Jobs that get at least three quarters of their rate in every hour of their window, or nothing at all."""
    first, end = _windows(rng, hours, count, shortest=4, longest=12)
    quantity, price = rng.uniform(2.0, 16.0, count), rng.uniform(2.0, 7.0, count)
    return _orders(
        count, place=np.arange(count) % CLASSES, first=first, end=end, quantity=quantity, price=price, share=np.full(count, 0.75)
    )


def _blocks(rng: np.random.Generator, hours: int, count: int) -> Windows:
    """GPUs that are sold wholly or not at all in each hour; every second one has a start cost and runs for four hours at least."""
    place = (np.arange(count) % len(REGIONS)) * len(RESOURCES) + (np.arange(count) // len(REGIONS)) % 2
    slow = np.arange(count) % 2 == 0
    first, end = _windows(rng, hours, count, shortest=4, longest=12)
    kind = place % len(RESOURCES)
    quantity = np.full(count, 8.0)  # a server
    price = LOW[kind] + (HIGH - LOW)[kind] * rng.uniform(0.1, 0.9, count)
    return _orders(
        count, place=place, first=np.where(slow, 0, first), end=np.where(slow, hours, end), quantity=quantity, price=price,
        start_cost=np.where(slow, quantity * rng.uniform(0.5, 3.0, count), 0.0), least=np.where(slow, min(4, hours), 1),
    )  # fmt: skip


def _windows(rng: np.random.Generator, hours: int, count: int, *, shortest: int, longest: int) -> tuple[Places, Places]:
    length = np.minimum(rng.integers(shortest, longest + 1, count), hours)
    first = np.floor(rng.uniform(0.0, 1.0, count) * (hours - length + 1)).astype(np.int64)
    return first, first + length


def _orders(
    count: int, *, place: Places, first: Places, end: Places, quantity: Vector, price: Vector, **more: npt.NDArray[np.generic]
) -> Windows:
    columns = {"total": np.zeros(count), "share": np.zeros(count), "start_cost": np.zeros(count), "least": np.ones(count, np.int64)} | more
    return Windows(place=place, first=first, end=end, quantity=quantity, price=price, **columns)  # type: ignore[arg-type]

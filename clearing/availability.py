"""What a record of presence says of suppliers and pools: availability a, recalls, their correlation ρ, and the moments of a pool."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.autocorrelation import mean_error
from tenorgrid.clearing.pooling import pooled_deviation
from tenorgrid.data.errors import InputError

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

SECONDS = 3600.0
BLOCKS = 20  # of the jackknife
STEADY = 1e-12  # variance below which presence is constant


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A pool's record over the segments of time in which nothing changes and every supplier is recorded.

    `begin` (segments,) is in hours from the record's beginning, `hours` (segments,) the length of each; `listed` and `present` are
    (segments, suppliers) resource-hours per hour; `span` is the time from the first record of any supplier to the last, in hours.
    """

    pool: str
    suppliers: tuple[str, ...]
    begin: Vector
    hours: Vector
    listed: Matrix
    present: Matrix
    span: float

    @cached_property
    def total(self) -> Vector:
        """ΣY, what all suppliers list in each segment, resource-hours per hour, (segments,)."""
        return np.asarray(self.listed.sum(axis=1))

    @cached_property
    def there(self) -> Vector:
        """A, what is present of it, (segments,)."""
        return np.asarray(self.present.sum(axis=1))

    @cached_property
    def share(self) -> Vector:
        """x = A / ΣY in each segment, (segments,)."""
        return np.asarray(self.there / self.total)

    @cached_property
    def weight(self) -> Vector:
        """Share of all listed resource-hours that each segment holds, (segments,)."""
        mass = self.hours * self.total
        return np.asarray(mass / mass.sum())

    @cached_property
    def inventory(self) -> Vector:
        """Mean of what each supplier lists, resource-hours per hour, (suppliers,)."""
        return np.asarray(self.hours @ self.listed / self.hours.sum())

    @cached_property
    def availability(self) -> Vector:
        """a, share of each supplier's listed hours that is present, (suppliers,)."""
        listed = self.hours @ self.listed
        return np.asarray(self.hours @ self.present / np.where(listed > 0, listed, 1.0))

    @cached_property
    def deviations(self) -> Matrix:
        """α − a of each supplier, zero where it lists nothing, (segments, suppliers)."""
        lists = self.listed > 0
        return np.asarray(np.where(lists, self.present / np.where(lists, self.listed, 1.0) - self.availability, 0.0))

    def between(self, begin: float, end: float) -> "Panel":
        """The part of the record in [begin, end), hours from its beginning. Raises InputError where there is none."""
        edge = self.begin + self.hours
        kept = (edge > begin) & (self.begin < end)
        if not kept.any():
            raise InputError.of("traces", f"a record of {self.pool} from hour {begin:g} to {end:g}")
        first, last = np.maximum(self.begin[kept], begin), np.minimum(edge[kept], end)
        return replace(self, begin=first, hours=last - first, listed=self.listed[kept], present=self.present[kept], span=end - begin)


def panels(runs: pl.DataFrame) -> Iterator[Panel]:
    """The record of every pool, by name. Raises `InputError` as `panel` does."""
    for pool in sorted(set(runs["pool"])):
        yield panel(runs.filter(pl.col("pool") == pool), pool=pool)


def panel(runs: pl.DataFrame, *, pool: str) -> Panel:
    """The record of one pool over the time in which all of its suppliers are recorded.

    Args:
        runs: `Runs` of the pool.
        pool: its name.

    Raises `InputError` where no moment has all suppliers, or nothing is ever listed.

    >>> rows = [("p", "a", 0.0, 7200.0, 1.0, 1.0), ("p", "b", 0.0, 3600.0, 3.0, 0.0), ("p", "b", 3600.0, 9000.0, 3.0, 3.0)]
    >>> found = panel(pl.DataFrame(rows, schema=["pool", "supplier", "begin", "end", "listed", "present"], orient="row"), pool="p")
    >>> found.hours, found.share, found.availability
    (array([1., 1.]), array([0.25, 1.  ]), array([1. , 0.5]))
    """
    ordered = runs.sort("supplier", "begin")
    edges = np.unique(ordered.select(pl.concat([pl.col("begin"), pl.col("end")])).to_series().to_numpy())
    starts, hours = edges[:-1], np.diff(edges)
    names = tuple(ordered["supplier"].unique().sort())
    listed, present = np.zeros((starts.size, len(names))), np.zeros((starts.size, len(names)))
    known = np.ones(starts.size, dtype=bool)
    for member, (_, mine) in enumerate(ordered.group_by("supplier", maintain_order=True)):
        begin, end = mine["begin"].to_numpy(), mine["end"].to_numpy()
        run = np.searchsorted(begin, starts, side="right") - 1
        known &= (run >= 0) & (starts < end[run])
        listed[:, member], present[:, member] = mine["listed"].to_numpy()[run], mine["present"].to_numpy()[run]
    kept = known & (listed.sum(axis=1) > 0)
    if not kept.any():
        expected = f"a time in which every supplier of the pool {pool} is recorded and something is listed"
        raise InputError.of("traces", expected, value=f"{len(names)} suppliers that share none")
    return Panel(
        pool=pool,
        suppliers=names,
        begin=starts[kept] / SECONDS,
        hours=hours[kept] / SECONDS,
        listed=listed[kept],
        present=present[kept],
        span=float(edges[-1] - edges[0]) / SECONDS,
    )


def availability_table(record: Panel) -> pl.DataFrame:
    """`Availability` of every supplier of a pool."""
    means, listed, deviations = record.availability, record.inventory, record.deviations
    total, hours = float(record.hours.sum()), record.hours
    falls = recalls(record)
    rows = []
    for member, name in enumerate(record.suppliers):
        a = float(means[member])
        # the influence of each moment on a ratio of means
        pull = record.listed[:, member] * deviations[:, member] / listed[member] if listed[member] > 0 else np.zeros(hours.size)
        error = mean_error(pull, hours)
        margin = None if error is None else error.margin()
        here = float(hours @ (record.listed[:, member] > 0))
        rows.append(
            {
                "pool": record.pool, "supplier": name, "listed": float(listed[member]), "hours": total,
                "availability": min(a, 1.0), "standard_error": None if error is None else error.value,
                "lower": None if margin is None else max(a - margin, 0.0), "upper": None if margin is None else min(a + margin, 1.0),
                "recalls": int(falls[member]),
                "hours_present": a * here / falls[member] if falls[member] else None,
                "hours_absent": (1 - min(a, 1.0)) * here / falls[member] if falls[member] else None,
                "correlation": _correlation(record, member, deviations),
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"hours_present": pl.Float64, "hours_absent": pl.Float64, "correlation": pl.Float64})


def pool_table(record: Panel) -> pl.DataFrame:
    """`Pools`: one row, the pool's moments beside the formula's."""
    share, weight, inventory = record.share, record.weight, record.inventory
    a = float(weight @ share)
    parts = inventory / inventory.sum()
    herfindahl = float(parts @ parts)
    rho, error = recall_correlation(record)
    total = record.total
    spread = mean_error(total * (share - a) / float(record.hours @ total / record.hours.sum()), record.hours)
    # suppliers of unequal spread may be more opposed than equal ones can be
    fits = rho is not None and (1 - rho) * herfindahl + rho >= 0
    row = {
        "pool": record.pool, "suppliers": len(record.suppliers), "hours": float(record.hours.sum()), "recorded_hours": record.span,
        "listed": float(inventory.sum()), "availability": min(a, 1.0), "standard_error": None if spread is None else spread.value,
        "herfindahl": herfindahl, "correlation": rho, "correlation_error": error,
        "deviation": float(np.sqrt(float(weight @ (share - a) ** 2))),
        "formula": pooled_deviation(a, rho, herfindahl=herfindahl) if rho is not None and fits else None,
        "floor": None if rho is None else pooled_deviation(a, max(rho, 0.0), herfindahl=0.0),
    }  # fmt: skip
    nullable = ("standard_error", "correlation", "correlation_error", "formula", "floor")
    return pl.DataFrame([row], schema_overrides=dict.fromkeys(nullable, pl.Float64))


def recalls(record: Panel) -> npt.NDArray[np.int64]:
    """Times that each supplier's share present fell from one segment to the next, (suppliers,)."""
    # a gap in the record is no recall
    joined = np.abs(record.begin[1:] - record.begin[:-1] - record.hours[:-1]) < 1e-9
    lists = (record.listed[1:] > 0) & (record.listed[:-1] > 0)
    fell = np.diff(record.deviations, axis=0) < -1e-12
    return np.asarray((fell & lists & joined[:, None]).sum(axis=0), dtype=np.int64)


def recall_correlation(record: Panel) -> tuple[float | None, float | None]:
    r"""ρ and its standard error: covariances of presence over products of spreads, both weighted by inventory.

    .. math:: \rho = \sum_{o \ne p} w_o w_p \mathrm{Cov}(\alpha_o, \alpha_p) \Big/ \sum_{o \ne p} w_o w_p \sigma_o \sigma_p

    With it the variance of the share present is Σ w² σ² + ρ Σ w w σ σ exactly; for suppliers of one availability that are in or out this
    is a (1 − a) [(1 − ρ) H + ρ]. The error leaves out one twentieth of the record at a time (Künsch, Annals of Statistics 17, 1989).
    None, None where fewer than two suppliers ever change; the error is None where a block leaves nothing that changes.
    """
    mass = record.hours / record.hours.sum()
    alpha = record.deviations
    parts = record.inventory / record.inventory.sum()
    zero, one, two = float(mass.sum()), mass @ alpha, (mass[:, None] * alpha).T @ alpha
    whole = _rho(zero, one, two, parts)
    if whole is None:
        return None, None
    clock = np.cumsum(record.hours) - record.hours / 2
    block = np.minimum((clock / record.hours.sum() * BLOCKS).astype(int), BLOCKS - 1)
    left_out = []
    for number in range(BLOCKS):
        inside = block == number
        part, here = mass[inside], alpha[inside]
        left_out.append(_rho(zero - float(part.sum()), one - part @ here, two - (part[:, None] * here).T @ here, parts))
    if any(value is None for value in left_out):
        return whole, None
    values = np.array(left_out, dtype=float)
    return whole, float(np.sqrt((BLOCKS - 1) / BLOCKS * ((values - values.mean()) ** 2).sum()))


def _rho(zero: float, one: Vector, two: Matrix, parts: Vector) -> float | None:
    """ρ from sums of weights, weighted values and weighted products."""
    if zero <= 0:
        return None
    mean = one / zero
    covariance = two / zero - np.outer(mean, mean)
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    pairs = np.outer(parts, parts) - np.diag(parts**2)
    scale = float((pairs * np.outer(spread, spread)).sum())
    return float((pairs * covariance).sum() / scale) if scale > STEADY else None


def _correlation(record: Panel, member: int, deviations: Matrix) -> float | None:
    """Of one supplier's presence with the share present of all the others."""
    if len(record.suppliers) == 1:
        return None
    rest = record.total - record.listed[:, member]
    lists = (rest > 0) & (record.listed[:, member] > 0)
    if not lists.any():
        return None
    others = (record.there - record.present[:, member])[lists] / rest[lists]
    mine, mass = deviations[lists, member], record.hours[lists] / record.hours[lists].sum()
    mine, others = mine - mass @ mine, others - mass @ others
    scale = float(np.sqrt((mass @ mine**2) * (mass @ others**2)))
    return float(np.clip((mass * mine) @ others / scale, -1.0, 1.0)) if scale > STEADY else None

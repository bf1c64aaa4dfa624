"""A curve of hourly forwards as a linear map of its quotes: a smooth level, a smooth spread for each profile, and a given shape.

    F_h = s_h · (f(h) + Σ_k 1_k(h) g_k(h))      multiplicative shape s
    F_h = s_h +  f(h) + Σ_k 1_k(h) g_k(h)       additive shape s

The level f counts in every hour. A spread g_k counts in the hours of a profile and is there only when quotes of different
profiles need it: two quotes of one month, base and peak, cannot both be met by a function that is smooth across the hours of a day.
All are quartic splines on the boundaries of the quotes' periods. What is least is the bending of level and spreads together, measured

    time:    Σ ∫ f''² dt, as Benth, Koekebakker and Ollmar have it
    period:  Σ_i L_i³ ∫_i f''² dt, L_i the length of interval i: bending per interval, in the interval's own unit of time

The two agree on straight lines and where all intervals are equally long. They part where days meet months: a slope that is
nothing within a day is a dollar over a month, and `time` lets the noise of the last day throw the month off (an April of
mean 2.38 after sixteen noisy days swung between 1.05 and 3.66; measured by period between 2.05 and 2.51).

Where the quotes leave a straight line free, it has the least slope, and a spread the least size.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.linalg import block_diag, qr

from tenorgrid.curves.hours import Counts, Vector, clock, counted
from tenorgrid.curves.methods.piecewise import Polyline, Steps
from tenorgrid.curves.smooth import Spline, smoothest
from tenorgrid.curves.weights import Weights, open_hours
from tenorgrid.data.kinds.contract import Profile

Bending = Literal["period", "time"]
Method = Literal["smooth", "constant", "linear", "tension"]
Ends = Literal["free", "flat", "flat-first", "flat-last"]

BASES: dict[Method, type[Spline]] = {"smooth": Spline, "tension": Spline, "constant": Steps, "linear": Polyline}

SPREAD: dict[str, str] = {Profile.OFF_PEAK: Profile.PEAK, Profile.WEEKDAY: Profile.WEEKEND}  # complements need the spread of the other
TENSION = 3.0
UNDETERMINED = 1e-9  # singular value, relative to the largest, below which no quote speaks of a direction


@dataclass(frozen=True, eq=False, kw_only=True)
class Components:
    """The fitted map: `coefficients` (components, p, m) from quotes to the coefficients of level and spreads."""

    weights: Weights
    spline: Spline
    masks: Vector  # (components, hours), the level's all ones
    factor: Vector  # (hours,) the multiplicative shape, ones without
    powers: Vector  # (hours, 5) averages of the powers of each interval's own unit of time
    coefficients: Vector
    roughness: Vector  # (q, components p), whose squared norm is what bends least

    @cached_property
    def jacobian(self) -> Vector:
        """(hours, m) ∂ forward of each hour / ∂ price of each quote."""
        found = np.zeros((self.factor.size, self.coefficients.shape[2]))
        knots = self.weights.knots
        for mask, coefficients in zip(self.masks, self.coefficients, strict=True):
            local, weighed = self.spline.local @ coefficients, self.powers * (mask * self.factor)[:, None]
            for i, (low, high) in enumerate(pairwise(knots)):
                found[low:high] += weighed[low:high] @ local[i]
        return found

    def sums(self, edges: Counts) -> Vector:
        """(k, m) sums of the Jacobian over hours `[edges[i], edges[i + 1])`, without the Jacobian itself.

        Args:
            edges: (k + 1,) increasing places on the grid, from the first hour to the end.
        """
        knots = self.weights.knots
        cells = np.unique(np.concatenate([edges, knots]))[:-1]
        interval, span = np.searchsorted(knots, cells, side="right") - 1, np.searchsorted(edges, cells, side="right") - 1
        found = np.zeros((edges.size - 1, self.coefficients.shape[2]))
        for mask, coefficients in zip(self.masks, self.coefficients, strict=True):
            local = self.spline.local @ coefficients
            summed = np.add.reduceat(self.powers * (mask * self.factor)[:, None], cells, axis=0)
            np.add.at(found, span, np.einsum("cj,cjm->cm", summed, local[interval]))
        return found

    @cached_property
    def bend(self) -> Vector:
        """(m, m) upper triangle T with |T p|² the bending of the curve through prices p (m,)."""
        return np.asarray(qr(self.roughness @ self.coefficients.reshape(-1, self.coefficients.shape[2]), mode="r")[0])

    def forward(self, price: Vector) -> Vector:
        """(hours,) forwards for prices (m,), without an additive shape; costs less than the Jacobian."""
        local = self.spline.local @ (self.coefficients @ price).T  # (intervals, 5, components)
        found = np.empty(self.factor.size)
        for i, (low, high) in enumerate(pairwise(self.weights.knots)):
            parts = self.powers[low:high] @ local[i]
            found[low:high] = parts[:, 0] if len(self.masks) == 1 else (parts * self.masks[:, low:high].T).sum(axis=1)
        return self.factor * found


def components(
    quotes: Weights, *, factor: Vector, bending: Bending, method: Method = "smooth", ends: Ends = "free", tension: float = TENSION
) -> Components:
    """Level and spreads through independent rows `quotes`, for a multiplicative shape `factor` (hours,).

    Args:
        quotes: independent rows.
        factor: (hours,) multiplicative shape.
        bending: how bending is measured.
        method: what the curve is between knots: `smooth` and `tension` quartic splines, `linear` a polyline, `constant` steps.
        ends: `free`, or a level without slope at the first hour, the last or both.
        tension: τ of `tension`, which adds (τ / L)² ∫ f'² to ∫ f'' ² of each interval of length L (`period`), or of the whole (`time`).

    Raises `numpy.linalg.LinAlgError` when the rows differ on the grid of hours but no smooth curve tells them apart.
    """
    spline = BASES[method](knots=quotes.knots / quotes.knots[-1])
    masks = np.stack([np.ones(factor.size), *_spreads(quotes)])
    powers = _powers(quotes)
    shaped = powers if (factor == 1.0).all() else powers * factor[:, None]
    level, *others = (quotes.moments(shaped if place == 0 else shaped * mask[:, None]) for place, mask in enumerate(masks))
    rows = np.concatenate([_rows(moments, spline) for moments in (level, *others)], axis=1)
    bend = _bending(spline, bending, tension if method == "tension" else 0.0)
    roughness = block_diag(*[bend] * len(masks)) if len(masks) > 1 else bend
    flat = _flat_ends(spline, ends, len(masks))
    ties = np.concatenate([flat, _ties(np.concatenate([rows, flat]), spline, len(masks))])
    found = smoothest(np.concatenate([rows, ties]), roughness)[:, : rows.shape[0]]
    return Components(
        weights=quotes,
        spline=spline,
        masks=masks,
        factor=factor,
        powers=powers,
        coefficients=found.reshape(len(masks), spline.size, -1),
        roughness=roughness,
    )


def _bending(spline: Spline, measure: Bending, tension: float) -> Vector:
    """(q, p) matrix whose squared norm is the bending of one component."""
    length = np.diff(spline.knots)
    power = (length / length.mean()) ** 3 if measure == "period" else np.ones(length.size)
    matrix = spline.bending(power)
    if not tension:
        return matrix
    pull = tension / (length if measure == "period" else np.full(length.size, length.sum()))
    slope = spline.roughness(1)
    return np.concatenate([matrix, slope * np.repeat(np.sqrt(power) * pull, slope.shape[0] // length.size)[:, None]])


def _flat_ends(spline: Spline, ends: Ends, count: int) -> Vector:
    """Rows by which the level has no slope at an end; spreads are left alone."""
    sides: dict[Ends, tuple[Literal["first", "last"], ...]] = {
        "free": (), "flat": ("first", "last"), "flat-first": ("first",), "flat-last": ("last",)
    }  # fmt: skip
    found = np.zeros((len(sides[ends]), count * spline.size))
    for row, side in zip(found, sides[ends], strict=True):
        slope = spline.slope(side)
        row[: spline.size] = slope / np.linalg.norm(slope)
    return found


def _powers(quotes: Weights) -> Vector:
    return np.concatenate([_hours(count) for count in np.diff(quotes.knots).tolist()])


@cache
def _hours(count: int) -> Vector:
    """(count, 5) averages of the powers of u over each hour of an interval of so many: of all months of 744 hours the same."""
    edges = np.arange(count + 1.0)
    found = Spline(knots=edges[[0, -1]]).cells(edges[:-1], edges[1:], np.zeros(count, dtype=np.int64))
    found.flags.writeable = False
    return found


def _rows(moments: Vector, spline: Spline) -> Vector:
    """(m, p) averages of the basis from the moments (m, n, 5) of each interval."""
    return np.asarray(moments.reshape(moments.shape[0], -1) @ spline.local.reshape(-1, spline.size))


def _spreads(quotes: Weights) -> list[Vector]:
    """Hours of each profile, and of each calendar of business days, that needs a spread: none while all quotes count the same hours."""
    counted_alike = {(key[0], key[3]) for key in quotes.keys}
    if len(counted_alike) == 1:
        return []
    needed = {(SPREAD.get(profile, profile), zone) for profile, _, zone, _, _ in quotes.keys if profile != Profile.BASE}
    masks = [counted(quotes.starts, profile, zone) for profile, zone in sorted(needed)]
    calendars = sorted({(zone, calendar) for _, _, zone, calendar, _ in quotes.keys if calendar})
    masks += [open_hours(clock(quotes.starts, zone), calendar) for zone, calendar in calendars]
    found: list[Vector] = []
    for mask in masks:  # a mask that the level and the masks before it add up to would say nothing new
        before = np.stack([np.ones(mask.size), *found]).T
        patterns = np.unique(np.column_stack([before, mask]), axis=0)
        if np.linalg.matrix_rank(patterns) > np.linalg.matrix_rank(patterns[:, :-1]):
            found.append(mask.astype(np.float64))
    return found


def _ties(rows: Vector, spline: Spline, count: int) -> Vector:
    """Rows that choose among the straight lines which the quotes leave free: least ∫ f'² over all, and least ∫ g² of spreads.

    A line z that no quote sees may be added at no cost in ∫ f''². The least of the second objective has zero derivative along z,
    which is one linear condition on the coefficients, so it can stand beside the averages.
    """
    lines = block_diag(*[spline.line()] * count)
    _, size, directions = np.linalg.svd(rows @ lines)
    rank = int((size > UNDETERMINED * size[0]).sum())
    free = lines @ directions[rank:].T
    if not free.size:
        return np.empty((0, rows.shape[1]))
    slope, level = spline.roughness(1), spline.roughness(0)
    sizes = block_diag(np.zeros_like(level), *[level] * (count - 1))
    measure = np.concatenate([block_diag(*[slope] * count), sizes])
    found = (measure @ free).T @ measure
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))

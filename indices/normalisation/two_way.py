"""Least squares with an effect of every product and of every period, solved by cells: the kernel of the time-product-dummy.

Prices are pooled into cells of product and period; of the two sides the one with more members is eliminated, so that what is left to
solve is a matrix of the smaller side (a Schur complement). Nothing with as many columns as there are products and periods is ever made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.sparse.csgraph import connected_components

from tenorgrid.data.errors import InputError

Vector: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.integer]
Errors: TypeAlias = Literal["classical", "robust", "cluster"]

CELLS = 1 << 19  # of a block: what is summed into stays in the processor's cache
SHORT = 1 << 16  # codes below this are sorted in one pass over the rows, by radix


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """Rows sorted by their code on the large side, and what of them the small side needs.

    `schur` is D − Σ_l A_l A_lᵀ / W_l, where A_l holds the weights of a member l of the large side by member of the small side, W_l is
    their sum and D the diagonal of the small side's own weights; `right` is the same of weight times value.
    """

    by_period: bool  # whether the small side is that of the periods
    large: Codes
    small: Codes
    value: Vector
    weight: Vector | None  # None is 1 for every row
    edges: npt.NDArray[np.int64]  # (large + 1,) where the rows of each member begin
    mass: Vector  # (large,) sum of weights
    mean: Vector  # (large,) weighted mean of the values
    own: Vector  # (small,) sum of weights
    met: npt.NDArray[np.int64]  # (large,) members of the small side that each is seen with
    own_met: npt.NDArray[np.int64]  # (small,) members of the large side that each is seen with
    schur: Matrix
    right: Vector

    @property
    def size(self) -> int:
        """Members of the small side."""
        return self.own.size

    @cached_property
    def parts(self) -> npt.NDArray[np.int32]:
        """(small,) the part that each member belongs to: members of two parts are never seen with a common member of the other side."""
        joined = self.schur != 0  # off the diagonal a sum of products of weights above 0: no two of them cancel
        return np.asarray(connected_components(joined, directed=False)[1])

    def far_parts(self) -> npt.NDArray[np.int32]:
        """(large,) the same of the large side."""
        return np.asarray(self.parts[self.small[self.edges[:-1]]])

    def blocks(self) -> Iterator[tuple[slice, slice, Codes]]:
        """Members of the large side, their rows, and the cell of each row within the block."""
        step = max(1, CELLS // self.size)
        for first in range(0, self.mass.size, step):
            end = min(first + step, self.mass.size)
            rows = slice(int(self.edges[first]), int(self.edges[end]))
            yield slice(first, end), rows, (self.large[rows] - first) * self.size + self.small[rows]

    def cells(self, members: slice, at: Codes, amount: Vector | None) -> Matrix:
        """(members, small) sums of an amount a row, or the number of rows."""
        count = members.stop - members.start
        return np.bincount(at, amount, count * self.size).reshape(count, self.size).astype(np.float64, copy=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoWay:
    """Effects that fit, and how sure the periods' are.

    `period` is relative to the base period, whose effect is 0; `product` is the log price of each product in the base period. `variance`
    is that of `period`; NaN where no degree of freedom is left.
    """

    product: Vector
    period: Vector
    variance: Vector
    rows: int
    free: int  # degrees of freedom of the residuals
    squares: float  # weighted sum of squared residuals
    total: float  # of squared deviations from the weighted mean
    quantile_free: int  # degrees of freedom of an interval of a period's effect


def sums(product: Codes, period: Codes, value: Vector, *, weight: Vector | None, products: int, periods: int) -> Sums:
    """Sort rows by the larger side and sum what the smaller one needs.

    Args:
        product: (rows,) codes 0 to products − 1, each at least once.
        period: (rows,) codes 0 to periods − 1, each at least once.
        value: (rows,) log prices, finite.
        weight: (rows,) above 0 and finite; None is 1.
        products: how many there are.
        periods: how many there are.
    """
    by_period = periods <= products
    large, small, members, size = (product, period, products, periods) if by_period else (period, product, periods, products)
    order = _order(large, members)
    if order is not None:
        small, value, weight = small[order], value[order], None if weight is None else weight[order]
    counts = np.bincount(large, minlength=members)
    edges = np.concatenate(([0], np.cumsum(counts)))
    made = Sums(
        by_period=by_period, large=np.repeat(np.arange(members), counts), small=small, value=value, weight=weight, edges=edges,
        mass=np.empty(members), mean=np.empty(members), own=np.zeros(size), met=np.empty(members, np.int64),
        own_met=np.zeros(size, np.int64), schur=np.zeros((size, size)), right=np.zeros(size),
    )  # fmt: skip
    worth = value if weight is None else weight * value
    for block, rows, at in made.blocks():
        there = made.cells(block, at, None if weight is None else weight[rows])
        paid = made.cells(block, at, worth[rows])
        made.mass[block] = there.sum(axis=1)
        made.mean[block] = paid.sum(axis=1) / made.mass[block]
        made.own[:] += there.sum(axis=0)
        seen = there > 0
        made.met[block] = seen.sum(axis=1)
        made.own_met[:] += seen.sum(axis=0)
        made.right[:] += paid.sum(axis=0) - made.mean[block] @ there
        there /= np.sqrt(made.mass[block])[:, None]
        made.schur[:] -= there.T @ there
    made.schur[np.diag_indices(size)] += made.own
    return made


def solve(found: Sums, *, base: int, errors: Errors) -> TwoWay:
    r"""Effects and the variances of the periods'.

    Minimises :math:`\sum_i w_i (y_i - a_{p(i)} - \beta_{t(i)})^2` with :math:`\beta_{base} = 0`. With residuals e, x̃ the dummies of the
    small side less their mean within the member of the large side, and G the inverse of the Schur complement,

    - classical: σ² G, σ² = Σ w e² / (n − k);
    - robust: G Σ w² e² x̃ x̃ᵀ G · n / (n − k) (White 1980, HC1);
    - cluster: G Σ_p s_p s_pᵀ G · P / (P − 1) · (n − 1) / (n − T), s_p = Σ w e x̃ over the rows of product p (Liang and Zeger 1986). The
      products' own effects lie within the clusters and do not count as lost degrees of freedom (Cameron and Miller 2015, section III.B).

    Args:
        found: of one part.
        base: period whose effect is 0.
        errors: as above.

    Raises `InputError` where weights lie too far apart.
    """
    small = _small_effects(found, base)
    weighted = found.mean.copy()
    for block, rows, at in found.blocks():
        there = found.cells(block, at, None if found.weight is None else found.weight[rows])
        weighted[block] -= there @ small / found.mass[block]
    residual = found.value - weighted[found.large] - small[found.small]
    pull = residual if found.weight is None else found.weight * residual  # w e
    squares, total = float(pull @ residual), _total(found)
    free = residual.size - found.mass.size - found.size + 1
    product, period = (weighted, small) if found.by_period else (small, weighted)
    scale = _scale(found, squares=squares, free=free, errors=errors)
    spread = _near(found, pull, base=base, errors=errors) if found.by_period else _far(found, pull, base=base, errors=errors)
    variance = scale * spread if free > 0 else np.full(period.size, np.nan)
    variance[base] = 0.0
    return TwoWay(
        product=product + period[base], period=period - period[base], variance=variance, rows=residual.size, free=free,
        squares=squares, total=total, quantile_free=product.size - 1 if errors == "cluster" else free,
    )  # fmt: skip


def _order(codes: Codes, members: int) -> npt.NDArray[np.int64] | None:
    """A stable order by code; None where the rows are in it."""
    if bool((codes[1:] >= codes[:-1]).all()):
        return None
    return np.argsort(codes.astype(np.uint16) if members <= SHORT else codes, kind="stable")


def _small_effects(found: Sums, base: int) -> Vector:
    """(small,) effects, 0 for the base period, or for the first product."""
    kept, factor = _factor(found, base)
    effects = np.zeros(found.size)
    if kept.size:
        effects[kept] = dpotrs(factor, found.right[kept], lower=1)[0]
    return effects


def _inverse(found: Sums, base: int) -> Matrix:
    """The Schur complement's inverse with the row and column of the fixed member 0."""
    kept, factor = _factor(found, base)
    whole = np.zeros((found.size, found.size))
    if kept.size:
        lower = np.tril(dpotri(factor, lower=1)[0])
        whole[np.ix_(kept, kept)] = lower + np.tril(lower, -1).T
    return whole


def _factor(found: Sums, base: int) -> tuple[npt.NDArray[np.int64], Matrix]:
    """Members whose effects are free, and the Cholesky factor of their Schur complement.

    Raises `InputError` where weights lie so far apart that float64 cannot tell the complement from a singular one.
    """
    kept = np.delete(np.arange(found.size), base if found.by_period else 0)
    if not kept.size:
        return kept, np.empty((0, 0))
    factor, failed = dpotrf(found.schur[np.ix_(kept, kept)], lower=1)
    if failed:
        raise InputError.of("weights", "weights near enough to one another that the effects can be told apart", value="a singular matrix")
    return kept, np.asarray(factor)


def _total(found: Sums) -> float:
    mean = float(found.mass @ found.mean / found.mass.sum())
    apart = found.value - mean
    return float(apart @ apart if found.weight is None else (found.weight * apart) @ apart)


def _scale(found: Sums, *, squares: float, free: int, errors: Errors) -> float:
    """What the spread of the effects is multiplied by."""
    if free <= 0:
        return float("nan")
    if errors == "classical":
        return squares / free
    rows = found.value.size
    if errors == "robust":
        return rows / free
    products, periods = (found.mass.size, found.size) if found.by_period else (found.size, found.mass.size)
    return products / (products - 1) * (rows - 1) / (rows - periods) if products > 1 else float("nan")


def _near(found: Sums, pull: Vector, *, base: int, errors: Errors) -> Vector:
    """(periods,) unscaled variances where the small side is that of the periods."""
    inverse = _inverse(found, base)
    if errors == "classical":
        return np.diag(inverse)
    meat = np.zeros_like(found.schur)
    for block, rows, at in found.blocks():
        if errors == "cluster":  # the pulls of a product sum to 0, so that its score is their sum by period
            score = found.cells(block, at, pull[rows])
            meat += score.T @ score
        else:
            meat += _outer(found.cells(block, at, pull[rows] ** 2), _shares(found, block, rows, at))
    return np.asarray(np.einsum("ij,ij->i", inverse @ meat, inverse))


def _far(found: Sums, pull: Vector, *, base: int, errors: Errors) -> Vector:
    r"""(periods,) unscaled variances where the periods are the large side.

    The effect of a period is its mean less that of its products, :math:`\bar y_t - a_t \gamma`, a_t being the products' shares of it. A
    row of product p in period s pulls at the effect of t by w e (1[t = s] / W_t − H_t · (1_p − a_s)), H = a G.
    """
    inverse, base_shares = _inverse(found, base), _of_member(found, base) / found.mass[base]
    towards = np.empty((found.mass.size, found.size))  # K_t = (a_t − a_base) G
    shares = np.empty_like(towards)
    pulled = np.empty_like(towards)
    amount = pull**2 if errors == "robust" else pull
    for block, rows, at in found.blocks():
        shares[block] = _shares(found, block, rows, at)
        towards[block] = (shares[block] - base_shares) @ inverse
        pulled[block] = found.cells(block, at, amount[rows])
    each = found.mass
    if errors == "classical":
        return np.asarray(1 / each + 1 / each[base] + np.einsum("ij,ij->i", towards, shares - base_shares))
    if errors == "cluster":
        score = pulled / each[:, None] - pulled[base] / each[base] + towards @ (shares.T @ pulled)
        return np.asarray(np.einsum("ij,ij->i", score, score))
    sizes = pulled.sum(axis=1)
    moved = (pulled - sizes[:, None] * shares) / each[:, None]  # Σ_p q (1_p − a_t) / W_t
    meat = _outer(pulled, shares)
    return np.asarray(
        sizes / each**2 + sizes[base] / each[base] ** 2
        - 2 * np.einsum("ij,ij->i", towards, moved - moved[base])
        + np.einsum("ij,ij->i", towards @ meat, towards)
    )  # fmt: skip


def _shares(found: Sums, block: slice, rows: slice, at: Codes) -> Matrix:
    """(members, small) weights of each member of the large side, as shares."""
    return found.cells(block, at, None if found.weight is None else found.weight[rows]) / found.mass[block][:, None]


def _of_member(found: Sums, member: int) -> Vector:
    """(small,) weights of one member of the large side."""
    rows = slice(int(found.edges[member]), int(found.edges[member + 1]))
    weight = None if found.weight is None else found.weight[rows]
    return np.bincount(found.small[rows], weight, found.size).astype(np.float64, copy=False)


def _outer(squared: Matrix, shares: Matrix) -> Matrix:
    """Σ q (1_s − a)(1_s − a)ᵀ over members of the large side and the small members s seen with them."""
    half = (squared - squared.sum(axis=1, keepdims=True) / 2 * shares).T @ shares
    return np.asarray(np.diag(squared.sum(axis=0)) - half - half.T)

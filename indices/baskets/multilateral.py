r"""Multilateral price indices: all periods of a window at once, so that no order of them and no chain makes an index drift.

- GEKS: :math:`P_t = \prod_k (I_{0k} I_{kt})^{1/T}` over a bilateral index :math:`I` (Fisher, Törnqvist or Walsh).
- Weighted time-product-dummy: :math:`\ln P_t = a_t` of the least squares
  :math:`\min \sum_{ti} s_{ti} (\ln p_{ti} - a_t - b_i)^2`, with weights :math:`s` the shares of what is paid in a period.
- Geary-Khamis: :math:`P_t = \sum_i p_{ti} q_{ti} / \sum_i v_i q_{ti}` with
  :math:`v_i = \sum_t q_{ti} p_{ti} / P_t \,/ \sum_t q_{ti}`, the average price of a product over the window in constant money.

A product that is missing in some periods: GEKS leaves it out of the pairs in which it is not priced twice; the other two read it where it
is sold, where a product sold in one period alone moves nothing. GEKS refuses a window of which any two periods have no product in common;
the others one that falls apart into periods which no chain of common products links.

Sources: W. E. Diewert and K. J. Fox, Substitution Bias in Multilateral Methods for CPI Construction using Scanner Data (2017); D. S. P.
Rao, On the Equivalence of Weighted Country-Product-Dummy Method and the Rao-System, Review of Income and Wealth (2005).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import IndexFormula
from tenorgrid.indices.baskets.bilateral import compare, refuse_unmatched
from tenorgrid.indices.baskets.panel import Matrix, Panel, Vector

PAIRWISE = {
    IndexFormula.GEKS_FISHER: IndexFormula.FISHER,
    IndexFormula.GEKS_TORNQVIST: IndexFormula.TORNQVIST,
    IndexFormula.GEKS_WALSH: IndexFormula.WALSH,
}
MULTILATERAL = (*PAIRWISE, IndexFormula.TIME_PRODUCT_DUMMY, IndexFormula.GEARY_KHAMIS)


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """An index that is what is paid over quantities at `reference` prices: `levels` (periods,), 1 first, and `reference` (products,).

    A product that is never sold in the window has no reference price: NaN.
    """

    levels: Vector
    reference: Vector


def multilateral(panel: Panel, formula: IndexFormula) -> Vector:
    """The index of every period by a multilateral formula, the first period 1; (periods,).

    Raises `InputError` where periods are not comparable, naming them.

    >>> three = Panel(periods=(1, 2, 3), products=("a",), price=np.array([[2.0], [3.0], [2.5]]), quantity=np.array([[1.0], [5.0], [2.0]]))
    >>> multilateral(three, IndexFormula.GEKS_FISHER).round(9).tolist()
    [1.0, 1.5, 1.25]
    """
    if formula in PAIRWISE:
        pairs = compare(panel, PAIRWISE[formula])
        return geks(pairs, panel)
    if formula is IndexFormula.TIME_PRODUCT_DUMMY:
        return time_product_dummy(panel).levels
    if formula is IndexFormula.GEARY_KHAMIS:
        return geary_khamis(panel).levels
    raise InputError.of("formula", f"one of {', '.join(MULTILATERAL)}", value=formula)


def geks(pairs: Matrix, panel: Panel) -> Vector:
    """The GEKS index of the bilateral comparisons `pairs` (periods, periods) of a panel's periods; (periods,).

    Raises `InputError` naming pairs that are not comparable.
    """
    missing = np.argwhere(np.isnan(pairs))
    for base in np.unique(missing[:, 0])[:1]:
        refuse_unmatched(panel, missing[missing[:, 0] == base, 1], int(base))
    logs = np.log(pairs)
    through = logs.mean(axis=0)  # of I_kt over k; that of I_0k is the negative of its first entry, as I_0k I_k0 = 1
    return np.asarray(np.exp(through - through[0]))


def time_product_dummy(panel: Panel) -> Adjusted:
    """The weighted time-product-dummy index, with product effects exp(b) as reference prices.

    The product effects are eliminated from the normal equations, which leaves one unknown a period.

    Raises `InputError` where periods fall apart, or nothing is sold in one.
    """
    _refuse_apart(panel)
    weight = panel.shares.sum(axis=0)
    known = weight > 0
    share, weighed, total, centre = (_columns(values, known) for values in (panel.shares, panel.weighed, weight, panel.centre))
    mean = weighed.sum(axis=0) / total
    root = share / np.sqrt(total)  # of which the product is symmetric to the last bit, and half the work
    system = np.diag(share.sum(axis=1)) - root @ root.T
    right = weighed.sum(axis=1) - share @ mean
    levels = np.zeros(len(panel.periods))
    levels[1:] = np.linalg.solve(system[1:, 1:], right[1:])
    effects = np.full(len(panel.products), np.nan)
    effects[known] = mean - levels @ share / total + centre
    return Adjusted(levels=np.exp(levels), reference=np.exp(effects))


def geary_khamis(panel: Panel) -> Adjusted:
    r"""The Geary-Khamis index, with the average prices v as reference.

    With :math:`x_t = 1 / P_t` the two definitions are one linear system, :math:`E_t x_t = \sum_s x_s \sum_i q_{ti} e_{si} / Q_i`, whose
    solution is unique up to the base.

    Raises `InputError` where periods fall apart, or nothing is sold in one.
    """
    _refuse_apart(panel)
    total = panel.sold.sum(axis=0)
    known = total > 0
    paid, sold, total = (_columns(values, known) for values in (panel.paid, panel.sold, total))
    system = np.eye(len(panel.periods)) - (sold / total) @ paid.T / panel.spent[:, None]
    inverse = np.ones(len(panel.periods))
    inverse[1:] = np.linalg.solve(system[1:, 1:], -system[1:, 0])
    reference = np.full(len(panel.products), np.nan)
    reference[known] = inverse @ paid / total
    return Adjusted(levels=1.0 / inverse, reference=reference)


def _columns(values: Matrix, known: npt.NDArray[np.bool_]) -> Matrix:
    """Some of the products; a copy only where some are left out."""
    return values if known.all() else values[..., known]


def _refuse_apart(panel: Panel) -> None:
    """Refuse a panel in which nothing is sold in some period, or whose periods do not hang together."""
    if (panel.spent <= 0).any():
        raise InputError(
            Fault(file="panel", column="quantity", value=f"nothing sold in {panel.periods[row]}", expected="something sold in each period")
            for row in np.argwhere(panel.spent <= 0).ravel()
        )
    sold = (panel.paid > 0).astype(np.float32)  # a number of products is told exactly, or as above 0
    groups, member = connected_components(csr_array(sold @ sold.T), directed=False)
    if groups > 1:
        starts = [str(panel.periods[int(np.argmax(member == group))]) for group in range(groups)]
        raise InputError.of(
            "panel",
            "periods that common products link",
            column="product",
            value=f"{groups} parts without one, beginning in {', '.join(starts)}",
        )

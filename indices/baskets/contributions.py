r"""Who moved an index: its change written as a sum over products, without a remainder.

Every index here is a weighted geometric mean of price relatives :math:`r_i`, :math:`\ln I = \sum \mu_i \ln r_i`. For Törnqvist and Jevons
the weights are their own. An arithmetic mean :math:`I = \sum w_i r_i / \sum w_i` is one too, with
:math:`\mu_i \propto w_i\, m(r_i, I)` and m the logarithmic mean, because :math:`\sum w_i (r_i - I) = 0`: Laspeyres, Paasche and Walsh with
their weights, Fisher with the mean of the first two.

A change from one period to the next is the difference of such sums; times the logarithmic mean of the two levels it is a change in index
points. Where the basket holds fixed quantities, `divisor` has the plainer form :math:`n_i \Delta p_i / D`.

Source: M. Reinsdorf, W. E. Diewert and C. Ehemann, Additive Decompositions for Fisher, Törnqvist and Geometric Mean Indexes, Journal of
Economic and Social Measurement (2002); Y. Vartia, Ideal Log-Change Index Numbers (1976).
"""

import numpy as np

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula
from tenorgrid.indices.baskets.bilateral import BILATERAL
from tenorgrid.indices.baskets.multilateral import MULTILATERAL, PAIRWISE, geary_khamis, time_product_dummy
from tenorgrid.indices.baskets.panel import Matrix, Panel, Vector

NEAR = 1e-6  # logarithms nearer than this: the mean by its series, as the quotient loses digits


def log_mean(left: Matrix, right: Matrix) -> Matrix:
    """The logarithmic mean (a − b) / (ln a − ln b) of positive numbers, a where they are equal.

    >>> log_mean(np.array([2.0, 2.0]), np.array([1.0, 2.0])).round(6).tolist()
    [1.442695, 2.0]
    """
    gap = np.log(left / right)
    safe = np.where(np.abs(gap) < NEAR, 1.0, gap)
    return np.asarray(right * np.where(np.abs(gap) < NEAR, 1.0 + gap / 2, np.expm1(safe) / safe))


def log_contributions(panel: Panel, formula: IndexFormula, *, base: int = 0) -> Matrix:
    """What each product adds to the logarithm of each period's direct index, (periods, products); rows sum to that logarithm.

    Args:
        panel: (periods, products), every period comparable with the base.
        formula: a bilateral one.
        base: row of the period compared with.
    """
    then, sold = panel.price[base], panel.sold
    both = panel.there & panel.there[base]
    relative = np.where(both, np.where(both, panel.price, 1.0) / np.where(panel.there[base], then, 1.0), 1.0)
    at_base = np.where(both, np.nan_to_num(then), 0.0)
    return np.asarray(_weights(formula, relative, at_base, both, base=sold[base], current=sold) * np.log(relative))


def window_contributions(panel: Panel, formula: IndexFormula) -> Matrix:
    """What each product adds to each change of a multilateral index within its window, in logarithms; (periods − 1, products).

    GEKS: the mean over the periods k of what the product adds to the two comparisons with k. Time-product-dummy and Geary-Khamis: the
    change of what it adds against the reference prices, which are put midway between the levels of the two periods.
    """
    if formula in PAIRWISE:
        parts = [log_contributions(panel, PAIRWISE[formula], base=base) for base in range(len(panel.periods))]
        return np.asarray(np.diff(np.mean(parts, axis=0), axis=0))
    if formula not in MULTILATERAL:
        raise InputError.of("formula", f"one of {', '.join(MULTILATERAL)}", value=formula)
    found = time_product_dummy(panel) if formula is IndexFormula.TIME_PRODUCT_DUMMY else geary_khamis(panel)
    sold = panel.there & (panel.paid > 0)
    relative = np.where(sold, np.where(sold, panel.price, 1.0) / np.where(np.isnan(found.reference), 1.0, found.reference), 1.0)
    if formula is IndexFormula.TIME_PRODUCT_DUMMY:
        weights = _shares(panel.paid)
    else:
        weights = _arithmetic(panel.sold * np.nan_to_num(found.reference), relative)
    logs, levels = np.log(relative), np.log(found.levels)
    middle = ((levels[1:] + levels[:-1]) / 2)[:, None]
    return np.asarray(weights[1:] * (logs[1:] - middle) - weights[:-1] * (logs[:-1] - middle))


def points(logs: Matrix, levels: Vector) -> Matrix:
    """Contributions in index points from contributions in logarithms.

    Args:
        logs: (steps, products) what each product adds to the change of the logarithm from one level to the next.
        levels: (steps + 1,).
    """
    return np.asarray(logs * log_mean(levels[1:], levels[:-1])[:, None])


def _weights(formula: IndexFormula, relative: Matrix, at_base: Matrix, both: Matrix, *, base: Vector, current: Matrix) -> Matrix:
    """The μ of each period's comparison, (periods, products)."""
    if formula is IndexFormula.LASPEYRES:
        return _arithmetic(at_base * base, relative)
    if formula is IndexFormula.PAASCHE:
        return _arithmetic(at_base * current, relative)
    if formula is IndexFormula.FISHER:
        return (_arithmetic(at_base * base, relative) + _arithmetic(at_base * current, relative)) / 2
    if formula is IndexFormula.WALSH:
        return _arithmetic(at_base * np.sqrt(base * current), relative)
    if formula is IndexFormula.TORNQVIST:
        return (_shares(at_base * base) + _shares(at_base * relative * current)) / 2
    if formula is IndexFormula.JEVONS:
        return _shares(both.astype(np.float64))
    raise InputError.of("formula", f"one of {', '.join(BILATERAL)}", value=formula)


def _arithmetic(weight: Matrix, relative: Matrix) -> Matrix:
    mean = (weight * relative).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    return _shares(weight * log_mean(relative, np.broadcast_to(mean, relative.shape)))


def _shares(weight: Matrix) -> Matrix:
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))

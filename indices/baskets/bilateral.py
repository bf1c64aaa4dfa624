r"""Bilateral price indices: two periods compared, each formula by its own rule on the products that both have.

With prices :math:`p`, quantities :math:`q` of the period compared with (0) and the one compared (1), and shares :math:`s` of what is paid:

- Laspeyres :math:`\sum p_1 q_0 / \sum p_0 q_0`, Paasche :math:`\sum p_1 q_1 / \sum p_0 q_1`, Fisher their geometric mean;
- Törnqvist :math:`\exp \sum \tfrac12 (s_0 + s_1) \ln (p_1 / p_0)`;
- Walsh :math:`\sum p_1 \sqrt{q_0 q_1} / \sum p_0 \sqrt{q_0 q_1}`;
- Jevons :math:`\exp \tfrac1n \sum \ln (p_1 / p_0)`, without quantities.

All sums, and the shares, run over matched products: those with a price in both periods. A new or a vanished product therefore neither
raises nor lowers an index by coming or going. Two periods without a matched product that carries weight are not comparable.

Source: B. Balk, Price and Quantity Index Numbers (Cambridge 2008), chapter 3; ILO and others, Consumer Price Index Manual (2004),
chapters 15 to 17.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import IndexFormula
from tenorgrid.indices.baskets.panel import Matrix, Panel, Vector

BILATERAL = (
    IndexFormula.LASPEYRES,
    IndexFormula.PAASCHE,
    IndexFormula.FISHER,
    IndexFormula.TORNQVIST,
    IndexFormula.WALSH,
    IndexFormula.JEVONS,
)
MOST_PAIRS = 20  # that a refusal names

Dot: TypeAlias = Callable[[Matrix, Matrix], Matrix]


@dataclass(frozen=True, kw_only=True)
class Side:
    """Periods on one side of comparisons, each array (periods, products) with 0 where a product is not there."""

    there: Matrix
    price: Matrix
    log_price: Matrix
    quantity: Matrix

    @property
    def paid(self) -> Matrix:
        """Price times quantity."""
        return self.price * self.quantity

    def pick(self, rows: slice) -> "Side":
        """Some of the periods."""
        return Side(there=self.there[rows], price=self.price[rows], log_price=self.log_price[rows], quantity=self.quantity[rows])


def side(panel: Panel) -> Side:
    """The periods of a panel, ready for comparison.

    Logarithms are taken of prices over their product's mean, which leaves every comparison as it is and keeps digits where units differ.
    """
    return Side(
        there=panel.there.astype(np.float64),
        price=np.nan_to_num(panel.price),
        log_price=panel.logs,
        quantity=panel.sold,
    )


def compare(panel: Panel, formula: IndexFormula) -> Matrix:
    """Every period compared with every other one: entry [s, t] is the index of t with s = 1; NaN where the two are not comparable.

    Args:
        panel: (T periods, products).
        formula: a bilateral one.

    Returns (T, T). All pairs are matrix products, so that 365 periods of 5,000 products take about a second.

    >>> from tenorgrid.indices.baskets.panel import Panel
    >>> price, quantity = np.array([[1.0, 4.0], [2.0, 4.0]]), np.array([[2.0, 1.0], [1.0, 1.0]])
    >>> compare(Panel(periods=(1, 2), products=("a", "b"), price=price, quantity=quantity), IndexFormula.LASPEYRES).round(4).tolist()
    [[1.0, 1.3333], [0.8333, 1.0]]
    """
    all_periods = side(panel)
    return _index(formula, all_periods, all_periods, _every_pair)


def against(panel: Panel, formula: IndexFormula, *, base: int = 0) -> Vector:
    """Each period compared with the one at row `base`, NaN where the two are not comparable; (periods,)."""
    periods = side(panel)
    return _index(formula, periods.pick(slice(base, base + 1)), periods, _row_by_row)


def direct(panel: Panel, formula: IndexFormula, *, base: int = 0) -> Vector:
    """Each period compared with the one at row `base`, (periods,).

    Raises `InputError` naming the periods that are not comparable with it.
    """
    found = against(panel, formula, base=base)
    refuse_unmatched(panel, np.argwhere(np.isnan(found)).ravel(), base)
    return found


def chained(panel: Panel, formula: IndexFormula) -> Vector:
    """Each period compared with the one before it, and the comparisons multiplied, the first period 1; (periods,).

    A chain drifts where prices bounce: it need not return to 1 with prices and quantities (`multilateral` does).

    Raises `InputError` naming neighbours that are not comparable.
    """
    periods = side(panel)
    links = _index(formula, periods.pick(slice(None, -1)), periods.pick(slice(1, None)), _row_by_row)
    for row in np.argwhere(np.isnan(links)).ravel():
        refuse_unmatched(panel, [int(row) + 1], int(row))
    return np.concatenate([[1.0], np.cumprod(links)])


def refuse_unmatched(panel: Panel, rows: Iterable[int], base: int) -> None:
    """Refuse comparisons of the periods at `rows` with the one at `base`, where there are any."""
    faults = [
        Fault(
            file="panel",
            column="product",
            value=f"none in {panel.periods[base]} and {panel.periods[row]}",
            expected="a product that both periods price, with a quantity that the formula weighs",
        )
        for row in islice(rows, MOST_PAIRS)
    ]
    if faults:
        raise InputError(faults)


def _every_pair(base: Matrix, current: Matrix) -> Matrix:
    return base @ current.T


def _row_by_row(base: Matrix, current: Matrix) -> Matrix:
    return np.asarray((base * current).sum(axis=-1))


def _index(formula: IndexFormula, base: Side, current: Side, dot: Dot) -> Matrix:
    """The formula with `dot` for the sum over products of a base period's and a current period's arrays."""
    if formula is IndexFormula.LASPEYRES:
        return _laspeyres(base, current, dot)
    if formula is IndexFormula.PAASCHE:
        return _paasche(base, current, dot)
    if formula is IndexFormula.FISHER:
        return np.sqrt(_laspeyres(base, current, dot) * _paasche(base, current, dot))
    if formula is IndexFormula.TORNQVIST:
        return _tornqvist(base, current, dot)
    if formula is IndexFormula.WALSH:
        half, other = np.sqrt(base.quantity), np.sqrt(current.quantity)
        return _over(dot(half, current.price * other), dot(base.price * half, other))
    if formula is IndexFormula.JEVONS:
        gains = dot(base.there, current.log_price) - dot(base.log_price, current.there)
        return np.exp(_over(gains, dot(base.there, current.there)))
    raise InputError.of("formula", f"one of {', '.join(BILATERAL)}", value=formula)


def _laspeyres(base: Side, current: Side, dot: Dot) -> Matrix:
    return _over(dot(base.quantity, current.price), dot(base.paid, current.there))


def _paasche(base: Side, current: Side, dot: Dot) -> Matrix:
    return _over(dot(base.there, current.paid), dot(base.price, current.quantity))


def _tornqvist(base: Side, current: Side, dot: Dot) -> Matrix:
    then, now = base.paid, current.paid
    by_base = _over(dot(then, current.log_price) - dot(then * base.log_price, current.there), dot(then, current.there))
    by_current = _over(dot(base.there, now * current.log_price) - dot(base.log_price, now), dot(base.there, now))
    return np.exp((by_base + by_current) / 2)


def _over(above: Matrix, below: Matrix) -> Matrix:
    """The quotient, NaN where nothing is weighed."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))

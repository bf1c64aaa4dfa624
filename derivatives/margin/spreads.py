r"""What SPAN adds to the scan risk and takes off it: a charge between months, a credit between indices, a least for options sold.

The scan moves all months of an index together, so that a month bought against another sold would cost nothing: the lesser side times the
scan range times a rate is charged for it. Indices are scanned one by one and added as if each went its worst way: where two are held
against each other, part of what the lesser side's worth of both would lose is taken off again. An option sold far out of the money loses
nothing in the scan, and is asked for a part of what its hours would be asked outright. The three and their order are SPAN's, whose delta is
a number of contracts; here it is USD, delta times forward. Rates are the rule's own.
Sources: CME Group, "CME SPAN Methodology Overview" (cmegroup.com/clearing/risk-management/span-overview.html) for what is added, taken off
and compared; CME Clearing, advisory 20-247 of 18 June 2020 for the minimum as a share of the outright margin.
"""

from collections.abc import Mapping

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue

OPTIONS = (
    TradeKind.OPTION, TradeKind.SPREAD_OPTION, TradeKind.AMERICAN, TradeKind.BARRIER, TradeKind.BASKET_OPTION, TradeKind.AVERAGE,
    TradeKind.CAP, TradeKind.FLOOR, TradeKind.CAPACITY,
)  # fmt: skip


def held(found: BookValue) -> dict[str, Vector]:
    """By index USD that each delivery month would gain if its price doubled, (months,): delta times forward."""
    worth: dict[str, Vector] = {}
    for part in found.parts:
        for block in part.priced.blocks:
            names, places = found.market.months[block.index]
            forward = np.bincount(places, weights=found.market.curves[block.index].forward, minlength=len(names))
            mean = forward / np.bincount(places, minlength=len(names))
            worth[block.index] = worth.get(block.index, np.zeros(len(names))) + block.months.sum(axis=0) * mean
    return worth


def between_months(worth: Mapping[str, Vector], *, ranges: Mapping[str, float], rate: float) -> float:
    """Charge for months of one index held against each other, USD: rate × scan range × the lesser side.

    >>> between_months({"A": np.array([100.0, -60.0, -10.0])}, ranges={"A": 0.1}, rate=0.25)
    1.75
    """
    lesser = {index: min(float(np.maximum(own, 0.0).sum()), float(np.maximum(-own, 0.0).sum())) for index, own in worth.items()}
    return sum(rate * ranges[index] * amount for index, amount in lesser.items())


def between_indices(worth: Mapping[str, Vector], *, scans: Mapping[str, float], market: Market, rate: float) -> float:
    """Credit for indices held against each other, USD; nothing for pairs without a correlation above 0.

    Of two indices the credit is rate × correlation of what the lesser side's worth of each loses in its scan. The closest pairs come
    first, and what one pair has used another has not.
    """
    net = {index: float(own.sum()) for index, own in worth.items()}
    left = {index: abs(amount) for index, amount in net.items()}
    pairs = [(first, second) for first in sorted(net) for second in sorted(net) if first < second and net[first] * net[second] < 0]
    known = [(market.correlation[frozenset(pair)], pair) for pair in pairs if frozenset(pair) in market.correlation]
    credit = 0.0
    for rho, pair in sorted((one for one in known if one[0] > 0), key=lambda one: (-one[0], one[1])):
        shared = min(left[index] for index in pair)
        credit += rate * rho * sum(scans[index] / abs(net[index]) for index in pair) * shared
        for index in pair:
            left[index] -= shared
    return credit


def least_of_sold(agreed: Agreed, *, price: Mapping[str, float], ranges: Mapping[str, float], rate: float) -> float:
    """Least margin for options sold, USD: rate × scan range × price × GPU-hours; a collar sells one of its sides whoever buys it.

    Args:
        agreed: trades.
        price: USD/GPUh by index.
        ranges: scan range by index, a share of the price.
        rate: part of what the same hours would be asked outright.
    """
    total = 0.0
    for kind, trades in agreed.items():
        if kind in OPTIONS or kind == TradeKind.COLLAR:
            for index, sign, amount in trades.select("index", "sign", "amount").iter_rows():
                if index in ranges and (sign < 0 or kind == TradeKind.COLLAR):
                    total += rate * ranges[index] * price[index] * abs(amount)
    return total

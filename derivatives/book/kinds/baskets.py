"""European options on baskets of indices: Σ weight × mean against a strike, decided at expiry.

By `method`: `bound`, the conditioning bound, quick and some per cent low where members move apart; or `moments`, conditional moments,
nearer and about 3 ms a price, whose sensitivities are central differences.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.derivatives.book.kinds.linear import discounts, indices_of
from tenorgrid.derivatives.book.kinds.options import Option, blocks_of, rate_of, refuse_expired, sigmas
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.legs import make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.options.basket import conditioning, moments
from tenorgrid.derivatives.options.basket.terms import Baskets

PRICES: dict[str, Callable[[Baskets], Vector]] = {"bound": conditioning.price, "moments": moments.conditional}
STEP = 1e-3  # relative, of differences


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of basket options. Raises `InputError` for one that has expired, or without a correlation of two members."""
    refuse_expired(trades, market)
    value, theta = owed(trades, market)
    made = Priced(value=value, theta=theta)
    factor, years = discounts(trades, market), market.years(trades["expiry"])
    rate = rate_of(factor, market.years(trades["pay"]))
    for (text, option, method), rows in trades.with_row_index("row").group_by("weights", "option", "method", maintain_order=True):
        mine = rows["row"].to_numpy().astype(np.int64)
        side: Option = "call" if option == "call" else "put"
        _add(rows, market, made, mine, indices_of(str(text)), side, PRICES[str(method)], factor[mine], years[mine], rate[mine])
    return made


def _add(
    rows: pl.DataFrame, market: Market, made: Priced, mine: Counts, weights: dict[str, float], option: Option,
    worth: Callable[[Baskets], Vector], factor: Vector, years: Vector, rate: Vector,
) -> None:  # fmt: skip
    names, members = list(weights), [rows.with_columns(pl.lit(index).alias("index")) for index in weights]
    legs = [make_legs(member, market) for member in members]
    matrix = np.array([[market.rho(first, second) for second in names] for first in names])
    options = Baskets(
        forward=np.stack([np.array([leg.mean for leg in own])[of] for of, own in legs], axis=1),
        weight=np.array(list(weights.values()))[None, :], strike=rows["strike"].to_numpy(),
        volatility=np.stack([sigmas(member, market, years) for member in members], axis=1), correlation=matrix, years=years,
        discount=factor, option=option,
    )  # fmt: skip
    scale = (rows["sign"] * rows["amount"]).to_numpy()
    made.value[mine] += scale * worth(options)
    made.theta[mine] += scale * _theta(options, worth, rate)
    for place, (of, own) in enumerate(legs):
        delta, gamma, vega = (scale * amounts for amounts in _of_member(options, worth, place))
        made.blocks.extend(blocks_of(own, of, mine, rows["expiry"], delta, gamma, vega, market))
    for first, second in combinations(range(len(names)), 2):
        if np.abs(matrix[first, second]) < 1.0:
            made.correlation.append(((names[first], names[second]), mine, scale * _of_pair(options, worth, first, second)))


def _of_member(options: Baskets, worth: Callable[[Baskets], Vector], place: int) -> tuple[Vector, Vector, Vector]:
    """Delta, gamma and vega (n,) of one member by central differences."""
    h, dv = STEP * options.forward[:, place], STEP

    def at(up: float = 0.0, more: float = 0.0) -> Vector:
        forward, volatility = options.forward.copy(), options.volatility.copy()
        forward[:, place] += up * h
        volatility[:, place] = np.maximum(volatility[:, place] + more * dv, 0.0)
        return worth(replace(options, forward=forward, volatility=volatility))

    up, here, down = at(up=1.0), at(), at(up=-1.0)
    return (up - down) / (2.0 * h), (up - 2.0 * here + down) / h**2, (at(more=1.0) - at(more=-1.0)) / (2.0 * dv)


def _of_pair(options: Baskets, worth: Callable[[Baskets], Vector], first: int, second: int) -> Vector:
    """∂ price / ∂ correlation (n,) of one pair, by a central difference that stays inside (−1, 1)."""
    step = min(STEP, 0.5 * (1.0 - abs(float(options.correlation[first, second]))))

    def at(turn: float) -> Vector:
        matrix = options.correlation.copy()
        matrix[first, second] += turn * step
        matrix[second, first] = matrix[first, second]
        return worth(replace(options, correlation=matrix))

    return (at(1.0) - at(-1.0)) / (2.0 * step)


def _theta(options: Baskets, worth: Callable[[Baskets], Vector], rate: Vector) -> Vector:
    """What a year's passing adds (n,): less time to the expiry, and the discount unwound."""
    step = STEP * options.years
    sure = step == 0
    later, sooner = (worth(replace(options, years=options.years + turn * step)) for turn in (1.0, -1.0))
    decay = np.where(sure, 0.0, (sooner - later) / (2.0 * np.where(sure, 1.0, step)))
    return rate * worth(options) + decay

r"""Reserve: in real time every unit of headroom is paid the scarcity adder, and firm users pay for it pro rata to use.

    holder receives   Δ A r          r headroom of a group (an accelerator in a region), A its adder in the last horizon's run
    user pays         the sum of that over the holders of the group, in proportion to its firm use, by largest remainder

so the charge sums to zero without rounding. A group without a firm user is paid by the operator's SHORTFALL account. Headroom is no
position: nobody sells it ahead, where the adder is in the price of energy alone. (Market design, section 4.)
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.settlement.coding import UNKNOWN, Codes, Coding, Runs, Vector
from tenorgrid.settlement.money import MICRO, Amounts, micro, shares

GROUP = ("region", "resource")


@dataclass(frozen=True, kw_only=True)
class Reserve:
    """Legs of holders (+ = headroom held) and of users (− = use), where there is an adder, and what no user could be charged.

    `thing` numbers participant, region and resource by `coding`; `price` is A for a holder and the rate charged for a user, USD per
    resource-hour; `unpaid` (runs,) micro-dollars to the operator.
    """

    coding: Coding = field(repr=False)
    holding: "Legs"
    using: "Legs"
    unpaid: Amounts = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Legs:
    """One side's quantities at the runs that have an adder, per hour, and micro-dollars to each."""

    thing: Codes = field(repr=False)
    run: Codes = field(repr=False)
    quantity: Vector = field(repr=False)
    price: Vector = field(repr=False)
    amount: Amounts = field(repr=False)


def reserve(headroom: pl.DataFrame, *, horizon: str, runs: Runs, hours: float) -> Reserve:
    """Who is paid for reserve, and who pays.

    Args:
        headroom: as published, of every horizon.
        horizon: the market's last, whose rows settle.
        runs: in order.
        hours: Δ.

    Raises InputError for unknown runs, duplicate rows, or a group with two prices at one run.
    """
    mine = headroom.filter(pl.col("horizon") == horizon)
    coding = Coding.of(mine, "participant", *GROUP)
    groups = Coding(fields=GROUP, names=coding.names[1:])
    run, thing = runs.number(mine), coding.encode(mine)
    if (run == UNKNOWN).any():
        raise InputError.of(
            "headroom", "horizons and intervals that prices were published of", value=f"{int((run == UNKNOWN).sum())} others"
        )
    if pl.Series(thing * runs.count + run).is_duplicated().any():
        raise InputError.of("headroom", "one row per horizon, interval, group and participant", value="more than one")
    price = mine["price"].to_numpy()
    _refuse_two_prices(groups.encode(mine) * runs.count + run, price)
    held = _holding(thing, run, mine["headroom"].to_numpy(), price, hours=hours)
    firm = mine["use"].to_numpy() > 0
    using, unpaid = _using(thing[firm], run[firm], mine["use"].to_numpy()[firm], held, runs=runs, groups=groups, hours=hours)
    return Reserve(coding=coding, holding=held, using=using, unpaid=unpaid)


def _refuse_two_prices(where: Codes, price: Vector) -> None:
    several = pl.DataFrame({"where": where, "price": price}).group_by("where").agg(pl.col("price").n_unique())["price"].max()
    if isinstance(several, int) and several > 1:
        raise InputError.of("headroom", "one price per group and run", column="price")


def _holding(thing: Codes, run: Codes, quantity: Vector, price: Vector, *, hours: float) -> Legs:
    paid = (price != 0) & (quantity != 0)
    amount = micro(price[paid], quantity[paid] * hours)
    return Legs(thing=thing[paid], run=run[paid], quantity=quantity[paid], price=price[paid], amount=amount)


def _using(thing: Codes, run: Codes, use: Vector, held: Legs, *, runs: Runs, groups: Coding, hours: float) -> tuple[Legs, Amounts]:
    size = max(groups.size, 1)
    where = (held.thing % size) * runs.count + held.run
    charged, place = np.unique(where, return_inverse=True)
    owed = np.zeros(charged.size, dtype=np.int64)
    np.add.at(owed, place, held.amount)
    mine = (thing % size) * runs.count + run
    order = np.lexsort((thing, mine))  # participants in order of name within each group and run
    thing, run, use, mine = thing[order], run[order], use[order], mine[order]
    bounds = np.stack([np.searchsorted(mine, charged), np.searchsorted(mine, charged, side="right")], axis=1)
    amount, price, unpaid = np.zeros(thing.size, dtype=np.int64), np.zeros(thing.size), np.zeros(runs.count, dtype=np.int64)
    for at, (first, last) in enumerate(bounds):
        if first == last:
            unpaid[charged[at] % runs.count] -= owed[at]
            continue
        amount[first:last] = shares(-int(owed[at]), use[first:last].tolist())
        price[first:last] = owed[at] / MICRO / (use[first:last].sum() * hours)
    kept = np.isin(mine, charged)
    return Legs(thing=thing[kept], run=run[kept], quantity=-use[kept], price=price[kept], amount=amount[kept]), unpaid

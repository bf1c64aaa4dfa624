r"""Reserve: headroom is paid the scarcity adder of each run on its increment, and firm users pay for it pro rata to use.

    holder receives   Δ A_h (r_h − r_g)          r headroom of a group (an accelerator in a region), A its adder
    user pays         the sum of that over the holders of the group, in proportion to its firm use at h, by largest remainder

so the charge sums to zero without rounding. A group without a firm user is paid by the operator's SHORTFALL account.
(Market design, section 4.)
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import BindingKind
from tenorgrid.settlement.coding import UNKNOWN, Codes, Coding, Matrix, Runs, Vector, totals, union
from tenorgrid.settlement.money import MICRO, Amounts, micro, shares

GROUP = ("region", "resource")


@dataclass(frozen=True, kw_only=True)
class Reserve:
    """Legs of holders (+ = headroom held) and of users (− = use), where the run has an adder, and what no user could be charged.

    `thing` numbers participant, region and resource by `coding`; `price` is A for a holder and the rate charged for a user, USD per
    resource-hour; `unpaid` (runs,) micro-dollars to the operator.
    """

    coding: Coding = field(repr=False)
    holding: "Legs"
    using: "Legs"
    unpaid: Amounts = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Legs:
    """One side's positions at the runs that have an adder, per hour, and micro-dollars to each."""

    thing: Codes = field(repr=False)
    run: Codes = field(repr=False)
    quantity: Vector = field(repr=False)
    price: Vector = field(repr=False)
    amount: Amounts = field(repr=False)


def reserve(headroom: pl.DataFrame, binding: pl.DataFrame, *, runs: Runs, hours: float) -> Reserve:
    """Who is paid for reserve at each run, and who pays.

    Args:
        headroom: as published; its rows stand for every horizon of an interval in which some horizon has an adder.
        binding: as published; gives the adder of a group that nobody holds or uses at a run.
        runs: in order.
        hours: Δ.

    Raises InputError for unknown runs, duplicate rows, or a group with two prices at one run.
    """
    coding = Coding.of(headroom, "participant", *GROUP)
    groups = Coding(fields=GROUP, names=coding.names[1:])
    run, thing = runs.number(headroom), coding.encode(headroom)
    if (run == UNKNOWN).any():
        raise InputError.of(
            "headroom", "horizons and intervals that prices were published of", value=f"{int((run == UNKNOWN).sum())} others"
        )
    if pl.Series(thing * runs.count + run).is_duplicated().any():
        raise InputError.of("headroom", "one row per horizon, interval, group and participant", value="more than one")
    adder = _adders(headroom, binding, run, runs=runs, groups=groups)
    held = _holding(thing, run, headroom["headroom"].to_numpy(), adder, runs=runs, groups=groups, hours=hours)
    firm = headroom["use"].to_numpy() > 0
    using, unpaid = _using(thing[firm], run[firm], headroom["use"].to_numpy()[firm], held, runs=runs, groups=groups, hours=hours)
    return Reserve(coding=coding, holding=held, using=using, unpaid=unpaid)


def _adders(headroom: pl.DataFrame, binding: pl.DataFrame, run: Codes, *, runs: Runs, groups: Coding) -> Matrix:
    adder = np.zeros((groups.size, runs.count))
    named = binding.filter(pl.col("kind").cast(pl.String) == BindingKind.RESERVE.value)
    keys = groups.decode(np.arange(groups.size)).select(pl.concat_str(GROUP, separator="/"))
    place = {key: at for at, key in enumerate(keys.to_series())}
    number = named["key"].replace_strict(place, default=UNKNOWN, return_dtype=pl.Int64).to_numpy() if place else np.zeros(0, dtype=np.int64)
    if place:
        when = runs.number(named)
        known = (number != UNKNOWN) & (when != UNKNOWN)  # a group that nobody ever held or used pays nothing
        adder[number[known], when[known]] = named["dual"].to_numpy()[known]
    group, price = groups.encode(headroom), headroom["price"].to_numpy()
    adder[group, run] = price
    if not np.array_equal(adder[group, run], price):
        raise InputError.of("headroom", "one price per group and run", column="price")
    return adder


def _holding(thing: Codes, run: Codes, quantity: Vector, adder: Matrix, *, runs: Runs, groups: Coding, hours: float) -> Legs:
    key, now = totals(thing * runs.count + run, quantity)
    owner, at = np.divmod(key, runs.count)
    carried = runs.after[at] != UNKNOWN
    following = owner[carried] * runs.count + runs.after[at][carried]
    every = union(key, following)
    change, held = np.zeros(every.size), np.zeros(every.size)
    held[np.searchsorted(every, key)] = now
    change[np.searchsorted(every, following)] = now[carried]
    owner, at = np.divmod(every, runs.count)
    price = adder[owner % max(groups.size, 1), at]
    paid = (price != 0) & ((held != 0) | (change != 0))
    owner, at, price, held, change = owner[paid], at[paid], price[paid], held[paid], change[paid]
    return Legs(thing=owner, run=at, quantity=held, price=price, amount=micro(price, (held - change) * hours))


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

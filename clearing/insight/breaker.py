"""A breaker on cumulative prices: what Texas lacked in February 2021, and what Australia's market has.

Over a rolling window the prices of a node are summed. When the sum reaches a threshold, the market's prices are capped from the next
interval to the end of that local day, and again each day that begins with the sum still there. The sum is of cleared prices, not of
capped ones, so that a cap cannot end its own reason. Source of the rule: National Electricity Rules, clause 3.14.2, and AEMO's notices of
administered price periods: seven days, a threshold of 7.5 hours at the market price cap, a cap of 600 of 17,500 AUD/MWh (2024-25).
"""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.insight.administered import NODE, cash
from tenorgrid.clearing.insight.published import Published
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.insight import Administered, BreakerRules, Cumulative
from tenorgrid.data.terms.market import Market

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WINDOW = 168  # hours
HOURS_AT_CAP = 7.5
SHARE_OF_CAP = 600.0 / 17_500.0


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """What a breaker says of a run: how near each node came, the intervals in which it holds, and the money it would move."""

    cumulative: pl.DataFrame = field(repr=False)
    administered: pl.DataFrame = field(repr=False)
    cash: pl.DataFrame = field(repr=False)


def usual(market: Market) -> pl.DataFrame:
    """`BreakerRules` in Australia's proportions: the market's price cap for 7.5 hours in 7 days, then 600 / 17,500 of it."""
    rule = {"window_hours": WINDOW, "threshold": HOURS_AT_CAP * market.price_cap, "cap": SHARE_OF_CAP * market.price_cap}
    return checked(pl.DataFrame([rule]), BreakerRules, name="breaker")


def tripped(prices: Vector, days: npt.NDArray[np.int64], *, window: int, threshold: float) -> tuple[Vector, Flags]:
    """The rolling sum before each interval, and whether the breaker holds in it.

    Args:
        prices: (intervals,) USD, in order, without gaps; per hour, times Δ.
        days: (intervals,) number of the local day.
        window: intervals.
        threshold: USD.

    >>> sums, held = tripped(np.array([1.0, 9.0, 1.0, 1.0, 1.0]), np.array([0, 0, 0, 1, 1]), window=2, threshold=10.0)
    >>> sums.tolist(), held.tolist()
    ([0.0, 1.0, 10.0, 10.0, 2.0], [False, False, True, True, True])
    """
    summed = np.concatenate([[0.0], np.cumsum(prices)])
    at = np.arange(prices.size)
    sums = summed[at] - summed[np.maximum(at - window, 0)]
    reached = sums >= threshold - 1e-9 * threshold
    last = np.maximum.accumulate(np.where(reached, at, -1))  # the last time that it was reached
    return sums, (last >= 0) & (days[last] == days)


def breaker(run: Published, rules: pl.DataFrame | None = None, *, horizon: str | None = None) -> Breaker:
    """What a breaker on cumulative prices would have done to a run.

    Args:
        run: whose prices are summed, and whose real-time cash is counted.
        rules: `BreakerRules`; None is `usual`. A rule for the resource and tier goes before one for the resource, that before one for the
        tier, that before one for all.
        horizon: whose prices; None is the nearest to delivery.

    Raises InputError for rules that name what the case has not, or the same twice.
    """
    name = horizon or run.horizons[-1]
    if name not in run.horizons:
        raise InputError.of("horizon", f"one of {', '.join(run.horizons)}", value=name)
    table = usual(run.case.market) if rules is None else _sound(checked(rules, BreakerRules, name="breaker"), run)
    prices = run.prices.filter(pl.col("horizon") == name).drop_nulls("price").sort("location", "resource", "tier", "start")
    watched, held = [], []
    for (place, resource, tier), node in prices.group_by("location", "resource", "tier", maintain_order=True):
        rule = _rule(table, str(resource), str(tier))
        if rule is not None:
            seen, capped = _watch(node, rule, run.case.market)
            watched.append({"location": place, "resource": resource, "tier": tier, **seen})
            held.append(capped)
    cumulative: pl.DataFrame = Cumulative.create_empty()
    if watched:
        cumulative = checked(pl.DataFrame(watched), Cumulative, name="cumulative").sort("used", *NODE[1:], descending=[True, *[False] * 3])
    administered = pl.concat(held).sort(NODE) if held else Administered.create_empty()
    return Breaker(cumulative=cumulative, administered=administered, cash=cash(run, administered, name))


def _sound(rules: pl.DataFrame, run: Published) -> pl.DataFrame:
    faults = []
    known = {"resource": set(run.case.resources["resource"]), "tier": set(run.case.tiers["tier"])}
    for row, found in enumerate(rules.iter_rows(named=True), start=1):
        for column, names in known.items():
            if found[column] is not None and found[column] not in names:
                expected = f"one of {', '.join(sorted(names))}, or nothing"
                faults.append(Fault(file="breaker", row=row, column=column, value=str(found[column]), expected=expected))
    twice = rules.with_row_index("row", offset=1).filter(~pl.struct("resource", "tier").is_first_distinct())["row"]
    once = "one rule for a resource and tier"
    faults += [Fault(file="breaker", row=row, column="resource", value="a second rule", expected=once) for row in twice]
    if rules.is_empty():
        faults.append(Fault(file="breaker", expected="at least one rule"))
    if faults:
        raise InputError(faults)
    return rules


def _rule(rules: pl.DataFrame, resource: str, tier: str) -> dict[str, float] | None:
    """The most particular rule for a node."""
    fits = rules.filter(
        pl.col("resource").is_null() | (pl.col("resource") == resource), pl.col("tier").is_null() | (pl.col("tier") == tier)
    )
    best = fits.sort(pl.col("resource").is_null(), pl.col("tier").is_null())
    return best.row(0, named=True) if best.height else None


def _watch(node: pl.DataFrame, rule: dict[str, float], market: Market) -> tuple[dict[str, object], pl.DataFrame]:
    """One node's rolling sum; intervals without a price count as zero."""
    step, hours = market.interval, market.hours
    first, last = node["start"][0], node["start"][-1]
    grid = pl.DataFrame({"start": pl.datetime_range(first, last, step, time_unit="us", time_zone="UTC", eager=True)})
    filled = grid.join(node.select("start", "price", "location", "resource", "tier"), on="start", how="left", maintain_order="left")
    days = filled["start"].dt.convert_time_zone(market.timezone).dt.date().cast(pl.Int32).cast(pl.Int64).to_numpy()
    price = filled["price"].fill_null(0.0).to_numpy()
    window = max(round(timedelta(hours=rule["window_hours"]) / step), 1)
    sums, held = tripped(price * hours, days, window=window, threshold=rule["threshold"])
    full = np.concatenate([[0.0], np.cumsum(price * hours)])
    after = full[1:] - full[np.maximum(np.arange(price.size) + 1 - window, 0)]
    top = int(np.argmax(after))
    rows = filled.with_columns(pl.Series("cumulative", sums), pl.Series("held", held)).filter("held").drop_nulls("price")
    rows = rows.with_columns(pl.min_horizontal("price", pl.lit(rule["cap"])).alias("administered")).drop("held")
    seen = {
        "window_hours": rule["window_hours"],
        "threshold": rule["threshold"],
        "cap": rule["cap"],
        "highest": float(after[top]),
        "highest_at": filled["start"][top],
        "used": float(after[top]) / rule["threshold"],
        "trips": int((held & ~np.concatenate([[False], held[:-1]])).sum()),
        "administered": int(held.sum()),
        "capped": int((held & (price > rule["cap"])).sum()),
    }
    return seen, rows.select(list(Administered.columns()))

"""The words for a price: one form for each way in which a price can be set."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tenorgrid.clearing.insight.between import LIMITS, LOWER, UPPER, Standing, standing
from tenorgrid.clearing.insight.conditions import Condition, conditions
from tenorgrid.clearing.insight.figures import digits, summed, written
from tenorgrid.clearing.insight.marginal import SMALL, Found
from tenorgrid.clearing.insight.published import Published
from tenorgrid.clearing.insight.recipes_used import CLOSE, NOWHERE
from tenorgrid.data.kinds.market import PriceSetter, PricingRule

FACTS = {
    "part": pl.String, "amount": pl.Float64, "id": pl.String, "step": pl.Int64, "participant": pl.String, "note": pl.String,
}  # fmt: skip
DEEPEST = 12  # prices that a chain is followed through
SHOWN, NAMED = 4, 2  # orders that are named where several set a price, with what they add and without
NAMES = {
    "premium": "firm premium", "scarcity": "scarcity", "domain": "scale-up premium", "other_resources": "other resources",
    "carriage": "moving the data", "remainder": "remainder",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Story:
    """A price in words and numbers: see `Explanation`."""

    set_by: PriceSetter
    text: str
    facts: pl.DataFrame = field(repr=False)
    limits: pl.DataFrame = field(repr=False)
    chain: tuple[str, ...] = ()


def tell(run: Published, found: Found, at: int, *, virtuals: pl.DataFrame) -> Story:
    """Tell the price of row `at` of `found.table`.

    Args:
        run: one interval of one horizon.
        found: who sets its prices.
        at: which of them.
        virtuals: what the run newly took of virtual bids.
    """
    row = found.table.row(at, named=True)
    if row["price"] is None:
        return Story(set_by=PriceSetter.NOBODY, text="nobody bids for it and nobody offers it", facts=_facts([]), limits=_none())
    kind = PriceSetter(row["set_by"])
    if kind in (PriceSetter.BETWEEN, PriceSetter.TOGETHER):
        return _free(run, found, at, virtuals)
    parts = _parts(row, _lead(kind, row))
    sentence = summed([(name, amount) for name, amount, _ in parts], row["price"], places=digits(row["price"]))
    chain = _chain(run, found, at)
    told = f"{sentence}{_tail(kind, row)}"
    text = "; ".join([told, *chain[:1], *(f"in the end {one}" for one in chain[1:][-1:])])
    return Story(set_by=kind, text=text, facts=_facts(parts, row), limits=_none(), chain=chain)


def _lead(kind: PriceSetter, row: dict[str, Any]) -> str:
    """What the first part is called."""
    order = f"{row['id']}" + (f" step {row['step']}" if row["step"] is not None and row["step"] > 1 else "")
    match kind:
        case PriceSetter.OFFER | PriceSetter.TIER:
            return f"offer {order} at"
        case PriceSetter.INC | PriceSetter.DEC:
            return f"virtual {kind.value} {order} at"
        case PriceSetter.AVERAGE:
            return f"average cost of offer {order}, start included, at"
        case PriceSetter.VOLL:
            return "bid for and not offered, value of lost load"
        case PriceSetter.BOUND:
            return "held at the market's bound"
        case PriceSetter.BID if row["id"] is not None:
            return f"bid {order} for {row['via']} at"
        case _:
            return f"{row['via']} at"


def _tail(kind: PriceSetter, row: dict[str, Any]) -> str:
    match kind:
        case PriceSetter.TIER:
            return f", as it is sold {row['via']} too"
        case PriceSetter.AVERAGE:
            return ", an average cost and not a marginal one"
        case _:
            return ""


def _parts(row: dict[str, Any], lead: str) -> list[tuple[str, float, str]]:
    """Name, amount and note of each part of a price; they add up to it."""
    parts = [(lead, float(row["order"] or 0.0), "order")]
    for name, said in NAMES.items():
        amount = float(row[name] or 0.0)
        if name == "remainder" and abs(amount) <= CLOSE * max(abs(row["price"]), SMALL):
            continue
        if amount:
            parts.append((said, amount, name))
    rent = float(row["rent"] or 0.0)
    if abs(rent) > 0.0:
        said = "what it earns there" if row["set_by"] == PriceSetter.TIER.value else "worth of its last unit elsewhen"
        parts.insert(1, (said, rent, "rent"))
    return parts


def _free(run: Published, found: Found, at: int, virtuals: pl.DataFrame) -> Story:
    """A price that no order taken in part sets: what several set jointly, or between which two it lies."""
    row = found.table.row(at, named=True)
    price = float(row["price"])
    priced = found.table["price"].is_not_null().to_numpy()
    stands = standing(conditions(run, virtuals=virtuals), int(priced[:at].sum()))
    near = CLOSE * max(abs(price), SMALL)
    if stands.sources and abs(sum(amount for _, amount in stands.sources) - price) <= near:
        return _jointly(row, stands)
    if stands.broken or stands.limits["limit"].n_unique() < 2:
        return _alone(run, price, stands)
    below, above = _nearest(stands.limits, LOWER), _nearest(stands.limits, UPPER)
    return _between(row, stands, below, above)


def _alone(run: Published, price: float, stands: Standing) -> Story:
    """A price that the orders at it do not explain: what is decided whole moves it."""
    hull = run.rule is PricingRule.CONVEX_HULL
    said = "hull price at which no single order stands," if hull else "price at which no single order stands,"
    parts = [(said, price, "hull" if hull else "remainder")]
    text = summed([parts[0][:2]], price, places=digits(price))
    return Story(set_by=PriceSetter.HULL, text=text, facts=_facts(parts), limits=stands.limits)


def _jointly(row: dict[str, Any], stands: Standing) -> Story:
    """Several orders, each of which fixes a sum of prices, fix this one together."""
    price = float(row["price"])
    orders = [order for order, _ in stands.sources if order.what != "work"]
    if row["via"] is not None:
        parts = _parts(row, f"{row['via']} at")
        who = {"id": None, "step": None, "participant": None}
        named = "; ".join(_source(order) for order in orders[:NAMED])
        tail = f"; {len(orders)} orders set it together with other prices, most of all {named}" if len(orders) > 1 else f"; set by {named}"
        text = summed([part[:2] for part in parts], price, places=digits(price)) + tail
        return Story(set_by=PriceSetter.TOGETHER, text=text, facts=_facts(parts, row | who), limits=stands.limits)
    shown, rest = stands.sources[:SHOWN], stands.sources[SHOWN:]
    parts = [(_source(order), amount, "order") for order, amount in shown]
    left = price - sum(amount for _, amount, _ in parts)
    if rest:
        parts.append((f"{len(rest)} more", left, "orders"))
    text = f"several orders set it together: {summed([part[:2] for part in parts], price, places=digits(price))}"
    return Story(set_by=PriceSetter.TOGETHER, text=text, facts=_facts(parts), limits=stands.limits)


def _source(order: Condition) -> str:
    return f"moving the data of {order.where}" if order.what == "work" else f"{_named(order.what, order.id, order.step)} ({order.where})"


def _between(row: dict[str, Any], stands: Standing, below: dict[str, Any], above: dict[str, Any]) -> Story:
    """Where a free price lies between the two orders that would object to its moving on."""
    price, places = float(row["price"]), digits(float(row["price"]))
    low, high = float(below["at"]), float(above["at"])
    near = CLOSE * max(abs(price), SMALL)
    tail = f"; {len(stands.moving)} other prices move with it" if len(stands.moving) > 1 else ""
    tail = f"; {stands.moving[0]} moves with it" if len(stands.moving) == 1 else tail
    if price - low <= near or high - price <= near:
        side = below if price - low <= near else above
        parts = [(f"{_why(side, row)} at", price, "order")]
        text = summed([part[:2] for part in parts], price, places=places)
        return Story(set_by=PriceSetter.BETWEEN, text=text + tail, facts=_facts(parts), limits=stands.limits)
    middle = abs((low + high) / 2.0 - price) <= max(near, CLOSE * abs(high))
    word = "half of the gap" if middle else f"{(price - low) / (high - low):.0%} of the gap"
    gap = f"{word} to {_why(above, row)} at {written(high, places=places)},"
    parts = [(f"between orders, {_why(below, row)} at", low, "lower limit"), (gap, price - low, "gap")]
    text = summed([part[:2] for part in parts], price, places=places)
    return Story(set_by=PriceSetter.BETWEEN, text=text + tail, facts=_facts(parts), limits=stands.limits)


def _nearest(around: pl.DataFrame, limit: str) -> dict[str, Any]:
    """The tightest limit of a side; of equal ones an order before the market's own bound."""
    rows = around.filter(pl.col("limit") == limit).with_columns((pl.col("what") == "market").alias("last"))
    return rows.sort("at", "last", "id", descending=[limit == LOWER, False, False], nulls_last=True).row(0, named=True)


def _named(what: str, name: str | None, step: int | None) -> str:
    kind = f"virtual {what}" if what in ("inc", "dec") else what
    return f"{kind} {name}" + (f" step {step}" if step is not None and step > 1 else "")


def _why(side: dict[str, Any], row: dict[str, Any]) -> str:
    """An order and what it says; where it stands, if that is not the node itself."""
    if side["what"] == "market":
        return f"the market's {side['why']}"
    if side["what"] in ("work", "link"):
        return f"{side['where'] or side['id']}, which {side['why']},"
    where = "" if side["where"] == f"{row['resource']} {row['location']}" else f" ({side['where']})"
    return f"{_named(side['what'], side['id'], side['step'])}{where}, which {side['why']},"


def _chain(run: Published, found: Found, at: int) -> tuple[str, ...]:
    """What the price follows from, told node by node, the nearest first; empty where an order sets it here."""
    said: list[str] = []
    seen = {at}
    while len(said) < DEEPEST:
        row = found.table.row(at, named=True)
        step = _before(run, found, at)
        if step is None or step[0] in seen:
            break
        at, why = step
        seen.add(at)
        row = found.table.row(at, named=True)
        parts = _parts(row, _lead(PriceSetter(row["set_by"]), row))
        amount = summed([part[:2] for part in parts], row["price"], places=digits(row["price"]))
        said.append(f"{why}{row['resource']} {row['location']} {row['tier']} = {row['price']:,.{digits(row['price'])}f}: {amount}")
    return tuple(said)


def _before(run: Published, found: Found, at: int) -> tuple[int, str] | None:
    """The row that the price of row `at` follows from, and how; None where an order sets it."""
    row = found.table.row(at, named=True)
    if row["set_by"] == PriceSetter.TIER.value:
        return int(found.pairs["node"][int(found.reached.node_tier[at])]), ""
    if row["set_by"] != PriceSetter.SUBSTITUTE.value:
        return None
    pool, through = int(found.uses.pool[found.reached.node_recipe[at]]), ""
    if found.reached.pool_tier[pool] != NOWHERE:
        pair = found.work.row(int(found.reached.pool_tier[pool]), named=True)
        pool, through = int(pair["pool"]), f"bid {pair['id']} is served in both tiers; "
    other = int(found.reached.pool_recipe[pool])
    if other == NOWHERE:
        return None
    mine = found.uses.of == other
    cost = found.uses.per_unit[mine] * found.uses.price[mine]
    ran = found.uses.rows.row(other, named=True)
    where = f"{through}it also runs on {ran['recipe']} in {ran['location']}, where "
    return int(found.uses.node[mine][cost.argmax()]), where


def _facts(parts: list[tuple[str, float, str]], row: dict[str, Any] | None = None) -> pl.DataFrame:
    who = row or {}
    rows = [
        {
            "part": kind,
            "amount": amount,
            "id": who.get("id") if at == 0 else None,
            "step": who.get("step") if at == 0 else None,
            "participant": who.get("participant") if at == 0 else None,
            "note": name,
        }
        for at, (name, amount, kind) in enumerate(parts)
    ]
    return pl.DataFrame(rows, schema=FACTS)


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=LIMITS)

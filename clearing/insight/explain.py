"""Why a price is what it is, in a sentence that a trader can read and facts that an auditor can add up.

    h100-sxm us-east firm 2027-03-01T18:00Z = 2.6100: offer o-17 at 2.3100 + scarcity 0.3000

Read from the published tables and the orders alone.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tenorgrid.clearing.insight.figures import digits
from tenorgrid.clearing.insight.marginal import Found, marginal
from tenorgrid.clearing.insight.orders import taken_virtuals
from tenorgrid.clearing.insight.published import Published
from tenorgrid.clearing.insight.sentence import Story, tell
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PriceKind, PriceSetter


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Who set the price of one node, and why; `str()` of it is the sentence.

    `facts` has the parts of the price (part, amount, id, step, participant, note), which add up to it; `limits` what the orders around
    it would take or pay; `chain` the same sentence of each price that this one follows from, the nearest first.
    """

    horizon: str
    pricing: PriceKind
    start: datetime
    location: str
    resource: str
    tier: str
    price: float | None
    set_by: PriceSetter
    sentence: str
    facts: pl.DataFrame = field(repr=False)
    limits: pl.DataFrame = field(repr=False)
    chain: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>{self.facts._repr_html_()}"


def explain(run: Published, *, resource: str, location: str, tier: str, start: datetime | str, horizon: str | None = None) -> Explanation:
    """Who set the price of a node in an interval.

    Args:
        run: every horizon of it, with the case's orders.
        resource, location, tier: the node.
        start: first instant of the interval, UTC, or its ISO 8601 text.
        horizon: of the run; None is the one nearest to delivery that has the price.

    Raises InputError for a node, an interval or a horizon that the run does not have.
    """
    moment = instant(start)
    name = _horizon(run, moment, resource=resource, location=location, tier=tier, horizon=horizon)
    orders = (pl.col("start") <= moment) & (pl.col("end") > moment)
    kept = {table: getattr(run.case, table).filter(orders) for table in ("offers", "bids", "virtuals")}
    here = replace(run, case=replace(run.case, **kept)).only(horizons=run.horizons, start=moment)
    alone = here.only(horizons=[name])
    found = marginal(alone, earlier=here)
    virtuals = taken_virtuals(alone, all_awards=here.awards)
    at = _row(found, resource=resource, location=location, tier=tier)
    story = tell(alone, found, at, virtuals=virtuals)
    return _explanation(found, at, story)


def instant(start: datetime | str) -> datetime:
    """A moment in UTC from itself or its text. Raises InputError for other text and for a moment without a zone.

    >>> instant("2027-03-01T18:00Z").isoformat()
    '2027-03-01T18:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    except ValueError as error:
        raise InputError.of("start", "a moment such as 2027-03-01T18:00Z", value=start) from error
    if moment.tzinfo is None:
        raise InputError.of("start", "a moment with its zone, such as 2027-03-01T18:00Z", value=start)
    return moment.astimezone(UTC)


def _horizon(run: Published, start: datetime, *, resource: str, location: str, tier: str, horizon: str | None) -> str:
    node = run.prices.filter(pl.col("resource") == resource, pl.col("location") == location, pl.col("tier") == tier)
    if node.is_empty():
        nodes = run.prices.select(pl.format("{}/{}/{}", "resource", "location", "tier")).to_series().unique().sort().to_list()
        raise InputError.of("node", f"one of {', '.join(nodes)}", value=f"{resource}/{location}/{tier}")
    if horizon is not None and horizon not in run.horizons:
        raise InputError.of("horizon", f"one of {', '.join(run.horizons)}", value=horizon)
    there = node.filter(pl.col("start") == start)
    cleared = [name for name in run.horizons if name in set(there["horizon"]) and horizon in (None, name)]
    if not cleared:
        some = node if horizon is None else node.filter(pl.col("horizon") == horizon)
        first, last = some["start"].min(), some["start"].max()
        span = "a cleared interval"
        if isinstance(first, datetime) and isinstance(last, datetime):
            span = f"an interval's start from {first:%Y-%m-%dT%H:%MZ} to {last:%Y-%m-%dT%H:%MZ}"
        raise InputError.of("start", span, value=f"{start:%Y-%m-%dT%H:%MZ}")
    priced = [name for name in cleared if there.filter(pl.col("horizon") == name)["price"].null_count() == 0]
    return (priced or cleared)[-1]


def _row(found: Found, *, resource: str, location: str, tier: str) -> int:
    table = found.table.with_row_index("at")
    return int(table.filter(pl.col("resource") == resource, pl.col("location") == location, pl.col("tier") == tier)["at"][0])


def _explanation(found: Found, at: int, story: Story) -> Explanation:
    row: dict[str, Any] = found.table.row(at, named=True)
    head = f"{row['resource']} {row['location']} {row['tier']} {row['start']:%Y-%m-%dT%H:%MZ}"
    run = "" if row["horizon"] == "real-time" else f" {row['horizon']}"
    rule = "" if row["pricing"] == PriceKind.MARGINAL.value else f" ({row['pricing']} price)"
    price = "no price" if row["price"] is None else f"{row['price']:,.{digits(row['price'])}f}"
    return Explanation(
        horizon=row["horizon"],
        pricing=PriceKind(row["pricing"]),
        start=row["start"],
        location=row["location"],
        resource=row["resource"],
        tier=row["tier"],
        price=row["price"],
        set_by=story.set_by,
        sentence=f"{head}{run}{rule} = {price}: {story.text}",
        facts=story.facts,
        limits=story.limits,
        chain=story.chain,
    )

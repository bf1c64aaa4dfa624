"""The market's own recalls: what suppliers listed ahead against what they offer in real time."""

from typing import Literal

import polars as pl

from tenorgrid.clearing.windows import Span, spread
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.tables.tiering import Runs

Listed = Literal["all", "interruptible"]
KEYS = ["pool", "supplier", "hour"]


def recalls_of(case: Case, *, ahead: str | None = None, listed: Listed = "all") -> pl.DataFrame:
    """`Runs` of every accelerator in every location, by participant: listed at an ahead horizon, present as far as real time offers it.

    What real time offers beyond the listing was not listed and does not count; a supplier that lists and then offers nothing has recalled
    all of it. Hours that both horizons cover are taken. A pool is an accelerator in a location, for there its hours are sold.

    Args:
        case: with at least two horizons, the last of which is real time.
        ahead: horizon of the listing; None is the last before real time.
        listed: `all` offers, since every listed hour may be sold interruptible; or those that are interruptible only.

    Raises `InputError` where the case has no such horizon, or no such offers in hours that both cover.
    """
    names = [horizon.name for horizon in case.market.horizons]
    if len(names) < 2:
        raise InputError.of(
            "market.toml", "an ahead horizon and real time, to tell recalls from", column="horizons", value=", ".join(names)
        )
    chosen = names[-2] if ahead is None else ahead
    if chosen not in names[:-1]:
        raise InputError.of("market.toml", f"one of {', '.join(names[:-1])}", column="horizons", value=chosen)
    accelerators = case.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"]
    offers = case.offers.filter(pl.col("resource").is_in(accelerators.to_list()))
    if listed == "interruptible":
        offers = offers.filter(pl.col("firm_premium").is_null())
    span = _common(offers, case, chosen, names[-1])
    sides = [_offered(offers, span, horizon).rename({"quantity": name}) for horizon, name in ((chosen, "listed"), (names[-1], "there"))]
    members = pl.concat([side.select("pool", "supplier") for side in sides]).unique().sort("pool", "supplier")
    hours = pl.DataFrame({"hour": range(span.count)}, schema={"hour": pl.Int32})
    grid = members.join(hours, how="cross").join(sides[0], on=KEYS, how="left").join(sides[1], on=KEYS, how="left")
    length = span.interval.total_seconds()
    runs = grid.with_columns(pl.col("listed", "there").fill_null(0.0)).select(
        "pool",
        "supplier",
        begin=pl.col("hour") * length,
        end=(pl.col("hour") + 1) * length,
        listed="listed",
        present=pl.min_horizontal("listed", "there"),
    )
    kept = runs.filter((pl.col("listed") > 0).any().over("pool", "supplier"))
    if kept.is_empty():
        raise InputError.of("offers", f"{listed} offers of accelerators at the horizon {chosen}")
    return Runs.validate(kept.sort("pool", "supplier", "begin"))


def _common(offers: pl.DataFrame, case: Case, ahead: str, real: str) -> Span:
    """Intervals from the first to the last that both horizons have offers in."""
    edges = []
    for horizon in (ahead, real):
        here = offers.filter(pl.col("horizon").is_null() | (pl.col("horizon") == horizon))
        if here.is_empty():
            raise InputError.of("offers", f"offers of accelerators at the horizon {horizon}")
        edges.append(here.select(pl.col("start").min(), pl.col("end").max()).row(0))
    begin, end = max(edge[0] for edge in edges), min(edge[1] for edge in edges)
    count = (end - begin) // case.market.interval
    if count < 1:
        raise InputError.of("offers", f"hours that both {ahead} and {real} have offers in")
    return Span(first=begin, count=count, interval=case.market.interval)


def _offered(offers: pl.DataFrame, span: Span, horizon: str) -> pl.DataFrame:
    here = offers.filter(pl.col("horizon").is_null() | (pl.col("horizon") == horizon)).select(
        "start", "end", "quantity", pool=pl.concat_str("resource", pl.lit(" "), "location"), supplier="participant"
    )
    return spread(here, span=span).group_by(KEYS).agg(pl.col("quantity").sum())

"""What was bid and offered at one horizon, by class, fitted with a layout that holds it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tenorgrid.clearing.grid import ANYWHERE, Grid
from tenorgrid.clearing.layout import BidClass, Layout, OfferClass, VirtualClass, layout
from tenorgrid.clearing.wholes import POOLED, Wholes, owners, wholes
from tenorgrid.clearing.windows import Span, widths
from tenorgrid.data.case import Case
from tenorgrid.data.kinds.market import ExtraKind, ExtraSpan
from tenorgrid.data.tables.extra import ExtraRows
from tenorgrid.data.terms.market import Horizon

NO_DOMAIN = 1  # scale-up size of a GPU that belongs to no domain


@dataclass(frozen=True, kw_only=True)
class Orders:
    """All that was bid and offered at one horizon, as windows, and the layout that holds it.

    Steps that are equal in the columns of a merit stand in for one another; `rung` keeps the steps of an order with a class of its own
    apart.
    """

    horizon: str
    span: Span
    layout: Layout
    wholes: Wholes
    offers: pl.DataFrame = field(repr=False)  # class_number, id, participant, step, start, end, quantity, price, premium, rung
    bids: pl.DataFrame = field(repr=False)  # class_number, id, participant, step, start, end, quantity, value, loss, rung
    virtuals: pl.DataFrame = field(repr=False)  # class_number, id, participant, start, end, quantity, price
    extra: pl.DataFrame = field(repr=False)  # constraints of the user's, `ExtraRows`

    def windows(self) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of time that have to be solved together."""
        yield from self.wholes.windows()
        if (self.extra["span"].cast(pl.String) == ExtraSpan.RUN.value).any():
            yield self.span.first, self.span.end

    @property
    def offer_merit(self) -> list[str]:
        """What tells steps of offers apart, the cheapest first."""
        return _merit(self.offers, "price", "premium")

    @property
    def bid_merit(self) -> list[str]:
        """What tells steps of bids apart, the dearest first."""
        return _merit(self.bids, "value", "loss")

    def part(self, begin: int, end: int) -> "Orders":
        """The orders that stand in intervals `begin` to `end`."""
        span = self.span.part(begin, end)
        here = (pl.col("start") < span.end) & (pl.col("end") > span.first)
        return Orders(
            horizon=self.horizon,
            span=span,
            layout=self.layout,
            wholes=self.wholes.within(span),
            offers=self.offers.filter(here),
            bids=self.bids.filter(here),
            virtuals=self.virtuals.filter(here),
            extra=self.extra,
        )


def take_orders(
    case: Case, grid: Grid, *, horizon: Horizon, span: Span, carrying: set[VirtualClass], extra: pl.DataFrame | None = None
) -> Orders:
    """What was bid and offered at a horizon, with the layout that holds it.

    Args:
        case: checked.
        grid: of the case.
        horizon: which one; rows without a horizon stand in every one.
        span: intervals that the horizon clears.
        carrying: classes of virtual bids of earlier horizons that may be carried into this one.
        extra: constraints of the user's, `ExtraRows`; orders that they speak of keep a class of their own.
    """
    rows = ExtraRows.create_empty() if extra is None else extra
    named = rows.filter(pl.col("kind").cast(pl.String).is_in([ExtraKind.OFFER.value, ExtraKind.BID.value]))["id"].drop_nulls()
    within = (pl.col("start") < span.end) & (pl.col("end") > span.first)
    here = (pl.col("horizon").is_null() | (pl.col("horizon") == horizon.name)) & within
    offers = case.offers.filter(here).rename({"offer_id": "id"})
    bids = case.bids.filter(here).rename({"bid_id": "id"})
    virtuals = case.virtuals.filter((pl.col("horizon") == horizon.name) & within).rename({"bid_id": "id"})

    tied = wholes(offers, bids)
    committed, gangs = set(tied.offers["id"]), _all_or_nothing(tied)
    own_offers = {name: name for name in (*committed, *named)}
    own_bids = owners(tied) | {name: name for name in named}
    offered, offer_classes = _offers(offers, own=own_offers, whole=committed)
    wanted, bid_classes = _bids(bids, own=own_bids, whole=gangs, levels=grid.tiers.names)
    own = virtuals.select("location", "resource", pl.col("side").cast(pl.String)).unique()
    virtual_classes = sorted({VirtualClass(*row) for row in own.iter_rows()} | carrying)
    virtual = _virtuals(virtuals, virtual_classes)
    virtual_widths = widths(virtual, span=span, merit=["price"], classes=len(virtual_classes))
    offer_widths = widths(offered, span=span, merit=_merit(offered, "price", "premium"), classes=len(offer_classes))
    bid_widths = widths(wanted, span=span, merit=_merit(wanted, "value", "loss"), classes=len(bid_classes))
    shape = layout(
        grid,
        offers=dict(zip(offer_classes, offer_widths, strict=True)),
        bids=dict(zip(bid_classes, bid_widths, strict=True)),
        virtuals={name: width + (name in carrying) for name, width in zip(virtual_classes, virtual_widths, strict=True)},
        hours=case.market.hours,
    )
    return Orders(
        horizon=horizon.name, span=span, layout=shape, wholes=tied, offers=offered, bids=wanted, virtuals=virtual, extra=rows
    )  # fmt: skip


def _merit(rows: pl.DataFrame, *names: str) -> list[str]:
    return [*names, *(["rung"] if "rung" in rows.columns else [])]


def _all_or_nothing(tied: Wholes) -> set[str]:
    """Bids whose every right-hand side is multiplied by an acceptance: gangs, and what is linked to one."""
    return set(tied.bids.filter(pl.col("gang") | pl.col("parent").is_not_null())["id"])


def _tier_set(text: str | None, *, levels: tuple[str, ...]) -> tuple[str, ...]:
    chosen = {name.strip() for name in text.split(";")} if text is not None else set(levels)
    return tuple(name for name in levels if name in chosen)


def numbered(classes: list[tuple[object, ...]], names: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """The classes of a kind with the number of each."""
    return pl.DataFrame(classes, schema=names, orient="row").with_row_index("class_number")


def _owned(ids: pl.Series, own: dict[str, str]) -> pl.Series:
    """The class of its own of each order, `POOLED` for most."""
    if not own:
        return pl.Series("own", [POOLED], dtype=pl.String).new_from_index(0, len(ids))
    return ids.replace_strict(list(own), list(own.values()), default=POOLED, return_dtype=pl.String).alias("own")


def _classed(rows: pl.DataFrame, key: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the number of their class, and the classes in order of their key."""
    classes = rows.select(key).unique().sort(key, nulls_last=False).with_row_index("class_number")
    return rows.join(classes, on=key, maintain_order="left"), classes


def _offers(offers: pl.DataFrame, *, own: dict[str, str], whole: set[str]) -> tuple[pl.DataFrame, list[OfferClass]]:
    key = ["location", "resource", "firmable", "domain", "own"]
    keyed = offers.with_columns(
        pl.col("firm_premium").is_not_null().alias("firmable"),
        pl.col("domain").fill_null(NO_DOMAIN),
        _owned(offers["id"], own),
    )
    rows, classes = _classed(keyed, key)
    rung = [pl.when(pl.col("own") == POOLED).then(0).otherwise(pl.col("step")).alias("rung")] if own else []
    found = rows.select(
        "id",
        "participant",
        "step",
        "class_number",
        "start",
        "end",
        "quantity",
        "price",
        pl.col("firm_premium").fill_null(0.0).alias("premium"),
        *rung,
    )
    named = classes.select(key).iter_rows()
    return found, [
        OfferClass(place, resource, firmable, domain, owner, owner in whole) for place, resource, firmable, domain, owner in named
    ]


def _bids(bids: pl.DataFrame, *, own: dict[str, str], whole: set[str], levels: tuple[str, ...]) -> tuple[pl.DataFrame, list[BidClass]]:
    key = ["workload", "home", "tiers", "own"]
    texts = {text: ";".join(_tier_set(text, levels=levels)) for text in bids["tiers"].unique() if text is not None}
    keyed = bids.with_columns(
        pl.col("home").fill_null(ANYWHERE),
        pl.col("tiers").replace_strict(texts, default=None).fill_null(";".join(levels)),
        _owned(bids["id"], own),
    )
    rows, classes = _classed(keyed, key)
    rung = [pl.when(pl.col("own") == POOLED).then(0).otherwise(pl.col("step")).alias("rung")] if own else []
    found = rows.select(
        "id",
        "participant",
        "step",
        "class_number",
        "start",
        "end",
        "quantity",
        "value",
        pl.col("interruption_loss").fill_null(0.0).alias("loss"),
        *rung,
    )
    named = classes.select(key).iter_rows()
    return found, [BidClass(workload, home, tuple(tiers.split(";")), owner, owner in whole) for workload, home, tiers, owner in named]


def _virtuals(virtuals: pl.DataFrame, classes: list[VirtualClass]) -> pl.DataFrame:
    number = numbered(list(classes), {"location": pl.String, "resource": pl.String, "side": pl.String})
    rows = virtuals.with_columns(pl.col("side").cast(pl.String)).join(number, on=["location", "resource", "side"], maintain_order="left")
    return rows.select("class_number", "start", "end", "quantity", "price", "id", "participant")

"""What was bid and offered at one horizon: sorted into classes, spread over its intervals, and fitted with a layout that holds it."""

from dataclasses import dataclass, field

import polars as pl

from tenorgrid.clearing.layout import ANYWHERE, BidClass, Grid, Layout, OfferClass, VirtualClass, layout
from tenorgrid.clearing.windows import Span, spread, widths
from tenorgrid.data.case import Case
from tenorgrid.data.terms.market import Horizon

OFFER_MERIT = ["price", "premium"]
BID_MERIT = ["value", "loss"]


@dataclass(frozen=True, kw_only=True)
class Orders:
    """All that was bid and offered at one horizon, spread over its intervals, and the layout that holds it."""

    horizon: str
    span: Span
    layout: Layout
    offer_members: pl.DataFrame = field(repr=False)  # hour, class_number, id, participant, step, quantity, price, premium; by id and step
    bid_members: pl.DataFrame = field(repr=False)  # hour, class_number, id, participant, step, quantity, value, loss; by id and step
    virtual_members: pl.DataFrame = field(repr=False)  # hour, class_number, id, participant, quantity, price; by id

    def part(self, begin: int, end: int) -> "Orders":
        """The orders of intervals `begin` to `end` alone, numbered from 0."""

        def cut(members: pl.DataFrame) -> pl.DataFrame:
            return members.filter(pl.col("hour").is_between(begin, end - 1)).with_columns(pl.col("hour") - begin)

        return Orders(
            horizon=self.horizon,
            span=self.span.part(begin, end),
            layout=self.layout,
            offer_members=cut(self.offer_members),
            bid_members=cut(self.bid_members),
            virtual_members=cut(self.virtual_members),
        )


def take_orders(case: Case, grid: Grid, *, horizon: Horizon, span: Span, carrying: set[VirtualClass]) -> Orders:
    """What was bid and offered at a horizon, in canonical order, with the layout that holds it.

    Args:
        case: checked.
        grid: of the case.
        horizon: which one; rows without a horizon stand in every one.
        span: intervals that the horizon clears.
        carrying: classes of virtual bids of earlier horizons that may be carried into this one.
    """
    within = (pl.col("start") < span.first + span.count * span.interval) & (pl.col("end") > span.first)
    here = (pl.col("horizon").is_null() | (pl.col("horizon") == horizon.name)) & within
    offers = case.offers.filter(here).rename({"offer_id": "id"}).sort("id", "step")
    bids = case.bids.filter(here).rename({"bid_id": "id"}).sort("id", "step")
    virtuals = case.virtuals.filter((pl.col("horizon") == horizon.name) & within).rename({"bid_id": "id"}).sort("id")

    offer_classes = _offer_classes(offers)
    bid_classes = _bid_classes(bids, levels=grid.tiers.names)
    virtual_classes = sorted(
        {VirtualClass(*row) for row in virtuals.select("location", "resource", pl.col("side").cast(pl.String)).iter_rows()} | carrying
    )
    offer_members = _offer_members(offers, offer_classes, span)
    bid_members = _bid_members(bids, bid_classes, span, levels=grid.tiers.names)
    virtual_members = _virtual_members(virtuals, virtual_classes, span)
    virtual_widths = widths(virtual_members, merit=["price"], classes=len(virtual_classes))
    shape = layout(
        grid,
        offers=dict(zip(offer_classes, widths(offer_members, merit=OFFER_MERIT, classes=len(offer_classes)), strict=True)),
        bids=dict(zip(bid_classes, widths(bid_members, merit=BID_MERIT, classes=len(bid_classes)), strict=True)),
        virtuals={name: width + (name in carrying) for name, width in zip(virtual_classes, virtual_widths, strict=True)},
        hours=case.market.hours,
    )
    return Orders(
        horizon=horizon.name,
        span=span,
        layout=shape,
        offer_members=offer_members,
        bid_members=bid_members,
        virtual_members=virtual_members,
    )


def _offer_classes(offers: pl.DataFrame) -> list[OfferClass]:
    return sorted({OfferClass(*row) for row in offers.select("location", "resource", pl.col("firm_premium").is_not_null()).iter_rows()})


def _tier_set(text: str | None, *, levels: tuple[str, ...]) -> tuple[str, ...]:
    chosen = {name.strip() for name in text.split(";")} if text is not None else set(levels)
    return tuple(name for name in levels if name in chosen)


def _bid_classes(bids: pl.DataFrame, *, levels: tuple[str, ...]) -> list[BidClass]:
    found = bids.select("workload", pl.col("home").fill_null(ANYWHERE), "tiers").unique().iter_rows()
    return sorted({BidClass(workload, home, _tier_set(text, levels=levels)) for workload, home, text in found})


def numbered(classes: list[tuple[object, ...]], names: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """The classes of a kind with the number of each."""
    return pl.DataFrame(classes, schema=names, orient="row").with_row_index("class_number")


def _offer_members(offers: pl.DataFrame, classes: list[OfferClass], span: Span) -> pl.DataFrame:
    number = numbered(list(classes), {"location": pl.String, "resource": pl.String, "firmable": pl.Boolean})
    rows = offers.with_columns(pl.col("firm_premium").is_not_null().alias("firmable")).join(
        number, on=["location", "resource", "firmable"], maintain_order="left"
    )
    steps = rows.select(
        "id",
        "participant",
        "step",
        "class_number",
        "start",
        "end",
        "quantity",
        "price",
        pl.col("firm_premium").fill_null(0.0).alias("premium"),
    )
    return spread(steps, span=span).drop("start", "end")


def _bid_members(bids: pl.DataFrame, classes: list[BidClass], span: Span, *, levels: tuple[str, ...]) -> pl.DataFrame:
    keyed = [(bid.workload, bid.home, ";".join(bid.tiers)) for bid in classes]
    number = numbered(list(keyed), {"workload": pl.String, "home": pl.String, "tiers": pl.String})
    texts = {text: ";".join(_tier_set(text, levels=levels)) for text in bids["tiers"].unique() if text is not None}
    rows = bids.with_columns(
        pl.col("home").fill_null(ANYWHERE), pl.col("tiers").replace_strict(texts, default=None).fill_null(";".join(levels))
    ).join(number, on=["workload", "home", "tiers"], maintain_order="left")
    steps = rows.select(
        "id",
        "participant",
        "step",
        "class_number",
        "start",
        "end",
        "quantity",
        "value",
        pl.col("interruption_loss").fill_null(0.0).alias("loss"),
    )
    return spread(steps, span=span).drop("start", "end")


def _virtual_members(virtuals: pl.DataFrame, classes: list[VirtualClass], span: Span) -> pl.DataFrame:
    number = numbered(list(classes), {"location": pl.String, "resource": pl.String, "side": pl.String})
    rows = virtuals.with_columns(pl.col("side").cast(pl.String)).join(number, on=["location", "resource", "side"], maintain_order="left")
    steps = rows.select("class_number", "start", "end", "quantity", "price", "id", "participant")
    return spread(steps, span=span).drop("start", "end")

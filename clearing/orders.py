"""What was bid and offered at one horizon, by class, fitted with a layout that holds it."""

from dataclasses import dataclass, field

import polars as pl

from tenorgrid.clearing.layout import ANYWHERE, BidClass, Grid, Layout, OfferClass, VirtualClass, layout
from tenorgrid.clearing.windows import Span, widths
from tenorgrid.data.case import Case
from tenorgrid.data.terms.market import Horizon

OFFER_MERIT = ["price", "premium"]
BID_MERIT = ["value", "loss"]


@dataclass(frozen=True, kw_only=True)
class Orders:
    """All that was bid and offered at one horizon, as windows, and the layout that holds it."""

    horizon: str
    span: Span
    layout: Layout
    offers: pl.DataFrame = field(repr=False)  # class_number, id, participant, step, start, end, quantity, price, premium
    bids: pl.DataFrame = field(repr=False)  # class_number, id, participant, step, start, end, quantity, value, loss
    virtuals: pl.DataFrame = field(repr=False)  # class_number, id, participant, start, end, quantity, price

    def part(self, begin: int, end: int) -> "Orders":
        """The orders that stand in intervals `begin` to `end`."""
        span = self.span.part(begin, end)
        here = (pl.col("start") < span.end) & (pl.col("end") > span.first)
        return Orders(
            horizon=self.horizon,
            span=span,
            layout=self.layout,
            offers=self.offers.filter(here),
            bids=self.bids.filter(here),
            virtuals=self.virtuals.filter(here),
        )


def take_orders(case: Case, grid: Grid, *, horizon: Horizon, span: Span, carrying: set[VirtualClass]) -> Orders:
    """What was bid and offered at a horizon, with the layout that holds it.

    Args:
        case: checked.
        grid: of the case.
        horizon: which one; rows without a horizon stand in every one.
        span: intervals that the horizon clears.
        carrying: classes of virtual bids of earlier horizons that may be carried into this one.
    """
    within = (pl.col("start") < span.end) & (pl.col("end") > span.first)
    here = (pl.col("horizon").is_null() | (pl.col("horizon") == horizon.name)) & within
    offers = case.offers.filter(here).rename({"offer_id": "id"})
    bids = case.bids.filter(here).rename({"bid_id": "id"})
    virtuals = case.virtuals.filter((pl.col("horizon") == horizon.name) & within).rename({"bid_id": "id"})

    offer_classes = _offer_classes(offers)
    bid_classes = _bid_classes(bids, levels=grid.tiers.names)
    own = virtuals.select("location", "resource", pl.col("side").cast(pl.String)).unique()
    virtual_classes = sorted({VirtualClass(*row) for row in own.iter_rows()} | carrying)
    offered = _offers(offers, offer_classes)
    wanted = _bids(bids, bid_classes, levels=grid.tiers.names)
    virtual = _virtuals(virtuals, virtual_classes)
    virtual_widths = widths(virtual, span=span, merit=["price"], classes=len(virtual_classes))
    shape = layout(
        grid,
        offers=dict(zip(offer_classes, widths(offered, span=span, merit=OFFER_MERIT, classes=len(offer_classes)), strict=True)),
        bids=dict(zip(bid_classes, widths(wanted, span=span, merit=BID_MERIT, classes=len(bid_classes)), strict=True)),
        virtuals={name: width + (name in carrying) for name, width in zip(virtual_classes, virtual_widths, strict=True)},
        hours=case.market.hours,
    )
    return Orders(horizon=horizon.name, span=span, layout=shape, offers=offered, bids=wanted, virtuals=virtual)


def _offer_classes(offers: pl.DataFrame) -> list[OfferClass]:
    found = offers.select("location", "resource", pl.col("firm_premium").is_not_null()).unique().iter_rows()
    return sorted({OfferClass(*row) for row in found})


def _tier_set(text: str | None, *, levels: tuple[str, ...]) -> tuple[str, ...]:
    chosen = {name.strip() for name in text.split(";")} if text is not None else set(levels)
    return tuple(name for name in levels if name in chosen)


def _bid_classes(bids: pl.DataFrame, *, levels: tuple[str, ...]) -> list[BidClass]:
    found = bids.select("workload", pl.col("home").fill_null(ANYWHERE), "tiers").unique().iter_rows()
    return sorted({BidClass(workload, home, _tier_set(text, levels=levels)) for workload, home, text in found})


def numbered(classes: list[tuple[object, ...]], names: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """The classes of a kind with the number of each."""
    return pl.DataFrame(classes, schema=names, orient="row").with_row_index("class_number")


def _offers(offers: pl.DataFrame, classes: list[OfferClass]) -> pl.DataFrame:
    number = numbered(list(classes), {"location": pl.String, "resource": pl.String, "firmable": pl.Boolean})
    rows = offers.with_columns(pl.col("firm_premium").is_not_null().alias("firmable")).join(
        number, on=["location", "resource", "firmable"], maintain_order="left"
    )
    return rows.select(
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


def _bids(bids: pl.DataFrame, classes: list[BidClass], *, levels: tuple[str, ...]) -> pl.DataFrame:
    keyed = [(bid.workload, bid.home, ";".join(bid.tiers)) for bid in classes]
    number = numbered(list(keyed), {"workload": pl.String, "home": pl.String, "tiers": pl.String})
    texts = {text: ";".join(_tier_set(text, levels=levels)) for text in bids["tiers"].unique() if text is not None}
    rows = bids.with_columns(
        pl.col("home").fill_null(ANYWHERE), pl.col("tiers").replace_strict(texts, default=None).fill_null(";".join(levels))
    ).join(number, on=["workload", "home", "tiers"], maintain_order="left")
    return rows.select(
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


def _virtuals(virtuals: pl.DataFrame, classes: list[VirtualClass]) -> pl.DataFrame:
    number = numbered(list(classes), {"location": pl.String, "resource": pl.String, "side": pl.String})
    rows = virtuals.with_columns(pl.col("side").cast(pl.String)).join(number, on=["location", "resource", "side"], maintain_order="left")
    return rows.select("class_number", "start", "end", "quantity", "price", "id", "participant")

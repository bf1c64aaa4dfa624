"""The page of `tenorgrid virtuals`: what bids would have earned, and those for the next day."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from tenorgrid.derivatives.virtual_bids.risk import BidRisk
from tenorgrid.reports.figures import virtuals as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "virtuals.html"
DRAWN = 4  # series


def render(
    tables: Mapping[str, pl.DataFrame], *, day: date, unit: str, source: str, timezone: str, risk: BidRisk, collateral: float,
    left_out: int,
) -> str:  # fmt: skip
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: bids, hours, days, rules and alignment, as `tg.bid_virtuals` gives them.
        day: that the bids are for.
        unit: of the prices.
        source: what they are called.
        timezone: of the hours.
        risk, collateral: of the bids.
        left_out: days without all their hours.
    """
    own = tables["rules"].filter(pl.col("rule") == "program").row(0, named=True)
    keys = [
        Key(label="Profit", value=number(own["profit"], ",.0f"), note=f"{own['days']} days, after fees"),
        Key(label="Drawdown", value=number(own["drawdown"], ",.0f"), note="largest fall from a high"),
        Key(label="Share", value=number(own["share"], ".1%"), note="of what knowing both prices would earn"),
        Key(label=f"For {day}", value=number(risk.mean, ",.1f"), note=f"expected; a loss in {number(risk.losing, '.0%')} of scenarios"),
    ]
    sections = [_past(tables), _bids(tables, day, timezone, risk, collateral), _clocks(tables["alignment"])]
    subtitle = f"{source}, prices in {unit}. A price taker: what its own bids would have moved is not in the figures."
    if left_out:
        subtitle += f" Days left out, without 24 hours of every series: {left_out}."
    return compose(title="Virtual bids", subtitle=subtitle, keys=keys, sections=sections, note="")


def _past(tables: Mapping[str, pl.DataFrame]) -> Section:
    columns = [
        Column(name="rule", head="Rule"),
        Column(name="days", head="Days", form=",d"),
        Column(name="profit", head="Profit", form=",.1f"),
        Column(name="mean", head="A day", form=",.2f"),
        Column(name="deviation", head="Deviation", form=",.2f"),
        Column(name="ratio", head="Ratio", form=".2f"),
        Column(name="losing", head="Losing days", form=".1%"),
        Column(name="worst", head="Worst day", form=",.1f"),
        Column(name="drawdown", head="Drawdown", form=",.1f"),
        Column(name="share", head="Share", form=".1%"),
    ]
    own = tables["days"].filter(pl.col("rule") == "program").select(pl.col("expected", "profit").mean()).row(0)
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="totals", title="Day by day", figure=figures.totals(tables["days"]),
            caption="Every day's bids knew no price later than their own cut-off.",
        ),
        Listing(
            name="rules", title="Rules", table=table(tables["rules"], columns, name="rules-table"),
            caption="Ratio: mean over deviation, times the root of 365. Share: of what one who knew both prices would have earned at the "
f"hourly limit. The program expected {number(own[0], ',.2f')} a day and earned {number(own[1], ',.2f')}: bids do better in the "
            "scenarios that they were chosen from than later.",
        ),
    ]  # fmt: skip
    return Section(name="past", title="Back-test", lead="What such bids would have earned.", blocks=blocks)


def _bids(tables: Mapping[str, pl.DataFrame], day: date, timezone: str, risk: BidRisk, collateral: float) -> Section:
    bids = tables["bids"]
    names = bids.group_by("series").agg(pl.col("quantity").sum()).sort("quantity", "series", descending=[True, False])["series"]
    if bids.is_empty():
        return Section(name="bids", title=f"Bids for {day}", lead="None: no bid is worth its risk.", blocks=[])
    shown = names.head(DRAWN).sort().to_list()
    hours = Drawing(
        name="premia", title="Premium by hour, and what is bid", figure=figures.premia(tables["hours"], series=shown, timezone=timezone),
        caption="Of the day's scenarios: mean of ahead less real time, with one standard deviation either way.",
    )  # fmt: skip
    drawing = Drawing(
        name="curves", title="Bid curves", figure=figures.curves(bids, series=shown, timezone=timezone),
        caption=f"{bids.height:,} steps; larger marks are larger quantities. {min(DRAWN, names.len())} of {names.len()} series. "
        f"Expected {number(risk.mean, ',.1f')}, deviation {number(risk.deviation, ',.1f')}, shortfall {number(risk.shortfall, ',.1f')}, "
        f"collateral {number(collateral, ',.1f')}.",
    )  # fmt: skip
    return Section(name="bids", title=f"Bids for {day}", lead="What to buy and sell ahead, and at which prices.", blocks=[hours, drawing])


def _clocks(alignment: pl.DataFrame) -> Section:
    rows = alignment.drop_nulls()
    best = 0 if rows.is_empty() else rows.sort("correlation", descending=True)["shift"][0]
    said = "Real time goes best with the ahead price of its own hour." if best == 0 else (
        f"Real time goes best with the ahead price {abs(best)} h {'earlier' if best > 0 else 'later'}: the clocks of the two may differ, "
        "and profits of hours with them."
    )  # fmt: skip
    drawing = Drawing(
        name="clocks", title="Do both clocks agree?", figure=figures.shifts(alignment),
        caption="Correlation within days of ahead prices with real time some hours later.",
    )  # fmt: skip
    return Section(name="alignment", title="Clocks", lead=said, blocks=[drawing])

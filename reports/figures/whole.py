"""Orders decided whole: what was committed and accepted when, and what prices leave unpaid."""

from collections.abc import Sequence
from datetime import timedelta

import plotly.graph_objects as go
import polars as pl

from tenorgrid.data.kinds.market import AwardSide, PricingRule, UpliftCharge
from tenorgrid.reports import theme
from tenorgrid.reports.names import shortened
from tenorgrid.reports.tables import number

MOST_ROWS = 30
CHARGES = {
    UpliftCharge.MAKE_WHOLE.value: "make-whole",
    UpliftCharge.LOST_OPPORTUNITY.value: "lost opportunity",
    UpliftCharge.SHORTFALL.value: "shortfall",
}
_ROW = 22  # pixels
_KINDS = {AwardSide.OFFER.value: ("offer committed", theme.ACCENT), AwardSide.BID.value: ("gang accepted", theme.BLUE)}


def orders(commitments: pl.DataFrame, awards: pl.DataFrame | None) -> pl.DataFrame:
    """Every order decided whole of one horizon, those taken first and of them the largest by award.

    Args:
        commitments: `Commitments` of one horizon.
        awards: `Awards` of the same horizon; None ranks by the intervals taken.

    Returns side, id, participant, taken and seen (intervals), starts, cash (size of what the award pays or costs, USD; null without
    awards).
    """
    found = commitments.group_by(pl.col("side").cast(pl.String), "id").agg(
        pl.col("participant").first(),
        pl.col("on").sum().cast(pl.Int64).alias("taken"),
        pl.len().cast(pl.Int64).alias("seen"),
        pl.col("started").sum().cast(pl.Int64).alias("starts"),
    )
    if awards is None:
        ranked = found.with_columns(pl.lit(None, dtype=pl.Float64).alias("cash"))
    else:
        sums = awards.group_by(pl.col("side").cast(pl.String), "id").agg(pl.col("cash").sum().abs())
        ranked = found.join(sums, on=["side", "id"], how="left").with_columns(pl.col("cash").fill_null(0.0))
    order = ["none", "cash", "taken", "side", "id"]
    return ranked.with_columns(pl.col("taken").eq(0).alias("none")).sort(order, descending=[False, True, True, True, False]).drop("none")


def stretches(commitments: pl.DataFrame, *, interval: timedelta, timezone: str) -> pl.DataFrame:
    """Intervals that follow each other with the same decision, joined: side, id, on, start, end (naive local times).

    Args:
        commitments: `Commitments` of one horizon.
        interval: length of an interval.
        timezone: IANA zone of the clock.
    """
    order = ["side", "id", "start"]
    rows = commitments.with_columns(pl.col("side").cast(pl.String)).sort(order)
    one = ["side", "id"]
    same = (pl.col("on") == pl.col("on").shift().over(one)) & (pl.col("start") - pl.col("start").shift().over(one) == interval)
    parts = rows.with_columns((~same.fill_null(value=False)).cum_sum().alias("part"))
    joined = parts.group_by(*one, "part").agg(pl.col("on").first(), pl.col("start").min(), pl.col("start").max().alias("end"))
    local = [
        pl.col("start").dt.convert_time_zone(timezone).dt.replace_time_zone(None),
        (pl.col("end") + interval).dt.convert_time_zone(timezone).dt.replace_time_zone(None),
    ]
    return joined.sort(*one, "part").select(*one, "on", *local)


def decided(spans: pl.DataFrame, shown: pl.DataFrame) -> go.Figure:
    """When each order was on, one row an order, the first at the top; a thin grey line where it could have been and was not.

    Args:
        spans: from `stretches`.
        shown: from `orders`, only those drawn; at least one.
    """
    place = shown.with_row_index("row").select("side", "id", "participant", "cash", pl.col("row").cast(pl.Int64))
    bars = spans.join(place, on=["side", "id"], how="inner").sort("row", "start")
    drawn = theme.figure(height=100 + _ROW * shown.height)
    for side, (name, colour) in _KINDS.items():
        _spans(drawn, bars.filter(pl.col("on"), pl.col("side") == side), name=name, colour=colour, width=0.62)
    _spans(drawn, bars.filter(~pl.col("on")), name="in its window, not taken", colour=theme.LIGHT, width=0.14)
    drawn.update_layout(barmode="overlay", bargap=0)
    drawn.update_xaxes(type="date", tickformat="%d %b<br>%H:%M", nticks=7, tickangle=0, range=[bars["start"].min(), bars["end"].max()])
    names = [shortened(name) for name in shown["id"]]
    drawn.update_yaxes(
        automargin=True, showgrid=False, tickmode="array", tickvals=list(range(shown.height)), ticktext=names,
        range=[shown.height - 0.5, -0.5], ticks="",
    )  # fmt: skip
    return drawn


def _spans(drawn: go.Figure, bars: pl.DataFrame, *, name: str, colour: str, width: float) -> None:
    if bars.is_empty():
        return
    worth = "" if bars["cash"].null_count() else "<br>award of the run %{customdata[3]:,.2f} USD"
    length = (bars["end"] - bars["start"]).dt.total_milliseconds()
    drawn.add_bar(
        x=length.cast(pl.Float64).to_numpy(),
        base=bars["start"].to_list(),
        y=bars["row"].to_list(),
        orientation="h",
        width=width,
        name=name,
        marker={"color": colour, "line": {"width": 0}},
        customdata=[_told(row) for row in bars.iter_rows(named=True)],
        hovertemplate=f"%{{customdata[0]}}, %{{customdata[1]}}<br>%{{customdata[2]}}{worth}<extra>%{{fullData.name}}</extra>",
    )


def _told(row: dict[str, object]) -> list[object]:
    return [row["id"], row["participant"], f"{row['start']:%d %b %H:%M} to {row['end']:%d %b %H:%M}", row["cash"]]


def totals(uplift: pl.DataFrame | None, allocation: pl.DataFrame | None, *, horizons: Sequence[str]) -> pl.DataFrame:
    """What each horizon and rule leaves unpaid: horizon, pricing, make-whole, lost-opportunity and shortfall, USD.

    Make-whole and lost opportunity are summed over components, the shortfall over those who would pay it.

    Args:
        uplift: `Uplift`.
        allocation: `Allocation`.
        horizons: in which something was decided whole; where neither table has a row of one, nothing is unpaid there.
    """
    rule = pl.col("pricing").cast(pl.String)
    parts = [pl.DataFrame(schema={"horizon": pl.String, "pricing": pl.String, "charge": pl.String, "amount": pl.Float64})]
    if uplift is not None:
        for charge, column in ((UpliftCharge.MAKE_WHOLE, "make_whole"), (UpliftCharge.LOST_OPPORTUNITY, "lost_opportunity")):
            parts.append(uplift.select("horizon", rule, pl.lit(charge.value).alias("charge"), pl.col(column).alias("amount")))
    if allocation is not None:
        short = allocation.with_columns(pl.col("charge").cast(pl.String)).filter(pl.col("charge") == UpliftCharge.SHORTFALL.value)
        parts.append(short.select("horizon", rule, "charge", "amount"))
    sums = [pl.col("amount").filter(pl.col("charge") == charge).sum().alias(charge) for charge in CHARGES]
    every = pl.DataFrame({"horizon": horizons}).join(pl.DataFrame({"pricing": [rule.value for rule in PricingRule]}), how="cross")
    found = every.join(pl.concat(parts).group_by("horizon", "pricing").agg(sums), on=["horizon", "pricing"], how="left")
    return found.with_columns(pl.col(*CHARGES).fill_null(0.0)).sort("horizon", "pricing", descending=[False, True])


def unpaid(sums: pl.DataFrame, *, settles: str, names: dict[str, str]) -> go.Figure:
    """Make-whole, lost opportunity and shortfall of one horizon under both rules, as horizontal bars with their figures.

    Args:
        sums: from `totals`, one horizon.
        settles: the rule whose prices settle, drawn in terracotta.
        names: what each rule's bars are called.
    """
    drawn = theme.figure(height=270)
    labels = list(CHARGES.values())
    for rule in sorted(names, key=lambda rule: rule == settles):  # the first drawn is the lowest
        row = sums.filter(pl.col("pricing") == rule).select(*CHARGES)
        amounts = row.row(0) if row.height else (0.0, 0.0, 0.0)
        drawn.add_bar(
            x=[float(amount) for amount in amounts],
            y=labels,
            orientation="h",
            name=names[rule],
            legendrank=int(rule != settles),
            marker={"color": theme.ACCENT if rule == settles else theme.BLUE},
            text=[number(amount, ",.2f") for amount in amounts],
            textposition="outside",
            textfont={"size": 11},
            cliponaxis=False,
            hovertemplate="%{y}: %{text} USD<extra>%{fullData.name}</extra>",
        )
    every = sums.select(*CHARGES).to_numpy()
    drawn.update_xaxes(
        title={"text": "USD", "standoff": 6, "font": {"size": 12}},
        tickformat="~s",
        nticks=6,
        range=[min(0.0, 1.3 * float(every.min())), 1.3 * max(float(every.max()), 0.01)],
    )
    drawn.update_yaxes(automargin=True, showgrid=False, categoryorder="array", categoryarray=labels[::-1])
    return drawn

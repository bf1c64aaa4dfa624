"""The page of `tenorgrid curve`: the curve with its quotes, what moves it, what contradicts it, and how it moved."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import curve_risk, curves
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, latest, local, number, table

FILE = "curve.html"
DRAWN = 6  # indices that get figures
USD = "USD/GPUh"


def render(tables: Mapping[str, pl.DataFrame], *, timezones: Mapping[str, str], source: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: quotes, curve, months (`CurveMonths`), monthly (`MonthlyJacobian`); arbitrage and moves may be missing or empty.
        timezones: of each index, the axis of its figures.
        source: what the quotes are called.
    """
    names = list(timezones)
    curve, quotes, months = tables["curve"], tables["quotes"], tables["months"]
    told = tables.get("arbitrage")
    mean = months.filter(pl.col("index") == names[0])
    near = mean["forward"][0] if mean.height else None
    keys = [
        Key(label="Curves", value=f"{len(names)}", note=f"as of {latest(curve['as_of'])} UTC"),
        Key(label="Quotes", value=f"{quotes.height:,}", note="that they average back to"),
        Key(label="First month", value=number(near, ".4f"), note=f"USD per GPU-hour, {names[0]}"),
        Key(label="Contradictions", value=f"{0 if told is None else told.height}", note="inside bids and asks, or tolerance"),
    ]
    sections = [
        _index(name, {key: frame.filter(pl.col("index") == name) for key, frame in tables.items()}, place=place, timezone=timezones[name])
        for place, name in enumerate(names[:DRAWN])
    ]
    if told is not None and not told.is_empty():
        sections.append(arbitrages(told, refused=False))
    left = f" {len(names) - DRAWN} further indices are in the tables." if len(names) > DRAWN else ""
    return compose(title="Forward curves", subtitle=f"{source}.{left}", keys=keys, sections=sections, note="")


def refused(quotes: pl.DataFrame, arbitrage: pl.DataFrame, *, timezone: str, source: str) -> str:
    """The page where quotes contradict one another and no curve was made.

    Args:
        quotes: `Quotes` of the index that was refused.
        arbitrage: its `Arbitrages`.
        timezone: of the figure's axis.
        source: what the quotes are called.
    """
    index = str(arbitrage["index"][0])
    worst = arbitrage.sort("size", descending=True).row(0, named=True)
    named = {name for row in arbitrage["quote_ids"] for name in row.split(", ")}
    keys = [
        Key(label="Contradictions", value=f"{arbitrage.height}", note=f"of {index}"),
        Key(label="Largest", value=number(worst["size"], ".6g"), note="USD per GPU-hour"),
        Key(label="Per contract", value=number(worst["contract_size"], ",.2f"), note="USD for one GPU"),
    ]
    drawing = Drawing(
        name="quotes-alone", title=f"{index}: quotes", figure=curve_risk.quotes_alone(quotes, timezone=timezone, named=named),
        caption=f"Each bar is a quote over its delivery, in {timezone}.",
    )  # fmt: skip
    section = Section(name="quotes-section", title="Quotes", lead="No curve averages back to all of these.", blocks=[drawing])
    return compose(
        title="No forward curve", subtitle=f"{source}: quotes of {index} contradict one another.", keys=keys,
        sections=[arbitrages(arbitrage, refused=True), section], note="",
    )  # fmt: skip


def arbitrages(found: pl.DataFrame, *, refused: bool) -> Section:
    """The arbitrages named by their quotes, with their size per GPU-hour and per contract."""
    columns = [
        Column(name="index", head="Index"),
        Column(name="arbitrage", head="No.", form="d"),
        Column(name="legs", head="Buy (+) and sell (−)"),
        Column(name="size", head="Earns", unit="USD per GPU-hour", form=".6g"),
        Column(name="hours", head="Hours", unit="of one contract", form=",.0f"),
        Column(name="contract_size", head="Earns", unit="USD per contract", form=",.4f"),
    ]
    block = Listing(
        name="arbitrage", title="Arbitrage", table=table(found, columns, name="arbitrage-table"),
        caption="Deliveries of the legs cancel hour by hour. Sizes are per GPU-hour and per contract of the first quote, one GPU.",
    )  # fmt: skip
    lead = (
        "Quotes that contradict one another; nothing is averaged away."
        if refused
        else "Prices that contradict one another by what their bids and asks, or the tolerance, allow."
    )
    return Section(name="arbitrage-section", title="Arbitrage", lead=lead, blocks=[block])


def _index(name: str, tables: Mapping[str, pl.DataFrame], *, place: int, timezone: str) -> Section:
    curve, quotes = tables["curve"], tables["quotes"]
    step = "means by local day" if curve.height > curves.SMOOTHEST else "every hour"
    band = "The shaded band is the measured error of ahead prices. " if curve["lower"].count() else "It has no band. "
    blocks: list[Drawing | Listing] = [
        Drawing(
            name=f"curve-{place}", title="Curve and quotes", figure=curves.forward(curve, quotes, timezone=timezone),
            caption=f"USD per GPU-hour, delivery time in {timezone}; the line is the curve ({step}), each bar a quote over its delivery. "
            f"{band}",
        ),
        _months(tables["months"], place),
        Drawing(
            name=f"jacobian-{place}", title="What the months hang on", figure=curve_risk.jacobian(tables["monthly"], quotes),
            caption="Change of a month's mean forward for a change of 1 of a quote; the nearest delivery is on top. "
            "A quote that others already say has a row of zeros.",
        ),
    ]  # fmt: skip
    if "moves" in tables and not tables["moves"].is_empty():
        blocks += _moves(tables["moves"], place)
    blocks.append(_quotes(quotes, place, timezone))
    return Section(name=f"index-{place}", title=name, lead=f"As of {latest(curve['as_of'])} UTC.", blocks=blocks)


def _months(months: pl.DataFrame, place: int) -> Listing:
    banded = [Column(name="lower", head="Lower", unit=USD, form=".4f"), Column(name="upper", head="Upper", unit=USD, form=".4f")]
    columns = [
        Column(name="month", head="Month"),
        Column(name="hours", head="Hours", form=",d"),
        Column(name="forward", head="Forward", unit=USD, form=".4f"),
        *(banded if months["lower"].count() else []),
        Column(name="cent", head="One GPU, 0.01", unit="USD", form=",.2f"),
        Column(name="roll_down", head="Roll-down, 30 days", unit=USD, form="+.4f"),
    ]
    return Listing(
        name=f"months-{place}", title="By month of delivery", table=table(months, columns, name=f"months-table-{place}"),
        caption="What 0.01 USD per GPU-hour is worth to one GPU through the month, and what 30 days alone would do if the curve by time to "
        "delivery stayed. A dash: some hour has no nearer one.",
    )  # fmt: skip


def _moves(moves: pl.DataFrame, place: int) -> list[Drawing | Listing]:
    columns = [
        Column(name="month", head="Month"),
        Column(name="hours", head="Hours", form=",d"),
        Column(name="before", head="Before", unit=USD, form=".4f"),
        Column(name="after", head="After", unit=USD, form=".4f"),
        Column(name="change", head="Change", unit=USD, form="+.4f"),
        Column(name="roll_down", head="By time alone", unit=USD, form="+.4f"),
        Column(name="market", head="By the market", unit=USD, form="+.4f"),
    ]
    caption = "Over hours that both curves have. By time alone: had the earlier curve by time to delivery stayed."
    return [
        Drawing(name=f"moved-{place}", title="How it moved", figure=curve_risk.moved(moves), caption=caption),
        Listing(name=f"moves-{place}", title="By month", table=table(moves, columns, name=f"moves-table-{place}"), caption=caption),
    ]


def _quotes(quotes: pl.DataFrame, place: int, timezone: str) -> Listing:
    columns = [
        Column(name="quote_id", head="Quote"),
        Column(name="contract", head="Contract"),
        Column(name="start", head="Delivery from", unit=timezone),
        Column(name="end", head="to"),
        Column(name="profile", head="Profile"),
        Column(name="bid", head="Bid", unit=USD, form=".4f"),
        Column(name="price", head="Price", unit=USD, form=".4f"),
        Column(name="ask", head="Ask", unit=USD, form=".4f"),
        Column(name="source", head="Source"),
    ]
    shown = quotes.sort("start", "end", "quote_id").with_columns(local(["start", "end"], timezone))
    return Listing(
        name=f"quotes-{place}", title="Quotes", table=table(shown, columns, name=f"quotes-table-{place}"),
        caption=f"Prices for delivery over a period, as of {latest(quotes['as_of'])} UTC at the latest.",
    )  # fmt: skip

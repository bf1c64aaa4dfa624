"""The page of `tenorgrid basket`: the series by formula, who moved it, what it holds, and how its marks stand."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import baskets
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "basket.html"
EACH = "Multilateral formulas see windows that roll; Jevons, which has no weights, is drawn above."
Frames = Mapping[str, pl.DataFrame]


def render(tables: Frames, *, index: str, name: str, source: str, left_out: Mapping[str, str]) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: marks, contributions, rebalancings and formulas, as `tenorgrid basket` writes them.
        index: the basket's own index; baskets in it have a section each.
        name: of its definition.
        source: what the marks are called.
        left_out: why some formulas could not be had.
    """
    own = {key: frame.filter(pl.col("index") == index) for key, frame in tables.items()}
    unit = str(own["marks"]["unit"][0])
    inner = [other for other in tables["marks"]["index"].unique(maintain_order=True) if other != index]
    parts = [_part({key: frame.filter(pl.col("index") == other) for key, frame in tables.items()}, other) for other in inner]
    return compose(
        title=index,
        subtitle=f"Basket {name}, made of the marks in {source}.",
        keys=_keys(own, unit),
        sections=[_series(own, unit, left_out), _moved(own, unit), _held(own), *parts, _marks(own, unit)],
        note="",
    )


def _keys(own: Frames, unit: str) -> list[Key]:
    values = own["marks"].filter(pl.col("value").is_not_null())
    statuses = own["marks"]["status"].cast(pl.String).value_counts(sort=True)
    first, last = (values.row(place, named=True) for place in (0, -1))
    change = 100 * (last["value"] / first["value"] - 1)
    return [
        Key(label="Last mark", value=number(last["value"], ",.6g"), note=f"{unit}, {last['status']}"),
        Key(label="Since the base", value=f"{number(change, '+.2f')} %", note=f"from {number(first['value'], ',.6g')}"),
        Key(label="Marks", value=f"{own['marks'].height:,}", note=", ".join(f"{count} {status}" for status, count in statuses.iter_rows())),
        Key(label="Rebalancings", value=f"{own['rebalancings']['start'].n_unique() - 1}", note="after the base"),
    ]


def _series(own: Frames, unit: str, left_out: Mapping[str, str]) -> Section:
    last = own["formulas"].group_by("formula", maintain_order=True).agg(pl.col("level").last(), pl.col("chosen").first())
    mine = float(last.filter("chosen")["level"][0])
    compared = last.with_columns(
        pl.col("formula").cast(pl.String).map_elements(baskets.said, return_dtype=pl.String), apart=100 * (pl.col("level") / mine - 1)
    )
    columns = [
        Column(name="formula", head="Formula"),
        Column(name="level", head="Last level", unit=unit, form=",.6g"),
        Column(name="apart", head="Against the basket's own", unit="%", form="+.3f"),
    ]
    missing = " ".join(f"{baskets.said(formula)} could not be had: {reason}." for formula, reason in left_out.items())
    blocks: list[Drawing | Listing] = [
        Drawing(name="by-formula", title="The series, and by other formulas", figure=baskets.by_formula(own["formulas"], unit=unit),
                caption=f"The same constituents, quantities, rebalancings and base. {EACH}"),
        Listing(name="formulas-listing", title="Where they end", table=table(compared, columns, name="formulas-table"),
                caption=missing or "Every formula that the quantities allow."),
    ]  # fmt: skip
    lead = "What the basket costs over time, and how much of that is the formula's doing."
    return Section(name="series", title="Series", lead=lead, blocks=blocks)


def _moved(own: Frames, unit: str) -> Section:
    span = baskets.span_of(own["contributions"])
    totals = own["contributions"].group_by("constituent", maintain_order=True).agg(
        pl.col("contribution").sum(), pl.col("contribution").last().alias("last"), pl.col("price").last(), pl.col("weight").last(),
        pl.col("state").cast(pl.String).last(),
    ).with_columns(pl.col("weight") * 100)  # fmt: skip
    columns = [
        Column(name="constituent", head="Constituent"),
        Column(name="contribution", head="Since the base", unit=unit, form="+,.5g"),
        Column(name="last", head="Last move", unit=unit, form="+,.5g"),
        Column(name="price", head="Last value", form=",.6g"),
        Column(name="weight", head="Weight", unit="%", form=".1f"),
        Column(name="state", head="Last state"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(name="moves", title=f"Who moved it, by {span}", figure=baskets.moves(own["contributions"], unit=unit),
                caption="Contributions sum to the index's own move; the circle is that sum."),
        Listing(name="contributions-listing", title="Contributions", table=table(totals, columns, name="contributions-table"),
                caption="Of the whole series and of its last move. A constituent without a mark that may be used moves as the others do."),
    ]  # fmt: skip
    return Section(
        name="contributions", title="Contributions", lead="Each move of the index as a sum over its constituents.", blocks=blocks
    )


def _held(own: Frames) -> Section:
    columns = [
        Column(name="start", head="Close of the period from"),
        Column(name="constituent", head="Constituent"),
        Column(name="price", head="Value", form=",.6g"),
        Column(name="quantity", head="Quantity", form=",.6g"),
        Column(name="weight", head="Weight", unit="%", form=".1f"),
        Column(name="divisor", head="Divisor", form=",.6g"),
        Column(name="level", head="Level", form=",.6g"),
        Column(name="joined", head="Joined"),
    ]
    rows = own["rebalancings"].with_columns(
        pl.col("weight") * 100,
        pl.col("start").dt.replace_time_zone(None),
        joined=pl.when("joined").then(pl.lit("yes")).otherwise(pl.lit("no: no mark or quantity")),
    )
    blocks: list[Drawing | Listing] = [
        Drawing(name="weights", title="Weights", figure=baskets.weights(own["contributions"]), caption="Share of the basket's value."),
        Listing(name="rebalancings-listing", title="Rebalancings", table=table(rows, columns, name="rebalancings-table"),
                caption="The level is the same before and after each. Times are UTC."),
    ]  # fmt: skip
    return Section(name="composition", title="Composition", lead="What is in the basket, and since when.", blocks=blocks)


def _part(mine: Frames, index: str) -> Section:
    """A basket within the basket."""
    unit = str(mine["marks"]["unit"][0])
    anchor = index.lower().replace(".", "-")
    drawn = Drawing(
        name=f"{anchor}-moves",
        title=f"Who moved {index}",
        figure=baskets.moves(mine["contributions"], unit=unit),
        caption="As above, of this basket.",
    )
    value = mine["marks"]["value"].drop_nulls()
    lead = f"A basket in the basket: {number(value[0], ',.6g')} {unit} at first, {number(value[-1], ',.6g')} at last." if len(value) else ""
    return Section(name=anchor, title=index, lead=lead, blocks=[drawn])


def _marks(own: Frames, unit: str) -> Section:
    columns = [
        Column(name="start", head="Period from"),
        Column(name="value", head="Mark", unit=unit, form=",.6g"),
        Column(name="quantity", head="Quantity", form=",.6g"),
        Column(name="status", head="Status"),
    ]
    rows = own["marks"].select(pl.col("start").dt.replace_time_zone(None), "value", "quantity", pl.col("status").cast(pl.String)).reverse()
    listed = Listing(
        name="marks-listing", title="Marks", table=table(rows, columns, name="marks-table"),
        caption="The latest first. Value times quantity is what was paid for the constituents. Times are UTC.",
    )  # fmt: skip
    return Section(name="marks", title="Marks", lead="What settles.", blocks=[listed])

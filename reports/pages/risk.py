"""The page of `tenorgrid risk`: the tail, stress, margin, exposure, and how forecasts of loss have done."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import risk as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "risk.html"


def render(tables: Mapping[str, pl.DataFrame], *, value: float, source: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: tails, outcomes, stress, margin, scan, exposure, backtest and tests, as `tg.risk` gives them.
        value: of the book, USD.
        source: what the book is called.
    """
    first = tables["tails"].row(0, named=True)
    asked = dict(tables["margin"].iter_rows())
    light = tables["tests"].filter(pl.col("test").cast(pl.String) == "traffic-light")["verdict"].item().partition(",")[0]
    keys = [
        Key(label="Book", value=f"{number(value, ',.0f')} USD", note="present value"),
        Key(
            label="Expected shortfall",
            value=number(first["expected_shortfall"], ",.0f"),
            note=f"USD, {first['level']:g}, {first['days']} d",
        ),
        Key(label="Margin", value=number(asked["margin"], ",.0f"), note="USD"),
        Key(label="Back-test", value=light, note=f"{int(tables['backtest']['exceeded'].sum())} of {tables['backtest'].height} days beyond"),
    ]
    sections = [_tail(tables), _stress(tables), _margin(tables), _backtest(tables)]
    if not tables["exposure"].is_empty():
        sections.insert(3, _exposure(tables["exposure"]))
    return compose(title="Risk of a book", subtitle=f"{source}.", keys=keys, sections=sections, note="")


def _tail(tables: Mapping[str, pl.DataFrame]) -> Section:
    columns = [
        Column(name="method", head="Method"),
        Column(name="level", head="Level", form=".3f"),
        Column(name="days", head="Horizon", unit="days", form=",d"),
        Column(name="outcomes", head="Outcomes", form=",d"),
        Column(name="value_at_risk", head="Value at risk", unit="USD", form=",.0f"),
        Column(name="lower", head="from", unit="USD", form=",.0f"),
        Column(name="upper", head="to", unit="USD", form=",.0f"),
        Column(name="expected_shortfall", head="Shortfall", unit="USD", form=",.0f"),
        Column(name="error", head="± error", unit="USD", form=",.0f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="outcomes", title="What the book may gain", figure=figures.outcomes(tables["outcomes"], tables["tails"]),
            caption="Filtered: past days rescaled to today's volatility; historical: as they were; normal or student-t: drawn from the "
            "volatilities given.",
        ),
        Listing(
            name="tails", title="Value at risk and expected shortfall", table=table(tables["tails"], columns, name="tails-table"),
            caption="Losses are positive. From and to: 95 % interval of the value at risk; no upper end where the outcomes are too few.",
        ),
    ]  # fmt: skip
    return Section(name="tail", title="The tail", lead="Moves of the indices, the book repriced.", blocks=blocks)


def _stress(tables: Mapping[str, pl.DataFrame]) -> Section:
    sums = tables["stress"].group_by("scenario", maintain_order=True).agg(pl.col("gain").sum())
    drawing = Drawing(
        name="stress", title="Stress", figure=figures.bars(sums, name="scenario", amount="gain", title="gain, USD"),
        caption="Every trade revalued in full; the table stress has them one by one.",
    )  # fmt: skip
    return Section(name="stress-section", title="Stress", lead="Moves by name, likely or not.", blocks=[drawing])


def _margin(tables: Mapping[str, pl.DataFrame]) -> Section:
    rows = tables["margin"].with_columns(pl.col("component").cast(pl.String))
    columns = [
        Column(name="index", head="Index"),
        Column(name="scenario", head="Scenario", form=",d"),
        Column(name="price", head="Prices", unit="scan ranges", form="+.2f"),
        Column(name="volatility", head="Volatility", unit="a year", form="+.2f"),
        Column(name="counted", head="Counted", form=".2f"),
        Column(name="loss", head="Loss", unit="USD", form=",.0f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="margin", title="Initial margin", figure=figures.bars(rows, name="component", amount="amount", title="USD"),
            caption="Margin, in the style of SPAN 2: historical risk or its floor and stress risk, weighted, and the charges. "
            "Scan, beside it, is in the style of the older SPAN; the credit is already off it. Neither is below what sold options ask.",
        ),
        Listing(
            name="scan", title="Sixteen scenarios of each index", table=table(tables["scan"], columns, name="scan-table"),
            caption="Losses are positive; of the two extreme moves a part counts.",
        ),
    ]  # fmt: skip
    return Section(name="margin-section", title="Margin", lead="What a clearing house would ask for.", blocks=blocks)


def _exposure(rows: pl.DataFrame) -> Section:
    drawing = Drawing(
        name="exposure", title="Exposure", figure=figures.exposures(rows),
        caption="What is left of the book by then, revalued in full as prices may stand; futures are paid daily and left out.",
    )  # fmt: skip
    return Section(name="exposure-section", title="Exposure", lead="What may be owed, and by whom.", blocks=[drawing])


def _backtest(tables: Mapping[str, pl.DataFrame]) -> Section:
    columns = [
        Column(name="test", head="Test"),
        Column(name="statistic", head="Statistic", form=".4f"),
        Column(name="p_value", head="p", form=".4f"),
        Column(name="verdict", head="Verdict"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="exceptions", title="Forecasts and what followed", figure=figures.exceptions(tables["backtest"]),
            caption="Today's book by its Greeks on past days; each forecast read only the days before its own.",
        ),
        Listing(
            name="tests", title="Tests", table=table(tables["tests"], columns, name="tests-table"),
            caption="p: of one as large where the model is right; of the shortfall, of one as low.",
        ),
    ]  # fmt: skip
    return Section(name="backtest", title="Back-test", lead="Were losses beyond the forecast as rare as it said?", blocks=blocks)

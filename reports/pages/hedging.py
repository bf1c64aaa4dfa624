"""The page of `tenorgrid hedge-study`: what each contract removes of the volatility of each cost."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import hedging as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "hedging.html"
VOLUMES = {"fixed": "the mean work of the first days", "served": "the work that each day served"}


def render(tables: Mapping[str, pl.DataFrame], *, source: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: study, ratios, weights and days of `tenorgrid.data.tables.hedging`.
        source: what the marks are called.
    """
    study = tables["study"].with_columns(pl.col("volume").cast(pl.String))
    short = study.filter(pl.col("horizon") == study["horizon"].min(), pl.col("volume") == "fixed")
    middles = short.group_by("contract", maintain_order=True).agg(pl.col("removed").median())
    keys = [
        Key(label=name.capitalize(), value=number(value, ".0%"), note="of the volatility, median of the costs")
        for name, value in middles.head(4).iter_rows()
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name=f"removed-{volume}-{horizon}", title=f"Changes over {horizon} {_days(horizon)}, at {VOLUMES[volume]}",
            figure=figures.removed(rows),
            caption="Intervals of 95 % by a block bootstrap of both parts. Shaded: 62 to 78 %, by arXiv 2603.21690's simulation.",
        )
        for (volume, horizon), rows in study.partition_by("volume", "horizon", as_dict=True, maintain_order=True).items()
    ]  # fmt: skip
    item, first = short["item"][0], short["first_days"][0]
    days = tables["days"].with_columns(pl.col("volume").cast(pl.String))
    boundary = days["day"].unique().sort()[first]
    drawn = Drawing(
        name="through-time", title=f"{item}: cost of a day", caption="USD at the mean work of the first days, on which ratios rest.",
        figure=figures.through_time(days, item=item, volume="fixed", boundary=boundary),
    )  # fmt: skip
    sections = [
        Section(name="removed-section", title="What contracts remove", lead="1 − volatility with the hedge / without it.", blocks=blocks),
        Section(name="numbers-section", title="In numbers", lead="Judged on days that ratios have not seen.", blocks=[_rows(study)]),
        Section(name="days-section", title="The cost", lead="What is hedged.", blocks=[drawn, _ratios(tables["ratios"])]),
    ]
    return compose(title="Hedges of compute costs", subtitle=f"{source}.", keys=keys, sections=sections, note="")


def _days(count: object) -> str:
    return "day" if count == 1 else "days"


def _rows(study: pl.DataFrame) -> Listing:
    columns = [
        Column(name="item", head="Cost"),
        Column(name="volume", head="Volume"),
        Column(name="horizon", head="Over", unit="days", form=",d"),
        Column(name="contract", head="Contract"),
        Column(name="in_sample", head="First days", form=".1%"),
        Column(name="removed", head="Removed", form=".1%"),
        Column(name="lower", head="Lower", form=".1%"),
        Column(name="upper", head="Upper", form=".1%"),
        Column(name="variance_removed", head="Variance", form=".1%"),
        Column(name="unhedged", head="Volatility", unit="USD/day", form=",.1f"),
        Column(name="hedged", head="Hedged", unit="USD/day", form=",.1f"),
        Column(name="better", head="Beats the first", form=".0%"),
    ]
    return Listing(
        name="study", title="Volatility removed", table=table(study, columns, name="study-table"),
        caption="Below 0 a hedge does harm. Beats the first: share of draws in which it removes more than the first contract.",
    )  # fmt: skip


def _ratios(ratios: pl.DataFrame) -> Listing:
    columns = [
        Column(name="item", head="Cost"),
        Column(name="volume", head="Volume"),
        Column(name="horizon", head="Over", unit="days", form=",d"),
        Column(name="contract", head="Contract"),
        Column(name="leg", head="Leg"),
        Column(name="ratio", head="Bought", unit="a day", form=",.4g"),
    ]
    shown = ratios.with_columns(pl.col("volume").cast(pl.String), leg=pl.col("leg").str.replace_all(r"\+", " + "))
    return Listing(
        name="ratios", title="Hedge ratios", table=table(shown, columns, name="ratios-table"),
        caption="Units of each leg for a day's cost, from the first days.",
    )  # fmt: skip

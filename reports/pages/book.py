"""The book: values and what moves them."""

from typing import Literal

import polars as pl

from tenorgrid.reports.figures import book
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, latest, local, number, table

VIEWS: tuple[tuple[Literal["quote", "month"], str], ...] = (
    ("quote", "change of the book's value for a change of 1 USD per GPU-hour in each quote, which is how much of it would hedge the book"),
    ("month", "the same risk by month of delivery, for a change of 1 USD per GPU-hour of the curve in that month"),
)


def section(run: Run) -> Section | None:
    """Values per trade, deltas of the book by quote, and the trades."""
    blocks: list[Drawing | Listing] = []
    if run.values is not None:
        blocks += [_values(run.values), _trades(run.values, run.trades, run.timezone)]
    if run.risks is not None:
        blocks += _deltas(run.risks)
    if not blocks:
        return None
    return Section(
        name="book", title="The book", lead="What the trades are worth at the curve, and how much of each quote they hold.", blocks=blocks
    )


def total(values: pl.DataFrame) -> float:
    """Value of the whole book in USD."""
    return float(values["value"].sum())


def _values(values: pl.DataFrame) -> Drawing:
    return Drawing(
        name="values",
        title="Present value of each trade",
        figure=book.values(values),
        caption=(
            f"USD to the book; {values.height:,} trades, together {number(total(values), ',.0f')} USD, as of {latest(values['as_of'])} UTC."
        ),
    )


def _trades(values: pl.DataFrame, trades: pl.DataFrame | None, timezone: str) -> Listing:
    columns = [
        Column(name="trade_id", head="Trade"),
        Column(name="kind", head="Kind"),
        Column(name="value", head="Value", unit="USD", form=",.2f"),
    ]
    rows = values.sort("trade_id")
    if trades is not None:
        words = pl.col("quantity_unit").cast(pl.String).str.replace("_", " ", literal=True)
        terms = trades.with_columns(words, *local(["start", "end"], timezone)).select(
            "trade_id", "side", "quantity", "quantity_unit", "index", "start", "end", "strike"
        )
        rows = rows.join(terms, on="trade_id", how="left").sort("trade_id")
        columns[2:2] = [Column(name="side", head="Side")]
        columns += [
            Column(name="quantity", head="Quantity", form=",.1f"),
            Column(name="quantity_unit", head="Unit"),
            Column(name="index", head="Index or node"),
            Column(name="start", head="Delivery from", unit=timezone),
            Column(name="end", head="to"),
            Column(name="strike", head="Strike", unit="USD/GPUh", form=".4f"),
        ]
    return Listing(
        name="trades",
        title="Trades",
        table=table(rows, columns, name="trades-table"),
        caption="One trade a row; values in USD, positive to the book.",
    )


def _deltas(risks: pl.DataFrame) -> list[Drawing]:
    """By quote and by month, in GPU-hours where deltas are given in them: other units of the same delta say the same again."""
    sums = book.delta_by_bucket(risks)
    units = sums["unit"].unique().sort().to_list()
    unit = "GPU-hours" if "GPU-hours" in units else next(iter(units), "")
    drawings = []
    for view, means in VIEWS:
        buckets = sums.filter(pl.col("unit") == unit, pl.col("view") == view)["bucket"].to_list()
        shared = book.shared_index(buckets)
        if buckets:
            drawings.append(
                Drawing(
                    name=f"deltas-by-{view}",
                    title=f"Delta of the book by {view}",
                    figure=book.deltas(risks, unit=unit, view=view),
                    caption=f"{unit}, summed over trades: {means}.{f' Quotes of {shared}.' if shared else ''}",
                )
            )
    return drawings

"""The page of `tenorgrid price`: what a book is worth, what moves it, what it gains in scenarios, and the running month's mean."""

import polars as pl

from tenorgrid.reports.figures import book as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.pages.book import VIEWS
from tenorgrid.reports.tables import Column, latest, number, table

FILE = "value.html"
CONTRACTS, TRADES, CONES = 30, 200, 4  # most that are drawn or listed
GPU_HOURS = "GPU-hours"


def render(
    trades: pl.DataFrame, values: pl.DataFrame, totals: pl.DataFrame, *, scenarios: pl.DataFrame, cones: pl.DataFrame, source: str
) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        trades: `Trades`.
        values: `Values` of the same trades.
        totals: risks of the whole book: risk, bucket, unit, amount.
        scenarios: `Scenarios`; empty draws none.
        cones: `MonthCones`; empty draws none.
        source: what the book is called.
    """
    worth = float(values["value"].sum())
    moved = _sum(totals, "delta", GPU_HOURS, month=True)
    keys = [
        Key(label="Book", value=f"{number(worth, ',.0f')} USD", note=f"{values.height:,} trades"),
        Key(label="Delta", value=number(moved, ",.0f"), note="GPU-hours, all months and indices"),
        Key(label="Vega", value=number(_sum(totals, "vega"), ",.0f"), note="USD for 0.01 of every volatility"),
        Key(label="Theta", value=number(_sum(totals, "theta"), ",.0f"), note="USD a day"),
    ]
    sections = [_worth(trades, values), _moves(totals)]
    if not scenarios.is_empty():
        sections.append(_scenarios(scenarios))
    if not cones.is_empty():
        sections.append(_cones(cones))
    kept = [section for section in sections if section.blocks]
    return compose(
        title="Value of a book", subtitle=f"{source}, as of {latest(values['as_of'])} UTC.", keys=keys, sections=kept, note=""
    )  # fmt: skip


def contracts(trades: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Present value by kind and contract (index and delivery month where there is no code), the largest first: contract, trades, value.

    What comes after the first 30 is one row.
    """
    month = pl.col("start").dt.to_string("%Y-%m")
    code = pl.coalesce("contract", pl.format("{} from {}", "index", month))
    label = pl.format("{} {}", pl.col("kind").cast(pl.String), code)
    rows = (
        values.select("trade_id", "value")
        .join(trades.select("trade_id", label.alias("contract")), on="trade_id", how="left")
        .group_by("contract")
        .agg(pl.len().alias("trades"), pl.col("value").sum())
        .sort(pl.col("value").abs(), "contract", descending=[True, False])
    )
    if rows.height <= CONTRACTS:
        return rows
    rest = rows.slice(CONTRACTS)
    other = rest.select(
        pl.lit(f"{rest.height:,} others").alias("contract"), pl.col("trades").sum(), pl.col("value").sum()
    )  # fmt: skip
    return pl.concat([rows.head(CONTRACTS), other])


def _worth(trades: pl.DataFrame, values: pl.DataFrame) -> Section:
    rows = contracts(trades, values)
    listed = (
        values.join(trades.select("trade_id", "side", "index", "quantity", "quantity_unit", "strike"), on="trade_id", how="left")
        .sort(pl.col("value").abs(), "trade_id", descending=[True, False])
        .head(TRADES)
    )
    columns = [
        Column(name="trade_id", head="Trade"),
        Column(name="kind", head="Kind"),
        Column(name="side", head="Side"),
        Column(name="value", head="Value", unit="USD", form=",.2f"),
        Column(name="quantity", head="Quantity", form=",.1f"),
        Column(name="quantity_unit", head="Unit"),
        Column(name="index", head="Index or node"),
        Column(name="strike", head="Strike", unit="USD/GPUh", form=".4f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="by-contract", title="Value by contract", figure=figures.by_contract(rows),
            caption=f"USD to the book, {values.height:,} trades by kind and contract, the largest first.",
        ),
        Listing(
            name="trades", title="Trades", table=table(listed, columns, name="trades-table"),
            caption=f"{listed.height:,} of {values.height:,} trades, the largest values first.",
        ),
    ]  # fmt: skip
    return Section(
        name="worth", title="What it is worth", lead="Present values at the curves, marks and volatilities given.", blocks=blocks
    )


def _moves(totals: pl.DataFrame) -> Section:
    blocks: list[Drawing | Listing] = []
    for view, means in VIEWS:
        told = figures.delta_by_bucket(totals).filter(pl.col("unit") == GPU_HOURS, pl.col("view") == view)
        if not told.is_empty():
            blocks.append(
                Drawing(
                    name=f"deltas-by-{view}", title=f"Delta by {view}", figure=figures.deltas(totals, unit=GPU_HOURS, view=view),
                    caption=f"GPU-hours: {means}.",
                )
            )  # fmt: skip
    vega = totals.filter(pl.col("risk") == "vega").select("bucket", "amount").sort("bucket")
    if not vega.is_empty():
        blocks.append(
            Drawing(
                name="vega", title="Vega by month of expiry", figure=figures.vegas(vega),
                caption="What 0.01 more of volatility adds, by the month in which options expire; of an average its last month.",
            )
        )  # fmt: skip
    return Section(name="moves", title="What moves it", lead="Above 0 the book gains when prices or volatilities rise.", blocks=blocks)


def _scenarios(scenarios: pl.DataFrame) -> Section:
    drawing = Drawing(
        name="grid", title="Gains when prices and volatilities move", figure=figures.grid(scenarios),
        caption="USD gained or lost, every cell a full revaluation of the book.",
    )  # fmt: skip
    return Section(name="scenarios", title="Scenarios", lead="All forwards and all volatilities moved together.", blocks=[drawing])


def _cones(cones: pl.DataFrame) -> Section:
    indices = cones["index"].unique(maintain_order=True)
    shown = cones.filter(pl.col("index").is_in(indices.head(CONES).to_list()))
    drawing = Drawing(
        name="month-average", title="Mean of the running month", figure=figures.cones(shown),
        caption="What average contracts of the month settle on. Bands: where that mean will be expected to be, as each day's mark is "
        f"known. {min(CONES, indices.len())} of {indices.len()} indices.",
    )  # fmt: skip
    return Section(name="cone", title="The running month", lead="Marks so far, and how far the mean may still go.", blocks=[drawing])


def _sum(totals: pl.DataFrame, risk: str, unit: str | None = None, *, month: bool = False) -> float:
    rows = totals.filter(pl.col("risk") == risk)
    rows = rows if unit is None else rows.filter(pl.col("unit") == unit)
    rows = rows.filter(pl.col("bucket").str.starts_with("month ")) if month else rows
    return float(rows["amount"].sum())

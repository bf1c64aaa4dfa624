"""The page of `tenorgrid pnl`: what a book gained from one moment to the next, and what of."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.reports.figures import explain as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "pnl.html"
TRADES, MOVES = 200, 100  # most that are listed


def render(tables: Mapping[str, pl.DataFrame], *, before: datetime, after: datetime, timezone: str, residual: float) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: components, moves, trades and values, of `tenorgrid.data.tables.explain`.
        before: the earlier moment.
        after: the later one.
        timezone: in which they are told.
        residual: what the Greeks leave unsaid, USD.
    """
    values, components = tables["values"], tables["components"]
    gain, size = float(values["gain"].sum()), float(components["greeks"].abs().sum())
    share = abs(residual) / size if size > 0 else 0.0
    worth = f"{number(values['before'].sum(), ',.0f')} to {number(values['after'].sum(), ',.0f')}"
    keys = [
        Key(label="Gain", value=f"{number(gain, '+,.0f')} USD", note=f"{values.height:,} trades"),
        Key(label="Value", value=worth, note="USD, before and after"),
        Key(label="Cash", value=number(values["cash"].sum(), "+,.0f"), note="USD paid to the book in between"),
        Key(label="Residual", value=f"{number(100 * share, '.3f')} %", note="of the sum of the absolute components"),
    ]
    first, last = (moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M") for moment in (before, after))
    return compose(
        title="What a book gained", subtitle=f"From {first} to {last}, {timezone}.", keys=keys, note="",
        sections=[_happened(components, residual), *_moved(tables["moves"]), _trades(tables["trades"], values)],
    )  # fmt: skip


def _happened(components: pl.DataFrame, residual: float) -> Section:
    rows = components.with_columns((pl.col("revalued") - pl.col("greeks")).alias("apart"))
    columns = [
        Column(name="factor", head="Factor"),
        Column(name="greeks", head="Greeks", unit="USD", form="+,.2f"),
        Column(name="revalued", head="Full revaluation", unit="USD", form="+,.2f"),
        Column(name="apart", head="Apart", unit="USD", form="+,.2f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="waterfall", title="From nothing to the gain", figure=figures.waterfall(components, residual=residual),
            caption="A bar a factor by the Greeks: every move times the mean of its sensitivity before, halfway and after; time and"
            " fixings are revalued. A diamond is where full revaluation, averaged over all orders of the factors, would end the bar.",
        ),
        Listing(
            name="components", title="Greeks beside full revaluation", table=table(rows, columns, name="components-table"),
            caption="Neither depends on the order in which factors are taken. Revaluation adds up to the gain, Greeks to the gain less"
            f" the residual of {number(residual, ',.2f')} USD.",
        ),
    ]  # fmt: skip
    return Section(name="happened", title="What happened", lead="What each thing that happened made of the gain.", blocks=blocks)


def _moved(moves: pl.DataFrame) -> list[Section]:
    if moves.is_empty():
        return []
    rows = moves.with_columns((pl.col("first") + pl.col("second")).alias("amount"))
    rows = rows.sort(pl.col("amount").abs(), descending=True, maintain_order=True).head(MOVES)
    columns = [
        Column(name="factor", head="Factor"),
        Column(name="index", head="Index or pair"),
        Column(name="bucket", head="Quote"),
        Column(name="move", head="Move", form="+.5f"),
        Column(name="first", head="By the Greeks before", unit="USD", form="+,.2f"),
        Column(name="second", head="Their change", unit="USD", form="+,.2f"),
        Column(name="amount", head="Together", unit="USD", form="+,.2f"),
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="moves", title="By index and quote", figure=figures.moves(moves),
            caption="USD by the Greeks, the largest first: quotes of the later curves, volatilities, correlations, discount. A shape is"
            " what the later curve differs by from the earlier one and no quote's move says.",
        ),
        Listing(
            name="moves-listed", title="Moves", table=table(rows, columns, name="moves-table"),
            caption=f"{rows.height:,} of {moves.height:,}. A quote's move in USD per GPU-hour is its price less what the earlier curve made"
            " of it. The change of the Greeks is gamma, and what volatility, time and other prices did to them.",
        ),
    ]  # fmt: skip
    return [Section(name="moved", title="What moved", lead="What the market's own moves made of it.", blocks=blocks)]


def _trades(trades: pl.DataFrame, values: pl.DataFrame) -> Section:
    factors = trades["factor"].cast(pl.String).unique(maintain_order=True).to_list()
    wide = trades.with_columns(pl.col("factor").cast(pl.String)).pivot("factor", index="trade_id", values="greeks")
    rows = values.join(wide, on="trade_id", how="left").sort(pl.col("gain").abs(), "trade_id", descending=[True, False]).head(TRADES)
    columns = [
        Column(name="trade_id", head="Trade"),
        *(Column(name=name, head=name.capitalize(), unit="USD", form="+,.0f") for name in ("gain", *factors)),
        *(Column(name=name, head=name.capitalize(), unit="USD", form=",.0f") for name in ("before", "cash", "after")),
    ]
    listed = Listing(
        name="trades", title="Trade by trade", table=table(rows, columns, name="trades-table"),
        caption=f"{rows.height:,} of {values.height:,} trades, the largest gains first; factors by the Greeks. Gain is after plus cash less"
        " before.",
    )  # fmt: skip
    return Section(name="trades-section", title="Trades", lead="Which trades gained, and what of.", blocks=[listed])

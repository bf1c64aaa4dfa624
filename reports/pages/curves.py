"""The forward curve with its quotes, and volatility."""

import polars as pl

from tenorgrid.data.tables.curve import Quotes
from tenorgrid.reports.figures import curves
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, table

MOST_CURVES = 4


def indices(curve: pl.DataFrame) -> list[str]:
    """Indices that have a curve, H100 first, at most `MOST_CURVES` of them."""
    return sorted(curve["index"].unique().to_list(), key=lambda index: (not index.startswith("H100"), index))[:MOST_CURVES]


def section(run: Run) -> Section | None:
    """One figure per index, the quotes in a table, and realised volatility."""
    blocks: list[Drawing | Listing] = []
    if run.curve is not None:
        blocks += [_curve(run, index) for index in indices(run.curve)]
    if run.quotes is not None:
        blocks.append(_quotes(run.quotes))
    if run.coverage is not None:
        blocks.append(_coverage(run.coverage))
    if run.volatility is not None:
        blocks += _volatility(run.volatility)
    if not blocks:
        return None
    return Section(
        name="curve",
        title="Forward curve and volatility",
        lead="What a GPU-hour will cost, made from quotes of overlapping delivery periods, and how sure one may be.",
        blocks=blocks,
    )


def _curve(run: Run, index: str) -> Drawing:
    assert run.curve is not None
    mine = run.curve.filter(pl.col("index") == index)
    quotes = (Quotes.create_empty() if run.quotes is None else run.quotes).filter(pl.col("index") == index)
    step = "daily means of its intervals" if mine.height > curves.SMOOTHEST else "its intervals"
    banded = mine["lower"].count() > 0
    return Drawing(
        name=f"curve-{index.lower().replace('.', '-')}",
        title=f"{index}: forward curve",
        figure=curves.forward(mine, quotes, timezone=run.timezone),
        caption=(
            f"USD per GPU-hour, delivery time in {run.timezone}. The line is the curve ({step}); each bar is a quote over its delivery period, "
            f"coloured by where it comes from. {stated_coverage(run.coverage) if banded else 'No band was fitted.'}"
        ),
    )


def stated_coverage(coverage: pl.DataFrame | None) -> str:
    """What held-back days say of the band, in a sentence per horizon."""
    if coverage is None:
        return "The coverage of the band was not measured on held-back days: do not rely on it."
    parts = [
        f"{row['horizon']} {row['inside']:,} of {row['days']:,} days ({100 * row['coverage']:.0f} %)"
        for row in coverage.sort("horizon").iter_rows(named=True)
    ]
    levels = ", ".join(f"{100 * level:.0f} %" for level in coverage["level"].unique().sort())
    return f"The band is meant to hold {levels} of outcomes; on held-back days it held, by horizon: {'; '.join(parts)}."


def _quotes(quotes: pl.DataFrame) -> Listing:
    columns = [
        Column(name="contract", head="Contract"),
        Column(name="start", head="Delivery from", unit="UTC"),
        Column(name="end", head="to", unit="UTC"),
        Column(name="profile", head="Profile"),
        Column(name="bid", head="Bid", unit="USD/GPUh", form=".4f"),
        Column(name="price", head="Price", unit="USD/GPUh", form=".4f"),
        Column(name="ask", head="Ask", unit="USD/GPUh", form=".4f"),
        Column(name="source", head="Source"),
    ]
    shown = quotes.sort("index", "start", "end", "quote_id")
    most = 40
    cut = "" if shown.height <= most else f" The first {most} of {shown.height:,} are shown."
    return Listing(
        name="quotes",
        title="Quotes that the curve was made of",
        table=table(shown.head(most), columns, name="quotes-table"),
        caption=f"Prices for delivery over a period, as of {quotes['as_of'].max():%Y-%m-%d %H:%M} UTC.{cut}",
    )


def _coverage(coverage: pl.DataFrame) -> Listing:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="days", head="Held back", unit="days", form=",d"),
        Column(name="inside", head="Inside the band", unit="days", form=",d"),
        Column(name="coverage", head="Coverage", unit="1", form=".3f"),
        Column(name="level", head="Meant", unit="1", form=".2f"),
    ]
    return Listing(
        name="coverage",
        title="Does the band hold what it says?",
        table=table(coverage.sort("horizon"), columns, name="coverage-table"),
        caption="Days held back from the fit, and how many of them ended inside the band made without them.",
    )


def _volatility(found: pl.DataFrame) -> list[Drawing | Listing]:
    level = ", ".join(f"{100 * one:.0f} %" for one in found["level"].unique().sort())
    columns = [
        Column(name="index", head="Index"),
        Column(name="model", head="Estimator"),
        Column(name="observations", head="Returns", unit="count", form=",d"),
        Column(name="volatility", head="Volatility", unit="1/√year", form=".4f"),
        Column(name="lower", head="Lower", unit="1/√year", form=".4f"),
        Column(name="upper", head="Upper", unit="1/√year", form=".4f"),
    ]
    ordered = found.sort("index", "model")
    window = f"{ordered['start'].min():%Y-%m-%d} to {ordered['end'].max():%Y-%m-%d}"
    caption = f"Annualised standard deviation of log returns with its {level} interval, window within {window} (UTC)."
    return [
        Drawing(name="volatility", title="Realised volatility", figure=curves.volatility(found), caption=f"In % per √year. {caption}"),
        Listing(
            name="volatilities",
            title="Realised volatility in numbers",
            table=table(ordered, columns, name="volatilities-table"),
            caption=caption,
        ),
    ]

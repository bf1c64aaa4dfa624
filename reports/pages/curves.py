"""The forward curve with its quotes, and volatility."""

from datetime import timedelta

import polars as pl

from tenorgrid.data.tables.curve import Quotes
from tenorgrid.reports.figures import curves
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, earliest, latest, local, table
from tenorgrid.reports.theme import horizon_order

MOST_CURVES = 4
NEAR = timedelta(days=21)


def indices(curve: pl.DataFrame) -> list[str]:
    """Indices that have a curve, H100 in the US first, then the others there, at most `MOST_CURVES` of them.

    >>> indices(pl.DataFrame({"index": ["A100-SXM.GLOBAL.FIRM", "H100-PCIE.GLOBAL.FIRM", "H100-SXM.GLOBAL.FIRM", "B200-SXM.US.FIRM"]}))
    ['B200-SXM.US.FIRM', 'H100-SXM.GLOBAL.FIRM', 'H100-PCIE.GLOBAL.FIRM', 'A100-SXM.GLOBAL.FIRM']
    """
    first = ("H100-SXM.US.", ".US.", "H100-SXM.", "H100")
    found = curve["index"].unique().to_list()
    return sorted(found, key=lambda index: ([part not in index for part in first], index))[:MOST_CURVES]


def section(run: Run) -> Section | None:
    """One figure per index, the quotes in a table, and realised volatility."""
    blocks: list[Drawing | Listing] = []
    if run.curve is not None:
        blocks += _curves(run, run.curve)
    if run.quotes is not None:
        blocks.append(_quotes(run.quotes, run.timezone))
    if run.coverage is not None:
        blocks.append(_coverage(run.coverage))
    if run.volatility is not None:
        blocks += _volatility(run.volatility)
    if not blocks:
        return None
    ahead = run.curve is None or not run.curve.filter(pl.col("end") > pl.col("as_of")).is_empty()
    return Section(
        name="curve",
        title="Forward curve and volatility" if ahead else "Curves and volatility",
        lead=(
            "What a GPU-hour will cost, made from quotes of overlapping delivery periods, and how sure one may be."
            if ahead
            else "What a GPU-hour has cost, hour by hour through its published marks, and how much that moved."
        ),
        blocks=blocks,
    )


def _curves(run: Run, table: pl.DataFrame) -> list[Drawing]:
    """A figure per index; of the first one also the next weeks, hour by hour."""
    drawings = []
    for place, index in enumerate(indices(table)):
        mine = table.filter(pl.col("index") == index)
        quotes = (Quotes.create_empty() if run.quotes is None else run.quotes).filter(pl.col("index") == index)
        near = mine.filter(pl.col("end") <= pl.col("as_of") + NEAR, pl.col("start") >= pl.col("as_of"))
        if place == 0 and mine.height > curves.SMOOTHEST and not near.is_empty():
            part = quotes.filter(pl.col("start") < near["end"].max(), pl.col("end") <= near["end"].max())
            drawings.append(_curve(run, near, part, name=f"near-{_slug(index)}", title=f"{index}: the next {NEAR.days} days, hour by hour"))
        ahead = not mine.filter(pl.col("end") > pl.col("as_of")).is_empty()
        title = f"{index}: {'forward curve' if ahead else 'curve through its marks'}"
        drawings.append(_curve(run, mine, quotes, name=f"curve-{_slug(index)}", title=title))
    return drawings


def _curve(run: Run, mine: pl.DataFrame, quotes: pl.DataFrame, *, name: str, title: str) -> Drawing:
    step = "means of its hours by local day" if mine.height > curves.SMOOTHEST else "every interval"
    coverage = stated_coverage(run.coverage, index=str(mine["index"][0])) if mine["lower"].count() else "It has no band."
    return Drawing(
        name=name,
        title=title,
        figure=curves.forward(mine, quotes, timezone=run.timezone),
        caption=(
            f"USD per GPU-hour, delivery time in {run.timezone}. The line is the curve ({step}); "
            "each bar is a quote over its delivery period, "
            f"coloured by where it comes from. {coverage}"
        ),
    )


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower())


def stated_coverage(coverage: pl.DataFrame | None, *, index: str) -> str:
    """What held-back days say of the index's band, horizon by horizon.

    >>> stated_coverage(None, index="H100-SXM.US.FIRM")
    'The coverage of the band was not measured on held-back days: do not rely on it.'
    """
    mine = None if coverage is None else coverage.filter(pl.col("index").is_null() | (pl.col("index") == index))
    if mine is None or mine.is_empty():
        return "The coverage of the band was not measured on held-back days: do not rely on it."
    parts = [
        f"{row['horizon']} {row['inside']:,} of {row['days']:,} days ({100 * row['coverage']:.0f} %)"
        for row in ordered(mine).iter_rows(named=True)
    ]
    levels = ", ".join(f"{100 * level:.0f} %" for level in mine["level"].unique().sort())
    held = f"The band is meant to hold {levels} of outcomes; on held-back days it held, by horizon: {'; '.join(parts)}."
    return f"{held} Hours whose quotes were never tried so have no band."


def ordered(coverage: pl.DataFrame) -> pl.DataFrame:
    """Coverage by index and, within it, from the nearest horizon to the farthest."""
    ranks = {horizon: place for place, horizon in enumerate(horizon_order(coverage["horizon"].to_list()))}
    return coverage.sort("index", pl.col("horizon").replace_strict(ranks, return_dtype=pl.Int64))


def _quotes(quotes: pl.DataFrame, timezone: str) -> Listing:
    columns = [
        Column(name="contract", head="Contract"),
        Column(name="start", head="Delivery from", unit=timezone),
        Column(name="end", head="to"),
        Column(name="profile", head="Profile"),
        Column(name="bid", head="Bid", unit="USD/GPUh", form=".4f"),
        Column(name="price", head="Price", unit="USD/GPUh", form=".4f"),
        Column(name="ask", head="Ask", unit="USD/GPUh", form=".4f"),
        Column(name="source", head="Source"),
    ]
    shown = quotes.filter(pl.col("index") == indices(quotes)[0]).sort("start", "end", "quote_id")
    others = quotes.height - shown.height
    rest = f" {others:,} quotes of other indices are in the table quotes." if others else ""
    return Listing(
        name="quotes",
        title=f"{shown['index'][0]}: quotes that the curve was made of",
        table=table(shown.with_columns(local(["start", "end"], timezone)), columns, name="quotes-table"),
        caption=f"Prices for delivery over a period, as of {latest(shown['as_of'])} UTC.{rest}",
    )


def _coverage(coverage: pl.DataFrame) -> Listing:
    columns = [
        *([Column(name="index", head="Index")] if coverage["index"].count() else []),
        Column(name="horizon", head="Horizon"),
        Column(name="days", head="Held back", unit="days", form=",d"),
        Column(name="inside", head="Inside the band", unit="days", form=",d"),
        Column(name="coverage", head="Coverage", unit="1", form=".3f"),
        Column(name="level", head="Meant", unit="1", form=".2f"),
    ]
    return Listing(
        name="coverage",
        title="Does the band hold what it says?",
        table=table(ordered(coverage), columns, name="coverage-table"),
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
    rows = found.sort("index", "model")
    window = f"{earliest(found['start'])} to {latest(found['end'])}"
    caption = f"Annualised standard deviation of log returns with its {level} interval, window within {window} (UTC)."
    return [
        Drawing(name="volatility", title="Realised volatility", figure=curves.volatility(found), caption=f"In % per √year. {caption}"),
        Listing(
            name="volatilities",
            title="Realised volatility in numbers",
            table=table(rows, columns, name="volatilities-table"),
            caption=caption,
        ),
    ]

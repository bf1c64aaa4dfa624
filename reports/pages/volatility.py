"""The page of `tenorgrid volatility`: how far prices move, how far they are expected to, and what the models rest on."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import volatility as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "volatility.html"
DRAWN = 6  # strips of one figure
PAIRS = 5


def render(tables: Mapping[str, pl.DataFrame], *, source: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: volatility, fits, parameters, path and terms; days, forecasts, contests and correlations may be missing.
        source: what the marks are called.
    """
    told = tables["volatility"].sort("index", "model")
    indices = told["index"].unique(maintain_order=True).head(DRAWN).to_list()
    lost = tables["fits"].filter(pl.col("converged").not_()).height
    windowed = tables["fits"].filter(pl.col("treatment").cast(pl.String) != "none needed").height
    middle = told["volatility"].median()
    keys = [
        Key(label="Indices", value=f"{told['index'].n_unique()}", note=f"{told.height} estimates"),
        Key(label="Volatility", value=number(middle if isinstance(middle, float) else None, ".2f"), note="a year, median of the estimates"),
        Key(label="Searches not at an optimum", value=f"{lost}", note="of the fits that search"),
        Key(label="Windows of several days", value=f"{windowed}", note="estimates of marks that average"),
    ]
    sections = [_numbers(told, tables["fits"]), _time(tables, indices), _fits(tables)]
    if "days" in tables:
        sections.append(_days(tables))
    if "correlations" in tables:
        sections.append(_correlations(tables["correlations"], tables["dcc"]))
    if "smiles" in tables:
        sections.append(_smiles(tables))
    return compose(title="Volatility", subtitle=f"{source}.", keys=keys, sections=sections, note="")


def _numbers(told: pl.DataFrame, fits: pl.DataFrame) -> Section:
    same = [pl.col("index"), pl.col("model").cast(pl.String)]
    rows = told.join(fits.select(*same, "window", pl.col("treatment").cast(pl.String)), on=["index", "model"], how="left")
    levels = ", ".join(f"{level:.0%}" for level in told["level"].unique().sort())
    columns = [
        Column(name="index", head="Index"),
        Column(name="model", head="Model"),
        Column(name="observations", head="Returns", form=",d"),
        Column(name="volatility", head="Volatility", unit="1/√year", form=".4f"),
        Column(name="lower", head="Lower", unit="1/√year", form=".4f"),
        Column(name="upper", head="Upper", unit="1/√year", form=".4f"),
        Column(name="window", head="Window", unit="days", form=",d"),
        Column(name="treatment", head="Treatment"),
    ]
    block = Listing(
        name="volatility", title="Estimates", table=table(rows, columns, name="volatility-table"),
        caption=f"Annualised, 365 days; intervals of {levels}. Of forecasts the root of the mean variance expected over the term. "
        "Treatment: of a mark's window that is longer than a day.",
    )  # fmt: skip
    return Section(name="numbers-section", title="How far prices move", lead="One number for each index and model.", blocks=[block])


def _time(tables: Mapping[str, pl.DataFrame], indices: list[str]) -> Section:
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="through-time", title="Volatility through time", figure=figures.through_time(tables["path"], indices=indices),
            caption="Lines: expected from the days before, at estimates of the whole window. Bars: the day's own move, √365 |r|.",
        ),
        Drawing(
            name="term-structure", title="Forecast term structure", figure=figures.term_structure(tables["terms"], indices=indices),
            caption="Root of the mean variance expected over the next so many days.",
        ),
    ]  # fmt: skip
    return Section(name="time-section", title="When", lead="What was expected of each day, and what is expected now.", blocks=blocks)


def _fits(tables: Mapping[str, pl.DataFrame]) -> Section:
    fits = (
        tables["fits"]
        .sort("index", "model")
        .with_columns(
            pl.when(pl.col("converged").is_null())
            .then(pl.lit(""))
            .when(pl.col("converged"))
            .then(pl.lit("yes"))
            .otherwise(pl.lit("no"))
            .alias("ended"),
            pl.col("treatment").cast(pl.String),
        )
    )
    columns = [
        Column(name="index", head="Index"),
        Column(name="model", head="Model"),
        Column(name="ended", head="At an optimum"),
        Column(name="log_likelihood", head="Log-lik.", form=",.1f"),
        Column(name="akaike", head="AIC", form=",.1f"),
        Column(name="persistence", head="Persistence", form=".4f"),
        Column(name="half_life", head="Half-life", unit="days", form=",.1f"),
        Column(name="next_day", head="Next day", unit="1/√year", form=".4f"),
        Column(name="long_run", head="Long run", unit="1/√year", form=".4f"),
    ]
    blocks: list[Drawing | Listing] = [
        Listing(
            name="fits", title="Fits", table=table(fits, columns, name="fits-table"),
            caption="A long run is missing where persistence is 1 or more: such a model has none.",
        )
    ]  # fmt: skip
    if not tables["parameters"].is_empty():
        columns = [
            Column(name="index", head="Index"),
            Column(name="model", head="Model"),
            Column(name="name", head="Parameter"),
            Column(name="value", head="Estimate", form=".6g"),
            Column(name="error", head="Error", form=".3g"),
            Column(name="robust_error", head="Robust error", form=".3g"),
        ]
        blocks.append(
            Listing(
                name="parameters", title="Parameters", table=table(tables["parameters"], columns, name="parameters-table"),
                caption="Of daily log returns. Robust errors hold where surprises are not normal (har: Newey and West's).",
            )
        )  # fmt: skip
    return Section(name="fits-section", title="What the models rest on", lead="Fits and their parameters.", blocks=blocks)


def _days(tables: Mapping[str, pl.DataFrame]) -> Section:
    days = tables["days"]
    series = days["series"].unique(maintain_order=True).head(DRAWN).to_list()
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="jumps", title="Realised variance and jumps", figure=figures.jumps(days, series=series),
            caption="Bipower variation leaves jumps out. The ratio test says nothing of a day on which half the returns are 0.",
        )
    ]  # fmt: skip
    columns = [
        Column(name="series", head="Series"),
        Column(name="rival", head="Against"),
        Column(name="loss", head="Loss"),
        Column(name="days", head="Days", form=",d"),
        Column(name="own", head="HAR", form=".3g"),
        Column(name="other", head="Naive", form=".3g"),
        Column(name="statistic", head="DM, corrected", form=".2f"),
        Column(name="p_value", head="p", form=".4f"),
    ]
    blocks.append(
        Listing(
            name="contests", title="Out of sample against naive forecasts", table=table(tables["contests"], columns, name="contests-table"),
            caption="Each forecast knows the days before it alone. Below 0 HAR is better.",
        )
    )  # fmt: skip
    return Section(name="days-section", title="Within the day", lead="What prints within the day say.", blocks=blocks)


def _correlations(found: pl.DataFrame, dcc: pl.DataFrame) -> Section:
    pairs = found.select("index", "other").unique().height
    drawing = Drawing(
        name="correlations", title="Dynamic correlation", figure=figures.correlations(found, most=PAIRS),
        caption=f"Engle's, of standardised GARCH returns, each day's from the days before it. {min(PAIRS, pairs)} of {pairs} pairs.",
    )  # fmt: skip
    columns = [
        Column(name="name", head="Parameter"),
        Column(name="value", head="Estimate", form=".4f"),
        Column(name="error", head="Error", form=".3g"),
        Column(name="robust_error", head="Robust error", form=".3g"),
        Column(name="gain", head="Above constant", form=".2f"),
        Column(name="p_value", head="p of constant", form=".4f"),
    ]
    listing = Listing(
        name="dcc", title="Its parameters", table=table(dcc, columns, name="dcc-table"),
        caption="Errors take the GARCH estimates as known, robust ones do not. Above constant: twice the gain in log-likelihood.",
    )  # fmt: skip
    return Section(name="correlations-section", title="Together", lead="How far indices move as one.", blocks=[drawing, listing])


def _smiles(tables: Mapping[str, pl.DataFrame]) -> Section:
    found = tables["smile_arbitrages"]
    every = tables["smile_points"].select("contract", "expiry").unique().height
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="smiles", title="Smiles", figure=figures.smiles(tables["smile_points"], most=DRAWN),
            caption=f"Volatility by strike, as it was quoted. {min(DRAWN, every)} of {every} expiries.",
        )
    ]  # fmt: skip
    columns = [
        Column(name="contract", head="Contract"),
        Column(name="expiry", head="Expiry"),
        Column(name="model", head="Model"),
        Column(name="name", head="Parameter"),
        Column(name="value", head="Value", form=".5g"),
        Column(name="rms", head="RMS error", form=".2g"),
        Column(name="worst", head="Largest error", form=".2g"),
    ]
    day = pl.col("expiry").dt.strftime("%Y-%m-%d")
    shown = tables["smiles"].with_columns(day, pl.col("model").cast(pl.String))
    blocks.append(
        Listing(name="smile-parameters", title="Parameters", table=table(shown, columns, name="smile-table"), caption="By QuantLib.")
    )
    if not found.is_empty():
        columns = [
            Column(name="contract", head="Contract"),
            Column(name="expiry", head="Expiry"),
            Column(name="kind", head="Broken"),
            Column(name="strikes", head="Strikes"),
            Column(name="size", head="Earns", unit="USD/GPUh", form=".4g"),
            Column(name="meaning", head="By"),
        ]
        shown = found.with_columns(day, pl.col("kind").cast(pl.String))
        caption = "Undiscounted, and before bid and ask: what the quotes as they stand would pay without a risk."
        blocks.append(
            Listing(name="smile-arbitrages", title="Arbitrages", table=table(shown, columns, name="arbitrage-table"), caption=caption)
        )
    lead = f"Arbitrages among the quotes: {found.height}." if found.height else "The quotes hold no arbitrage."
    return Section(name="smiles-section", title="By strike", lead=lead, blocks=blocks)

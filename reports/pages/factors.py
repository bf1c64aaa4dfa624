"""The page of `tenorgrid factors`: what moves a price or a curve, and how well that says what was seen."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.data.kinds.index import FactorModel
from tenorgrid.reports.figures import factors as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "factors.html"
TITLES = {
    FactorModel.SCHWARTZ_SMITH: "Schwartz and Smith's two factors",
    FactorModel.OU: "A price that reverts",
    FactorModel.OU_JUMPS: "A price that reverts and jumps",
    FactorModel.SPREAD: "A spread that reverts",
}
SAID = {
    "half_life": ("Half-life", "years"),
    "beta": ("β", "of the second log price in the spread"),
    "adf": ("Dickey-Fuller statistic", "of the series"),
    "adf_critical": ("Its 5 % limit", "below it a series reverts"),
    "correlation": ("Correlation", "of the two prices' moves"),
    "correlation_lower": ("Correlation, lower", "95 %"),
    "correlation_upper": ("Correlation, upper", "95 %"),
}
DAYS = 365.25


def render(
    tables: Mapping[str, pl.DataFrame],
    *,
    model: FactorModel,
    tests: Mapping[str, float],
    log_likelihood: float,
    converged: bool,
    source: str,
) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: parameters and states; futures, volatility and forecasts where the model has them.
        model: which.
        tests: half-life in years, statistics and correlations by name.
        log_likelihood: at the estimate.
        converged: whether the search ended at an optimum.
        source: what was read.
    """
    half = tests["half_life"]
    keys = [
        Key(label="Half-life", value=f"{number(half * DAYS, ',.1f')} days", note=f"{half:.3g} years"),
        Key(label="Log-likelihood", value=number(log_likelihood, ",.2f"), note="at an optimum" if converged else "not at an optimum"),
        Key(label="Days", value=f"{tables['states']['day'].n_unique():,}", note="in equal steps"),
    ]
    if "adf" in tests:
        limit = f"below {tests['adf_critical']:.2f} it reverts, at 5 %"
        keys.append(Key(label="Dickey and Fuller", value=number(tests["adf"], ".2f"), note=limit))
    sections = [_estimates(tables["parameters"], tests), _states(tables, model)]
    if "volatility" in tables:
        sections.append(_curve(tables))
    if "prices" in tables:
        sections.append(_prices(tables["prices"]))
    return compose(title=TITLES[model], subtitle=f"{source}.", keys=keys, sections=sections, note="")


def _prices(prices: pl.DataFrame) -> Section:
    columns = [
        Column(name="contract", head="Contract"),
        Column(name="maturity", head="To delivery", unit="years", form=".4g"),
        Column(name="expiry", head="To exercise", unit="years", form=".4g"),
        Column(name="strike", head="Strike", form=",.4f"),
        Column(name="price", head="Worth", form=",.4f"),
    ]
    listing = Listing(
        name="prices", title="Futures and options", table=table(prices, columns, name="prices-table"),
        caption="In closed form at the filtered factors of the last day; options by Black's formula on the model's variance.",
    )  # fmt: skip
    return Section(name="prices-section", title="What it prices", lead="Contracts that were asked for.", blocks=[listing])


def _estimates(parameters: pl.DataFrame, tests: Mapping[str, float]) -> Section:
    columns = [
        Column(name="parameter", head="Parameter"),
        Column(name="value", head="Estimate", form=".5g"),
        Column(name="hessian_error", head="Error", form=".3g"),
        Column(name="robust_error", head="Robust error", form=".3g"),
    ]
    told = pl.DataFrame(
        [{"what": SAID[name][0], "value": value, "note": SAID[name][1]} for name, value in tests.items() if name in SAID],
        schema={"what": pl.String, "value": pl.Float64, "note": pl.String},
    )
    also = [Column(name="what", head="What"), Column(name="value", head="Value", form=".4g"), Column(name="note", head="Of")]
    blocks: list[Drawing | Listing] = [
        Listing(
            name="parameters", title="Parameters", table=table(parameters, columns, name="parameters-table"),
            caption="Maximum likelihood, a year. No error: the parameter stands at a bound of its search, or there is no peak.",
        ),
        Listing(name="tests", title="What follows", table=table(told, also, name="tests-table"), caption="From the estimates."),
    ]  # fmt: skip
    return Section(name="estimates-section", title="Estimates", lead="What the model rests on.", blocks=blocks)


def _states(tables: Mapping[str, pl.DataFrame], model: FactorModel) -> Section:
    unit = "log of the ratio" if model is FactorModel.SPREAD else "in the model's own units: logarithms, or prices"
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="states", title="Factors through time", figure=figures.through_time(tables["states"], unit=unit),
            caption="A filtered factor knows no later day.",
        )
    ]  # fmt: skip
    if "forecasts" in tables:
        blocks.append(
            Drawing(
                name="ahead", title="The spread ahead", figure=figures.ahead(tables["states"], tables["forecasts"]),
                caption="At the estimates: their own errors are not in the band.",
            )
        )  # fmt: skip
    return Section(name="states-section", title="Through time", lead="Where the factors stood.", blocks=blocks)


def _curve(tables: Mapping[str, pl.DataFrame]) -> Section:
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="by-delivery", title="Volatility by time to delivery", figure=figures.by_delivery(tables["volatility"]),
            caption="Samuelson's effect: what is near moves more. Bars are 95 % intervals of the panel's own moves.",
        )
    ]  # fmt: skip
    if "futures" in tables:
        blocks.append(
            Drawing(
                name="missed", title="How futures are missed", figure=figures.missed(tables["futures"]),
                caption="Fitted by the filtered factors, over what was seen.",
            )
        )  # fmt: skip
    return Section(name="curve-section", title="By delivery", lead="What the factors say of the curve.", blocks=blocks)

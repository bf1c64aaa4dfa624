"""The page of `tenorgrid premium`: is there a premium, when, why, and does anybody leave it on the table."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.figures import premium as figures
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "premium.html"
SYNTHETIC = "Synthetic data."
DRAWN = 5  # lines of one figure


def render(tables: Mapping[str, pl.DataFrame], *, source: str, unit: str, synthetic: bool) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: bias, pooled, days, forecasts, regressions and virtuals of `tenorgrid.data.tables.premium`; pairs may be missing.
        source: what the prices are called.
        unit: of the prices.
        synthetic: whether captions say that the data is.
    """
    bias, virtuals = tables["bias"].with_columns(pl.col("naive_verdict", "verdict").cast(pl.String)), tables["virtuals"]
    whole = bias.filter(pl.col("hour") == -1)
    horizons = theme.horizon_order(whole["horizon"].to_list())
    naive, robust = (whole.filter(pl.col(name) != "none").height for name in ("naive_verdict", "verdict"))
    wrong = whole.filter(pl.col("naive_verdict") != pl.col("verdict")).height
    better = tables["forecasts"].filter(pl.col("statistic") < 0, pl.col("p_value") < 0.05).height
    opened = virtuals.filter(pl.col("verdict").cast(pl.String) == "open").height
    keys = [
        Key(label="A premium by naive errors", value=f"{naive}", note=f"of {whole.height} series and horizons, at 5 %"),
        Key(label="By HAC errors", value=f"{robust}", note=f"{wrong} verdicts differ"),
        Key(label="Ahead beats naive forecasts", value=f"{better}", note=f"of {tables['forecasts'].height} tests, at 5 %"),
        Key(label="Still pay a virtual bid", value=f"{opened}", note=f"of {virtuals.height}, at 5 %"),
    ]
    sections = [
        _bias(bias, horizons, unit),
        _pooled(tables["pooled"], unit),
        _forecasts(tables["forecasts"], unit),
        _regressions(tables["regressions"]),
    ]
    sections += [_virtuals(tables["days"], virtuals, horizons, unit)]
    if "pairs" in tables:
        sections.append(_pairs(tables["pairs"], unit))
    note = SYNTHETIC if synthetic else ""
    return compose(title="Ahead against real time", subtitle=f"{source}.", keys=keys, sections=sections, note=note)


def _bias(bias: pl.DataFrame, horizons: list[str], unit: str) -> Section:
    whole = bias.filter(pl.col("hour") == -1)
    blocks: list[Drawing | Listing] = [
        Drawing(
            name=f"errors-{place}",
            title=f"{horizon}: bias over its error",
            figure=figures.errors(whole.filter(pl.col("horizon") == horizon)),
            caption="Beyond the dotted lines a bias is significant at 5 %. What goes wrong in one hour goes wrong in the next: errors made "
            "as if hours were independent are too small.",
        )
        for place, horizon in enumerate(horizons)
    ]
    largest = whole.sort(pl.col("hac_t").abs(), "series", descending=[True, False], nulls_last=True)["series"][0]
    shown = bias.filter(pl.col("series") == largest)
    blocks.append(
        Drawing(
            name="hours",
            title=f"{largest}: bias by hour of the day",
            figure=figures.hours(shown, horizons=horizons),
            caption=f"{unit}, with HAC intervals of 95 %. Of the series whose bias is surest.",
        )
    )
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="series", head="Series"),
        Column(name="count", head="Hours", form=",d"),
        Column(name="bias", head="Ahead − real", unit=unit, form=",.4f"),
        Column(name="naive_error", head="Naive error", unit=unit, form=",.4f"),
        Column(name="hac_error", head="HAC error", unit=unit, form=",.4f"),
        Column(name="lags", head="Lags", unit="hours", form=",d"),
        Column(name="naive_t", head="Naive t", form=".2f"),
        Column(name="hac_t", head="HAC t", form=".2f"),
        Column(name="naive_verdict", head="Ahead, naive"),
        Column(name="verdict", head="Ahead"),
    ]
    blocks.append(
        Listing(
            name="bias",
            title="Bias",
            table=table(_brief(whole), columns, name="bias-table"),
            caption="Above: ahead is above real time at 5 %, by naive errors and by Newey and West's; lags by Andrews' rule, at least the "
            "lead. Hours of the day are in the table bias.",
        )
    )
    return Section(name="bias-section", title="Is there a premium", lead="Mean of ahead less real, with two errors.", blocks=blocks)


def _pooled(pooled: pl.DataFrame, unit: str) -> Section:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="class", head="Class"),
        Column(name="series", head="Series", form=",d"),
        Column(name="bias", head="Ahead − real", unit=unit, form=",.4f"),
        Column(name="naive_error", head="Naive error", unit=unit, form=",.4f"),
        Column(name="day_error", head="By day", unit=unit, form=",.4f"),
        Column(name="hac_error", head="D.–K. error", unit=unit, form=",.4f"),
        Column(name="naive_t", head="Naive t", form=".2f"),
        Column(name="hac_t", head="t", form=".2f"),
        Column(name="naive_verdict", head="Ahead, naive"),
        Column(name="verdict", head="Ahead"),
    ]
    listing = Listing(
        name="pooled",
        title="Bias of all series of a class together",
        table=table(_brief(pooled), columns, name="pooled-table"),
        caption="Series move together, so more of them say less than it seems. By day: clustered by local day. D.–K.: Driscoll and "
        "Kraay's error, which the verdict rests on, allows any dependence between series and fades over the lags.",
    )
    return Section(
        name="pooled-section", title="And pooled", lead="One row a class and horizon, over all its places and tiers.", blocks=[listing]
    )


def _brief(rows: pl.DataFrame) -> pl.DataFrame:
    """Verdicts in one word: eleven columns leave no room for three."""
    words = {"ahead above real": "above", "real above ahead": "below"}
    return rows.with_columns(pl.col("naive_verdict", "verdict").cast(pl.String).replace(words))


def _forecasts(forecasts: pl.DataFrame, unit: str) -> Section:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="series", head="Series"),
        Column(name="rival", head="Against"),
        Column(name="days", head="Days", form=",d"),
        Column(name="loss", head="Ahead's loss", unit=f"({unit})²", form=",.4g"),
        Column(name="rival_loss", head="Its loss", unit=f"({unit})²", form=",.4g"),
        Column(name="statistic", head="DM, corrected", form=".2f"),
        Column(name="p_value", head="p", form=".4f"),
        Column(name="window", head="Window"),
    ]
    listing = Listing(
        name="forecasts",
        title="Diebold and Mariano's test on daily squared errors",
        table=table(forecasts, columns, name="forecasts-table"),
        caption="Below 0 the ahead price is the better forecast. Harvey, Leybourne and Newbold's correction.",
    )
    lead = "Against the last known day, the same weekday, and the mean of what was known when the price was made."
    return Section(name="forecasts-section", title="Is the ahead price a good forecast", lead=lead, blocks=[listing])


def _regressions(regressions: pl.DataFrame) -> Section:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="series", head="Series"),
        Column(name="premium", head="Premium"),
        Column(name="term", head="Term"),
        Column(name="days", head="Days", form=",d"),
        Column(name="coefficient", head="Coefficient", form=".4g"),
        Column(name="naive_error", head="Naive error", form=".3g"),
        Column(name="hac_error", head="HAC error", form=".3g"),
        Column(name="hac_t", head="HAC t", form=".2f"),
        Column(name="r_squared", head="R²", form=".3f"),
    ]
    listing = Listing(
        name="regressions",
        title="Bessembinder and Lemmon's regression",
        table=table(regressions, columns, name="regressions-table"),
        caption="Theory: below 0 for the variance, above 0 for the third moment. Ex ante: ahead less the known mean; ex post: less real.",
    )
    lead = "The premium on variance and third moment of the real prices known when the price was made."
    return Section(name="regressions-section", title="Why there would be one", lead=lead, blocks=[listing])


def _virtuals(days: pl.DataFrame, virtuals: pl.DataFrame, horizons: list[str], unit: str) -> Section:
    blocks: list[Drawing | Listing] = []
    for place, horizon in enumerate(horizons):
        best = virtuals.filter(pl.col("horizon") == horizon).sort(pl.col("hac_t").abs(), descending=True, nulls_last=True)
        if best.is_empty():
            continue
        blocks.append(
            Drawing(
                name=f"earned-{place}",
                title=f"{horizon}: what a virtual bid of 1 has earned",
                figure=figures.earned(days.filter(pl.col("horizon") == horizon), series=best["series"].head(DRAWN).sort().to_list()),
                caption=f"Sum of daily means, {unit}, before costs, of the {min(DRAWN, best.height)} series with the surest result.",
            )
        )
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="series", head="Series"),
        Column(name="days", head="Days", form=",d"),
        Column(name="profit", head="Mean profit", unit=unit, form=",.4f"),
        Column(name="cost", head="Cost", unit=unit, form=",.4f"),
        Column(name="hac_error", head="HAC error", unit=unit, form=",.4f"),
        Column(name="hac_t", head="HAC t", form=".2f"),
        Column(name="verdict", head="Verdict"),
    ]
    blocks.append(
        Listing(
            name="virtuals",
            title="Profit of a virtual bid against the premium known then",
            table=table(virtuals, columns, name="virtuals-table"),
            caption="Sells ahead where the mean premium of the hour was above zero, buys where below. Open: significant at 5 %, one-sided.",
        )
    )
    return Section(
        name="virtuals-section", title="Does virtual bidding close it", lead="A premium that pays nobody is closed.", blocks=blocks
    )


def _pairs(pairs: pl.DataFrame, unit: str) -> Section:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="series", head="Series"),
        Column(name="days", head="Days", form=",d"),
        Column(name="bias", head="Bias", unit=unit, form=",.4f"),
        Column(name="other_bias", head="Bias, other", unit=unit, form=",.4f"),
        Column(name="size", head="Mean size", unit=unit, form=",.4f"),
        Column(name="other_size", head="Mean size, other", unit=unit, form=",.4f"),
        Column(name="hac_t", head="HAC t", form=".2f"),
        Column(name="verdict", head="Here it is"),
    ]
    counts = dict(pairs["verdict"].cast(pl.String).value_counts().iter_rows())
    told = ", ".join(f"{number(counts.get(name, 0), ',d')} {name}" for name in ("smaller", "same", "larger"))
    listing = Listing(
        name="pairs",
        title=f"This market beside the other: {told}",
        table=table(pairs, columns, name="pairs-table"),
        caption="Size is the mean absolute daily premium; t is of the daily difference, below 0 where this market is closer to real time.",
    )
    return Section(name="pairs-section", title="The other market", lead="The same days, cleared otherwise.", blocks=[listing])

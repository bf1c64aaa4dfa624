"""The page of `tenorgrid normalise`: averages beside adjusted indices, what the mix alone does, and what characteristics are worth."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import quality
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "normalise.html"
MOST = 4  # groups that are drawn
Frames = Mapping[str, pl.DataFrame]


def render(tables: Frames, *, model: str, source: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: coefficients, factors, fits and series, as `tenorgrid normalise` writes them; series may be missing.
        model: name of the model.
        source: what the observations are called.
    """
    fits, factors = tables["fits"].sort("rows", "group", descending=[True, False]), tables["factors"]
    sections = [_series(tables["series"])] if "series" in tables else []
    sections += [_worth(tables["coefficients"], fits), _fits(fits), *_without(factors)]
    told = factors.filter(pl.col("factor").is_not_null())
    middle = told.select(pl.col("factor").log().abs().median().exp() - 1).item()
    keys = [
        Key(label="Prices adjusted", value=f"{told.height:,}", note=f"of {factors.height:,}; the others say why not"),
        Key(label="Typical adjustment", value=f"{number(None if middle is None else 100 * middle, '.1f')} %", note="median, up or down"),
        Key(label="Fits", value=f"{fits.height}", note=f"on {fits['rows'].sum():,} rows"),
        Key(label="Explained", value=number(fits["r_squared"][0], ".3f"), note=f"R² of the largest fit, {fits['group'][0]}"),
    ]
    return compose(title="Normalised prices", subtitle=f"{source}, model {model}.", keys=keys, sections=sections, note="")


def _series(series: pl.DataFrame) -> Section:
    rows = series.with_columns(pl.col("method").cast(pl.String))
    sizes = rows.filter(pl.col("method") == "mean").group_by("group").agg(pl.col("rows").sum(), pl.len().alias("periods"))
    sizes = sizes.filter(pl.col("periods") > 1).sort("rows", "group", descending=[True, False])
    blocks: list[Drawing | Listing] = [
        Drawing(
            name=f"series-{place}",
            title=group,
            figure=quality.series(rows.filter(pl.col("group") == group)),
            caption="Below, every product keeps one price for ever: whatever moves there is the mix of what is listed, not a price.",
        )
        for place, group in enumerate(sizes["group"].head(MOST))
    ]
    ends = rows.filter(pl.col("period") == pl.col("period").max().over("group")).with_columns(pl.col("value") * 100)
    order = ["mean", "median", "time-product-dummy", "hedonic", "mean, prices held", "median, prices held"]
    wide = ends.pivot(on="method", index=["group", "period"], values="value").sort("group")
    columns = [Column(name="group", head="Group"), Column(name="period", head="Last period")]
    columns += [Column(name=name, head=name.capitalize(), form=".1f") for name in order if name in wide.columns]
    blocks.append(
        Listing(
            name="ends", title="Last period, first period 100", table=table(wide, columns, name="ends-table"),
            caption="With prices held the time-product-dummy is 100 in every period.",
        )
    )  # fmt: skip
    return Section(
        name="series",
        title="What moved: prices, or the mix",
        lead="A product is compared with itself alone by the time-product-dummy; averages move with who lists.",
        blocks=blocks,
    )


def _worth(coefficients: pl.DataFrame, fits: pl.DataFrame) -> Section:
    shown = [group for group in fits["group"] if group in set(coefficients["group"])][:MOST]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name=f"worth-{place}",
            title=group,
            figure=quality.worth(coefficients.filter(pl.col("group") == group)),
            caption="95 % intervals. Of many values the surest are shown; the table coefficients has all.",
        )
        for place, group in enumerate(shown)
    ]
    return Section(name="worth", title="What characteristics are worth", lead="Hedonic regression of the log price.", blocks=blocks)


def _fits(fits: pl.DataFrame) -> Section:
    columns = [
        Column(name="group", head="Group"),
        Column(name="rows", head="Rows", form=",d"),
        Column(name="cells", head="Cells", form=",d"),
        Column(name="clusters", head="Clusters", form=",d"),
        Column(name="excluded", head="Outliers left out", form=",d"),
        Column(name="incomplete", head="Incomplete", form=",d"),
        Column(name="free", head="Degrees of freedom", form=",d"),
        Column(name="sigma", head="σ of log price", form=".4f"),
        Column(name="r_squared", head="R²", form=".4f"),
        Column(name="left_out", head="Columns left out"),
    ]
    listing = Listing(
        name="fits", title="Fits", table=table(fits, columns, name="fits-table"),
        caption="Errors from few clusters are too small; a column left out is a combination of others.",
    )  # fmt: skip
    return Section(name="fits-section", title="What the fits stand on", lead="One regression a group.", blocks=[listing])


def _without(factors: pl.DataFrame) -> list[Section]:
    reasons = (
        factors.filter(pl.col("reason").is_not_null())
        .group_by("reason")
        .agg(pl.len().alias("rows"))
        .sort("rows", "reason", descending=[True, False])
    )
    if reasons.is_empty():
        return []
    columns = [Column(name="reason", head="Reason"), Column(name="rows", head="Rows", form=",d")]
    listing = Listing(
        name="reasons",
        title="Prices without a factor",
        table=table(reasons, columns, name="reasons-table"),
        caption="Nothing is guessed for them.",
    )
    return [Section(name="without", title="What was not adjusted", lead="Rows that the fit says nothing about.", blocks=[listing])]

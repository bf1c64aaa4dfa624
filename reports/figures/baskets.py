"""Baskets drawn: the series beside other formulas, who moved it month by month, and what each constituent weighs."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

SPLICE, JEVONS = "splice", "jevons"
SPANS = {"day": 21, "week": 140}  # the shortest span whose bars are no more than can be told apart, by days drawn
NAMES = {"geks-fisher": "GEKS-Fisher", "geks-tornqvist": "GEKS-Törnqvist", "geks-walsh": "GEKS-Walsh", "tornqvist": "Törnqvist",
         "time-product-dummy": "time-product-dummy", "geary-khamis": "Geary-Khamis"}  # fmt: skip
HUES = (theme.BLUE, theme.DARK, theme.MIDDLE, theme.LIGHT, "#7fa3bd", "#dd9c7c", "#5b7f5b", "#a58b3a", "#6b5b86", "#9a4f6f")
BARS = (theme.ACCENT, *HUES)
TYPES = ("solid", "dot", "dash", "dashdot")


def said(formula: str) -> str:
    """A formula's name as people write it.

    >>> said("tornqvist"), said("fisher")
    ('Törnqvist', 'Fisher')
    """
    return NAMES.get(formula, formula.capitalize())


def by_formula(formulas: pl.DataFrame, *, unit: str) -> go.Figure:
    """The basket's own series, and below it by how much the other formulas differ, in per cent of it.

    Args:
        formulas: `BasketFormulas` of one basket.
        unit: of the basket.
    """
    own = formulas.filter("chosen").sort("start")
    name = str(own["formula"][0])
    rest = formulas.filter(~pl.col("chosen"), pl.col("formula").cast(pl.String) != JEVONS)
    titles = [(said(name), f", {unit}"), ("Other weighted formulas less this one", ", %")]
    drawn = theme.strips(titles if rest.height else titles[:1], height=210)
    drawn.add_scatter(
        x=_moments(own), y=own["level"].to_list(), yaxis=theme.axis(0), name=f"{said(name)} (own)", mode="lines",
        line={"color": theme.ACCENT, "width": 2}, hovertemplate="%{x|%d %b %Y}: %{y:.6g}<extra></extra>",
    )  # fmt: skip
    plain = formulas.filter(~pl.col("chosen"), pl.col("formula").cast(pl.String) == JEVONS).sort("start")
    if plain.height:  # without weights it runs far from all that have them
        drawn.add_scatter(
            x=_moments(plain), y=plain["level"].to_list(), yaxis=theme.axis(0), name=said(JEVONS), mode="lines",
            line={"color": theme.BLUE, "width": 1.5, "dash": "dot"}, hovertemplate="Jevons, %{x|%d %b %Y}: %{y:.6g}<extra></extra>",
        )  # fmt: skip
    others = rest.join(own.select("start", own="level"), on="start").sort("start")
    for place, other in enumerate(others["formula"].unique(maintain_order=True).sort().to_list()):
        rows = others.filter(formula=other)
        apart = (100 * (rows["level"] / rows["own"] - 1)).to_list()
        drawn.add_scatter(
            x=_moments(rows), y=apart, yaxis=theme.axis(1), name=said(other), mode="lines",
            line={"color": HUES[place % len(HUES)], "width": 1.5, "dash": TYPES[place // 4 % len(TYPES)]},
            hovertemplate="%{fullData.name}<br>%{x|%d %b %Y}: %{y:+.3f} %<extra></extra>",
        )  # fmt: skip
    drawn.update_xaxes(tickformat="%d %b")
    legend = 12 * -(-formulas["formula"].n_unique() // 2)  # room for its rows on a phone
    drawn.update_layout(
        height=drawn.layout.height + legend, margin={"t": drawn.layout.margin.t + legend}, legend={"font": {"size": 11}, "entrywidth": 112}
    )
    return drawn


def moves(contributions: pl.DataFrame, *, unit: str) -> go.Figure:
    """What each constituent added to the index, by day, week or month as the length of the series allows; the dot is their sum.

    Args:
        contributions: `BasketContributions` of one basket.
        unit: of the basket.
    """
    span = span_of(contributions)
    rows = contributions.sort("start").with_columns(span=pl.col("start").dt.truncate({"day": "1d", "week": "1w", "month": "1mo"}[span]))
    sums = rows.group_by("span", "constituent", maintain_order=True).agg(pl.col("contribution").sum())
    drawn = theme.figure(height=360)
    for place, name in enumerate(_ranked(sums)):
        part = sums.filter(constituent=name)
        drawn.add_bar(
            x=_days(part["span"], span), y=part["contribution"].to_list(), name="linking windows" if name == SPLICE else name,
            marker={"color": BARS[place % len(BARS)]}, meta=unit,
            hovertemplate="%{fullData.name}<br>%{x}: %{y:+.4g} %{meta}<extra></extra>",
        )  # fmt: skip
    whole = sums.group_by("span", maintain_order=True).agg(pl.col("contribution").sum())
    drawn.add_scatter(
        x=_days(whole["span"], span), y=whole["contribution"].to_list(), name="the index", mode="markers",
        marker={"color": "white", "size": 8, "line": {"color": theme.DARK, "width": 2}}, hovertemplate="%{x}: %{y:+.4g}<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(barmode="relative")
    drawn.update_xaxes(type="category", nticks=12)
    drawn.update_yaxes(title={"text": unit, "standoff": 4}, zeroline=True, zerolinecolor=theme.LIGHT)
    return drawn


def weights(contributions: pl.DataFrame) -> go.Figure:
    """What each constituent weighs in the basket, in per cent of its value; a step is a rebalancing or a price.

    Args:
        contributions: `BasketContributions` of one basket.
    """
    rows = contributions.filter(pl.col("weight").is_not_null()).sort("start")
    drawn = theme.figure(height=300)
    ranked = rows.group_by("constituent").agg(pl.col("weight").sum()).sort("weight", "constituent", descending=[True, False])["constituent"]
    for place, name in enumerate(ranked):
        part = rows.filter(constituent=name)
        drawn.add_scatter(
            x=_moments(part), y=(100 * part["weight"]).to_list(), name=name, mode="lines",
            line={"color": BARS[place % len(BARS)], "width": 2 if place == 0 else 1.5, "shape": "hv"},
            hovertemplate="%{fullData.name}<br>%{x|%d %b %Y}: %{y:.1f} %<extra></extra>",
        )  # fmt: skip
    drawn.update_yaxes(title={"text": "% of the basket's value", "standoff": 4}, rangemode="tozero")
    drawn.update_xaxes(tickformat="%d %b")
    return drawn


def span_of(contributions: pl.DataFrame) -> str:
    """Whether the moves of a series are drawn by day, week or month."""
    count = contributions["start"].dt.date().n_unique()
    return next((span for span, most in SPANS.items() if count <= most), "month")


def _ranked(sums: pl.DataFrame) -> list[str]:
    """Constituents, those that move the most first, and the splice last."""
    ranked = sums.group_by("constituent").agg(pl.col("contribution").abs().sum())
    order = ranked.sort(pl.col("constituent") == SPLICE, -pl.col("contribution"), "constituent")
    return order["constituent"].to_list()


def _moments(rows: pl.DataFrame) -> list[Any]:
    return rows["start"].dt.replace_time_zone(None).to_list()


def _days(moments: pl.Series, span: str) -> Sequence[str]:
    return moments.dt.to_string("%b %Y" if span == "month" else "%d %b").to_list()

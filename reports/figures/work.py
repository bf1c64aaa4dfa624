"""Workload indices as figures: prices of work under each limit, the chip that sets each, and families."""

import json

import plotly.graph_objects as go
import polars as pl

from tenorgrid.indices.names import parsed
from tenorgrid.indices.workloads.terms import POINTS
from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

MOST_STRIPS = 10
COLOURED = 4  # chips with a colour of their own; the rest are grey
SCHEMA = {
    "index": pl.String, "name": pl.String, "home": pl.String, "tier": pl.String, "date": pl.Date, "value": pl.Float64, "unit": pl.String,
    "status": pl.String, "class": pl.String, "architecture": pl.String, "model": pl.String, "limit": pl.String, "recipe": pl.String,
    "place": pl.String, "chip": pl.String, "runner_up": pl.String, "dearer": pl.Float64, "prices": pl.Float64, "entering": pl.Float64,
    "leaving": pl.Float64, "accelerators": pl.Float64,
}  # fmt: skip


def story(audits: pl.DataFrame) -> pl.DataFrame:
    """One row a print, from its audit: what was printed, by which recipe, and why it moved; families have neither model nor recipe.

    Args:
        audits: index, date, and the audit as one JSON text.

    Returns the columns of `SCHEMA`; `chip` are the accelerators of the recipe, `accelerators` their share of the cost.
    """
    return pl.DataFrame([_row(json.loads(text)) for text in audits["audit"]], schema=SCHEMA, orient="row").sort("index", "date")


def _row(entry: dict[str, object]) -> dict[str, object]:
    named = parsed(str(entry["index"]))
    found: dict[str, object] = {"name": named.subject, "home": named.place, "tier": named.tier, "date": _date(entry["date"])}
    found |= {key: entry[key] for key in ("index", "value", "unit", "status")}
    work, recipe = entry.get("workload"), entry.get("recipe")
    if isinstance(work, dict):
        found |= {key: work[key] for key in ("class", "architecture", "model", "limit")}
    if isinstance(recipe, dict):
        names = str(recipe["name"])
        found |= {"recipe": names, "place": recipe["place"], "chip": _chip(names)}
        found["accelerators"] = _share(entry["cost"], _chip(names))
    if isinstance(following := entry.get("runner_up"), dict):
        found |= {"runner_up": following["name"], "dearer": following["dearer"]}
    if isinstance(change := entry.get("change"), dict):
        found |= {key: change[key] for key in ("prices", "entering", "leaving")}
    return {key: found.get(key) for key in SCHEMA}


def _date(text: object) -> object:
    return pl.Series([str(text)]).str.to_date()[0]


def _chip(recipe: str) -> str:
    """Accelerators of a recipe's name: `h100-sxm-x8+a100-sxm-x4-spread` are h100-sxm and a100-sxm."""
    return " + ".join(part.rsplit("-x", 1)[0] for part in recipe.split("+"))


def _share(cost: object, chip: str) -> float | None:
    if not isinstance(cost, list):
        return None
    return float(sum(part["share"] for part in cost if part["resource"] in chip.split(" + ")))


def chips(rows: pl.DataFrame) -> list[str]:
    """Chips by how often they are the cheapest."""
    counts = rows.drop_nulls("chip").group_by("chip").len().sort("len", "chip", descending=[True, False])
    return counts["chip"].to_list()


def prices(rows: pl.DataFrame) -> go.Figure:
    """A strip for each model, a line for each limit; days of low confidence are hollow dots.

    Args:
        rows: of `story`, of one home and tier.
    """
    work = rows.drop_nulls("model")
    models = work.select("model", "unit").unique(maintain_order=True).sort("unit", "model").rows()[:MOST_STRIPS]
    drawn = theme.strips([f"{model}, {unit}" for model, unit in models], height=130)
    for strip, (model, unit) in enumerate(models):
        mine = work.filter(model=model, unit=unit)
        for place, name in enumerate(mine.sort("value", nulls_last=True)["name"].unique(maintain_order=True)):
            line = mine.filter(name=name)
            shade = theme.colour(place)
            drawn.add_scatter(
                x=line["date"].to_list(), y=line["value"].to_list(), mode="lines", name=name, yaxis=theme.axis(strip),
                line={"color": shade, "width": 1.8}, text=line["recipe"].to_list(), showlegend=False,
                meta=unit, hovertemplate="%{x}: %{y:.4g} %{meta}<br>%{text}<extra>%{fullData.name}</extra>",
            )  # fmt: skip
            _low(drawn, line, shade, strip)
            _label(drawn, line, name, shade, strip)
        drawn.layout[theme.axis(strip).replace("y", "yaxis")].update(rangemode="tozero", nticks=4, tickformat=".3~g")
    drawn.update_xaxes(tickformat="%d %b<br>%Y", tickangle=0)
    return drawn


def _low(drawn: go.Figure, line: pl.DataFrame, shade: str, strip: int) -> None:
    """Days on which a print is not fully to be relied on."""
    low = line.filter(pl.col("status") != "published", pl.col("value").is_not_null())
    drawn.add_scatter(
        x=low["date"].to_list(), y=low["value"].to_list(), mode="markers", yaxis=theme.axis(strip), showlegend=False,
        marker={"color": "white", "size": 5, "line": {"color": shade, "width": 1.2}},
        text=low["status"].to_list(), hovertemplate="%{x}: %{text}<extra></extra>",
    )  # fmt: skip


def _label(drawn: go.Figure, line: pl.DataFrame, name: str, shade: str, strip: int) -> None:
    """The name of a line above its last print."""
    last = line.drop_nulls("value").tail(1)
    if last.is_empty():
        return
    drawn.add_annotation(
        text=name.lower(), x=last["date"][0], y=last["value"][0], xref="x", yref=theme.axis(strip), xanchor="right", yanchor="bottom",
        showarrow=False, font={"size": 11, "color": shade}, bgcolor="rgba(255,255,255,0.85)", borderpad=0, yshift=3,
    )  # fmt: skip


def cheapest(rows: pl.DataFrame) -> go.Figure:
    """Which chip was the cheapest for each workload on each day.

    Args:
        rows: of `story`, of one home and tier.
    """
    work = rows.drop_nulls("chip")
    names = work["name"].unique().sort(descending=True).to_list()
    drawn = theme.figure(height=90 + 24 * len(names))
    for place, chip in enumerate(chips(work)):
        mine = work.filter(chip=chip)
        shade = theme.colour(place) if place < COLOURED else theme.LIGHT
        drawn.add_scatter(
            x=mine["date"].to_list(), y=mine["name"].str.to_lowercase().to_list(), mode="markers", name=chip,
            marker={"symbol": "square", "size": 7, "color": shade},
            customdata=(100 * mine["dearer"]).to_list(), text=mine["runner_up"].fill_null("no other").to_list(),
            hovertemplate="%{x}: then %{text}, dearer by %{customdata:.1f} %<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    beside(drawn, [name.lower() for name in names])
    drawn.update_xaxes(tickformat="%d %b<br>%Y", tickangle=0)
    return drawn


def family_units(rows: pl.DataFrame) -> list[str]:
    """Units that families are in, index points last."""
    return sorted(rows.filter(pl.col("model").is_null())["unit"].unique(), key=lambda unit: (unit == POINTS, unit))


def families(rows: pl.DataFrame, unit: str) -> go.Figure:
    """Families of one unit over time.

    Args:
        rows: of `story`, of one home and tier.
        unit: of the families.
    """
    above = rows.filter(pl.col("model").is_null(), pl.col("unit") == unit)
    drawn = theme.figure(height=320)
    for place, name in enumerate(above["name"].unique(maintain_order=True)):
        line = above.filter(name=name)
        drawn.add_scatter(
            x=line["date"].to_list(), y=line["value"].to_list(), mode="lines", name=name.lower(),
            line={"color": theme.colour(place), "width": 1.8, "dash": theme.dash(place)},
            meta=unit, hovertemplate="%{x}: %{y:.4g} %{meta}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_xaxes(tickformat="%d %b<br>%Y", tickangle=0)
    drawn.update_yaxes(title={"text": unit, "standoff": 8})
    return drawn

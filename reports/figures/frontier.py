"""Benchmarks as figures: the frontier of speed against work, f_n(X), and what one job does on more accelerators."""

import math

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import polars as pl

from tenorgrid.clearing.recipes import output, recipes_by_workload
from tenorgrid.data.benchmarks.limits import LONGEST, Limit
from tenorgrid.data.benchmarks.mlperf_inference import SCENARIOS
from tenorgrid.data.kinds.work import BenchmarkFormat
from tenorgrid.reports import theme

Vector = npt.NDArray[np.float64]
COLOURED = 4  # accelerators with a colour of their own; the rest are grey
STOCK, HOSTED = 64, 48  # accelerators of the bundle X, and those of them that have a host
SPEEDS = {
    BenchmarkFormat.MLPERF_INFERENCE: "limit on latency",
    BenchmarkFormat.MLPERF_TRAINING: "minutes to train",
    BenchmarkFormat.ML_ENERGY: "tokens a second for each user",
    BenchmarkFormat.GAVEL: "steps a second of the job",
    BenchmarkFormat.ML_ENERGY_IMAGES: "seconds to the images of a batch",
}


def measured(frontier: pl.DataFrame) -> pl.DataFrame:
    """Every result of one family once: accelerator, speed, work of one accelerator, and whether it is a recipe of any workload.

    Args:
        frontier: `Frontier` rows of one family.
    """
    kinds = pl.col("resources").str.replace_all(r":\d+", "").str.replace_all(";", " + ")
    rows = frontier.with_columns(kind=kinds, recipe=pl.col("recipe").is_not_null().any().over("row"))
    return rows.unique("row", maintain_order=True).select("row", "kind", "gpus", "speed", "per_gpu", "recipe", "entry", "domain")


def staircase(points: pl.DataFrame) -> pl.DataFrame:
    """The Pareto frontier of one accelerator: at each speed the most work that is done at that speed or a faster one.

    Args:
        points: speed, per_gpu.

    >>> found = staircase(pl.DataFrame({"speed": [10.0, 20.0, 40.0], "per_gpu": [5.0, 3.0, 4.0]}))
    >>> found.rows()
    [(10.0, 5.0), (40.0, 4.0)]
    """
    best = points.sort("speed", "per_gpu", descending=True).with_columns(most=pl.col("per_gpu").cum_max())
    kept = best.filter(pl.col("per_gpu") == pl.col("most")).unique("most", keep="first", maintain_order=True)
    return kept.select("speed", "per_gpu").sort("speed")


def order_of(rows: pl.DataFrame) -> list[str]:
    """Accelerators of one family, the one that does the most work first."""
    return rows.group_by("kind").agg(pl.col("per_gpu").max()).sort("per_gpu", "kind", descending=[True, False])["kind"].to_list()


def speed_frontier(frontier: pl.DataFrame, limits: list[Limit], *, format: BenchmarkFormat, unit: str) -> go.Figure:
    """Work of one accelerator against speed: each result a dot, hollow where no recipe is made of it, and the frontier as a stair.

    Args:
        frontier: `Frontier` rows of one family.
        limits: drawn as dotted lines.
        format: of the benchmark, which says what speed is.
        unit: of the work.
    """
    rows = measured(frontier)
    drawn = theme.figure(height=420)
    for place, kind in enumerate(order_of(rows)):
        mine = rows.filter(kind=kind).sort("recipe", "speed", "row")  # recipes on top
        shade, named = _shade(place), place < COLOURED
        stairs = staircase(mine)
        common = {"legendgroup": kind, "name": kind}
        drawn.add_scatter(
            x=_axis_of(stairs["speed"], format),
            y=stairs["per_gpu"].to_list(),
            mode="lines",
            line={"color": shade, "width": 1.8 if named else 1, "shape": "vh"},
            showlegend=named,
            hoverinfo="skip",
            **common,
        )
        fill = [shade if recipe else "white" for recipe in mine["recipe"]]
        drawn.add_scatter(
            x=_axis_of(mine["speed"], format),
            y=mine["per_gpu"].to_list(),
            mode="markers",
            marker={"color": fill, "size": 7, "line": {"color": shade, "width": 1.2}},
            showlegend=False,
            text=mine["entry"].to_list(),
            meta=unit,
            hovertemplate="%{text}<br>%{y:.4g} %{meta} a GPU-hour<extra>%{fullData.name}</extra>",
            **common,
        )
    for limit in limits:
        if limit.value is not None:
            theme.mark_moment(drawn, limit.value, label=limit.suffix)
    axis: dict[str, object] = {"title": {"text": SPEEDS[format], "standoff": 8}}
    if format is BenchmarkFormat.MLPERF_INFERENCE:
        axis |= {"tickmode": "array", "tickvals": list(range(len(SCENARIOS))), "ticktext": list(SCENARIOS), "range": [-0.3, 2.3]}
    elif format in (*LONGEST, BenchmarkFormat.GAVEL):
        axis |= {"type": "log"}
        _log_shapes(drawn)
    drawn.update_xaxes(**axis)
    drawn.update_yaxes(title={"text": f"{unit} a GPU-hour", "standoff": 8}, rangemode="tozero")
    return drawn


def returns(scaling: pl.DataFrame, *, unit: str) -> go.Figure:
    """What one job does on more accelerators: its results, the least concave curve over them, and the dotted line without losses.

    Args:
        scaling: `Scaling` rows of one family.
        unit: of the work.
    """
    rows = scaling.with_columns(kind=pl.col("resources") + pl.when("spread").then(pl.lit(", spread")).otherwise(pl.lit("")))
    several = rows.filter(pl.len().over("kind") > 1)
    drawn = theme.figure(height=420)
    longest = several.group_by("kind").agg(pl.len()).sort("len", "kind", descending=[True, False])["kind"]
    for place, kind in enumerate(longest):
        mine = several.filter(kind=kind).sort("gpus")
        gpus, work, first = mine["gpus"].to_list(), mine["output_per_hour"].to_list(), mine["output_per_hour"][0] / mine["gpus"][0]
        shade, named = _shade(place), place < COLOURED
        line = {"color": shade, "width": 1.8 if named else 1}
        drawn.add_scatter(
            x=gpus, y=mine["envelope"].to_list(), mode="lines", line=line, legendgroup=kind, name=kind, showlegend=named, hoverinfo="skip"
        )
        drawn.add_scatter(
            x=gpus, y=work, mode="markers", marker={"color": shade, "size": 7}, legendgroup=kind, name=kind, showlegend=False,
            customdata=(100 * mine["efficiency"]).to_list(), meta=unit,
            hovertemplate="%{x} GPUs: %{y:.4g} %{meta}, %{customdata:.0f} % of the smallest job's a GPU<extra>%{fullData.name}</extra>",
        )  # fmt: skip
        if named:
            ends = [gpus[0], gpus[-1]]
            dots = {"color": shade, "width": 1, "dash": "dot"}
            drawn.add_scatter(
                x=ends, y=[first * end for end in ends], mode="lines", line=dots, legendgroup=kind, showlegend=False, hoverinfo="skip"
            )
    drawn.update_xaxes(type="log", title={"text": "accelerators of one job", "standoff": 8}, dtick=math.log10(2), tickformat="~s")
    drawn.update_yaxes(type="log", title={"text": f"{unit} an hour", "standoff": 8})
    return drawn


def performance(
    recipes: pl.DataFrame, recipe_resources: pl.DataFrame, *, accelerator: str, at: Vector, hosted: float, domain: int | None
) -> Vector:
    """f_n(X) of one workload, X so many accelerators of one kind with the hosts of at most `hosted` of them.

    Args:
        recipes, recipe_resources: rows of one workload.
        accelerator: the kind.
        at: (points,) accelerators.
        hosted: accelerators whose vCPU, memory and network there are.
        domain: largest scale-up domain that they stand in; None is any.

    Returns (points,) units of work an hour.
    """
    fits = recipes if domain is None else recipes.filter(pl.col("domain").fill_null(1) <= domain)
    mine = recipe_resources.filter(resource=accelerator).select("workload", "recipe", pl.col("per_hour").alias("gpus"))
    fits = fits.join(mine, on=["workload", "recipe"], how="semi", maintain_order="left")
    if fits.is_empty():
        return np.zeros(len(at))
    uses = recipe_resources.join(fits, on=["workload", "recipe"], how="semi", maintain_order="left")
    names = sorted(uses["resource"].unique())
    (book,) = recipes_by_workload(fits, uses, resources=names).values()
    each = dict(_a_host(uses, accelerator, names))
    bundles = [np.array([count if name == accelerator else each[name] * min(count, hosted) for name in names]) for count in at]
    return np.array([output(book, bundle) if bundle.any() else 0.0 for bundle in bundles])


def performances(frontier: pl.DataFrame, recipes: pl.DataFrame, recipe_resources: pl.DataFrame, *, unit: str) -> go.Figure:
    """f_n(X) of one family for its best accelerators: without and with the tightest limit, and outside of any scale-up domain.

    Args:
        frontier: `Frontier` rows of one family, the loosest workload first.
        recipes, recipe_resources: tables of the book.
        unit: of the work.
    """
    workloads = frontier["workload"].unique(maintain_order=True).to_list()
    at = np.array([0.0, HOSTED, STOCK])  # f is homogeneous: a line until the hosts run out
    drawn = theme.figure(height=420)
    single = [kind for kind in order_of(measured(frontier)) if " + " not in kind][:3]
    for place, kind in enumerate(single):
        lines: list[tuple[str, int | None, str, str]] = [(workloads[0], None, "solid", kind)]
        lines += (
            [(workloads[-1], None, "dot", f"{kind}, {workloads[-1].removeprefix(frontier['family'][0] + '-')}")]
            if len(workloads) > 1
            else []
        )
        lines += [(workloads[0], 1, "dash", f"{kind}, no domain")]
        drawn_already: list[Vector] = []
        for workload, domain, dash, label in lines:
            mine = (recipes.filter(workload=workload), recipe_resources.filter(workload=workload))
            work = performance(*mine, accelerator=kind, at=at, hosted=HOSTED, domain=domain)
            if not work.any() or any(np.array_equal(work, other) for other in drawn_already):
                continue
            drawn_already.append(work)
            drawn.add_scatter(
                x=at.tolist(),
                y=work.tolist(),
                name=label,
                mode="lines",
                line={"color": theme.colour(place), "width": 1.8, "dash": dash},
                meta=unit,
                hovertemplate="%{x:g} GPUs: %{y:.4g} %{meta} an hour<extra>%{fullData.name}</extra>",
            )
    drawn.update_xaxes(title={"text": "accelerators in X", "standoff": 8}, dtick=STOCK / 4)
    drawn.update_yaxes(title={"text": f"f(X), {unit} an hour", "standoff": 8}, rangemode="tozero")
    return drawn


def _a_host(uses: pl.DataFrame, accelerator: str, names: list[str]) -> list[tuple[str, float]]:
    """What stands beside one accelerator, from the recipes themselves; other accelerators of mixed recipes are not there."""
    gpus = uses.filter(resource=accelerator).select("workload", "recipe", pl.col("per_hour").alias("gpus"))
    kinds = uses.group_by("workload", "recipe").agg(pl.len().alias("parts"))
    plain = uses.join(gpus, on=["workload", "recipe"]).join(kinds, on=["workload", "recipe"]).sort("parts")
    share = (
        plain.filter(pl.col("parts") == plain["parts"][0])
        .group_by("resource")
        .agg((pl.col("per_hour") / pl.col("gpus")).max().alias("share"))
    )
    found = dict(share.iter_rows())
    return [(name, found.get(name, 0.0)) for name in names]


def _axis_of(speed: pl.Series, format: BenchmarkFormat) -> list[float]:
    """Speeds as the axis has them: where a limit is the longest time, that time."""
    return [LONGEST[format] / value for value in speed] if format in LONGEST else speed.to_list()


def _shade(place: int) -> str:
    return theme.colour(place) if place < COLOURED else theme.LIGHT


def _log_shapes(drawn: go.Figure) -> None:
    """Annotations on a logarithmic axis stand at the logarithm, shapes do not."""
    for note in drawn.layout.annotations:
        note.x = math.log10(note.x)

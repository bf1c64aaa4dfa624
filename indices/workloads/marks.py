"""Workload marks in USD per unit of work: from clearing's own prices of work, and from GPU marks through benchmarked recipes.

Clearing publishes ω, the least cost of a unit of work at its prices. As an observation it is a cleared price like any other, whose
resource is the workload, whose region is the home of the work and whose quantity is the work that was placed; so the house methodology
marks it, audits it and verifies it like a GPU-hour, and an index is named WORKLOAD.HOME.TIER.

Without clearing the same number comes from the day's GPU marks: the cheapest recipe at those prices.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.kinds.market import PricingRule, ResourceKind
from tenorgrid.data.tables.case import RecipeResources, Recipes, Resources, Workloads
from tenorgrid.data.tables.cleared import Placements, WorkloadPrices, settles_under
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks, Observations
from tenorgrid.indices.audit import Verification, held_against, read_audit
from tenorgrid.indices.entries import CLOCK, text
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.methodology import load
from tenorgrid.indices.names import parts
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.workloads.costs import NONE, Vector, cheapest, unit_costs
from tenorgrid.indices.workloads.panels import GPU_HOUR_UNIT, TRUST

ANYWHERE = "*"  # home of work that may run anywhere, in clearing's tables
WORK = ["horizon", "start", "workload", "home", "tier"]
UTC = pl.Datetime("us", "UTC")
MADE_OF = pl.Struct({"index": pl.String, "start": UTC, "revision": pl.Int64, "value": pl.Float64, "status": pl.String})
NODE = ("region", "tier", "methodology", "method_hash", "start", "end", "published_at")
BEST: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("workload", "region", "tier", "methodology", "method_hash"), pl.String),
    **dict.fromkeys(("start", "end", "published_at"), UTC),
    "recipe": pl.String, **dict.fromkeys(("cost", "chips", "beside"), pl.Float64), "trust": pl.Int64, "from": pl.List(MADE_OF),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WorkloadRun:
    """Workload marks made from GPU marks: `marks` are `Marks`, `audits` has index, date and the audit as one JSON text."""

    marks: pl.DataFrame
    audits: pl.DataFrame


def workload_observations(
    workload_prices: pl.DataFrame,
    placements: pl.DataFrame,
    *,
    workloads: pl.DataFrame,
    pricing: PricingRule = PricingRule.MARGINAL,
    hours: float = 1.0,
) -> pl.DataFrame:
    """Clearing's prices of work as `Observations` with the attribute `unit`, to be marked like those of GPU-hours.

    Args:
        workload_prices: `WorkloadPrices`; hours without a price are left out.
        placements: `Placements`, whose work is the weight of its hour.
        workloads: `Workloads`, for the units.
        pricing: which rule's prices.
        hours: length of an interval.

    Raises `InputError` for bad rows and for a workload that `workloads` does not have.
    """
    prices = checked(workload_prices, WorkloadPrices, name="workload_prices")
    placed = checked(placements, Placements, name="placements").group_by(WORK).agg(pl.col("work").sort().sum() * hours)
    units = checked(workloads, Workloads, name="workloads").select("workload", "unit")
    rows = prices.filter(settles_under(pricing), pl.col("price").is_not_null())
    rows = rows.join(placed, on=WORK, how="left").join(units, on="workload", how="left")
    if unknown := rows.filter(pl.col("unit").is_null())["workload"].unique().sort().to_list():
        raise InputError.of("workload_prices", "workloads that the table workloads has", column="workload", value=", ".join(unknown))
    clock = pl.col("start").dt.to_string(CLOCK)
    observed = rows.select(
        observation_id=pl.concat_str("horizon", clock, "workload", "home", "tier", separator="/"),
        time="start",
        provider=pl.lit("clearing"),
        resource="workload",
        region=pl.when(pl.col("home") != ANYWHERE).then("home").otherwise(pl.lit("any")),
        location=pl.when(pl.col("home") != ANYWHERE).then("home"),
        tier="tier",
        horizon="horizon",
        price="price",
        quantity=pl.col("work").fill_null(0.0),
        kind=pl.lit(ObservationKind.CLEARING.value),
        unit="unit",
    )
    return checked(observed, Observations, name="workload prices", attributes=True)


def workload_marks(
    marks: pl.DataFrame,
    *,
    workloads: pl.DataFrame,
    recipes: pl.DataFrame,
    recipe_resources: pl.DataFrame,
    resources: pl.DataFrame,
    auxiliary: Mapping[str, float] | None = None,
    methodology: Methodology | Path | str | None = None,
) -> WorkloadRun:
    r"""Marks of work made of GPU marks: the cheapest recipe at the day's prices, :math:`\\min_a \\sum_j x_{aj} p_j / \\varphi_a`.

    A recipe is available where each of its accelerators has a mark of that region and tier that is not withheld. Prices of the other
    resources come from `auxiliary`; what it does not name is taken as free, and the audit says so. A workload without an available recipe
    has no mark. The status is that of the least trusted mark in the recipe chosen; among equally cheap recipes the first by name wins.

    Args:
        marks: `Marks` per GPU-hour of one methodology; marks in other units are passed over.
        workloads: `Workloads`, for the units.
        recipes: `Recipes`.
        recipe_resources: `RecipeResources`.
        resources: `Resources`, which tells accelerators from the rest.
        auxiliary: USD per resource-hour of resources that are no accelerators.
        methodology: that of the marks, whose time zone and rounding hold here too; None takes the shipped one of its name.

    Raises `InputError` for bad rows, marks of several methodologies, and where `auxiliary` names an accelerator or nothing known.
    """
    priced = checked(marks, Marks, name="marks").filter(pl.col("unit") == GPU_HOUR_UNIT)
    rule = _rule(priced, methodology)
    units = dict(checked(workloads, Workloads, name="workloads").select("workload", "unit").iter_rows())
    kinds = dict(checked(resources, Resources, name="resources").select("resource", pl.col("kind").cast(pl.String)).iter_rows())
    paid = dict(auxiliary or {})
    _refuse_unknown(paid, kinds)
    outputs = checked(recipes, Recipes, name="recipes").select("workload", "recipe", "output_per_hour")
    needs = checked(recipe_resources, RecipeResources, name="recipe_resources").join(outputs, on=["workload", "recipe"])
    needs = needs.with_columns(
        kind=pl.col("resource").replace_strict(kinds, default=None, return_dtype=pl.String),
        per_unit=pl.col("per_hour") / pl.col("output_per_hour"),
    )
    best = _printed(_cheapest(_nodes(priced), needs, paid), rule)
    return WorkloadRun(marks=_marks(best, units), audits=_audits(list(_entries(best, needs, units, paid))))


def verify_workloads(path: Path, run: WorkloadRun) -> Verification:
    """Hold an audit file of workload marks against what `workload_marks` makes of the same input today; names what differs.

    Args:
        path: what `write_audit` wrote.
        run: made afresh of marks that were verified themselves, recipes and auxiliary prices.

    Raises `InputError` where the file is no audit.
    """
    return held_against(read_audit(path), [json.loads(line) for line in run.audits["audit"]])


def _rule(marks: pl.DataFrame, methodology: Methodology | Path | str | None) -> Methodology:
    names = marks["methodology"].unique().sort().to_list()
    if methodology is None and len(names) == 1:
        return load(names[0])
    if methodology is None or any(name != load(methodology).name for name in names):
        raise InputError.of("marks", "marks of one methodology", column="methodology", value=", ".join(names) or "no mark per GPU-hour")
    return load(methodology)


def _printed(best: pl.DataFrame, rule: Methodology) -> pl.DataFrame:
    """The cost as it is printed, and the day it is of."""
    values = [rounded(cost, decimals=rule.decimals, rule=rule.rounding) for cost in best["cost"]]
    days = [rule.day_of(start) for start in best["start"]]
    return best.with_columns(pl.Series("value", values, dtype=pl.Float64), pl.Series("day", days, dtype=pl.Date))


def _refuse_unknown(auxiliary: Mapping[str, float], kinds: Mapping[str, str]) -> None:
    for resource in auxiliary:
        if kinds.get(resource, ResourceKind.ACCELERATOR.value) == ResourceKind.ACCELERATOR.value:
            raise InputError.of("auxiliary", "a resource of the market that is no accelerator", value=resource)


def _nodes(marks: pl.DataFrame) -> pl.DataFrame:
    """The last revision of each mark with the resource, region and tier that its name is made of, without those of committed terms."""
    last = marks.sort("index", "start", "revision").unique(["index", "start"], keep="last", maintain_order=True)
    named = last.with_columns(parts()).rename({"subject": "resource", "place": "region"})
    places = {status.value: place for place, status in enumerate(TRUST)}
    return named.filter(pl.col("value").is_not_null(), pl.col("tier").is_not_null(), pl.col("term").is_null()).with_columns(
        pl.col("resource").str.to_lowercase(), trust=pl.col("status").cast(pl.String).replace_strict(places, return_dtype=pl.Int64)
    )


@dataclass(frozen=True, kw_only=True)
class _Ways:
    """Recipes of a workload that use an accelerator, by name: `use` is (recipes, resources) resource-hours per unit of work."""

    workload: str
    recipes: tuple[str, ...]
    use: Vector


def _ways(needs: pl.DataFrame, resources: Sequence[str]) -> list[_Ways]:
    some = pl.col("kind") == ResourceKind.ACCELERATOR.value
    usable = needs.filter(some.fill_null(False).any().over("workload", "recipe"))
    found = []
    for (workload,), rows in usable.sort("workload", "recipe").group_by("workload", maintain_order=True):
        recipes = rows["recipe"].unique(maintain_order=True).to_list()
        use = np.zeros((len(recipes), len(resources)))
        for recipe, resource, per_unit in rows.select("recipe", "resource", "per_unit").iter_rows():
            use[recipes.index(recipe), resources.index(resource)] += per_unit
        found.append(_Ways(workload=str(workload), recipes=tuple(recipes), use=use))
    return found


def _cheapest(nodes: pl.DataFrame, needs: pl.DataFrame, auxiliary: Mapping[str, float]) -> pl.DataFrame:
    """One row per workload, region, tier and day: the recipe, its cost, and the marks behind it."""
    resources = needs["resource"].unique().sort().to_list()
    chips = frozenset(needs.filter(pl.col("kind") == ResourceKind.ACCELERATOR.value)["resource"])
    beside = np.array([np.nan if name in chips else auxiliary.get(name, 0.0) for name in resources])
    ways = _ways(needs, resources)
    rows: list[tuple[Any, ...]] = []
    marked = nodes.filter(pl.col("resource").is_in(list(chips))).sort("region", "tier", "start", "resource")
    for _, mine in marked.group_by("region", "tier", maintain_order=True):
        days = mine.group_by("start", maintain_order=True).agg(
            pl.col("region", "tier", "methodology", "method_hash").last(),
            pl.col("end", "published_at").max(),
            pl.col("resource", "trust"),
            marks=pl.struct("index", "start", "revision", "value", pl.col("status").cast(pl.String)),
        )
        told = days.to_dicts()
        prices = np.tile(beside, (len(told), 1))
        for day, row in enumerate(told):
            prices[day, [resources.index(name) for name in row["resource"]]] = [part["value"] for part in row["marks"]]
        for work in ways:
            rows += _of_days(work, told, prices, resources, np.isnan(beside))
    return pl.DataFrame(rows, schema=BEST, orient="row", infer_schema_length=None)


def _of_days(
    work: _Ways, days: Sequence[Mapping[str, Any]], prices: Vector, resources: Sequence[str], chip: npt.NDArray[np.bool_]
) -> Iterator[tuple[Any, ...]]:
    best = cheapest(unit_costs(prices, work.use, np.ones(len(work.recipes))))
    for row, price, way, cost in zip(days, prices, best.way, best.cost, strict=True):
        if way == NONE:
            continue
        use = work.use[way]
        used = [place for place, name in enumerate(row["resource"]) if use[resources.index(name)] > 0]
        chips, others = chip & (use > 0), ~chip
        paid = float(price[chips] @ use[chips]), float(price[others] @ use[others])
        made_of = [row["marks"][place] for place in used]
        yield (
            work.workload, *(row[name] for name in NODE), work.recipes[way], float(cost), *paid, min(row["trust"][place] for place in used),
            made_of,
        )  # fmt: skip


def _name() -> pl.Expr:
    return pl.concat_str(pl.col("workload").str.to_uppercase(), "region", "tier", separator=".")


def _marks(best: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    statuses = {place: status.value for place, status in enumerate(TRUST)}
    frame = best.select(
        "methodology",
        "start",
        "end",
        "published_at",
        "method_hash",
        index=_name(),
        revision=pl.lit(0),
        value="value",
        unit="USD/" + pl.col("workload").replace_strict(dict(units), return_dtype=pl.String),
        quantity=pl.lit(None, dtype=pl.Float64),
        status=pl.col("trust").replace_strict(statuses, return_dtype=pl.String),
    )
    return checked(frame, Marks, name="workload marks").sort("index", "start")


def _entries(best: pl.DataFrame, needs: pl.DataFrame, units: Mapping[str, str], auxiliary: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    vectors: dict[tuple[str, str], dict[str, float]] = {}
    others: dict[tuple[str, str], list[str]] = {}
    for workload, recipe, resource, kind, per_unit in needs.select("workload", "recipe", "resource", "kind", "per_unit").iter_rows():
        vectors.setdefault((workload, recipe), {})[resource] = per_unit
        if kind != ResourceKind.ACCELERATOR.value:
            others.setdefault((workload, recipe), []).append(resource)
    for row in best.with_columns(index=_name()).sort("index", "start").iter_rows(named=True):
        recipe = (row["workload"], row["recipe"])
        yield {
            "index": row["index"],
            "date": str(row["day"]),
            "start": row["start"].strftime(CLOCK),
            "value": row["value"],
            "unrounded": row["cost"],
            "status": TRUST[row["trust"]].value,
            "unit": f"USD/{units[row['workload']]}",
            "methodology": {"name": row["methodology"], "hash": row["method_hash"]},
            "recipe": row["recipe"],
            "resource_hours_per_unit": vectors[recipe],
            "accelerators": row["chips"],
            "other_resources": row["beside"],
            "input": {"hash": _hash(row["from"]), "rows": len(row["from"])},
            "prices": {part["index"]: part["value"] for part in row["from"]},
            "auxiliary": {name: auxiliary[name] for name in others.get(recipe, []) if name in auxiliary},
            "taken_as_free": [name for name in others.get(recipe, []) if name not in auxiliary],
        }


def _hash(marks: list[dict[str, Any]]) -> str:
    """SHA-256 of the marks that a workload mark was made of, revision and status included."""
    return hashlib.sha256(json.dumps(marks, default=str).encode()).hexdigest()


def _audits(entries: list[dict[str, Any]]) -> pl.DataFrame:
    columns = {name: [entry[name] for entry in entries] for name in ("index", "date")}
    return pl.DataFrame(
        columns | {"audit": [text(entry) for entry in entries]}, schema=dict.fromkeys(["index", "date", "audit"], pl.String)
    )

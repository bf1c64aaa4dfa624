"""Workload indices: USD per unit of work, the cheapest recipe of each workload at the day's marks of GPU-hours, and families of them.

Each print is :math:`\\min_{a,l} \\sum_j x_{aj} p_{jl} / \\varphi_a + c_l` over the recipes a that meet the workload's limit and the
places l that its home reaches. Nothing but prices enters, so that a print moves for prices, or because a way came or went, and its audit
tells which. A mark of which the cheapest way lost a price that it needs is of low confidence for as long as the definition says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.audit import write_audit
from tenorgrid.indices.entries import Entry, text
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.workloads.entries import family_entries, workload_entries
from tenorgrid.indices.workloads.families import families_of
from tenorgrid.indices.workloads.file import load_workloads
from tenorgrid.indices.workloads.panels import nodes_of, panels
from tenorgrid.indices.workloads.prints import WorkloadPrints, prints_of
from tenorgrid.indices.workloads.recipes import recipes_of
from tenorgrid.indices.workloads.terms import WorkloadBasket


@dataclass(frozen=True, kw_only=True)
class WorkloadIndices:
    """Workload indices of a period: `marks` are `Marks`; `audits` has index, date and the audit as one JSON text; `ways` has index,
    start, recipe, place, cost and whether it is the cheapest, of every way that could be priced."""

    basket: WorkloadBasket
    marks: pl.DataFrame = field(repr=False)
    audits: pl.DataFrame = field(repr=False)
    ways: pl.DataFrame = field(repr=False)

    def write_audit(self, path: Path) -> Path:
        """Write the audits as JSON lines, one a mark."""
        return write_audit(self, path)


def workload_indices(
    marks: pl.DataFrame,
    definition: WorkloadBasket | Path | str = "house-work",
    *,
    benchmarks: Mapping[str, Path] | None = None,
    methodology: Methodology | Path | str | None = None,
    homes: Sequence[str] = (),
    tiers: Sequence[str] = (),
) -> WorkloadIndices:
    """Marks of every workload and family of a basket, at each home and tier that the marks have.

    Args:
        marks: `Marks` per GPU-hour, and of other resources where there are any.
        definition: a shipped basket, a TOML file, or what `load_workloads` gave.
        benchmarks: files by the name of the figures in the definition that they stand in for.
        methodology: that of the marks, whose time zone says what a day is; None takes the shipped one of the name in the definition.
        homes, tiers: only these; empty is every one.

    Raises `InputError` for bad rows, marks of another methodology, recipes that cannot be made, and where nothing can be priced.

    >>> from datetime import UTC, datetime, timedelta
    >>> day = datetime(2027, 1, 5, 5, tzinfo=UTC)
    >>> row = {"methodology": "house", "start": day, "end": day + timedelta(days=1), "published_at": day + timedelta(days=1)}
    >>> row |= {"revision": 0, "unit": "USD/GPUh", "status": "published", "method_hash": "0" * 64}
    >>> seen = pl.DataFrame([row | {"index": f"{chip}.US.FIRM", "value": price} for chip, price in (("H100-SXM", 2.5), ("B200-SXM", 4.5))])
    >>> run = workload_indices(seen)
    >>> found = run.marks.filter(pl.col("index").str.starts_with("LLAMA-70B-DECODE"))
    >>> found.select("index", "value", "unit").rows()
    [('LLAMA-70B-DECODE-20TPS.US.FIRM', 0.46534297, 'USD/Mtok'), ('LLAMA-70B-DECODE-50TPS.US.FIRM', 1.572752142, 'USD/Mtok')]
    """
    basket = load_workloads(definition)
    rule = load(basket.marks if methodology is None else methodology)
    if rule.name != basket.marks:
        raise InputError.of("methodology", f"{basket.marks}, by which {basket.name} prices", value=rule.name)
    made = recipes_of(basket, benchmarks)
    resources = tuple(sorted({name for recipes in made.values() for name in recipes.resources}))
    accelerators = frozenset(name for recipes in made.values() for name in recipes.accelerators)
    nodes = nodes_of(marks, basket, resources, accelerators)
    wanted = [
        panel
        for panel in panels(nodes, basket, resources)
        if (not homes or panel.home.name in homes) and (not tiers or panel.tier in tiers)
    ]
    prints = [found for panel in wanted for found in prints_of(panel, basket, made)]
    if not prints:
        raise InputError.of("marks", "marks of accelerators by which some workload can be done", value=", ".join((*homes, *tiers)) or None)
    above = [one for panel in wanted for one in families_of(basket, panel, [found for found in prints if found.panel is panel], rule)]
    entries = [
        *(entry for found in prints for entry in workload_entries(found, basket, rule)),
        *(entry for one in above for entry in family_entries(one, basket, rule)),
    ]
    return WorkloadIndices(basket=basket, marks=_marks(entries), audits=_audits(entries), ways=_ways(prints))


def _marks(entries: Sequence[Entry]) -> pl.DataFrame:
    columns = {name: [entry[name] for entry in entries] for name in ("index", "revision", "value", "unit", "status")}
    times = {name: [entry[name] for entry in entries] for name in ("start", "end", "published_at")}
    rule = {"methodology": [e["methodology"]["name"] for e in entries], "method_hash": [e["methodology"]["hash"] for e in entries]}
    frame = pl.DataFrame(columns | times | rule, schema_overrides={"value": pl.Float64}, infer_schema_length=None)
    frame = frame.with_columns(
        pl.col("start", "end", "published_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"),
        quantity=pl.lit(None, dtype=pl.Float64),
    )
    return checked(frame.select(Marks.columns().keys()), Marks, name="workload indices").sort("index", "start")


def _audits(entries: Sequence[Entry]) -> pl.DataFrame:
    rows = [(entry["index"], entry["date"], text(entry)) for entry in entries]
    return pl.DataFrame(rows, schema=dict.fromkeys(["index", "date", "audit"], pl.String), orient="row").sort("index", "date")


def _ways(prints: Sequence[WorkloadPrints]) -> pl.DataFrame:
    """Every way that could be priced, by index, day and cost."""
    parts = []
    for found in prints:
        day, way = np.nonzero(np.isfinite(found.costs))
        recipe, place = np.divmod(way, len(found.panel.home.places))
        parts.append(
            pl.DataFrame(
                {
                    "index": np.full(len(day), found.index),
                    "start": found.panel.days["start"].gather(day),
                    "recipe": np.array(found.recipes.names)[recipe],
                    "place": np.array(list(found.panel.home.places))[place],
                    "cost": found.costs[day, way],
                    "cheapest": found.best.way[day] == way,
                }
            )
        )
    return pl.concat(parts).sort("index", "start", "cost", "recipe", "place")

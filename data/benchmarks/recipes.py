"""Recipes from a benchmark: the tables `workloads`, `recipes`, `recipe_resources` and `resources` of a market case.

A workload is what was run, together with a limit; its recipes are the results that meet the limit and that no others dominate. A
recipe-hour is the measured system for an hour: its accelerators, their shares of hosts, and the scale-up domain that it was measured in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.data.benchmarks.accelerators import AUXILIARY, counts, hosts
from tenorgrid.data.benchmarks.formats import read_benchmark
from tenorgrid.data.benchmarks.frontier import dominators
from tenorgrid.data.benchmarks.limits import Limit, limits
from tenorgrid.data.benchmarks.results import faults, left
from tenorgrid.data.benchmarks.scaling import scaling
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.kinds.work import BenchmarkFormat, LeftOutReason
from tenorgrid.data.tables import case as tables
from tenorgrid.data.tables.benchmarked import Frontier, Hosts, LeftOut

Domains = Literal["measured", "none"]
Unclear = Literal["refuse", "leave-out"]

KINDS: Mapping[str, tuple[ResourceKind, str]] = {
    "vcpu": (ResourceKind.CPU, "vCPU"),
    "ram_gib": (ResourceKind.MEMORY, "GiB"),
    "net_gbps": (ResourceKind.NETWORK, "Gbit/s"),
}


@dataclass(frozen=True, kw_only=True)
class RecipeBook:
    """What a benchmark says: tables of a case, and where each recipe came from."""

    format: BenchmarkFormat
    source: str  # the file's name
    limits: tuple[str, ...]  # as asked for; empty is the format's own ladder
    workloads: pl.DataFrame = field(repr=False)
    recipes: pl.DataFrame = field(repr=False)
    recipe_resources: pl.DataFrame = field(repr=False)
    resources: pl.DataFrame = field(repr=False)
    frontier: pl.DataFrame = field(repr=False)
    scaling: pl.DataFrame = field(repr=False)
    hosts: pl.DataFrame = field(repr=False)
    left_out: pl.DataFrame = field(repr=False)


def make_recipes(
    benchmark: Path | str,
    *,
    format: BenchmarkFormat | str | None = None,
    models: Sequence[str] = (),
    accelerators: Sequence[str] = (),
    limits_at: Sequence[str] = (),
    hosts_file: Path | None = None,
    domains: Domains = "measured",
    unclear: Unclear = "refuse",
    names: Mapping[str, str] | None = None,
) -> RecipeBook:
    """Recipes of a file of MLPerf inference or training results, ML.ENERGY or Gavel throughputs.

    Args:
        benchmark: CSV or Parquet.
        format: None tells it from the header.
        models: only these, by the name of a workload without its limit. Empty is all.
        accelerators: only results on these, by our names. Empty is all.
        limits_at: see `tenorgrid.data.benchmarks.limits.limits`. Empty is the format's own ladder, without rungs that change nothing.
        hosts_file: `Hosts` rows in the place of ours, or added: a new chip's names, scale-up domain, vCPU, memory and network.
        domains: `none` drops what recipes need of scale-up domains: for a market whose offers say nothing of theirs.
        unclear: `leave-out` goes on without rows whose unit, accelerators or their number cannot be told.
        names: workloads that are to be called otherwise, for example as a market calls them already.

    Raises `InputError` with every fault: cells, unclear rows, a name that is not there.
    """
    path = Path(benchmark)
    book = hosts(hosts_file)
    known, found = read_benchmark(path, book, format)
    families = [*found.measured["family"], *found.left_out["family"]]
    _there(models, families, what="model")
    _there(accelerators, book["resource"].to_list(), what="accelerator")
    chosen, apart = found.measured, found.left_out
    if models:
        chosen, apart = (frame.filter(pl.col("family").is_in(list(models))) for frame in (chosen, apart))
    if unclear == "refuse" and (wrong := faults(apart, file=path.name)):
        raise InputError([_with_a_way_out(fault) for fault in wrong])
    if accelerators:
        mine = [set(counts(text)) <= set(accelerators) for text in chosen["resources"]]
        chosen = chosen.filter(pl.Series(mine, dtype=pl.Boolean))
    if domains == "none":
        chosen = chosen.with_columns(domain=pl.lit(None, dtype=pl.Int64))
    drawn = _renamed(_frontier(chosen, limits(known, limits_at), format=known, asked=bool(limits_at)), names or {})
    if drawn.is_empty():
        raise InputError.of(path.name, "a result of the models, accelerators and limits that were asked for")
    made = drawn.filter(pl.col("recipe").is_not_null())
    uses = _uses(made, book)
    used = book.filter(pl.col("resource").is_in(uses["resource"].implode()))
    return RecipeBook(
        format=known,
        source=path.name,
        limits=tuple(limits_at),
        workloads=_workloads(made, chosen),
        recipes=tables.Recipes.validate(made.select("workload", "recipe", "output_per_hour", "domain")),
        recipe_resources=uses,
        resources=_resources(uses, book),
        frontier=drawn,
        scaling=scaling(chosen),
        hosts=Hosts.validate(used),
        left_out=_left_out(found.left_out, found.measured, chosen, drawn),
    )


def _there(asked: Sequence[str], known: Sequence[str], *, what: str) -> None:
    missing = [name for name in asked if name not in known]
    near = {name: get_close_matches(name, sorted(set(known)), n=3, cutoff=0.3) for name in missing}
    if missing:
        raise InputError(
            Fault(
                file=what, value=name, expected=f"a name that the benchmark has, such as {', '.join(near[name] or sorted(set(known))[:3])}"
            )
            for name in missing
        )


def _with_a_way_out(fault: Fault) -> Fault:
    rest = "; with --unclear leave-out such rows are left out"
    return Fault(file=fault.file, row=fault.row, column=fault.column, value=fault.value, expected=fault.expected + rest)


def _frontier(chosen: pl.DataFrame, ladder: Sequence[Limit], *, format: BenchmarkFormat, asked: bool) -> pl.DataFrame:
    """`Frontier` of every family at every limit; a rung of the format's own ladder that leaves the same rows as the one before is none."""
    parts = []
    for (family,), group in chosen.sort("row").group_by("family", maintain_order=True):
        before = -1
        for limit in ladder:
            pool = group.filter(pl.col("speed") >= limit.speed)
            if pool.is_empty() or (pool.height == before and not asked):
                continue
            before = pool.height
            name = f"{family}-{limit.suffix}" if limit.suffix else str(family)
            parts.append(_pool(pool, workload=name, limit=limit.words(format, str(family))))
    if not parts:
        return Frontier.create_empty()
    return Frontier.validate(pl.concat(parts))


def _pool(pool: pl.DataFrame, *, workload: str, limit: str | None) -> pl.DataFrame:
    """The results of one workload: its recipes, and what each other one is dominated by."""
    bundles = [counts(text) for text in pool["resources"]]
    kinds = sorted({name for bundle in bundles for name in bundle})
    amount = np.array([[bundle.get(name, 0) for name in kinds] for bundle in bundles], dtype=float)
    beaten = dominators(amount / pool["output_per_hour"].to_numpy()[:, None], pool["domain"].fill_null(1).to_list())
    labels = _labels([None if by else row for by, row in zip(beaten, pool.iter_rows(named=True), strict=True)])
    return pool.select(
        pl.lit(workload).alias("workload"),
        "row",
        "family",
        pl.lit(limit, dtype=pl.String).alias("limit"),
        pl.Series("recipe", labels, dtype=pl.String),
        "resources",
        "gpus",
        "domain",
        "speed",
        "output_per_hour",
        (pl.col("output_per_hour") / pl.col("gpus")).alias("per_gpu"),
        pl.Series("dominated_by", [";".join(str(labels[one]) for one in by) if by else None for by in beaten], dtype=pl.String),
        "entry",
    )


def _labels(rows: Sequence[dict[str, object] | None]) -> list[str | None]:
    """Names of recipes: accelerators and how many of each; `spread` over servers, and the domain where two would be called the same."""
    plain = [
        None if row is None else str(row["resources"]).replace(":", "-x").replace(";", "+") + "-spread" * bool(row["spread"])
        for row in rows
    ]
    return [
        f"{name}-d{row['domain'] or 1}" if name is not None and row is not None and plain.count(name) > 1 else name
        for name, row in zip(plain, rows, strict=True)
    ]


def _renamed(drawn: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    if names:
        _there(list(names), drawn["workload"].to_list(), what="workload")
    renamed = drawn.with_columns(pl.col("workload").replace(dict(names)))
    if renamed["workload"].n_unique() != drawn["workload"].n_unique():
        raise InputError.of("workload", "a name of its own for each workload", value=", ".join(names.values()))
    return renamed


def _workloads(made: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Benchmarks say nothing of data that moves: egress is null, which is 0."""
    what = chosen.select("family", "class", "unit").unique(maintain_order=True)
    rows = made.select("workload", "family").unique(maintain_order=True).join(what, on="family", maintain_order="left")
    egress = pl.lit(None, dtype=pl.Float64).alias("egress_gib_per_unit")
    return tables.Workloads.validate(rows.select("workload", "class", "unit", egress))


def _uses(made: pl.DataFrame, book: pl.DataFrame) -> pl.DataFrame:
    beside = {row["resource"]: row for row in book.iter_rows(named=True)}

    def rows() -> Iterator[tuple[str, str, str, float]]:
        for workload, recipe, resources in made.select("workload", "recipe", "resources").iter_rows():
            bundle = counts(resources)
            for name, number in bundle.items():
                yield workload, recipe, name, float(number)
            for auxiliary in AUXILIARY:
                if (amount := sum(number * beside[name][auxiliary] for name, number in bundle.items())) > 0:
                    yield workload, recipe, auxiliary, amount

    return tables.RecipeResources.validate(pl.DataFrame(list(rows()), schema=["workload", "recipe", "resource", "per_hour"], orient="row"))


def _resources(uses: pl.DataFrame, book: pl.DataFrame) -> pl.DataFrame:
    names = uses["resource"].unique()
    chips = [(name, ResourceKind.ACCELERATOR.value, "GPU") for name in book["resource"] if name in names]
    others = [(name, kind.value, unit) for name, (kind, unit) in KINDS.items() if name in names]
    kinds = tables.Resources.columns()["kind"].dtype
    frame = pl.DataFrame(chips + others, schema={"resource": pl.String, "kind": pl.String, "unit": pl.String}, orient="row")
    return tables.Resources.validate(frame.cast({"kind": kinds}))


def _left_out(apart: pl.DataFrame, measured: pl.DataFrame, chosen: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """Every row of the file that became no recipe, once, with the reason."""
    recipes = drawn.filter(pl.col("recipe").is_not_null())["row"]
    beaten = drawn.filter(~pl.col("row").is_in(recipes.implode())).unique("row", keep="first", maintain_order=True)
    beaten = beaten.with_columns(by=pl.format("no more work than {} of {}", "dominated_by", "workload"))
    seen = drawn["row"].unique()
    aside = measured.filter(~pl.col("row").is_in(chosen["row"].implode()))
    slow = chosen.filter(~pl.col("row").is_in(seen.implode()))
    where = {"column": "family", "value": "family"}
    parts = [
        apart,
        left(aside, LeftOutReason.NOT_CHOSEN, detail="a model and an accelerator that were asked for", **where),
        left(slow, LeftOutReason.NOT_CHOSEN, detail="a result fast enough for one of the limits", **where),
        beaten.select(
            "row",
            pl.lit(LeftOutReason.DOMINATED.value).alias("reason"),
            pl.lit("output_per_hour").alias("column"),
            pl.col("output_per_hour").round_sig_figs(6).cast(pl.String).alias("value"),
            pl.col("by").alias("detail"),
        ),
    ]
    columns = list(LeftOut.columns())
    return LeftOut.validate(pl.concat([part.select(columns).cast({"reason": pl.String}) for part in parts]).sort("row"), cast=True)

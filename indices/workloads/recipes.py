"""Recipes of a basket of workloads: what each can be made with, in the index's own unit, and where that was published."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.benchmarks.cited import cited_file
from tenorgrid.data.benchmarks.recipes import make_recipes
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.sample import benchmarks as packaged
from tenorgrid.indices.workloads.terms import NO_LIMIT, PACKAGED, Figures, WorkloadBasket, WorkloadTerm

Vector = npt.NDArray[np.float64]
KEY = ["workload", "recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipes:
    """Recipes of one workload, by name.

    `use` is (recipes, resources) resource-hours in a recipe-hour and `output` (recipes,) units of the index made in it. `entries` finds
    each figure in its source; `limit` is the words of the limit; `figures` tells the source, its file and the SHA-256 of it.
    """

    term: WorkloadTerm
    names: tuple[str, ...]
    resources: tuple[str, ...]
    accelerators: frozenset[str]
    use: Vector = field(repr=False)
    output: Vector = field(repr=False)
    entries: tuple[str, ...] = field(repr=False)
    limit: str | None
    figures: Mapping[str, str]


def recipes_of(basket: WorkloadBasket, files: Mapping[str, Path] | None = None) -> dict[str, Recipes]:
    """`Recipes` of each workload of a basket, by its index.

    Args:
        basket: the rule.
        files: benchmark files by the name of the figures that they stand in for.

    Raises `InputError` with every fault: figures that the basket does not have, a model, limit or unit that its figures do not have, an
    index that is not named with its limit, resources that have neither accelerators' marks nor a price under `auxiliary`.
    """
    given = dict(files or {})
    if unknown := [name for name in given if name not in basket.figures]:
        raise InputError.of("benchmark", f"figures of {basket.name}: {', '.join(basket.figures)}", value=", ".join(unknown))
    found: dict[str, Recipes] = {}
    faults: list[Fault] = []
    for term in basket.workloads:
        try:
            made = _of(term, basket.figures[term.figures], given.get(term.figures))
        except InputError as error:
            faults += error.faults
            continue
        faults += _faults(term, made)
        found[term.index] = made[0]
    if faults or (faults := list(_unpriced(basket, found))):
        raise InputError(faults)
    return found


Made = tuple[Recipes, str, str | None]  # with the unit of the figures, and the suffix that the limit has in a name


def _of(term: WorkloadTerm, figures: Figures, file: Path | None) -> Made:
    if file is None and figures.shipped == PACKAGED:
        return _packaged(term)
    path = file or (Path(figures.file) if figures.file else cited_file(figures.shipped or ""))
    book = make_recipes(path, models=[term.model], limits_at=[term.limit])
    frontier = book.frontier.filter(pl.col("recipe").is_not_null())
    name = str(book.workloads["workload"][0])
    suffix = name.removeprefix(term.model).removeprefix("-") or None
    accelerators = set(book.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"])
    source = {"name": figures.name, "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    entries = dict(frontier.select("recipe", "entry").iter_rows())
    words = frontier["limit"][0]
    made = _arrays(term, book.recipes, book.recipe_resources, accelerators, entries=entries, limit=words, figures=source)
    return made, str(book.workloads["unit"][0]), suffix


def _packaged(term: WorkloadTerm) -> Made:
    recipes, uses = packaged.recipe_tables()
    units = dict(packaged.workload_table().select("workload", "unit").iter_rows())
    if term.model not in units:
        raise InputError.of("workloads", f"one of {', '.join(units)}", column="model", value=term.model)
    figures = [figure for figure in packaged.FIGURES if figure.workload == term.model]
    nodes = {figure.resource: f"{figure.resource}-x{packaged.NODE.get(figure.resource, 8)}" for figure in figures}
    entries = {nodes[figure.resource]: f"{figure.source}: {figure.entry}" for figure in figures}
    text = repr(sorted((figure.resource, figure.gpus, figure.value, figure.source, figure.entry) for figure in figures))
    source = {"name": PACKAGED, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    mine, used = recipes.filter(workload=term.model), uses.filter(workload=term.model)
    made = _arrays(term, mine, used, set(packaged.ACCELERATORS), entries=entries, limit=None, figures=source)
    return made, units[term.model], None


def _arrays(term: WorkloadTerm, recipes: pl.DataFrame, uses: pl.DataFrame, accelerators: set[str], **told: Any) -> Recipes:
    rows = recipes.sort("recipe")
    names, resources = rows["recipe"].to_list(), uses["resource"].unique().sort().to_list()
    use = np.zeros((len(names), len(resources)))
    for recipe, resource, amount in uses.select("recipe", "resource", "per_hour").iter_rows():
        use[names.index(recipe), resources.index(resource)] = amount
    found = told.pop("entries")
    return Recipes(
        term=term,
        names=tuple(names),
        resources=tuple(resources),
        accelerators=frozenset(accelerators & set(resources)),
        use=use,
        output=rows["output_per_hour"].to_numpy() / term.work,
        entries=tuple(found[name] for name in names),
        **told,
    )


def _faults(term: WorkloadTerm, made: Made) -> Iterator[Fault]:
    """The unit is as the figures have it, and the name of an index tells its limit."""
    _, unit, suffix = made
    if unit != term.of:
        yield Fault(file=term.index, column="of", value=term.of, expected=f"{unit}, as the figures of {term.model} count")
    tag = None if suffix is None else suffix.upper().replace(".", "-")
    if term.limit != NO_LIMIT and tag is not None and not f"-{term.index}".endswith(f"-{tag}"):
        yield Fault(file=term.index, column="index", value=term.index, expected=f"a name that ends with its limit, -{tag}")


def _unpriced(basket: WorkloadBasket, found: Mapping[str, Recipes]) -> Iterator[Fault]:
    """What stands beside accelerators has a price, and a price is of something that stands there."""
    accelerators = {name for recipes in found.values() for name in recipes.accelerators}
    beside = {name for recipes in found.values() for name in recipes.resources} - accelerators
    for name in sorted(beside - set(basket.auxiliary)):
        yield Fault(file=basket.name, column="auxiliary", value="no price", expected=f"USD per hour of {name}, which recipes use")
    for name in sorted(set(basket.auxiliary) - beside):
        expected = f"one of {', '.join(sorted(beside)) or 'nothing, as recipes use accelerators alone'}"
        yield Fault(file=basket.name, column="auxiliary", value=name, expected=expected)

"""The data dictionary: every declared table and every closed set of values, as Markdown made from the declarations themselves.

`python -m tenorgrid.data.dictionary` prints it; `docs/data-dictionary.md` is its output.
"""

import inspect
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import dataframely as dy
import polars as pl

from tenorgrid.data import benchmarks, kinds, readers, tables
from tenorgrid.data.readers import formats

TITLES = {
    "case": "A market case",
    "cleared": "What clearing writes",
    "insight": "Intelligence on a run",
    "observed": "Observations and marks",
    "publication": "Publication",
    "curve": "Quotes and curves",
    "contracts": "Listed contracts and fallbacks",
    "book": "Trades and values",
    "settled": "Positions, ledger and basis",
    "benchmarked": "Recipes from benchmarks",
}
SOURCES = "Files of others that are read"
KINDS: dict[type[pl.DataType], str] = {
    pl.Datetime: "time",
    pl.Date: "date",
    pl.Boolean: "true or false",
    pl.String: "text",
    pl.Int64: "whole number",
    pl.Float64: "number",
}
HEADING = """# Data dictionary

Made by `make docs` from the schemas in `data/tables/` and `data/readers/` and the sets of values in `data/kinds/`; edit those, not this.

Tables are CSV or Parquet by suffix. Times are ISO 8601 in UTC, periods half-open `[start, end)`, money is USD, an empty cell is null. A
column that may be null may be absent; one that is not listed is refused, but observations may carry attribute columns of any name."""


def dictionary() -> str:
    """The whole dictionary.

    >>> dictionary().splitlines()[0]
    '# Data dictionary'
    """
    lines = [HEADING]
    for title, schemas in parts():
        lines += ["", f"## {title}"]
        for schema in schemas:
            lines += ["", *_table(schema)]
    lines += ["", "## Sets of values"]
    for values in _closed_sets():
        lines += ["", *_values(values)]
    return "\n".join(lines) + "\n"


def parts() -> list[tuple[str, list[type[dy.Schema]]]]:
    """Title and tables of each part of the dictionary: a module of `data/tables/` each, and at last what the readers read."""
    found = {module.__name__.rpartition(".")[2]: module for module in _modules(tables)}
    order = [*(name for name in TITLES if name in found), *sorted(found.keys() - TITLES.keys())]
    titled = [
        (TITLES.get(name, inspect.cleandoc(found[name].__doc__ or name).splitlines()[0].rstrip(".")), declared(found[name]))
        for name in order
    ]
    sources = [
        schema for package in (readers, benchmarks) for module in _modules(package) for schema in declared(module) if module is not formats
    ]
    return [(title, schemas) for title, schemas in [*titled, (SOURCES, sources)] if schemas]


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in sorted(iter_modules(package.__path__), key=lambda module: module.name):
        yield import_module(f"{package.__name__}.{found.name}")


def declared(module: ModuleType) -> list[type[dy.Schema]]:
    """The schemas that a module declares, in its own order."""
    own = [found for found in vars(module).values() if inspect.isclass(found) and found.__module__ == module.__name__]
    return [found for found in own if issubclass(found, dy.Schema)]


def _closed_sets() -> Iterator[type[StrEnum]]:
    for module in (*_modules(kinds), formats):
        for found in vars(module).values():
            if inspect.isclass(found) and issubclass(found, StrEnum) and found.__module__ == module.__name__:
                yield found


def _table(schema: type[dy.Schema]) -> Iterator[str]:
    yield f"### {_file_name(schema)}"
    yield ""
    yield inspect.cleandoc(schema.__doc__ or "")
    rules = [_sentence(schema, rule) for rule in schema._schema_validation_rules()]
    if rules:
        yield ""
        yield f"Rules: {'; '.join(rules)}."
    yield ""
    yield "| column | type | unit | key | null | meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, column in schema.columns().items():
        unit = str((column.metadata or {}).get("unit", ""))
        cells = (
            f"`{name}`",
            f"{_kind(column)}{_bounds(column)}",
            unit,
            "yes" if column.primary_key else "",
            "may be" if column.nullable else "",
            column.description or "",
        )
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _values(values: type[StrEnum]) -> Iterator[str]:
    yield f"### {values.__name__}"
    yield ""
    yield inspect.cleandoc(values.__doc__ or "")
    yield ""
    yield ", ".join(f"`{value}`" for value in values)


def _file_name(schema: type[dy.Schema]) -> str:
    """`WorkloadPrices` is the table `workload_prices`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in schema.__name__).lstrip("_")


def _sentence(schema: type[dy.Schema], rule: str) -> str:
    function = getattr(getattr(schema, rule), "validation_fn", None)
    return (function.__doc__ or rule).strip().rstrip(".")


def _kind(column: dy.Column) -> str:
    kind = column.dtype
    if isinstance(kind, pl.Enum):
        return f"one of {', '.join(f'`{value}`' for value in kind.categories)}"
    if isinstance(kind, pl.Decimal):
        return f"decimal, {kind.scale} places"
    return KINDS.get(kind.base_type(), str(kind).lower())


def _bounds(column: dy.Column) -> str:
    signs = (("min", "≥"), ("min_exclusive", ">"), ("max", "≤"), ("max_exclusive", "<"))
    limits = [(sign, getattr(column, name, None)) for name, sign in signs]
    return "".join(f", {sign} {limit:g}" for sign, limit in limits if isinstance(limit, int | float))


if __name__ == "__main__":
    print(dictionary(), end="")

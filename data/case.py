"""A market case: its terms and its tables, checked against one another."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.consistency import FIRM, consistency, overcommitted
from tenorgrid.data.errors import Fault, InputError, OvercommitWarning
from tenorgrid.data.market_file import read_market, write_market
from tenorgrid.data.store import SUFFIXES, Form, find_table, write_manifest, write_table, writing
from tenorgrid.data.tables import case as tables
from tenorgrid.data.tables.deals import Bilaterals
from tenorgrid.data.tables.door import inspect, read_checked
from tenorgrid.data.terms.market import Market

PACKAGED = "packaged"
PACKAGED_FOLDER = Path(__file__).parent / "sample" / "three-days"
TABLES: Mapping[str, type[dy.Schema]] = {
    "locations": tables.Locations,
    "resources": tables.Resources,
    "tiers": tables.Tiers,
    "workloads": tables.Workloads,
    "recipes": tables.Recipes,
    "recipe_resources": tables.RecipeResources,
    "offers": tables.Offers,
    "bids": tables.Bids,
    "links": tables.Links,
    "reserves": tables.Reserves,
    "virtuals": tables.Virtuals,
    "bilaterals": Bilaterals,
}
OPTIONAL = frozenset({"tiers", "links", "reserves", "virtuals", "bilaterals"})
MAY_BE_EMPTY = OPTIONAL | {"offers"}
FIRM_TIER = {"tier": FIRM, "interruption_probability": 0.0, "overcommit": 1.0, "reserve_share": 0.0}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One market's terms and tables (`tenorgrid.data.tables.case`), as read and checked by `read_case`."""

    market: Market
    locations: pl.DataFrame
    resources: pl.DataFrame
    tiers: pl.DataFrame  # `firm` always first
    workloads: pl.DataFrame
    recipes: pl.DataFrame
    recipe_resources: pl.DataFrame
    offers: pl.DataFrame
    bids: pl.DataFrame
    links: pl.DataFrame
    reserves: pl.DataFrame
    virtuals: pl.DataFrame
    bilaterals: pl.DataFrame = field(default_factory=Bilaterals.create_empty)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Its tables by name, in the order in which they are declared."""
        return {name: getattr(self, name) for name in TABLES}


def read_case(folder: Path | str) -> Case:
    """The market case in a folder of CSV or Parquet tables and `market.toml`; "packaged" is the one of three days that comes along.

    The tier firm (0, 1) is put first whether the file has it or not; without a tiers file a null firm_premium means 0.

    Raises `InputError` with every fault of every file. Warns with `OvercommitWarning` of a tier with (1 − π) β > 1.
    """
    place = PACKAGED_FOLDER if folder == PACKAGED else Path(folder)
    if not place.is_dir():
        raise InputError.of(str(folder), "the folder of a market case, or the word packaged")
    faults: list[Fault] = _misspelt(place)
    found: dict[str, pl.DataFrame] = {}
    names: dict[str, str] = {}
    unsound: set[str] = set()
    market: Market | None = None
    try:
        market = read_market(place)
    except InputError as error:
        faults += error.faults
    for name, schema in TABLES.items():
        frame, more, names[name] = _read(place, name, schema)
        found[name] = frame
        faults += more
        if any(fault.row is None for fault in more):
            unsound.add(name)
    given = frozenset(name for name in TABLES if name not in OPTIONAL or not found[name].is_empty())
    return _whole(market, found, names, faults, unsound=frozenset(unsound), tiered="tiers" in given)


def make_case(market: Market, frames: Mapping[str, pl.DataFrame]) -> Case:
    """A case from frames by table name, checked like files: `read_case` for what Python made. Tables that are optional may be absent.

    Raises `InputError` with every fault of every table. Warns with `OvercommitWarning` of a tier with (1 − π) β > 1.
    """
    faults = [Fault(file=name, value="an unlisted table", expected=f"only {', '.join(TABLES)}") for name in frames if name not in TABLES]
    found: dict[str, pl.DataFrame] = {}
    unsound: set[str] = set()
    for name, schema in TABLES.items():
        if name not in frames:
            found[name] = schema.create_empty()
            if name not in OPTIONAL:
                faults.append(Fault(file=name, value="a missing table", expected="this table"))
                unsound.add(name)
            continue
        found[name], more = inspect(frames[name], schema, name=name)
        if found[name].is_empty() and name not in MAY_BE_EMPTY:
            more.append(Fault(file=name, expected="at least one row"))
        faults += more
        if any(fault.row is None for fault in more):
            unsound.add(name)
    names = {name: name for name in TABLES}
    return _whole(market, found, names, faults, unsound=frozenset(unsound), tiered=not found["tiers"].is_empty())


def write_case(case: Case, folder: Path, *, form: Form = "csv", seed: int | None = None, command: str = "write_case") -> Path:
    """Write the case as a folder that `read_case` reads back the same; optional tables without rows are left out.

    Args:
        case: what to write.
        folder: where; replaced as a whole.
        form: of its tables.
        seed: noted in the manifest where the case was drawn at random.
        command: noted in the manifest.
    """
    with writing(folder) as temporary:
        write_market(case.market, temporary)
        for name, frame in case.tables().items():
            if not (name in OPTIONAL and frame.is_empty()):
                write_table(temporary, name, frame, form=form)
        write_manifest(temporary, command=command, seed=seed)
    return folder


def check_case(case: Case) -> list[Fault]:
    """Every fault that the tables of a case have with one another; empty where it is sound."""
    return consistency(case.market, case.tables(), {name: name for name in TABLES})


def _read(place: Path, name: str, schema: type[dy.Schema]) -> tuple[pl.DataFrame, list[Fault], str]:
    try:
        path = find_table(place, name)
    except InputError as error:
        return schema.create_empty(), list(error.faults), error.faults[0].file
    if path is None:
        missing = Fault(file=f"{name}.csv", value="a missing file", expected=f"a file of this name, or {name}.parquet")
        return schema.create_empty(), [] if name in OPTIONAL else [missing], f"{name}.csv"
    frame, faults = read_checked(path, schema, empty=name in MAY_BE_EMPTY)
    return frame, faults, path.name


def _misspelt(place: Path) -> list[Fault]:
    """A file that is nearly called like a table would be passed over without a word."""
    faults = []
    for path in sorted(place.iterdir()):
        name, dot, rest = path.name.partition(".")
        if f"{dot}{rest}" in SUFFIXES and name not in TABLES and (near := get_close_matches(name.lower(), TABLES, n=1, cutoff=0.8)):
            faults.append(Fault(file=path.name, value="an unlisted file", expected=f"{near[0]}.{rest}, or a name that is less like it"))
    return faults


def _whole(
    market: Market | None,
    found: dict[str, pl.DataFrame],
    names: Mapping[str, str],
    faults: list[Fault],
    *,
    unsound: frozenset[str],
    tiered: bool,
) -> Case:
    faults = faults + consistency(market, found, names, unsound=unsound)
    if faults or market is None:
        raise InputError(faults)
    for tier in overcommitted(found["tiers"]):
        warnings.warn(f"tier {tier}: (1 − π) β is above 1, so its promise cannot be kept by any pool", OvercommitWarning, stacklevel=3)
    if not tiered:
        found["offers"] = found["offers"].with_columns(pl.col("firm_premium").fill_null(0.0))
    firm = pl.DataFrame([FIRM_TIER], schema=found["tiers"].schema)
    found["tiers"] = pl.concat([firm, found["tiers"].filter(pl.col("tier") != FIRM)])
    return Case(market=market, **found)

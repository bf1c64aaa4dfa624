"""A run folder as the report reads it: every table that is there, checked, and None for what is not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from tenorgrid.clearing.scarcity import reserves as scarcity_reserves
from tenorgrid.data import store
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.market_file import read_market
from tenorgrid.data.tables.book import Risks, Trades, Values
from tenorgrid.data.tables.case import Locations, Reserves, Resources
from tenorgrid.data.tables.cleared import (
    Allocation,
    Awards,
    Binding,
    Certificate,
    Commitments,
    DomainPrices,
    Headroom,
    Prices,
    Surplus,
    Uplift,
)
from tenorgrid.data.tables.curve import Curve, Quotes, Volatility
from tenorgrid.data.tables.insight import Demand, Pivotal
from tenorgrid.data.tables.observed import Marks
from tenorgrid.data.tables.settled import Basis, Checks, Effectiveness, Invoices, Statements
from tenorgrid.data.terms.market import FILE

STATIC = "clear/case"
PARTS = ("clear", "marks", "curve", "value", "settle", "basis")


class Coverage(dy.Schema):
    """How often the band of a curve held on days that were kept from it."""

    index = dy.String(nullable=True, description="Index of the curve; null where the band is of every index")
    horizon = dy.String(description="Horizon whose ahead prices the band is around")
    days = dy.Int64(min=1, description="Days held back")
    inside = dy.Int64(min=0, description="Of them inside the band")
    coverage = dy.Float64(min=0, max=1, description="inside / days", metadata={"unit": "1"})
    level = dy.Float64(min=0, max=1, description="Share that the band is meant to hold", metadata={"unit": "1"})


class Changes(dy.Schema):
    """Daily changes of an exposure and of the index that it is hedged with; the first day has none."""

    date = dy.Date(description="Day")
    exposure = dy.String(description="Name of the exposure")
    index = dy.String(description="Index it is hedged with")
    exposure_change = dy.Float64(nullable=True, description="Change of the exposure's price", metadata={"unit": "USD/unit"})
    index_change = dy.Float64(nullable=True, description="Change of the index", metadata={"unit": "USD/GPUh"})


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run wrote. A table that is not there, or has no rows, is None."""

    name: str
    synthetic: bool
    timezone: str
    pricing: str
    as_of: datetime | None
    manifests: tuple[tuple[str, dict[str, Any]], ...]
    prices: pl.DataFrame | None
    binding: pl.DataFrame | None
    headroom: pl.DataFrame | None
    reserves: pl.DataFrame | None
    surplus: pl.DataFrame | None
    certificate: pl.DataFrame | None
    marks: pl.DataFrame | None
    quotes: pl.DataFrame | None
    curve: pl.DataFrame | None
    volatility: pl.DataFrame | None
    coverage: pl.DataFrame | None
    trades: pl.DataFrame | None
    values: pl.DataFrame | None
    risks: pl.DataFrame | None
    statements: pl.DataFrame | None
    invoices: pl.DataFrame | None
    checks: pl.DataFrame | None
    basis: pl.DataFrame | None
    effectiveness: pl.DataFrame | None
    series: pl.DataFrame | None
    demand: pl.DataFrame | None = None
    pivotal: pl.DataFrame | None = None
    interval: timedelta = timedelta(hours=1)
    commitments: pl.DataFrame | None = None
    awards: pl.DataFrame | None = None  # of orders decided whole alone
    uplift: pl.DataFrame | None = None  # without a row where orders were decided whole and nothing is owed
    allocation: pl.DataFrame | None = None
    domain_prices: pl.DataFrame | None = None


def read_run(folder: Path) -> Run:
    """Read what a run wrote into `folder`.

    Args:
        folder: holds at least one of `clear/ marks/ curve/ value/ settle/ basis/` with at least one table that the report shows.

    Raises `InputError` where the folder is no run, or a table breaks its schema.
    """
    if not folder.is_dir():
        raise InputError.of(folder.name, f"a run folder with some of {', '.join(f'{part}/' for part in PARTS)}")
    quotes = _table(folder, "curve", "quotes", Quotes)
    manifests = _manifests(folder)
    settings: dict[str, Any] = {}
    for _, manifest in reversed(manifests):
        settings |= manifest.get("settings") or {}
    curve = _table(folder, "curve", "curve", Curve)
    values = _table(folder, "value", "values", Values)
    commitments, prices = _table(folder, "clear", "commitments", Commitments), _table(folder, "clear", "prices", Prices)
    run = Run(
        name=str(settings.get("market") or settings.get("name") or folder.name),
        synthetic=bool(settings.get("synthetic", "synthetic" in str(settings.get("market", "")).lower())),
        timezone=str(settings.get("timezone") or (quotes["timezone"].mode().sort()[0] if quotes is not None else "UTC")),
        pricing=str(settings.get("pricing") or "marginal"),
        as_of=_as_of(manifests, curve=curve, values=values),
        manifests=manifests,
        prices=prices,
        binding=_table(folder, "clear", "binding", Binding),
        headroom=_table(folder, "clear", "headroom", Headroom),
        reserves=_reserves(folder),
        surplus=_table(folder, "clear", "surplus", Surplus),
        certificate=_table(folder, "clear", "certificate", Certificate),
        marks=_table(folder, "marks", "marks", Marks),
        quotes=quotes,
        curve=curve,
        volatility=_table(folder, "curve", "volatility", Volatility),
        coverage=_table(folder, "curve", "coverage", Coverage),
        trades=_table(folder, "value", "trades", Trades),
        values=values,
        risks=_table(folder, "value", "risks", Risks),
        statements=_table(folder, "settle", "statements", Statements),
        invoices=_table(folder, "settle", "invoices", Invoices),
        checks=_table(folder, "settle", "checks", Checks),
        basis=_table(folder, "basis", "basis", Basis),
        effectiveness=_table(folder, "basis", "effectiveness", Effectiveness),
        series=_table(folder, "basis", "series", Changes),
        demand=_table(folder, "intelligence", "demand", Demand),
        pivotal=_table(folder, "intelligence", "pivotal", Pivotal),
        interval=_interval(folder, prices),
        commitments=commitments,
        awards=_awards(folder, commitments),
        uplift=_uplift(folder, commitments),
        allocation=_table(folder, "clear", "allocation", Allocation),
        domain_prices=_table(folder, "clear", "domain_prices", DomainPrices),
    )
    if all(
        table is None
        for table in (run.prices, run.certificate, run.marks, run.curve, run.volatility, run.values, run.statements, run.basis)
    ):
        raise InputError.of(
            folder.name, f"a run folder: tables in some of {', '.join(f'{part}/' for part in PARTS)}", value="none that a report shows"
        )
    return run


def _table(folder: Path, part: str, name: str, schema: type[dy.Schema]) -> pl.DataFrame | None:
    if store.find_table(folder / part, name) is None:
        return None
    frame = store.read_table(folder / part, name, schema, attributes=schema in (Coverage, Changes))
    return None if frame.is_empty() else frame


def _awards(folder: Path, commitments: pl.DataFrame | None) -> pl.DataFrame | None:
    """Awards of orders decided whole; all others are not needed, and the table is not read where nothing is."""
    found = None if commitments is None else _table(folder, "clear", "awards", Awards)
    if found is None or commitments is None:
        return None
    of = [pl.col("horizon"), pl.col("side").cast(pl.String), pl.col("id")]
    return found.join(commitments.select(of).unique(), left_on=of, right_on=of, how="semi")


def _uplift(folder: Path, commitments: pl.DataFrame | None) -> pl.DataFrame | None:
    """Uplift; without a row where the run has the table and orders decided whole, which is to say that nothing is owed."""
    found = _table(folder, "clear", "uplift", Uplift)
    known = commitments is not None and store.find_table(folder / "clear", "uplift") is not None
    return Uplift.create_empty() if found is None and known else found


def _interval(folder: Path, prices: pl.DataFrame | None) -> timedelta:
    """Length of an interval: what the market says, failing that the least step between prices; an hour where there is one interval."""
    if (folder / STATIC / FILE).is_file():
        return read_market(folder / STATIC).interval
    steps = pl.Series() if prices is None else prices["start"].unique().sort().diff().drop_nulls()
    least = steps.min()
    return least if isinstance(least, timedelta) else timedelta(hours=1)


def _reserves(folder: Path) -> pl.DataFrame | None:
    """The scarcity curve of the market in steps: its table, or what its terms make."""
    static = folder / STATIC
    if not (static / FILE).is_file():
        return None
    table = _table(folder, STATIC, "reserves", Reserves)
    market = read_market(static)
    if table is not None or market.scarcity is None:
        return table
    locations, resources = store.read_table(static, "locations", Locations), store.read_table(static, "resources", Resources)
    accelerators = resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"].sort().to_list()
    regions = locations["region"].unique().sort().to_list()
    return scarcity_reserves(market.scarcity, voll=market.voll, regions=regions, accelerators=accelerators)


def _manifests(folder: Path) -> tuple[tuple[str, dict[str, Any]], ...]:
    """The run's own manifest and those of its parts, by name."""
    places = [("run", folder), *((part, folder / part) for part in PARTS)]
    return tuple((name, store.read_manifest(place)) for name, place in places if (place / store.MANIFEST).is_file())


def _as_of(
    manifests: tuple[tuple[str, dict[str, Any]], ...], *, curve: pl.DataFrame | None, values: pl.DataFrame | None
) -> datetime | None:
    """The latest moment that the tables say they are of, in UTC; failing that what a manifest says; else None."""
    moments = [table["as_of"].max() for table in (curve, values) if table is not None]
    found = [moment for moment in moments if isinstance(moment, datetime)]
    if found:
        return max(found)
    said = [str(manifest["as_of"]) for _, manifest in manifests if manifest.get("as_of")]
    return datetime.fromisoformat(max(said)) if said else None

"""The folders of a run: what each part writes, and how the next one reads it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.clearing.state import State
from tenorgrid.curves.discount_table import discount_of
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.methods.choice import choice_of
from tenorgrid.curves.season import shape_of
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.market_file import read_market, write_market
from tenorgrid.data.store import Form, find_table, read_manifest, read_table, write_manifest, write_table, write_version
from tenorgrid.data.tables import case as case_tables
from tenorgrid.data.tables import cleared as cleared_tables
from tenorgrid.data.tables.curve import Curve, CurveChoices, IndexSeasons, IndexShapes, Outages, Quotes, Volatility
from tenorgrid.data.tables.curve_kept import CurveDiscounts
from tenorgrid.data.tables.deals import Bilaterals
from tenorgrid.data.tables.door import read_checked
from tenorgrid.indices.audit import write_audit
from tenorgrid.indices.workloads.marks import WorkloadRun
from tenorgrid.results import Hedged, Marks, Owed, Run, Valued
from tenorgrid.settlement.archive import write_settlement
from tenorgrid.settlement.deals import Dealt
from tenorgrid.term_structure import Fitted, outages_of

STATIC = {
    "locations": case_tables.Locations,
    "resources": case_tables.Resources,
    "tiers": case_tables.Tiers,
    "workloads": case_tables.Workloads,
    "recipes": case_tables.Recipes,
    "recipe_resources": case_tables.RecipeResources,
    "links": case_tables.Links,
    "reserves": case_tables.Reserves,
}
ORDERS = {"offers": case_tables.Offers, "bids": case_tables.Bids, "virtuals": case_tables.Virtuals}
CLEARED = {
    "prices": cleared_tables.Prices,
    "workload_prices": cleared_tables.WorkloadPrices,
    "domain_prices": cleared_tables.DomainPrices,
    "awards": cleared_tables.Awards,
    "placements": cleared_tables.Placements,
    "headroom": cleared_tables.Headroom,
    "commitments": cleared_tables.Commitments,
    "binding": cleared_tables.Binding,
    "uplift": cleared_tables.Uplift,
    "allocation": cleared_tables.Allocation,
    "surplus": cleared_tables.Surplus,
    "certificate": cleared_tables.Certificate,
}


def write_clear(run: Run, folder: Path, *, form: Form, inputs: Mapping[str, Path] | None = None, seed: int | None = None) -> None:
    """The tables of a clearing run, and under `case/` the static tables, terms and orders that settling and explaining them needs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CLEARED:
        write_table(folder, name, getattr(run, name), form=form)
    static = folder / "case"
    static.mkdir()
    write_market(run.case.market, static)
    for name in STATIC:
        write_table(static, name, getattr(run.case, name))
    if not run.case.bilaterals.is_empty():
        write_table(static, "bilaterals", run.case.bilaterals)
    _write_orders(run, static)
    market = run.case.market
    settings = {"market": market.name, "timezone": market.timezone, "pricing": str(run.pricing), "synthetic": "synthetic" in market.name}
    write_manifest(folder, command="clear", inputs=inputs, as_of=run.as_of, seed=seed, settings=settings)


def _write_orders(run: Run, folder: Path) -> None:
    """The orders that the run could see, so that its prices can be explained: those of deliveries that their horizon has cleared."""
    last = dict(run.certificate.group_by("horizon").agg(pl.col("start").max()).iter_rows())
    latest = max(last.values(), default=None)
    for name in ORDERS:
        frame: pl.DataFrame = getattr(run.case, name)
        until = pl.col("horizon").replace_strict(last, default=None, return_dtype=pl.Datetime("us", "UTC"))
        until = pl.when(pl.col("horizon").is_null()).then(latest).otherwise(until)
        write_table(folder, name, frame.filter(pl.col("start") <= until), form="parquet")


def read_orders(run: Run, folder: Path) -> Run:
    """The run with the orders that stand beside it, which `read_clear` leaves out as settling needs none.

    Raises InputError where the folder has none, as those of older runs.
    """
    static = folder / "case"
    if find_table(static, "bids") is None:
        raise InputError.of(str(folder), "a run folder with its orders under case/, or the case that it came from", value="no orders")
    offers, bids, virtuals = (read_table(static, name, schema) for name, schema in ORDERS.items())
    return replace(run, case=replace(run.case, offers=offers, bids=bids, virtuals=virtuals))


def read_clear(folder: Path) -> Run:
    """A clearing run from the folder that `write_clear` wrote; the case has no offers and bids."""
    static = folder / "case"
    if not static.is_dir():
        raise InputError.of(str(folder), "a folder that tenorgrid clear wrote, with case/ in it")
    market = read_market(static)
    tables = {name: read_table(static, name, schema) for name, schema in STATIC.items()}
    empty = {"offers": case_tables.Offers, "bids": case_tables.Bids, "virtuals": case_tables.Virtuals}
    if find_table(static, "bilaterals"):
        tables["bilaterals"] = read_table(static, "bilaterals", Bilaterals)
    case = Case(market=market, **tables, **{name: schema.create_empty() for name, schema in empty.items()})
    manifest = read_manifest(folder)
    as_of = date.fromisoformat(manifest["as_of"]) if manifest.get("as_of") else None
    published = {name: read_table(folder, name, schema) for name, schema in CLEARED.items()}
    if published["prices"]["low"].null_count() == published["prices"].height:  # cleared without intervals
        published["prices"] = published["prices"].drop("low", "high")
    return Run(case=case, pricing=market.pricing, as_of=as_of, state=State(), **published)


def write_marks(
    marks: Marks,
    folder: Path,
    *,
    inputs: Mapping[str, Path] | None = None,
    as_of: date | None = None,
    work: WorkloadRun | None = None,
    mix: pl.DataFrame | None = None,
    before: Path | None = None,
) -> None:
    """Marks, their exclusions, and one line of audit each; marks of work made of them have an audit of their own.

    Args:
        marks: of GPU-hours.
        folder: where, not yet in its place.
        inputs: what was read, for the manifest.
        as_of: past which nothing was known, for the manifest.
        work: marks of work.
        mix: `RecipeMix` of marks of work that a market's own prices gave.
        before: the marks' last folder, whose versions stay readable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_version(folder, "marks", marks.marks if work is None else pl.concat([marks.marks, work.marks]), before=before)
    if work is not None:
        write_audit(work, folder / "workload-audit.jsonl")
    write_table(folder, "exclusions", marks.exclusions)
    if mix is not None:
        write_table(folder, "recipe_mix", mix)
    marks.run.write_audit(folder / "audit.jsonl")
    rule = marks.run.methodology
    settings = {"methodology": rule.name, "method_hash": rule.hash, "timezone": rule.timezone}
    write_manifest(folder, command="mark", inputs=inputs, as_of=as_of, settings=settings)


def write_curves(fitted: Fitted, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Quotes, curves, Jacobians, volatilities and the measured coverage of the bands."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in fitted.tables().items():
        if not frame.is_empty():
            write_table(folder, name, frame, form="parquet" if name == "jacobian" else "csv")
    write_manifest(folder, command="curve", inputs=inputs, as_of=as_of, settings={"indices": list(fitted.curves)})


def read_curves(folder: Path) -> tuple[dict[str, ForwardCurve], pl.DataFrame]:
    """The curves of a run folder, fitted again from their quotes and shapes, and the volatilities beside them."""
    quotes = read_table(folder, "quotes", Quotes)
    shapes = read_table(folder, "shapes", IndexShapes) if find_table(folder, "shapes") else IndexShapes.create_empty()
    seasons = read_table(folder, "seasons", IndexSeasons) if find_table(folder, "seasons") else IndexSeasons.create_empty()
    volatility = read_table(folder, "volatility", Volatility) if find_table(folder, "volatility") else Volatility.create_empty()
    choice = choice_of(read_table(folder, "choices", CurveChoices) if find_table(folder, "choices") else CurveChoices.create_empty())
    outages = read_table(folder, "outages", Outages) if find_table(folder, "outages") else None
    money = discount_of(read_table(folder, "discounts", CurveDiscounts)) if find_table(folder, "discounts") else None
    moments = dict(read_table(folder, "curve", Curve).group_by("index").agg(pl.col("as_of").first()).iter_rows())
    curves = {}
    for index in quotes["index"].unique(maintain_order=True):
        shape = shape_of(*(table.filter(pl.col("index") == index) for table in (shapes, seasons)))
        own = None if outages is None else outages_of(outages, quotes, index)
        curves[index] = fit_curve(quotes, index=index, as_of=moments[index], shape=shape, outages=own, discount=money, **choice.named)
    return curves, volatility


def write_values(
    trades: pl.DataFrame, valued: Valued, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None
) -> None:
    """The book, what it is worth and what moves it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in {"trades": trades, "values": valued.values, "risks": valued.risks}.items():
        write_table(folder, name, frame)
    if not valued.fixing_changes.is_empty():
        write_table(folder, "fixing_changes", valued.fixing_changes)
    write_manifest(folder, command="price", inputs=inputs, as_of=as_of)


def write_owed(owed: Owed, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Ledger, positions, statements, invoices and checks."""
    folder.mkdir(parents=True, exist_ok=True)
    write_settlement(owed.settlement, folder)
    write_manifest(folder, command="settle", inputs=inputs, as_of=as_of)


def write_deals(dealt: Dealt, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Contracts for differences, recalls, who they interrupt, and the cash of all of them by participant."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (dealt.tables() | {"cash": dealt.cash()}).items():
        write_table(folder, name, frame)
    write_manifest(folder, command="deals", inputs=inputs, as_of=as_of)


def write_basis(hedged: Hedged, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Exposures, hedge ratios, their effectiveness and the series behind them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in hedged.tables().items():
        write_table(folder, name, frame)
    write_manifest(folder, command="basis", inputs=inputs, as_of=as_of)


def read_file(path: Path, schema: type[dy.Schema]) -> pl.DataFrame:
    """One table from a file of any suffix that is read. Raises InputError with every fault."""
    if not path.is_file():
        raise InputError.of(str(path), "a file")
    frame, faults = read_checked(path, schema, empty=False)
    if faults:
        raise InputError(faults)
    return frame

"""The whole chain over a run folder: clear, mark, fit, value, settle, measure basis, report; each part writes a folder that the
next one reads.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from warnings import warn
from zoneinfo import ZoneInfo

import dataframely as dy
import polars as pl

from tenorgrid.api import Hedged, Marks, Owed, Run, Tables, Valued, as_owed, clear, hedge, mark, settle, value
from tenorgrid.curves.band import Band
from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.quotes import joined, mark_quotes
from tenorgrid.curves.shape import Shape
from tenorgrid.curves.volatility import fit_volatility
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError, VolatilityWarning
from tenorgrid.data.market_file import read_market, write_market
from tenorgrid.data.store import Form, find_table, read_manifest, read_table, write_manifest, write_table, writing
from tenorgrid.data.tables import case as case_tables
from tenorgrid.data.tables import cleared as cleared_tables
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.curve import Curve, IndexShapes, Jacobian, Quotes, Volatility
from tenorgrid.data.tables.door import read_checked
from tenorgrid.data.tables.observed import Marks as Marks_
from tenorgrid.data.tables.settled import Exposures
from tenorgrid.desk import largest_exposures, small_book
from tenorgrid.indices.fixings import fixings
from tenorgrid.progress import Silent, Steps
from tenorgrid.reports.report import write as write_report
from tenorgrid.settlement.archive import read_settlement, write_settlement

STATIC = ("locations", "resources", "tiers", "workloads", "recipes", "recipe_resources", "links", "reserves")
CLEARED = {
    "prices": cleared_tables.Prices,
    "workload_prices": cleared_tables.WorkloadPrices,
    "awards": cleared_tables.Awards,
    "placements": cleared_tables.Placements,
    "headroom": cleared_tables.Headroom,
    "binding": cleared_tables.Binding,
    "uplift": cleared_tables.Uplift,
    "surplus": cleared_tables.Surplus,
    "certificate": cleared_tables.Certificate,
}
SCHEMAS = {
    "locations": case_tables.Locations,
    "resources": case_tables.Resources,
    "tiers": case_tables.Tiers,
    "workloads": case_tables.Workloads,
    "recipes": case_tables.Recipes,
    "recipe_resources": case_tables.RecipeResources,
    "links": case_tables.Links,
    "reserves": case_tables.Reserves,
}
RATE = 0.04  # flat, of the small book
CLEARING_SHARE = 0.65  # of the whole run's time, for the bar
LEAST_DAYS = 5  # of marks that a curve of marks needs
CURVES_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Fitted(Tables):
    """Forward curves of several indices with what they were made of."""

    quotes: pl.DataFrame = field(repr=False)
    curve: pl.DataFrame = field(repr=False)
    jacobian: pl.DataFrame = field(repr=False)
    volatility: pl.DataFrame = field(repr=False)
    coverage: pl.DataFrame = field(repr=False)
    shapes: pl.DataFrame = field(repr=False)
    curves: dict[str, ForwardCurve] = field(repr=False)


class Clock:
    """Seconds that each named part took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the block as part `name`."""
        begun = perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + perf_counter() - begun, 3)


def write_clear(run: Run, folder: Path, *, form: Form, inputs: Mapping[str, Path] | None = None, seed: int | None = None) -> None:
    """The tables of a clearing run, and under `case/` the static tables and terms that settling them needs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CLEARED:
        write_table(folder, name, getattr(run, name), form=form)
    static = folder / "case"
    static.mkdir()
    write_market(run.case.market, static)
    for name in STATIC:
        write_table(static, name, getattr(run.case, name))
    market = run.case.market
    settings = {"market": market.name, "timezone": market.timezone, "pricing": str(run.pricing), "synthetic": "synthetic" in market.name}
    write_manifest(folder, command="clear", inputs=inputs, as_of=run.as_of, seed=seed, settings=settings)


def read_clear(folder: Path) -> Run:
    """A clearing run from the folder that `write_clear` wrote; the case has no offers and bids."""
    static = folder / "case"
    if not static.is_dir():
        raise InputError.of(str(folder), "a folder that tenorgrid clear wrote, with case/ in it")
    market = read_market(static)
    tables = {name: read_table(static, name, SCHEMAS[name]) for name in STATIC}
    empty = {"offers": case_tables.Offers, "bids": case_tables.Bids, "virtuals": case_tables.Virtuals}
    case = Case(market=market, **tables, **{name: schema.create_empty() for name, schema in empty.items()})
    manifest = read_manifest(folder)
    as_of = date.fromisoformat(manifest["as_of"]) if manifest.get("as_of") else None
    published = {name: read_table(folder, name, schema) for name, schema in CLEARED.items()}
    return Run(case=case, pricing=market.pricing, as_of=as_of, **published)


def marks_of(run: Run, *, method: str | Path = "house") -> Marks:
    """Narrow marks of every accelerator, region and tier, and workload marks, from the run's real-time prices; days that are not
    over are left out.
    """
    days = _delivered(run)
    both = pl.concat([run.observations(), run.work_observations()], how="diagonal")
    return mark(both, method=method, first=days[0], end=days[1])


def write_marks(marks: Marks, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Marks, their exclusions, and one line of audit each."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder, "marks", marks.marks)
    write_table(folder, "exclusions", marks.exclusions)
    marks.run.write_audit(folder / "audit.jsonl")
    rule = marks.run.methodology
    settings = {"methodology": rule.name, "method_hash": rule.hash, "timezone": rule.timezone}
    write_manifest(folder, command="mark", inputs=inputs, as_of=as_of, settings=settings)


def curves_of(run: Run, marks: Marks, *, quotes: pl.DataFrame | None = None, indices: list[str] | None = None) -> Fitted:
    """A forward curve per index from the ahead horizons and given monthly quotes, its band and the volatility of its marks.

    Args:
        run: cleared at one ahead horizon at least.
        marks: of the run.
        quotes: further `Quotes`, as those of months that no run has cleared.
        indices: None takes those of `quotes`, or the firm GPU index with most hours sold.
    """
    names = indices or (quotes["index"].unique(maintain_order=True).to_list() if quotes is not None else [_busiest(run)])
    moment = run.case.market.midnight(run.today())
    curves, bands, shapes = {}, {}, {}
    for index in names:
        own = [run.quotes(index)] + ([quotes.filter(pl.col("index") == index)] if quotes is not None else [])
        bands[index], shapes[index] = run.band(index), run.shape(index)
        curves[index] = fit_curve(joined(own), index=index, as_of=moment, shape=shapes[index], band=bands[index])
    return _fitted(curves, marks.marks, bands=bands, shapes=shapes)


def curves_of_marks(marks: Marks) -> Fitted:
    """A curve through the marks of each index with enough of them, its past as quotes; the indices with most published marks first."""
    rule = marks.run.methodology
    valued = marks.marks.filter(pl.col("value").is_not_null(), pl.col("unit") == "USD/GPUh")
    most = valued.group_by("index").len().filter(pl.col("len") >= LEAST_DAYS).sort("len", "index", descending=[True, False])
    curves = {}
    for index in sorted(most["index"].head(CURVES_SHOWN)):
        quotes = mark_quotes(valued, index=index, timezone=rule.timezone)
        last = quotes["as_of"].max()
        if isinstance(last, datetime):
            curves[index] = fit_curve(quotes, index=index, as_of=last, timezone=rule.timezone)
    return _fitted(curves, marks.marks)


def write_curves(fitted: Fitted, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Quotes, curves, Jacobians, volatilities and the measured coverage of the bands."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in fitted.tables().items():
        if not frame.is_empty():
            write_table(folder, name, frame, form="parquet" if name == "jacobian" else "csv")
    write_manifest(folder, command="curve", inputs=inputs, as_of=as_of, settings={"indices": list(fitted.curves)})


def write_values(
    trades: pl.DataFrame, valued: Valued, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None
) -> None:
    """The book, what it is worth and what moves it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in {"trades": trades, "values": valued.values, "risks": valued.risks}.items():
        write_table(folder, name, frame)
    write_manifest(folder, command="price", inputs=inputs, as_of=as_of)


def write_owed(owed: Owed, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Ledger, positions, statements, invoices and checks."""
    folder.mkdir(parents=True, exist_ok=True)
    write_settlement(owed.settlement, folder)
    write_manifest(folder, command="settle", inputs=inputs, as_of=as_of)


def run_market(
    case: Case,
    out: Path,
    *,
    as_of: date | None,
    quotes: pl.DataFrame | None = None,
    trades: pl.DataFrame | None = None,
    exposures: pl.DataFrame | None = None,
    executor: Executor | None = None,
    seed: int | None = None,
    inputs: Mapping[str, Path] | None = None,
    steps: Steps | None = None,
) -> dict[str, object]:
    """Everything, from a case to `report.html`, into `out`; the folder is moved in when whole.

    Args:
        case: checked.
        out: run folder.
        as_of: local day at whose beginning the run stands.
        quotes, trades, exposures: None takes those that the run itself gives (`tenorgrid.desk`).
        executor: for clearing.
        seed: of a drawn case, for the manifest.
        inputs: files that were read, for the manifest.
        steps: told which part is under way.

    Returns what a desk looks at first.
    """
    bar, clock = steps or Silent(), Clock()
    with writing(out) as folder:
        bar.begin("clearing", at=0.0)
        with clock.part("clear"):
            run = clear(case, as_of=as_of, executor=executor, progress=lambda done, count: bar.reach(CLEARING_SHARE * done / count))
        with clock.part("write clear"):
            write_clear(run, folder / "clear", form="parquet", inputs=inputs, seed=seed)
        day = run.today()
        bar.begin("marks", at=0.7)
        with clock.part("marks"):
            marks = marks_of(run)
            write_marks(marks, folder / "marks", as_of=day)
        bar.begin("curves and volatility", at=0.76)
        with clock.part("curve"):
            fitted = curves_of(run, marks, quotes=quotes)
            write_curves(fitted, folder / "curve", as_of=day)
        bar.begin("the book", at=0.8)
        with clock.part("value"):
            book = small_book(run, fitted.curves) if trades is None else trades
            known = fixings(marks.marks, at=run.case.market.midnight(day))
            valued = value(book, curves=fitted.curves, fixings=known, volatility=fitted.volatility, discount=flat(RATE))
            write_values(book, valued, folder / "value", as_of=day)
        bar.begin("settlement", at=0.82)
        with clock.part("settle"):
            owed = settle(run)
            write_owed(owed, folder / "settle", as_of=day)
        bar.begin("basis", at=0.92)
        with clock.part("basis"):
            hedged = hedge(largest_exposures(run) if exposures is None else exposures, history=marks.marks, using=list(fitted.curves)[:1])
            write_basis(hedged, folder / "basis", as_of=day)
        settings = {"market": run.case.market.name, "timezone": run.case.market.timezone, "pricing": str(run.pricing)}
        write_manifest(folder, command="run", inputs=inputs, as_of=day, seed=seed, settings=settings | {"seconds": clock.seconds})
        bar.begin("report", at=0.94)
        with clock.part("report"):
            write_report(folder)
        write_manifest(folder, command="run", inputs=inputs, as_of=day, seed=seed, settings=settings | {"seconds": clock.seconds})
    return {
        "out": str(out),
        "as_of": day.isoformat(),
        "worst_gap": run.certificate["gap"].max(),
        "book": valued.value,
        "seconds": clock.seconds,
    }


def run_observations(
    observations: pl.DataFrame, out: Path, *, method: str | Path, inputs: Mapping[str, Path] | None = None, steps: Steps | None = None
) -> dict[str, object]:
    """What follows clearing, from observed prices: marks of every day, curves of them, volatility, and the report.

    Args:
        observations: `Observations`.
        out: run folder, moved in when whole.
        method: methodology of the marks.
        inputs: files that were read, for the manifest.
        steps: told which part is under way.
    """
    bar, clock = steps or Silent(), Clock()
    with writing(out) as folder:
        bar.begin("marks", at=0.0)
        with clock.part("marks"):
            marks = mark(observations, method=method)
            write_marks(marks, folder / "marks", inputs=inputs)
        bar.begin("curves and volatility", at=0.5)
        with clock.part("curve"):
            fitted = curves_of_marks(marks)
            write_curves(fitted, folder / "curve")
        bar.begin("report", at=0.8)
        settings = {"market": "observed prices", "timezone": marks.run.methodology.timezone, "synthetic": False}
        write_manifest(folder, command="run", inputs=inputs, settings=settings)
        with clock.part("report"):
            write_report(folder)
        write_manifest(folder, command="run", inputs=inputs, settings=settings | {"seconds": clock.seconds})
    return {
        "out": str(out),
        "indices": marks.marks["index"].n_unique(),
        "marks": marks.marks.height,
        "curves": list(fitted.curves),
        "seconds": clock.seconds,
    }


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """The market that comes with the package, with synthetic broker quotes of months that no run clears."""

    case: Case = field(repr=False)
    quotes: pl.DataFrame = field(repr=False)
    as_of: date
    seed: int


def packaged(seed: int | None = None) -> Packaged:
    """The packaged market of 90 days, drawn from a seed; None is the package's own."""
    from tenorgrid.data.sample.market import AS_OF, SEED, packaged_market
    from tenorgrid.data.sample.quotes import monthly_quotes

    chosen = SEED if seed is None else seed
    drawn = packaged_market(seed=chosen)
    return Packaged(case=drawn.case, quotes=monthly_quotes(seed=chosen), as_of=AS_OF, seed=chosen)


def read_file(path: Path, schema: type[dy.Schema]) -> pl.DataFrame:
    """One table from a file of any suffix that is read. Raises InputError with every fault."""
    if not path.is_file():
        raise InputError.of(str(path), "a file")
    frame, faults = read_checked(path, schema, empty=False)
    if faults:
        raise InputError(faults)
    return frame


def curves_of_quotes(path: Path, *, indices: list[str] | None = None) -> Fitted:
    """Curves from a file of quotes, each as of its latest quote."""
    quotes = read_file(path, Quotes)
    curves = {}
    for index in indices or quotes["index"].unique(maintain_order=True).to_list():
        last = quotes.filter(pl.col("index") == index)["as_of"].max()
        if not isinstance(last, datetime):
            raise InputError.of(path.name, "quotes of this index", column="index", value=index)
        curves[index] = fit_curve(quotes, index=index, as_of=last)
    return _fitted(curves, Marks_.create_empty())


def value_of(book: Path, market: Path, *, rate: float) -> tuple[pl.DataFrame, Valued]:
    """Value a file of trades at the curves, marks and volatilities of a run folder; shapes and bands are those the curves were
    written with.
    """
    trades = read_file(book, Trades)
    curves, volatility = read_curves(market / "curve")
    marks = read_table(market / "marks", "marks", Marks_)
    known = fixings(marks, at=next(iter(curves.values())).as_of)
    return trades, value(trades, curves=curves, fixings=known, volatility=volatility, discount=flat(rate))


def read_curves(folder: Path) -> tuple[dict[str, ForwardCurve], pl.DataFrame]:
    """The curves of a run folder, fitted again from their quotes and shapes, and the volatilities beside them."""
    quotes = read_table(folder, "quotes", Quotes)
    shapes = read_table(folder, "shapes", IndexShapes) if find_table(folder, "shapes") else IndexShapes.create_empty()
    volatility = read_table(folder, "volatility", Volatility) if find_table(folder, "volatility") else Volatility.create_empty()
    moments = dict(read_table(folder, "curve", Curve).group_by("index").agg(pl.col("as_of").first()).iter_rows())
    curves = {}
    for index in quotes["index"].unique(maintain_order=True):
        rows = shapes.filter(pl.col("index") == index)
        hours = rows.select("weekday", "hour", "value", "observations")
        shape = None if rows.is_empty() else Shape(kind=rows["kind"][0], timezone=rows["timezone"][0], hours=hours)
        curves[index] = fit_curve(quotes, index=index, as_of=moments[index], shape=shape)
    return curves, volatility


def settle_folder(run_dir: Path, out: Path, *, version: str) -> Owed:
    """Settle a run folder into `out`; a settlement that stands there already is appended to."""
    source = run_dir / "clear" if (run_dir / "clear").is_dir() else run_dir
    run = read_clear(source)
    before = read_settlement(out, timezone=run.case.market.timezone)
    owed = settle(run, version=version, before=None if before is None else as_owed(before))
    with writing(out) as folder:
        write_owed(owed, folder, inputs={"clear": source}, as_of=run.as_of)
    return owed


def basis_of(exposures: Path, marks: Path, *, using: list[str] | None) -> Hedged:
    """Hedge a file of exposures with indices of a file of marks; None takes every firm GPU index of it."""
    table, history = read_file(exposures, Exposures), read_file(marks, Marks_)
    firm = history.filter(pl.col("unit") == "USD/GPUh", pl.col("index").str.ends_with(".FIRM"))["index"].unique().sort().to_list()
    return hedge(table, history=history, using=using or firm)


def write_basis(hedged: Hedged, folder: Path, *, inputs: Mapping[str, Path] | None = None, as_of: date | None = None) -> None:
    """Exposures, hedge ratios, their effectiveness and the series behind them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in hedged.tables().items():
        write_table(folder, name, frame)
    write_manifest(folder, command="basis", inputs=inputs, as_of=as_of)


def _delivered(run: Run) -> tuple[date, date]:
    """First local day with real-time prices, and the day after the last whole one."""
    zone = ZoneInfo(run.case.market.timezone)
    real = run.certificate.filter(pl.col("horizon") == run.case.market.horizons[-1].name)["start"]
    first, last = real.min(), real.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise InputError.of("certificate", "real-time deliveries to mark")
    return first.astimezone(zone).date(), (last + run.case.market.interval).astimezone(zone).date()


def _busiest(run: Run) -> str:
    """The firm index of the accelerator and region with most hours sold in real time."""
    sold = run.observations().filter(pl.col("tier") == "firm", pl.col("region").is_not_null())
    most = sold.group_by("resource", "region").agg((pl.col("price") * pl.col("quantity")).sum().alias("spent"))
    if most.is_empty():
        raise InputError.of("awards", "accelerators sold firm in real time, for a curve of their index")
    row = most.sort("spent", "resource", "region", descending=[True, False, False]).row(0, named=True)
    return f"{row['resource']}.{row['region']}.FIRM".upper()


def _fitted(
    curves: dict[str, ForwardCurve],
    marks: pl.DataFrame,
    *,
    bands: Mapping[str, Band] | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> Fitted:
    """Volatility where the marks allow one: a refusal of a short, gapped or constant series is no reason to have no curve."""
    found, refused = [], []
    for index in curves:
        try:
            found.append(fit_volatility(marks, index=index, model="realised-weekday"))
        except InputError as error:
            refused.append(f"{index}: {error}")
    for sentence in refused:
        warn(f"no volatility of {sentence}", VolatilityWarning, stacklevel=3)
    coverage = [
        band.bands.select(
            pl.lit(index).alias("index"),
            pl.col("source").str.strip_suffix(" clearing").alias("horizon"),
            pl.col("held_back").alias("days"),
            pl.col("covered").alias("inside"),
            "coverage",
            "level",
        )
        for index, band in (bands or {}).items()
    ]
    hours = [
        shape.hours.select(
            pl.lit(index).alias("index"), pl.lit(shape.kind).alias("kind"), pl.lit(shape.timezone).alias("timezone"), pl.all()
        )
        for index, shape in (shapes or {}).items()
    ]
    return Fitted(
        shapes=pl.concat(hours) if hours else IndexShapes.create_empty(),
        quotes=pl.concat([curve.quotes for curve in curves.values()]) if curves else Quotes.create_empty(),
        curve=pl.concat([curve.curve for curve in curves.values()]) if curves else Curve.create_empty(),
        jacobian=pl.concat([curve.jacobian() for curve in curves.values()]) if curves else Jacobian.create_empty(),
        volatility=pl.concat(found) if found else Volatility.create_empty(),
        coverage=pl.concat(coverage) if coverage else pl.DataFrame(),
        curves=curves,
    )

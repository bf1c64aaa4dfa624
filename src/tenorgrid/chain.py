"""The whole chain over a run folder: clear, mark, fit, value, settle, measure basis, report."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from shutil import rmtree
from time import perf_counter
from warnings import warn
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.api import clear, hedge, mark, mark_work, settle, value
from tenorgrid.curve_result import Curve
from tenorgrid.curves.discount import flat
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError, NotPublishedError, PartLeftOutWarning, brief
from tenorgrid.data.store import write_manifest, write_table, writing
from tenorgrid.data.tables.book import Correlations, Trades
from tenorgrid.data.tables.contracts import Fallbacks
from tenorgrid.data.tables.curve import VolatilityByExpiry
from tenorgrid.data.tables.settled import Exposures
from tenorgrid.data.terms.specifications.products import read_products
from tenorgrid.desk import headline, largest_exposures, small_book
from tenorgrid.folders import (
    read_clear,
    read_curves,
    read_file,
    read_orders,
    write_basis,
    write_clear,
    write_curves,
    write_marks,
    write_owed,
    write_values,
)
from tenorgrid.indices.fixings import fixings
from tenorgrid.indices.workloads.recipe_mix import mix_of_marks
from tenorgrid.mark_tables import fixings_of, read_marks
from tenorgrid.progress import Silent, Steps
from tenorgrid.reports.report import render
from tenorgrid.reports.report import write as write_report
from tenorgrid.results import Hedged, Marks, Owed, Run, Valued, as_owed
from tenorgrid.settlement.archive import read_settlement
from tenorgrid.term_structure import Fitted, busiest, curve_alone, curves_of, curves_of_marks

RATE = 0.04  # flat, of the small book
CLEARING_SHARE = 0.65  # of the whole run's time, for the bar


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


def marks_of(run: Run, *, method: str | Path = "house") -> Marks:
    """Narrow marks of every accelerator, region and tier, and workload marks, from the run's real-time prices; days that are not
    over are left out.
    """
    days = _delivered(run)
    both = pl.concat([run.observations(), run.work_observations()], how="diagonal")
    return mark(both, method=method, first=days[0], end=days[1])


def published(marks: Marks) -> Marks:
    """The marks themselves, where one of them at least has a value. Raises NotPublishedError where none has."""
    if marks.marks["value"].is_null().all():
        rule, excluded = marks.run.methodology.name, marks.exclusions.height
        raise NotPublishedError(f"no mark has a value: {marks.marks.height} withheld, {excluded} observations excluded by {rule}")
    return marks


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
    forecasts: pl.DataFrame | None = None,
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
        forecasts: what the bidders of a drawn market knew ahead, kept beside its terms.
        steps: told which part is under way.

    Returns what a desk looks at first.
    """
    bar, clock = steps or Silent(), Clock()
    with writing(out) as folder:
        bar.begin("clearing", at=0.0)
        with clock.part("clear"):
            run = clear(case, as_of=as_of, executor=executor, progress=lambda done, count: bar.reach(CLEARING_SHARE * done / count))
        bar.begin("marks, curves, settlement", at=CLEARING_SHARE)
        with ThreadPoolExecutor(1) as side:  # money needs no marks: it is settled beside them
            settled = side.submit(_settle_into, folder, run, clock=clock, inputs=inputs, seed=seed, forecasts=forecasts)
            left_out = _analyse_into(folder, run, before=out, quotes=quotes, trades=trades, exposures=exposures, clock=clock)
            owed = settled.result()
        bar.begin("report", at=0.94)
        market, day = run.case.market, run.today()
        settings: dict[str, object] = {
            "market": market.name,
            "timezone": market.timezone,
            "pricing": str(run.pricing),
            "left_out": left_out,
        }
        write_manifest(folder, command="run", inputs=inputs, as_of=day, seed=seed, settings=settings)
        with clock.part("report"):
            write_report(folder)
        write_manifest(folder, command="run", inputs=inputs, as_of=day, seed=seed, settings=settings | {"seconds": clock.seconds})
    return {
        "out": str(out),
        "as_of": day.isoformat(),
        "intervals": run.certificate.height,
        "worst_gap": run.certificate["gap"].max(),
        "settlement_checks_failed": owed.checks.filter(~pl.col("passed")).height,
        "left_out": left_out,
        "seconds": clock.seconds,
    }


def _settle_into(
    folder: Path, run: Run, *, clock: Clock, inputs: Mapping[str, Path] | None, seed: int | None, forecasts: pl.DataFrame | None
) -> Owed:
    with clock.part("write clear"):
        write_clear(run, folder / "clear", form="parquet", inputs=inputs, seed=seed)
        if forecasts is not None:
            write_table(folder / "clear" / "case", "forecasts", forecasts, form="parquet")
    with clock.part("settle"):
        owed = settle(run)
        write_owed(owed, folder / "settle", as_of=run.today())
    return owed


def _analyse_into(
    folder: Path,
    run: Run,
    *,
    before: Path,
    quotes: pl.DataFrame | None,
    trades: pl.DataFrame | None,
    exposures: pl.DataFrame | None,
    clock: Clock,
) -> list[str]:
    """Marks, curves, book and basis; a part that the case is too short for is left out, said in a warning and in the manifest;
    quotes, trades and exposures that were given are refused. `before` is the last run in the same place.
    """
    day, left_out = run.today(), list[str]()
    marks, fitted = None, None
    given = next((one for one in (quotes, trades, exposures) if one is not None), None)
    with clock.part("marks"), _left_out(folder / "marks", left_out, given=given):
        marks = marks_of(run)
        rule, hours = marks.run.methodology, run.case.market.hours
        mix = mix_of_marks(run.placements, marks.marks, methodology=rule, hours=hours)
        write_marks(marks, folder / "marks", as_of=day, mix=mix, before=before / "marks")
    if marks is None:
        warn("without marks there are no curve/, value/ and basis/", PartLeftOutWarning, stacklevel=3)
        return [*left_out, "curve", "value", "basis"]
    with clock.part("curve"), _left_out(folder / "curve", left_out, given=quotes):
        fitted = curves_of(run, marks, quotes=quotes)
        write_curves(fitted, folder / "curve", as_of=day)
    with clock.part("value"), _left_out(folder / "value", left_out, given=trades):
        if fitted is None:
            raise InputError.of("curve", "a curve to value the book on")
        book = small_book(run, fitted.curves) if trades is None else trades
        known = fixings(marks.marks, at=run.case.market.midnight(day))
        valued = value(book, curve=fitted.curves, fixings=known, volatility=fitted.volatility, discount=flat(RATE))
        write_values(book, valued, folder / "value", as_of=day)
    with clock.part("basis"), _left_out(folder / "basis", left_out, given=exposures):
        using = [headline(run, fitted.curves) if fitted is not None else busiest(run)]
        hedged = hedge(largest_exposures(run) if exposures is None else exposures, history=marks.marks, using=using)
        write_basis(hedged, folder / "basis", as_of=day)
    return left_out


@contextmanager
def _left_out(place: Path, parts: list[str], *, given: pl.DataFrame | None = None) -> Iterator[None]:
    """Turn the refusal of a part into a warning: the rest of the run stands without it. What somebody gave is refused instead."""
    try:
        yield
    except (InputError, NotPublishedError) as error:
        if given is not None:
            raise
        rmtree(place, ignore_errors=True)  # nothing half-written
        parts.append(place.name)
        warn(f"{place.name}/ is left out: {brief(error)}", PartLeftOutWarning, stacklevel=3)


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
            marks = published(mark(observations, method=method))
            write_marks(marks, folder / "marks", inputs=inputs, work=mark_work(marks, case="packaged"), before=out / "marks")
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
    forecasts: pl.DataFrame = field(repr=False)
    quotes: pl.DataFrame = field(repr=False)
    exposures: pl.DataFrame = field(repr=False)
    as_of: date
    seed: int


def packaged(seed: int | None = None) -> Packaged:
    """The packaged market of 90 days, drawn from a seed; None is the package's own."""
    from tenorgrid.data.sample.market import AS_OF, SEED, packaged_market
    from tenorgrid.data.sample.quotes import exposures, monthly_quotes

    chosen = SEED if seed is None else seed
    drawn = packaged_market(seed=chosen)
    return Packaged(
        case=drawn.case, forecasts=drawn.forecasts, quotes=monthly_quotes(seed=chosen), exposures=exposures(), as_of=AS_OF, seed=chosen
    )


def value_of(
    book: Path,
    market: Path,
    *,
    rate: float,
    marks: Path | None = None,
    correlation: Path | None = None,
    expiries: Path | None = None,
    fallbacks: Path | None = None,
    products: Path | None = None,
) -> tuple[pl.DataFrame, Valued]:
    """Value a file of trades at the curves, marks and volatilities of a run folder; shapes and bands are those the curves were
    written with. `marks` are read instead of the folder's own: a table, a folder, or a publisher's history.
    """
    trades = read_file(book, Trades)
    curves, volatility = read_curves(market / "curve")
    moment = next(iter(curves.values())).as_of
    known = fixings_of(marks, at=moment) if marks is not None else fixings(read_marks(market / "marks"), at=moment)
    pairs = None if correlation is None else read_file(correlation, Correlations)
    terms = None if expiries is None else read_file(expiries, VolatilityByExpiry)
    found = value(
        trades, curve=curves, fixings=known, volatility=volatility, discount=flat(rate), correlation=pairs, expiries=terms,
        fallbacks=None if fallbacks is None else read_file(fallbacks, Fallbacks),
        products=None if products is None else read_products(products),
    )  # fmt: skip
    return trades, found


def grid_of(valued: Valued) -> pl.DataFrame:
    """`Scenarios`: prices down and up by tenths of a dollar to half of one, volatilities by a tenth and a fifth where they allow it."""
    least = valued.book.market.least_volatility
    moves = [move for move in (-0.2, -0.1, 0.0, 0.1, 0.2) if least + move >= 0]
    return valued.scenarios(prices=[round(0.1 * step, 1) for step in range(-5, 6)], volatilities=moves)


def settle_folder(run_dir: Path, out: Path, *, version: str) -> Owed:
    """Settle a run folder into `out`; a settlement that stands there already is appended to."""
    source = run_dir / "clear" if (run_dir / "clear").is_dir() else run_dir
    run = read_clear(source)
    if not run.domain_prices.is_empty():  # which are paid by the domains of offers
        run = read_orders(run, source)
    before = read_settlement(out, timezone=run.case.market.timezone)
    owed = settle(run, version=version, before=None if before is None else as_owed(before))
    with writing(out) as folder:
        write_owed(owed, folder, inputs={"clear": source}, as_of=run.as_of)
    return owed


def basis_of(
    exposures: Path, marks: Path, *, using: list[str] | None, as_of: datetime | None = None, written_by: datetime | None = None
) -> Hedged:
    """Hedge a file of exposures with indices of marks, a table, a folder or a publisher's history; None takes every firm GPU index."""
    table, history = read_file(exposures, Exposures), read_marks(marks, as_of=as_of, written_by=written_by)
    firm = history.filter(pl.col("unit") == "USD/GPUh", pl.col("index").str.ends_with(".FIRM"))["index"].unique().sort().to_list()
    return hedge(table, history=history, using=using or firm)


def _delivered(run: Run) -> tuple[date, date]:
    """First local day with real-time prices, and the day after the last whole one."""
    zone = ZoneInfo(run.case.market.timezone)
    real = run.certificate.filter(pl.col("horizon") == run.case.market.horizons[-1].name)["start"]
    first, last = real.min(), real.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise InputError.of("certificate", "real-time deliveries to mark")
    return first.astimezone(zone).date(), (last + run.case.market.interval).astimezone(zone).date()


@dataclass(frozen=True, kw_only=True)
class Page:
    """A report as one self-contained HTML text."""

    html: str = field(repr=False)

    def save(self, path: Path | str) -> Path:
        """Write the page to a file; returns its path."""
        place = Path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self.html, encoding="utf-8")
        return place

    def _repr_html_(self) -> str:
        return self.html


_PARTS = {Run: "clear", Marks: "marks", Fitted: "curve", Curve: "curve", Valued: "value", Owed: "settle", Hedged: "basis"}


def report(*results: Run | Marks | Fitted | Curve | Valued | Owed | Hedged, trades: pl.DataFrame | None = None) -> Page:
    """The report of any of a run, marks, fitted curves or one curve, a valued book, what is owed and hedges.

    Args:
        results: in any order, one of a kind.
        trades: of the valued book.

    Raises InputError for two results of one kind, for none, and for what is no result.
    """
    from tempfile import TemporaryDirectory

    kinds = [_PARTS.get(type(result)) for result in results]
    if not kinds or None in kinds or len(set(kinds)) < len(kinds):
        given = ", ".join(type(result).__name__ for result in results)
        raise InputError.of("report", "at least one result, one of a kind", value=given or "none")
    with TemporaryDirectory() as place:
        folder = Path(place) / "run"
        for result in results:
            match result:
                case Run():
                    write_clear(result, folder / "clear", form="parquet")
                case Marks():
                    write_marks(result, folder / "marks")
                case Fitted():
                    write_curves(result, folder / "curve")
                case Curve():
                    write_curves(curve_alone(result.fitted), folder / "curve")
                case Valued():
                    write_values(Trades.create_empty() if trades is None else trades, result, folder / "value")
                case Owed():
                    write_owed(result, folder / "settle")
                case Hedged():
                    write_basis(result, folder / "basis")
        return Page(html=render(folder))

"""The report: one HTML page made from a run folder's tables, which opens offline."""

import os
from pathlib import Path

import polars as pl

from tenorgrid.data.wording import counted
from tenorgrid.reports.figures.certificate import worst_of_all
from tenorgrid.reports.figures.marks import NARROW, current, main_methodology
from tenorgrid.reports.figures.prices import paired
from tenorgrid.reports.page import Key, compose
from tenorgrid.reports.pages import basis, book, certificate, curves, intelligence, marks, prices, scarcity, settlement, whole
from tenorgrid.reports.pages.origin import section as origin
from tenorgrid.reports.run import Run, read_run
from tenorgrid.reports.tables import number

FILE = "report.html"
SYNTHETIC = "Synthetic data."
_SECTIONS = (
    prices.market,
    prices.section,
    scarcity.section,
    whole.section,
    whole.domains,
    intelligence.section,
    marks.section,
    curves.section,
    book.section,
    settlement.section,
    basis.section,
    certificate.section,
    origin,
)


def render(run_folder: Path) -> str:
    """The page as one HTML text, from whatever tables the run has; sections without data are left out.

    Args:
        run_folder: holds some of `clear/ marks/ curve/ value/ settle/ basis/`.

    Returns the same text for the same tables and manifests. Raises `InputError` where the folder is no run or a table breaks its schema.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory(prefix="empty") as place:
    ...     render(Path(place) / "run")
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: run: expected a run folder with some of clear/, marks/, curve/, value/, settle/, basis/
    """
    run = read_run(run_folder)
    sections = [section for make in _SECTIONS if (section := make(run)) is not None]
    return compose(title=_title(run), subtitle=_subtitle(run), keys=_keys(run), sections=sections, note=SYNTHETIC if run.synthetic else "")


def write(run_folder: Path) -> Path:
    """Write `report.html` into the run folder, moved in when whole; returns its path. Raises as `render` does."""
    page = render(run_folder)
    path = run_folder / FILE
    unfinished = run_folder / f".{FILE}.{os.getpid()}"
    try:
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _title(run: Run) -> str:
    return "Compute market, synthetic" if run.synthetic else "Compute market"


def _subtitle(run: Run) -> str:
    if run.prices is None:
        return "Index marks, the forward curve and volatility from observed prices."
    locations, resources = run.prices["location"].n_unique(), run.prices["resource"].n_unique()
    made = " All bids, offers and prices on this page are synthetic." if run.synthetic else ""
    horizons = counted(run.prices["horizon"].n_unique(), "horizon")
    return f"{run.name}: {counted(resources, 'resource')} in {counted(locations, 'location')}, cleared at {horizons}.{made}"


def _keys(run: Run) -> list[Key]:
    """The numbers of the header, of what the run has."""
    keys = []
    if run.as_of is not None:
        local = pl.Series([run.as_of]).dt.convert_time_zone(run.timezone)[0]
        keys.append(Key(label="As of", value=f"{local:%Y-%m-%d}", note=f"{local:%H:%M} {run.timezone}"))
    if run.marks is not None and (mark := _headline(run.marks)) is not None:
        keys.append(mark)
    nodes = prices.reference_nodes(run)
    if run.prices is not None and nodes is not None:
        name = prices.reference(run.prices).upper()
        gaps = paired(nodes, horizon="day-ahead")["difference"].to_numpy()
        if gaps.size:
            basis_note = f"USD per GPU-hour, {name} firm, mean of day-ahead − real time"
            keys.append(Key(label="Day-ahead basis", value=number(float(gaps.mean()), "+.4f"), note=basis_note))
        count, monthly = scarcity.hours_anywhere(nodes)
        note = f"a month, {count:,} in all: {name} firm in some location, adder of {scarcity.THRESHOLD:.2f} USD/GPUh or more"
        keys.append(Key(label="Scarcity hours", value=f"{monthly:.1f}", note=note))
    if run.values is not None:
        keys.append(
            Key(label="Book value", value=f"{number(book.total(run.values), ',.0f')} USD", note=counted(run.values.height, "trade"))
        )
    if run.certificate is not None:
        worst = worst_of_all(run.certificate)
        keys.append(
            Key(
                label="Worst certificate",
                value=number(worst, ".1e"),
                note=f"of {counted(run.certificate.height, 'problem')}, relative; limit 1e-6",
            )
        )
    return keys


def _headline(table: pl.DataFrame) -> Key | None:
    """The last H100 firm mark with a value; failing that the last mark of the first index."""
    last = marks.latest(current(table, methodology=main_methodology(table)))
    if last.is_empty():
        return None
    order = [
        (not index.startswith("H100-SXM"), not index.endswith(".FIRM"), ".US." not in index, ".GLOBAL." not in index, index)
        for index in last["index"]
    ]
    row = last.row(order.index(min(order)), named=True)
    note = (
        f"USD per GPU-hour, mark of {row['start']:%Y-%m-%d}, {row['status']}"
        if row["unit"] == NARROW
        else f"{row['unit']}, mark of {row['start']:%Y-%m-%d}"
    )
    return Key(label=row["index"], value=number(row["value"], ",.4f"), note=note)

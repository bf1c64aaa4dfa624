"""Folders of curves with their page: fitted from quotes, refused, or read back from a history."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid import folders
from tenorgrid.curve_fitting import shape_of_past
from tenorgrid.curve_result import Curve
from tenorgrid.curve_store import CurveHistory, curve_history
from tenorgrid.curves.arbitrage import ArbitrageError
from tenorgrid.curves.components import TENSION
from tenorgrid.curves.discount import Discount, flat
from tenorgrid.curves.forward import refuse_names
from tenorgrid.curves.methods.asked import Asked
from tenorgrid.curves.methods.choice import Choice
from tenorgrid.curves.season import AnyShape
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import find_table, write_manifest, write_table, writing
from tenorgrid.data.tables.curve import Arbitrages, HourlyHistory, Outages, Quotes
from tenorgrid.data.tables.curve_kept import CurveMoves
from tenorgrid.data.tables.rental import DiscountRates
from tenorgrid.reports.pages.curve import FILE, refused, render
from tenorgrid.term_structure import Fitted, curves_of_quotes, outages_of

USUAL: dict[str, Any] = {
    "method": "smooth",
    "ends": "free",
    "bending": "period",
    "within": "price",
    "tension": TENSION,
    "averages": "plain",
}


def fit_folder(
    quotes: Path,
    out: Path,
    *,
    indices: list[str] | None = None,
    named: Mapping[str, Any],
    outages: Path | None = None,
    history: Path | None = None,
    season: Path | None = None,
    rate: float | None = None,
    discount: Path | None = None,
    keep: Path | None = None,
) -> tuple[list[str], dict[str, int]]:
    """Fit every index of a file into a folder; names of what was fitted, and the revisions that were kept.

    Quotes that contradict one another leave `arbitrage.csv` and a page in a folder that has no curves yet; curves that are there stay.

    Raises `InputError` for faults of the input or the names.
    """
    chosen = USUAL | dict(named)
    refuse_names(**chosen)
    store = None if keep is None else curve_history(keep)
    table = folders.read_file(quotes, Quotes)
    inputs = {path.name: path for path in (quotes, outages, history, season, discount) if path is not None}
    out_hours = None if outages is None else folders.read_file(outages, Outages)
    past = [None if path is None else folders.read_file(path, HourlyHistory) for path in (history, season)]
    shape = None
    if any(prices is not None for prices in past):
        latest: datetime = min(table.group_by("index").agg(pl.col("as_of").max())["as_of"])  # the curve that knows least
        shape = shape_of_past(*past, timezone=_zone(table, "the shape of a history"), by=latest)
    choice = Choice(**chosen)
    try:
        fitted = curves_of_quotes(
            table, indices=indices, choice=choice, outages=out_hours, shape=shape, discount=_discount(table, rate, discount)
        )
    except ArbitrageError as error:
        if find_table(out, "curve") is None:
            index = str(error.table["index"][0])
            mine = table.filter(pl.col("index") == index)
            page = refused(mine, error.table, timezone=str(mine["timezone"][0]), source=quotes.name)
            with writing(out) as folder:
                write_table(folder, "arbitrage", error.table, form="csv")
                (folder / FILE).write_text(page, encoding="utf-8")
                write_manifest(folder, command="curve", inputs=inputs, settings={"refused": str(error)})
        raise
    made = {name: _held(fitted, name, choice=choice, shape=shape, quotes=table, outages=out_hours) for name in fitted.curves}
    with writing(out) as folder:
        folders.write_curves(fitted, folder, inputs=inputs)
        _page(folder, made, source=quotes.name)
        revisions = {} if store is None else {name: store.keep(one) for name, one in made.items()}  # refused: the folder stays as it was
    return list(made), revisions


def read_folder(
    history: Path,
    out: Path,
    *,
    indices: list[str] | None = None,
    as_of: datetime | None = None,
    known: datetime | None = None,
    against: datetime | None = None,
) -> list[str]:
    """Curves of a history into a folder as `fit_folder` writes it, and with `against` how they moved since.

    Raises as `CurveHistory.read` does.
    """
    store = curve_history(history)
    names = indices or store.curves(known=known)["index"].unique().sort().to_list()
    made = {name: store.read(name, as_of=as_of, known=known) for name in names}
    moved = None if against is None else pl.concat([_moved(store, one, known, against) for one in made.values()])
    with writing(out) as folder:
        tables = {
            "quotes": pl.concat([one.quotes for one in made.values()]),
            "curve": pl.concat([one.curve for one in made.values()]),
            "kept": store.curves(known=known).filter(pl.col("index").is_in(names)),
        } | ({} if moved is None else {"moves": moved})
        for name, frame in tables.items():
            write_table(folder, name, frame)
        _page(folder, made, source=history.name, moved=moved)
        moments = {"as_of": as_of, "known": known, "against": against}
        settings = {"indices": names} | {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
        write_manifest(folder, command="curve", inputs={history.name: history}, settings=settings)
    return names


def _moved(store: CurveHistory, curve: Curve, known: datetime | None, against: datetime) -> pl.DataFrame:
    return store.moves(curve.fitted.index, before=against, after=curve.fitted.as_of, known=known)


def _page(folder: Path, made: Mapping[str, Curve], *, source: str, moved: pl.DataFrame | None = None) -> None:
    """The months and their Jacobian as tables, and the page."""
    if not made:
        return
    parts = list(made.values())
    tables = {
        "quotes": pl.concat([one.quotes for one in parts]),
        "curve": pl.concat([one.curve for one in parts]),
        "months": pl.concat([one.months() for one in parts]),
        "monthly": pl.concat([one.monthly_jacobian() for one in parts]),
        "arbitrage": pl.concat([Arbitrages.create_empty(), *(one.arbitrage for one in parts)]),
        "moves": CurveMoves.create_empty() if moved is None else moved,
    }
    for name in ("months", "monthly"):
        write_table(folder, name, tables[name])
    page = render(tables, timezones={name: one.fitted.timezone for name, one in made.items()}, source=source)
    (folder / FILE).write_text(page, encoding="utf-8")


def _held(
    fitted: Fitted, name: str, *, choice: Choice, shape: AnyShape | None, quotes: pl.DataFrame, outages: pl.DataFrame | None
) -> Curve:
    one = fitted.curves[name]
    own = Outages.create_empty() if outages is None else outages_of(outages, quotes, name)
    return Curve(quotes=one.quotes, curve=one.curve, fitted=one, asked=Asked(choice=choice, shape=shape, outages=own))


def _zone(table: pl.DataFrame, what: str) -> str:
    zones = table["timezone"].unique().sort().to_list()
    if len(zones) != 1:
        raise InputError.of("quotes", f"one time zone for {what}", column="timezone", value=", ".join(zones))
    return str(zones[0])


def _discount(table: pl.DataFrame, rate: float | None, file: Path | None) -> Discount | None:
    if rate is not None:
        return flat(rate)
    if file is None:
        return None
    from tenorgrid.curves.discount_quantlib import discount_curve  # loads QuantLib, only needed here

    last = table["as_of"].max()
    day = (last if isinstance(last, datetime) else datetime.now(UTC)).astimezone(UTC).date()
    return discount_curve(folders.read_file(file, DiscountRates), as_of=day)

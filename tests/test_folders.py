"""The folders of a run: every table keeps to its schema, and what was written reads back the same."""

from pathlib import Path

import dataframely as dy
import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import Form, find_table, read_manifest, read_table
from tenorgrid.data.tables.book import Risks, Trades, Values
from tenorgrid.data.tables.curve import Curve, IndexShapes, Quotes, Volatility
from tenorgrid.data.tables.observed import Marks
from tenorgrid.data.tables.settled import Basis, Checks, Closings, Effectiveness, Exposures, Invoices, Ledger, Positions, Statements
from tenorgrid.folders import CLEARED, STATIC, read_clear, read_curves, read_file, write_clear, write_curves, write_marks
from tenorgrid.results import Marks as MarkResult
from tenorgrid.results import Run
from tenorgrid.term_structure import curves_of, curves_of_quotes

INDEX = "H100-SXM.US-EAST.FIRM"
WRITTEN: dict[str, dict[str, type[dy.Schema]]] = {
    "clear": CLEARED,
    "clear/case": STATIC,
    "marks": {"marks": Marks},
    "curve": {"quotes": Quotes, "curve": Curve, "shapes": IndexShapes, "volatility": Volatility},
    "value": {"trades": Trades, "values": Values, "risks": Risks},
    "settle": {
        "positions": Positions,
        "ledger": Ledger,
        "statements": Statements,
        "invoices": Invoices,
        "closings": Closings,
        "checks": Checks,
    },
    "basis": {"exposures": Exposures, "basis": Basis, "effectiveness": Effectiveness},
}
ONLY_WHERE_WHOLE = {"domain_prices", "commitments", "uplift", "allocation"}  # orders that are decided whole, and scale-up domains
MAY_BE_EMPTY = {"clear": {"headroom", "binding"} | ONLY_WHERE_WHOLE, "clear/case": {"links", "reserves"}}


@pytest.mark.parametrize("folder", WRITTEN)
def test_every_table_of_a_run_keeps_to_its_schema(folder: str, weeks_folder: Path) -> None:
    for name, schema in WRITTEN[folder].items():
        table = read_table(weeks_folder / folder, name, schema)
        assert table.height or name in MAY_BE_EMPTY.get(folder, set()), name
        assert not schema.is_valid(table.with_columns(pl.lit(None).alias(table.columns[0]))) or table.is_empty(), name


@pytest.mark.parametrize("folder", ["clear", "clear/case", "marks", "settle"])
def test_every_table_of_the_packaged_run_keeps_to_its_schema(folder: str, days_folder: Path) -> None:
    for name, schema in WRITTEN[folder].items():
        assert read_table(days_folder / folder, name, schema).height or name in {"headroom"} | ONLY_WHERE_WHOLE, name


def test_every_part_has_a_manifest_that_says_what_was_run(weeks_folder: Path) -> None:
    commands = {"clear": "clear", "marks": "mark", "curve": "curve", "value": "price", "settle": "settle", "basis": "basis"}
    for folder, command in commands.items():
        manifest = read_manifest(weeks_folder / folder)
        assert (manifest["command"], manifest["as_of"]) == (command, "2027-02-22"), folder
        assert manifest["code"]["tenorgrid"]
    assert read_manifest(weeks_folder)["command"] == "run"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_cleared_run_reads_back_the_same(form: Form, seven_weeks: Case, tmp_path: Path) -> None:
    run = tg.clear(seven_weeks, as_of="2027-01-14", pricing="convex-hull")
    write_clear(run, tmp_path / "clear", form=form)
    again = read_clear(tmp_path / "clear")
    for name, frame in run.tables().items():
        assert frame.equals(again.tables()[name]), name
    assert (again.as_of, again.pricing) == (run.as_of, run.pricing)
    assert again.case.market == run.case.market
    for name in STATIC:
        assert getattr(again.case, name).equals(getattr(run.case, name)), name


def test_curves_read_back_are_the_fitted_ones(weeks_run: Run, weeks_marks: MarkResult, march_quotes: pl.DataFrame, tmp_path: Path) -> None:
    fitted = curves_of(weeks_run, weeks_marks, quotes=march_quotes)
    write_curves(fitted, tmp_path / "curve")
    curves, volatility = read_curves(tmp_path / "curve")
    assert list(curves) == list(fitted.curves) == [INDEX]
    written, read = fitted.curves[INDEX].curve, curves[INDEX].curve
    assert read["start"].equals(written["start"])
    assert np.abs(read["forward"].to_numpy() - written["forward"].to_numpy()).max() <= 1e-12
    assert curves[INDEX].as_of == fitted.curves[INDEX].as_of
    pair = [curve.jacobian().sort("start", "quote_id") for curve in (curves[INDEX], fitted.curves[INDEX])]
    assert (pair[0]["weight"] - pair[1]["weight"]).abs().max() <= 1e-12  # type: ignore[operator]
    assert volatility.equals(fitted.volatility)
    assert written["forward"].std() > 0.01  # type: ignore[operator]  # a flat curve would read back whatever happened


def test_the_curve_of_a_run_folder_reads_back(weeks_folder: Path) -> None:
    curves, _ = read_curves(weeks_folder / "curve")
    written = read_table(weeks_folder / "curve", "curve", Curve)
    assert np.abs(curves[INDEX].curve["forward"].to_numpy() - written["forward"].to_numpy()).max() <= 1e-12
    assert written["lower"].null_count() < written.height
    assert (written["lower"] <= written["forward"]).drop_nulls().all()
    assert (written["forward"] <= written["upper"]).drop_nulls().all()


def test_a_table_without_rows_is_not_written_beside_curves(march_quotes: pl.DataFrame, tmp_path: Path) -> None:
    write_curves(curves_of_quotes(march_quotes), tmp_path / "curve")
    assert find_table(tmp_path / "curve", "volatility") is None
    curves, volatility = read_curves(tmp_path / "curve")
    assert volatility.is_empty()
    assert curves[INDEX][f"{INDEX}:2027-03"] == pytest.approx(2.6, abs=1e-12)


def test_marks_have_one_line_of_audit_each(weeks_run: Run, tmp_path: Path) -> None:
    marks = tg.mark(weeks_run.observations(), first="2027-01-11", end="2027-01-13")
    write_marks(marks, tmp_path / "marks")
    assert len((tmp_path / "marks" / "audit.jsonl").read_text().splitlines()) == marks.marks.height > 0
    assert read_table(tmp_path / "marks", "marks", Marks).equals(marks.marks)


def test_a_folder_that_clear_did_not_write_and_a_file_that_is_none_are_refused(tmp_path: Path, weeks_folder: Path) -> None:
    with pytest.raises(InputError, match="expected a folder that tenorgrid clear wrote"):
        read_clear(tmp_path)
    with pytest.raises(InputError, match="expected a file"):
        read_file(tmp_path, Trades)
    with pytest.raises(InputError, match=r"values\.csv, column value: found an unlisted column"):
        read_file(weeks_folder / "value" / "values.csv", Trades)

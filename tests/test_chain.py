"""The chain: a run folder hangs together, whoever makes it again from a part of itself."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.chain import Clock, basis_of, packaged, published, run_market, run_observations, settle_folder, value_of
from tenorgrid.data.case import Case, make_case
from tenorgrid.data.errors import InputError, NotPublishedError, PartLeftOutWarning
from tenorgrid.data.store import read_manifest, read_table
from tenorgrid.data.tables.book import Values
from tenorgrid.data.tables.observed import Marks as MarkTable
from tenorgrid.data.tables.settled import Ledger
from tenorgrid.results import Marks, Run

EAST, GROUP = "H100-SXM.US-EAST.FIRM", "H100-SXM.US.FIRM"
AS_OF = date(2027, 2, 22)


class Told:
    """Steps that remember what they were told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.places: list[float] = []

    def begin(self, name: str, *, at: float) -> None:
        """Remember both."""
        self.steps.append(name)
        self.places.append(at)

    def reach(self, at: float) -> None:
        """Remember the place."""
        self.places.append(at)


def contents(folder: Path) -> dict[str, bytes]:
    """Files by their bytes; a Delta table, whose files bear names drawn at random, by its rows."""
    tables = [log.parent for log in folder.rglob("_delta_log")]
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not any(table in path.parents for table in tables))
    rows = {str(table.relative_to(folder)): pl.read_delta(str(table)).write_csv().encode() for table in tables}
    return {str(path.relative_to(folder)): path.read_bytes() for path in files} | rows


@pytest.mark.slow
def test_the_same_case_gives_the_same_folder_in_any_order_of_rows(
    seven_weeks: Case, march_quotes: pl.DataFrame, weeks_folder: Path, tmp_path: Path
) -> None:
    turned = make_case(seven_weeks.market, {name: frame.reverse() for name, frame in seven_weeks.tables().items()})
    told = Told()
    run_market(turned, tmp_path / "out", as_of=AS_OF, quotes=march_quotes, steps=told)
    first, second = contents(weeks_folder), contents(tmp_path / "out")
    assert first.keys() == second.keys()
    by_time = {"manifest.json", "certificate.parquet", "report.html"}  # seconds and the moment of writing
    static = {name for name in first if name.startswith("clear/case/")}  # in the order of the case
    assert {name for name in first if first[name] != second[name] and Path(name).name not in by_time} <= static
    assert told.steps == ["clearing", "marks, curves, settlement", "report"]
    assert told.places == sorted(told.places)
    assert (told.places[0], told.places[-1]) == (0.0, 0.94)


def test_the_book_has_the_same_values_from_the_folder(weeks_folder: Path) -> None:
    _, valued = value_of(weeks_folder / "value" / "trades.csv", weeks_folder, rate=0.04)
    written = read_table(weeks_folder / "value", "values", Values)
    assert valued.values["trade_id"].to_list() == written["trade_id"].to_list()
    assert (valued.values["value"] - written["value"]).abs().max() <= 1e-9 * written["value"].abs().max()  # type: ignore[operator]
    assert {"forward", "capacity", "virtual"} == set(written["kind"].cast(pl.String))


def test_settling_the_folder_gives_the_ledger_of_the_run(weeks_folder: Path, tmp_path: Path) -> None:
    owed = settle_folder(weeks_folder, tmp_path / "settle", version="initial")
    written = read_table(weeks_folder / "settle", "ledger", Ledger)
    assert owed.ledger.frame.equals(written)
    assert read_manifest(tmp_path / "settle")["inputs"].keys() == {"clear"}
    again = settle_folder(weeks_folder, tmp_path / "settle", version="initial")
    assert again.ledger.frame.equals(written)


def test_a_ledger_that_was_tampered_with_is_not_appended_to(weeks_folder: Path, tmp_path: Path) -> None:
    settle_folder(weeks_folder, tmp_path / "settle", version="initial")
    path = tmp_path / "settle" / "ledger.parquet"
    ledger = pl.read_parquet(path)
    ledger.with_columns(pl.when(pl.int_range(pl.len()) == 3).then(pl.col("amount") + 1).otherwise("amount")).write_parquet(path)
    before = contents(tmp_path / "settle")
    with pytest.raises(InputError, match="expected a sum of 0"):
        settle_folder(weeks_folder, tmp_path / "settle", version="final")
    assert contents(tmp_path / "settle") == before


def test_a_basis_takes_every_firm_gpu_index_or_those_that_are_named(weeks_folder: Path) -> None:
    exposures, marks = weeks_folder / "basis" / "exposures.csv", weeks_folder / "marks" / "marks.csv"
    every = basis_of(exposures, marks, using=None)
    assert {EAST, GROUP, "H100-SXM.US-WEST.FIRM"} <= set(every.basis["index"])
    assert not every.basis["index"].str.starts_with("CHAT").any()
    one = basis_of(exposures, marks, using=[EAST])
    assert one.basis.equals(every.basis.filter(pl.col("index") == EAST))


def test_marks_are_of_whole_days_delivered_and_of_work_too(weeks_run: Run, weeks_marks: Marks) -> None:
    marks = weeks_marks
    assert (marks.marks["start"].min(), marks.marks["end"].max()) == (
        weeks_run.certificate["start"].min(),
        weeks_run.case.market.midnight(AS_OF),
    )
    assert {EAST, GROUP, "CHAT.US-EAST.FIRM"} <= set(marks.marks["index"])
    work, gpu = (marks.marks.filter(pl.col("index") == name)["value"] for name in ("CHAT.US-EAST.FIRM", EAST))
    assert (work - gpu).abs().max() <= 1e-6  # type: ignore[operator]  # one GPU-hour makes one unit; six decimals each


def test_marks_without_a_value_are_not_published(weeks_marks: Marks) -> None:
    marks = weeks_marks
    assert published(marks) is marks
    none = type(marks)(
        marks=marks.marks.with_columns(pl.lit(None, dtype=pl.Float64).alias("value")),
        exclusions=marks.exclusions, audits=marks.audits, run=marks.run,
    )  # fmt: skip
    with pytest.raises(NotPublishedError, match=f"no mark has a value: {marks.marks.height} withheld, 0 observations excluded by house"):
        published(none)


def test_what_a_case_is_too_short_for_is_left_out_aloud_and_nothing_of_it_is_written(seven_weeks: Case, tmp_path: Path) -> None:
    with pytest.warns(PartLeftOutWarning) as told:
        done = run_market(seven_weeks, tmp_path / "out", as_of=date(2027, 1, 14))
    assert done["left_out"] == ["value", "basis"]
    sentences = [str(one.message) for one in told]
    assert any(sentence.startswith("value/ is left out: ") for sentence in sentences)
    assert any("basis/ is left out: marks: found 2, expected at least 10 changes" in sentence for sentence in sentences)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"clear", "marks", "curve", "settle", "manifest.json", "report.html"}
    assert read_manifest(tmp_path / "out")["settings"]["left_out"] == ["value", "basis"]


def test_quotes_that_were_given_and_contradict_the_market_are_refused_and_not_left_out(
    seven_weeks: Case, march_quotes: pl.DataFrame, tmp_path: Path
) -> None:
    both = pl.concat([march_quotes, march_quotes.with_columns(pl.lit("other").alias("quote_id"), pl.lit(9.0).alias("price"))])
    with pytest.raises(InputError, match="other"), pytest.warns(PartLeftOutWarning):
        run_market(seven_weeks, tmp_path / "out", as_of=date(2027, 1, 14), quotes=both)
    assert list(tmp_path.iterdir()) == []


def test_observed_prices_become_a_folder_without_clearing(weeks_run: Run, tmp_path: Path) -> None:
    told = Told()
    done = run_observations(weeks_run.observations(), tmp_path / "out", method="house", steps=told)
    assert told.steps == ["marks", "curves and volatility", "report"]
    assert EAST in str(done["curves"])
    marks = read_table(tmp_path / "out" / "marks", "marks", MarkTable)
    assert marks.filter(pl.col("index") == EAST).height == 42
    assert (tmp_path / "out" / "curve" / "volatility.csv").is_file()
    assert read_manifest(tmp_path / "out")["settings"]["synthetic"] is False


def test_a_clock_adds_up_what_a_part_takes() -> None:
    clock = Clock()
    for _ in range(2):
        with clock.part("a"):
            pass
    with clock.part("b"):
        sum(range(200_000))
    assert list(clock.seconds) == ["a", "b"]
    assert 0 <= clock.seconds["a"] <= clock.seconds["b"] < 5


@pytest.mark.slow
def test_the_market_of_a_seed_is_drawn_with_quotes_of_its_months() -> None:
    drawn = packaged()
    assert drawn.as_of == date(2027, 3, 16)
    assert [horizon.name for horizon in drawn.case.market.horizons] == ["month-ahead", "week-ahead", "day-ahead", "real-time"]
    assert drawn.quotes["source"].str.contains("synthetic").all()
    assert drawn.quotes["end"].max() > drawn.case.bids["end"].max()  # type: ignore[operator]  # past what any run clears


def test_a_run_folder_without_its_clearing_cannot_be_settled(weeks_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(weeks_folder / "marks", tmp_path / "run" / "marks")
    with pytest.raises(InputError, match="expected a folder that tenorgrid clear wrote"):
        settle_folder(tmp_path / "run", tmp_path / "settle", version="initial")
    assert not (tmp_path / "settle").exists()


def test_two_processes_give_the_tables_of_one(command: Callable[..., Any], weeks_case: Path, weeks_folder: Path, tmp_path: Path) -> None:
    said = command("clear", weeks_case, "--as-of", "2027-02-22", "--parquet", "--out", tmp_path / "two", "--workers", 2)
    assert said.code == 0
    one, two = weeks_folder / "clear", tmp_path / "two"
    names = sorted(path.name for path in one.glob("*.parquet"))
    assert names == sorted(path.name for path in two.glob("*.parquet"))
    for name in names:
        frames = [pl.read_parquet(folder / name).drop("seconds", strict=False) for folder in (one, two)]
        assert frames[0].equals(frames[1]), name

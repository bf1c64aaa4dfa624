"""The command line refuses: one clear error with every fault, exit code 1, no folder left behind, the last good output as it was."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

TWO = Path(__file__).parent / "data" / "cases" / "two_locations"
HOUR = "2027-01-01T00:00:00Z,2027-01-01T01:00:00Z"
BACK = "2027-01-01T01:00:00Z,2027-01-01T00:00:00Z"
OBSERVED = "observation_id,time,provider,resource,region,location,tier,horizon,term_hours,gpu_count,price,quantity,kind"
SEEN = "o1,2026-11-02T17:00:00Z,a,h100-sxm,us-east,,firm,,,8,2.0,,list price"

Command = Callable[..., Any]
Change = Callable[[str], str]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def add(line: str) -> Change:
    return lambda text: text + line + "\n"


def instead(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new)


def column(name: str, *cells: str) -> Change:
    return lambda text: "".join(f"{line},{cell}\n" for line, cell in zip(text.splitlines(), (name, *cells), strict=True))


def without(name: str) -> Change:
    def drop(text: str) -> str:
        place = text.splitlines()[0].split(",").index(name)
        return "".join(",".join(cell for n, cell in enumerate(line.split(",")) if n != place) + "\n" for line in text.splitlines())

    return drop


def only_header(text: str) -> str:
    return text.splitlines()[0] + "\n"


FAULTS: dict[str, tuple[str, Change, str]] = {
    "a missing column": ("offers.csv", without("price"), "offers.csv, column price: found a missing column, expected this column"),
    "an unlisted column": ("bids.csv", column("colour", "red", "blue"), "bids.csv, column colour: found an unlisted column"),
    "an unknown resource": (
        "offers.csv", add(f"x,acme,east,tpu,{HOUR},1,1,2"),
        "offers.csv row 3, column resource: found tpu, expected a resource of resources.csv",
    ),
    "a negative quantity": (
        "offers.csv", add(f"x,acme,east,h100-sxm,{HOUR},1,-5,2"),
        "offers.csv row 3, column quantity: found -5.0, expected a number of at least 0",
    ),
    "a NaN": ("bids.csv", add(f"x,carla,chat,east,{HOUR},1,NaN,2"), "bids.csv row 3, column quantity: found NaN, expected a number"),
    "text in a nullable number": (
        "bids.csv", column("interruption_loss", "", "much"), "bids.csv row 2, column interruption_loss: found much, expected a number",
    ),
    "an end before its start": ("bids.csv", add(f"x,carla,chat,east,{BACK},1,1,2"), "bids.csv row 3, column end: found end 2027"),
    "a duplicate id": (
        "bids.csv", add(f"east-chat,carla,chat,east,{HOUR},1,1,2"),
        "bids.csv row 3, column horizon: found nothing, east-chat, 1, expected one row per horizon, bid_id and step (row 1 has the same)",
    ),
    "an empty file": ("offers.csv", lambda _: "", "offers.csv"),
    "no bids": ("bids.csv", only_header, "bids.csv: expected at least one row"),
    "a run that never fits": ("offers.csv", column("min_hours", "9", ""), "offers.csv row 1, column min_hours: found 9"),
    "a missing term": ("market.toml", instead("price_cap = 100\n", ""), "market.toml, column price_cap: found a missing key"),
}  # fmt: skip


@pytest.fixture
def good(two_cleared: Path, tmp_path: Path) -> Path:
    """An earlier output, beside which nothing stands."""
    return Path(shutil.copytree(two_cleared, tmp_path / "place" / "out"))


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A copy of the case of two locations, to be broken."""
    return Path(shutil.copytree(TWO, tmp_path / "case"))


def broken(case: Path, *names: str) -> None:
    for name in names:
        file, change, _ = FAULTS[name]
        path = case / file
        path.write_text(change(path.read_text()))


def refused(said: Any, good: Path, before: dict[str, bytes]) -> list[str]:
    """The sentences of a refusal that left everything as it was."""
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("tenorgrid: ")
    assert "Traceback" not in said.err
    assert contents(good) == before
    assert [path.name for path in good.parent.iterdir()] == [good.name]
    return list(said.err.removeprefix("tenorgrid: ").splitlines())


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_case_is_refused_and_leaves_the_last_good_output(name: str, command: Command, case: Path, good: Path) -> None:
    broken(case, name)
    told = refused(command("clear", case, "--out", good, "--workers", 1), good, contents(good))
    assert len(told) == 1
    assert told[0].startswith(FAULTS[name][2])


def test_run_refuses_a_broken_case_as_clear_does(command: Command, case: Path, good: Path) -> None:
    broken(case, "a negative quantity")
    for out in (good, good.parent / "new" / "out"):
        told = refused(command("run", "--case", case, "--out", out, "--workers", 1), good, contents(good))
        assert told == ["offers.csv row 3, column quantity: found -5.0, expected a number of at least 0"]


def test_all_faults_of_all_files_come_at_once(command: Command, case: Path, good: Path) -> None:
    names = ("an unknown resource", "an unlisted column", "a missing term")
    broken(case, *names)
    told = refused(command("clear", case, "--out", good, "--workers", 1), good, contents(good))
    for name in names:
        file, _, _ = FAULTS[name]
        assert [line for line in told if line.startswith(file)], name
    assert len(told) == len(names)


def test_of_many_faults_the_first_twenty_of_a_file_are_told_and_the_rest_counted(command: Command, case: Path, good: Path) -> None:
    for n in range(25):
        (case / "offers.csv").write_text((case / "offers.csv").read_text() + f"x{n},acme,east,h100-sxm,{HOUR},1,-5,2\n")
    told = refused(command("clear", case, "--out", good, "--workers", 1), good, contents(good))
    assert len(told) == 21
    assert told[-1] == "offers.csv: 5 more faults"


OBSERVATION_FAULTS: dict[str, str] = {
    f"{OBSERVED}\n{SEEN.replace(',2.0,', ',dear,')}": "seen.csv row 1, column price: found dear, expected a number",
    f"{OBSERVED}\n{SEEN.replace(',2.0,', ',NaN,')}": "seen.csv row 1, column price: found NaN, expected a number",
    f"{OBSERVED}\n{SEEN.replace('list price', 'rumour')}": "seen.csv row 1, column kind: found rumour, expected ",
    f"{OBSERVED}\n{SEEN.replace('T17:00:00Z', 'T17:00:00')}": "seen.csv row 1, column time: found 2026-11-02T17:00:00, expected ",
    f"{OBSERVED}\n{SEEN}\n{SEEN}": "seen.csv row 2, column observation_id: found o1, expected one row per observation_id",
    f"{OBSERVED}\n": "seen.csv: expected at least one row",
    f"{OBSERVED.replace('provider', 'vendor')}\n{SEEN}": "seen.csv: found ",
    "": "seen.csv: found an empty file, expected the header of a known format",
}  # fmt: skip


@pytest.mark.parametrize("text", OBSERVATION_FAULTS, ids=range(len(OBSERVATION_FAULTS)))
def test_broken_observations_are_refused(text: str, command: Command, good: Path) -> None:
    seen = good.parent.parent / "seen.csv"
    seen.write_text(text)
    told = refused(command("mark", seen, "--out", good), good, contents(good))
    assert told[0].startswith(OBSERVATION_FAULTS[text]), told


def test_run_refuses_broken_observations_as_mark_does(command: Command, good: Path) -> None:
    seen = good.parent.parent / "seen.csv"
    seen.write_text(f"{OBSERVED}\n{SEEN.replace(',2.0,', ',dear,')}")
    for out in (good, good.parent / "new" / "out"):
        told = refused(command("run", "--observations", seen, "--out", out), good, contents(good))
        assert told == ["seen.csv row 1, column price: found dear, expected a number"]


def test_a_reader_or_a_methodology_that_nobody_knows_is_refused(command: Command, good: Path) -> None:
    seen = good.parent.parent / "seen.csv"
    seen.write_text(f"{OBSERVED}\n{SEEN}\n")
    before = contents(good)
    told = refused(command("mark", seen, "--out", good, "--format", "tarot"), good, before)
    assert told[0].startswith("seen.csv: found tarot, expected a format out of ")
    told = refused(command("mark", seen, "--out", good, "--method", "tarot"), good, before)
    assert told[0].startswith("methodology: found tarot, expected one of brr-like, ccir-1.1.0, ccir-1.1.1")
    told = refused(command("mark", seen, "--out", good, "--date", "yesterday"), good, before)
    assert told[0].startswith("date: found yesterday, expected a day")
    told = refused(command("mark", seen.with_name("nosuch.csv"), "--out", good), good, before)
    assert told[0].endswith("expected a CSV or Parquet file of observed prices")


def test_a_horizon_that_the_market_has_not_and_a_day_that_is_none_are_refused(command: Command, good: Path) -> None:
    before = contents(good)
    told = refused(command("clear", TWO, "--out", good, "--workers", 1, "--horizon", "year-ahead"), good, before)
    assert told == ["horizon: found year-ahead, expected one of real-time"]
    told = refused(command("clear", TWO, "--out", good, "--workers", 1, "--as-of", "tomorrow"), good, before)
    assert told == ["as_of: found tomorrow, expected a day such as 2027-03-16"]
    told = refused(command("clear", TWO, "--out", good, "--workers", 1, "--as-of", "2020-01-01"), good, before)
    assert told == ["bids: found none, expected at least one bid at the horizons that are cleared"]


def test_a_folder_that_is_no_run_is_refused(command: Command, weeks_folder: Path, good: Path) -> None:
    before = contents(good)
    book = weeks_folder / "value" / "trades.csv"
    told = refused(command("settle", TWO, "--out", good), good, before)
    assert told[0].endswith("expected a folder that tenorgrid clear wrote, with case/ in it")
    told = refused(command("price", book, "--market", TWO, "--out", good), good, before)
    assert told[0].startswith("quotes.csv: expected a file of this name")
    told = refused(command("report", TWO), good, before)
    assert "expected a run folder" in told[0]
    assert not (TWO / "report.html").exists()
    told = refused(command("report", good.parent / "nosuch"), good, before)
    assert "expected a run folder" in told[0]


def test_what_no_command_wrote_is_never_replaced(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    said = command("clear", TWO, "--out", tmp_path / "mine", "--workers", 1)
    assert said.code == 1
    assert "a folder of other files" in said.err
    said = command("clear", TWO, "--out", tmp_path / "mine" / "letter.txt", "--workers", 1)
    assert said.code == 1
    assert "found a file" in said.err
    assert contents(tmp_path) == {"mine/letter.txt": b"dear"}


def test_an_output_that_would_replace_its_input_is_refused(command: Command, case: Path, good: Path, weeks_folder: Path) -> None:
    (case / "manifest.json").write_text("{}")  # as a case has that `write_case` wrote
    (case.parent / "manifest.json").write_text("{}")
    whole = contents(case.parent)
    for out in (case, case.parent, case / "..", case / ".." / "case"):
        for arguments in (("clear", case), ("run", "--case", case)):
            said = command(*arguments, "--out", out, "--workers", 1)
            assert said.code == 1
            assert "a folder that does not hold the input" in said.err
    said = command("settle", good, "--out", good)
    assert said.code == 1
    assert "a folder that does not hold the input" in said.err
    assert contents(case.parent) == whole
    said = command("price", weeks_folder / "value" / "trades.csv", "--market", weeks_folder, "--out", weeks_folder)
    assert said.code == 1
    assert (weeks_folder / "report.html").is_file()


TRADE_FAULTS: dict[str, tuple[str, str, str]] = {
    "an unknown index": ("index", "NOSUCH.US.FIRM", "NOSUCH.US.FIRM"),
    "an unknown kind": ("kind", "wish", "book.csv row 2, column kind: found wish, expected "),
    "a negative quantity": ("quantity", "-1", "book.csv row 2, column quantity: found -1.0, expected "),
    "a strike that is text": ("strike", "cheap", "book.csv row 2, column strike: found cheap, expected a number"),
    "an end before its start": (
        "end",
        "2020-01-01T00:00:00Z",
        "book.csv row 2, column end: found end 2020-01-01T00:00:00Z, start 2027-03-01T05:00:00Z, expected",
    ),
    "a name that was used": (
        "trade_id",
        "FWD-2027-02",
        "book.csv row 2, column trade_id: found FWD-2027-02, expected one row per trade_id",
    ),
    "an end that is not its contract's": ("end", "2031-01-01T05:00:00Z", "trades row 2, column end: found 2031-01-01"),
    "a contract of other days": ("contract", "H100-SXM.US-EAST.FIRM:2027-05", "trades row 2, column "),
}


@pytest.mark.parametrize("name", TRADE_FAULTS)
def test_a_broken_book_is_refused(name: str, command: Command, weeks_folder: Path, good: Path) -> None:
    cells, value, told = TRADE_FAULTS[name]
    table = pl.read_csv(weeks_folder / "value" / "trades.csv", infer_schema=False).head(2)
    book = good.parent.parent / "book.csv"
    table.with_columns(pl.when(pl.col("trade_id") == "FWD-2027-03").then(pl.lit(value)).otherwise(cells).alias(cells)).write_csv(book)
    found = refused(command("price", book, "--market", weeks_folder, "--out", good), good, contents(good))
    assert told in found[0]


def test_a_book_that_was_given_to_run_is_refused_and_not_left_out(
    command: Command, weeks_case: Path, weeks_folder: Path, march_quotes: pl.DataFrame, good: Path
) -> None:
    table = pl.read_csv(weeks_folder / "value" / "trades.csv", infer_schema=False).head(2)
    book, quotes = good.parent.parent / "book.csv", good.parent.parent / "quotes.parquet"
    table.with_columns(pl.lit("NOSUCH.US.FIRM").alias("index")).write_csv(book)
    march_quotes.write_parquet(quotes)
    said = command("run", "--case", weeks_case, "--as-of", "2027-02-01", "--book", book, "--out", good, "--workers", 1)
    assert "NOSUCH.US.FIRM" in "".join(line for line in said.err.splitlines() if "warning" not in line)
    assert said.code == 1
    assert [path.name for path in good.parent.iterdir()] == ["out"]


def test_broken_quotes_and_exposures_are_refused(command: Command, weeks_folder: Path, good: Path) -> None:
    before, place = contents(good), good.parent.parent
    quotes = pl.read_csv(weeks_folder / "curve" / "quotes.csv", infer_schema=False)
    quotes.with_columns(pl.lit("dear").alias("price")).head(1).write_csv(place / "quotes.csv")
    told = refused(command("curve", place / "quotes.csv", "--out", good), good, before)
    assert told == ["quotes.csv row 1, column price: found dear, expected a number"]
    quotes.clear().write_csv(place / "quotes.csv")
    assert refused(command("curve", place / "quotes.csv", "--out", good), good, before) == ["quotes.csv: expected at least one row"]
    exposures = pl.read_csv(weeks_folder / "basis" / "exposures.csv", infer_schema=False)
    exposures.with_columns(pl.lit("h100-sxm").alias("resource")).write_csv(place / "exposures.csv")
    marks = weeks_folder / "marks" / "marks.csv"
    told = refused(command("basis", place / "exposures.csv", "--index", marks, "--out", good), good, before)
    assert told[0].startswith("exposures.csv row 1, column workload: found workload chat, resource h100-sxm")
    exposures.with_columns(pl.lit("chess").alias("workload")).write_csv(place / "exposures.csv")
    told = refused(command("basis", place / "exposures.csv", "--index", marks, "--out", good), good, before)
    assert "CHESS.US-WEST.FIRM" in told[0]
    told = refused(command("basis", place / "nosuch.csv", "--index", marks, "--out", good), good, before)
    assert told == [f"{place / 'nosuch.csv'}: expected a file"]

"""The command line: what each command does, says and writes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.store import read_manifest, read_table
from tenorgrid.data.tables.curve import Curve
from tenorgrid.data.tables.observed import Marks

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
CCIR = SHARED / "ccir_vast_listings_us.csv.gz"
DAILY = SHARED / "gpu_prices_daily_multiprovider.csv.gz"
HALF_HOURLY = SHARED / "gpu_prices_30min_primeintellect_stats.csv.gz"
TWO = Path(__file__).parent / "data" / "cases" / "two_locations"
EAST = "H100-SXM.US-EAST.FIRM"
COMMANDS = (
    "run", "clear", "basket", "mark", "curve", "price", "settle", "basis", "report",
    "deals", "tiers", "recipes", "workloads", "normalise", "premium", "rental", "contracts", "pnl", "risk", "far", "factors", "hedge-study",
    "virtuals", "volatility", "attack", "explain", "intelligence", "what-if",
)  # fmt: skip
GROUPS = ("publish",)  # of commands, each with a help of its own
PARTS = ("clear", "marks", "curve", "value", "settle", "basis")
OBSERVED = "observation_id,time,provider,resource,region,location,tier,horizon,term_hours,gpu_count,price,quantity,kind\n"

Command = Callable[..., Any]


def listed(path: Path, *, days: int = 1, resource: str = "h100-sxm") -> Path:
    """List prices of four providers from 2 November 2026 on, 2.0 to 9.0 on the first day and all 0.1 dearer every day."""
    rows = [
        f"{name}{day},2026-11-{day + 2:02}T17:00:00Z,{name},{resource},us-east,,firm,,,8,{price + 0.1 * day:.1f},,list price"
        for day in range(days)
        for name, price in zip("abcd", (2.0, 2.1, 2.3, 9.0), strict=True)
    ]
    path.write_text(OBSERVED + "\n".join(rows) + "\n")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, command: Command) -> None:
    said = command(name, "--help")
    assert said.code == 0
    assert f"Example: tenorgrid {name} " in said.out
    assert "--json" in said.out


def test_help_lists_every_command_and_no_other(command: Command) -> None:
    said = command("--help")
    listed_ = [line.split()[0] for line in said.out.split("Commands:")[1].splitlines() if line.strip()]
    assert said.code == 0
    assert listed_ == [*COMMANDS, *GROUPS]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
        ("clear",),
        ("clear", TWO),  # no --out
        ("clear", TWO, "--out", "x", "--nosuch"),
        ("clear", TWO, "--out", "x", "--workers", "0"),
        ("clear", TWO, "--out", "x", "--pricing", "free"),
        ("price", "book.csv", "--market", "x", "--rate", "much"),
        ("mark", "seen.csv"),  # neither --out nor --verify
        ("run", "--case", TWO, "--observations", "seen.csv"),
        ("run", "--observations", "seen.csv", "--as-of", "2027-03-16"),
        ("run", "--observations", "seen.csv", "--book", "book.csv", "--workers", "1"),
        ("run", "--case", TWO, "--seed", "3"),
        ("run", "--case", TWO, "--format", "daily"),
        ("run", "--method", "house"),
        ("mark", "seen.csv", "--out", "x", "--verify", "audit.jsonl"),
    ],
)
def test_wrong_usage_ends_with_2_and_writes_nothing(
    arguments: tuple[object, ...], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(*arguments)
    assert said.code == 2
    assert "Usage: " in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_in_one_line(command: Command, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    said = command("clear", TWO, "--out", blocked / "clear", "--workers", "1")
    assert said.code == 1
    assert [line.startswith("tenorgrid: ") for line in said.err.splitlines()] == [True]


def test_run_clears_the_packaged_days_and_leaves_out_aloud_what_they_are_too_short_for(days_folder: Path) -> None:
    manifest = read_manifest(days_folder)
    assert manifest["settings"]["left_out"] == ["basis"]
    assert {path.name for path in days_folder.iterdir()} == {*PARTS, "manifest.json", "report.html"} - {"basis"}
    assert "Synthetic data." in (days_folder / "report.html").read_text()


def test_run_of_a_case_too_short_for_marks_still_clears_settles_and_reports(command: Command, tmp_path: Path) -> None:
    said = command("run", "--case", TWO, "--out", tmp_path / "out", "--workers", 1, "--json")
    assert said.code == 0
    assert json.loads(said.out)["left_out"] == ["marks", "curve", "value", "basis"]
    assert "tenorgrid: warning: marks/ is left out: " in said.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"clear", "settle", "manifest.json", "report.html"}


def test_run_writes_every_part_of_what_it_is_given_and_says_what_it_found(
    command: Command, weeks_case: Path, weeks_folder: Path, march_quotes: pl.DataFrame, tmp_path: Path
) -> None:
    march_quotes.write_parquet(tmp_path / "quotes.parquet")
    book = pl.read_csv(weeks_folder / "value" / "trades.csv", infer_schema=False)
    book.filter(pl.col("trade_id") == "FWD-2027-03").write_csv(tmp_path / "book.csv")
    exposures = pl.read_csv(weeks_folder / "basis" / "exposures.csv", infer_schema=False)
    exposures.with_columns(pl.lit("mine").alias("exposure")).write_csv(tmp_path / "exposures.csv")
    out = tmp_path / "deep" / "out"
    said = command(
        "run", "--case", weeks_case, "--as-of", "2027-02-22", "--out", out, "--workers", 1, "--json",
        "--quotes", tmp_path / "quotes.parquet", "--book", tmp_path / "book.csv", "--exposures", tmp_path / "exposures.csv",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    done = json.loads(said.out)
    assert (done["as_of"], done["left_out"], done["settlement_checks_failed"]) == ("2027-02-22", [], 0)
    assert done["intervals"] == 42 * 24 + 49 * 24
    assert done["worst_gap"] < 1e-6
    assert {path.name for path in out.iterdir()} == {*PARTS, "manifest.json", "report.html"}
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert read_manifest(out)["settings"]["seconds"].keys() == done["seconds"].keys()
    values = pl.read_csv(out / "value" / "values.csv")
    first = pl.read_csv(weeks_folder / "value" / "values.csv").filter(pl.col("trade_id") == "FWD-2027-03")
    assert values.equals(first)
    assert pl.read_csv(out / "basis" / "basis.csv")["exposure"].to_list() == ["mine"]
    assert {"quotes.parquet", "book.csv", "exposures.csv"} < read_manifest(out)["inputs"].keys()


def test_run_makes_marks_a_curve_and_the_report_of_observed_prices(command: Command, tmp_path: Path) -> None:
    seen = listed(tmp_path / "seen.csv", days=10)
    said = command("run", "--observations", seen, "--out", tmp_path / "out", "--json")
    assert said.code == 0
    done = json.loads(said.out)
    assert EAST in done["curves"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"marks", "curve", "manifest.json", "report.html"}
    marks = read_table(tmp_path / "out" / "marks", "marks", Marks).filter(pl.col("index") == EAST)
    assert marks["value"].to_list() == pytest.approx([2.2 + 0.1 * day for day in range(10)], abs=1e-6)
    curve = read_table(tmp_path / "out" / "curve", "curve", Curve).filter(pl.col("index") == EAST)
    assert curve["forward"].mean() == pytest.approx(2.65, abs=1e-6)  # the mean of the ten marks, which it averages back to
    assert "no volatility of" in said.err  # ten days are fewer than the three weeks that it takes


def test_run_of_observed_prices_of_a_single_day_has_marks_and_no_curve(command: Command, tmp_path: Path) -> None:
    said = command("run", "--observations", listed(tmp_path / "seen.csv"), "--out", tmp_path / "out", "--json")
    assert said.code == 0
    assert json.loads(said.out)["curves"] == []
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.skipif(not (DAILY.exists() and HALF_HOURLY.exists()), reason="needs the published price files")
@pytest.mark.parametrize("path", [DAILY, HALF_HOURLY], ids=["daily", "half-hourly"])
def test_run_on_real_prices_marks_three_generations_of_gpu(path: Path, command: Command, tmp_path: Path) -> None:
    said = command("run", "--observations", path, "--out", tmp_path / "out", "--json")
    assert said.code == 0
    done = json.loads(said.out)
    assert done["curves"]
    marks = read_table(tmp_path / "out" / "marks", "marks", Marks)
    for resource in ("H100-SXM", "H200-SXM", "B200-SXM"):
        values = marks.filter(pl.col("index") == f"{resource}.GLOBAL.FIRM")["value"].drop_nulls()
        assert values.len() >= 20, resource
        assert values.is_between(0.5, 15).all(), resource  # USD per GPU-hour
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Synthetic data." not in page


@pytest.mark.skipif(not CCIR.exists(), reason="needs the listings published by CCIR")
def test_mark_gives_what_ccir_published(command: Command, tmp_path: Path) -> None:
    said = command("mark", CCIR, "--method", "ccir-1.1.1", "--date", "2026-03-04", "--out", tmp_path / "marks", "--json")
    assert said.code == 0
    values = {row["index"]: row["value"] for row in json.loads(said.out)["marks"]}
    assert values["H100-SXM.US.FIRM"] == 1.735
    assert values["H200-SXM.US.FIRM"] == 2.3237
    audits = {row["index"]: row for row in map(json.loads, (tmp_path / "marks" / "audit.jsonl").read_text().splitlines())}
    assert audits["H100-SXM.US.FIRM"]["counts"]["used"] == 44
    assert sum(day["used"] > 0 for day in audits["H100-SXM.US.FIRM"]["days"]) == 4
    assert audits["H200-SXM.US.FIRM"]["counts"]["used"] == 38
    assert command("mark", CCIR, "--verify", tmp_path / "marks" / "audit.jsonl").code == 0


def listings(path: Path) -> Path:
    """Eight made-up listings on each of three days, at 1.0 to 1.7, then 0.1 and 0.2 dearer: their pooled median is 1.45."""
    header = "basket,date,listing_id,gpu_name,num_gpus,dph_total,dph_per_gpu,reliability,geolocation,datacenter,gpu_ram_gb,collected_utc"
    rows = [
        f'made-up,2026-03-0{day},{day}{n},H100 SXM,2,{2 * price:.2f},{price:.2f},0.99,"Utah, US",False,81559,2026-03-0{day}T13:00:00+00:00'
        for day in (2, 3, 4)
        for n in range(8)
        for price in [1.0 + 0.1 * n + 0.1 * (day - 2)]
    ]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_mark_follows_the_method_that_is_named(command: Command, tmp_path: Path) -> None:
    seen = listings(tmp_path / "listings.csv")
    by_method = {}
    for method in ("ccir-1.1.1", "house"):
        said = command("mark", seen, "--method", method, "--date", "2026-03-04", "--out", tmp_path / method, "--json")
        assert said.code == 0
        by_method[method] = {row["index"]: row["value"] for row in json.loads(said.out)["marks"]}["H100-SXM.US.FIRM"]
    assert by_method["ccir-1.1.1"] == pytest.approx(1.45, abs=5e-5)  # 24 listings of three days
    assert by_method["house"] == pytest.approx(1.55, abs=5e-7)  # the last day's, one provider


def test_mark_of_a_file_in_our_own_layout_is_the_middle_half_of_four_providers(command: Command, tmp_path: Path) -> None:
    said = command("mark", listed(tmp_path / "seen.csv"), "--out", tmp_path / "marks", "--json")
    assert said.code == 0
    assert {row["value"] for row in json.loads(said.out)["marks"]} == {2.2}
    assert {path.name for path in (tmp_path / "marks").iterdir()} == {
        "marks.delta",
        "marks.csv",
        "exclusions.csv",
        "audit.jsonl",
        "manifest.json",
    }


def test_verify_confirms_an_audit_and_names_the_price_that_changed(command: Command, tmp_path: Path) -> None:
    seen = listed(tmp_path / "seen.csv")
    assert command("mark", seen, "--out", tmp_path / "marks").code == 0
    audit = tmp_path / "marks" / "audit.jsonl"
    said = command("mark", seen, "--verify", audit, "--json")
    assert said.code == 0
    assert json.loads(said.out) == {"confirmed": True, "differences": []}
    seen.write_text(seen.read_text().replace(",2.1,", ",2.2,"))
    said = command("mark", seen, "--verify", audit)
    assert (said.code, said.out) == (1, "")
    assert f"audit.jsonl: found {EAST} 2026-11-02: value is recorded as 2.2, recomputed as 2.25" in said.err
    assert "contributors[b]" in said.err
    said = command("mark", seen, "--verify", audit, "--json")
    assert said.code == 1
    assert json.loads(said.out)["confirmed"] is False
    assert any("contributors[b]" in one for one in json.loads(said.out)["differences"])


def test_verify_uses_a_method_of_ones_own_where_it_is_given(command: Command, tmp_path: Path) -> None:
    seen = listed(tmp_path / "seen.csv")
    own = tmp_path / "own.toml"
    shipped = Path(__file__).parents[1] / "indices" / "methodologies" / "house.toml"
    own.write_text(shipped.read_text().replace('name = "house"', 'name = "own"').replace("trim = 0.25", "trim = 0"))
    assert command("mark", seen, "--method", own, "--out", tmp_path / "marks").code == 0
    audit = tmp_path / "marks" / "audit.jsonl"
    assert command("mark", seen, "--method", own, "--verify", audit).code == 0
    said = command("mark", seen, "--verify", audit)
    assert said.code == 1
    assert "methodology: found own, expected one of" in said.err


def test_verify_holds_the_marks_beside_the_audit_against_it(command: Command, tmp_path: Path) -> None:
    seen = listed(tmp_path / "seen.csv")
    assert command("mark", seen, "--out", tmp_path / "marks").code == 0
    table = tmp_path / "marks" / "marks.csv"
    table.write_text(table.read_text().replace(",2.2,", ",2.1,", 1))
    said = command("mark", seen, "--verify", tmp_path / "marks" / "audit.jsonl")
    assert said.code == 1
    assert "marks.value is recorded as 2.1, recomputed as 2.2" in said.err


def test_where_no_mark_can_be_published_the_command_says_so_and_writes_nothing(command: Command, tmp_path: Path) -> None:
    said = command("mark", listed(tmp_path / "seen.csv"), "--date", "2020-01-01", "--out", tmp_path / "marks")
    assert said.code == 1
    assert said.err == "tenorgrid: no mark has a value: 0 withheld, 0 observations excluded by house\n"
    assert not (tmp_path / "marks").exists()


def test_curve_averages_back_to_its_quotes(command: Command, march_quotes: pl.DataFrame, tmp_path: Path) -> None:
    half = march_quotes["start"].dt.offset_by("14d")
    front = march_quotes.with_columns(quote_id=pl.lit("front"), contract=pl.lit("front half"), end=half, price=pl.lit(2.4))
    pl.concat([march_quotes, front]).write_parquet(tmp_path / "quotes.parquet")
    said = command("curve", tmp_path / "quotes.parquet", "--out", tmp_path / "curve", "--json")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out)["indices"] == [EAST]
    curve = read_table(tmp_path / "curve", "curve", Curve)
    assert curve["forward"].mean() == pytest.approx(2.6, abs=1e-9)
    assert curve.filter(pl.col("start") < half[0])["forward"].mean() == pytest.approx(2.4, abs=1e-9)


def test_curve_refuses_quotes_that_contradict_one_another_and_an_index_without_quotes(
    command: Command, march_quotes: pl.DataFrame, tmp_path: Path
) -> None:
    march_quotes.write_parquet(tmp_path / "quotes.parquet")
    said = command("curve", tmp_path / "quotes.parquet", "--index", "NOSUCH.US.FIRM", "--out", tmp_path / "curve")
    assert (said.code, said.err) == (1, "tenorgrid: quotes, column index: found NOSUCH.US.FIRM, expected quotes of this index\n")
    pl.concat([march_quotes, march_quotes.with_columns(quote_id=pl.lit("other"), price=pl.lit(2.7))]).write_parquet(
        tmp_path / "quotes.parquet"
    )
    said = command("curve", tmp_path / "quotes.parquet", "--out", tmp_path / "curve")
    assert said.code == 1
    assert "march" in said.err
    assert "other" in said.err
    assert sorted(path.name for path in (tmp_path / "curve").iterdir()) == ["arbitrage.csv", "curve.html", "manifest.json"]
    march_quotes.write_parquet(tmp_path / "quotes.parquet")
    assert command("curve", tmp_path / "quotes.parquet", "--out", tmp_path / "curve").code == 0
    made = contents(tmp_path / "curve")
    pl.concat([march_quotes, march_quotes.with_columns(quote_id=pl.lit("other"), price=pl.lit(2.7))]).write_parquet(
        tmp_path / "quotes.parquet"
    )
    assert command("curve", tmp_path / "quotes.parquet", "--out", tmp_path / "curve").code == 1
    assert contents(tmp_path / "curve") == made  # a refusal takes no curve away


def test_price_gives_the_values_that_the_run_wrote(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    book = weeks_folder / "value" / "trades.csv"
    said = command("price", book, "--market", weeks_folder, "--out", tmp_path / "value", "--json")
    assert (said.code, said.err) == (0, "")
    done = json.loads(said.out)
    assert done["value"] == pytest.approx(sum(done["trades"].values()), abs=1e-6)
    for table in ("trades", "values", "risks"):
        assert (tmp_path / "value" / f"{table}.csv").read_bytes() == (weeks_folder / "value" / f"{table}.csv").read_bytes(), table
    dearer = json.loads(command("price", book, "--market", weeks_folder, "--rate", 0.5, "--json").out)
    forward = "FWD-2027-02"  # paid within days, worth less at a higher rate
    assert 0 < dearer["trades"][forward] < done["trades"][forward]


def test_settling_a_run_twice_into_the_same_folder_posts_nothing_new(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "settle"
    said = command("settle", weeks_folder, "--out", out, "--json")
    assert said.code == 0
    first = contents(out)
    done = json.loads(said.out)
    assert done["checks_failed"] == 0
    assert done["postings"] == pl.read_parquet(out / "ledger.parquet").height > 1000
    again = command("settle", weeks_folder / "clear", "--out", out, "--json")  # the folder of clear, named itself
    assert json.loads(again.out) == done
    second = contents(out)
    assert {name for name in first if first[name] != second.get(name)} <= {"manifest.json"}
    assert first.keys() == second.keys()


def test_a_second_version_is_appended_to_the_ledger(command: Command, tmp_path: Path) -> None:
    assert command("clear", TWO, "--out", tmp_path / "clear", "--workers", 1).code == 0
    assert command("settle", tmp_path / "clear", "--out", tmp_path / "settle").code == 0
    first = pl.read_parquet(tmp_path / "settle" / "ledger.parquet")
    assert command("settle", tmp_path / "clear", "--out", tmp_path / "settle", "--version", "final").code == 0
    both = pl.read_parquet(tmp_path / "settle" / "ledger.parquet")
    assert both.head(first.height).equals(first)
    assert both["version"].unique().sort().to_list() == ["final", "initial"]


def test_basis_hedges_what_the_run_hedged(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    marks = weeks_folder / "marks" / "marks.csv"
    exposures = weeks_folder / "basis" / "exposures.csv"
    said = command("basis", exposures, "--index", marks, "--using", EAST, "--out", tmp_path / "basis", "--json")
    assert (said.code, said.err) == (0, "")
    for table in ("exposures", "basis", "effectiveness", "series"):
        assert (tmp_path / "basis" / f"{table}.csv").read_bytes() == (weeks_folder / "basis" / f"{table}.csv").read_bytes(), table
    said = command("basis", exposures, "--index", marks, "--out", tmp_path / "every")
    verdicts = {line.split(" on ")[1].split(":")[0]: line.rsplit(", ", 1)[1] for line in said.out.splitlines()}
    assert verdicts[EAST] == "ineffective"  # the other location's index
    assert verdicts["H100-SXM.US-WEST.FIRM"] == "effective"  # its own: one GPU-hour makes one unit of the work
    assert "CHAT.US-WEST.FIRM" not in verdicts


def test_report_writes_the_page_of_the_run_again(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(weeks_folder, tmp_path / "out")
    (copy / "report.html").write_text("spoilt")
    said = command("report", copy, "--json")
    assert said.code == 0
    assert json.loads(said.out) == {"report": str(copy / "report.html")}
    page = (copy / "report.html").read_text()
    assert page.startswith("<!")
    assert EAST in page

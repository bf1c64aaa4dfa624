"""`tenorgrid workloads` and `tg.workloads`: files in, a folder with marks, audits and a page out."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.store import read_table
from tenorgrid.data.tables.observed import Marks
from tenorgrid.reports.figures.work import cheapest, families, family_units, prices, story

RUNNER = CliRunner()
MIDNIGHT = datetime(2027, 1, 5, 5, tzinfo=UTC)
INDEX = "LLAMA-70B-DECODE-20TPS.US.FIRM"
CHIPS = {"A100-SXM": 1.5, "H100-SXM": 2.5, "H200-SXM": 3.2, "B200-SXM": 5.0}


def marks(days: int = 3) -> pl.DataFrame:
    rows = [
        {
            "index": f"{chip}.US.FIRM",
            "methodology": "house",
            "start": MIDNIGHT + timedelta(days=day),
            "end": MIDNIGHT + timedelta(days=day + 1),
            "published_at": MIDNIGHT + timedelta(days=day + 1),
            "revision": 0,
            "value": price + 0.4 * day * (chip == "B200-SXM"),
            "unit": "USD/GPUh",
            "quantity": None,
            "status": "published",
            "method_hash": "0" * 64,
        }
        for day in range(days)
        for chip, price in CHIPS.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"quantity": pl.Float64})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "marks.parquet"
    marks().write_parquet(path)
    return path


def test_a_folder_is_written_and_verifies_until_something_is_edited(tmp_path: Path, file: Path) -> None:
    out = tmp_path / "work"
    done = RUNNER.invoke(app, ["workloads", str(file), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["marks"] == read_table(out, "marks", Marks).height
    assert {row["unit"] for row in told["last"]} >= {"USD/Mtok", "USD/step", "USD/rollout"}
    page = (out / "workloads.html").read_text()
    assert all(part in page for part in ("work-prices-plot", "work-cheapest-plot", "work-families-1-plot", "work-moves-table", INDEX))
    again = RUNNER.invoke(app, ["workloads", str(file), "--verify", str(out / "audit.jsonl")])
    assert (again.exit_code, again.output.strip()) == (0, f"{told['marks']} prints recomputed, none differs")
    audit = out / "audit.jsonl"
    audit.write_text(audit.read_text().replace('"status":"published"', '"status":"carried"', 1))
    edited = RUNNER.invoke(app, ["workloads", str(file), "--verify", str(audit)])
    assert isinstance(edited.exception, InputError)
    assert "status is recorded as carried, recomputed as published" in str(edited.exception)


def test_a_definition_of_one_s_own_and_only_one_home(tmp_path: Path, file: Path) -> None:
    definition = tmp_path / "mine.toml"
    shipped = Path(tg.__file__).parent / "indices" / "workloads" / "definitions" / "house-work.toml"
    definition.write_text(shipped.read_text().replace('name = "house-work"', 'name = "mine"').replace("vcpu = 0.0", "vcpu = 0.01"))
    asked = ["workloads", str(file), "--definition", str(definition), "--home", "US", "--tier", "FIRM", "--out", str(tmp_path / "work")]
    assert RUNNER.invoke(app, asked).exit_code == 0
    found = read_table(tmp_path / "work", "marks", Marks)
    assert found["methodology"].unique().to_list() == ["mine"]
    run = tg.workloads(file)
    both = found.join(run.marks, on=["index", "start"], suffix="_free").filter(pl.col("unit").str.starts_with("USD"))
    assert (both["value"] > both["value_free"]).all()


def test_from_python_the_marks_of_a_run_are_priced_by_its_own_methodology() -> None:
    asked = {"nimbus": 2.4, "cirrus": 2.6, "stratus": 2.5}
    where = {
        "time": datetime(2027, 1, 5, 17, tzinfo=UTC),
        "resource": "h100-sxm",
        "region": "us-east",
        "tier": "firm",
        "kind": "list price",
    }
    seen = pl.DataFrame(
        [where | {"kind": "list price", "observation_id": name, "provider": name, "price": price} for name, price in asked.items()]
    )
    run = tg.workloads(tg.mark(seen), homes=["US"])
    price = dict(run.marks.select("index", "value").iter_rows())[INDEX]
    assert price == pytest.approx(2.5 / (1228.77589 * 3600 / 1e6), rel=1e-6)
    assert run.audit(INDEX, "2027-01-05")["recipe"]["name"] == "h100-sxm-x4"
    with pytest.raises(NotPublishedError, match=f"{INDEX} has no mark of 2027-01-06"):
        run.audit(INDEX, "2027-01-06")
    assert "marks" in run.to_pandas()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--definition", "nobody"], "found nobody, expected one of house-work"),
        (["--benchmark", "tea=leaves.csv"], "found tea, expected figures of house-work"),
        (["--home", "MARS"], "found MARS, expected marks of accelerators"),
        (["--method", "ccir-1.1.1"], "found ccir-1.1.1, expected house"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(tmp_path: Path, file: Path, options: list[str], said: str) -> None:
    done = RUNNER.invoke(app, ["workloads", str(file), "--out", str(tmp_path / "work"), *options])
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
    assert not (tmp_path / "work").exists()


def test_wrong_usage_is_told_apart(tmp_path: Path, file: Path) -> None:
    for options in ([], ["--benchmark", "tea", "--out", str(tmp_path / "x")], ["--verify", "a.jsonl", "--out", str(tmp_path / "x")]):
        assert RUNNER.invoke(app, ["workloads", str(file), *options]).exit_code == 2


def test_the_figures_show_every_workload_limit_chip_and_family() -> None:
    rows = story(tg.workloads(marks()).audits)
    lines = [trace.name for trace in prices(rows).data if trace.mode == "lines"]
    assert {"LLAMA-70B-DECODE-20TPS", "LLAMA-70B-DECODE-50TPS", "LLAMA-8B-RL"} <= set(lines)
    assert {trace.name for trace in cheapest(rows).data} <= {"a100-sxm", "h100-sxm", "h200-sxm", "b200-sxm"}
    shown = [trace.name for unit in family_units(rows) for trace in families(rows, unit).data]
    assert sorted(shown) == sorted(rows.filter(pl.col("model").is_null())["name"].str.to_lowercase().unique())
    first, last = (rows.filter(index=INDEX)["value"][day] for day in (0, -1))
    moved = rows.filter(index=INDEX).select("prices", "entering", "leaving").sum().row(0)
    assert sum(moved) == pytest.approx(last - first, abs=2e-9)

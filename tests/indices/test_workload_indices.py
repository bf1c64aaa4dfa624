"""Workload indices: known answers, limits, families, why a print moved, and the proof."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tenorgrid.data.benchmarks.recipes import make_recipes
from tenorgrid.data.errors import InputError
from tenorgrid.indices.audit import write_audit
from tenorgrid.indices.workloads.audit import verify_workload_indices
from tenorgrid.indices.workloads.indices import WorkloadIndices, workload_indices

MIDNIGHT = datetime(2027, 1, 5, 5, tzinfo=UTC)  # in New York
SERVING = "task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,max_num_seqs,median_itl_ms,output_throughput_tokens_per_sec,"
SERVING += "tok_per_s_per_gpu,interactivity_tok_s_user\n"
FIGURES = (
    SERVING + "chat,lab/m,H100,1,1,1,64,100,1500,1500,10\nchat,lab/m,H100,1,1,1,8,20,600,600,50\nchat,lab/m,B200,1,1,1,64,40,5000,5000,25\n"
)
HEAD = """
name = "small"
source = "a test"
decimals = 9
rounding = "half-even"
[marks]
methodology = "house"
low_confidence = "use"
carried = "use"
leaving_days = 2
[auxiliary]
vcpu = {vcpu}
ram_gib = 0.0
net_gbps = 0.0
[figures.serving]
file = "figures.csv"
"""
WORKLOAD = """
[[workloads]]
index = "{index}"
class = "{kind}"
architecture = "dense"
figures = "serving"
model = "m-chat"
limit = "{limit}"
unit = "{unit}"
of = "1e6 output tokens"
work = {work}
weight = {weight}
gib = 2.0
"""
FAMILY = '[[families]]\nindex = "{index}"\nclass = "decode"\nshares = "{shares}"\n{base}\n'


def definition(folder: Path, *, vcpu: float = 0.0, more: str = "", families: str = "") -> Path:
    (folder / "figures.csv").write_text(FIGURES)
    text = HEAD.format(vcpu=vcpu) + more
    text += WORKLOAD.format(index="M", kind="decode", limit="none", unit="Mtok", work=1.0, weight=3.0)
    text += WORKLOAD.format(index="M-50TPS", kind="decode", limit="50", unit="Mtok", work=1.0, weight=1.0)
    text += WORKLOAD.format(index="M-ROLLOUT", kind="rl", limit="none", unit="rollout", work=0.002, weight=1.0)
    path = folder / "small.toml"
    path.write_text(text + families)
    return path


def gpu_marks(*days: dict[str, float | None], region: str = "US", status: str = "published", **more: Any) -> pl.DataFrame:
    def row(day: int, resource: str, value: float | None) -> dict[str, Any]:
        start = MIDNIGHT + timedelta(days=day)
        return {
            "index": f"{resource.upper()}.{region}.FIRM",
            "methodology": "house",
            "start": start,
            "end": start + timedelta(days=1),
            "published_at": start + timedelta(days=1),
            "revision": 0,
            "value": value,
            "unit": "USD/GPUh",
            "status": "withheld" if value is None else status,
            "method_hash": "0" * 64,
        } | more

    return pl.DataFrame([row(day, *one) for day, prices in enumerate(days) for one in prices.items()], infer_schema_length=None)


def values(run: WorkloadIndices, index: str) -> list[Any]:
    return run.marks.filter(index=index)["value"].to_list()


def entries(run: WorkloadIndices, index: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.audits.filter(index=index)["audit"]]


def test_known_answers_with_the_units_that_they_are_printed_in(tmp_path: Path) -> None:
    run = workload_indices(gpu_marks({"h100-sxm": 2.5}), definition(tmp_path))
    found = {row["index"]: (row["value"], row["unit"]) for row in run.marks.iter_rows(named=True)}
    assert found == {
        "M.US.FIRM": (0.462962963, "USD/Mtok"),  # 2.50 USD at 1,500 tokens a second
        "M-50TPS.US.FIRM": (1.157407407, "USD/Mtok"),  # at 600
        "M-ROLLOUT.US.FIRM": (0.000925926, "USD/rollout"),  # of 2,000 tokens
    }


def test_a_limit_excludes_what_is_cheaper_but_slower_and_the_audit_says_by_what(tmp_path: Path) -> None:
    run = workload_indices(gpu_marks({"h100-sxm": 2.5, "b200-sxm": 5.0}), definition(tmp_path, vcpu=0.01))
    loose, tight = entries(run, "M.US.FIRM")[0], entries(run, "M-50TPS.US.FIRM")[0]
    assert (loose["recipe"]["name"], tight["recipe"]["name"]) == ("b200-sxm-x1", "h100-sxm-x1")
    assert (loose["workload"]["limit"], tight["workload"]["limit"]) == (None, "at least 50 tokens a second for each user")
    assert tight["workload"]["conversion"] == {"unit": "Mtok", "of": "1e6 output tokens", "work": 1.0}
    parts = {part["resource"]: part for part in loose["cost"]}
    assert parts["b200-sxm"]["cost"] == pytest.approx(5 / 18)
    assert parts["vcpu"]["cost"] == pytest.approx(24 * 0.01 / 18)
    assert (parts["vcpu"]["from"], parts["b200-sxm"]["from"]) == ("auxiliary", "B200-SXM.US.FIRM")
    assert sum(part["share"] for part in loose["cost"]) == pytest.approx(1)
    assert loose["runner_up"]["name"] == "h100-sxm-x1"
    assert loose["runner_up"]["dearer"] == pytest.approx((2.5 + 0.24) / 5.4 / ((5 + 0.24) / 18) - 1)


def test_the_cheapest_way_of_each_print_is_what_it_prints(tmp_path: Path) -> None:
    run = workload_indices(gpu_marks({"h100-sxm": 2.5, "b200-sxm": 5.0}, {"h100-sxm": 2.0, "b200-sxm": 9.0}), definition(tmp_path))
    assert run.ways.group_by("index", "start").len()["len"].max() == 2
    cheapest = run.ways.filter("cheapest")
    assert (
        cheapest["cost"].to_list() == run.ways.group_by("index", "start", maintain_order=True).agg(pl.col("cost").min())["cost"].to_list()
    )
    printed = run.marks.select("index", "start", "value").join(cheapest, on=["index", "start"], validate="1:1")
    assert printed.height == run.marks.height
    million = printed.filter(~pl.col("index").str.contains("ROLLOUT"))
    assert million["value"].to_list() == pytest.approx(million["cost"].to_list(), abs=1e-9)


def test_a_resource_with_marks_of_its_own_is_priced_by_them(tmp_path: Path) -> None:
    both = pl.concat([gpu_marks({"h100-sxm": 2.5}), gpu_marks({"vcpu": 0.05}, unit="USD/vCPUh")])
    run = workload_indices(both, definition(tmp_path, vcpu=0.01))
    assert values(run, "M.US.FIRM") == [pytest.approx((2.5 + 24 * 0.05) / 5.4, abs=1e-9)]
    none = pl.concat([gpu_marks({"h100-sxm": 2.5}, {"h100-sxm": 2.5}), gpu_marks({"vcpu": 0.05}, {"vcpu": None}, unit="USD/vCPUh")])
    assert values(workload_indices(none, definition(tmp_path, vcpu=0.01)), "M.US.FIRM")[1] is None


def test_families_have_fixed_shares_of_work_or_of_value(tmp_path: Path) -> None:
    families = FAMILY.format(index="DECODE", shares="work", base="")
    families += FAMILY.format(index="POINTS", shares="value", base='base = "2027-01-06"')
    days: tuple[dict[str, float | None], ...] = ({"h100-sxm": 2.5, "b200-sxm": 5.0}, {"h100-sxm": 2.0, "b200-sxm": 5.0}, {"h100-sxm": 3.0})
    run = workload_indices(gpu_marks(*days), definition(tmp_path, families=families))
    m, fast = values(run, "M.US.FIRM"), values(run, "M-50TPS.US.FIRM")
    assert values(run, "DECODE.US.FIRM") == pytest.approx([0.75 * one + 0.25 * other for one, other in zip(m, fast, strict=True)], abs=1e-9)
    expected = [100 * (0.75 * one / m[1] + 0.25 * other / fast[1]) for one, other in zip(m, fast, strict=True)]
    assert values(run, "POINTS.US.FIRM") == pytest.approx(expected, abs=1e-9)
    assert values(run, "POINTS.US.FIRM")[1] == 100.0
    last = entries(run, "POINTS.US.FIRM")[2]
    assert (last["unit"], last["family"]["base"]) == ("index points", "2027-01-06")
    assert sum(member["contribution"] for member in last["members"]) == pytest.approx(last["unrounded"])


def test_a_family_of_which_a_workload_has_no_mark_is_withheld_and_never_reweighted(tmp_path: Path) -> None:
    marks = gpu_marks({"h100-sxm": 2.5, "b200-sxm": 5.0}, {"h100-sxm": None, "b200-sxm": 5.0})
    run = workload_indices(marks, definition(tmp_path, families=FAMILY.format(index="DECODE", shares="work", base="")))
    assert values(run, "M.US.FIRM")[1] is not None
    assert values(run, "DECODE.US.FIRM")[1] is None
    last = entries(run, "DECODE.US.FIRM")[1]
    assert (last["status"], last["missing"]) == ("withheld", ["M-50TPS.US.FIRM"])


def test_what_a_price_did_and_what_a_chip_did_are_told_apart(tmp_path: Path) -> None:
    """A new chip that is dearer changes nothing, one that is cheaper lowers the print, one that goes is no change of prices."""
    days: tuple[dict[str, float | None], ...] = (
        {"h100-sxm": 2.5},
        {"h100-sxm": 2.5, "b200-sxm": 9.0},
        {"h100-sxm": 2.7, "b200-sxm": 5.4},
        {"h100-sxm": 2.7, "b200-sxm": None},
        {"h100-sxm": 2.7},
        {"h100-sxm": 2.7},
    )
    run = workload_indices(gpu_marks(*days), definition(tmp_path))
    h100, b200 = 1 / 5.4, 1 / 18
    assert values(run, "M.US.FIRM") == pytest.approx([2.5 * h100, 2.5 * h100, 5.4 * b200, 2.7 * h100, 2.7 * h100, 2.7 * h100], abs=1e-9)
    told = [entry["change"] for entry in entries(run, "M.US.FIRM")]
    assert told[0] is None
    assert told[1] == {"since": "2027-01-05", "prices": 0.0, "entering": 0.0, "leaving": 0.0}
    assert told[2]["prices"] == pytest.approx(5.4 * b200 - 2.5 * h100)
    assert (told[3]["prices"], told[3]["leaving"]) == (0.0, pytest.approx(2.7 * h100 - 5.4 * b200))
    statuses = run.marks.filter(index="M.US.FIRM")["status"].to_list()
    assert statuses == ["published"] * 3 + ["low-confidence"] * 2 + ["published"]
    assert entries(run, "M.US.FIRM")[3]["low_confidence"] == ["the cheapest recipe lost a mark that it needs"]
    assert entries(run, "M.US.FIRM")[3]["unavailable"] == [{"name": "b200-sxm-x1", "place": "US", "without": ["b200-sxm"]}]


def test_the_least_trusted_mark_of_the_recipe_decides_and_may_count_as_missing(tmp_path: Path) -> None:
    marks = pl.concat([gpu_marks({"h100-sxm": 2.5}), gpu_marks({"b200-sxm": 5.0}, status="low-confidence")])
    run = workload_indices(marks, definition(tmp_path))
    assert dict(run.marks.select("index", "status").iter_rows())["M.US.FIRM"] == "low-confidence"
    assert entries(run, "M.US.FIRM")[0]["low_confidence"] == ["B200-SXM.US.FIRM is low-confidence"]
    path = definition(tmp_path)
    path.write_text(path.read_text().replace('low_confidence = "use"', 'low_confidence = "missing"'))
    assert values(workload_indices(marks, path), "M.US.FIRM") == [pytest.approx(2.5 / 5.4, abs=1e-9)]


def test_work_may_run_where_carrying_it_is_worth_it(tmp_path: Path) -> None:
    marks = pl.concat([gpu_marks({"h100-sxm": 2.5}), gpu_marks({"h100-sxm": 1.0}, region="EU")])
    near = workload_indices(marks, definition(tmp_path, more="[homes.US]\nUS = 0.0\nEU = 0.10\n"))
    far = workload_indices(marks, definition(tmp_path, more="[homes.US]\nUS = 0.0\nEU = 0.20\n"))
    assert values(near, "M.US.FIRM") == [pytest.approx(1 / 5.4 + 2 * 0.10, abs=1e-9)]
    assert values(far, "M.US.FIRM") == [pytest.approx(2.5 / 5.4, abs=1e-9)]
    told = entries(near, "M.US.FIRM")[0]
    assert (told["recipe"]["place"], told["carriage"]) == ("EU", 0.2)
    assert set(near.marks["index"].str.extract(r"\.([A-Z]+)\.")) == {"US"}


def test_no_order_of_rows_matters_and_the_last_revision_counts(tmp_path: Path) -> None:
    marks = pl.concat([gpu_marks({"h100-sxm": 2.5, "b200-sxm": 5.0}), gpu_marks({"h100-sxm": 2.4}, revision=1)])
    path = definition(tmp_path)
    assert_frame_equal(workload_indices(marks, path).audits, workload_indices(marks.reverse(), path).audits)
    assert values(workload_indices(marks, path), "M-50TPS.US.FIRM") == [pytest.approx(2.4 / 2.16, abs=1e-9)]


def test_the_proof_names_an_edited_print_audit_price_or_figure(tmp_path: Path) -> None:
    marks, path = gpu_marks({"h100-sxm": 2.5, "b200-sxm": 5.0}), definition(tmp_path)
    run = workload_indices(marks, path)
    file = write_audit(run, tmp_path / "audit.jsonl")
    assert verify_workload_indices(file, run, marks=run.marks).confirmed
    edited = run.marks.with_columns(value=pl.when(pl.col("index") == "M.US.FIRM").then(0.3).otherwise("value"))
    assert {one.field for one in verify_workload_indices(file, run, marks=edited).differences} == {"marks.value"}
    assert {one.field for one in verify_workload_indices(file, run, marks=run.marks.head(2)).differences} == {"marks"}
    dearer = workload_indices(marks.with_columns(pl.col("value") * 1.1), path)
    assert {"value", "input.hash"} <= {one.field for one in verify_workload_indices(file, dearer).differences}
    text = file.read_text()  # a print and its audit, edited together
    file.write_text(text.replace(f'"value":{values(run, "M.US.FIRM")[0]}', '"value":0.3'))
    assert "value" in {one.field for one in verify_workload_indices(file, run, marks=edited).differences}
    (tmp_path / "figures.csv").write_text(FIGURES.replace("5000,5000", "5001,5001"))
    file.write_text(text)
    changed = verify_workload_indices(file, workload_indices(marks, path))
    assert {"value", "workload.figures.sha256", "recipe.output_per_hour"} <= {one.field for one in changed.differences}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"methodology": "ccir-1.1.1"}, "found ccir-1.1.1, expected house, by which small prices"),
        ({"unit": "USD/Mtok"}, "found USD/Mtok of H100-SXM.US.FIRM, expected USD/GPUh"),
        ({"index": "TEA.US.FIRM"}, "found TEA.US.FIRM, expected RESOURCE.REGION.TIER of resources that recipes use"),
        ({"value": None, "status": "withheld"}, "marks of accelerators by which some workload can be done"),
    ],
)
def test_marks_that_cannot_price_work_are_refused(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        workload_indices(gpu_marks({"h100-sxm": 2.5}, **more), definition(tmp_path))
    assert said in str(caught.value)


def test_shipped_basket_prices_every_class_and_architecture() -> None:
    chips = {"a100-sxm": 1.5, "h100-sxm": 2.5, "h200-sxm": 3.2, "b200-sxm": 5.0}
    run = workload_indices(gpu_marks(dict(chips)))
    told = {entry["workload"]["class"]: entry for index in run.marks["index"] for entry in entries(run, index) if "workload" in entry}
    assert set(told) == {"prefill", "decode", "generation", "pre-training", "post-training", "rl"}
    units = set(run.marks["unit"])
    assert units == {"USD/Mtok", "USD/step", "USD/rollout", "USD/training", "USD/kimage", "index points"}
    assert run.marks["value"].null_count() == 0
    step = entries(run, "LLAMA-405B-PRETRAIN.US.FIRM")[0]
    hours = 512 * 269.12157 / 60 / 280  # GPU-hours of a step: 512 H100 for 269 minutes, 280 steps
    assert {part["resource"]: part["per_unit"] for part in step["cost"]}["h100-sxm"] == pytest.approx(hours)
    assert step["value"] == pytest.approx(hours * 2.5, abs=1e-8)


SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def test_real_figures_at_two_limits_agree_with_the_file_row_by_row() -> None:
    """Real figures, real prices: the least of price over throughput, taken row by row from the file itself."""
    file = SHARED / "ml_energy_llm_throughput_vs_interactivity.csv"
    if not file.is_file():
        pytest.skip(f"{file.name} is not beside the project")
    prices = {"h100-sxm": 2.97, "b200-sxm": 6.41}
    run = workload_indices(gpu_marks(dict(prices)), benchmarks={"serving": file})
    rows = pl.read_csv(file).filter(model_id="meta-llama/Llama-3.1-70B-Instruct")
    price = pl.col("gpu_model").replace_strict({"H100": 2.97, "B200": 6.41}, return_dtype=pl.Float64)
    for limit in (20, 50):
        fast = rows.filter(pl.col("interactivity_tok_s_user") >= limit)
        expected = fast.select((price / pl.col("tok_per_s_per_gpu") / 3600 * 1e6).min()).item()
        assert values(run, f"LLAMA-70B-DECODE-{limit}TPS.US.FIRM") == [pytest.approx(expected, rel=1e-5)]
    assert make_recipes(file, models=["llama-3.1-70b-instruct-lm-arena-chat"], limits_at=["20"]).recipes.height >= 2


def test_days_are_those_of_the_methodology(tmp_path: Path) -> None:
    run = workload_indices(gpu_marks({"h100-sxm": 2.5}), definition(tmp_path))
    assert run.audits["date"].unique().to_list() == [str(date(2027, 1, 5))]

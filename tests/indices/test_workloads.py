"""Workload marks: from clearing's prices of work, and from GPU marks through recipes."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.indices.audit import verify, write_audit
from tenorgrid.indices.marks import mark
from tenorgrid.indices.workloads.marks import WorkloadRun, verify_workloads, workload_marks, workload_observations

MIDNIGHT = datetime(2027, 1, 5, 5, tzinfo=UTC)  # in New York
DAY = date(2027, 1, 5)
WORKLOADS = pl.DataFrame(
    {"workload": ["llama2-70b-decode", "gpt-train"], "class": ["decode", "pre-training"], "unit": ["1e6 tokens", "1 training step"]}
)
RECIPES = pl.DataFrame(
    {
        "workload": ["llama2-70b-decode", "llama2-70b-decode", "gpt-train"],
        "recipe": ["one-h100", "one-b200", "eight-h100"],
        "output_per_hour": [5.4, 18.0, 3000.0],  # 1,500 and 5,000 tokens a second; 1.2 s a step
    }
)
NEEDS = pl.DataFrame(
    {
        "workload": ["llama2-70b-decode"] * 4 + ["gpt-train"],
        "recipe": ["one-h100", "one-h100", "one-b200", "one-b200", "eight-h100"],
        "resource": ["h100-sxm", "vcpu", "b200-sxm", "vcpu", "h100-sxm"],
        "per_hour": [1.0, 8.0, 1.0, 12.0, 8.0],
    }
)
RESOURCES = pl.DataFrame(
    {"resource": ["h100-sxm", "b200-sxm", "vcpu"], "kind": ["accelerator", "accelerator", "cpu"], "unit": ["GPU", "GPU", "vCPU"]}
)


def gpu_marks(prices: dict[str, float | None], *, statuses: dict[str, str] | None = None, region: str = "US") -> pl.DataFrame:
    def row(resource: str, value: float | None) -> dict[str, Any]:
        status = "withheld" if value is None else (statuses or {}).get(resource, "published")
        return {
            "index": f"{resource.upper()}.{region}.FIRM",
            "methodology": "house",
            "start": MIDNIGHT,
            "end": MIDNIGHT + timedelta(days=1),
            "published_at": MIDNIGHT + timedelta(days=1),
            "revision": 0,
            "value": value,
            "unit": "USD/GPUh",
            "status": status,
            "method_hash": "0" * 64,
        }

    return pl.DataFrame([row(resource, value) for resource, value in prices.items()], infer_schema_length=None)


def made(marks: pl.DataFrame, **more: Any) -> WorkloadRun:
    return workload_marks(marks, workloads=WORKLOADS, recipes=RECIPES, recipe_resources=NEEDS, resources=RESOURCES, **more)


def entry(run: WorkloadRun, index: str) -> Any:
    return run.audits.filter(index=index)["audit"].str.json_decode(infer_schema_length=None).to_list()[0]


def cleared_work(work: tuple[float, ...], price: tuple[float, ...], *, home: str = "us-east") -> tuple[pl.DataFrame, pl.DataFrame]:
    starts = [MIDNIGHT + timedelta(hours=hour) for hour in range(len(price))]
    node = {"horizon": "real-time", "workload": "llama2-70b-decode", "home": home, "tier": "firm"}
    prices = [
        node | {"start": start, "pricing": rule, "price": value * scale}
        for start, value in zip(starts, price, strict=True)
        for rule, scale in (("marginal", 1.0), ("convex-hull", 2.0))
    ]
    halves = [
        node | {"start": start, "recipe": recipe, "location": "us-east", "level": 1.0, "work": placed / 2}
        for start, placed in zip(starts, work, strict=True)
        if placed
        for recipe in ("one-h100", "one-b200")
    ]
    return pl.DataFrame(prices), pl.DataFrame(halves)


def test_the_published_conversions_hold() -> None:
    run = made(gpu_marks({"h100-sxm": 2.5}))
    marks = {row["index"]: (row["value"], row["unit"]) for row in run.marks.iter_rows(named=True)}
    assert marks == {  # 2.50 USD at 1,500 tokens a second; 8 GPUs for 1.2 s
        "LLAMA2-70B-DECODE.US.FIRM": (pytest.approx(0.46296296, abs=5e-7), "USD/1e6 tokens"),
        "GPT-TRAIN.US.FIRM": (pytest.approx(0.00666667, abs=5e-7), "USD/1 training step"),
    }


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 9), st.floats(0.5, 30), st.floats(0, 0.1))
def test_the_cheapest_recipe_at_the_days_prices_is_taken(h100: float, b200: float, vcpu: float) -> None:
    run = made(gpu_marks({"h100-sxm": h100, "b200-sxm": b200}), auxiliary={"vcpu": vcpu})
    costs = {"one-h100": (h100 + 8 * vcpu) / 5.4, "one-b200": (b200 + 12 * vcpu) / 18}
    found = entry(run, "LLAMA2-70B-DECODE.US.FIRM")
    assert found["value"] == pytest.approx(min(costs.values()), abs=5.1e-7)
    assert costs[found["recipe"]] == pytest.approx(min(costs.values()), rel=1e-12)


def test_resources_without_a_price_are_free_and_the_audit_says_so() -> None:
    marks = gpu_marks({"h100-sxm": 2.5, "b200-sxm": 4.5})
    free, paid = entry(made(marks), "LLAMA2-70B-DECODE.US.FIRM"), entry(made(marks, auxiliary={"vcpu": 0.03}), "LLAMA2-70B-DECODE.US.FIRM")
    assert (free["taken_as_free"], free["other_resources"]) == (["vcpu"], 0.0)
    assert (paid["taken_as_free"], paid["auxiliary"]) == ([], {"vcpu": 0.03})
    assert paid["other_resources"] == pytest.approx(12 * 0.03 / 18)
    assert paid["accelerators"] == free["accelerators"] == 0.25


def test_a_withheld_chip_leaves_its_recipes_out_and_the_least_trusted_mark_decides_the_status() -> None:
    without = made(gpu_marks({"h100-sxm": 2.5, "b200-sxm": None}, statuses={"h100-sxm": "low-confidence"}))
    assert entry(without, "LLAMA2-70B-DECODE.US.FIRM")["recipe"] == "one-h100"
    assert without.marks["status"].unique().to_list() == ["low-confidence"]
    assert made(gpu_marks({"h100-sxm": None, "b200-sxm": 4.5})).marks["index"].to_list() == ["LLAMA2-70B-DECODE.US.FIRM"]


def test_the_last_revision_of_a_mark_counts_even_where_it_withholds() -> None:
    first = gpu_marks({"h100-sxm": 2.5, "b200-sxm": 4.5})
    dearer = gpu_marks({"b200-sxm": 5.4}).with_columns(revision=pl.lit(1, dtype=pl.Int64))
    gone = gpu_marks({"b200-sxm": None}).with_columns(revision=pl.lit(1, dtype=pl.Int64), value=pl.lit(None, dtype=pl.Float64))
    assert entry(made(pl.concat([dearer, first])), "LLAMA2-70B-DECODE.US.FIRM")["value"] == 0.3
    assert entry(made(pl.concat([first, gone])), "LLAMA2-70B-DECODE.US.FIRM")["recipe"] == "one-h100"


def test_workload_marks_scale_with_the_prices_of_chips_and_ignore_the_order_of_rows() -> None:
    marks = pl.concat([gpu_marks({"h100-sxm": 2.5, "b200-sxm": 4.5}, region=region) for region in ("US", "GLOBAL")])
    double = made(marks.with_columns(pl.col("value") * 2)).marks
    assert double["value"].to_list() == pytest.approx([value * 2 for value in made(marks).marks["value"]], abs=1.1e-6)
    assert_frame_equal(made(marks.reverse()).marks, made(marks).marks)


def test_a_workload_audit_is_held_against_what_is_made_afresh(tmp_path: Path) -> None:
    run = made(gpu_marks({"h100-sxm": 2.5, "b200-sxm": 4.5}))
    path = write_audit(run, tmp_path / "workloads.jsonl")
    assert verify_workloads(path, made(gpu_marks({"h100-sxm": 2.5, "b200-sxm": 4.5}))).confirmed
    changed = verify_workloads(path, made(gpu_marks({"h100-sxm": 2.5, "b200-sxm": 4.6})))
    assert {"value", "input.hash", "prices.B200-SXM.US.FIRM"} <= {difference.field for difference in changed.differences}
    path.write_text(path.read_text().replace('"value":0.25', '"value":0.26'))
    assert {difference.field for difference in verify_workloads(path, run).differences} == {"value"}
    path.write_text(path.read_text().replace('"LLAMA2-70B-DECODE.US.FIRM"', '"LLAMA3.US.FIRM"'))
    assert not verify_workloads(path, run).confirmed


@pytest.mark.parametrize("name", ["h100-sxm", "coffee"])
def test_auxiliary_prices_are_of_known_resources_that_are_no_accelerators(name: str) -> None:
    with pytest.raises(InputError, match=f"found {name}, expected a resource of the market that is no accelerator"):
        made(gpu_marks({"h100-sxm": 2.5}), auxiliary={name: 1.0})


def test_marks_of_two_methodologies_are_refused() -> None:
    both = pl.concat([gpu_marks({"h100-sxm": 2.5}), gpu_marks({"h100-sxm": 2.5}).with_columns(methodology=pl.lit("ccir-1.1.1"))])
    with pytest.raises(InputError, match=r"found ccir-1\.1\.1, house, expected marks of one methodology"):
        made(both)


def test_cleared_prices_of_work_are_weighted_by_the_work_placed() -> None:
    prices, placements = cleared_work((100.0,) * 12 + (300.0,) * 4, (0.30,) * 12 + (0.50,) * 4)
    seen = workload_observations(prices, placements, workloads=WORKLOADS)
    run = mark(seen, methodology="house", first=DAY, end=DAY + timedelta(1))
    found = run.marks.filter(index="LLAMA2-70B-DECODE.US-EAST.FIRM").row(0, named=True)
    assert found["value"] == pytest.approx((1200 * 0.30 + 1200 * 0.50) / 2400, abs=5e-7)
    assert (found["unit"], found["quantity"], found["status"]) == ("USD/1e6 tokens", 2400.0, "published")


def test_a_workload_mark_of_clearing_verifies_like_any_other(tmp_path: Path) -> None:
    seen = workload_observations(*cleared_work((5.0,) * 24, (0.4,) * 24), workloads=WORKLOADS)
    run = mark(seen, methodology="house", first=DAY, end=DAY + timedelta(1))
    path = run.write_audit(tmp_path / "audit.jsonl")
    assert verify(path, seen, marks=run.marks).confirmed
    assert not verify(path, seen.with_columns(quantity=pl.lit(6.0))).confirmed


def test_hours_in_which_nothing_was_placed_weigh_nothing() -> None:
    prices, placements = cleared_work((5.0,) * 12 + (0.0,) * 12, (0.4,) * 12 + (9.0,) * 12)
    seen = workload_observations(prices, placements, workloads=WORKLOADS)
    run = mark(seen, methodology="house", first=DAY, end=DAY + timedelta(1))
    assert run.marks["value"].unique().to_list() == [0.4]
    assert run.exclusions["rule"].unique().to_list() == ["quantity"]


def test_the_pricing_rule_and_the_length_of_the_interval_are_chosen() -> None:
    prices, placements = cleared_work((5.0,), (0.4,), home="*")
    seen = workload_observations(prices, placements, workloads=WORKLOADS, pricing=PricingRule.CONVEX_HULL, hours=0.5)
    assert seen.select("price", "quantity", "region").rows() == [(0.8, 2.5, "any")]


def test_a_workload_that_nobody_declared_is_refused() -> None:
    prices, placements = cleared_work((5.0,), (0.4,))
    with pytest.raises(InputError, match="found llama2-70b-decode, expected workloads that the table workloads has"):
        workload_observations(prices, placements, workloads=WORKLOADS.filter(workload="gpt-train"))


def test_a_row_of_a_table_that_breaks_its_rules_is_refused() -> None:
    prices, placements = cleared_work((5.0,), (0.4,))
    with pytest.raises(InputError, match="placements row 1, column work"):
        workload_observations(prices, placements.with_columns(work=pl.lit(-1.0)), workloads=WORKLOADS)


@pytest.mark.parametrize(("resource", "region"), list(product(["h100-sxm", "b200-sxm"], ["US", "GLOBAL"])))
def test_a_recipe_draws_on_the_marks_of_one_region_only(resource: str, region: str) -> None:
    other = "GLOBAL" if region == "US" else "US"
    cheap = pl.concat([gpu_marks({resource: 1.0}, region=region), gpu_marks({"h100-sxm": 2.7}, region=other)])
    costs = dict(made(cheap).marks.filter(pl.col("index").str.starts_with("LLAMA")).select("index", "value").iter_rows())
    assert costs[f"LLAMA2-70B-DECODE.{other}.FIRM"] == 0.5
    assert costs[f"LLAMA2-70B-DECODE.{region}.FIRM"] == pytest.approx(1 / 5.4 if resource == "h100-sxm" else 1 / 18, abs=5e-7)

"""Benchmark figures: as published, and the recipes made from them."""

import csv
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.sample.benchmarks import ACCELERATORS, FIGURES, INFERENCE, KINDS, TRAINING, TRT_06, TRT_10, h100_hours, recipe_tables

SHARED = Path(__file__).parents[3].parent / "shared" / "data"

# Typed from the sources by hand, apart from the module: (workload, accelerator) to value.
PUBLISHED = {
    ("llama2-70b-decode", "h100-sxm"): 61101.3,
    ("llama2-70b-decode", "gb200-nvl72"): 49359.6,
    ("llama-7b-decode", "a100-sxm"): 1928.0,
    ("llama3.3-70b-prefill", "b200-sxm"): 1339.0,
    ("llama3.1-405b-pretrain", "h200-sxm"): 244.59437,
    ("llama2-70b-lora", "mi300x"): 29.25021,
    ("llama3.1-8b-rl", "h100-sxm"): 5777.08,
}


def test_figures_are_those_published() -> None:
    found = {(figure.workload, figure.resource): figure.value for figure in FIGURES}
    assert {key: found[key] for key in PUBLISHED} == PUBLISHED


def test_every_figure_names_its_source_and_line() -> None:
    assert {figure.source for figure in FIGURES} == {INFERENCE, TRAINING, TRT_06, TRT_10}
    assert all(len(figure.entry) > 20 for figure in FIGURES)
    assert len({(figure.workload, figure.resource) for figure in FIGURES}) == len(FIGURES)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the benchmark tables are not on this machine")
def test_mlperf_inference_figures_are_in_the_published_table() -> None:
    with (SHARED / "mlperf_inference_v5.1_datacenter.csv").open(newline="") as file:
        rows = {(row["id"], row["platform"], row["model"], row["scenario"]): row for row in csv.DictReader(file)}
    checked = 0
    for figure in FIGURES:
        if figure.source == INFERENCE:
            identifier, submitter, platform, model, scenario = figure.entry.split(", ")
            row = rows[identifier, platform, model, scenario]
            assert row["submitter"] == submitter
            assert row["division"] == "closed"
            assert row["units"] == "Tokens/s"
            assert (float(row["value"]), int(row["n_accel"])) == (figure.value, figure.gpus)
            checked += 1
    assert checked == 8


@pytest.mark.skipif(not SHARED.is_dir(), reason="the benchmark tables are not on this machine")
def test_mlperf_training_figures_are_in_the_published_table() -> None:
    with (SHARED / "mlperf_training_v5.0_time_to_train.csv").open(newline="") as file:
        rows = {(row["submitter"], row["system"], row["benchmark"]): row for row in csv.DictReader(file)}
    checked = 0
    for figure in FIGURES:
        if figure.source == TRAINING:
            submitter, system, benchmark = figure.entry.split(", ")
            row = rows[submitter, system, benchmark]
            assert row["division"] == "closed"
            assert (float(row["score_minutes"]), int(row["n_accel"])) == (figure.value, figure.gpus)
            assert 1 / figure.per_gpu_hour == pytest.approx(float(row["accel_hours"]), rel=1e-4)
            checked += 1
    assert checked == 11


def test_a_recipe_makes_what_its_figure_says() -> None:
    recipes, resources = recipe_tables()
    found = {(row["workload"], row["recipe"]): row["output_per_hour"] for row in recipes.iter_rows(named=True)}
    # 3,818.83 tokens/s an H100, 8 of them, an hour; a training of 2,296.5 H100-hours in thousandths.
    assert found["llama2-70b-decode", "h100-sxm-x8"] == pytest.approx(61101.3 / 16 * 8 * 3600 / 1e6, rel=1e-12)
    assert found["llama3.1-405b-pretrain", "h100-sxm-x8"] == pytest.approx(1000 * 8 / 2296.504, rel=1e-5)
    # 2,048 tokens read for 128 written.
    assert found["llama-7b-prefill", "a100-sxm-x8"] == pytest.approx(591 * 16 * 8 * 3600 / 1e6, rel=1e-12)
    assert set(resources["resource"]) == {*ACCELERATORS, "vcpu", "ram_gib", "net_gbps"}
    assert resources.group_by("workload", "recipe").len()["len"].unique().to_list() == [4]


def test_post_training_by_reinforcement_is_heavy_on_processors() -> None:
    _, resources = recipe_tables()
    vcpu = resources.filter((pl.col("resource") == "vcpu") & (pl.col("recipe") == "h100-sxm-x8"))
    use = dict(vcpu.select("workload", "per_hour").iter_rows())
    assert use.pop("llama3.1-8b-rl") > 3 * max(use.values())


def test_workloads_are_eight_in_four_classes() -> None:
    assert len(KINDS) == 8
    assert {kind.class_ for kind in KINDS} == {"prefill", "decode", "pre-training", "post-training"}


def test_h100_hours_of_a_workload_agree_with_its_h100_recipe_to_a_third() -> None:
    for figure in FIGURES:
        if figure.resource == "h100-sxm" and figure.workload != "llama2-70b-lora":  # its H100 run is at 64 accelerators, the others at 8
            kind = next(kind for kind in KINDS if kind.workload == figure.workload)
            assert h100_hours(figure.workload) * figure.per_gpu_hour * kind.units_per_measured == pytest.approx(1.0, rel=1 / 3)

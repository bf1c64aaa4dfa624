"""Figures of benchmarks: what is drawn is what the tables say."""

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.benchmark import BenchmarkRecipes, recipes
from tenorgrid.data.benchmarks.limits import limits
from tenorgrid.data.kinds.work import BenchmarkFormat
from tenorgrid.reports.benchmark import render
from tenorgrid.reports.figures import frontier as figures

SERVING = (
    "task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,max_num_seqs,median_itl_ms,output_throughput_tokens_per_sec,"
    "tok_per_s_per_gpu,interactivity_tok_s_user"
)
RESULTS = (("H100", 1, 2000, 20), ("H100", 1, 1000, 50), ("H100", 1, 900, 30), ("B200", 2, 9000, 25), ("B200", 1, 2500, 12))


def made(folder: Path) -> BenchmarkRecipes:
    path = folder / "bench.csv"
    rows = [f"chat,q/m,{gpu},{gpus},{gpus},1,8,{1000 / speed},{rate},{rate / gpus},{speed}" for gpu, gpus, rate, speed in RESULTS]
    path.write_text("\n".join([SERVING, *rows]) + "\n")
    return recipes(path, limits=["none", "40"])


@pytest.mark.parametrize("seed", range(20))
def test_the_stair_is_the_most_work_at_a_speed_or_a_faster_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = pl.DataFrame({"speed": rng.integers(1, 12, 15).astype(float), "per_gpu": rng.integers(1, 12, 15).astype(float)})
    stairs = figures.staircase(points)
    for speed in np.arange(0.5, 12.5, 0.5):
        fast = [work for one, work in points.iter_rows() if one >= speed]
        step = [work for one, work in stairs.iter_rows() if one >= speed]
        assert max(fast, default=None) == max(step, default=None)
    assert stairs["per_gpu"].to_list() == sorted(stairs["per_gpu"], reverse=True)


def test_every_result_is_a_dot_filled_where_it_is_a_recipe(tmp_path: Path) -> None:
    book = made(tmp_path)
    drawn = figures.speed_frontier(book.frontier, limits(BenchmarkFormat.ML_ENERGY, ["none", "40"]), format=book.format, unit="u")
    dots = {
        (x, y): fill != "white"
        for trace in drawn.data
        if trace.mode == "markers"
        for x, y, fill in zip(trace.x, trace.y, trace.marker.color, strict=True)
    }
    found = sorted((x, y, filled) for (x, y), filled in dots.items())
    wanted = sorted((speed, rate * 0.0036 / gpus, (gpu, speed) != ("H100", 30)) for gpu, gpus, rate, speed in RESULTS)
    assert len(found) == len(RESULTS)
    assert [one[2] for one in found] == [one[2] for one in wanted]
    assert np.array([one[:2] for one in found]) == pytest.approx(np.array([one[:2] for one in wanted]))
    assert [shape.x0 for shape in drawn.layout.shapes] == [40.0]


def test_the_drawn_stair_says_what_can_be_done_at_any_speed(tmp_path: Path) -> None:
    """A line of shape vh first goes up or down, then across: between two corners it is as high as the second."""
    drawn = figures.speed_frontier(made(tmp_path).frontier, [], format=BenchmarkFormat.ML_ENERGY, unit="u")
    (stair,) = [trace for trace in drawn.data if trace.mode == "lines" and trace.name == "h100-sxm"]
    corners = list(zip(stair.x, stair.y, strict=True))
    for speed in (21.0, 29.0, 31.0, 49.0):
        (first, second) = next((one, two) for one, two in itertools.pairwise(corners) if one[0] <= speed <= two[0])
        level = {"vh": second[1], "hv": first[1]}[stair.line.shape]
        fast = [rate * 0.0036 for gpu, _, rate, own in RESULTS if gpu == "H100" and own >= speed]
        assert level == pytest.approx(max(fast))


def test_a_training_is_drawn_over_minutes(tmp_path: Path) -> None:
    path = tmp_path / "bench.csv"
    header = (
        "submitter,system,benchmark,division,number_of_nodes,accelerators_per_node,accelerator_model_name,n_accel,raw_score_minutes,"
        "rcp_scaling,score_minutes"
    )
    path.write_text(f"{header}\nx,a,m,closed,1,8,NVIDIA H200-SXM5-141GB,8,23,1,23\nx,b,m,closed,2,8,NVIDIA H200-SXM5-141GB,16,13,1,13\n")
    book = recipes(path, limits=["none", "20"])
    drawn = figures.speed_frontier(book.frontier, limits(book.format, ["20"]), format=book.format, unit="u")
    minutes = sorted(x for trace in drawn.data if trace.mode == "markers" for x in trace.x)
    assert minutes == pytest.approx([13.0, 23.0])
    assert drawn.layout.xaxis.type == "log"
    assert drawn.layout.annotations[0].x == pytest.approx(np.log10(20))


def test_f_grows_with_accelerators_until_their_hosts_run_out(tmp_path: Path) -> None:
    book = made(tmp_path)
    mine = (book.recipes.filter(workload="m-chat"), book.recipe_resources.filter(workload="m-chat"))
    at = np.array([0.0, 4.0, 10.0, 12.0, 30.0])
    work = figures.performance(*mine, accelerator="b200-sxm", at=at, hosted=12.0, domain=None)
    assert work == pytest.approx(9000 / 2 * 0.0036 * np.array([0, 4, 10, 12, 12]), rel=1e-9)
    alone = figures.performance(*mine, accelerator="b200-sxm", at=at, hosted=12.0, domain=1)
    assert alone == pytest.approx(
        2500 * 0.0036 * np.array([0, 4, 10, 12, 12]), rel=1e-9
    )  # outside of a domain only the slower recipe is left
    assert figures.performance(*mine, accelerator="mi300x", at=at, hosted=12.0, domain=None).tolist() == [0.0] * 5


def test_lines_of_f_are_the_performance_functions_of_the_tables(tmp_path: Path) -> None:
    book = made(tmp_path)
    drawn = figures.performances(book.frontier, book.recipes, book.recipe_resources, unit="u")
    ends = {trace.name: trace.y[-1] for trace in drawn.data}
    full = figures.HOSTED * 0.0036
    assert ends == pytest.approx(
        {"b200-sxm": 4500 * full, "b200-sxm, no domain": 2500 * full, "h100-sxm": 2000 * full, "h100-sxm, 40tps": 1000 * full}
    )


def test_returns_show_results_envelope_and_what_the_smallest_job_would_make_of_more(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text("job_type,n_gpus,gpu,steps_per_sec\nLM,1,v100,10\nLM,2,v100,5\nLM,4,v100,30\nLM,1,k80,1\n")
    book = recipes(path, limits=["none"])
    envelope, dots, straight = figures.returns(book.scaling, unit="u").data
    assert list(envelope.y) == pytest.approx([36.0, 60.0, 108.0])
    assert list(dots.y) == pytest.approx([36.0, 18.0, 108.0])
    assert list(straight.x) == [1, 4]
    assert list(straight.y) == pytest.approx([36.0, 144.0])


def test_the_page_has_every_model_its_recipes_hosts_and_what_was_left_out(tmp_path: Path) -> None:
    book = made(tmp_path)
    page = render(book)
    for name in ("m-m-chat-frontier-plot", "m-m-chat-performance-plot", "m-m-chat-returns-plot", "hosts-table", "left-out-table"):
        assert f'id="{name}"' in page
    assert page.count("b200-sxm-x2") >= 1
    assert "at least 40 tokens a second for each user" in page
    assert "no more work than" in page
    assert "AWS p6-b200.48xlarge" in page
    assert render(book) == page

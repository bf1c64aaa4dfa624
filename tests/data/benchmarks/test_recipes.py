"""Recipes from benchmarks: the tables of a case, against the rows that they were made of."""

import itertools
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.recipes import output, recipes_by_workload
from tenorgrid.data.benchmarks.accelerators import AUXILIARY, counts, hosts
from tenorgrid.data.benchmarks.formats import read_benchmark
from tenorgrid.data.benchmarks.limits import limits
from tenorgrid.data.benchmarks.recipes import RecipeBook, make_recipes
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import BenchmarkFormat

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
REAL = (
    "mlperf_inference_v5.1_datacenter.csv",
    "mlperf_training_v5.0_time_to_train.csv",
    "ml_energy_llm_throughput_vs_interactivity.csv",
    "gavel_training_throughputs_k80_p100_v100.csv",
)
SERVING = (
    "task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,max_num_seqs,median_itl_ms,output_throughput_tokens_per_sec,"
    "tok_per_s_per_gpu,interactivity_tok_s_user"
)
TRAINING = (
    "submitter,system,benchmark,division,number_of_nodes,accelerators_per_node,accelerator_model_name,n_accel,raw_score_minutes,"
    "rcp_scaling,score_minutes"
)
INFERENCE = "id,submitter,platform,division,model,scenario,sku,accel_per_node,nodes,n_accel,value,units"
JOBS = "job_type,n_gpus,gpu,steps_per_sec"


def served(gpu: str, gpus: int, throughput: float, speed: float, task: str = "chat") -> str:
    return f"{task},qwen/m,{gpu},{gpus},{gpus},1,8,{1000 / speed},{throughput},{throughput / gpus},{speed}"


def written(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "bench.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def trained(folder: Path) -> Path:
    """One model on 8, 16 and 64 H200: 23, 13 and 5 minutes; made up but for its shape."""
    return written(
        folder,
        TRAINING,
        "x,a,m,closed,1,8,NVIDIA H200-SXM5-141GB,8,23,1,23",
        "x,b,m,closed,2,8,NVIDIA H200-SXM5-141GB,16,13,1,13",
        "x,c,m,closed,8,8,NVIDIA H200-SXM5-141GB,64,5,1,5",
    )


@cache
def real(name: str) -> RecipeBook:
    if not (SHARED / name).is_file():
        pytest.skip(f"{name} is not beside the project")
    return make_recipes(SHARED / name, unclear="leave-out")


def test_the_tables_of_a_small_benchmark_by_hand(tmp_path: Path) -> None:
    rows = [served("H100", 1, 1000, 50), served("H100", 1, 2000, 20), served("B200", 2, 9000, 25), served("H100", 1, 900, 20)]
    book = make_recipes(written(tmp_path, SERVING, *rows), limits_at=["none", "40"])
    assert book.workloads.rows() == [("m-chat", "decode", "1e6 output tokens", None), ("m-chat-40tps", "decode", "1e6 output tokens", None)]
    assert book.recipes.rows() == [
        ("m-chat", "h100-sxm-x1", pytest.approx(7.2), None),
        ("m-chat", "b200-sxm-x2", pytest.approx(32.4), 2),
        ("m-chat-40tps", "h100-sxm-x1", pytest.approx(3.6), None),
    ]
    uses = book.recipe_resources.filter(workload="m-chat", recipe="b200-sxm-x2").select("resource", "per_hour").rows()
    assert uses == [("b200-sxm", 2.0), ("vcpu", 48.0), ("ram_gib", 512.0), ("net_gbps", 800.0)]
    assert book.resources["resource"].to_list() == ["b200-sxm", "h100-sxm", "vcpu", "ram_gib", "net_gbps"]
    assert book.resources["kind"].cast(pl.String).to_list() == ["accelerator", "accelerator", "cpu", "memory", "network"]
    assert book.left_out.select("row", "reason", "detail").rows() == [(4, "dominated", "no more work than h100-sxm-x1 of m-chat")]


@pytest.mark.parametrize("seed", range(20))
def test_recipes_of_the_frontier_do_as_much_as_all_results_together(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        served(str(rng.choice(["H100", "B200"])), int(rng.choice([1, 2, 4])), float(rng.uniform(500, 5000)), float(rng.uniform(5, 80)))
        for _ in range(15)
    ]
    path = written(tmp_path, SERVING, *rows)
    book = make_recipes(path, limits_at=["20"], domains="none")
    names = ["b200-sxm", "h100-sxm", *AUXILIARY]
    (few,) = recipes_by_workload(book.recipes, book.recipe_resources, resources=names).values()
    every = read_benchmark(path, hosts())[1].measured.filter(pl.col("speed") >= 20)
    beside = {row["resource"]: row for row in hosts().iter_rows(named=True)}
    bundle = rng.uniform(0, 50, 5) * np.array([1, 1, 24, 256, 400])

    def most() -> float:
        """All results, by linear program in plain lists."""
        from scipy.optimize import linprog

        uses = []
        for text in every["resources"]:
            ((name, number),) = counts(text).items()
            uses.append([number * (name == "b200-sxm"), number * (name == "h100-sxm"), *(number * beside[name][one] for one in AUXILIARY)])
        solved = linprog(-every["output_per_hour"].to_numpy(), A_ub=np.array(uses).T, b_ub=bundle, bounds=(0, None), method="highs")
        return float(every["output_per_hour"].to_numpy() @ solved.x)

    assert output(few, bundle) == pytest.approx(most(), rel=1e-9)


@pytest.mark.parametrize("name", REAL)
def test_every_row_of_the_real_files_is_a_recipe_or_left_out_once(name: str) -> None:
    book = real(name)
    made = set(book.frontier.filter(pl.col("recipe").is_not_null())["row"])
    left = book.left_out["row"].to_list()
    assert made.isdisjoint(left)
    assert sorted([*made, *left]) == list(range(1, pl.read_csv(SHARED / name).height + 1))


@pytest.mark.parametrize("name", REAL)
def test_a_tighter_limit_never_lets_the_same_accelerators_do_more(name: str) -> None:
    book = real(name)
    plain = book.frontier.filter(~pl.col("resources").str.contains(";")).with_columns(kind=pl.col("resources").str.replace(r":\d+$", ""))
    best = plain.group_by("family", "workload", "kind", maintain_order=True).agg(pl.col("per_gpu").max())
    loose = best.select("family", "kind", "per_gpu").unique(["family", "kind"], keep="first", maintain_order=True)
    assert (
        best.join(loose, on=["family", "kind"], suffix="_loose")
        .filter(pl.col("per_gpu") > pl.col("per_gpu_loose") * (1 + 1e-12))
        .is_empty()
    )
    for _, group in best.group_by("family", "kind", maintain_order=True):
        assert all(one >= next_ for one, next_ in itertools.pairwise(group["per_gpu"]))


def test_more_accelerators_make_a_training_shorter_at_a_growing_cost(tmp_path: Path) -> None:
    book = make_recipes(trained(tmp_path), limits_at=["none", "20", "5"])
    assert book.recipes.select("workload", "recipe").rows() == [
        ("m-train", "h200-sxm-x8"),
        ("m-train-20min", "h200-sxm-x16"),
        ("m-train-5min", "h200-sxm-x64"),
    ]
    each = book.frontier.filter(pl.col("recipe").is_not_null())["per_gpu"].to_list()
    assert each == pytest.approx([60000 / 23 / 8, 60000 / 13 / 16, 60000 / 5 / 64], rel=1e-12)
    scaling = book.scaling
    assert scaling["gpus"].to_list() == [8, 16, 64]
    assert scaling["efficiency"].to_list() == pytest.approx([1, 23 / 26, 23 / 40], rel=1e-12)
    assert scaling["marginal"].to_list() == pytest.approx(
        [60000 / 23 / 8, (60000 / 13 - 60000 / 23) / 8, (60000 / 5 - 60000 / 13) / 48], rel=1e-12
    )
    assert scaling["envelope"].to_list() == pytest.approx(scaling["output_per_hour"].to_list(), rel=1e-12)


def test_a_job_of_more_accelerators_that_does_less_lies_below_the_envelope(tmp_path: Path) -> None:
    book = make_recipes(written(tmp_path, JOBS, "LM,1,v100,10", "LM,2,v100,5", "LM,4,v100,30"), limits_at=["none"])
    assert book.scaling["output_per_hour"].to_list() == [36.0, 18.0, 108.0]
    assert book.scaling["envelope"].to_list() == pytest.approx([36.0, 60.0, 108.0])
    assert book.scaling["marginal"].to_list() == pytest.approx([36.0, -18.0, 45.0])


def test_the_penalty_of_placement_is_a_recipe_with_a_domain_beside_a_slower_one_without(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS, "LM,4,v100,30", "LM,4,v100_unconsolidated,12", "CNN,4,v100,30", "CNN,4,v100_unconsolidated,31")
    book = make_recipes(path, limits_at=["none"])
    assert book.recipes.rows() == [
        ("lm-train", "v100-x4", 108.0, 4),
        ("lm-train", "v100-x4-spread", 43.2, None),
        ("cnn-train", "v100-x4-spread", pytest.approx(111.6), None),  # no penalty, so nobody needs the domain
    ]
    free = make_recipes(path, limits_at=["none"], domains="none")
    assert free.recipes.select("recipe", "domain").rows() == [("v100-x4", None), ("v100-x4-spread", None)]


def test_two_results_of_one_size_in_different_domains_have_names_of_their_own(tmp_path: Path) -> None:
    rows = ["chat,qwen/m,B200,4,4,1,8,50,8000,2000,20", "chat,qwen/m,B200,4,2,1,8,50,6000,1500,20"]
    book = make_recipes(written(tmp_path, SERVING, *rows), limits_at=["none"])
    assert book.recipes.select("recipe", "domain").rows() == [("b200-sxm-x4-d4", 4), ("b200-sxm-x4-d2", 2)]


def test_a_tighter_scenario_serves_a_looser_one_too(tmp_path: Path) -> None:
    path = written(tmp_path, INFERENCE, "a,x,p,closed,llama2-70b-99,Interactive,NVIDIA L40S,8,1,8,800,Tokens/s")
    book = make_recipes(path, limits_at=["offline", "server", "interactive"])
    assert book.workloads["workload"].to_list() == ["llama2-70b-99-offline", "llama2-70b-99-server", "llama2-70b-99-interactive"]
    assert book.recipes["output_per_hour"].n_unique() == 1
    assert book.frontier["limit"].to_list() == [
        None,
        "server scenario: first token within 2000 ms, then 200 ms a token",
        "interactive scenario: first token within 450 ms, then 40 ms a token",
    ]


def test_a_rung_of_the_ladder_that_changes_nothing_is_no_workload(tmp_path: Path) -> None:
    path = written(tmp_path, SERVING, served("H100", 1, 1000, 60), served("H100", 1, 2000, 30))
    assert make_recipes(path).workloads["workload"].to_list() == ["m-chat", "m-chat-50tps"]
    assert make_recipes(path, limits_at=["10", "20"]).workloads["workload"].to_list() == ["m-chat-10tps", "m-chat-20tps"]


def test_a_system_of_two_kinds_stays_only_where_it_does_more_than_they_do_apart(tmp_path: Path) -> None:
    rows = [
        "a,x,p,closed,whisper,Offline,NVIDIA L40S,4,1,4,400,Samples/s",
        "b,x,p,closed,whisper,Offline,NVIDIA L4-PCIe-24GB,4,1,4,200,Samples/s",
        'c,x,p,closed,whisper,Offline,"NVIDIA L40S (x4), NVIDIA L4-PCIe-24GB (x4)",4,2,8,590,Samples/s',
    ]
    book = make_recipes(written(tmp_path, INFERENCE, *rows))
    assert book.recipes["recipe"].to_list() == ["l40s-x4", "l4-x4"]
    assert book.left_out["detail"].to_list() == ["no more work than l40s-x4;l4-x4 of whisper-offline"]
    rows[2] = rows[2].replace("590", "610")
    kept = make_recipes(written(tmp_path, INFERENCE, *rows))
    assert kept.recipes["recipe"].to_list() == ["l40s-x4", "l4-x4", "l4-x4+l40s-x4"]
    mixed = kept.recipe_resources.filter(recipe="l4-x4+l40s-x4").select("resource", "per_hour").rows()
    assert mixed == [("l4", 4.0), ("l40s", 4.0), ("vcpu", 192.0), ("ram_gib", 1152.0), ("net_gbps", 250.0)]


def test_unclear_rows_refuse_the_file_and_are_left_out_on_request(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        INFERENCE,
        "a,x,p,closed,whisper,Offline,NVIDIA L40S,4,1,4,400,Samples/s",
        "b,x,p,closed,whisper,Offline,NVIDIA X99,4,1,4,400,Samples/s",
        "c,x,p,closed,llama3.1-8b,Interactive,NVIDIA L40S,4,1,4,400,Queries/s",
    )
    with pytest.raises(InputError) as caught:
        make_recipes(path)
    assert [(fault.row, fault.column, fault.value) for fault in caught.value.faults] == [
        (2, "sku", "NVIDIA X99"),
        (3, "units", "Queries/s"),
    ]
    assert all("--unclear leave-out" in fault.expected for fault in caught.value.faults)
    book = make_recipes(path, unclear="leave-out")
    assert book.recipes.height == 1
    assert book.left_out.select("row", "reason", "value").rows() == [(2, "unclear", "NVIDIA X99"), (3, "unclear", "Queries/s")]
    chips = tmp_path / "chips.csv"
    chips.write_text("resource,also_called,scale_up,vcpu,ram_gib,net_gbps,source\nx99,NVIDIA X99,1,10,0,5,a datasheet\n")
    new = make_recipes(path, hosts_file=chips, models=["whisper"], accelerators=["x99"])
    assert new.recipe_resources.select("resource", "per_hour").rows() == [
        ("x99", 4.0),
        ("vcpu", 40.0),
        ("net_gbps", 20.0),
    ]  # no row of nothing
    assert new.resources["resource"].to_list() == ["x99", "vcpu", "net_gbps"]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"models": ["lm-trian"]}, "model: found lm-trian, expected a name that the benchmark has, such as lm-train"),
        ({"accelerators": ["v1000"]}, "accelerator: found v1000, expected a name that the benchmark has, such as v100"),
        ({"limits_at": ["fast"]}, "limit: found fast, expected none, or a number above 0"),
        ({"limits_at": ["-3"]}, "limit: found -3, expected none, or a number above 0"),
        ({"limits_at": ["1000"]}, "expected a result of the models, accelerators and limits that were asked for"),
        ({"names": {"lm": "x"}}, "workload: found lm, expected a name that the benchmark has, such as lm-train"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, list[str]], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        make_recipes(written(tmp_path, JOBS, "LM,4,v100,30"), **asked)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


def test_two_workloads_cannot_be_called_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, JOBS, "LM,4,v100,30", "CNN,4,v100,30")
    with pytest.raises(InputError, match="a name of its own for each workload"):
        make_recipes(path, limits_at=["none"], names={"lm-train": "cnn-train"})


def test_limits_go_from_the_loosest_on_and_a_row_right_at_one_meets_it(tmp_path: Path) -> None:
    assert [limit.suffix for limit in limits(BenchmarkFormat.MLPERF_TRAINING)] == ["", "240min", "60min", "20min", "5min", "1min"]
    assert [limit.suffix for limit in limits(BenchmarkFormat.MLPERF_INFERENCE, ["Interactive", "offline"])] == ["offline", "interactive"]
    assert make_recipes(trained(tmp_path), limits_at=["13"]).recipes["recipe"].to_list() == ["h200-sxm-x16"]
    with pytest.raises(InputError, match="one of offline, server, interactive"):
        limits(BenchmarkFormat.MLPERF_INFERENCE, ["20"])


def test_the_real_inference_frontier_has_the_best_published_results() -> None:
    if not (SHARED / REAL[0]).is_file():
        pytest.skip(f"{REAL[0]} is not beside the project")
    book = make_recipes(SHARED / REAL[0], models=["llama2-70b-99"], limits_at=["server"])
    best: dict[str, float] = {}
    for row in pl.read_csv(SHARED / REAL[0]).iter_rows(named=True):
        mine = row["model"] == "llama2-70b-99" and row["scenario"] in ("Server", "Interactive") and row["division"] == "closed"
        if mine and row["sku"] in ("NVIDIA B200-SXM-180GB", "NVIDIA H100-SXM-80GB", "AMD Instinct MI300X 192GB HBM3"):
            best[row["sku"]] = max(best.get(row["sku"], 0.0), row["value"] / row["n_accel"])
    each = dict(book.frontier.filter(pl.col("recipe").is_not_null()).select("recipe", pl.col("per_gpu") * 1e6 / 3600).iter_rows())
    assert each["b200-sxm-x8"] == pytest.approx(best["NVIDIA B200-SXM-180GB"], rel=1e-9)
    assert each["h100-sxm-x32"] == pytest.approx(best["NVIDIA H100-SXM-80GB"], rel=1e-9)
    assert each["mi300x-x8"] == pytest.approx(best["AMD Instinct MI300X 192GB HBM3"], rel=1e-9)


def test_a_limit_suits_the_workload_that_it_names(tmp_path: Path) -> None:
    book = make_recipes(trained(tmp_path))
    slowest = book.frontier.join(book.recipes, on=["workload", "recipe"]).with_columns(minutes=60 / pl.col("speed"))
    for workload, minutes in slowest.select("workload", "minutes").iter_rows():
        if workload.endswith("min"):
            assert minutes <= float(workload.rpartition("-")[2].removesuffix("min"))

"""The four readers: rows as in the sources (cited in the modules), or made up in their layout where a fault is wanted."""

from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.benchmarks.accelerators import hosts
from tenorgrid.data.benchmarks.formats import READERS, read_benchmark
from tenorgrid.data.benchmarks.results import Results, faults
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import BenchmarkFormat

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
FILES = {
    BenchmarkFormat.MLPERF_INFERENCE: "mlperf_inference_v5.1_datacenter.csv",
    BenchmarkFormat.MLPERF_TRAINING: "mlperf_training_v5.0_time_to_train.csv",
    BenchmarkFormat.ML_ENERGY: "ml_energy_llm_throughput_vs_interactivity.csv",
    BenchmarkFormat.GAVEL: "gavel_training_throughputs_k80_p100_v100.csv",
}
INFERENCE = "id,submitter,platform,division,model,scenario,sku,accel_per_node,nodes,n_accel,value,units"
TRAINING = (
    "submitter,system,benchmark,division,number_of_nodes,accelerators_per_node,accelerator_model_name,n_accel,raw_score_minutes,"
    "rcp_scaling,score_minutes"
)
SERVING = (
    "task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,max_num_seqs,median_itl_ms,output_throughput_tokens_per_sec,"
    "tok_per_s_per_gpu,interactivity_tok_s_user"
)
JOBS = "job_type,n_gpus,gpu,steps_per_sec"


def read(folder: Path, header: str, *rows: str) -> Results:
    path = folder / "bench.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return read_benchmark(path, hosts())[1]


def real(format: BenchmarkFormat) -> Results:
    path = SHARED / FILES[format]
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside the project")
    found, results = read_benchmark(path, hosts())
    assert found == format
    return results


def test_tokens_a_second_of_a_system_become_a_million_tokens_an_hour(tmp_path: Path) -> None:
    row = read(
        tmp_path, INFERENCE, "5.1-0007,ASUSTeK,ESC_N8,closed,llama2-70b-99,Server,NVIDIA H200-SXM-141GB,8,1,8,34193.8,Tokens/s"
    ).measured.row(0, named=True)
    assert row["output_per_hour"] == pytest.approx(34193.8 * 3600 / 1e6, rel=1e-12)
    assert (row["family"], row["class"], row["unit"]) == ("llama2-70b-99", "decode", "1e6 output tokens")
    assert (row["resources"], row["gpus"], row["domain"], row["speed"]) == ("h200-sxm:8", 8, 8, 1.0)


def test_a_query_of_the_server_scenario_is_a_sample_but_not_a_token(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        INFERENCE,
        "a,x,p,closed,retinanet,Offline,NVIDIA L40S,8,1,8,4000,Samples/s",
        "b,x,p,closed,retinanet,Server,NVIDIA L40S,8,1,8,3600,Queries/s",
        "c,x,p,closed,llama3.1-8b,Interactive,NVIDIA L40S,8,1,8,3600,Queries/s",
        "d,x,p,closed,new-model,Offline,NVIDIA L40S,8,1,8,3600,Queries/s",
        "e,x,p,closed,new-model,Offline,NVIDIA L40S,8,1,8,3600,Images/s",
        "f,x,p,closed,new-model,Fast,NVIDIA L40S,8,1,8,3600,Samples/s",
        "g,x,p,open,retinanet,Offline,NVIDIA L40S,8,1,8,9000,Samples/s",
        "h,x,p,closed,retinanet,Offline,NVIDIA L40S,8,1,8,0,Samples/s",
    )
    assert found.measured.select("row", "unit", "output_per_hour").rows() == [(1, "1e3 samples", 14400.0), (2, "1e3 samples", 12960.0)]
    assert found.left_out.select("row", "reason").rows() == [
        (3, "unclear"), (4, "unclear"), (5, "unclear"), (6, "unclear"), (7, "open division"), (8, "did not run"),
    ]  # fmt: skip
    assert str(faults(found.left_out, file="bench.csv")[0]) == (
        "bench.csv row 3, column units: found Queries/s, expected Tokens/s: this model is counted in tokens, "
        "and how many a query has is not told"
    )


def test_an_accelerator_that_cannot_be_told_and_a_number_that_does_not_add_up_are_unclear(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        INFERENCE,
        "a,x,p,closed,whisper,Offline,NVIDIA X99,8,1,8,4000,Samples/s",
        "b,x,p,closed,whisper,Offline,NVIDIA L40S,8,2,8,4000,Samples/s",
    )
    wrong = faults(found.left_out, file="bench.csv")
    assert [(fault.row, fault.column, fault.value) for fault in wrong] == [(1, "sku", "NVIDIA X99"), (2, "n_accel", "8")]
    assert "a row of --hosts with this name" in wrong[0].expected
    assert wrong[1].expected == "the accelerators of nodes × accel_per_node"


def test_minutes_to_train_become_thousandths_of_a_training_an_hour(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        TRAINING,
        "NVIDIA,eos,llama31_405b,closed,64,8,NVIDIA H100-SXM5-80GB,512,269.12157,1.0,269.12157",
        "NVIDIA,tyche,llama31_405b,closed,128,4,NVIDIA Blackwell GPU (GB200),512,121.75733,1.0,121.75733",
        "AMD,MI300X,llama2_70b_lora,closed,1,8,AMD Instinct MI300X 192GB HBM3,8,28.26866,1.03472,29.25021",
        "x,y,llama2_70b_lora,closed,1,8,AMD Instinct MI300X 192GB HBM3,8,28.26866,1.03472,28.26866",
    )
    one, two, three = found.measured.iter_rows(named=True)
    assert one["output_per_hour"] == pytest.approx(1000 * 60 / 269.12157, rel=1e-12)
    assert one["speed"] == pytest.approx(60 / 269.12157, rel=1e-12)
    assert (one["domain"], two["domain"]) == (8, 72)  # a server of 8, a rack of 72
    assert (one["class"], three["class"], three["family"]) == ("pre-training", "post-training", "llama2-70b-lora-train")
    assert found.left_out.select("row", "column").rows() == [(4, "score_minutes")]


def test_a_served_model_needs_the_domain_that_shares_one_copy_of_it(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        SERVING,
        "chat,Qwen/Qwen3-14B,H100,1,1,1,8,12.53552,627.41311,627.41311,79.77332",
        "chat,meta/Big,B200,8,8,1,64,20,4000,500,50",
        "chat,meta/Sparse,B200,4,1,4,64,20,4000,1000,50",
        "chat,meta/Sparse,B200,4,1,4,64,20,4000,500,50",
        "chat,meta/Sparse,B200,4,1,4,64,20,4000,1000,20",
        "chat,other/Sparse,B200,1,1,1,64,20,4000,4000,50",
    )
    rows = found.measured
    assert rows["domain"].to_list() == [None, 8, 4, None]
    assert rows["resources"].to_list() == ["h100-sxm:1", "b200-sxm:8", "b200-sxm:4", "b200-sxm:1"]
    assert rows["family"].to_list() == ["qwen3-14b-chat", "big-chat", "meta-sparse-chat", "other-sparse-chat"]
    assert rows["output_per_hour"][0] == pytest.approx(627.41311 * 3600 / 1e6, rel=1e-12)
    assert found.left_out.select("row", "column").rows() == [(4, "tok_per_s_per_gpu"), (5, "interactivity_tok_s_user")]


def test_a_job_in_one_server_needs_a_domain_and_the_same_job_spread_needs_none(tmp_path: Path) -> None:
    found = read(tmp_path, JOBS, "LM (batch size 5),4,v100,30", "LM (batch size 5),4,v100_unconsolidated,12", "LM (batch size 5),1,k80,0")
    assert found.measured.select("resources", "domain", "spread", "output_per_hour").rows() == [
        ("v100:4", 4, False, 108.0),
        ("v100:4", None, True, 43.2),
    ]
    assert found.left_out.select("row", "reason").rows() == [(3, "did not run")]


def test_cells_that_cannot_be_read_refuse_the_file_with_all_of_them(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, JOBS, "LM,four,v100,30", "LM,4,v100,-1")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "n_gpus"), (2, "steps_per_sec")]


def test_a_header_that_no_reader_knows_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the header of a known format .*the nearest is gavel, which lacks steps_per_sec"):
        read(tmp_path, "job_type,n_gpus,gpu", "LM,1,v100")
    with pytest.raises(InputError, match="a format out of mlperf-inference, mlperf-training, ml-energy, ml-energy-images, gavel"):
        read_benchmark(tmp_path / "bench.csv", hosts(), "spec")
    with pytest.raises(InputError, match="a CSV or Parquet file of a benchmark"):
        read_benchmark(tmp_path / "nothing.csv", hosts())


def test_no_header_is_known_to_two_readers() -> None:
    needs = {format: set(reader.schema.columns()) for format, reader in READERS.items()}
    assert not any(one <= other for name, one in needs.items() for second, other in needs.items() if name != second)


def test_the_real_inference_results_have_the_medians_that_their_provenance_names() -> None:
    found = real(BenchmarkFormat.MLPERF_INFERENCE)
    path = pl.read_csv(SHARED / FILES[BenchmarkFormat.MLPERF_INFERENCE]).with_row_index("row", offset=1)
    rows = found.measured.join(path.select(pl.col("row").cast(pl.Int64), "model", "scenario"), on="row")
    rows = rows.filter(pl.col("model").str.starts_with("llama2-70b"), scenario="Offline").with_columns(
        each=pl.col("output_per_hour") * 1e6 / 3600 / pl.col("gpus")
    )
    median = {
        name: rows.filter(pl.col("resources").str.starts_with(f"{name}:"))["each"].median() for name in ("h100-sxm", "h200-sxm", "b200-sxm")
    }
    assert median["h100-sxm"] == pytest.approx(3900, rel=0.01)
    assert median["h200-sxm"] == pytest.approx(4370, rel=0.01)
    assert median["b200-sxm"] == pytest.approx(12690, rel=0.01)
    assert {fault.value for fault in faults(found.left_out, file="x")} == {"Queries/s"}
    assert found.measured.filter(pl.col("resources").str.contains(";"))["gpus"].unique().sort().to_list() == [24, 48]


def test_the_real_training_results_have_the_accelerator_hours_that_their_provenance_names() -> None:
    rows = real(BenchmarkFormat.MLPERF_TRAINING).measured.filter(family="llama2-70b-lora-train")
    hours = rows.with_columns(hours=1000 * pl.col("gpus") / pl.col("output_per_hour"))
    h200 = hours.filter(pl.col("resources").str.starts_with("h200-sxm:"))
    assert h200.filter(gpus=8)["hours"].median() == pytest.approx(3.2, abs=0.1)
    assert h200.filter(gpus=512)["hours"][0] == pytest.approx(17, abs=0.3)
    assert rows.height == 51


def test_the_real_serving_results_span_the_trade_that_their_provenance_names() -> None:
    found = real(BenchmarkFormat.ML_ENERGY)
    assert found.left_out.is_empty()
    rows = found.measured.filter(family="qwen3-14b-lm-arena-chat").with_columns(
        each=pl.col("output_per_hour") * 1e6 / 3600 / pl.col("gpus")
    )
    b200 = rows.filter(pl.col("resources") == "b200-sxm:1").sort("speed")
    assert (b200["each"][0], b200["speed"][0]) == (pytest.approx(15875, rel=1e-3), pytest.approx(8.9, abs=0.05))
    assert (b200["each"][-1], b200["speed"][-1]) == (pytest.approx(1087, rel=0.03), pytest.approx(140, abs=0.5))


def test_the_real_jobs_pay_the_penalty_of_placement_that_their_provenance_names() -> None:
    rows = real(BenchmarkFormat.GAVEL).measured
    spread = rows.filter("spread").select("family", "resources", pl.col("output_per_hour").alias("apart"))
    both = rows.filter(~pl.col("spread"), pl.col("gpus") > 1).join(spread, on=["family", "resources"])
    ratio = both["output_per_hour"] / both["apart"]
    assert ratio.median() == pytest.approx(1.4, abs=0.05)
    assert ratio.max() == pytest.approx(9.6, abs=0.1)

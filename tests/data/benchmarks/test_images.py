"""Text to image: batches of diffusion models with a limit on their time, and the figures that come with the package."""

from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.benchmarks.accelerators import hosts
from tenorgrid.data.benchmarks.cited import cited, cited_file
from tenorgrid.data.benchmarks.formats import read_benchmark
from tenorgrid.data.benchmarks.recipes import make_recipes
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import BenchmarkFormat

HEADER = (
    "model_id,gpu_model,num_gpus,ulysses_degree,ring_degree,batch_size,image_height,image_width,inference_steps,batch_latency_s,"
    "throughput_images_per_sec"
)
MODEL = "stable-diffusion-3.5-large-28-steps"


def file_of(folder: Path, *rows: str) -> Path:
    path = folder / "images.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_images_a_second_become_thousands_an_hour(tmp_path: Path) -> None:
    path = file_of(tmp_path, "lab/dit,B200,2,1,2,4,1024,1024,28,2.0,2.0", "lab/dit,H100,1,1,1,1,512,512,20,0.5,2.0")
    known, found = read_benchmark(path, hosts())
    assert known is BenchmarkFormat.ML_ENERGY_IMAGES
    rows = found.measured.select("family", "unit", "resources", "domain", "speed", "output_per_hour").rows()
    assert rows == [
        ("dit-28-steps", "1e3 images", "b200-sxm:2", 2, 0.5, pytest.approx(7.2, rel=1e-12)),
        ("dit-512x512-20-steps", "1e3 images", "h100-sxm:1", None, 2.0, pytest.approx(7.2, rel=1e-12)),
    ]


def test_a_limit_of_seconds_excludes_batches_that_are_cheaper_but_slower() -> None:
    file = cited_file("ml-energy-images")
    book = make_recipes(file, models=[MODEL], limits_at=["none", "5"])
    work = {(row["workload"], row["recipe"]): row["output_per_hour"] / 3.6 for row in book.recipes.iter_rows(named=True)}
    assert work[MODEL, "b200-sxm-x1"] == pytest.approx(0.2326150985)  # a batch of 16 takes 69 s
    assert work[f"{MODEL}-5s", "b200-sxm-x1"] == pytest.approx(0.2098535722)  # one image in 4.8 s
    assert work[f"{MODEL}-5s", "h100-sxm-x2"] == pytest.approx(0.2096560049)
    assert (f"{MODEL}-5s", "h100-sxm-x1") not in work


def test_numbers_that_do_not_add_up_refuse_the_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, "lab/dit,B200,2,1,2,4,1024,1024,28,2.0,2.1", "lab/dit,B200,4,1,2,4,1024,1024,28,2.0,2.0")
    with pytest.raises(InputError) as caught:
        make_recipes(path)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "throughput_images_per_sec"), (2, "num_gpus")]


@pytest.mark.parametrize("name", cited())
def test_cited_figures_are_read_like_any_file(name: str) -> None:
    assert make_recipes(cited_file(name)).recipes.height > 0


def test_figures_that_nobody_cited_are_refused() -> None:
    with pytest.raises(InputError, match="found tea-leaves, expected one of ml-energy, ml-energy-images"):
        cited_file("tea-leaves")


def test_cited_tokens_are_those_of_the_whole_file() -> None:
    whole = Path(__file__).parents[3].parent / "shared" / "data" / "ml_energy_llm_throughput_vs_interactivity.csv"
    if not whole.is_file():
        pytest.skip(f"{whole.name} is not beside the project")
    for model in ("llama-3.1-70b-instruct-lm-arena-chat", "gpt-oss-120b-gpqa"):
        few, every = (best_of_one(file, model) for file in (cited_file("ml-energy"), whole))
        assert few == every


def best_of_one(file: Path, model: str) -> dict[tuple[str, str], float]:
    """Tokens that one accelerator makes in an hour at best, by limit and kind."""
    drawn = make_recipes(file, models=[model], accelerators=["h100-sxm", "b200-sxm"], limits_at=["none", "10", "20", "30", "50"]).frontier
    kinds = drawn.with_columns(kind=pl.col("resources").str.replace(r":.*", ""))
    best = kinds.group_by("workload", "kind").agg(pl.col("per_gpu").max())
    return {(workload, kind): most for workload, kind, most in best.iter_rows()}

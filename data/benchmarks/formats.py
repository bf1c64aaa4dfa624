"""Which benchmark a file is, told from its header."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.benchmarks import gavel, ml_energy, ml_energy_images, mlperf_inference, mlperf_training
from tenorgrid.data.benchmarks.results import Results
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import BenchmarkFormat
from tenorgrid.data.readers.header import matching


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One layout: how it reads with a table of `Hosts`, and what its rows are."""

    read: Callable[[Path, pl.DataFrame], Results]
    schema: type[dy.Schema]


READERS: Mapping[BenchmarkFormat, Reader] = {
    BenchmarkFormat.MLPERF_INFERENCE: Reader(read=mlperf_inference.read, schema=mlperf_inference.InferenceResults),
    BenchmarkFormat.MLPERF_TRAINING: Reader(read=mlperf_training.read, schema=mlperf_training.TrainingResults),
    BenchmarkFormat.ML_ENERGY: Reader(read=ml_energy.read, schema=ml_energy.ServingResults),
    BenchmarkFormat.ML_ENERGY_IMAGES: Reader(read=ml_energy_images.read, schema=ml_energy_images.ImageResults),
    BenchmarkFormat.GAVEL: Reader(read=gavel.read, schema=gavel.JobThroughputs),
}


def read_benchmark(path: Path, book: pl.DataFrame, format: BenchmarkFormat | str | None = None) -> tuple[BenchmarkFormat, Results]:
    """The results of a benchmark file, CSV (also .csv.gz) or Parquet, and its format.

    Args:
        path: the file.
        book: `Hosts`.
        format: its layout; None tells it from the header.

    Raises `InputError` with every fault, also where no reader knows the header or `format` is none of ours.
    """
    if not path.is_file():
        raise InputError.of(str(path), "a CSV or Parquet file of a benchmark")
    if format is None:
        format = matching(path, {name: set(reader.schema.columns()) for name, reader in READERS.items()})
    if format not in list(BenchmarkFormat):
        raise InputError.of(path.name, f"a format out of {', '.join(BenchmarkFormat)}", value=format)
    known = BenchmarkFormat(format)
    return known, READERS[known].read(path, book)

"""MLPerf Inference, datacenter: throughput of a system under each scenario's limit on latency.

A scenario is a limit: Offline has none, Server a usual one, Interactive a tighter one. Tokens are tokens of output; a query of the Server
scenario is one sample, so that Queries/s and Samples/s of one model are the same unit, unless the model is counted in tokens: then
Queries/s could be anything, and such a row is unclear. Only the closed division runs the same model everywhere; open rows are left out.

Columns: as in `summary_results.json` of github.com/mlcommons/inference_results_v5.1, with n_accel the accelerators of all nodes.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.benchmarks.results import MILLION, SECONDS, THOUSAND, Results, left, numbered, results, slug, unclear
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import LeftOutReason
from tenorgrid.data.tables.door import read_checked

TOKENS, SAMPLES = "1e6 output tokens", "1e3 samples"
COUNTED_IN_TOKENS = ("llama", "mixtral", "deepseek", "gptj", "gpt-oss")  # how the names of models begin that are reported in tokens
SCENARIOS = ("Offline", "Server", "Interactive")  # each with a tighter limit than the one before


class InferenceResults(dy.Schema):
    """One result of one model in one scenario."""

    id = dy.String(description="Submission")
    submitter = dy.String(description="Who submitted")
    platform = dy.String(description="System")
    division = dy.String(description="closed or open")
    model = dy.String(description="Model, with its accuracy target")
    scenario = dy.String(description="Offline, Server or Interactive")
    sku = dy.String(description="Accelerator")
    accel_per_node = dy.Int64(min=1, description="Accelerators in a server", metadata={"unit": "GPU"})
    nodes = dy.Int64(min=1, description="Servers")
    n_accel = dy.Int64(min=1, description="Accelerators in all", metadata={"unit": "GPU"})
    value = dy.Float64(min=0, description="Throughput, in `units`")
    units = dy.String(description="Tokens/s, Samples/s or Queries/s")


def read(path: Path, book: pl.DataFrame) -> Results:
    """The results of a file; `speed` is the scenario's place in `SCENARIOS`. Raises `InputError` with every fault of its cells."""
    rows, faults = read_checked(path, InferenceResults, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    rows = numbered(rows).with_columns(family=slug("model"))
    tokens = pl.col("model").str.to_lowercase().str.contains(f"^(?:{'|'.join(COUNTED_IN_TOKENS)})")
    tokens = tokens | (pl.col("units") == "Tokens/s").any().over("model")
    one_a_query = pl.col("units").is_in(["Samples/s", "Queries/s"]) & ~tokens
    rows = rows.with_columns(tokens=tokens)
    told = (tokens & (pl.col("units") == "Tokens/s")) | (
        one_a_query & ((pl.col("units") == "Samples/s") | (pl.col("scenario") == "Server"))
    )
    opened = pl.col("division") != "closed"
    known = pl.col("scenario").is_in(SCENARIOS)
    out = [
        left(
            rows.filter(opened),
            LeftOutReason.OPEN_DIVISION,
            column="division",
            value="division",
            detail="closed: elsewhere another model may be run",
        ),
        unclear(rows.filter(~opened & ~known), column="scenario", value="scenario", detail=f"one of {', '.join(SCENARIOS)}"),
        unclear(
            rows.filter(~opened & known & pl.col("tokens") & ~told),
            column="units",
            value="units",
            detail="Tokens/s: this model is counted in tokens, and how many a query has is not told",
        ),
        unclear(
            rows.filter(~opened & known & ~pl.col("tokens") & ~told),
            column="units",
            value="units",
            detail="Tokens/s or Samples/s (or Queries/s in the Server scenario, where a query is one sample)",
        ),
        left(
            rows.filter(~opened & known & told & (pl.col("value") == 0)),
            LeftOutReason.DID_NOT_RUN,
            column="value",
            value="value",
            detail="a throughput above 0",
        ),
    ]
    unit = pl.when("tokens").then(pl.lit(TOKENS)).otherwise(pl.lit(SAMPLES))
    per_second = pl.when("tokens").then(MILLION).otherwise(THOUSAND)
    frame = rows.with_columns(
        gpus="n_accel",
        per_node="accel_per_node",
        unit=unit,
        output_per_hour=pl.col("value") * per_second * SECONDS,
        speed=pl.col("scenario").replace_strict(
            {name: place for place, name in enumerate(SCENARIOS)}, default=None, return_dtype=pl.Float64
        ),
        domain=pl.lit(None, dtype=pl.Int64),
        spread=pl.lit(False),
        entry=pl.concat_str("id", "submitter", "platform", "model", "scenario", separator=", "),
    ).with_columns(pl.when("tokens").then(pl.lit("decode")).otherwise(pl.lit("inference")).alias("class"))
    return results(frame, left_out=out, book=book, sku="sku", nodes=("nodes", "accel_per_node"))

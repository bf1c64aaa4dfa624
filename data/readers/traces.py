"""Records of availability: SkyPilot's spot traces, run-length encoded, and the `presence` table of whoever owns a record.

A trace row says that a probe of so many nodes in a zone had `n_available` of them from `start_s` for `duration_s` seconds. A pool is one
data set, kind and GPU, and zones are its suppliers, for zones of different sets were not probed at the same time. Each lists
its probe: the number of nodes that `kind` names. Zones that differ in GPUs per node are different suppliers of the same pool.

Source: skypilot-org/spot-traces, of "Can't Be Late: Optimizing Spot Instance Savings under Deadlines" (NSDI 2024).
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked, read_checked
from tenorgrid.data.tables.tiering import Presence, Runs

KIND = r"^(availability|preemption)/[1-9]\d*-node$"
ZONE = r"^(.+)_([^_]+)_(\d+)$"
ALL = "all"


class SpotTraces(dy.Schema):
    """One run of unchanged availability of a probe."""

    repo = dy.String(nullable=True, description="Repository that it comes from")
    kind = dy.String(regex=KIND, description="availability or preemption, and the nodes probed: availability/16-node")
    dataset = dy.String(description="Cloud and first day")
    zone_instance = dy.String(description="Zone, GPU and GPUs of a node: us-east-1a_v100_1")
    gap_seconds = dy.Float64(min_exclusive=0, description="Seconds from probe to probe", metadata={"unit": "s"})
    start_s = dy.Float64(min=0, description="Beginning of the run, from the trace's beginning", metadata={"unit": "s"})
    duration_s = dy.Float64(min_exclusive=0, description="Length of the run", metadata={"unit": "s"})
    n_available = dy.Float64(min=0, description="Nodes there", metadata={"unit": "nodes"})


def read_traces(path: Path | str) -> pl.DataFrame:
    """`Runs` of a file of spot traces or of a `presence` table, CSV or Parquet, told apart by their headers.

    Args:
        path: the file.

    Raises `InputError` with every fault, by row: unlisted columns, negative runs, shares outside [0, 1], runs that overlap.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError.of(str(path), "a file of availability traces")
    schema = SpotTraces if "zone_instance" in _header(path) else Presence
    rows, faults = read_checked(path, schema, empty=False)
    if schema is Presence:
        faults += [] if faults else overlaps(_of_presence(rows), name=path.name)
        runs = None if faults else _of_presence(rows)
    else:
        faults += [] if faults else [*_shares(rows, path.name), *overlaps(_of_traces(rows), name=path.name)]
        runs = None if faults else _of_traces(rows)
    if runs is None:
        raise InputError(faults)
    return Runs.validate(runs)


def make_runs(presence: pl.DataFrame) -> pl.DataFrame:
    """`Runs` of a `presence` frame that Python made. Raises `InputError` as `read_traces` does.

    >>> from datetime import UTC, datetime
    >>> moments = [datetime(2027, 1, 1, hour, tzinfo=UTC) for hour in (0, 2, 3)]
    >>> frame = pl.DataFrame({"supplier": ["a", "a"], "start": moments[:2], "end": moments[1:], "share": [1.0, 0.25]})
    >>> make_runs(frame).select("pool", "begin", "end", "listed", "present").rows()
    [('all', 0.0, 7200.0, 1.0, 1.0), ('all', 7200.0, 10800.0, 1.0, 0.25)]
    """
    rows = checked(presence, Presence, name="presence")
    if rows.is_empty():
        raise InputError.of("presence", "at least one row")
    runs = _of_presence(rows)
    if faults := overlaps(runs, name="presence"):
        raise InputError(faults)
    return Runs.validate(runs)


def overlaps(runs: pl.DataFrame, *, name: str) -> list[Fault]:
    """A fault for every run that begins before an earlier one of its supplier has ended; rows are counted as they come in."""
    by = ["pool", "supplier"]
    ordered = runs.with_row_index("row", offset=1).sort(*by, "begin", "end")
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in by)
    if not ordered.select((same & (pl.col("begin") < pl.col("end").shift(1))).any()).item():
        return []
    seen = ordered.with_columns(until=pl.col("end").cum_max().shift(1).over(by), before=pl.col("row").shift(1).over(by))
    return [
        Fault(
            file=name,
            row=found["row"],
            value=f"{found['supplier']} from {found['begin']:g} to {found['end']:g} s of the record",
            expected=f"a run that begins at or after {found['until']:g} s, where an earlier one ends (row {found['before']} is before it)",
        )
        for found in seen.filter(pl.col("begin") < pl.col("until")).sort("row").iter_rows(named=True)
    ]


def _header(path: Path) -> list[str]:
    """Names of the columns; a file that is neither form is told of by `read_checked`."""
    try:
        return list(pl.read_parquet_schema(path)) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False, n_rows=0).columns
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError):
        return []


def _nodes() -> pl.Expr:
    return pl.col("kind").str.extract(r"/(\d+)-node$").cast(pl.Float64)


def _shares(rows: pl.DataFrame, name: str) -> list[Fault]:
    """More nodes than were probed would be a share above 1."""
    wrong = rows.with_row_index("row", offset=1).with_columns(nodes=_nodes()).filter(pl.col("n_available") > pl.col("nodes"))
    return [
        Fault(
            file=name,
            row=row,
            column="n_available",
            value=f"{found:g} of {nodes:g} nodes, a share of {found / nodes:g}",
            expected="at most the nodes of its kind, a share in [0, 1]",
        )
        for row, found, nodes in wrong.select("row", "n_available", "nodes").iter_rows()
    ]


def _of_traces(rows: pl.DataFrame) -> pl.DataFrame:
    gpu = pl.col("zone_instance").str.extract(ZONE, 2)
    kind = pl.col("kind").str.replace("/", " ", literal=True)
    return rows.select(
        pool=pl.concat_str([pl.col("dataset"), gpu, kind], separator=" ", ignore_nulls=True),
        supplier="zone_instance",
        begin="start_s",
        end=pl.col("start_s") + pl.col("duration_s"),
        listed=_nodes(),
        present="n_available",
    )


def _of_presence(rows: pl.DataFrame) -> pl.DataFrame:
    def seconds(edge: str) -> pl.Expr:
        return (pl.col(edge) - pl.col("start").min()).dt.total_microseconds() / 1e6

    listed = pl.col("listed").fill_null(1.0)
    return rows.select(
        pool=pl.col("pool").fill_null(ALL),
        supplier="supplier",
        begin=seconds("start"),
        end=seconds("end"),
        listed=listed,
        present=listed * pl.col("share"),
    )

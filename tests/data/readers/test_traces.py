"""Traces of availability: two forms, and refusals by row and value."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.traces import make_runs, read_traces
from tenorgrid.data.tables.tiering import Runs

TRACES = Path(__file__).parents[3].parent / "shared" / "data" / "spot_availability_traces_rle.csv.gz"
HEAD = "repo,kind,dataset,zone_instance,gap_seconds,start_s,duration_s,n_available"
ROW = "spot-traces,availability/4-node,aws-01-01-2023,us-east-1a_v100_1,300"


def written(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "traces.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def refused(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_traces(path)
    return [str(fault) for fault in caught.value.faults]


def test_a_trace_becomes_runs_of_its_pool(tmp_path: Path) -> None:
    found = read_traces(written(tmp_path, f"{ROW},0,600,4", f"{ROW},600,300,1"))
    Runs.validate(found)
    assert found.rows() == [
        ("aws-01-01-2023 v100 availability 4-node", "us-east-1a_v100_1", 0.0, 600.0, 4.0, 4.0),
        ("aws-01-01-2023 v100 availability 4-node", "us-east-1a_v100_1", 600.0, 900.0, 4.0, 1.0),
    ]


def test_an_unknown_column_is_refused_by_name(tmp_path: Path) -> None:
    (fault,) = refused(written(tmp_path, f"{ROW},0,600,4,9", head=f"{HEAD},colour"))
    assert "column colour: found an unlisted column" in fault


def test_negative_runs_and_shares_past_one_are_refused_with_row_and_value(tmp_path: Path) -> None:
    faults = refused(written(tmp_path, f"{ROW},0,600,4", f"{ROW},600,-300,1", f"{ROW},900,0,1", f"{ROW},-5,3,1", f"{ROW},1200,300,-2"))
    assert [fault.split(": found")[0] for fault in faults] == [
        "traces.csv row 2, column duration_s", "traces.csv row 3, column duration_s", "traces.csv row 4, column start_s",
        "traces.csv row 5, column n_available",
    ]  # fmt: skip
    assert "found -300" in faults[0]
    (fault,) = refused(written(tmp_path, f"{ROW},0,600,4", f"{ROW},600,300,5"))
    assert fault.startswith("traces.csv row 2, column n_available: found 5 of 4 nodes, a share of 1.25")


def test_runs_that_overlap_are_refused_with_row_and_value(tmp_path: Path) -> None:
    faults = refused(written(tmp_path, f"{ROW},600,300,1", f"{ROW},0,650,4", f"{ROW},620,10,2"))
    assert [fault.split(":")[0] for fault in faults] == ["traces.csv row 1", "traces.csv row 3"]
    assert "us-east-1a_v100_1 from 600 to 900 s" in faults[0]
    assert "begins at or after 900 s" in faults[1]  # the long run before it, not the nearest


@pytest.mark.parametrize("kind", ["availability", "availability/0-node", "uptime/1-node"])
def test_a_kind_without_its_nodes_is_refused(tmp_path: Path, kind: str) -> None:
    (fault,) = refused(written(tmp_path, f"spot-traces,{kind},aws,z_v100_1,300,0,10,0"))
    assert f"column kind: found {kind}" in fault


def test_an_empty_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert "at least one row" in refused(written(tmp_path))[0]
    assert "a file of availability traces" in refused(tmp_path / "none.csv")[0]


def presence(tmp_path: Path, *rows: str, head: str = "pool,supplier,start,end,share,listed") -> Path:
    return written(tmp_path, *rows, head=head)


def test_an_owner_may_hand_in_shares_with_times(tmp_path: Path) -> None:
    path = presence(
        tmp_path, "h100,acme,2027-01-01T00:00:00Z,2027-01-01T06:00:00Z,0.25,8", ",bolt,2027-01-01T01:00:00Z,2027-01-01T02:00:00Z,1,"
    )
    assert read_traces(path).rows() == [("h100", "acme", 0.0, 21600.0, 8.0, 2.0), ("all", "bolt", 3600.0, 7200.0, 1.0, 1.0)]


def test_its_faults_are_told_alike(tmp_path: Path) -> None:
    day = "2027-01-01T0{}:00:00Z,2027-01-01T0{}:00:00Z"
    assert "found 1.5" in refused(presence(tmp_path, f"a,b,{day.format(0, 1)},1.5,1"))[0]
    assert "`end` after `start`" in refused(presence(tmp_path, f"a,b,{day.format(2, 1)},1,1"))[0]
    assert "above 0" in refused(presence(tmp_path, f"a,b,{day.format(0, 1)},1,0"))[0]
    assert "b from 3600 to 10800 s" in refused(presence(tmp_path, f"a,b,{day.format(0, 2)},1,1", f"a,b,{day.format(1, 3)},1,1"))[0]


def test_frames_are_checked_like_files() -> None:
    start = datetime(2027, 1, 1, tzinfo=UTC)
    rows = [(start + timedelta(hours=hour), start + timedelta(hours=hour + 2)) for hour in range(3)]
    frame = pl.DataFrame({"supplier": "a", "start": [row[0] for row in rows], "end": [row[1] for row in rows], "share": 1.0})
    with pytest.raises(InputError, match="row 2") as caught:
        make_runs(frame)
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="at least one row"):
        make_runs(frame.clear())


@pytest.mark.skipif(not TRACES.is_file(), reason="the spot traces that were handed over are not here")
def test_every_run_of_the_real_traces_is_read() -> None:
    found = read_traces(TRACES)
    with gzip.open(TRACES, "rt") as file:
        lines = file.read().splitlines()[1:]
    assert found.height == len(lines) == 9273
    assert found["pool"].n_unique() == 8
    assert (found["end"] - found["begin"]).sum() == pytest.approx(sum(float(line.split(",")[6]) for line in lines), abs=1e-3)

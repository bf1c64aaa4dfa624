"""Tables with versions: each run makes one, none is lost, and what is the same again adds nothing."""

import shutil
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from deltalake import DeltaTable

from tenorgrid.data import store
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.history import HistoryError
from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.versions import read_version, rows_of, version_at, versions, write_version

NAME = "events"


class Events(dy.Schema):
    """Rows for these tests."""

    event = dy.Int64(primary_key=True, min=0)
    moment = dy.Datetime(time_zone="UTC", nullable=True)
    amount = dy.Float64(nullable=True)
    status = dy.Enum(MarkStatus)


def events(*amounts: float | None) -> pl.DataFrame:
    rows = [
        {"event": number, "moment": datetime(2027, 1, 1, 0, 0, 0, number, tzinfo=UTC), "amount": amount, "status": "published"}
        for number, amount in enumerate(amounts)
    ]
    return Events.cast(pl.DataFrame(rows, schema_overrides={"amount": pl.Float64}))


def three(place: Path) -> Path:
    """A folder with three versions of a table."""
    write_version(place / "a", NAME, events(0.1 + 0.2, None))
    write_version(place / "b", NAME, events(0.5), before=place / "a")
    write_version(place / "c", NAME, events(0.5, 0.75, 1.0), before=place / "b")
    return place / "c"


def test_each_version_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    folder = three(tmp_path)
    times = versions(folder, NAME)
    assert times["version"].to_list() == [0, 1, 2]
    for moment, rows in zip(times["written_at"], (events(0.1 + 0.2, None), events(0.5), events(0.5, 0.75, 1.0)), strict=True):
        assert read_version(folder, NAME, Events, written_by=moment).equals(rows)
    assert read_version(folder, NAME, Events).equals(events(0.5, 0.75, 1.0))
    assert pl.read_delta(str(folder / "events.delta"))["amount"].to_list() == [0.5, 0.75, 1.0]  # another reader finds no row twice


def test_between_two_versions_the_earlier_stands(tmp_path: Path) -> None:
    folder = three(tmp_path)
    second = versions(folder, NAME)["written_at"][1]
    assert version_at(folder, NAME, second) == 1
    assert version_at(folder, NAME, second - timedelta(milliseconds=1)) == 0
    assert version_at(folder, NAME, second + timedelta(days=365)) == 2
    with pytest.raises(NotPublishedError, match="was not written yet at 2020-01-01T00:00:00Z"):
        read_version(folder, NAME, Events, written_by=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(InputError, match="a time with its zone"):
        version_at(folder, NAME, datetime(2030, 1, 1))


def test_the_same_rows_again_add_no_version(tmp_path: Path) -> None:
    write_version(tmp_path / "a", NAME, events(0.5))
    assert write_version(tmp_path / "b", NAME, events(0.5), before=tmp_path / "a") == 0
    assert versions(tmp_path / "b", NAME).equals(versions(tmp_path / "a", NAME))


def test_no_rows_are_a_version_too(tmp_path: Path) -> None:
    write_version(tmp_path / "a", NAME, events(0.5))
    assert write_version(tmp_path / "b", NAME, Events.create_empty(), before=tmp_path / "a") == 1
    assert read_version(tmp_path / "b", NAME, Events).is_empty()
    assert write_version(tmp_path / "c", NAME, events(0.5), before=tmp_path / "nowhere") == 0


def test_versions_outlive_the_clean_up_of_readers(tmp_path: Path) -> None:
    table = DeltaTable(three(tmp_path) / "events.delta")
    assert table.metadata().configuration["delta.enableExpiredLogCleanup"] == "false"


def test_a_damaged_table_is_not_carried_over(tmp_path: Path) -> None:
    folder = three(tmp_path)
    for file in (folder / "events.delta").glob("*.parquet"):
        file.write_bytes(b"")
    with pytest.raises(HistoryError, match="cannot be read"):
        write_version(tmp_path / "d", NAME, events(2.0), before=folder)


def test_a_table_and_its_export_are_read_as_one(tmp_path: Path) -> None:
    path = store.write_version(tmp_path, NAME, events(0.1 + 0.2, None))
    assert store.find_table(tmp_path, NAME) == path == tmp_path / "events.delta"
    assert store.read_table(tmp_path, NAME, Events).equals(events(0.1 + 0.2, None))
    (tmp_path / "events.csv").unlink()
    assert store.read_table(tmp_path, NAME, Events).equals(events(0.1 + 0.2, None))


@pytest.mark.parametrize(("change", "told"), [((",0.5,", ",0.6,"), "events.csv row 2"), (("\n1,", "\n9,"), "events.csv row 2")])
def test_a_change_of_the_export_is_refused(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    store.write_version(tmp_path, NAME, events(0.25, 0.5))
    export = tmp_path / "events.csv"
    export.write_text(export.read_text().replace(*change))
    with pytest.raises(InputError, match=told):
        store.read_table(tmp_path, NAME, Events)


def test_an_export_that_lacks_a_row_is_refused(tmp_path: Path) -> None:
    store.write_version(tmp_path, NAME, events(0.25, 0.5))
    export = tmp_path / "events.csv"
    export.write_text("".join(export.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match="found 1 rows of 2"):
        store.read_table(tmp_path, NAME, Events)


def test_manifests_know_a_table_by_its_rows(tmp_path: Path) -> None:
    """Two tables of the same rows have files of other names: the hash is that of the export."""
    seen = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        store.write_version(tmp_path / place, NAME, events(0.25, 0.5))
        (tmp_path / f"of-{place}").mkdir()
        store.write_manifest(tmp_path / f"of-{place}", command="test", inputs={"x": tmp_path / place})
        seen.append(store.read_manifest(tmp_path / f"of-{place}")["inputs"]["x"])
    export = sha256((tmp_path / "one" / "events.csv").read_bytes()).hexdigest()
    assert seen[0] == seen[1] == {"events.csv": export, "events.delta": export}
    shutil.rmtree(tmp_path / "two" / "events.delta")
    store.write_version(tmp_path / "two", NAME, events(0.5))
    store.write_manifest(tmp_path / "of-two", command="test", inputs={"x": tmp_path / "two" / "events.delta"})
    assert store.read_manifest(tmp_path / "of-two")["inputs"]["x"] != export
    assert rows_of(tmp_path / "two" / "events.delta")["amount"].to_list() == [0.5]

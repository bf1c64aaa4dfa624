"""The evidence pack recomputes itself anywhere, and two methodologies are compared day by day."""

import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.tables.publication import MethodComparison
from tenorgrid.indices.marks import mark
from tenorgrid.indices.publication.comparison import compare_versions, distances
from tenorgrid.indices.publication.evidence import evidence, verify_evidence
from tenorgrid.indices.publication.history import open_history
from tests.indices.publishing_day import EAST, FIRST, closed, listed, three_days

HOUSE = (Path(__file__).parents[2] / "indices" / "methodologies" / "house.toml").read_text()
END = FIRST + timedelta(3)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_days(tmp_path_factory.mktemp("days"))


@pytest.fixture
def pack(history: Path, tmp_path: Path) -> Path:
    return evidence(open_history(history), tmp_path / "evidence.zip", at=closed(END))


def unpacked(pack: Path) -> Path:
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(pack.parent / "unpacked")
    return pack.parent / "unpacked"


def test_one_command_in_the_pack_recomputes_everything(pack: Path, history: Path) -> None:
    done = subprocess.run([sys.executable, str(unpacked(pack) / "recompute.py")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"9 prints recomputed, none differs; the chains are whole up to {open_history(history).head}\n"


def test_equal_content_is_an_equal_file(history: Path, tmp_path: Path) -> None:
    one, other = (evidence(open_history(history), tmp_path / f"{name}.zip", at=closed(END)) for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()


def test_a_pack_of_some_prints_still_follows_every_hash(history: Path, tmp_path: Path) -> None:
    known = open_history(history)
    pack = evidence(
        known, tmp_path / "some.zip", at=closed(END), indices=[EAST], start=closed(FIRST) - timedelta(minutes=5), end=closed(END)
    )
    found = verify_evidence(pack)
    assert (found.confirmed, found.prints, found.head) == (True, 2, known.head)
    assert pl.read_parquet(unpacked(pack) / "chain.parquet").height == 9
    assert verify_evidence(pack, anchor=known.head).confirmed
    assert not verify_evidence(pack, anchor="0" * 64).confirmed


@pytest.mark.parametrize(
    "name", ["prints.parquet", "chain.parquet", "audits.jsonl", "prints.csv", "recompute.py", "inputs", "methodologies"]
)
def test_a_changed_byte_of_the_pack_is_named(pack: Path, name: str) -> None:
    path = unpacked(pack) / name
    path = path if path.is_file() else next(path.iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (fault, *_) = verify_evidence(pack.parent / "unpacked").faults
    assert fault.startswith(str(path.relative_to(pack.parent / "unpacked")))


def test_a_file_that_is_gone_is_named(pack: Path) -> None:
    (unpacked(pack) / "chain.parquet").unlink()
    assert verify_evidence(pack.parent / "unpacked").faults == ("chain.parquet is missing",)


def test_what_is_no_pack_is_refused(tmp_path: Path, history: Path) -> None:
    (tmp_path / "note.zip").write_text("a note")
    with pytest.raises(InputError, match="an evidence pack"):
        verify_evidence(tmp_path / "note.zip")
    with pytest.raises(InputError, match="a new file, or an evidence pack that may be replaced"):
        evidence(open_history(history), tmp_path / "note.zip", at=closed(END))
    with pytest.raises(InputError, match="the name of a zip file"):
        evidence(open_history(history), tmp_path / "pack", at=closed(END))
    with pytest.raises(InputError, match="the manifest of an evidence pack"):
        verify_evidence(tmp_path)
    with pytest.raises(NotPublishedError, match="no print of these days"):
        evidence(open_history(history), tmp_path / "none.zip", at=closed(END), end=closed(FIRST - timedelta(9)))


def test_two_versions_are_compared_day_by_day(tmp_path: Path) -> None:
    (tmp_path / "whole.toml").write_text(HOUSE.replace("trim = 0.25", "trim = 0.0").replace('name = "house"', 'name = "whole"'))
    seen = listed(change={"d1": {"price": 9.0}})
    found = compare_versions(seen, methodology=tmp_path / "whole.toml", against="house", first=FIRST, end=END, indices=[EAST])
    assert MethodComparison.is_valid(found)
    runs = [
        mark(seen, methodology=rule, first=FIRST, end=END, indices=[EAST]).marks["value"] for rule in (tmp_path / "whole.toml", "house")
    ]
    assert found["value"].to_list() == runs[0].to_list()
    assert found["difference"].to_list() == (runs[0] - runs[1]).to_list()
    assert found["ratio"].to_list() == pytest.approx((runs[0] / runs[1] - 1).to_list(), abs=1e-15)
    row = distances(found).row(0, named=True)
    assert (row["both"], row["only_one"], row["only_other"], row["largest_at"].day) == (3, 0, 0, 6)
    assert row["largest"] == max(abs(value) for value in found["difference"])


def test_daily_marks_of_two_time_zones_meet_on_their_day(tmp_path: Path) -> None:
    text = HOUSE.replace("24:00 America/New_York", "00:30 Asia/Tokyo").replace("America/New_York", "Asia/Tokyo")
    text = text.replace('name = "house"', 'name = "tokyo"')
    (tmp_path / "tokyo.toml").write_text(text)
    found = compare_versions(listed(), methodology="house", against=tmp_path / "tokyo.toml", first=FIRST, end=END, indices=[EAST])
    runs = [mark(listed(), methodology=rule, first=FIRST, end=END, indices=[EAST]).marks for rule in ("house", tmp_path / "tokyo.toml")]
    assert found["start"].to_list() == runs[0]["start"].to_list() != runs[1]["start"].to_list()
    assert (found["value"].to_list(), found["value_against"].to_list()) == (runs[0]["value"].to_list(), runs[1]["value"].to_list())


def test_a_methodology_is_not_compared_with_itself() -> None:
    with pytest.raises(InputError, match="another methodology than house"):
        compare_versions(listed(), methodology="house", against="house", first=FIRST, end=END)

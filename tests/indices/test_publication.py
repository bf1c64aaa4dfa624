"""A day from draft to print: who may approve, what may be published, once, and what was known when."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.tables.observed import Fixings, Marks
from tenorgrid.indices.fixings import fixings
from tenorgrid.indices.publication.account import account
from tenorgrid.indices.publication.approval import approve, read_approval
from tenorgrid.indices.publication.draft import draft_hash, read_draft
from tenorgrid.indices.publication.history import open_history
from tenorgrid.indices.publication.publish import publish
from tenorgrid.indices.publication.replay import replay
from tests.indices.publishing_day import EAST, FIRST, HOUR, closed, drafted, listed, published, three_days

AT = closed(FIRST)
FILES = ("marks.csv", "audit.jsonl", "methodology.toml", "observations.parquet", "draft.json", "manifest.json")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_days(tmp_path_factory.mktemp("days"))


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return drafted(listed()).write(tmp_path / "draft")


def approved(draft: Path, **more: Any) -> Path:
    told: dict[str, Any] = {"by": "bob", "at": AT + HOUR}
    approve(draft, open_history(draft.parent / "history", new=True), **(told | more))
    return draft


def test_what_was_published_is_what_was_drafted(history: Path) -> None:
    found = open_history(history)
    assert Marks.is_valid(found.marks())
    assert found.marks().filter(pl.col("index") == EAST)["value"].to_list() == [2.2, 2.21, 2.22]
    assert found.prints["publication"].unique().sort().to_list() == [0, 1, 2]
    assert found.prints.filter(pl.col("index") == EAST).sort("start")["number"].to_list() == [0, 1, 2]
    assert found.broken() == ()


def test_a_draft_is_read_back_as_it_was_written(draft: Path) -> None:
    first, again = drafted(listed()), read_draft(draft)
    assert again.marks.equals(first.marks)
    assert again.audits == first.audits
    assert again.observations.equals(first.observations)
    assert (again.made_by, again.made_at, again.first, again.end) == ("ann", AT, FIRST, FIRST + timedelta(1))
    assert draft_hash(draft) == draft_hash(drafted(listed().sample(fraction=1.0, shuffle=True, seed=1)).write(draft.parent / "other"))


def test_a_draft_keeps_what_its_marks_depend_on_and_no_more(draft: Path) -> None:
    assert read_draft(draft).observations["observation_id"].sort().to_list() == ["a0", "b0", "c0", "d0"]


@pytest.mark.parametrize("name", ["ann", "Ann", " ANN "])
def test_who_made_a_draft_may_not_approve_it(draft: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected somebody else than ann, who made the draft"):
        approved(draft, by=name)
    with pytest.raises(InputError, match="found no approval"):
        publish(draft, draft.parent / "history", at=AT + 2 * HOUR)
    assert not (draft.parent / "history").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_draft_that_is_changed_after_its_approval_is_refused(draft: Path, name: str) -> None:
    path = approved(draft) / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError, match=r"that bob approved, .*: it was changed since"):
        publish(draft, draft.parent / "history", at=AT + 2 * HOUR)


def test_a_file_that_is_added_after_the_approval_is_a_change(draft: Path) -> None:
    (approved(draft) / "note.txt").write_text("late")
    with pytest.raises(InputError, match="it was changed since"):
        read_approval(draft)


def test_a_forged_approval_by_the_maker_is_refused(draft: Path) -> None:
    path = approved(draft) / "approval.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"approved_by": "ANN"}))
    with pytest.raises(InputError, match="an approval by somebody else than who made the draft"):
        publish(draft, draft.parent / "history", at=AT + 2 * HOUR)


@pytest.mark.parametrize("text", ["nonsense", "[]", "{}", '{"draft_hash": 1, "approved_by": "b", "approved_at": "x", "accepted": []}'])
def test_what_is_no_approval_is_refused(draft: Path, text: str) -> None:
    (draft / "approval.json").write_text(text)
    with pytest.raises(InputError, match=r"approval\.json"):
        read_approval(draft)


@pytest.mark.parametrize("name", ["draft.json", "audit.jsonl", "methodology.toml", "observations.parquet", "marks.csv"])
def test_a_draft_without_one_of_its_files_is_refused(draft: Path, name: str) -> None:
    (draft / name).unlink()
    with pytest.raises(InputError):
        read_draft(draft)


def test_the_same_draft_twice_changes_nothing(draft: Path) -> None:
    place = draft.parent / "history"
    first = publish(approved(draft), place, at=AT + 2 * HOUR)
    second = publish(draft, place, at=AT + 9 * HOUR)
    assert (first.fresh, second.fresh) == (True, False)
    assert second.prints.equals(first.prints)
    assert open_history(place).version == 0


def test_a_period_is_published_once(tmp_path: Path) -> None:
    published(tmp_path, listed())
    other = drafted(listed(change={"a0": {"price": 2.05}}), at=AT + 3 * HOUR).write(tmp_path / "other")
    with pytest.raises(InputError, match=r"order H100-SXM\.GLOBAL\.FIRM 2027-01-05: found revision 0, and the history has revision 0"):
        approve(other, open_history(tmp_path / "history"), by="bob", at=AT + 3 * HOUR)


def test_two_approved_drafts_of_one_day_make_one_publication(tmp_path: Path) -> None:
    one, other = (
        approved(drafted(listed(), at=AT + late * timedelta(minutes=1)).write(tmp_path / f"draft{late}"), at=AT + HOUR) for late in (0, 1)
    )
    publish(one, tmp_path / "history", at=AT + 2 * HOUR)
    with pytest.raises(InputError, match="a period that is not published yet: what is published can be restated"):
        publish(other, tmp_path / "history", at=AT + 3 * HOUR)
    assert open_history(tmp_path / "history").prints.height == 3


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (AT, "a moment after the approval"),
        (AT.replace(tzinfo=None), "a time with its zone"),
    ],
)
def test_a_moment_that_cannot_be_is_refused(draft: Path, at: datetime, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        publish(approved(draft), draft.parent / "history", at=at)


def test_publications_follow_one_another_in_time(tmp_path: Path) -> None:
    published(tmp_path, listed(), FIRST, wait=timedelta(days=3))
    with pytest.raises(InputError, match="a moment after the last publication"):
        published(tmp_path, listed(), FIRST + timedelta(1))


def test_a_day_without_any_value_is_no_draft() -> None:
    with pytest.raises(NotPublishedError, match="no mark has a value"):
        drafted(listed(change={name: {"price": 0.0} for name in ("a0", "b0", "c0", "d0")}))


@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_replay_shows_what_was_known_and_makes_it_again(history: Path, known: int) -> None:
    at = closed(FIRST) + HOUR + timedelta(days=known - 1)
    found = replay(open_history(history), at=at)
    assert found.confirmed
    assert found.marks.height == found.verification.prints == 3 * known
    just_before = replay(open_history(history), at=at - timedelta(microseconds=1))
    assert just_before.marks.height == 3 * max(known - 1, 0)


def test_replay_of_an_index_that_is_not_there_is_refused(history: Path) -> None:
    with pytest.raises(NotPublishedError, match="NONE has no print"):
        replay(open_history(history), at=AT + timedelta(days=9), indices=["NONE"])


def test_fixings_of_the_history_are_those_of_its_marks(history: Path) -> None:
    found, at = open_history(history), AT + HOUR + timedelta(days=1)
    fixed = found.fixings(at)
    assert Fixings.is_valid(fixed)
    assert fixed.equals(fixings(found.marks(), at=at, methodology="house"))
    assert fixed.filter(pl.col("index") == EAST).select("date", "value").rows() == [(FIRST, 2.2), (date(2027, 1, 6), 2.21)]


def test_fixings_of_two_methodologies_need_a_choice(tmp_path: Path) -> None:
    published(tmp_path, listed())
    text = (Path(__file__).parents[2] / "indices" / "methodologies" / "house.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace('name = "house"', 'name = "mine"').replace("trim = 0.25", "trim = 0.0"))
    published(tmp_path, listed(), draft=drafted(listed(), methodology=tmp_path / "mine.toml", at=AT + 2 * HOUR))
    found = open_history(tmp_path / "history")
    with pytest.raises(InputError, match="found house and mine, expected the choice of one methodology"):
        found.fixings(AT + 9 * HOUR)
    assert found.fixings(AT + 9 * HOUR, methodology="mine")["source"].unique().to_list() == ["mine revision 0"]
    assert found.broken() == ()


@pytest.mark.parametrize("select", [lambda row: row["reason"] is None, lambda row: row["publication"] == 0])
def test_the_account_tells_what_the_audit_tells(history: Path, select: Callable[[dict[str, Any]], bool]) -> None:
    found = open_history(history)
    row = next(row for row in found.prints.iter_rows(named=True) if select(row))
    told = account(found, row)
    entry = json.loads(row["audit"])
    for text in (f"{row['value']} USD/GPUh", "made by ann", "approved by bob", row["hash"], entry["input"]["hash"], "p95", "contributor a"):
        assert text in told

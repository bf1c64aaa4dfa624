"""Restatement: by the methodology's rule, for a reason, with the old print still readable."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.indices.publication.account import account
from tenorgrid.indices.publication.history import History, open_history
from tenorgrid.indices.publication.replay import replay
from tenorgrid.indices.publication.restatement import restate
from tests.indices.publishing_day import EAST, FIRST, HOUR, US, closed, drafted, listed, published

AT = closed(FIRST) + 2 * HOUR  # an hour after the first publication
HOUSE = (Path(__file__).parents[2] / "indices" / "methodologies" / "house.toml").read_text()
MENDED = {"b0": {"price": 2.2}}  # the middle half of 2.0, 2.2, 2.3, 2.4 is 2.25
UNMOVED = {"a0": {"price": 1.9}}  # the lowest of four votes does not count


def ruled(place: Path, rule: str) -> Path:
    path = place / "mine.toml"
    path.write_text(HOUSE.replace('until = "24h"', rule).replace('name = "house"', 'name = "mine"'))
    return path


def history(place: Path, *, rule: str | None = None) -> History:
    more: dict[str, Any] = {} if rule is None else {"methodology": ruled(place, rule)}
    published(place, listed(), draft=drafted(listed(), **more))
    return open_history(place / "history")


def again(known: History, *, change: dict[str, Any] = MENDED, at: datetime = AT, **more: Any) -> Any:
    told: dict[str, Any] = {"day": FIRST, "reason": "a fat finger", "by": "ann", "at": at}
    return restate(listed(change=change), known, **(told | more))


def test_a_restated_print_stands_beside_the_old_one(tmp_path: Path) -> None:
    found = published(tmp_path, listed(), draft=again(history(tmp_path))).history
    mine = found.prints.filter(pl.col("index") == EAST).sort("revision")
    assert mine.select("revision", "value", "number").rows() == [(0, 2.2, 0), (1, 2.25, 1)]
    assert mine["reason"].to_list() == [None, "a fat finger"]
    assert mine["rule"].to_list() == [None, "until 24 h after publication, where it moves by more than 0 %"]
    assert found.broken() == ()
    assert found.of(EAST, mine["start"][0], revision=0)["value"] == 2.2
    told = account(found, mine.row(1, named=True))
    assert "restated because a fat finger" in told
    assert "revision 0: 2.2 USD/GPUh" in told


def test_before_the_restatement_replay_and_fixings_show_the_old_print(tmp_path: Path) -> None:
    found = published(tmp_path, listed(), draft=again(history(tmp_path))).history
    late = AT + HOUR
    for at, value in ((AT, 2.2), (late - timedelta(seconds=1), 2.2), (late, 2.25)):
        seen = replay(found, at=at)
        assert seen.confirmed
        assert seen.marks.filter(pl.col("index") == EAST)["value"].to_list() == [value]
        assert found.fixings(at).filter(pl.col("index") == EAST)["value"].to_list() == [value]


def test_a_second_restatement_is_revision_two(tmp_path: Path) -> None:
    first = published(tmp_path, listed(), draft=again(history(tmp_path))).history
    second = again(first, change={"b0": {"price": 2.15}}, at=AT + 2 * HOUR)
    found = published(tmp_path, listed(), draft=second).history
    assert found.prints.filter(pl.col("index") == EAST).sort("revision")["revision"].to_list() == [0, 1, 2]
    assert replay(found, at=AT + 9 * HOUR).confirmed


def test_only_what_moves_is_restated(tmp_path: Path) -> None:
    with pytest.raises(NotPublishedError, match="nothing to restate"):
        again(history(tmp_path), change=UNMOVED)


def test_a_named_index_that_does_not_move_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"H100-SXM\.US\.FIRM, column above: found 2\.2 to 2\.2, 0\.0000%, expected a move"):
        again(history(tmp_path), change=UNMOVED, indices=[US])


@pytest.mark.parametrize(("share", "allowed"), [("0.02", True), ("0.0227", True), ("0.0228", False), ("0.10", False)])
def test_a_move_below_the_materiality_stands(tmp_path: Path, share: str, allowed: bool) -> None:
    known = history(tmp_path, rule=f'until = "24h"\nabove = {share}')  # 2.25 / 2.2 - 1 is 2.2727 %
    if allowed:
        assert again(known).marks["value"].unique().to_list() == [2.25]
    else:
        with pytest.raises(NotPublishedError, match="nothing to restate"):
            again(known)


@pytest.mark.parametrize(("late", "allowed"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_the_window_of_restatement_runs_from_the_first_publication(tmp_path: Path, late: timedelta, allowed: bool) -> None:
    known, at = history(tmp_path), closed(FIRST) + HOUR + timedelta(hours=24) + late
    if allowed:
        assert again(known, at=at).marks.height == 3
    else:
        with pytest.raises(InputError, match="expected a moment no later than 2027-01-07T06:05:00Z"):
            again(known, at=at)


def test_a_restatement_does_not_open_the_window_anew(tmp_path: Path) -> None:
    first = published(tmp_path, listed(), draft=again(history(tmp_path), at=closed(FIRST) + timedelta(hours=24))).history
    with pytest.raises(InputError, match="a moment no later than 2027-01-07T06:05:00Z"):
        again(first, change={"b0": {"price": 2.15}}, at=closed(FIRST) + timedelta(hours=30))


def test_a_methodology_that_never_restates_refuses(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found never, expected a methodology that allows restatement"):
        again(history(tmp_path, rule='until = "never"'))


def test_without_a_reason_or_a_print_nothing_is_restated(tmp_path: Path) -> None:
    known = history(tmp_path)
    with pytest.raises(InputError, match="why the print is restated"):
        again(known, reason="  ")
    with pytest.raises(NotPublishedError, match="no print of 2027-01-06"):
        again(known, day=FIRST + timedelta(1))
    with pytest.raises(NotPublishedError, match="by theirs"):
        again(known, methodology="theirs")


def test_a_restatement_uses_the_rule_that_was_published_with(tmp_path: Path) -> None:
    known = history(tmp_path, rule='until = "24h"')
    (tmp_path / "mine.toml").write_text("nonsense")
    assert again(known).methodology.hash == known.prints["method_hash"][0]

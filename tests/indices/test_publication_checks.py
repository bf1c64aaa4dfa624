"""Checks before an approval: each one alone fails where it should, and is accepted only where it may be."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.publication import Affiliations, PublicationChecks
from tenorgrid.indices.publication.affiliations import groups_of, merged, suspicions
from tenorgrid.indices.publication.approval import approve, read_approval
from tenorgrid.indices.publication.checks import Limits, check_draft, failed
from tenorgrid.indices.publication.draft import Draft
from tenorgrid.indices.publication.history import History, open_history
from tests.indices.publishing_day import EAST, FIRST, HOUR, closed, drafted, listed, published

AT = closed(FIRST)
NEXT = FIRST + timedelta(1)


def empty(place: Path) -> History:
    return open_history(place / "history", new=True)


def wrong(draft: Draft, history: History, **limits: float) -> dict[str, str]:
    """Failed checks of one index and of the whole draft, with what was found."""
    checks = check_draft(draft, history, limits=Limits(**limits))
    assert PublicationChecks.is_valid(checks)
    mine = failed(checks).filter((pl.col("index") == EAST) | pl.col("index").is_null())
    return dict(mine.select("check", "finding").iter_rows())


def one_day(seen: pl.DataFrame, **more: Any) -> Draft:
    return drafted(seen, indices=[EAST], **more)


def next_day(seen: pl.DataFrame, **more: Any) -> Draft:
    return one_day(seen, first=NEXT, end=NEXT + timedelta(1), at=closed(NEXT), **more)


def test_a_sound_draft_passes_every_check(tmp_path: Path) -> None:
    checks = check_draft(one_day(listed()), empty(tmp_path))
    assert checks["check"].to_list() == [
        "history", "input", "methodology", "complete", "order", "gap", "sufficiency", "move", "kinds", "exclusions", "related",
        "contributors",
    ]  # fmt: skip
    assert checks["passed"].all()


def test_a_mark_that_is_not_what_the_input_gives_fails(tmp_path: Path) -> None:
    draft = one_day(listed())
    forged = replace(draft, marks=draft.marks.with_columns(value=pl.lit(9.0)))
    assert "marks.value is recorded as 9.0, recomputed as 2.2" in wrong(forged, empty(tmp_path))["input"]
    both = replace(forged, audits=tuple(entry | {"value": 9.0} for entry in draft.audits))
    assert "value is recorded as 9.0, recomputed as 2.2" in wrong(both, empty(tmp_path))["input"]


def test_a_draft_before_the_end_of_its_period_is_not_complete(tmp_path: Path) -> None:
    draft = one_day(listed(), at=AT - HOUR)
    assert wrong(draft, empty(tmp_path)) == {"complete": "made 2027-01-06T04:05Z, the last period ends 2027-01-06T05:00Z"}


@pytest.mark.parametrize(("limit", "passes"), [(0.0046, True), (0.0045, False)])
def test_a_move_against_the_last_print(tmp_path: Path, limit: float, passes: bool) -> None:
    found = wrong(next_day(listed()), published(tmp_path, listed()).history, move=limit)  # 2.21 / 2.2 - 1 is 0.4545 %
    assert found == ({} if passes else {"move": "+0.45% against 2.2 of 2027-01-05T05:00Z, more than 0.45%"})


def test_a_period_that_was_left_out_is_a_gap(tmp_path: Path) -> None:
    known, late = published(tmp_path, listed()).history, FIRST + timedelta(2)
    found = wrong(one_day(listed(), first=late, end=late + timedelta(1), at=closed(late)), known)
    assert found == {"gap": "1 periods without a print since that of 2027-01-05T05:00Z"}
    both = one_day(listed(), first=NEXT, end=late + timedelta(1), at=closed(late))
    assert wrong(both, known) == {}


def test_another_file_under_a_published_name_fails(tmp_path: Path) -> None:
    known = published(tmp_path, listed()).history
    text = (Path(__file__).parents[2] / "indices" / "methodologies" / "house.toml").read_text()
    (tmp_path / "house.toml").write_text(text + "# one more comment\n")
    found = wrong(next_day(listed(), methodology=tmp_path / "house.toml"), known)
    assert found.keys() == {"methodology"}
    assert "house was published as" in found["methodology"]


def test_too_few_contributors_are_told_with_the_reason(tmp_path: Path) -> None:
    seen = listed().filter(pl.col("provider").is_in(["a", "b"]))
    extra = seen.head(1).with_columns(observation_id=pl.lit("again"))
    found = wrong(one_day(pl.concat([seen, extra])), empty(tmp_path))
    assert found == {"sufficiency": "low-confidence: 2 contributors, fewer than 3"}


def test_other_evidence_than_before_fails(tmp_path: Path) -> None:
    known = published(tmp_path, listed()).history
    quoted = listed().with_columns(kind=pl.when(pl.col("time").dt.day() == 6).then(pl.lit("firm quote")).otherwise("kind"))
    assert wrong(next_day(quoted), known) == {"kinds": "made of firm quotes, the last of list prices"}


@pytest.mark.parametrize(("limit", "passes"), [(0.2, True), (0.19, False)])
def test_a_large_share_of_exclusions_fails(tmp_path: Path, limit: float, passes: bool) -> None:
    parked = listed().head(1).with_columns(observation_id=pl.lit("parked"), price=pl.lit(0.0))
    found = wrong(one_day(pl.concat([listed(), parked])), empty(tmp_path), excluded=limit)
    assert found == ({} if passes else {"exclusions": "1 of 5 excluded (20%): 1 by price"})


def traded(*pairs: tuple[str, str]) -> pl.DataFrame:
    """Twelve trades in an orderly market of five, and one more for each pair of seller and buyer."""
    names = "abcde"
    orderly = [(names[number % 5], names[(number + 1) % 5]) for number in range(12)]
    rows = [
        {
            "observation_id": f"t{number:02}",
            "time": AT - timedelta(hours=23) + number * HOUR / 2,
            "provider": seller,
            "buyer": buyer,
            "resource": "h100-sxm",
            "region": "us-east",
            "tier": "firm",
            "price": 2.0,
            "quantity": 8.0,
            "kind": "trade",
        }
        for number, (seller, buyer) in enumerate([*orderly, *pairs])
    ]
    return pl.DataFrame(rows)


def affiliated(**groups: str) -> pl.DataFrame:
    return Affiliations.cast(pl.DataFrame({"contributor": list(groups), "group": list(groups.values())}))


def parties(draft: Draft, history: History) -> dict[str, str]:
    """What the screens of the parties find."""
    return {name: told for name, told in wrong(draft, history).items() if name in ("related", "contributors")}


def test_trades_between_related_parties_are_named(tmp_path: Path) -> None:
    related = affiliated(a="north", x="north")
    assert parties(one_day(traded(("a", "x"))), empty(tmp_path)) == {}
    found = parties(one_day(traded(("a", "x")), affiliations=related), empty(tmp_path))
    assert found == {"related": "trades between related parties of a and x: t12"}


def test_round_trips_and_trades_with_oneself_are_named(tmp_path: Path) -> None:
    found = parties(one_day(traded(("b", "a"), ("e", "e"))), empty(tmp_path))
    assert found["related"] == "round trips of a and b: t00, t05, t10, t12"  # the house's own rule takes t13 out
    (alone,) = suspicions(traded(("e", "e")), {})
    assert str(alone) == "trades between related parties of e: t12"


def test_a_trade_that_is_excluded_already_is_no_suspicion(tmp_path: Path) -> None:
    seen = traded(("a", "a")).with_columns(price=pl.when(pl.col("observation_id") == "t12").then(0.0).otherwise("price"))
    assert parties(one_day(seen), empty(tmp_path)) == {}


def test_related_contributors_count_as_one(tmp_path: Path) -> None:
    assert parties(one_day(listed(), affiliations=affiliated(a="north", b="south")), empty(tmp_path)) == {}
    for related, apart in ((affiliated(a="north", b="north"), 3), (affiliated(a="north", b="north", c="north"), 2)):
        found = parties(one_day(listed(), affiliations=related), empty(tmp_path))
        assert found == {"contributors": f"contributors: 4, with related ones as one {apart}, the level asks for 4"}


def test_suspicions_are_those_of_a_plain_loop() -> None:
    pairs = [(one, other) for one in "abcd" for other in "abcd"][:11]
    groups = {"a": "north", "d": "north"}
    seen = traded(*pairs)
    rows = seen.select("observation_id", "provider", "buyer").rows()
    related, round_trips = set(), set()
    for name, seller, buyer in rows:
        if groups.get(seller, seller) == groups.get(buyer, buyer):
            related.add(name)
        elif any((s, b) == (buyer, seller) for _, s, b in rows):
            round_trips.add(name)
    found = suspicions(seen, groups)
    assert {name for one in found if one.kind != "round trips" for name in one.trades} == related
    assert {name for one in found if one.kind == "round trips" for name in one.trades} == round_trips
    assert merged(["a", "d", "b"], groups) == 2
    assert groups_of(None) == {}


def test_affiliations_name_each_contributor_once() -> None:
    twice = pl.DataFrame({"contributor": ["a", "a"], "group": ["north", "south"]})
    with pytest.raises(InputError, match="one row per contributor"):
        one_day(listed(), affiliations=twice)


def test_a_failed_check_is_accepted_with_a_reason_and_no_other(tmp_path: Path) -> None:
    known = published(tmp_path, listed()).history
    price = pl.when(pl.col("time").dt.day() == 6).then(pl.col("price") * 2).otherwise("price")
    draft = next_day(listed().with_columns(price=price)).write(tmp_path / "next")
    with pytest.raises(InputError, match=r"move H100-SXM.US-EAST.FIRM 2027-01-06: found .* or a reason to accept it"):
        approve(draft, known, by="bob", at=closed(NEXT))
    for name in ("gap", "move OTHER", "nonsense", "input"):
        with pytest.raises(InputError, match="a check that failed and may be accepted"):
            approve(draft, known, by="bob", at=closed(NEXT), judgements={"move": "seen elsewhere too", name: "why not"})
    with pytest.raises(InputError, match="move"):
        approve(draft, known, by="bob", at=closed(NEXT), judgements={"move": "  "})
    for key in ("move", f"move {EAST}"):
        found = approve(draft, known, by="bob", at=closed(NEXT), judgements={key: "seen elsewhere too"})
        assert [(part.check, part.index, part.reason) for part in found.accepted] == [("move", EAST, "seen elsewhere too")]
        assert read_approval(draft) == found


def test_hard_checks_cannot_be_accepted(tmp_path: Path) -> None:
    draft = one_day(listed(), at=AT - HOUR).write(tmp_path / "draft")
    with pytest.raises(InputError, match=r"complete: found made .* expected this check to pass"):
        approve(draft, empty(tmp_path), by="bob", at=AT, judgements={"complete": "nearly"})


@pytest.mark.parametrize("limits", [{"move": 0.0}, {"excluded": -1.0}, {"move": float("nan")}])
def test_limits_are_shares_above_zero(limits: dict[str, float]) -> None:
    with pytest.raises(InputError, match="a share above 0"):
        Limits(**limits)

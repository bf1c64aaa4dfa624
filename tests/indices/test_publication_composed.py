"""Baskets and workload baskets through a publisher's day: what they are made of is marks, and the day is the same."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid import publishing
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.baskets.basket import basket_marks
from tenorgrid.indices.fixings import fixings
from tenorgrid.indices.publication.evidence import evidence, verify_evidence
from tenorgrid.indices.publication.history import History, open_history
from tenorgrid.indices.publication.replay import replay
from tenorgrid.indices.publication.rules import maker_of, terms_of, text_of
from tenorgrid.indices.publication.verification import verify_prints
from tests.indices.publishing_day import HOUR, drafted, published

Command = Callable[..., Any]
DAY = datetime(2027, 1, 5, 5, tzinfo=UTC)
FIRST = date(2027, 1, 5)
HOPPER = "HOPPER.US.FIRM"
PRICES = {"H100-SXM.US.FIRM": (2.0, 2.18, 2.1), "H200-SXM.US.FIRM": (3.0, 3.0, 3.28)}


def marks(days: int = 3, *, mended: dict[tuple[str, int], float] | None = None) -> pl.DataFrame:
    """Marks of two chips; `mended` adds a revision 1 of an index and day, published two hours after the day."""
    told = [(name, day, 0, value) for name, values in PRICES.items() for day, value in enumerate(values[:days])]
    told += [(name, day, 1, value) for (name, day), value in (mended or {}).items()]
    rows = [
        {
            "index": name, "methodology": "house", "start": DAY + timedelta(day), "end": DAY + timedelta(day + 1),
            "published_at": DAY + timedelta(day + 1) + 2 * HOUR * revision, "revision": revision, "value": value, "unit": "USD/GPUh",
            "quantity": 1000.0, "status": "published", "method_hash": "0" * 64,
        }
        for name, day, revision, value in told
    ]  # fmt: skip
    return Marks.cast(pl.DataFrame(rows))


def at(day: int) -> datetime:
    return DAY + timedelta(days=day + 1, minutes=5)


def draft(day: int, *, methodology: str = "hopper-us", seen: pl.DataFrame | None = None) -> Any:
    when = FIRST + timedelta(day)
    return drafted(marks(day + 1) if seen is None else seen, when, methodology=methodology, at=at(day))


def days(place: Path, *, methodology: str = "hopper-us") -> History:
    for day in range(3):
        published(place, marks(), FIRST + timedelta(day), draft=draft(day, methodology=methodology))
    return open_history(place / "history")


def test_each_day_of_a_basket_prints_what_the_whole_series_says(tmp_path: Path) -> None:
    known = days(tmp_path)
    whole = basket_marks(marks(), definition="hopper-us").marks
    assert known.marks()["value"].to_list() == whole["value"].to_list() == [2.5, 2.59, 2.69]
    assert known.broken() == ()
    assert verify_prints(known, known.prints).confirmed
    assert replay(known, at=at(1) + HOUR).marks["value"].to_list() == [2.5, 2.59]
    assert known.fixings(at(2) + HOUR)["date"].to_list() == [FIRST + timedelta(day) for day in range(3)]


def test_the_account_of_a_basket_says_what_moved_it(tmp_path: Path) -> None:
    known = days(tmp_path)
    told = publishing.account(known, known.of(HOPPER, publishing.period(known, HOPPER, "2027-01-07")))
    assert "HOPPER.US.FIRM of 2027-01-07: 2.69 USD/GPUh, published, by hopper-us" in told
    assert "H100-SXM.US.FIRM: 2.1, fresh, weight" in told
    assert "moved it by -0.04" in told
    assert "approved by bob" in told


def test_a_forged_basket_does_not_pass_the_check_of_its_input(tmp_path: Path) -> None:
    made = draft(1)
    forged = made.marks.with_columns(value=pl.lit(2.7))
    made = made.__class__(**{name: getattr(made, name) for name in made.__dataclass_fields__} | {"marks": forged})
    found = publishing.failed(publishing.check_draft(made, open_history(tmp_path / "history", new=True)))
    assert "input" in found["check"].to_list()
    assert "marks.value is recorded as 2.7" in found.filter(check="input")["finding"][0]


def test_a_day_that_was_left_out_and_a_jump_are_told(tmp_path: Path) -> None:
    published(tmp_path, marks(), FIRST, draft=draft(0))
    known = open_history(tmp_path / "history")
    dear = marks().with_columns(value=pl.when(pl.col("start") == DAY + timedelta(2)).then(pl.col("value") * 2).otherwise("value"))
    told = dict(publishing.failed(publishing.check_draft(draft(2, seen=dear), known)).select("check", "finding").iter_rows())
    assert told.keys() == {"gap", "move"}
    assert told["gap"].startswith("1 periods without a print")


def test_a_basket_is_restated_where_what_it_holds_was_and_nowhere_else(tmp_path: Path) -> None:
    known = days(tmp_path)
    when, mended = FIRST + timedelta(2), marks(mended={("H100-SXM.US.FIRM", 2): 2.3})
    asked: dict[str, Any] = {"day": when, "reason": "a fat finger", "by": "ann", "at": at(2) + 3 * HOUR}
    with pytest.raises(NotPublishedError, match="nothing to restate"):
        publishing.restate(marks(), known, **asked)
    edited = marks().with_columns(value=pl.when(pl.col("start") == DAY + timedelta(2)).then(9.0).otherwise("value"))
    with pytest.raises(InputError, match="no mark that it is made of was restated"):
        publishing.restate(edited, known, **asked)
    found = published(tmp_path, marks(), when, draft=publishing.restate(mended, known, **asked)).history
    last = found.prints.sort("publication").row(-1, named=True)
    assert (last["revision"], last["value"], last["rule"]) == (1, 2.79, "where a mark that it is made of was restated")
    assert verify_prints(found, found.prints).confirmed
    assert found.marks(at(2) + HOUR).filter(start=DAY + timedelta(2))["value"].to_list() == [2.69]  # the old print stays


def test_work_is_published_too(tmp_path: Path) -> None:
    known = days(tmp_path, methodology="house-work")
    assert known.broken() == ()
    assert verify_prints(known, known.prints).confirmed
    assert known.prints["index"].n_unique() > 3
    name = "LLAMA-70B-DECODE-20TPS.US.FIRM"
    mine = known.marks().filter(index=name).sort("start")
    assert mine["unit"].unique().to_list() == ["USD/Mtok"]
    assert mine["value"][1] > mine["value"][0]  # H100 has become dearer
    told = publishing.account(known, known.of(name, publishing.period(known, name, "2027-01-06")))
    assert "cheapest recipe: " in told
    assert ", 100.00% of the cost" in told
    fixed = known.fixings(at(2) + HOUR).filter(index=name)
    assert fixed["date"].to_list() == [FIRST + timedelta(day) for day in range(3)]
    assert fixed.equals(fixings(known.marks(), at=at(2) + HOUR).filter(index=name).sort("date"))


@pytest.mark.parametrize("methodology", ["hopper-us", "house-work"])
def test_the_evidence_of_a_basket_recomputes_itself(tmp_path: Path, methodology: str) -> None:
    known = days(tmp_path, methodology=methodology)
    pack = evidence(known, tmp_path / "pack.zip", at=at(3))
    found = verify_evidence(pack, anchor=known.head)
    assert found.confirmed
    assert found.prints == known.prints.height


def test_a_basket_reads_what_is_published_beside_it(tmp_path: Path, command: Command) -> None:
    """From the command line: chips first, then the basket of them out of the same history, at its own moment."""
    from tests.indices.publishing_day import listed

    seen = pl.concat(
        [
            listed(),
            listed().with_columns(observation_id="h" + pl.col("observation_id"), resource=pl.lit("h200-sxm"), price=pl.col("price") + 1),
        ]
    )
    published(tmp_path, seen, draft=drafted(seen))
    history, out, own = tmp_path / "history", tmp_path / "basket", tmp_path / "own.toml"
    text = text_of("hopper-us").decode().replace('"laspeyres"', '"jevons"').replace('value = "mean price"', "value = 100")
    own.write_text(text.replace('from = "marks"\ndays = 28', 'from = "none"').replace('name = "hopper-us"', 'name = "hopper-own"'))
    run = ("publish", "run", history, "--method", own, "--date", "2027-01-05", "--by", "ann", "--out", out)
    early = command(*run, "--at", "2027-01-06T05:30Z")
    assert early.code == 1  # nothing is published by then
    said = command(*run, "--at", "2027-01-06T06:10Z")
    assert (said.code, f"{HOPPER} 2027-01-05: 100.0, " in said.out) == (0, True), said
    judged = ("--judgement", "sufficiency=as the chips are") if "low-confidence" in said.out else ()
    assert command("publish", "approve", out, *judged, "--history", history, "--by", "bob", "--at", "2027-01-06T06:15Z").code == 0
    assert command("publish", "publish", out, "--history", history, "--at", "2027-01-06T06:20Z").code == 0
    assert "none differs" in command("publish", "check", "--history", history).out
    again = ("--date", "2027-01-05", "--method", "hopper-own", "--reason", "none", "--by", "ann", "--out", tmp_path / "again")
    told = command("publish", "restate", history, "--history", history, *again, "--at", "2027-01-06T07:00Z")
    assert (told.code, "nothing to restate" in told.err) == (1, True)


def test_what_is_not_whole_in_one_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one that holds baskets is not published yet"):
        terms_of(text_of("accelerators-us"), file="accelerators-us.toml")
    with pytest.raises(InputError, match="one of brr-like"):
        text_of("nowhere")
    (tmp_path / "own.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="TOML in UTF-8"):
        terms_of(text_of(tmp_path / "own.toml"), file="own.toml")
    assert [maker_of(terms_of(text_of(name), file=name)).of_marks for name in ("house", "hopper-us", "house-work")] == [False, True, True]


def test_work_is_verified_by_the_methodology_that_was_shipped_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit names it by its hash, the history keeps it: a later version of the package may ship another."""
    known = days(tmp_path, methodology="house-work")
    assert len(list((known.folder / "methodologies").glob("*.toml"))) == 2

    def another(_: object) -> bytes:
        raise AssertionError("what is shipped today was read")

    monkeypatch.setattr("tenorgrid.indices.publication.rules.beside_of", another)
    assert verify_prints(known, known.prints).confirmed
    assert verify_evidence(evidence(known, tmp_path / "pack.zip", at=at(3))).confirmed
    publishing.period(known, "LLAMA-70B-DECODE-20TPS.US.FIRM", "2027-01-06")

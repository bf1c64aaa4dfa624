"""Fixings: the latest published revision at a cut-off."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.observed import Fixings
from tenorgrid.indices.fixings import fixings

START = datetime(2027, 3, 10, 5, tzinfo=UTC)
INDEX = "H100-SXM.US.FIRM"


def row(
    day: int,
    value: float | None,
    *,
    revision: int = 0,
    status: str = "published",
    published: datetime | None = None,
    index: str = INDEX,
    by: str = "house",
) -> dict[str, Any]:
    start = START + timedelta(days=day)
    end = start + timedelta(days=1)
    return {
        "index": index,
        "methodology": by,
        "start": start,
        "end": end,
        "published_at": published or end,
        "revision": revision,
        "value": value,
        "unit": "USD/GPUh",
        "status": status,
        "method_hash": "0",
    }


def fixed(*rows: dict[str, Any], at: datetime, **choice: Any) -> list[tuple[date, float]]:
    return fixings(pl.DataFrame(list(rows), infer_schema_length=None), at=at, **choice).select("date", "value").rows()


def test_a_mark_fixes_from_the_moment_of_its_publication() -> None:
    cut = START + timedelta(days=1)
    assert fixed(row(0, 2.5), row(1, 2.6), at=cut) == [(date(2027, 3, 10), 2.5)]
    assert fixed(row(0, 2.5), row(1, 2.6), at=cut - timedelta(microseconds=1)) == []


def test_a_revision_holds_from_its_own_publication_on() -> None:
    rows = row(0, 2.5), row(0, 2.7, revision=1, published=START + timedelta(days=3))
    assert fixed(*rows, at=START + timedelta(days=2)) == [(date(2027, 3, 10), 2.5)]
    assert fixed(*rows, at=START + timedelta(days=3)) == [(date(2027, 3, 10), 2.7)]


def test_withheld_days_are_absent_and_carried_ones_fix() -> None:
    rows = row(0, 2.5), row(1, None, status="withheld"), row(2, 2.5, status="carried"), row(3, 2.4, status="low-confidence")
    assert [day.day for day, _ in fixed(*rows, at=START + timedelta(days=9))] == [10, 12, 13]


def test_a_revision_that_withholds_takes_the_print_back() -> None:
    rows = row(0, 2.5), row(0, None, revision=1, status="withheld", published=START + timedelta(days=2))
    assert fixed(*rows, at=START + timedelta(days=2)) == []


def test_the_date_is_that_of_the_methodologys_zone_across_the_clock_change() -> None:
    summer = [row(0, 2.0) | {"start": datetime(2027, 3, day, hour, tzinfo=UTC)} for day, hour in ((13, 5), (14, 5), (15, 4))]
    assert [day.day for day, _ in fixed(*summer, at=START + timedelta(days=30))] == [13, 14, 15]


def test_the_source_names_methodology_and_revision() -> None:
    found = fixings(pl.DataFrame([row(0, 2.5), row(0, 2.6, revision=1)]), at=START + timedelta(days=5))
    assert Fixings.is_valid(found)
    assert found["source"].to_list() == ["house revision 1"]


def test_of_two_methodologies_one_must_be_chosen() -> None:
    rows = row(0, 2.5), row(0, 1.7, by="ccir-1.1.1")
    with pytest.raises(InputError, match=r"found ccir-1\.1\.1 and house, expected one methodology of the index H100-SXM\.US\.FIRM"):
        fixed(*rows, at=START + timedelta(days=5))
    assert fixed(*rows, at=START + timedelta(days=5), methodology="ccir-1.1.1") == [(date(2027, 3, 10), 1.7)]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="a time with its zone"):
        fixed(row(0, 2.5), at=datetime(2027, 3, 12))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 9)), unique_by=lambda part: part[:2], max_size=8),
    st.integers(0, 9),
)
def test_fixings_are_those_of_a_plain_search(parts: list[tuple[int, int, int]], known: int) -> None:
    rows = [row(day, 2.0 + after / 10, revision=revision, published=START + timedelta(days=after)) for day, revision, after in parts]
    at = START + timedelta(days=known)
    expected: dict[date, tuple[int, float]] = {}
    for part in rows:
        day = date(2027, 3, part["start"].day)
        if part["published_at"] <= at and part["revision"] >= expected.get(day, (-1, 0.0))[0]:
            expected[day] = (part["revision"], part["value"])
    if rows:
        assert dict(fixed(*rows, at=at)) == {day: value for day, (_, value) in expected.items()}


def test_several_marks_a_day_are_no_fixing() -> None:
    half = row(0, 2.0) | {"start": START + timedelta(hours=12)}
    with pytest.raises(InputError, match=r"found 2 of 2027-03-10, expected one mark a day of the index H100-SXM\.US\.FIRM"):
        fixings(pl.DataFrame([row(0, 2.0), half]), at=START + timedelta(days=3))

"""Settlement fixings: prints held at a limit, halts filled, indices that ended replaced; every change told."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.specifications.fallbacks import alias, settlement_fixings

END = date(2027, 3, 11)


def prints(index: str, values: dict[int, float]) -> pl.DataFrame:
    """Prints of days of March, each published on the morning after."""
    days = [date(2027, 3, day) for day in values]
    told = [datetime(2027, 3, day, 6, tzinfo=UTC) + timedelta(days=1) for day in values]
    return pl.DataFrame({"index": index, "date": days, "value": list(values.values()), "published_at": told, "source": "house 0"})


def rows(*given: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{"index": "X", "contract": None, "first": None, "substitute": None} | row for row in given])


def settled(fixings: pl.DataFrame, *given: dict[str, object], name: str = "X") -> tuple[dict[int, float], list[tuple[int, object, object]]]:
    found, changes = settlement_fixings(fixings, rows(*given), end=END)
    days = {day.day: round(value, 12) for day, value in found.filter(pl.col("index") == name).select("date", "value").iter_rows()}
    return days, [(day.day, before, after) for day, before, after in changes.select("date", "before", "after").iter_rows()]


def test_a_print_beyond_the_limit_is_held_and_the_next_is_measured_from_where_it_was_held() -> None:
    found, changes = settled(prints("X", {1: 2.0, 2: 2.5, 3: 2.5, 4: 1.9}), {"kind": "price-limit", "limit": 0.25})
    assert found == {1: 2.0, 2: 2.25, 3: 2.5, 4: 2.25}
    assert changes == [(2, 2.5, 2.25), (4, 1.9, 2.25)]


def test_a_short_gap_is_left_alone_and_a_long_one_is_the_last_print_or_the_substitute() -> None:
    gap = prints("X", {1: 2.0, 2: 2.1, 5: 2.4, 6: 2.5})  # two days, then four until the 11th
    other = prints("Y", {day: 1.0 + day / 100 for day in range(1, 10)})
    assert settled(gap, {"kind": "halt", "days": 4})[0] == {1: 2.0, 2: 2.1, 5: 2.4, 6: 2.5}
    assert settled(gap, {"kind": "halt", "days": 3})[0] == {1: 2.0, 2: 2.1, 5: 2.4, 6: 2.5, 7: 2.5, 8: 2.5, 9: 2.5, 10: 2.5}
    moved = {"kind": "halt", "days": 3, "substitute": "Y", "ratio": 2.0, "spread": 0.5}
    found, changes = settled(pl.concat([gap, other]), moved)
    assert found == {1: 2.0, 2: 2.1, 5: 2.4, 6: 2.5, 7: 2.64, 8: 2.66, 9: 2.68}  # Y has no 10th either
    assert changes[-1] == (10, None, None)


def test_an_index_that_never_printed_has_nothing_to_halt_at() -> None:
    assert settled(prints("Y", {1: 2.0}), {"kind": "halt", "days": 0}) == ({}, [])


def test_an_index_that_ended_is_its_substitute_from_that_day_on() -> None:
    both = pl.concat([prints("X", {7: 2.0, 8: 2.1, 9: 9.9, 10: 9.9}), prints("Y", {7: 1.0, 8: 1.1, 9: 1.2})])
    found, changes = settled(
        both, {"kind": "cessation", "first": date(2027, 3, 9), "substitute": "Y", "ratio": 1.5, "spread": -0.1}, {"kind": "halt", "days": 0}
    )
    assert found == {7: 2.0, 8: 2.1, 9: 1.7}
    assert changes == [(9, 9.9, pytest.approx(1.7)), (10, 9.9, None)]


def test_a_substitute_may_end_itself_but_not_in_a_circle() -> None:
    three = pl.concat([prints("X", {1: 2.0}), prints("Y", {1: 3.0, 2: 3.1}), prints("Z", {3: 4.0})])
    ends = {"kind": "cessation", "first": date(2027, 3, 2), "substitute": "Y"}
    later = {"index": "Y", "kind": "cessation", "first": date(2027, 3, 3), "substitute": "Z"}
    assert settled(three, ends, later)[0] == {1: 2.0, 2: 3.1, 3: 4.0}
    with pytest.raises(InputError, match="X to Y to X"):
        settled(three, ends, later | {"substitute": "X"})


def test_a_contracts_own_row_stands_in_for_the_general_one_and_leaves_the_index_alone() -> None:
    jump = prints("X", {1: 2.0, 2: 3.0})
    general, own = {"kind": "price-limit", "limit": 0.5}, {"kind": "price-limit", "limit": 0.1, "contract": "GPX"}
    assert settled(jump, own)[0] == {1: 2.0, 2: 3.0}
    assert settled(jump, own, name=alias("X", "GPX"))[0] == {1: 2.0, 2: 2.1}
    assert settled(jump, general, own)[0] == {1: 2.0, 2: 2.5}
    assert settled(jump, general, own, name=alias("X", "GPX"))[0] == {1: 2.0, 2: 2.1}
    halted = settled(jump, general, {"kind": "halt", "days": 2, "contract": "GPX"}, name=alias("X", "GPX"))[0]
    assert halted == {1: 2.0} | dict.fromkeys(range(2, 11), 2.5)  # the last print as it settled


@pytest.mark.parametrize("seed", range(20))
def test_held_prints_agree_with_a_loop_and_never_move_further_than_the_limit(seed: int) -> None:
    values = np.round(np.random.default_rng(seed).uniform(1, 4, 10), 3)
    found, changes = settled(prints("X", dict(enumerate(values.tolist(), start=1))), {"kind": "price-limit", "limit": 0.5})
    slow = [values[0]]
    for value in values[1:]:
        slow.append(slow[-1] + np.clip(value - slow[-1], -0.5, 0.5))
    assert list(found.values()) == pytest.approx(slow, abs=1e-9)
    assert np.abs(np.diff(list(found.values()))).max() <= 0.5 + 1e-9
    assert {day for day, *_ in changes} == {day for day, value in found.items() if value != values[day - 1]}


def test_without_a_reason_nothing_changes() -> None:
    calm = prints("X", {day: 2.0 + day / 100 for day in range(1, 11)})
    given = [{"kind": "price-limit", "limit": 0.5}, {"kind": "halt", "days": 0}]
    found, changes = settlement_fixings(calm, rows(*given), end=END)
    assert found.equals(calm.sort("date").with_columns(pl.col("published_at").cast(found["published_at"].dtype)))
    assert changes.is_empty()


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "price-limit"},
        {"kind": "price-limit", "limit": -1.0},
        {"kind": "price-limit", "limit": 0.1, "substitute": "Y"},
        {"kind": "halt", "substitute": "Y"},
        {"kind": "halt", "days": 3, "ratio": 2.0},
        {"kind": "cessation", "substitute": "Y"},
        {"kind": "cessation", "first": date(2027, 3, 1)},
        {"kind": "cessation", "first": date(2027, 3, 1), "substitute": "X"},
        {"kind": "suspension"},
    ],
)
def test_rows_that_lack_or_have_too_much_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(InputError, match="fallbacks row 1"):
        settled(prints("X", {1: 2.0}), row)


def test_two_rows_of_one_kind_are_refused() -> None:
    with pytest.raises(InputError, match="one price-limit of X"):
        settled(prints("X", {1: 2.0}), {"kind": "price-limit", "limit": 0.1}, {"kind": "price-limit", "limit": 0.2})

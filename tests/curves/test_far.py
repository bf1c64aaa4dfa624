"""Long-dated marks joined to near quotes."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.far import Joined, join_far
from tenorgrid.curves.forward import fit_curve
from tenorgrid.data.errors import InputError

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def when(month: int) -> datetime:
    return datetime(2027 + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def near(prices: dict[tuple[int, int], float], profile: str = "base") -> pl.DataFrame:
    names = [f"m{a}-{b}" for a, b in prices]
    count = len(names)
    return pl.DataFrame(
        {
            "as_of": [NOW] * count, "quote_id": names, "index": ["X"] * count, "contract": names,
            "start": [when(a) for a, _ in prices], "end": [when(b) for _, b in prices], "profile": [profile] * count,
            "price": list(prices.values()), "average": ["hourly"] * count, "timezone": ["UTC"] * count, "source": ["broker"] * count,
        }
    )  # fmt: skip


def far(prices: dict[tuple[int, int], float], kind: str = "lease") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "quote_id": [f"{kind} {a}-{b}" for a, b in prices], "index": ["X"] * len(prices), "start": [when(a) for a, _ in prices],
            "end": [when(b) for _, b in prices], "price": list(prices.values()), "kind": [kind] * len(prices),
        }
    )  # fmt: skip


def joined(quotes: pl.DataFrame, marks: pl.DataFrame) -> Joined:
    return join_far(quotes, marks, index="X", as_of=NOW)


def hours(first: int, end: int) -> float:
    return (when(end) - when(first)).total_seconds() / 3600


MONTHS = {(m, m + 1): 2.0 + 0.05 * m for m in range(1, 7)}  # January to June


def test_the_limits_of_a_year_are_those_of_its_free_months() -> None:
    """Half the year is quoted; the rest may be worth nothing or anything, so the year is at least the quoted part over its hours."""
    made = joined(near(MONTHS), far({(1, 13): 2.2}))
    paid = sum(price * hours(*span) for span, price in MONTHS.items())
    (row,) = made.limits.iter_rows(named=True)
    assert row["lower"] == pytest.approx(paid / hours(1, 13), abs=1e-9)
    assert (row["upper"], row["status"]) == (None, "joined")
    curve = fit_curve(made.quotes, index="X", as_of=NOW)
    assert curve.average(when(1), when(13)) == pytest.approx(2.2, abs=1e-10)
    assert curve.average(when(7), when(13)) == pytest.approx((2.2 * hours(1, 13) - paid) / hours(7, 13), abs=1e-9)


def test_a_year_too_cheap_for_its_quoted_months_is_named_with_its_size() -> None:
    paid = sum(price * hours(*span) for span, price in MONTHS.items()) / hours(1, 13)
    with pytest.raises(InputError) as refused:
        joined(near(MONTHS), far({(1, 13): 0.9, (13, 25): 2.0}))
    (fault,) = refused.value.faults
    assert fault.value == f"lease 1-13 at 0.9, {paid - 0.9:.6g} USD per GPU-hour outside"
    assert all(f"m{m}-{m + 1}" in fault.expected for m in range(1, 7))
    assert f"at least {paid:.6g}" in fault.expected


def test_a_lease_that_the_months_already_say_is_implied_or_refused() -> None:
    half = sum(price * hours(*span) for span, price in MONTHS.items()) / hours(1, 7)
    made = joined(near(MONTHS), far({(1, 7): half}))
    assert made.limits["status"].to_list() == ["implied"]
    assert made.quotes["quote_id"].to_list() == [f"m{m}-{m + 1}" for m in range(1, 7)]
    with pytest.raises(InputError, match=r"lease 1-7 at 2.5, .* outside, expected 2\.17"):
        joined(near(MONTHS), far({(1, 7): 2.5}))


def test_marks_are_held_against_the_marks_before_them() -> None:
    """A lease of one year at 2.2 and one of two years at 1.0 would pay the renter of the second year."""
    with pytest.raises(InputError, match=r"lease 1-25 at 1, .* as lease 1-13 say"):
        joined(near({(1, 2): 2.0}), far({(1, 13): 2.2, (1, 25): 1.0}))


def test_a_peak_quote_limits_less_than_a_base_quote() -> None:
    limits = [joined(near({(1, 7): 3.0}, profile), far({(1, 13): 2.9})).limits["lower"][0] for profile in ("peak", "base")]
    assert limits[0] == pytest.approx(3.0 * 12 * 129 / hours(1, 13), abs=1e-9)  # 129 working days in the half-year
    assert limits[0] < limits[1]


@settings(deadline=None, max_examples=8)
@given(forward=st.lists(st.floats(0, 8), min_size=24, max_size=24), seed=st.integers(0, 99))
def test_marks_of_one_term_structure_never_contradict(forward: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    length = np.array([hours(m, m + 1) for m in range(1, 25)])
    price = np.array(forward)

    def mean(a: int, b: int) -> float:
        return float(price[a - 1 : b - 1] @ length[a - 1 : b - 1] / length[a - 1 : b - 1].sum())

    quoted = {(m, m + 1): mean(m, m + 1) for m in range(1, 13) if rng.random() < 0.6} or {(1, 2): mean(1, 2)}
    spans = {(int(a), int(b)) for a, b in (sorted(rng.choice(np.arange(1, 26), 2, replace=False)) for _ in range(4))}
    made = joined(near(quoted), far({span: mean(*span) for span in spans}))
    for row in made.limits.iter_rows(named=True):
        assert row["lower"] - 1e-6 <= row["price"] <= (np.inf if row["upper"] is None else row["upper"] + 1e-6)


def test_near_quotes_that_contradict_and_bad_tables_are_refused() -> None:
    with pytest.raises(InputError, match="near quotes that forwards of at least 0 meet"):
        joined(near({(1, 2): 2.0, (2, 3): 2.0, (1, 3): 2.5}), far({(1, 13): 2.0}))
    with pytest.raises(InputError, match="near quotes that forwards of at least 0 meet"):
        joined(near({(1, 2): 4.0, (1, 3): 1.0}), far({(1, 13): 2.0}))
    with pytest.raises(InputError, match="at least one row of X"):
        joined(near(MONTHS), far({(1, 13): 2.0}).clear())
    with pytest.raises(InputError, match="found tender"):
        joined(near(MONTHS), far({(1, 13): 2.0}, "tender"))
    with pytest.raises(InputError, match="a name that no near quote has"):
        joined(near(MONTHS), far({(1, 13): 2.0}).with_columns(quote_id=pl.lit("m1-2")))


def sided(bid: float, ask: float, span: tuple[int, int] = (1, 13)) -> pl.DataFrame:
    return far({span: 0.0}).with_columns(price=pl.lit(None, dtype=pl.Float64), bid=pl.lit(bid), ask=pl.lit(ask))


def test_a_bid_and_an_ask_take_what_is_nearest_to_their_middle_and_free() -> None:
    """The first half of the year is quoted, so the year is worth at least its part: a middle below that gives way to it."""
    least = sum(price * hours(*span) for span, price in MONTHS.items()) / hours(1, 13)
    for bid, ask, price in [(least + 0.5, least + 0.7, least + 0.6), (least - 0.3, least + 0.1, least)]:
        made = joined(near(MONTHS), sided(bid, ask))
        assert made.limits["price"].to_list() == pytest.approx([price], abs=1e-9)
        quote = made.quotes.filter(pl.col("quote_id") == "lease 1-13").row(0, named=True)
        assert (quote["bid"], quote["ask"]) == (bid, ask)
        assert quote["price"] == pytest.approx(price, abs=1e-9)


def test_the_smoothest_curve_between_a_far_bid_and_ask_bends_least() -> None:
    made = joined(near(MONTHS), sided(2.3, 2.9))
    between = fit_curve(made.quotes, index="X", as_of=NOW, within="bid-ask")
    met = fit_curve(made.quotes, index="X", as_of=NOW)
    assert 2.3 - 1e-9 <= between.average(when(1), when(13)) <= 2.9 + 1e-9
    bending = [np.square(one.fitted.bend @ one.fair[list(one.kept)]).sum() for one in (between, met)]
    assert bending[0] < bending[1]


def test_a_far_ask_below_the_least_and_sides_out_of_order_are_refused() -> None:
    with pytest.raises(InputError, match=r"lease 1-13 at 0.5 to 0.6, .* outside"):
        joined(near(MONTHS), sided(0.5, 0.6))
    with pytest.raises(InputError, match="Bid, price and ask in order"):
        joined(near(MONTHS), sided(2.9, 2.3))
    with pytest.raises(InputError, match="A price, or a bid and an ask"):
        joined(near(MONTHS), sided(2.3, 2.9).with_columns(ask=pl.lit(None, dtype=pl.Float64)))

"""Curves of many days: fit_curves."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.arbitrage import ArbitrageError
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.many import fit_curves, forwards
from tenorgrid.data.errors import InputError

FIRST = datetime(2027, 1, 28, tzinfo=UTC)


def day_of(moment: datetime, prices: list[float], *, profiles: tuple[str, ...] = ("base",)) -> pl.DataFrame:
    """Two days from `moment` on and the three months after the next, in each profile."""
    ahead = [moment + timedelta(i) for i in range(3)]
    months = [datetime(moment.year, moment.month + 2 + i, 1, tzinfo=UTC) for i in range(4)]
    spans = [(a, b, profile) for profile in profiles for a, b in [*pairwise(ahead), *pairwise(months)]]
    return pl.DataFrame(
        {
            "as_of": [moment] * len(spans),
            "quote_id": [f"q{i}" for i in range(len(spans))],
            "index": ["X"] * len(spans),
            "contract": [f"X {a:%Y%m%d} {p}" for a, _, p in spans],
            "start": [a for a, _, _ in spans],
            "end": [b for _, b, _ in spans],
            "profile": [p for _, _, p in spans],
            "price": prices[: len(spans)],
            "average": ["hourly"] * len(spans),
            "timezone": ["UTC"] * len(spans),
            "source": ["made"] * len(spans),
        }
    )


def whole(curve: ForwardCurve) -> ForwardCurve:
    return curve


def history(count: int, *, profiles: tuple[str, ...] = ("base",)) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    return pl.concat([day_of(FIRST + timedelta(i), rng.uniform(2, 3, 10).tolist(), profiles=profiles) for i in range(count)])


def base_and_night(count: int) -> pl.DataFrame:
    return history(count, profiles=("base", "night"))


@pytest.mark.parametrize("made", [history, base_and_night])
def test_each_curve_is_that_of_its_day_alone(made: Callable[[int], pl.DataFrame]) -> None:
    """The days of a month's end, when the set of months changes, and in threads, which share nothing."""
    quotes = made(8)
    with ThreadPoolExecutor(2) as pool:
        curves, threaded = fit_curves(quotes, index="X", keep=whole), fit_curves(quotes, index="X", keep=forwards, executor=pool)
    assert list(curves) == [FIRST + timedelta(i) for i in range(8)] == list(threaded)
    for moment, curve in curves.items():
        alone = fit_curve(quotes.filter(pl.col("as_of") == moment), index="X", as_of=moment)
        np.testing.assert_allclose(curve.forward, alone.forward, rtol=0, atol=1e-12)
        np.testing.assert_allclose(curve.fair, curve.quotes["price"].to_numpy(), rtol=0, atol=1e-10)
        np.testing.assert_allclose(threaded[moment], alone.forward, rtol=0, atol=1e-12)
        assert curve.starts.equals(alone.starts)
        np.testing.assert_allclose(curve.sensitivity, alone.sensitivity, rtol=0, atol=1e-12)


def same_months(prices: list[list[float]]) -> pl.DataFrame:
    """A quarter of three months and the months, day after day."""
    spans = [(datetime(2027, m, 1, tzinfo=UTC), datetime(2027, m + n, 1, tzinfo=UTC)) for m, n in ((3, 1), (4, 1), (5, 1), (3, 3))]
    days = []
    for i, row in enumerate(prices):
        frame = day_of(FIRST + timedelta(i), row).head(4)
        days.append(frame.with_columns(pl.Series("start", [a for a, _ in spans]), pl.Series("end", [b for _, b in spans])))
    return pl.concat(days)


def quarter(row: list[float]) -> float:
    return (31 * row[0] + 30 * row[1] + 31 * row[2]) / 92


def test_days_of_the_same_hours_share_one_factorisation() -> None:
    rows = [[2.0, 2.4, 2.1], [2.2, 2.1, 2.6]]
    one, two = fit_curves(same_months([[*row, quarter(row), 0.0] for row in rows]), index="X", keep=whole).values()
    assert two.fitted.coefficients is one.fitted.coefficients
    assert [tie.quote for tie in two.redundant] == [tie.quote for tie in one.redundant] != []


def test_what_contradicts_on_one_day_is_told_with_its_day_though_another_day_agreed() -> None:
    good, bad = [2.0, 2.4, 2.1], [2.2, 2.1, 2.6]
    quotes = same_months([[*good, quarter(good), 0.0], [*bad, quarter(bad) + 0.05, 0.0]])
    with pytest.raises(InputError, match=r"as of 2027-01-29 00:00") as told:
        fit_curves(quotes, index="X", keep=whole)
    with pytest.raises(ArbitrageError):
        fit_curve(quotes.filter(pl.col("as_of") > FIRST), index="X", as_of=FIRST + timedelta(1))
    assert "2027-01-28" not in str(told.value)


def test_no_history_and_a_name_twice_a_day_are_refused() -> None:
    with pytest.raises(InputError, match="at least one quote of Y"):
        fit_curves(history(1), index="Y", keep=whole)
    with pytest.raises(InputError, match="quote_id"):
        fit_curves(pl.concat([history(1), history(1)]), index="X", keep=whole)
    with pytest.raises(InputError, match="as_of"):
        fit_curves(history(1).drop("as_of"), index="X", keep=whole)

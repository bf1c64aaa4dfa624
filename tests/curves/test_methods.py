"""What a curve is between the knots, its ends, and the portfolio of an arbitrage."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.arbitrage import ArbitrageError
from tenorgrid.curves.components import Ends, Method
from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.weights import weights
from tenorgrid.data.errors import InputError

Make = Callable[..., pl.DataFrame]
START = datetime(2027, 1, 1, tzinfo=UTC)
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)


def spans(quote: Make, *given: tuple[int, int, float]) -> pl.DataFrame:
    """Quotes of `[from, to)` days at a price."""
    return pl.concat([quote(f"{a}-{b}", START + timedelta(a), START + timedelta(b), price) for a, b, price in given])


OVERLAPPING = ((0, 7, 2.4), (5, 12, 2.6), (12, 30, 2.2), (0, 59, 2.3), (40, 47, 2.5), (59, 90, 2.1))


@pytest.mark.parametrize("ends", get_args(Ends))
@pytest.mark.parametrize("method", get_args(Method))
def test_every_method_meets_every_quote_and_its_jacobian_is_exact(quote: Make, method: Method, ends: Ends) -> None:
    if method == "constant" and ends != "free":
        with pytest.raises(InputError, match="steps have no slope"):
            fit_curve(spans(quote, *OVERLAPPING), index="X", as_of=AS_OF, method=method, ends=ends)
        return
    quotes = spans(quote, *OVERLAPPING)
    curve = fit_curve(quotes, index="X", as_of=AS_OF, method=method, ends=ends)
    rows = np.stack([weights(curve.quotes).row(i) for i in range(6)])
    assert rows @ curve.forward == pytest.approx(curve.quotes["price"].to_numpy(), abs=1e-10)
    assert rows @ curve.sensitivity == pytest.approx(np.eye(6), abs=1e-10)
    moved = quotes.with_columns(pl.when(pl.col("quote_id") == "40-47").then(pl.col("price") + 0.3).otherwise("price").alias("price"))
    again = fit_curve(moved, index="X", as_of=AS_OF, method=method, ends=ends)
    assert curve.bump("40-47", 0.3).forward == pytest.approx(again.forward, abs=1e-10)


@pytest.mark.parametrize("bending", ["period", "time"])
@pytest.mark.parametrize("method", get_args(Method))
def test_equal_quotes_are_flat_under_every_method(quote: Make, method: Method, bending: str) -> None:
    curve = fit_curve(spans(quote, *((a, b, 10.0) for a, b, _ in OVERLAPPING)), index="X", as_of=AS_OF, method=method, bending=bending)  # type: ignore[arg-type]
    assert curve.forward == pytest.approx(10.0, abs=1e-10)


def test_constant_is_the_bootstrap_of_nested_periods(quote: Make) -> None:
    curve = fit_curve(spans(quote, (0, 31, 19.05), (0, 91, 17.22)), index="X", as_of=AS_OF, method="constant")
    assert curve.forward[: 31 * 24] == pytest.approx(19.05, abs=1e-12)
    assert curve.forward[31 * 24 :] == pytest.approx((17.22 * 91 - 19.05 * 31) / 60, abs=1e-12)


def test_linear_bends_only_at_the_dates_of_quotes(quote: Make) -> None:
    curve = fit_curve(spans(quote, *OVERLAPPING), index="X", as_of=AS_OF, method="linear")
    kinks = np.flatnonzero(np.abs(np.diff(curve.forward, 2)) > 1e-9)
    dates = {24 * day for a, b, _ in OVERLAPPING for day in (a, b)}
    assert {int(kink) for kink in kinks} <= {date + shift for date in dates for shift in (-2, -1)}


def test_two_months_leave_a_polyline_nothing_for_flat_ends(quote: Make) -> None:
    with pytest.raises(InputError, match="more than the function has freedom"):
        fit_curve(spans(quote, (0, 31, 2.0), (31, 59, 2.4)), index="X", as_of=AS_OF, method="linear", ends="flat")


def test_tension_goes_from_the_smoothest_towards_the_straightest(quote: Make) -> None:
    quotes = spans(quote, *OVERLAPPING)
    smooth = fit_curve(quotes, index="X", as_of=AS_OF)
    assert fit_curve(quotes, index="X", as_of=AS_OF, method="tension", tension=0.0).forward == pytest.approx(smooth.forward, abs=1e-10)
    lengths = [np.abs(np.diff(fit_curve(quotes, index="X", as_of=AS_OF, method="tension", tension=t).forward)).sum() for t in (0, 3, 30)]
    assert lengths[0] > lengths[1] > lengths[2]


@pytest.mark.parametrize(
    ("ends", "values"),
    [
        ("free", (18.441176, 20.030331, 21.426471, 22.170037, 21.911765, 19.161765, 15.382353)),
        ("flat-last", (18.286522, 20.039231, 21.542290, 22.207121, 21.657660, 18.752800, 17.217798)),
    ],
)
def test_quartic_spline_of_the_literature_under_both_ends(quote: Make, ends: Ends, values: tuple[float, ...]) -> None:
    """Benth, Koekebakker and Ollmar's form; figures of an own 800-cell quadratic program."""
    curve = fit_curve(spans(quote, (0, 1, 20.0), (1, 2, 22.0), (2, 4, 19.0)), index="X", as_of=AS_OF, ends=ends, bending="time")
    times = np.array([0, 0.5, 1, 1.5, 2, 3, 4]) / 4
    found = curve.fitted.spline.at(times, curve.fitted.coefficients[0] @ curve.quotes["price"].to_numpy())
    assert found == pytest.approx(np.array(values), abs=1e-6)


def test_a_gap_is_filled_by_smoothness_and_its_sensitivity_shows_it(quote: Make) -> None:
    curve = fit_curve(spans(quote, (0, 30, 2.0), (60, 90, 2.6)), index="X", as_of=AS_OF)
    gap = slice(30 * 24, 60 * 24)
    assert 2.0 < curve.forward[gap].mean() < 2.6
    assert curve.sensitivity[gap].mean(axis=0) == pytest.approx([0.5, 0.5], abs=1e-10)


def test_an_arbitrage_has_its_legs_and_its_size_per_contract(quote: Make) -> None:
    with pytest.raises(ArbitrageError) as caught:
        fit_curve(spans(quote, (0, 31, 2.0), (31, 59, 2.2), (0, 59, 2.0)), index="X", as_of=AS_OF)
    row = caught.value.table.row(0, named=True)
    size = (31 * 2.0 + 28 * 2.2) / 59 - 2.0
    assert row["quote_ids"] == "0-59, 0-31, 31-59"
    assert row["legs"] == f"+1 0-59, {-31 / 59:.10g} 0-31, {-28 / 59:.10g} 31-59"
    assert row["size"] == pytest.approx(size, abs=1e-12)
    assert row["contract_size"] == pytest.approx(59 * 24 * size, abs=1e-9)


def test_discounted_averages_weigh_near_hours_more(quote: Make) -> None:
    quotes = spans(quote, (0, 31, 2.0), (0, 59, 2.5))
    curve = fit_curve(quotes, index="X", as_of=AS_OF, method="constant", averages="discounted", discount=flat(0.5))
    paid = np.exp(-0.5 * (31 + (np.arange(59 * 24) + 1) / 24) / 365)
    assert paid @ curve.forward / paid.sum() == pytest.approx(2.5, abs=1e-12)
    assert curve.forward.mean() > 2.5
    with pytest.raises(InputError, match="a discount curve"):
        fit_curve(quotes, index="X", as_of=AS_OF, averages="discounted")


def test_business_days_stand_beside_the_base_in_one_build(quote: Make) -> None:
    month = (START, START + timedelta(31))
    quotes = pl.concat([quote("b", *month, 2.4), quote("d", *month, 2.6, average="business-day", calendar="USNY")])
    curve = fit_curve(quotes, index="X", as_of=AS_OF)
    assert curve.fair == pytest.approx(curve.quotes["price"].to_numpy(), abs=1e-10)
    assert 1.5 < curve.forward.min() < 2.4 < curve.forward.max() < 2.8


def test_unknown_names_are_refused_all_at_once(quote: Make) -> None:
    with pytest.raises(InputError) as caught:
        fit_curve(spans(quote, (0, 31, 2.0)), index="X", as_of=AS_OF, method="cubic", ends="round", within="mid", tension=-1.0)  # type: ignore[arg-type]
    assert {fault.column for fault in caught.value.faults} == {"method", "ends", "within", "tension"}

"""The forward curve."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.ahead import Underlying
from tenorgrid.curves.band import band
from tenorgrid.curves.components import Bending
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.quotes import ahead_quotes, joined
from tenorgrid.curves.shape import Shape, hour_of_week
from tenorgrid.curves.weights import weights
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.curve import Curve, HourShape, Jacobian
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.data.terms.market import Market

Make = Callable[..., pl.DataFrame]
AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def averages(curve: ForwardCurve) -> float:
    """Largest distance of the curve's averages from its quotes, by weights written out."""
    rows = weights(curve.quotes)
    fair = [rows.row(i) @ curve.forward for i in range(curve.quotes.height)]
    return float(np.abs(fair - curve.quotes["price"].to_numpy()).max())


@pytest.fixture(scope="module")
def whole(prices: pl.DataFrame, market: Market, underlying: Underlying) -> ForwardCurve:
    """Sixteen ahead days and six months, shaped and banded: what the packaged run fits."""
    as_of = date(2027, 3, 16)
    months = []
    for month, price in zip(range(4, 10), (2.45, 2.40, 2.38, 2.41, 2.37, 2.35), strict=True):
        start, end = contract_dates(f"{underlying.index}:2027-{month:02d}", timezone=ZONE)
        months.append((f"M{month}", f"{underlying.index}:2027-{month:02d}", start, end, price))
    table = pl.DataFrame(months, schema=["quote_id", "contract", "start", "end", "price"], orient="row").with_columns(
        as_of=pl.lit(AS_OF),
        index=pl.lit(underlying.index),
        profile=pl.lit("base"),
        average=pl.lit("calendar-day"),
        timezone=pl.lit(ZONE),
        source=pl.lit("broker"),
    )
    return fit_curve(
        joined([ahead_quotes(prices, underlying=underlying, market=market, as_of=as_of), table]),
        index=underlying.index,
        as_of=AS_OF,
        shape=hour_of_week(prices, underlying=underlying, market=market, as_of=as_of),
        band=band(prices, underlying=underlying, market=market, as_of=as_of),
    )


def test_the_whole_curve_averages_back_to_every_quote(whole: ForwardCurve) -> None:
    assert whole.quotes.height == 22
    assert averages(whole) < 1e-10
    assert whole["H100-SXM.US.FIRM:2027-05"] == pytest.approx(2.40, abs=1e-10)
    assert whole.average(date(2027, 5, 1), date(2027, 6, 1)) == pytest.approx(2.40, abs=1e-10)
    assert Curve.is_valid(whole.curve)
    assert Jacobian.is_valid(whole.jacobian())


def test_the_shape_moves_hours_within_a_day_and_leaves_the_averages(whole: ForwardCurve) -> None:
    assert whole.average(date(2027, 5, 1), date(2027, 6, 1), profile="peak") > 1.05 * whole["H100-SXM.US.FIRM:2027-05"]
    assert whole.average(date(2027, 5, 3), date(2027, 5, 4), profile="peak@Asia/Tokyo") < whole.average(date(2027, 5, 3), date(2027, 5, 4))


def test_the_band_stands_where_it_was_measured_and_nowhere_else(whole: ForwardCurve) -> None:
    near, far = whole.curve.head(16 * 24), whole.curve.tail(-16 * 24)
    assert near["lower"].null_count() == 0
    assert (near["lower"] < near["forward"]).all()
    assert (near["upper"] > near["forward"]).all()
    assert far["lower"].null_count() == far.height


def test_the_jacobian_agrees_with_fitting_again(whole: ForwardCurve, prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    shape = hour_of_week(prices, underlying=underlying, market=market, as_of=date(2027, 3, 16))
    for name in (whole.quotes["quote_id"][2], "M4", "M9"):
        raised = whole.quotes.with_columns(
            pl.when(pl.col("quote_id") == name).then(pl.col("price") + 0.05).otherwise(pl.col("price")).alias("price")
        )
        again = fit_curve(raised, index=underlying.index, as_of=AS_OF, shape=shape)
        bumped = whole.bump(name, 0.05)
        assert bumped.forward == pytest.approx(again.forward, abs=1e-10)
        assert averages(bumped) < 1e-10
        assert not np.allclose(bumped.forward, whole.forward)


def test_the_jacobian_frame_averages_to_the_identity(whole: ForwardCurve) -> None:
    frame = whole.jacobian()
    rows = weights(whole.quotes)
    matrix = frame["weight"].to_numpy().reshape(-1, whole.quotes.height)
    found = np.stack([rows.row(i) for i in range(whole.quotes.height)]) @ matrix
    assert found == pytest.approx(np.eye(whole.quotes.height), abs=1e-10)
    assert frame["quote_id"].head(22).to_list() == whole.quotes["quote_id"].to_list()


def _cmdty(quote: Make, price: float) -> pl.DataFrame:
    return pl.concat(
        [
            quote("week 1", day("2020-08-24"), day("2020-08-31"), price),
            quote("week 2", day("2020-08-31"), day("2020-09-07"), price),
            quote("month", day("2020-09-01"), day("2020-10-01"), price),
        ]
    )


@pytest.mark.parametrize("bending", ["period", "time"])
def test_equal_quotes_give_a_flat_curve_where_a_week_crosses_a_month(quote: Make, bending: Bending) -> None:
    curve = fit_curve(_cmdty(quote, 10.0), index="X", as_of=AS_OF, bending=bending)
    assert curve.forward == pytest.approx(10.0, abs=1e-10)


def test_nothing_jumps_where_a_week_crosses_a_month(quote: Make) -> None:
    quotes = pl.concat(
        [quote("d1", day("2020-04-03"), day("2020-04-04"), 18.02), quote("d2", day("2020-04-06"), day("2020-04-07"), 12.73)]
        + [
            quote(f"w{d}", day(f"2020-04-{d}"), day(f"2020-04-{d}") + timedelta(7), p)
            for d, p in (("06", 16.0), ("13", 16.78), ("20", 20.82), ("27", 17.97))
        ]
        + [quote("may", day("2020-05-01"), day("2020-06-01"), 22.21), quote("jun", day("2020-06-01"), day("2020-07-01"), 27.3)]
    )
    curve = fit_curve(quotes, index="X", as_of=AS_OF, bending="time")
    assert averages(curve) < 1e-10
    assert np.abs(np.diff(curve.forward)).max() < 0.35  # a bootstrap jumps from 13.66 to 35.22 at 1 May
    daily = [
        curve.average(day(f"2020-{md}"), day(f"2020-{md}") + timedelta(1))
        for md in ("04-27", "04-28", "04-29", "04-30", "05-01", "05-02", "05-03")
    ]
    # second differences on a daily grid: a neighbouring objective, so alike but not the same
    assert daily == pytest.approx([20.469, 19.567, 18.629, 17.747, 16.987, 16.396, 15.995], abs=0.15)


@pytest.mark.parametrize("bending", ["period", "time"])
def test_linear_in_gives_linear_out_overlaps_included(quote: Make, bending: Bending) -> None:
    origin = day("2027-01-01")
    hour = np.arange(90 * 24) + 0.5
    line = 50 + 0.7 * hour / 24
    spans = ((0, 30), (30, 60), (0, 90), (10, 17), (25, 26))
    quotes = pl.concat(
        [quote(f"{a} {b}", origin + timedelta(a), origin + timedelta(b), float(line[a * 24 : b * 24].mean())) for a, b in spans]
    )
    curve = fit_curve(quotes, index="X", as_of=AS_OF, bending=bending)
    assert curve.forward == pytest.approx(line, abs=1e-9)
    assert curve.redundant == ()


def test_one_quote_is_flat_and_two_lie_on_a_line(quote: Make) -> None:
    one = fit_curve(quote("a", day("2027-01-01"), day("2027-02-01"), 2.5), index="X", as_of=AS_OF)
    assert one.forward == pytest.approx(2.5, abs=1e-12)
    two = fit_curve(
        pl.concat([quote("a", day("2027-01-01"), day("2027-01-11"), 2.0), quote("b", day("2027-01-21"), day("2027-01-31"), 3.0)]),
        index="X",
        as_of=AS_OF,
    )
    assert np.diff(two.forward) == pytest.approx(1 / 480, abs=1e-12)


def test_a_quarter_that_agrees_with_its_months_is_met_and_one_that_does_not_is_refused_with_its_size(quote: Make) -> None:
    spans = [
        ("jan", "2020-01-01", "2020-02-01", 19.05),
        ("feb", "2020-02-01", "2020-03-01", 16.0),
        ("mar", "2020-03-01", "2020-04-01", 16.5),
    ]
    months = [quote(name, day(a), day(b), p) for name, a, b, p in spans]
    fair = (31 * 19.05 + 29 * 16.0 + 31 * 16.5) / 91
    curve = fit_curve(pl.concat([*months, quote("q1", day("2020-01-01"), day("2020-04-01"), fair)]), index="X", as_of=AS_OF)
    assert averages(curve) < 1e-10
    assert [curve.quotes["quote_id"][tie.quote] for tie in curve.redundant] == ["q1"]
    with pytest.raises(InputError, match="can move alone: jan, q1, feb, mar say the same"):
        curve.bump("jan", 0.01)
    with pytest.raises(InputError, match=re.escape("q1 +0.25 USD per GPU-hour against jan, feb, mar")):
        fit_curve(pl.concat([*months, quote("q1", day("2020-01-01"), day("2020-04-01"), fair + 0.25)]), index="X", as_of=AS_OF)


def test_a_month_and_its_quarter_leave_the_rest_to_day_weights(quote: Make) -> None:
    quotes = pl.concat(
        [quote("jan", day("2020-01-01"), day("2020-02-01"), 19.05), quote("q1", day("2020-01-01"), day("2020-04-01"), 17.22)]
    )
    curve = fit_curve(quotes, index="X", as_of=AS_OF)
    assert curve.average(day("2020-02-01"), day("2020-04-01")) == pytest.approx(16.27450, abs=1e-10)


def test_an_additive_shape_averages_back_too_and_lets_prices_touch_zero(quote: Make) -> None:
    rng = np.random.default_rng(9)
    value = rng.normal(0, 2, 168)
    table = pl.DataFrame(
        {"weekday": np.repeat(np.arange(1, 8), 24), "hour": np.tile(np.arange(24), 7), "value": value - value.mean(), "observations": 4}
    )
    shape = Shape(kind="additive", timezone="UTC", hours=HourShape.validate(table, cast=True))
    quotes = pl.concat([quote("a", day("2027-03-01"), day("2027-04-01"), 0.5), quote("b", day("2027-03-03"), day("2027-03-04"), 0.0)])
    curve = fit_curve(quotes, index="X", as_of=AS_OF, shape=shape)
    assert averages(curve) < 1e-10
    assert curve.forward.min() < 0
    assert curve.bump("b", 1.0).forward - curve.forward == pytest.approx(
        curve.sensitivity[:, curve.quotes["quote_id"].to_list().index("b")], abs=1e-12
    )


def test_rows_in_any_order_give_the_same_curve(whole: ForwardCurve) -> None:
    again = fit_curve(whole.quotes.sample(fraction=1.0, shuffle=True, seed=1), index=whole.index, as_of=AS_OF)
    assert again.quotes.equals(whole.quotes)
    assert np.array_equal(again.forward, fit_curve(whole.quotes.reverse(), index=whole.index, as_of=AS_OF).forward)


def test_quotes_that_are_missing_late_or_repeated_are_refused(quote: Make, whole: ForwardCurve) -> None:
    one = quote("a", day("2027-01-01"), day("2027-02-01"), 2.5)
    with pytest.raises(InputError, match="at least one quote of Y"):
        fit_curve(one, index="Y", as_of=AS_OF)
    with pytest.raises(InputError, match="no quote after"):
        fit_curve(one, index="X", as_of=day("2019-12-31"))
    with pytest.raises(InputError, match="one row per quote_id"):
        fit_curve(pl.concat([one, one]), index="X", as_of=AS_OF)
    with pytest.raises(InputError, match="found tension, expected period or time"):
        fit_curve(one, index="X", as_of=AS_OF, bending="tension")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a period inside 2027-03-16T04:00Z to 2027-10-01T04:00Z"):
        whole.average(date(2027, 3, 15), date(2027, 3, 20))
    with pytest.raises(InputError, match="one of"):
        whole.bump("M12", 0.01)


def test_sixty_contracts_over_three_years_of_hours_are_met_exactly(quote: Make) -> None:
    start = day("2027-01-01")
    quotes = [quote(f"d{i}", start + timedelta(i), start + timedelta(i + 1), 2.4 + 0.1 * np.sin(i)) for i in range(14)]
    quotes += [quote(f"w{i}", start + timedelta(14 + 7 * i), start + timedelta(21 + 7 * i), 2.4) for i in range(6)]
    ends = [datetime(2027 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(37)]
    quotes += [quote(f"m{m}", ends[m], ends[m + 1], 2.4 - 0.01 * m) for m in range(2, 36)]
    quotes += [quote(f"r{i}", start + timedelta(3 + 40 * i), start + timedelta(30 + 40 * i), 2.3) for i in range(6)]
    curve = fit_curve(pl.concat(quotes), index="X", as_of=AS_OF)
    assert curve.quotes.height == 60
    assert curve.forward.size == 26_304
    assert averages(curve) < 1e-10

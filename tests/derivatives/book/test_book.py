"""A book of trades."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.discount_quantlib import discount_curve, from_quantlib, to_quantlib
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.tables.book import Risks, Values
from tenorgrid.derivatives.book import BookValue, value

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
EVENING = (AS_OF + timedelta(hours=18), AS_OF + timedelta(hours=19))
Trade = Callable[..., dict[str, object]]


@pytest.fixture(scope="module")
def book(trade: Trade) -> pl.DataFrame:
    """Five trades: a month half fixed, a month ahead, a capacity contract, two virtual bids."""
    return pl.DataFrame(
        [
            trade("F-MAR", "forward", "buy", 100.0, US, "2027-03", 2.5),
            trade("F-APR", "forward", "sell", 60.0 * 720, US, "2027-04", 2.55, quantity_unit="total"),
            trade("C-APR", "capacity", "buy", 50.0, US, "2027-04", 2.8, premium=9000.0, pay_date=date(2027, 3, 31)),
            trade("V-DEC", "virtual", "buy", 40.0, "us-east/h100-sxm/firm", EVENING, 2.4, params='{"horizon": "week-ahead"}'),
            trade("V-INC", "virtual", "sell", 25.0, "us-east/h100-sxm/firm", EVENING, 2.6, params='{"horizon": "day-ahead"}'),
        ],
        infer_schema_length=None,
    )


Price = Callable[..., BookValue]


@pytest.fixture(scope="module")
def price(curve: ForwardCurve, node: ForwardCurve, fixings: pl.DataFrame, volatility: pl.DataFrame) -> Price:
    """`value` with everything but the trades given; what is passed replaces it."""

    def run(trades: pl.DataFrame, **changed: object) -> BookValue:
        given: dict[str, object] = {
            "curves": {US: curve, EAST: node},
            "fixings": fixings,
            "volatility": volatility,
            "as_of": AS_OF,
            "discount": flat(0.04),
            "timezone": ZONE,
        }
        return value(trades, **{**given, **changed})  # type: ignore[arg-type]

    return run


def test_every_trade_has_a_value_and_the_frames_are_what_they_say(book: pl.DataFrame, price: Price) -> None:
    found = price(book)
    assert found.values["trade_id"].to_list() == book["trade_id"].to_list()
    assert found.value == pytest.approx(found.values["value"].sum(), abs=1e-9)
    assert Values.is_valid(found.values)
    assert Risks.is_valid(found.risks)
    assert set(found.risks["unit"]) == {"GPU-hours", "GPU-hours per 0.01", "USD per 0.01", "USD per day", "lots"}


def test_deltas_by_quote_agree_with_bumping_each_quote(book: pl.DataFrame, price: Price, curve: ForwardCurve, node: ForwardCurve) -> None:
    found = {row["bucket"]: row["amount"] for row in price(book).delta("quote", unit="USD per 0.01").iter_rows(named=True)}
    for name in curve.quotes["quote_id"]:  # both curves have quotes of these names
        up, down = (price(book, curves={US: curve.bump(name, s), EAST: node.bump(name, s)}).value for s in (1e-4, -1e-4))
        assert found.get(name, 0.0) == pytest.approx((up - down) / 2e-4 * 0.01, rel=1e-5, abs=1e-6)


def test_deltas_by_month_add_up_to_a_parallel_move(book: pl.DataFrame, price: Price) -> None:
    found = price(book)
    assert found.delta("month")["amount"].sum() == pytest.approx(found.delta("quote")["amount"].sum(), rel=1e-9)
    assert found.delta("month")["bucket"].to_list() == ["month 2027-03", "month 2027-04"]
    short = found.risks.filter(pl.col("trade_id") == "F-APR", pl.col("bucket") == "month 2027-04", pl.col("unit") == "GPU-hours")
    assert short["amount"][0] == pytest.approx(-60 * 720 * 2.718281828459045 ** (-0.04 * 46 / 365), rel=1e-12)


def test_vega_agrees_with_a_move_of_one_hundredth(book: pl.DataFrame, price: Price, volatility: pl.DataFrame) -> None:
    moved = [price(book, volatility=volatility.with_columns(pl.col("volatility") + s)).value for s in (0.005, -0.005)]
    found = price(book).vega()
    assert found["bucket"].to_list() == ["month 2027-04"]
    assert found["amount"][0] == pytest.approx(moved[0] - moved[1], rel=1e-4)


def test_the_rate_that_a_curve_came_with_serves_where_none_is_given(
    book: pl.DataFrame, price: Price, curve: ForwardCurve, node: ForwardCurve
) -> None:
    carried = {US: replace(curve, discount=flat(0.04)), EAST: replace(node, discount=flat(0.04))}
    assert price(book, curves=carried, discount=None).values.equals(price(book).values)


def test_a_quantlib_curve_discounts_in_the_place_of_a_flat_rate(book: pl.DataFrame, price: Price) -> None:
    same = price(book, discount=from_quantlib(to_quantlib(flat(0.04), as_of=AS_OF)))
    assert same.values["value"].to_list() == pytest.approx(price(book).values["value"].to_list(), rel=1e-10)
    rates = pl.DataFrame({"instrument": ["deposit", "ois"], "tenor": ["1M", "2Y"], "rate": [0.09, 0.09]})
    dear = price(book, discount=discount_curve(rates, as_of=AS_OF.date())).values
    assert dear["value"].to_list() != pytest.approx(same.values["value"].to_list(), rel=1e-4)


def test_a_book_is_the_sum_of_its_trades_in_any_order(book: pl.DataFrame, price: Price) -> None:
    whole = price(book)
    assert price(book.reverse()).values.sort("trade_id").equals(whole.values.sort("trade_id"))
    assert [price(book[n]).value for n in range(5)] == whole.values["value"].to_list()


def test_fixings_that_come_later_change_nothing_and_missing_ones_are_named(book: pl.DataFrame, price: Price, fixings: pl.DataFrame) -> None:
    late = fixings.filter(pl.col("published_at") <= AS_OF)
    assert late.height == fixings.height - 1
    assert price(book, fixings=late).values.equals(price(book).values)
    with pytest.raises(NotPublishedError, match="2027-03-02, 2027-03-15"):
        price(book, fixings=fixings.filter(~pl.col("date").is_in([date(2027, 3, 2), date(2027, 3, 15)])))


def test_indices_without_curve_or_volatility_are_refused(
    book: pl.DataFrame, price: Price, curve: ForwardCurve, volatility: pl.DataFrame
) -> None:
    with pytest.raises(InputError) as caught:
        price(book, curves={US: curve})
    assert [fault.value for fault in caught.value.faults] == [f"{EAST} in V-DEC", f"{EAST} in V-INC"]
    with pytest.raises(InputError, match=f"found 0 rows of {US}"):
        price(book, volatility=volatility.clear())
    with pytest.raises(InputError, match=f"found 2 rows of {US}"):
        price(book, volatility=pl.concat([volatility, volatility.with_columns(model=pl.lit("ewma"))]))
    with pytest.raises(InputError, match=f"none with {US}, expected a rate"):
        price(book, discount=None)
    with pytest.raises(InputError, match="expected a curve as of 2027-03-17"):
        price(book, as_of=AS_OF + timedelta(1))

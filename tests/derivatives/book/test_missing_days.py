"""Days without fixing: refused, carried forward, left out, or read from the next print, before and after the month is over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.specifications.products import PACKAGED, read_products
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue, valued

US = "H100-SXM.US.FIRM"
Priced = Callable[..., BookValue]
DAYS = 31  # of March, the first 15 with fixings 2.31 to 2.45, the last 16 forward at 2.40


@pytest.fixture(scope="module")
def holed(market: Market) -> Callable[..., Market]:
    """holed(3, 15): the market without the prints of those days of March, undiscounted."""

    def make(*days: int) -> Market:
        left = {day: value for day, value in market.fixings[US].items() if day.month != 3 or day.day not in days}
        return replace(market, fixings={**market.fixings, US: left}, discount=flat(0.0))

    return make


def mean(found: BookValue) -> float:
    """What a forward on one GPU-hour an hour makes of March's mean."""
    return found.value / 743 + 2.5


def fixing(day: int) -> float:
    return 2.3 + 0.01 * day


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("carry-forward", (sum(fixing(n) for n in range(1, 16)) - fixing(3) + fixing(2) + 16 * 2.4) / DAYS),
        ("next", (sum(fixing(n) for n in range(1, 16)) - fixing(3) + fixing(4) + 16 * 2.4) / DAYS),
        ("exclude", (sum(fixing(n) for n in range(1, 16)) - fixing(3) + 16 * 2.4) / (DAYS - 1)),
    ],
)
def test_one_day_without_print_by_pencil(priced: Priced, holed: Callable[..., Market], rule: str, wanted: float) -> None:
    found = priced("forward", "2027-03", 2.5, quantity=1.0, on=holed(3), missing_day=rule)
    assert mean(found) == pytest.approx(wanted, abs=1e-12)


def test_the_last_days_wait_for_the_first_day_to_come_under_next(priced: Priced, holed: Callable[..., Market]) -> None:
    on = holed(14, 15)
    found = priced("forward", "2027-03", 2.5, quantity=1.0, on=on, missing_day="next")
    first = on.curves[US].average(date(2027, 3, 16), date(2027, 3, 17))
    assert mean(found) == pytest.approx((sum(fixing(n) for n in range(1, 14)) + 2 * first + 16 * 2.4) / DAYS, abs=1e-12)
    assert found.delta("month")["amount"].sum() == pytest.approx(743 * 18 / 31, rel=1e-12)


def test_days_left_out_give_their_weight_to_the_days_to_come_too(priced: Priced, holed: Callable[..., Market]) -> None:
    found = priced("forward", "2027-03", 2.5, quantity=1.0, on=holed(3, 9), missing_day="exclude")
    assert found.delta("month")["amount"].sum() == pytest.approx(743 * 16 / 29, rel=1e-12)
    bumped = replace(holed(3, 9), curves={**holed(3, 9).curves, US: holed(3, 9).curves[US].bump("march", 0.2)})
    moved = priced("forward", "2027-03", 2.5, quantity=1.0, on=bumped, missing_day="exclude")
    assert moved.value - found.value == pytest.approx(0.2 * dict(found.delta("quote").iter_rows())["march"], rel=1e-9)


@pytest.mark.parametrize("rule", ["refuse", "carry-forward", "exclude", "next"])
def test_where_every_day_has_a_print_no_rule_says_anything(priced: Priced, rule: str) -> None:
    assert priced("forward", "2027-03", 2.5, missing_day=rule).value == priced("forward", "2027-03", 2.5).value


@pytest.mark.parametrize("rule", ["carry-forward", "exclude", "next"])
@pytest.mark.parametrize("seed", range(5))
def test_equal_prints_give_their_level_under_every_rule(priced: Priced, holed: Callable[..., Market], rule: str, seed: int) -> None:
    gone = np.random.default_rng(seed).choice(np.arange(2, 16), size=6, replace=False).tolist()
    on = holed(*gone)
    level = dict.fromkeys(on.fixings[US], 2.4)
    flatted = replace(
        on, fixings={US: level}, curves={**on.curves, US: replace(on.curves[US], forward=np.full_like(on.curves[US].forward, 2.4))}
    )
    assert mean(priced("forward", "2027-03", 2.5, quantity=1.0, on=flatted, missing_day=rule)) == pytest.approx(2.4, abs=1e-12)


def test_options_take_the_rule_into_their_strike(priced: Priced, holed: Callable[..., Market]) -> None:
    for option, sign in (("call", 1.0), ("put", -1.0)):
        over = priced(
            "average", "2027-02", 2.5, quantity=1.0, option=option, pay_date=date(2027, 3, 20), missing_day="exclude", on=holed(3)
        )
        assert over.value == pytest.approx(max(sign * 0.1, 0.0) * 672, abs=1e-9)
    call, put = (
        priced("average", "2027-03", 2.4, quantity=1.0, option=option, missing_day="exclude", on=holed(3)).value
        for option in ("call", "put")
    )
    assert call - put == pytest.approx(priced("forward", "2027-03", 2.4, quantity=1.0, missing_day="exclude", on=holed(3)).value, abs=1e-9)


def test_what_a_rule_cannot_fill_is_named(priced: Priced, holed: Callable[..., Market], market: Market) -> None:
    with pytest.raises(NotPublishedError, match="no fixing for 2027-03-03"):
        priced("forward", "2027-03", 2.5, on=holed(3), missing_day="refuse")
    march = {day: value for day, value in market.fixings[US].items() if day > date(2027, 3, 1)}
    with pytest.raises(NotPublishedError, match="no fixing for 2027-03-01"):
        priced("forward", "2027-03", 2.5, on=replace(market, fixings={US: march}), missing_day="carry-forward")
    early = {day: value for day, value in market.fixings[US].items() if day < date(2027, 2, 27)}
    late = {"pay_date": date(2027, 3, 20), "on": replace(market, fixings={US: early})}
    with pytest.raises(NotPublishedError, match="no fixing for 2027-02-27, 2027-02-28"):
        priced("forward", "2027-02", 2.5, missing_day="next", **late)
    with pytest.raises(NotPublishedError, match="no fixing for 2027-02-01, 2027-02-02"):
        priced("forward", "2027-02", 2.5, missing_day="exclude", pay_date=date(2027, 3, 20), on=replace(market, fixings={}))


def test_a_listed_future_settles_on_its_own_days(priced: Priced, market: Market) -> None:
    weekdays = [date(2027, 3, 1) + timedelta(n) for n in range(31) if (date(2027, 3, 1) + timedelta(n)).weekday() < 5]
    known = [fixing(day.day) for day in weekdays if day.day < 16]
    ahead = [market.curves[US].average(day, day + timedelta(1)) for day in weekdays if day.day >= 16]
    row = {"quantity_unit": "lots", "contract": "GPU1H27", "missing_day": "refuse"}
    found = priced("future", "2027-03", 2.3, quantity=2.0, **row)
    assert found.value == pytest.approx(2 * 730 * (np.mean(known + ahead) - 2.3), abs=1e-8)  # no holiday in March 2027


def test_a_month_that_is_over_settles_at_the_places_of_its_contract(trade: Callable[..., dict[str, object]], market: Market) -> None:
    mine = read_products(PACKAGED).filter(pl.col("product") == "HPR").with_columns(decimals=pl.lit(2))
    february = {day: 2.6 + 0.001 * day.day for day in market.fixings[US] if day.month == 2}
    on = replace(market, fixings={US: {**market.fixings[US], **february}})
    over = trade("T", "future", "buy", 1.0, US, "2027-02", 2.5, quantity_unit="lots", contract="HPRG27", missing_day="refuse")
    ahead = over | trade("T", "future", "buy", 1.0, US, "2027-04", 2.5, quantity_unit="lots", contract="HPRJ27", missing_day="refuse")

    def worth(row: dict[str, object], products: pl.DataFrame | None) -> float:
        table = pl.DataFrame([row], infer_schema_length=None)
        return valued(read_trades(table, timezone="America/New_York", products=products), on).value

    assert worth(over, None) == pytest.approx(0.1145 * 672, abs=1e-9)  # 2.6 and a thousandth of the mean of 1 to 28
    assert worth(over, mine) == pytest.approx(0.11 * 672, abs=1e-9)
    assert worth(ahead, mine) == worth(ahead, None)


def test_a_holiday_has_no_print_and_is_no_missing_day(priced: Priced, market: Market) -> None:
    every = [date(2027, 5, 1) + timedelta(n) for n in range(31)]
    days = [day for day in every if day.weekday() < 5 and day != date(2027, 5, 31)]  # Memorial Day
    mean = np.mean([market.curves[US].average(day, day + timedelta(1)) for day in days])
    row = {"quantity_unit": "lots", "contract": "GPU1K27", "missing_day": "refuse"}
    assert priced("future", "2027-05", 2.3, quantity=1.0, **row).value == pytest.approx(730 * (mean - 2.3), abs=1e-8)
    assert len(days) == 20

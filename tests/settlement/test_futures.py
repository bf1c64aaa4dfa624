"""Listed futures: their settlement price by pencil, and the same as a book makes it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.forward import fit_curve
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.specifications.fallbacks import settlement_fixings
from tenorgrid.data.terms.specifications.products import PACKAGED, read_products
from tenorgrid.data.terms.tickets.linear import Future
from tenorgrid.derivatives.book.kinds.linear import price as of_book
from tenorgrid.derivatives.book.market import Market
from tenorgrid.settlement.futures import future_cash, settlement_price

ZONE, X = "America/New_York", "X"
FEBRUARY = [date(2027, 2, day) for day in range(1, 29)]
WEEKDAYS = [day for day in FEBRUARY if day.weekday() < 5]


def fixings(values: dict[date, float]) -> pl.DataFrame:
    told = datetime(2027, 3, 2, tzinfo=UTC)
    return pl.DataFrame({"index": X, "date": list(values), "value": list(values.values()), "published_at": told, "source": "house"})


def price(contract: str, values: dict[date, float], **more: object) -> Fraction:
    return settlement_price(contract, fixings(values), index=X, timezone=ZONE, **more)  # type: ignore[arg-type]


LEVELS = {day: round(2.5 + 0.01 * day.day, 2) for day in FEBRUARY}

TODAY = datetime(2027, 3, 3, 5, tzinfo=UTC)
MARCH = fit_curve(
    pl.DataFrame(
        {"as_of": [TODAY], "quote_id": ["rest"], "index": X, "contract": "rest", "start": [TODAY],
         "end": [datetime(2027, 4, 1, 4, tzinfo=UTC)], "profile": "base", "price": [2.5], "average": "calendar-day", "timezone": ZONE,
         "source": "broker"}
    ), index=X, as_of=TODAY,
)  # fmt: skip


def test_means_are_exact_over_the_days_of_the_contract() -> None:
    assert price("X:2027-02", LEVELS) == Fraction("2.645")  # 2.5 and a hundredth of the mean of 1 to 28
    assert price("GPU1G27", LEVELS, days=WEEKDAYS, missing_day="refuse") == Fraction("2.5") + Fraction(sum(d.day for d in WEEKDAYS), 2000)
    mine = read_products(PACKAGED).filter(pl.col("product") == "HPR").with_columns(decimals=pl.lit(2))
    assert price("HPRG27", LEVELS, missing_day="refuse", products=mine) == Fraction("2.64")  # half-even


@pytest.mark.parametrize(("rule", "wanted"), [("carry-forward", Fraction("2.60")), ("next", Fraction("2.62")), ("exclude", None)])
def test_a_missing_day_counts_by_its_rule(rule: str, wanted: Fraction | None) -> None:
    holed = {day: value for day, value in LEVELS.items() if day.day != 11}
    total = Fraction("2.645") * 28 - Fraction("2.61")
    assert price("HPRG27", holed, missing_day=rule) == (total / 27 if wanted is None else (total + wanted) / 28)


@pytest.mark.parametrize("rule", ["carry-forward", "next", "exclude"])
@pytest.mark.parametrize("seed", range(5))
def test_a_book_of_the_settled_month_is_worth_the_cash(rule: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    every = [date(2027, 1, 31), *FEBRUARY, date(2027, 3, 1)]
    values = {day: round(float(rng.uniform(1, 4)), 4) for day in every}
    gone = [FEBRUARY[place] for place in rng.choice(28, size=6, replace=False)]
    holed = {day: value for day, value in values.items() if day not in gone}
    on = Market(as_of=TODAY, timezone=ZONE, curves={X: MARCH}, fixings={X: holed}, volatility={})
    for code, days in (("HPRG27", None), ("X:2027-02", None)):
        ticket = Future(index=X, contract=code, strike=2.4, lots=-7, missing_day=rule)
        book = read_trades(ticket.frame, timezone=ZONE)
        worth = float(of_book(next(iter(book.values())), on).value[0])
        paid = future_cash(price(code, holed, missing_day=rule, days=days), lots=-7, lot=672.0, strike=2.4)
        assert float(paid) == pytest.approx(worth, abs=0.005 + 1e-9)


def test_a_tie_settles_in_a_book_as_it_pays() -> None:
    mine = read_products(PACKAGED).filter(pl.col("product") == "HPR").with_columns(decimals=pl.lit(2))
    ticket = Future(index=X, contract="HPRG27", strike=2.4, lots=1, missing_day="refuse", products=mine)
    on = Market(as_of=TODAY, timezone=ZONE, curves={X: MARCH}, fixings={X: LEVELS}, volatility={})
    worth = of_book(next(iter(read_trades(ticket.frame, timezone=ZONE, products=mine).values())), on).value[0]
    paid = future_cash(price("HPRG27", LEVELS, missing_day="refuse", products=mine), lots=1, lot=672.0, strike=2.4)
    assert float(paid) == pytest.approx(worth, abs=1e-9)


def test_prints_that_were_held_or_replaced_settle_alike() -> None:
    ends = pl.DataFrame({"index": X, "kind": "cessation", "first": date(2027, 2, 15), "substitute": "Y", "ratio": 2.0})
    both = pl.concat([fixings(LEVELS), fixings(dict.fromkeys(FEBRUARY, 1.25)).with_columns(pl.lit("Y").alias("index"))])
    settled, changes = settlement_fixings(both, ends, end=date(2027, 3, 1))
    wanted = (sum(Fraction(250 + day, 100) for day in range(1, 15)) + 14 * Fraction("2.5")) / 28
    assert settlement_price("X:2027-02", settled, index=X, timezone=ZONE) == wanted
    assert changes.height == 14


def test_lots_pay_from_strike_to_settlement_to_the_cent_once() -> None:
    assert future_cash(Fraction("2.6367"), lots=2, lot=730.0, strike=2.55) == Decimal("126.58")  # 126.582
    assert future_cash(Fraction("2.6367"), lots=-2, lot=730.0, strike=2.55) == Decimal("-126.58")
    assert future_cash(Fraction("2.56"), lots=1, lot=730.0, strike=2.55) == Decimal("7.30")  # a tick of GPU1


def test_what_cannot_settle_is_refused() -> None:
    with pytest.raises(InputError, match="business days of USSETTLE"):
        price("GPU1G27", LEVELS, missing_day="refuse")
    with pytest.raises(InputError, match="name none"):
        price("HPRG27", LEVELS)
    with pytest.raises(InputError, match="days from 2027-02-01 to 2027-03-01"):
        price("GPU1G27", LEVELS, missing_day="refuse", days=[*WEEKDAYS, date(2027, 3, 1)])
    short = {day: value for day, value in LEVELS.items() if day.day < 27}
    for rule in ("refuse", "next"):
        with pytest.raises(NotPublishedError, match="2027-02-27, 2027-02-28"):
            price("HPRG27", short, missing_day=rule)
    with pytest.raises(NotPublishedError):
        price("HPRG27", {}, missing_day="exclude")
    twice = pl.concat([fixings(LEVELS), fixings(LEVELS)])
    with pytest.raises(InputError, match="one fixing of X a day"):
        settlement_price("X:2027-02", twice, index=X, timezone=ZONE)
    mine = read_products(PACKAGED).filter(pl.col("product") == "HPR")
    ruled = mine.with_columns(pl.lit("exclude").cast(mine["missing_day"].dtype).alias("missing_day"))
    with pytest.raises(InputError, match="exclude, as HPRG27 says"):
        price("HPRG27", LEVELS, missing_day="next", products=ruled)


def test_days_without_gaps_settle_alike_under_every_rule() -> None:
    assert len({price("HPRG27", LEVELS, missing_day=rule) for rule in ("refuse", "carry-forward", "next", "exclude")}) == 1
    assert price("X:2027-02", {day: round(value + 0.1, 2) for day, value in LEVELS.items()}) == price("X:2027-02", LEVELS) + Fraction(1, 10)

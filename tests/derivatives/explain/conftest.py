"""A month of markets day by day, 16 March to 16 April 2027, and a book that lives through it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.shape import Shape, shape_of_history
from tenorgrid.data.periods import midnight
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue, valued

ZONE = "America/New_York"
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
FIRST, LAST = date(2027, 3, 16), date(2027, 4, 16)
SEED = 20_270_316
MONTHS = (3, 4, 5, 6, 7)
LEVELS = {US: 2.4, EAST: 2.55}
VOLATILITIES = {US: 0.8, EAST: 0.7}
RHO = 0.8

Row = dict[str, object]


def _shape() -> Shape:
    """Dearer by day and on weekdays."""
    hours = pl.datetime_range(
        datetime(2027, 2, 1, 5, tzinfo=UTC), datetime(2027, 3, 15, 4, tzinfo=UTC), "1h", closed="left", time_unit="us", eager=True
    )
    local = hours.dt.convert_time_zone(ZONE)
    price = 2.4 * (1 + 0.08 * ((local.dt.hour() - 4) / 24 * 2 * np.pi).sin() - 0.05 * (local.dt.weekday() > 5).cast(pl.Float64))
    return shape_of_history(pl.DataFrame({"start": hours, "price": price}), timezone=ZONE)


def _curve(index: str, day: date, prices: dict[int, float], shape: Shape) -> ForwardCurve:
    as_of = midnight(day, timezone=ZONE)
    rows = []
    for month, price in prices.items():
        start, end = contract_dates(f"{index}:2027-{month:02d}", timezone=ZONE)
        if end > as_of:
            name = f"{index}:2027-{month:02d}" if start >= as_of else f"{index} rest of {month}"
            rows.append((name, max(start, as_of), end, price))
    quotes = pl.DataFrame(rows, schema=["quote_id", "start", "end", "price"], orient="row").with_columns(
        as_of=pl.lit(as_of), index=pl.lit(index), contract=pl.col("quote_id"), profile=pl.lit("base"), average=pl.lit("calendar-day"),
        timezone=pl.lit(ZONE), source=pl.lit("broker"),
    )  # fmt: skip
    return fit_curve(quotes, index=index, as_of=as_of, shape=shape)


def markets(*, first: date = FIRST, last: date = LAST, seed: int = SEED) -> list[Market]:
    """Prices at 75 % a year that all months share and 25 % of each month's own, marks 3 % off, volatilities, correlation and rate too."""
    rng = np.random.default_rng(seed)
    shape = _shape()
    names = (US, EAST)
    fixings = {index: {date(2027, 3, day): LEVELS[index] * (1 + 0.03 * rng.standard_normal()) for day in range(1, 16)} for index in names}
    price = {index: {month: LEVELS[index] * (1 + 0.01 * (month - 3)) for month in MONTHS} for index in names}
    volatility, rho, rate = dict(VOLATILITIES), RHO, 0.04
    mix = np.linalg.cholesky(np.array([[1.0, RHO], [RHO, 1.0]]))
    found = []
    for back in range((last - first).days + 1):
        day = first + timedelta(days=back)
        curves = {index: _curve(index, day, price[index], shape) for index in names}
        found.append(
            Market(
                as_of=midnight(day, timezone=ZONE), timezone=ZONE, curves=curves, fixings={index: dict(fixings[index]) for index in names},
                volatility=dict(volatility), correlation={frozenset(names): rho}, discount=flat(rate),
            )
        )  # fmt: skip
        shock = mix @ rng.standard_normal(2)
        for place, index in enumerate(names):
            expected = float(curves[index].forward[:23].mean())
            fixings[index][day] = expected * float(np.exp(0.03 * rng.standard_normal()))
            own = rng.standard_normal(len(MONTHS))
            for month, noise in zip(MONTHS, own, strict=True):
                price[index][month] *= float(np.exp((0.75 * shock[place] + 0.25 * noise) / np.sqrt(365)))
            volatility[index] *= float(np.exp(0.015 * rng.standard_normal()))
        rho = float(np.clip(rho + 0.005 * rng.standard_normal(), -0.99, 0.99))
        rate += 0.0003 * float(rng.standard_normal())
    return found


def book_rows(trade: Callable[..., Row]) -> list[Row]:
    """Seventeen trades of every kind whose payments are worked out, two of them agreed inside the month."""
    april, day = contract_dates(f"{US}:2027-04", timezone=ZONE), timedelta(days=1)
    spring = (contract_dates(f"{US}:2027-03", timezone=ZONE)[0], contract_dates(f"{US}:2027-06", timezone=ZONE)[1])
    node = "us-east/h100-sxm/firm"
    begin = midnight(date(2027, 4, 5), timezone=ZONE)
    late = {"traded_at": midnight(date(2027, 3, 24), timezone=ZONE) + timedelta(hours=15)}
    return [
        trade("swap", "swap", "buy", 200.0, US, spring, 2.35),
        trade("short", "swap", "sell", 150.0, EAST, "2027-04", 2.6),
        trade("forward", "forward", "buy", 60.0, US, "2027-05", 2.4),
        trade("march", "forward", "sell", 40.0, US, "2027-03", 2.4),
        trade("future", "future", "sell", 40.0, US, "2027-06", 2.5, quantity_unit="lots", params='{"lot": 730}'),
        trade("spread", "spread", "buy", 50.0, EAST, "2027-05", 0.1, index2=US, contract=None, start=spring[0], end=spring[1]),
        trade("peak", "forward", "buy", 30.0, US, "2027-04", 2.5, profile="peak", params='{"average": "hourly"}'),
        trade("running", "average", "buy", 150.0, US, "2027-03", 2.4, option="call"),
        trade("next", "average", "sell", 100.0, US, "2027-04", 2.5, option="call"),
        trade("put", "average", "buy", 120.0, EAST, "2027-05", 2.5, option="put"),
        trade("option", "option", "buy", 80.0, US, "2027-05", 2.5, option="call", expiry=april[1] - day),
        trade("expires", "option", "sell", 60.0, EAST, "2027-04", 2.6, option="put", expiry=april[0]),
        trade("between", "spread-option", "buy", 90.0, EAST, "2027-06", 0.1, option="call", index2=US, expiry=april[1], contract=None),
        trade("cap", "cap", "buy", 60.0, US, spring, 2.9, premium=9_000.0, pay_date=date(2027, 3, 22)),
        trade("collar", "collar", "sell", 40.0, EAST, "2027-04", 3.0, params='{"floor": 2.2}'),
        trade("bid", "virtual", "buy", 20.0, node, (begin, begin + timedelta(hours=10)), 2.5, params='{"horizon": "day-ahead"}'),
        trade("new", "swap", "buy", 70.0, US, "2027-05", 2.42, **late),
        trade("fresh", "floor", "buy", 50.0, US, "2027-06", 2.2, premium=30_000.0, pay_date=date(2027, 3, 26), **late),
    ]


def alive(rows: list[Row], market: Market) -> list[Row]:
    """Trades of the book at a moment: agreed by then, and not over."""
    gone = {"swap": "end", "cap": "end", "floor": "end", "collar": "end", "capacity": "end", "virtual": "start"}

    def there(row: Row) -> bool:
        kind = str(row["kind"])
        last = row[gone.get(kind, "end")] if row.get("expiry") is None else row["expiry"]
        over = last <= market.as_of if kind in {"cap", "floor", "collar", "capacity"} else last < market.as_of  # type: ignore[operator]
        return row["traded_at"] <= market.as_of and not over  # type: ignore[operator]

    return [row for row in rows if there(row)]


def value_on(rows: list[Row], market: Market) -> BookValue:
    """Rows valued on a market."""
    return valued(read_trades(pl.DataFrame(rows, infer_schema_length=None), timezone=ZONE), market)


@pytest.fixture(scope="session")
def month() -> list[Market]:
    """Thirty-two midnights."""
    return markets()


Valued = Callable[..., BookValue]


@pytest.fixture(scope="session")
def rows(trade: Callable[..., Row]) -> list[Row]:
    """The book."""
    return book_rows(trade)


@pytest.fixture(scope="session")
def on(month: list[Market], rows: list[Row]) -> Valued:
    """on(day, *names, market=): those trades of the book that are there at the midnight of a day, valued; all without names."""

    def make(day: date, *names: str, market: Market | None = None) -> BookValue:
        state = market or month[(day - FIRST).days]
        chosen = [row for row in rows if not names or row["trade_id"] in names]
        return value_on(alive(chosen, state), state)

    return make

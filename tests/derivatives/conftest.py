"""Curves to value on: 200 days from 16 March 2027, New York."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import polars as pl
import pytest

from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.data.periods import midnight
from tenorgrid.data.terms.contracts import contract_dates

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"


def _curve(index: str, shift: float) -> ForwardCurve:
    rows = [("march", midnight(date(2027, 3, 16), timezone=ZONE), midnight(date(2027, 4, 1), timezone=ZONE), 2.4 + shift)]
    rows += [
        (f"M{m}", *contract_dates(f"{index}:2027-{m:02d}", timezone=ZONE), price + shift) for m, price in ((4, 2.5), (5, 2.45), (6, 2.6))
    ]
    quotes = pl.DataFrame(rows, schema=["quote_id", "start", "end", "price"], orient="row").with_columns(
        as_of=pl.lit(AS_OF),
        index=pl.lit(index),
        contract=pl.col("quote_id"),
        profile=pl.lit("base"),
        average=pl.lit("calendar-day"),
        timezone=pl.lit(ZONE),
        source=pl.lit("broker"),
    )
    return fit_curve(quotes, index=index, as_of=AS_OF)


@pytest.fixture(scope="session")
def curve() -> ForwardCurve:
    """The US index."""
    return _curve("H100-SXM.US.FIRM", 0.0)


@pytest.fixture(scope="session")
def node() -> ForwardCurve:
    """One of its nodes."""
    return _curve("H100-SXM.US-EAST.FIRM", 0.1)


@pytest.fixture(scope="session")
def fixings() -> pl.DataFrame:
    """Marks of 1 to 15 March, each published that evening, and one of the 16th that nobody may know yet."""
    days = [date(2027, 3, n) for n in range(1, 17)]
    return pl.DataFrame(
        {
            "index": "H100-SXM.US.FIRM",
            "date": days,
            "value": [2.3 + 0.01 * day.day for day in days],
            "published_at": [datetime(day.year, day.month, day.day + 1, 1, tzinfo=UTC) for day in days],
            "source": "house revision 0",
        }
    )


@pytest.fixture(scope="session")
def volatility() -> pl.DataFrame:
    """80 % a year."""
    return pl.DataFrame(
        {
            "index": ["H100-SXM.US.FIRM"],
            "model": ["realised"],
            "start": [datetime(2027, 1, 1, 5, tzinfo=UTC)],
            "end": [AS_OF],
            "observations": [73],
            "volatility": [0.8],
            "lower": [0.7],
            "upper": [0.95],
            "level": [0.95],
        }
    )


Row = dict[str, object]


@pytest.fixture(scope="session")
def trade() -> Callable[..., Row]:
    """One row of trades: trade(name, kind, side, quantity, index, contract or (start, end), strike, **more)."""

    def make(
        name: str,
        kind: str,
        side: str,
        quantity: float,
        index: str,
        span: str | tuple[datetime, datetime],
        strike: float | None,
        **more: object,
    ) -> Row:
        start, end = contract_dates(f"{index}:{span}", timezone=ZONE) if isinstance(span, str) else span
        row: Row = {
            "trade_id": name,
            "traded_at": datetime(2027, 2, 20, tzinfo=UTC),
            "book": "desk",
            "counterparty": "acme",
            "kind": kind,
            "side": side,
            "quantity": quantity,
            "quantity_unit": "per_hour",
            "index": index,
            "contract": f"{index}:{span}" if isinstance(span, str) else None,
            "start": start,
            "end": end,
            "strike": strike,
            "params": None,
        }
        return {**row, **more}

    return make

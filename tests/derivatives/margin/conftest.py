"""A book of every sort on two indices, and two hundred days of their marks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.derivatives.book.market import Market

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
APRIL = datetime(2027, 4, 1, 4, tzinfo=UTC)


@pytest.fixture(scope="session")
def history() -> pl.DataFrame:
    """Marks of 299 days that end on 15 March: 3 % a day, correlated by .6, calm first and wild later."""
    rng = np.random.default_rng(11)
    normal = rng.standard_normal((299, 2))
    normal[:, 1] = 0.6 * normal[:, 0] + 0.8 * normal[:, 1]
    wild = np.where(np.arange(299) < 150, 0.02, 0.04)[:, None]
    values = 2.4 * np.exp(np.cumsum(wild * normal, axis=0))
    days = [date(2027, 3, 15) - timedelta(days=298 - n) for n in range(299)]
    published = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC) for day in days]
    return pl.concat(
        pl.DataFrame(
            {"index": [index] * 299, "date": days, "value": values[:, place], "published_at": published, "source": ["drawn"] * 299},
            schema_overrides={"published_at": pl.Datetime("us", "UTC")},
        )
        for place, index in enumerate((US, EAST))
    )


@pytest.fixture(scope="session")
def market(curve: ForwardCurve, node: ForwardCurve, history: pl.DataFrame) -> Market:
    """Curves of 16 March with the last marks as fixings, 80 and 70 % a year, correlated by .6, 4 %."""
    known: dict[str, dict[date, float]] = {}
    for index, day, fixing in history.select("index", "date", "value").iter_rows():
        known.setdefault(index, {})[day] = fixing
    return Market(
        as_of=AS_OF, timezone=ZONE, curves={US: curve, EAST: node}, fixings=known, volatility={US: 0.8, EAST: 0.7},
        correlation={frozenset((US, EAST)): 0.6}, discount=flat(0.04),
    )  # fmt: skip


Book = Callable[..., Agreed]


@pytest.fixture(scope="session")
def book(trade: Callable[..., dict[str, object]]) -> Book:
    """book(("swap", 100.0), ("option", -50.0), ...): trades of some kinds, sold where the quantity is negative."""
    terms: dict[str, tuple[object, float, dict[str, object]]] = {
        "swap": ("2027-Q2", 2.45, {}),
        "forward": ("2027-04", 2.4, {"index": EAST}),
        "average": ("2027-04", 2.5, {"option": "call"}),
        "option": ("2027-05", 2.5, {"option": "put", "expiry": APRIL}),
    }

    def make(*asked: tuple[str, float]) -> Agreed:
        rows = []
        for number, (kind, quantity) in enumerate(asked):
            span, strike, more = terms[kind]
            index = str(more.get("index", US))
            rest = {name: value for name, value in more.items() if name != "index"}
            rows.append(trade(f"T{number}", kind, "buy" if quantity > 0 else "sell", abs(quantity), index, span, strike, **rest))
        return read_trades(pl.DataFrame(rows, infer_schema_length=None), timezone=ZONE)

    return make

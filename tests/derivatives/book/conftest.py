"""One trade priced alone: value and risks on the curves of 16 March 2027."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue, valued

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


@pytest.fixture(scope="session")
def market(curve: ForwardCurve, node: ForwardCurve) -> Market:
    """Two indices, marks of 1 to 15 March, 80 and 70 % a year, correlated by .6, 4 %."""
    known = {AS_OF.date() - timedelta(days=back): 2.3 + 0.01 * (16 - back) for back in range(1, 16)}
    february = {date(2027, 2, day): 2.6 for day in range(1, 29)}
    return Market(
        as_of=AS_OF, timezone=ZONE, curves={US: curve, EAST: node}, fixings={US: known | february, EAST: known},
        volatility={US: 0.8, EAST: 0.7}, correlation={frozenset((US, EAST)): 0.6}, discount=flat(0.04),
    )  # fmt: skip


Priced = Callable[..., BookValue]


@pytest.fixture(scope="session")
def priced(trade: Callable[..., dict[str, object]], market: Market) -> Priced:
    """priced(kind, contract or span, strike, side=, quantity=, index=, market=, **columns): the book of that one trade."""

    def make(
        kind: str,
        span: object,
        strike: float,
        *,
        side: str = "buy",
        quantity: float = 100.0,
        index: str = US,
        on: Market = market,
        **more: object,
    ) -> BookValue:
        row = trade("T", kind, side, quantity, index, span, strike, **more)
        return valued(read_trades(pl.DataFrame([row], infer_schema_length=None), timezone=ZONE), on)

    return make

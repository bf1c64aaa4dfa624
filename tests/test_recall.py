"""tg.fair_strip and tg.implied_strip on curves of tg.fit_curve."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.curve_result import Curve
from tenorgrid.data.periods import midnight

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"
PROMISE = tg.Promise(interruption=0.1, overcommit=0.95)


def fitted(name: str, april: float, may: float) -> Curve:
    edges = [midnight(date(2027, month, day), timezone=ZONE) for month, day in ((3, 16), (4, 1), (5, 1), (6, 1))]
    rows = [(f"M{at}", *edges[at : at + 2], price) for at, price in enumerate((april, april, may))]
    quotes = pl.DataFrame(rows, schema=["quote_id", "start", "end", "price"], orient="row").with_columns(
        as_of=pl.lit(AS_OF), index=pl.lit(name), contract=pl.col("quote_id"), profile=pl.lit("base"), average=pl.lit("hourly"),
        timezone=pl.lit(ZONE), source=pl.lit("broker"),
    )  # fmt: skip
    return tg.fit_curve(quotes, index=name, as_of=AS_OF)


def test_a_fair_spot_curve_implies_the_volatility_that_it_was_made_with() -> None:
    start, end = date(2027, 4, 1), date(2027, 6, 1)
    firm = fitted("H100-SXM.US.FIRM", 2.5, 2.6)
    fair = tg.fair_strip(firm, PROMISE, start=start, end=end, volatility=0.9, reversion=4.0, by="month")
    spot = fitted("H100-SXM.US.SPOT", *fair["spot"])
    found = tg.implied_strip(firm, spot, PROMISE, start=start, end=end, reversion=4.0)
    assert found["volatility"].to_list() == pytest.approx([0.9, 0.9], rel=1e-6)
    assert found["recalled"].to_list() == pytest.approx([720 * 0.145, 744 * 0.145])


def test_spot_above_what_presence_alone_explains_is_refused_by_month() -> None:
    """a = .855 and β = .95: firm must be above spot / .9."""
    firm, spot = fitted("H100-SXM.US.FIRM", 2.5, 2.6), fitted("H100-SXM.US.SPOT", 2.2, 2.4)
    with pytest.raises(tg.InputError, match=r"found 2\.4 beside a firm 2\.6 from 2027-05-01") as caught:
        tg.implied_strip(firm, spot, PROMISE, start=date(2027, 4, 1), end=date(2027, 6, 1))
    assert len(caught.value.faults) == 1

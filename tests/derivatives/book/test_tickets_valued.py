"""A book of tickets is worth what its rows are worth."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.curves.forward import ForwardCurve

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
US = "H100-SXM.US.FIRM"


def test_a_book_of_tickets_is_worth_the_sum_of_its_tickets(curve: ForwardCurve, fixings: pl.DataFrame, volatility: pl.DataFrame) -> None:
    market: dict[str, Any] = {"curve": {US: curve}, "fixings": fixings, "volatility": volatility, "discount": tg.flat(0.04)}
    tickets = [
        tg.Forward(index=US, contract="2027-04", strike=2.4, quantity=100.0),
        tg.Future(index=US, contract="HPRK27", strike=2.4, lots=-3, missing_day="refuse"),
        tg.AsianCall(index=US, contract="2027-05", strike=2.60, lots=-5),
        tg.AsianPut(index=US, contract="2027-05", strike=2.60, lots=-5, side="buy"),
    ]
    found = tg.value(tg.Book(tickets[:2]) + tickets[2] + tickets[3], **market)
    assert found.value == pytest.approx(sum(tg.value(one, **market).value for one in tickets), rel=1e-12)
    future, call, put = found.values["value"].to_list()[1:]
    assert future == pytest.approx(-3 * 744 * (2.45 - 2.4), abs=1e-7)
    forward = tg.value(tg.Forward(index=US, contract="2027-05", strike=2.60, lots=-5), **market).value
    assert call - put == pytest.approx(forward, abs=1e-7)  # parity


def test_an_empty_book_is_refused(curve: ForwardCurve, fixings: pl.DataFrame, volatility: pl.DataFrame) -> None:
    with pytest.raises(tg.InputError, match="at least one row"):
        tg.value(tg.Book(), curve={US: curve}, fixings=fixings, volatility=volatility)

"""Which trades stand at a moment: the last moment of each kind, and the first of all."""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest

from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.explain import standing

Row = dict[str, object]
ZONE = "America/New_York"


def names(rows: list[Row], market: Market, *, late: timedelta = timedelta(0)) -> set[str]:
    found = standing(pl.DataFrame(rows, infer_schema_length=None), as_of=market.as_of + late, timezone=ZONE)
    return set(found["trade_id"])


@pytest.mark.parametrize(
    ("name", "last", "itself"),
    [
        ("march", date(2027, 4, 1), True),  # paid then
        ("running", date(2027, 4, 1), True),
        ("expires", date(2027, 4, 1), True),  # decided then
        ("bid", date(2027, 4, 5), True),  # its first hour begins after it
    ],
)
def test_each_kind_ends_at_its_last_moment(rows: list[Row], month: list[Market], name: str, last: date, itself: bool) -> None:
    market = month[(last - date(2027, 3, 16)).days]
    assert (name in names(rows, market)) == itself
    assert name not in names(rows, market, late=timedelta(days=1))


def test_strips_end_with_their_hours(rows: list[Row], month: list[Market]) -> None:
    short = [{**row, "end": month[3].as_of, "expiry": None} for row in rows if row["trade_id"] == "cap"]
    assert names(short, month[2]) == {"cap"}
    assert names(short, month[3]) == set()


def test_trades_begin_when_they_are_agreed(rows: list[Row], month: list[Market]) -> None:
    assert {"new", "fresh"} <= names(rows, month[9]) - names(rows, month[8])


def test_whatever_stands_can_be_valued(rows: list[Row], month: list[Market], on: Callable[..., object]) -> None:
    from tenorgrid.data.terms.agreed.read import read_trades
    from tenorgrid.derivatives.book.valuation import valued

    for market in (month[0], month[16], month[31]):
        found = standing(pl.DataFrame(rows, infer_schema_length=None), as_of=market.as_of, timezone=ZONE)
        assert valued(read_trades(found, timezone=ZONE), market).values.height == found.height

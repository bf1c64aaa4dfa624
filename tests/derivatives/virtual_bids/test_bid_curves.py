"""Bids as tables and back, and each hour's premium beside them."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.virtual_bids.bid_curves import hours_of, steps_of, table_of
from tenorgrid.derivatives.virtual_bids.program import DEC, INC, Limits, Steps, Taste, best_bids
from tenorgrid.derivatives.virtual_bids.scenarios import Scenarios

ZONE, SERIES, DAY = "America/New_York", ("A", "B"), date(2027, 1, 20)
BIDS = Steps(
    product=np.array([0, 0, 30]), side=np.array([DEC, DEC, INC]), price=np.array([9.0, 11.0, 20.0]), quantity=np.array([1.0, 2.0, 3.0])
)


def scenarios(count: int = 30) -> Scenarios:
    rng = np.random.default_rng(8)
    ahead = 15.0 + rng.standard_normal((count, 48))
    return Scenarios(ahead=ahead, real=ahead - 0.5 + rng.standard_normal((count, 48)), weight=np.full(count, 1 / count))


def test_steps_stand_at_the_instants_of_their_local_hours() -> None:
    table = table_of(BIDS, SERIES, DAY, timezone=ZONE)
    midnight = datetime(2027, 1, 20, 5, tzinfo=UTC)
    assert table.select("series", "start", "side", "price", "quantity").rows() == [
        ("A", midnight, "dec", 9.0, 1.0), ("A", midnight, "dec", 11.0, 2.0), ("B", midnight + timedelta(hours=6), "inc", 20.0, 3.0),
    ]  # fmt: skip


def test_an_hour_that_clocks_leave_out_has_no_bid_and_one_they_repeat_has_one() -> None:
    every = Steps(product=np.arange(24), side=np.full(24, DEC), price=np.full(24, 9.0), quantity=np.ones(24))
    spring, autumn = (table_of(every, SERIES, day, timezone=ZONE) for day in (date(2027, 3, 14), date(2027, 11, 7)))
    assert (spring.height, autumn.height) == (23, 24)
    assert datetime(2027, 11, 7, 5, tzinfo=UTC) in autumn["start"]
    assert datetime(2027, 11, 7, 6, tzinfo=UTC) not in autumn["start"]  # one o'clock for the second time


def test_a_table_read_back_is_the_same_bids() -> None:
    told = scenarios()
    made = best_bids(told, limits=Limits(), taste=Taste()).steps
    back = steps_of(table_of(made, SERIES, DAY, timezone=ZONE), SERIES, DAY, timezone=ZONE)
    assert back.quantity.sum() == pytest.approx(made.quantity.sum())
    assert back.earned(told.ahead, told.real, fee=0.1) == pytest.approx(made.earned(told.ahead, told.real, fee=0.1))


def test_hours_tell_the_premium_and_what_is_bid() -> None:
    told = scenarios()
    table = hours_of(BIDS, told, SERIES, DAY, timezone=ZONE)
    assert table.height == 48
    first, last = table.row(0, named=True), table.row(30, named=True)
    difference = told.ahead[:, 0] - told.real[:, 0]
    assert (first["premium"], first["deviation"]) == (pytest.approx(difference.mean()), pytest.approx(difference.std()))
    assert (first["dec"], first["inc"], last["inc"]) == (3.0, 0.0, 3.0)
    assert first["bought"] == pytest.approx((told.ahead[:, 0] <= 9.0).mean() + 2.0 * (told.ahead[:, 0] <= 11.0).mean())
    assert table["sold"].sum() == pytest.approx(3.0 * (told.ahead[:, 30] >= 20.0).mean())


def test_bids_of_another_series_day_or_without_a_quantity_are_refused() -> None:
    table = table_of(BIDS, SERIES, DAY, timezone=ZONE)
    with pytest.raises(InputError, match="one of A, C"):
        steps_of(table, ("A", "C"), DAY, timezone=ZONE)
    with pytest.raises(InputError, match="an hour of 2027-01-21"):
        steps_of(table, SERIES, date(2027, 1, 21), timezone=ZONE)
    with pytest.raises(InputError, match="quantity"):
        steps_of(table.with_columns(pl.lit(0.0).alias("quantity")), SERIES, DAY, timezone=ZONE)

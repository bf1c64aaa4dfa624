"""Quotes as rows of hourly weights."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.weights import weights
from tenorgrid.data.errors import InputError

Make = Callable[..., pl.DataFrame]
NEW_YORK = "America/New_York"
MARCH, APRIL = datetime(2027, 3, 1, 5, tzinfo=UTC), datetime(2027, 4, 1, 4, tzinfo=UTC)


def test_an_hour_of_the_short_day_weighs_a_23rd_of_a_day_in_a_calendar_day_average(quote: Make) -> None:
    row = weights(quote("m", MARCH, APRIL, 2.0, average="calendar-day", timezone=NEW_YORK)).row(0)
    assert row.size == 743
    assert row[0] == pytest.approx(1 / 31 / 24, rel=1e-14)
    assert row[13 * 24] == pytest.approx(1 / 31 / 23, rel=1e-14)  # 14 March
    assert row.sum() == pytest.approx(1.0, abs=1e-14)


def test_every_row_averages_a_constant_to_itself_and_lies_inside_its_period(quote: Make) -> None:
    rows = [
        quote(f"{profile} {average}", MARCH, APRIL, 2.0, profile=profile, average=average, timezone=NEW_YORK)
        for profile in ("base", "peak", "off-peak", "weekend")
        for average in ("hourly", "calendar-day")
    ]
    wide = quote("wide", MARCH, datetime(2027, 6, 1, 4, tzinfo=UTC), 2.0, timezone=NEW_YORK)
    found = weights(pl.concat([*rows, wide]))
    assert found.average(np.full(len(found.starts), 2.5)) == pytest.approx(2.5, abs=1e-13)
    assert not any(found.row(i)[743:].any() for i in range(len(rows)))


def test_moments_and_cells_agree_with_the_rows_written_out(quote: Make) -> None:
    quotes = pl.concat(
        [
            quote("a", MARCH, APRIL, 2.0, average="calendar-day", timezone=NEW_YORK),
            quote("b", datetime(2027, 3, 10, 5, tzinfo=UTC), APRIL, 2.0, profile="peak", timezone=NEW_YORK),
            quote("c", datetime(2027, 3, 20, tzinfo=UTC), datetime(2027, 5, 2, tzinfo=UTC), 2.0, profile="weekend"),
        ]
    )
    found = weights(quotes)
    values = np.random.default_rng(5).normal(size=(len(found.starts), 2))
    rows = np.stack([found.row(i) for i in range(3)])
    assert found.moments(values).sum(axis=1) == pytest.approx(rows @ values, abs=1e-12)
    assert found.compressed() @ found.compressed().T == pytest.approx(rows @ rows.T, abs=1e-15)
    assert found.compressed().shape[1] < 20


def test_what_cannot_be_read_as_weights_is_refused_row_by_row(quote: Make) -> None:
    half = datetime(2027, 3, 1, 5, 30, tzinfo=UTC)
    with pytest.raises(InputError, match="row 1, column start: found 2027-03-01 05:30:00") as caught:
        weights(pl.concat([quote("a", half, APRIL, 2.0), quote("b", MARCH, APRIL, 2.0, average="business-day")]))
    assert [fault.column for fault in caught.value.faults] == ["start", "calendar"]
    with pytest.raises(InputError, match="midnight in America/New_York"):
        weights(quote("a", datetime(2027, 3, 1, tzinfo=UTC), APRIL, 2.0, average="calendar-day", timezone=NEW_YORK))
    with pytest.raises(InputError, match="found weekend, expected a profile with hours in a"):
        weights(quote("a", MARCH, datetime(2027, 3, 2, 5, tzinfo=UTC), 2.0, profile="weekend", timezone=NEW_YORK))


def test_business_days_are_those_of_the_calendar_in_the_contracts_own_zone(quote: Make) -> None:
    start, end = datetime(2027, 7, 1, 4, tzinfo=UTC), datetime(2027, 8, 1, 4, tzinfo=UTC)
    found = weights(quote("a", start, end, 2.0, average="business-day", timezone=NEW_YORK, calendar="USNY"))
    row = found.row(0)
    local = found.starts.dt.convert_time_zone(NEW_YORK).dt.date()
    by_day = pl.DataFrame({"day": local, "w": row}).group_by("day").agg(pl.col("w").sum()).filter(pl.col("w") > 0)
    closed = {5} | {day for day in range(1, 32) if date(2027, 7, day).weekday() > 4}  # Independence Day is kept on Monday 5
    assert sorted(day.day for day in by_day["day"]) == [day for day in range(1, 32) if day not in closed]
    assert by_day["w"].to_numpy() == pytest.approx(1 / 21, abs=1e-15)


def test_outages_and_discounts_change_what_an_hour_counts_for(quote: Make) -> None:
    quotes = pl.concat([quote("a", MARCH, APRIL, 2.0), quote("b", MARCH, APRIL, 2.0)])
    out = pl.DataFrame({"quote_id": ["b"], "start": [MARCH], "end": [MARCH + timedelta(hours=10)]})
    found = weights(quotes, outages=out, discounts=lambda starts: np.exp(-0.001 * np.arange(len(starts))))
    hours = np.arange(len(found.starts))
    paid = np.exp(-0.001 * hours)
    assert found.row(0) == pytest.approx(paid / paid.sum(), abs=1e-15)
    assert found.row(1) == pytest.approx(np.where(hours < 10, 0, paid) / paid[10:].sum(), abs=1e-15)
    with pytest.raises(InputError, match="one of the quotes"):
        weights(quotes, outages=out.with_columns(quote_id=pl.lit("c")))

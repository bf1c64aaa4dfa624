"""Hours and clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tenorgrid.curves.hours import clock, counted
from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import Period


def test_the_long_day_of_new_york_has_25_hours() -> None:
    starts = Period(start=datetime(2027, 11, 7, 4, tzinfo=UTC), end=datetime(2027, 11, 8, 5, tzinfo=UTC)).starts()
    local = clock(starts, "America/New_York")
    assert local.hour.size == 25
    assert np.unique(local.day).size == 1
    assert (local.hour == 1).sum() == 2


def test_the_clock_agrees_with_the_standard_library_through_both_changes_of_a_year() -> None:
    starts = Period(start=datetime(2027, 1, 1, tzinfo=UTC), end=datetime(2028, 1, 1, tzinfo=UTC)).starts()
    local = clock(starts, "Europe/Stockholm")
    moments = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(len(starts))]
    slow = [moment.astimezone(ZoneInfo("Europe/Stockholm")) for moment in moments]
    assert local.hour.tolist() == [moment.hour for moment in slow]
    assert local.weekday.tolist() == [moment.isoweekday() for moment in slow]
    assert local.day.tolist() == [(moment.date() - date(1970, 1, 1)).days for moment in slow]


def test_peak_and_off_peak_share_out_the_hours_and_no_weekend_hour_is_peak() -> None:
    starts = Period(start=datetime(2027, 3, 1, tzinfo=UTC), end=datetime(2027, 4, 1, tzinfo=UTC)).starts()
    local = clock(starts, "America/New_York")
    peak, off_peak, weekend = (counted(starts, profile, "America/New_York") for profile in ("peak", "off-peak", "weekend"))
    assert (peak ^ off_peak).all()
    assert not (peak & weekend).any()
    assert set(local.hour[peak]) == set(range(8, 20))


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(InputError, match="Atlantis"):
        clock(Period(start=datetime(2027, 1, 1, tzinfo=UTC), end=datetime(2027, 1, 2, tzinfo=UTC)).starts(), "Atlantis/Capital")

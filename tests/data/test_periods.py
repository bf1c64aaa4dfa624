"""Periods: days of 23, 24 and 25 hours, months, profiles and contract codes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import Profile
from tenorgrid.data.periods import Period, day, days, delivery, in_profile, local_day, midnight, month, month_code, months, quarter

NEW_YORK = "America/New_York"
ZONES = [NEW_YORK, "Europe/Stockholm", "Asia/Kolkata", "America/Santiago", "Australia/Lord_Howe", "UTC"]


@pytest.mark.parametrize(
    ("local", "timezone", "hours"),
    [
        (date(2027, 3, 13), NEW_YORK, 24),
        (date(2027, 3, 14), NEW_YORK, 23),
        (date(2027, 11, 7), NEW_YORK, 25),
        (date(2027, 3, 28), "Europe/Stockholm", 23),
        (date(2027, 10, 31), "Europe/Stockholm", 25),
        (date(2027, 9, 5), "America/Santiago", 23),  # its clocks go forward at midnight
        (date(2027, 3, 14), "UTC", 24),
    ],
)
def test_a_day_has_the_hours_that_the_calendar_gives_it(local: date, timezone: str, hours: int) -> None:
    period = day(local, timezone=timezone)
    assert (period.hours, len(period.starts())) == (hours, hours)
    assert period.starts().diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]


def test_the_delivery_of_the_packaged_market_is_ninety_days_less_one_hour() -> None:
    period = days(date(2027, 1, 1), date(2027, 4, 1), timezone=NEW_YORK)
    assert period == Period(start=datetime(2027, 1, 1, 5, tzinfo=UTC), end=datetime(2027, 4, 1, 4, tzinfo=UTC))
    assert period.hours == 90 * 24 - 1


def test_months_and_quarters_meet_and_add_up() -> None:
    year = [month(2027, number, timezone=NEW_YORK) for number in range(1, 13)]
    assert all(first.end == second.start for first, second in pairwise(year))
    assert sum(period.hours for period in year) == 365 * 24
    assert quarter(2027, 1, timezone=NEW_YORK).hours == sum(period.hours for period in year[:3]) == 2159
    assert months(2026, 12, count=2, timezone="UTC").end == datetime(2027, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("timezone", ZONES)
@settings(max_examples=10, deadline=None)
@given(first=st.dates(date(2000, 1, 1), date(2060, 1, 1)), profile=st.sampled_from(list(Profile)))
def test_profiles_are_what_the_local_clock_says_hour_by_hour(timezone: str, first: date, profile: Profile) -> None:
    """A second, slower reading through the standard library's clocks."""
    starts = days(first, first + timedelta(days=9), timezone=timezone).starts()
    local = [start.astimezone(ZoneInfo(timezone)) for start in starts]
    weekday = [moment.isoweekday() <= 5 for moment in local]
    peak = [work and 8 <= moment.hour < 20 for work, moment in zip(weekday, local, strict=True)]
    wanted = {
        Profile.BASE: [True] * len(local),
        Profile.PEAK: peak,
        Profile.OFF_PEAK: [not hour for hour in peak],
        Profile.WEEKEND: [not work for work in weekday],
        Profile.WEEKDAY: weekday,
        Profile.NIGHT: [not 8 <= moment.hour < 20 for moment in local],
        Profile.WEEKDAY_NIGHT: [work and not 8 <= moment.hour < 20 for work, moment in zip(weekday, local, strict=True)],
        Profile.WEEKEND_DAY: [not work and 8 <= moment.hour < 20 for work, moment in zip(weekday, local, strict=True)],
    }[profile]
    frame = pl.DataFrame(starts).select(mask=in_profile("start", profile, timezone=timezone), day=local_day("start", timezone=timezone))
    assert frame["mask"].to_list() == wanted
    assert frame["day"].to_list() == [moment.date() for moment in local]


@pytest.mark.parametrize("timezone", ZONES)
@settings(max_examples=20, deadline=None)
@given(local=st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_a_day_begins_at_the_first_instant_that_bears_its_date(timezone: str, local: date) -> None:
    start = midnight(local, timezone=timezone)
    assert start.astimezone(ZoneInfo(timezone)).date() == local
    assert (start - timedelta(seconds=1)).astimezone(ZoneInfo(timezone)).date() == local - timedelta(days=1)


@pytest.mark.parametrize(
    ("code", "first", "end"),
    [
        ("2027-03", date(2027, 3, 1), date(2027, 4, 1)),
        ("H27", date(2027, 3, 1), date(2027, 4, 1)),
        ("GPU1H27", date(2027, 3, 1), date(2027, 4, 1)),
        ("HPRZ27", date(2027, 12, 1), date(2028, 1, 1)),
        ("H100-SXM.US.FIRM:2027-12", date(2027, 12, 1), date(2028, 1, 1)),
        ("H100-SXM.US.FIRM:2027-Q4", date(2027, 10, 1), date(2028, 1, 1)),
        ("2028", date(2028, 1, 1), date(2029, 1, 1)),
        ("2028-02-29", date(2028, 2, 29), date(2028, 3, 1)),
    ],
)
def test_a_contract_code_names_its_delivery(code: str, first: date, end: date) -> None:
    assert delivery(code, timezone=NEW_YORK) == days(first, end, timezone=NEW_YORK)


def test_month_codes_and_deliveries_are_inverse() -> None:
    for number in range(1, 13):
        assert delivery(month_code(date(2031, number, 1)), timezone="UTC") == month(2031, number, timezone="UTC")
    assert [month_code(date(2027, number, 1)) for number in (1, 3, 4, 12)] == ["F27", "H27", "J27", "Z27"]


@pytest.mark.parametrize("code", ["", "2027-13", "2027-3", "2027-Q5", "2027-02-30", "A27", "X:H27", "march", "0000-01", "2027-03 "])
def test_a_code_that_names_no_period_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="a code like"):
        delivery(code, timezone="UTC")


def test_periods_that_are_none_are_not_born() -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    with pytest.raises(InputError, match="an end after the start"):
        Period(start=moment, end=moment)
    with pytest.raises(InputError, match="in UTC"):
        Period(start=datetime(2027, 1, 1), end=moment)
    with pytest.raises(InputError, match="IANA"):
        day(date(2027, 1, 1), timezone="Mars/Olympus")
    with pytest.raises(InputError, match="a month from 1 to 12"):
        month(2027, 13, timezone="UTC")
    with pytest.raises(InputError, match="a quarter from 1 to 4"):
        quarter(2027, 5, timezone="UTC")

"""Periods, windows and calendars: which days have marks, and what each looks at."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.kinds.index import Calendar
from tenorgrid.indices.calendars import is_open
from tenorgrid.indices.marks import mark
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.windows import back, in_windows, parts, periods

SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"


def changed(folder: Path, name: str, **values: str) -> Methodology:
    """A shipped methodology with other values at the top of its file."""
    lines = (SHIPPED / f"{name}.toml").read_text().splitlines()
    path = folder / "changed.toml"
    path.write_text(
        "\n".join(next((f'{key} = "{value}"' for key, value in values.items() if line.startswith(f"{key} =")), line) for line in lines)
    )
    return load(path)


@pytest.mark.parametrize(("day", "marks"), [(date(2027, 3, 13), 48), (date(2027, 3, 14), 46), (date(2026, 11, 1), 50)])
def test_half_hours_tile_a_day_of_the_clock(day: date, marks: int, tmp_path: Path) -> None:
    rule = changed(tmp_path, "ornn-like", every="30min", window="1h", cut_off="24:00 America/New_York")
    found = periods(rule, first=day, end=day + timedelta(1))
    assert found.height == marks
    assert found["start"][0] == rule.opens(day)
    assert found["end"][-1] == rule.closes(day)
    assert found["start"].to_list()[1:] == found["end"].to_list()[:-1]
    assert (found["end"] - found["opens"]).unique().to_list() == [timedelta(hours=1)]


def test_a_window_of_an_hour_ends_at_the_cut_off_and_one_of_days_begins_at_one() -> None:
    ornn = periods(load("ornn-like"), first=date(2027, 3, 14), end=date(2027, 3, 15)).row(0, named=True)
    assert (ornn["opens"], ornn["end"]) == (datetime(2027, 3, 14, 19, tzinfo=UTC), datetime(2027, 3, 14, 20, tzinfo=UTC))
    assert ornn["end"] - ornn["start"] == timedelta(hours=23)  # the clock was put forward in it
    ccir = periods(load("ccir-1.1.1"), first=date(2026, 3, 4), end=date(2026, 3, 5)).row(0, named=True)
    assert ccir["opens"] == datetime(2026, 2, 26, tzinfo=UTC)


def test_weekends_and_holidays_have_no_marks(tmp_path: Path) -> None:
    week = (date(2026, 12, 21), date(2026, 12, 29))  # Christmas is a Friday
    days = {
        calendar: periods(changed(tmp_path, "brr-like", calendar=calendar), first=week[0], end=week[1])["day"].dt.day().to_list()
        for calendar in (Calendar.EVERY_DAY, Calendar.WEEKDAYS, Calendar.NEW_YORK, Calendar.LONDON)
    }
    assert days[Calendar.EVERY_DAY] == [21, 22, 23, 24, 25, 26, 27, 28]
    assert days[Calendar.WEEKDAYS] == [21, 22, 23, 24, 25, 28]
    assert days[Calendar.NEW_YORK] == [21, 22, 23, 24, 28]
    assert days[Calendar.LONDON] == [21, 22, 23, 24]  # Boxing Day, a Saturday, is kept on Monday


@pytest.mark.parametrize("calendar", list(Calendar))
def test_every_calendar_knows_a_plain_wednesday(calendar: Calendar) -> None:
    assert is_open(calendar, date(2027, 3, 3))
    assert is_open(calendar, date(2027, 1, 1)) == (calendar in (Calendar.EVERY_DAY, Calendar.WEEKDAYS))


def test_periods_back_are_those_of_the_calendar(tmp_path: Path) -> None:
    monday = date(2027, 3, 8)
    assert back(changed(tmp_path, "brr-like", calendar="weekdays"), monday, number=1) == date(2027, 3, 5)
    assert back(changed(tmp_path, "brr-like", calendar="weekdays"), monday, number=6) == date(2027, 2, 26)
    assert back(load("cgi-like"), monday, number=96) == date(2027, 3, 7)
    assert back(load("cgi-like"), monday, number=97) == date(2027, 3, 6)
    assert back(load("house"), monday, number=0) == monday


def test_each_observation_is_seen_by_every_window_that_holds_it(tmp_path: Path) -> None:
    rule = changed(tmp_path, "ornn-like", every="15min", window="1h", timezone="UTC", cut_off="24:00 UTC")
    marks = periods(rule, first=date(2027, 3, 3), end=date(2027, 3, 4))
    start = datetime(2027, 3, 3, tzinfo=UTC)
    times = [start + timedelta(minutes=minute) for minute in (-80, -20, 0, 7, 15, 700, 1439)]
    rows = pl.DataFrame({"index": "A", "time": times}, schema_overrides={"time": pl.Datetime("us", "UTC")})
    plainly = [(mark["start"], time) for mark in marks.iter_rows(named=True) for time in times if mark["opens"] <= time < mark["end"]]
    assert in_windows(rows, marks).select("start", "time").rows() == plainly
    assert len(plainly) > len(times)


def test_a_part_of_a_window_holds_its_first_instant_and_not_its_end() -> None:
    rule = load("brr-like")
    marks = periods(rule, first=date(2027, 3, 3), end=date(2027, 3, 4))
    opens = marks["opens"][0]
    times = [opens, opens + timedelta(minutes=5), opens + timedelta(minutes=5, microseconds=-1), opens + timedelta(minutes=59)]
    votes = pl.DataFrame({"start": marks["start"][0], "end": marks["end"][0], "time": times}).cast(pl.Datetime("us", "UTC"))
    assert parts(votes, marks, number=12).to_list() == [0, 1, 0, 11]
    assert parts(votes, marks, number=1).to_list() == [0, 0, 0, 0]


def test_a_weekend_of_weekdays_has_no_mark_and_monday_carries_friday(observe: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    rule = changed(tmp_path, "gpu-markets-like", calendar="weekdays")
    friday = datetime(2027, 1, 8, 0, 10, tzinfo=UTC)
    seen = observe(*({"price": 2.0 + number / 10, "provider": f"p{number}", "time": friday} for number in range(5)))
    weekend = mark(seen, methodology=rule, first=date(2027, 1, 9), end=date(2027, 1, 11))
    assert (weekend.marks.height, weekend.audits.height) == (0, 0)
    week = mark(seen, methodology=rule, first=date(2027, 1, 8), end=date(2027, 1, 13), indices=["H100-SXM.GLOBAL.FIRM"])
    assert week.marks.select("start", "status").rows() == [
        (rule.opens(date(2027, 1, 8)), "published"),
        (rule.opens(date(2027, 1, 11)), "carried"),
        (rule.opens(date(2027, 1, 12)), "withheld"),
    ]
    assert mark(seen, methodology=rule, first=date(2027, 1, 11), end=date(2027, 1, 12)).marks["status"].unique().to_list() == ["carried"]

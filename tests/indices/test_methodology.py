"""Methodologies: the file is the rule, and a file that makes no sense is refused by name."""

import hashlib
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import Estimator, Pooling
from tenorgrid.indices.methodology import load, shipped

FOLDER = Path(__file__).parents[2] / "indices" / "methodologies"


def edited(tmp_path: Path, name: str, old: str, new: str) -> Path:
    text = (FOLDER / f"{name}.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_methodology_carries_the_hash_of_its_file() -> None:
    for name in shipped():
        found = load(name)
        assert found.name == name
        assert found.hash == hashlib.sha256((FOLDER / f"{name}.toml").read_bytes()).hexdigest()


def test_every_shipped_file_cites_where_it_is_described() -> None:
    assert all("Described in:" in (FOLDER / f"{name}.toml").read_text() and load(name).source for name in shipped())


def test_ccir_says_what_its_methodology_says() -> None:
    ccir = load("ccir-1.1.1")
    (level,) = ccir.levels
    assert (ccir.window_days, ccir.timezone, ccir.decimals, ccir.carry_days) == (7, "UTC", 4, 0)
    assert (level.estimator, level.pooling, level.day_at_least) == (Estimator.MEDIAN, Pooling.OBSERVATION, 8)
    assert level.outliers is not None
    assert (level.outliers.trim, level.outliers.sigmas) == (0.1, 2.5)
    assert {part.column: part.limit for part in level.requirements}["reliability"] == 0.9


def test_a_path_and_a_name_give_the_same_rule() -> None:
    assert load(FOLDER / "house.toml") == load("house")
    assert load(load("house")) is load("house")


def test_a_days_period_runs_from_cut_off_to_cut_off(tmp_path: Path) -> None:
    found = load(edited(tmp_path, "house", "24:00 America/New_York", "16:00 America/New_York"))
    opens, closes = found.opens(date(2027, 1, 5)), found.closes(date(2027, 1, 5))
    assert (opens.isoformat(), closes.isoformat()) == ("2027-01-04T21:00:00+00:00", "2027-01-05T21:00:00+00:00")
    assert found.day_of(closes) == date(2027, 1, 6)
    assert found.day_of(closes - timedelta(microseconds=1)) == date(2027, 1, 5)


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 13), 24), (date(2027, 3, 14), 23), (date(2026, 11, 1), 25)])
def test_days_of_23_and_25_hours_are_whole(day: date, hours: int) -> None:
    house = load("house")
    assert house.closes(day) - house.opens(day) == timedelta(hours=hours)
    moments = [house.opens(day) + timedelta(hours=number) for number in range(hours)]
    assert {house.day_of(moment) for moment in moments} == {day}


def test_the_last_instant_of_a_day_belongs_to_it_and_the_next_does_not() -> None:
    midnight = datetime(2027, 3, 16, tzinfo=ZoneInfo("America/New_York"))
    assert load("house").day_of(midnight) == date(2027, 3, 16)
    assert load("house").day_of(midnight - timedelta(microseconds=1)) == date(2027, 3, 15)


@pytest.mark.parametrize("name", ["hose", "ccir-9", "nowhere/mine.toml"])
def test_an_unknown_methodology_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=r"one of ccir-1\.1\.1, house.*") as refusal:
        load(name)
    assert name in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ('estimator = "vwap"', 'estimator = "vwapp"', "levels[1].estimator", "one of median"),
        ('weighting = "quantity"', 'weighting = "equal"', "levels[1].weighting", "quantity with the estimator vwap"),
        ('pooling = "observation"', 'pooling = "contributor"', "levels[1].pooling", "observation with the estimator vwap"),
        ('kinds = ["clearing"]', 'kinds = ["auction"]', "levels[1].kinds", "kinds out of trade"),
        ("window_days = 1", "window_days = 0", "window_days", "at least 1"),
        ("carry_days = 3", "carry_days = 1.5", "fallback.carry_days", "a whole number"),
        ("decimals = 6", "decimals = 60", "decimals", "at most 12"),
        ('rounding = "half-even"', 'rounding = "down"', "rounding", "half-even, half-up"),
        ('horizons = ["real-time"]', "horizons = []", "horizons", "some level takes clearing"),
        ('timezone = "America/New_York"', 'timezone = "America/Newyork"', "timezone", "a time zone"),
        ("24:00 America/New_York", "24:00 UTC", "cut_off", "own zone"),
        ("24:00 America/New_York", "24:01 America/New_York", "cut_off", "00:01 to 24:00"),
        ("carry_days = 3", "carry_days = 3\nskip = true", "fallback.skip", "one of the keys carry_days"),
        ('name = "cleared"', 'name = "cleared"\nweights = 3', "levels[1].weights", "one of the keys"),
        ("[regions.groups]", '[regions]\neverything = "US"\n[regions.groups]', "regions.everything", "either everything"),
        ("[regions.groups]", '[regions]\nunplaced = "GLOBAL"\n[regions.groups]', "regions.unplaced", "one of the keys everything, groups"),
        ('US = ["us-east", "us-west"]', 'us = ["us-east"]', "regions.groups.us", "upper case"),
        ('column = "quantity"', 'column = "value"', "levels[1].require[1].column", "a column other than index"),
        ("above = 0", "above = 0\nat_most = 9", "levels[1].require[1].column", "exactly one of"),
        ('column = "quantity"\nabove = 0', 'column = "price"\nabove = 0', "levels[1].require", "a quantity above 0"),
        ('tie = "midpoint"\n', "", "levels[2].tie", "a tie with the estimator volume-weighted median"),
        ("trim = 0.25", "trim = 0.5", "levels[3].trim", "below 0.5"),
        ('estimator = "trimmed mean"\n', 'estimator = "median"\n', "levels[3].trim", "and with no other"),
        ("partitions = 12", "partitions = 0", "levels[2].partitions", "at least 1"),
        ("observations = 12\n", "observations = 0\n", "levels[1].publish.observations", "at least 1"),
        ("contributors = 3", "days = 2", "levels[2].publish.days", "at most the 1 days"),
        ('name = "traded"', 'name = "cleared"', "levels", "different names"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(tmp_path: Path, old: str, new: str, column: str, expected: str) -> None:
    with pytest.raises(InputError) as refusal:
        load(edited(tmp_path, "house", old, new))
    assert any(fault.column == column and expected in fault.expected for fault in refusal.value.faults), str(refusal.value)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntypo = 1\nwindow_days = "seven"\n')
    with pytest.raises(InputError) as refusal:
        load(path)
    assert {"typo", "window_days", "timezone", "cut_off", "levels", "source"} <= {fault.column for fault in refusal.value.faults}


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = = 3")
    with pytest.raises(InputError, match=r"mine\.toml: found .* expected TOML in UTF-8"):
        load(path)

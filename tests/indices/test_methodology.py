"""Methodologies: the file is the rule, and a file that makes no sense is refused by name."""

import hashlib
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import Estimator, FilterRule, Pooling
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
    assert (str(ccir.window), ccir.timezone, ccir.decimals, ccir.fallback.carry) == ("7d", "UTC", 4, 0)
    assert (level.estimator, level.pooling, level.weights.plain) == (Estimator.MEDIAN, Pooling.OBSERVATION, True)
    few, sigma = level.filters
    assert (few.rule, few.within, few.at_least) == (FilterRule.TOO_FEW, "period", 8)
    assert (sigma.rule, sigma.within, sigma.trim, sigma.limit, sigma.at_least) == (FilterRule.SIGMA, "period", 0.1, 2.5, 4)
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
    with pytest.raises(InputError, match=r"one of .*ccir-1\.1\.1, .*house.*") as refusal:
        load(name)
    assert name in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ('estimator = "vwap"', 'estimator = "vwapp"', "levels[1].estimator", "one of mean"),
        ('estimator = "vwap"', 'estimator = "mean"', "levels[1].estimator", "vwap, which is what a mean by quantity"),
        ('by = ["quantity"]', 'by = ["equal"]', "levels[1].weights.by", "quantity with the estimator vwap"),
        ('by = ["quantity"]', 'by = ["quantity", "equal"]', "levels[1].weights.by", "equal alone"),
        ('by = ["quantity"]', 'by = ["volume"]', "levels[1].weights.by", "values out of equal"),
        ('by = ["quantity"]', 'by = ["quantity", "recency"]', "levels[1].weights.half_life", "a half_life with weights by recency"),
        ('by = ["quantity"]', 'by = ["quantity"]\nhalf_life = "1h"', "levels[1].weights.half_life", "and with no other"),
        ('by = ["quantity"]', 'by = ["quantity", "confidence"]\nconfidence = "trust"', "levels[1].require", "a trust above 0"),
        ('by = ["quantity"]', 'by = ["quantity"]\ncap = 0.3', "levels[1].publish.contributors", "at least the 4 that a cap of 0.3 needs"),
        ('by = ["quantity"]', 'by = ["quantity"]\ncap = 0.0', "levels[1].weights.cap", "above 0"),
        ('by = ["quantity"]', 'by = ["quantity"]\ncap = 0.2\nfloor = 0.3', "levels[1].weights.floor", "below the cap"),
        ('pooling = "observation"', 'pooling = "contributor"', "levels[1].vote", "a vote with pooling by contributor"),
        ('kinds = ["clearing"]', 'kinds = ["auction"]', "levels[1].kinds", "values out of trade"),
        ('every = "1d"', 'every = "2d"', "every", "minutes that divide an hour"),
        ('every = "1d"', 'every = "7min"', "every", "minutes that divide an hour"),
        ('every = "1d"', 'every = "30min"', "window", "hours or minutes where there is more than one mark a day"),
        ('window = "1d"', 'window = "1w"', "window", "a length of time in d or h or min"),
        ('window = "1d"', 'window = "0d"', "window", "a length of time"),
        ('calendar = "every day"', 'calendar = "workdays"', "calendar", "one of every day, weekdays, New York Stock Exchange"),
        ("carry = 3", "carry = 1.5", "fallback.carry", "a whole number"),
        ("decimals = 6", "decimals = 60", "decimals", "at most 12"),
        ('rounding = "half-even"', 'rounding = "down"', "rounding", "half-even, half-up"),
        ('horizons = ["real-time"]', "horizons = []", "horizons", "some level takes clearing"),
        ('timezone = "America/New_York"', 'timezone = "America/Newyork"', "timezone", "a time zone"),
        ("24:00 America/New_York", "24:00 UTC", "cut_off", "own zone"),
        ("24:00 America/New_York", "24:01 America/New_York", "cut_off", "00:01 to 24:00"),
        ("carry = 3", "carry = 3\nskip = true", "fallback.skip", "one of the keys carry"),
        ("carry = 3", "carry = 3\ncease_after = 0", "fallback.cease_after", "at least 1"),
        ('until = "24h"', 'until = "never"\nabove = 0.01', "restatement.above", "nothing is ever restated"),
        ('until = "24h"', 'until = "soon"', "restatement.until", "a length of time"),
        ('name = "cleared"', 'name = "cleared"\nweight = 3', "levels[1].weight", "one of the keys"),
        ("[regions.groups]", '[regions]\neverything = "US"\n[regions.groups]', "regions.everything", "either everything"),
        ("[regions.groups]", '[regions]\nunplaced = "GLOBAL"\n[regions.groups]', "regions.unplaced", "one of the keys everything, groups"),
        ('US = ["us-east", "us-west"]', 'us = ["us-east"]', "regions.groups.us", "upper case"),
        ('column = "quantity"', 'column = "value"', "levels[1].require[1].column", "a column other than index"),
        ("above = 0", "above = 0\nat_most = 9", "levels[1].require[1].column", "exactly one of"),
        ("above = 0", 'differs_from = "quantity"', "levels[1].require[1].differs_from", "another column"),
        ('column = "quantity"\nabove = 0', 'column = "price"\nabove = 0', "levels[1].require", "a quantity above 0"),
        ('tie = "midpoint"\n', "", "levels[2].tie", "a tie with the estimators volume-weighted median"),
        ("trim = 0.25", "trim = 0.5", "levels[5].trim", "below 0.5"),
        ('estimator = "trimmed mean"\n', 'estimator = "median"\n', "levels[5].trim", "and with no other"),
        ("partitions = 12", "partitions = 1", "levels[2].partitions", "at least 2"),
        ("partitions = 12", "partitions = 97", "levels[2].partitions", "at most 96"),
        ("observations = 12\n", "observations = 0\n", "levels[1].publish.observations", "at least 1"),
        ("contributors = 4", "days = 2", "levels[2].publish.days", "at most the 1 days"),
        ("partitions = 9", "partitions = 13", "levels[2].publish.partitions", "at most the 12"),
        ("partitions = 9", "largest_share = 1.5", "levels[2].publish.largest_share", "at most 1"),
        ('name = "traded"', 'name = "cleared"', "levels", "different names"),
        ("[regions.groups]", '[normalisation]\nmethod = "hedonic"\n[regions.groups]', "normalisation.days", "how many days before a mark"),
        ("[regions.groups]", '[normalisation]\nmethod = "hedonic"\n[regions.groups]', "normalisation.method", "one of the keys"),
        ("[regions.groups]", '[normalisation]\nmethod = "hedonic"\n[regions.groups]', "normalisation.characteristics", "at least one"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(tmp_path: Path, old: str, new: str, column: str, expected: str) -> None:
    with pytest.raises(InputError) as refusal:
        load(edited(tmp_path, "house", old, new))
    assert any(fault.column == column and expected in fault.expected for fault in refusal.value.faults), str(refusal.value)


FILTERS = [
    ('rule = "sigmas"', "levels[1].filters[1].rule", "one of too few, sigma"),
    ('rule = "sigma"\nwithin = "day"\nsigmas = 2\ntrim = 0\nat_least = 5', "levels[1].filters[1].within", "one of period, window"),
    ('rule = "sigma"\nwithin = "period"\nsigmas = 2\ntrim = 0\nat_least = 5', "levels[1].filters[1].within", "no whole period"),
    ('rule = "sigma"\nwithin = "window"\nsigmas = 0\ntrim = 0\nat_least = 5', "levels[1].filters[1].sigmas", "above 0"),
    ('rule = "mad"\nwithin = "window"\ndeviations = 3\nat_least = 2', "levels[1].filters[1].at_least", "at least 3"),
    ('rule = "tukey"\nwithin = "window"\nat_least = 4', "levels[1].filters[1].fences", "a number"),
    ('rule = "trimmed"\nwithin = "window"\nshare = 0.5\nat_least = 4', "levels[1].filters[1].share", "below 0.5"),
    ('rule = "erroneous venue"\nwithin = "window"\ndistance = 0.1\nat_least = 2', "levels[1].filters[1].at_least", "at least 3"),
    ('rule = "stale"\nolder_than = "24h"', "levels[1].filters[1].older_than", "less than the window of 1d"),
    ('rule = "price bounds"', "levels[1].filters[1].lowest", "or one of the two"),
    ('rule = "price bounds"\nlowest = 2\nhighest = 1', "levels[1].filters[1].lowest", "below the highest"),
    ('rule = "jump"\nmove = 0.25', "levels[1].filters[1].back", "a whole number of at least 1"),
    ('rule = "jump"\nmove = 0.25\nback = 1\nsigmas = 2', "levels[1].filters[1].sigmas", "one of the keys back, move, rule"),
    (
        'rule = "stale"\nolder_than = "1h"\n[[levels.filters]]\nrule = "price bounds"\nlowest = 1',
        "levels[1].filters",
        "filters within the period before those within the window",
    ),
]


@pytest.mark.parametrize(("written", "column", "expected"), FILTERS)
def test_a_filter_that_makes_no_sense_is_refused_by_name(tmp_path: Path, written: str, column: str, expected: str) -> None:
    with pytest.raises(InputError) as refusal:
        load(edited(tmp_path, "house", "[levels.publish]", f"[[levels.filters]]\n{written}\n\n[levels.publish]"))
    assert any(fault.column == column and expected in fault.expected for fault in refusal.value.faults), str(refusal.value)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\ntypo = 1\nwindow = "seven"\n')
    with pytest.raises(InputError) as refusal:
        load(path)
    assert {"typo", "window", "every", "calendar", "timezone", "cut_off", "levels", "source"} <= {
        fault.column for fault in refusal.value.faults
    }


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ('estimator = "volume-weighted median"', 'estimator = "volume-weighted-median"', "levels[2].estimator"),
        ('by = ["quantity"]', 'by = ["volume"]', "levels[1].weights.by"),
        (
            "[levels.publish]",
            '[[levels.filters]]\nrule = "erronous venue"\ndistance = 0.1\n\n[levels.publish]',
            "levels[1].filters[1].rule",
        ),
    ],
)
def test_a_name_that_is_not_known_is_the_only_fault(tmp_path: Path, old: str, new: str, column: str) -> None:
    with pytest.raises(InputError) as refusal:
        load(edited(tmp_path, "house", old, new))
    assert {fault.column for fault in refusal.value.faults} == {column}


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = = 3")
    with pytest.raises(InputError, match=r"mine\.toml: found .* expected TOML in UTF-8"):
        load(path)

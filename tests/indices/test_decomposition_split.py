"""Why two indices differ: gaps split by hand, by plain marks of every coalition, and refused by name."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.indices.decomposition.gap import Gap, coalitions_table, gaps_table, rules_table
from tenorgrid.indices.decomposition.hybrids import Pair
from tenorgrid.indices.decomposition.split import split, split_all
from tenorgrid.indices.marks import mark
from tenorgrid.indices.methodology import values_of

DAY = date(2027, 1, 5)
NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
INDEX = "H100-SXM.GLOBAL.FIRM"
HEAD = """
name = "{name}"
source = "made up"
timezone = "UTC"
calendar = "every day"
cut_off = "24:00 UTC"
every = "1d"
window = "{window}"
horizons = []
decimals = {decimals}
rounding = "half-even"

[regions.groups]
GLOBAL = ["*"]

[fallback]
carry = {carry}

[restatement]
until = "never"

[[levels]]
name = "lists"
kinds = ["list price"]
pooling = "observation"
estimator = "{estimator}"

[levels.weights]
by = ["equal"]

[levels.low_confidence]
observations = {least}

[levels.publish]
observations = {least}
days = {days}
"""
BOUNDS = '\n[[levels.filters]]\nrule = "price bounds"\nhighest = 5.0\n'


def methodology(
    folder: Path,
    name: str,
    *,
    estimator: str = "mean",
    bounds: bool = False,
    carry: int = 0,
    least: int = 1,
    decimals: int = 6,
    window: str = "1d",
    days: int = 1,
) -> Path:
    path = folder / f"{name}.toml"
    text = HEAD.format(name=name, estimator=estimator, carry=carry, least=least, decimals=decimals, window=window, days=days)
    path.write_text(text + (BOUNDS if bounds else ""))
    return path


def listed(*prices: float, at: datetime = NOON) -> pl.DataFrame:
    rows = [
        {
            "observation_id": f"{at:%d}-{place}", "time": at, "provider": f"p{place}", "resource": "h100-sxm", "region": "us",
            "tier": "firm",
            "kind": "list price", "price": price, "quantity": 1.0 + place, "gpu_count": 8.0,
        }
        for place, price in enumerate(prices)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def shares(gap: Gap) -> dict[str, float]:
    return {share.name: share.value for share in gap.shares}


def test_two_rules_by_hand(tmp_path: Path) -> None:
    """Of 1, 2, 3 and 10 the mean is 4 and the median 2.5; without the 10 both are 2: 2 apart, 0.75 and 1.25."""
    one, other = methodology(tmp_path, "one"), methodology(tmp_path, "other", estimator="median", bounds=True)
    found = split(listed(1.0, 2.0, 3.0, 10.0), methodology=one, against=other, when=DAY, index=INDEX)
    assert (found.one.value, found.other.value, found.size) == (4.0, 2.0, 2.0)
    assert shares(found) == {"filter price bounds": 1.25, "estimator": 0.75}
    assert [(part.taken, part.printed.value) for part in found.coalitions] == [
        ((), 4.0), (("filter price bounds",), 2.0), (("estimator",), 2.5), (("filter price bounds", "estimator"), 2.0),
    ]  # fmt: skip
    bounds, estimator = found.shares
    assert (bounds.lowest, bounds.highest, bounds.alone, bounds.last) == (0.5, 2.0, 0.5, 2.0)
    assert (estimator.lowest, estimator.highest, estimator.alone, estimator.last) == (0.0, 1.5, 0.0, 1.5)
    assert found.sentence == (
        "one prints 4.00 and other 2.00 for H100-SXM.GLOBAL.FIRM on 2027-01-05 (USD/GPUh), a gap of +2.00: "
        "+1.25 from the filter 'price bounds', +0.75 from the estimator."
    )


def test_rules_may_pull_in_opposite_directions(tmp_path: Path) -> None:
    """Of 1, 4, 4 and 12 the median is 4 and the mean 5.25; without the 12 the mean is 3: the two nearly hide each other."""
    one, other = methodology(tmp_path, "one", estimator="median"), methodology(tmp_path, "other", bounds=True)
    found = split(listed(1.0, 4.0, 4.0, 12.0), methodology=one, against=other, when=DAY, index=INDEX)
    assert found.size == 1.0
    assert shares(found) == {"filter price bounds": 1.125, "estimator": -0.125}
    estimator = found.shares[1]
    assert (estimator.lowest, estimator.highest, estimator.turns) == (-1.25, 1.0, True)
    assert "Which way it pulls depends on the other rules for the estimator (−1.25 to +1.00)." in found.sentence


def agree_with_marks(found: Gap, seen: pl.DataFrame, one: Path | str, other: Path | str, *, each: int = 1) -> None:
    """The sharing of work changes nothing: every `each`-th hybrid is marked by itself."""
    pair = Pair(one=values_of(one), other=values_of(other), deciding=(found.one.level, found.other.level))
    for part in found.coalitions[::each]:
        rule = pair.methodology(part.taken)
        day = rule.day_of(NOON)
        run = mark(seen, methodology=rule, first=day, end=day + timedelta(1), indices=[INDEX]).marks
        plain = run.filter(pl.col("start") <= NOON, pl.col("end") > NOON).row(0, named=True)
        assert (part.printed.value, part.printed.status, part.printed.start) == (plain["value"], plain["status"], plain["start"])


def test_every_coalition_prints_what_its_methodology_marks(tmp_path: Path) -> None:
    one = methodology(tmp_path, "one", least=2, carry=1, decimals=3)
    other = methodology(tmp_path, "other", estimator="median", bounds=True, carry=2, decimals=1)
    seen = pl.concat([listed(1.0, 2.0, 3.0, 7.77, at=NOON - timedelta(1)), listed(2.25, 2.5, 3.0, 7.77)])
    found = split(seen, methodology=one, against=other, when=NOON, index=INDEX)
    assert len(found.coalitions) == 32
    agree_with_marks(found, seen, one, other)


@pytest.mark.slow
@pytest.mark.parametrize("against", ["gpu-markets-like", "cgi-like"])
def test_every_coalition_of_shipped_files_prints_what_its_methodology_marks(against: str) -> None:
    names = pl.Series("provider", ["aws", "azure", "lambda", "vultr", "nebius", "runpod", "together"])
    today = listed(6.9, 3.9, 2.0, 2.4, 2.6, 2.9, 3.3)
    rows = [today.with_columns(pl.col("price") + 0.1 * back, pl.col("time") - timedelta(back), names) for back in range(3)]
    seen = pl.concat(rows).with_columns(observation_id=pl.int_range(pl.len()).cast(pl.String))
    found = split(seen, methodology="house", against=against, when=NOON, index=INDEX)
    assert len(found.coalitions) >= 32
    agree_with_marks(found, seen, "house", against, each=len(found.coalitions) // 16)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(50, 900), min_size=4, max_size=9))
def test_shares_sum_to_the_gap_and_turn_with_it_and_idle_rules_have_none(tmp_path: Path, cents: list[int]) -> None:
    one = methodology(tmp_path, "one", decimals=3, carry=2)
    other = methodology(tmp_path, "other", estimator="median", bounds=min(cents) <= 500, decimals=1)
    seen = listed(*(number / 100 for number in cents))
    there, back = (split(seen, methodology=a, against=b, when=DAY, index=INDEX) for a, b in ((one, other), (other, one)))
    assert sum(shares(there).values()) == pytest.approx(there.size, abs=1e-9)
    assert there.size == -back.size
    assert shares(back) == pytest.approx({name: -value for name, value in shares(there).items()}, abs=1e-9)
    assert shares(there)["fallback"] == 0.0


def test_a_coalition_without_a_mark_takes_its_own_fallback(tmp_path: Path) -> None:
    """The bounds leave three of the day's prices, and four are asked for: the day before is carried, by the one's fallback alone."""
    one = methodology(tmp_path, "one", least=4, carry=1)
    other = methodology(tmp_path, "other", least=2, bounds=True, carry=1)
    seen = pl.concat([listed(1.0, 2.0, 3.0, 4.0, at=NOON - timedelta(1)), listed(1.0, 2.0, 3.0, 10.0)])
    found = split(seen, methodology=one, against=other, when=DAY, index=INDEX)
    told = {part.taken: (part.printed.value, str(part.printed.status)) for part in found.coalitions}
    assert told[("filter price bounds",)] == (2.5, "carried")
    assert found.size == 2.0
    assert sum(shares(found).values()) == pytest.approx(2.0, abs=1e-9)


def test_a_coalition_that_has_not_even_a_fallback_is_refused_by_name(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one", least=4), methodology(tmp_path, "other", least=2, bounds=True)
    seen = listed(1.0, 2.0, 3.0, 10.0)
    with pytest.raises(NotPublishedError) as caught:
        split(seen, methodology=one, against=other, when=DAY, index=INDEX)
    said = str(caught.value)
    assert "the gap between one and other on 2027-01-05 cannot be split: one with filter price bounds of other has no mark" in said
    assert "filter price bounds takes it away. 1 of 4 coalitions have none" in said
    together = split(seen, methodology=one, against=other, when=DAY, index=INDEX, together=[("filter price bounds", "sufficiency")])
    assert shares(together) == {"filter price bounds + sufficiency": 2.0}


def test_what_cannot_be_separated_is_exchanged_together_and_says_why(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one", window="3d", days=2), methodology(tmp_path, "other", window="1d")
    seen = pl.concat([listed(1.0, 2.0, at=NOON - timedelta(1)), listed(3.0, 5.0)])
    found = split(seen, methodology=one, against=other, when=DAY, index=INDEX)
    assert shares(found) == {"window + sufficiency": -1.25}
    assert "at most the 1 days of the window" in found.joined[0].reason
    assert "at most the 1 days" in rules_table([found])["note"][0]


def test_regions_under_two_names_are_matched_where_both_are_given(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one"), methodology(tmp_path, "other", estimator="median")
    other.write_text(other.read_text().replace('[regions.groups]\nGLOBAL = ["*"]', '[regions]\neverything = "US"'))
    seen = listed(1.0, 2.0, 6.0)
    with pytest.raises(NotPublishedError, match=r"other has no mark of H100-SXM.GLOBAL.FIRM"):
        split(seen, methodology=one, against=other, when=DAY, index=INDEX)
    found = split(seen, methodology=one, against=other, when=DAY, index=INDEX, index_against="H100-SXM.US.FIRM")
    assert shares(found) == {"regions": 0.0, "estimator": 1.0}
    assert {part.printed.index for part in found.coalitions if "regions" in part.taken} == {"H100-SXM.US.FIRM"}


def test_what_is_not_of_one_thing_is_refused(tmp_path: Path) -> None:
    one, other, seen = methodology(tmp_path, "one"), methodology(tmp_path, "other", estimator="median"), listed(1.0, 2.0, 6.0)
    for wrong, said in (
        ("H200-SXM.GLOBAL.FIRM", "resource and tier"),
        ("H100-SXM.GLOBAL.SPOT", "resource and tier"),
        (f"{INDEX}.1Y", "term"),
    ):
        with pytest.raises(InputError, match=said):
            split(seen, methodology=one, against=other, when=DAY, index=INDEX, index_against=wrong)
    with pytest.raises(InputError, match=r"SUBJECT.PLACE.TIER"):
        split(seen, methodology=one, against=other, when=DAY, index="H100")
    with pytest.raises(InputError, match="another methodology than one"):
        split(seen, methodology=one, against=one, when=DAY, index=INDEX)
    with pytest.raises(NotPublishedError, match=r"one has no mark of H100-SXM.GLOBAL.FIRM on 2027-01-09"):
        split(seen, methodology=one, against=other, when=date(2027, 1, 9), index=INDEX)


def test_prices_of_two_units_are_no_gap(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one"), methodology(tmp_path, "other", estimator="median")
    other.write_text(other.read_text().replace('GLOBAL = ["*"]', 'EU = ["eu"]'))
    work = listed(5.0, 6.0).with_columns(region=pl.lit("eu"), unit=pl.lit("Mtok"), observation_id=pl.Series(["x", "y"]))
    seen = pl.concat([listed(1.0, 2.0).with_columns(unit=pl.lit(None, dtype=pl.String)), work])
    with pytest.raises(InputError, match="one unit"):
        split(seen, methodology=one, against=other, when=DAY, index="H100-SXM.US.FIRM", index_against="H100-SXM.EU.FIRM")


def test_all_indices_that_both_print_and_the_refused_ones_with_why(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one", least=3), methodology(tmp_path, "other", least=2, bounds=True)
    more = listed(2.0, 3.0, 9.0).with_columns(resource=pl.lit("h200-sxm"), observation_id=pl.col("observation_id") + "b")
    found = split_all(pl.concat([listed(1.0, 2.0, 3.0, 10.0), more]), methodology=one, against=other, when=DAY)
    assert [gap.indices[0] for gap in found.gaps] == ["H100-SXM.GLOBAL.FIRM", "H100-SXM.US.FIRM"]
    assert list(found.refused) == ["H200-SXM.GLOBAL.FIRM", "H200-SXM.US.FIRM"]
    assert "filter price bounds takes it away" in found.refused["H200-SXM.US.FIRM"]
    alone = split(listed(1.0, 2.0, 3.0, 10.0), methodology=one, against=other, when=DAY, index=INDEX)
    assert found.gaps[0].shares == alone.shares
    with pytest.raises(NotPublishedError, match="no index has a print"):
        split_all(listed(1.0, 2.0), methodology=one, against=other, when=date(2027, 2, 1))


def test_the_tables_hold_what_the_gap_does(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one"), methodology(tmp_path, "other", estimator="median", bounds=True)
    found = split(listed(1.0, 2.0, 3.0, 10.0), methodology=one, against=other, when=DAY, index=INDEX)
    gaps, rules, made = gaps_table([found]), rules_table([found]), coalitions_table([found])
    assert gaps.select("value", "value_against", "gap").row(0) == (4.0, 2.0, 2.0)
    assert rules.filter("exchanged")["share"].sum() == pytest.approx(gaps["gap"][0], abs=1e-9)
    assert rules.filter(~pl.col("exchanged"))["note"].to_list() == ["no first print depends on it"]
    assert made.select("taken", "value").rows()[-1] == ("filter price bounds, estimator", 2.0)


def test_files_that_differ_in_titles_alone_have_no_gap_and_no_shares(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one"), methodology(tmp_path, "other")
    found = split(listed(1.0, 2.0), methodology=one, against=other, when=DAY, index=INDEX)
    assert (found.size, found.shares, len(found.coalitions)) == (0.0, (), 1)
    assert found.sentence.endswith("a gap of +0.00: no rule moves it.")
    assert rules_table([found])["rule"].to_list() == ["titles"]


def test_a_gap_of_a_moment_is_told_in_utc(tmp_path: Path) -> None:
    one, other = methodology(tmp_path, "one"), methodology(tmp_path, "other", estimator="median")
    at = NOON.astimezone(timezone(timedelta(hours=-5)))
    found = split(listed(1.0, 2.0, 6.0), methodology=one, against=other, when=at, index=INDEX)
    assert (found.moment, gaps_table([found])["when"][0]) == ("2027-01-05T12:00Z", "2027-01-05T12:00Z")

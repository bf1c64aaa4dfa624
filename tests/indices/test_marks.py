"""Daily marks by the house methodology: levels of evidence, days, groups, and what may not matter."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.marks import MarkRun, mark

Observe = Callable[..., pl.DataFrame]
DAY = date(2027, 1, 5)
EAST, US = "H100-SXM.US-EAST.FIRM", "H100-SXM.US.FIRM"
MIDNIGHT = datetime(2027, 1, 5, 5, tzinfo=UTC)  # in New York
SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"


def house(observations: pl.DataFrame, *, first: date = DAY, days: int = 1, indices: list[str] | None = None) -> MarkRun:
    return mark(observations, methodology="house", first=first, end=first + timedelta(days), indices=indices)


def value(run: MarkRun, index: str = EAST) -> Any:
    return run.marks.filter(index=index)["value"].to_list()


def cleared(hours: int = 24, *, seed: int = 3, regions: tuple[str, ...] = ("us-east",), start: datetime = MIDNIGHT) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        {
            "observation_id": f"real-time/{hour:04}/{region}/{tier}",
            "time": start + timedelta(hours=hour),
            "provider": "clearing",
            "resource": "h100-sxm",
            "region": region,
            "tier": tier,
            "horizon": "real-time",
            "term_hours": 1.0,
            "price": float(rng.lognormal(0.9, 0.3)),
            "quantity": float(rng.uniform(50, 500)),
            "kind": "clearing",
        }
        for hour in range(hours)
        for region in regions
        for tier in ("firm", "spot")
    ]
    return pl.DataFrame(rows)


def test_a_cleared_day_is_its_average_weighted_by_what_was_sold(observe: Observe) -> None:
    base = {"kind": "clearing", "horizon": "real-time", "provider": "clearing"}
    rows = [base | {"time": MIDNIGHT + timedelta(hours=hour), "price": 2.0, "quantity": 10.0} for hour in range(12)]
    rows += [base | {"time": MIDNIGHT + timedelta(hours=12), "price": 5.0, "quantity": 80.0}]
    run = house(observe(*rows))
    assert value(run) == [3.2]  # (12 · 10 · 2 + 80 · 5) / 200
    assert run.marks.filter(index=EAST).select("quantity", "status", "unit").rows() == [(200.0, "published", "USD/GPUh")]


def test_a_group_holds_all_its_regions_and_nothing_else(observe: Observe) -> None:
    seen = cleared(regions=("us-east", "us-west", "eu-north"))
    run = house(seen)
    assert run.marks["index"].to_list() == sorted(
        f"H100-SXM.{region}.{tier}" for region in ("EU-NORTH", "GLOBAL", "US", "US-EAST", "US-WEST") for tier in ("FIRM", "SPOT")
    )
    rows = seen.filter(pl.col("tier") == "firm", pl.col("region").str.starts_with("us"))
    assert value(run, US) == [average(rows)]


def test_only_real_time_is_used() -> None:
    seen = cleared()
    ahead = seen.with_columns(horizon=pl.lit("day-ahead"), observation_id="day-ahead/" + pl.col("observation_id"), price=pl.lit(90.0))
    both = house(pl.concat([seen, ahead]))
    assert_frame_equal(both.marks, house(seen).marks)
    assert both.exclusions.is_empty()  # a forecast of the price is not an observation of it that was thrown out


def test_list_prices_give_each_provider_one_vote(observe: Observe) -> None:
    rows = [{"provider": "loud", "price": 9.0}] * 50
    rows += [
        {"provider": "a", "price": 2.0},
        {"provider": "b", "price": 2.2},
        {"provider": "b", "price": 2.6},
        {"provider": "c", "price": 2.5},
    ]
    run = house(observe(*rows))
    assert value(run) == [2.45]  # providers 2.0, 2.4, 2.5, 9.0; the middle half of four votes is 2.4 and 2.5
    assert run.marks["status"].to_list() == ["published"] * 3  # its region and its two groups


def traded(count: int, *, desks: int, seed: int = 5) -> list[dict[str, Any]]:
    """Trades of a day at about 2 dollars, evenly over the day, the desks in turn."""
    rng = np.random.default_rng(seed)
    return [
        {
            "observation_id": f"t{number:05}",
            "kind": "trade",
            "provider": f"desk{number % desks}",
            "time": MIDNIGHT + timedelta(minutes=1440 * number / count),
            "price": 2.0 * float(rng.lognormal(0, 0.02)),
            "quantity": float(rng.lognormal(3, 1)),
        }
        for number in range(count)
    ]


def test_few_trades_are_captured_one_part_at_a_time_and_are_of_low_confidence(observe: Observe) -> None:
    rows = [row | {"price": 2.0} for row in traded(12, desks=3)]
    block = {"kind": "trade", "provider": "desk0", "time": MIDNIGHT + timedelta(hours=23, minutes=59), "price": 8.0, "quantity": 9000.0}
    assert value(house(observe(*rows))) == [2.0]
    run = house(observe(*rows, block), indices=[EAST])
    assert value(run) == [2.5]  # (11 · 2 + 8) / 12
    assert run.audit(EAST, DAY).entry["level"] == "traded, few"
    assert run.marks["status"].to_list() == ["low-confidence"]


@pytest.mark.parametrize(("count", "level"), [(1000, "traded"), (240, "traded"), (239, "traded, thin"), (24, "traded, thin")])
def test_the_number_of_trades_decides_how_they_are_cut(count: int, level: str, observe: Observe) -> None:
    run = house(observe(*traded(count, desks=20)), indices=[EAST])
    assert (run.audit(EAST, DAY).entry["level"], run.marks["status"][0]) == (level, "published")
    assert value(run)[0] == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_contributor_with_most_of_the_volume_moves_a_thousand_trades_by_little(share: float, observe: Observe) -> None:
    rows = traded(1000, desks=20)
    whole = sum(row["quantity"] for row in rows)
    pushed = [
        row | {"observation_id": f"x{number}", "provider": "pusher", "price": 20.0, "quantity": whole / 100 * share / (1 - share)}
        for number, row in enumerate(rows[::10])
    ]
    fair, moved = value(house(observe(*rows)))[0], value(house(observe(*rows, *pushed)))[0]
    assert 0 <= moved / fair - 1 < 0.02  # ten times the price with nine tenths of the volume: the 71st percentile of the others
    average = sum(row["price"] * row["quantity"] for row in [*rows, *pushed]) / sum(row["quantity"] for row in [*rows, *pushed])
    assert average / fair > 5


@pytest.mark.parametrize(
    ("kinds", "level"),
    [
        (["clearing", "trade", "firm quote", "list price"], "cleared"),
        (["trade", "firm quote", "list price"], "traded"),
        (["firm quote", "list price"], "firm quotes"),
        (["list price"], "list prices"),
    ],
)
def test_the_best_evidence_that_suffices_decides(observe: Observe, kinds: list[str], level: str) -> None:
    rows = [
        {
            "kind": kind,
            "horizon": "real-time" if kind == "clearing" else None,
            "provider": f"p{number % 12}",
            "quantity": 5.0 if kind in ("clearing", "trade") else None,
            "time": MIDNIGHT + timedelta(minutes=5 * number),
            "price": 1.0 + place,
        }
        for place, kind in enumerate(kinds)
        for number in range(288)
    ]
    run = house(observe(*rows), indices=[EAST])
    assert run.audit(EAST, DAY).entry["level"] == level
    assert value(run) == [1.0]


def test_thin_evidence_gives_way_to_a_lower_level_that_suffices(observe: Observe) -> None:
    trade = {"kind": "trade", "price": 7.0, "quantity": 1.0}
    quotes = [{"kind": "firm quote", "provider": name, "price": 2.0} for name in "abc"]
    assert value(house(observe(trade, *quotes))) == [2.0]
    alone = house(observe(trade, *quotes[:2]), indices=[EAST])
    assert alone.marks.select("value", "status").rows() == [(7.0, "low-confidence")]
    assert house(observe(*quotes[:2]), indices=[EAST]).marks["status"].to_list() == ["withheld"]
    assert alone.audit(EAST, DAY).entry["low_confidence"] == ["traded, few is never more than low-confidence"]


def test_a_price_at_which_nothing_was_sold_is_a_mark_of_low_confidence() -> None:
    run = house(cleared().with_columns(quantity=pl.lit(0.0)), indices=[EAST])
    assert run.marks["status"].to_list() == ["low-confidence"]
    assert value(run) == [round(float(np.median(cleared().filter(tier="firm")["price"])), 6)]


def test_a_missing_day_is_carried_three_days_and_then_withheld(observe: Observe) -> None:
    rows = [{"provider": name, "price": price} for name, price in zip("abc", (2.0, 2.1, 2.2), strict=True)]
    run = house(observe(*rows), days=6, indices=[EAST])
    assert run.marks["status"].to_list() == ["published", "carried", "carried", "carried", "withheld", "withheld"]
    assert value(run) == [2.1] * 4 + [None] * 2
    assert run.audit(EAST, "2027-01-08").entry["fallback"] == {"used": "carried", "carried_from": "2027-01-05", "at_most_periods": 3}
    assert run.audit(EAST, "2027-01-09").entry["fallback"]["used"] == "withheld"


def test_a_run_that_starts_later_carries_the_same(observe: Observe) -> None:
    rows = [{"provider": name, "price": 2.0} for name in "abc"]
    whole = house(observe(*rows), days=6).marks
    late = house(observe(*rows), first=DAY + timedelta(2), days=4).marks
    assert_frame_equal(whole.filter(pl.col("start") >= datetime(2027, 1, 7, 5, tzinfo=UTC)), late)


def test_an_observation_without_a_region_is_global(observe: Observe) -> None:
    run = house(observe(*[{"provider": name, "region": None, "price": 2.0} for name in "abc"]))
    assert run.marks["index"].to_list() == ["H100-SXM.GLOBAL.FIRM"]


@pytest.mark.parametrize(
    ("rows", "rule", "shown"), [({"price": 0.0}, "price", "0.0"), ({"price": 1.0, "term_hours": 8760.0}, "term_hours", "8760.0")]
)
def test_a_placeholder_and_a_years_reservation_do_not_count(observe: Observe, rows: dict[str, Any], rule: str, shown: str) -> None:
    good = [{"provider": name, "price": 2.0, "term_hours": None} for name in "abc"]
    run = house(observe(*good, {"observation_id": "bad", "provider": "d"} | rows), indices=[EAST])
    assert run.exclusions.select("observation_id", "rule", "value").rows() == [("bad", rule, shown)]
    assert value(run) == [2.0]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_never_matters(seed: int, observe: Observe) -> None:
    seen = pl.concat([cleared(72, regions=("us-east", "us-west")), quoted(observe, 60)], how="diagonal_relaxed")
    sorted_, shuffled = house(seen, days=3), house(seen.sample(fraction=1.0, shuffle=True, seed=seed), days=3)
    assert_frame_equal(sorted_.marks, shuffled.marks, check_exact=True)
    assert_frame_equal(sorted_.exclusions, shuffled.exclusions)
    assert sorted_.audits["audit"].to_list() == shuffled.audits["audit"].to_list()


def test_what_comes_after_the_window_changes_nothing() -> None:
    seen = cleared(96)
    until = house(seen.filter(pl.col("time") < MIDNIGHT + timedelta(days=2)), days=2)
    later = seen.with_columns(price=pl.when(pl.col("time") >= MIDNIGHT + timedelta(days=2)).then(99.0).otherwise("price"))
    assert_frame_equal(house(later, days=2).marks, until.marks, check_exact=True)
    assert house(later, days=2).audits["audit"].to_list() == until.audits["audit"].to_list()


def test_what_comes_at_the_cut_off_belongs_to_the_next_day(observe: Observe) -> None:
    rows = [{"provider": name, "price": price} for name, price in zip("abc", (1.9, 2.0, 2.1), strict=True)]
    at = {"provider": "a", "price": 50.0, "time": MIDNIGHT + timedelta(days=1)}
    before = at | {"time": MIDNIGHT + timedelta(days=1) - timedelta(microseconds=1)}
    assert value(house(observe(*rows, at))) == [2.0]
    assert value(house(observe(*rows, before))) == [2.1]


def test_prices_a_tenth_higher_make_marks_a_tenth_higher(observe: Observe) -> None:
    seen = pl.concat([cleared(48), quoted(observe, 40)], how="diagonal_relaxed")
    plain, scaled = house(seen, days=2).marks, house(seen.with_columns(pl.col("price") * 1.1), days=2).marks
    assert plain["value"].null_count() < plain.height
    np.testing.assert_allclose(scaled["value"].to_numpy(), plain["value"].to_numpy() * 1.1, rtol=0, atol=1.05e-6)  # printed to 1e-6


def test_indices_asked_for_are_the_only_ones_and_are_withheld_where_unseen() -> None:
    run = house(cleared(), indices=[EAST, "B200-SXM.US.FIRM"])
    assert run.marks.select("index", "status").rows() == [("B200-SXM.US.FIRM", "withheld"), (EAST, "published")]


def test_marks_are_a_checked_table_with_the_cut_off_as_publication() -> None:
    marks = house(cleared(48), days=2).marks
    assert Marks.is_valid(marks)
    assert marks["published_at"].to_list() == marks["end"].to_list()
    assert (marks["end"] - marks["start"]).dt.total_hours().unique().to_list() == [24]


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 14), 23), (date(2026, 11, 1), 25)])
def test_a_day_of_the_clock_change_counts_all_its_hours(day: date, hours: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    run = house(cleared(96, start=start), first=day, indices=[EAST])
    assert run.audit(EAST, day).entry["counts"]["used"] == hours


@pytest.mark.parametrize("seed", range(3))
def test_marks_agree_with_the_rule_written_out_in_plain_python(seed: int, observe: Observe) -> None:
    seen = pl.concat([cleared(30, seed=seed, regions=("us-east", "us-west")), quoted(observe, 80, seed=seed)], how="diagonal_relaxed")
    rows, compared = list(seen.iter_rows(named=True)), 0
    for found in house(seen, days=3).marks.iter_rows(named=True):
        _, region, tier = found["index"].split(".")
        members = {"US": ("us-east", "us-west"), "GLOBAL": (None, "us-east", "us-west")}.get(region, (region.lower(),))
        mine = [row for row in rows if row["region"] in members and row["tier"] == tier.lower()]
        today = [row for row in mine if found["start"] <= row["time"] < found["end"]]
        expected = plainly(today)
        if expected is not None:
            assert found["value"] == pytest.approx(expected, abs=5.1e-7)
            compared += 1
    assert compared >= 10


def test_bad_rows_are_refused_with_every_fault(observe: Observe) -> None:
    seen = observe({"price": float("nan")}, {"price": 2.0, "observation_id": "o0"})
    with pytest.raises(InputError) as refusal:
        house(seen)
    assert {fault.column for fault in refusal.value.faults} == {"price", "observation_id"}


def test_one_index_of_two_units_is_refused(observe: Observe) -> None:
    with pytest.raises(InputError, match=r"found 1e6 tokens and GPUh, expected one unit in the index H100-SXM\.GLOBAL\.FIRM"):
        house(observe({"price": 1.0, "unit": "1e6 tokens"}, {"price": 2.0, "unit": None}))


def test_an_attribute_may_be_called_like_a_column_of_the_calculation() -> None:
    seen = cleared(48)
    names = ["index", "day", "seen", "label", "digest", "rule", "value", "limit", "row"]
    odd = seen.with_columns(pl.lit("odd").alias(name) for name in names)
    assert_frame_equal(house(odd, days=2).marks, house(seen, days=2).marks)
    assert house(odd, days=2).audits["audit"].to_list() != house(seen, days=2).audits["audit"].to_list()  # their input differs


def test_no_day_is_refused() -> None:
    with pytest.raises(InputError, match="a first day before the end"):
        house(cleared(), days=0)


def test_a_mark_that_is_not_in_the_run_has_no_audit() -> None:
    with pytest.raises(NotPublishedError, match=r"H100-SXM\.MARS\.FIRM has no mark of 2027-01-05"):
        house(cleared()).audit("H100-SXM.MARS.FIRM", DAY)


def test_nothing_seen_gives_no_marks() -> None:
    run = house(cleared().clear())
    assert (run.marks.height, run.audits.height, run.exclusions.height) == (0, 0, 0)


def test_a_cut_off_in_the_afternoon_moves_the_day(tmp_path: Path) -> None:
    path = tmp_path / "afternoon.toml"
    path.write_text((SHIPPED / "house.toml").read_text().replace("24:00", "16:00"))
    seen = cleared(48)
    run = mark(seen, methodology=path, first=date(2027, 1, 6), end=date(2027, 1, 7), indices=[EAST])
    close = datetime(2027, 1, 6, 21, tzinfo=UTC)
    rows = seen.filter(pl.col("tier") == "firm", pl.col("time") < close, pl.col("time") >= close - timedelta(days=1))
    assert rows.height == 24
    assert value(run) == [average(rows)]


def quoted(observe: Observe, count: int, *, seed: int = 1) -> pl.DataFrame:
    """List prices and firm quotes of several providers over three days, spot, so that they make indices of their own, and firm."""
    rng = np.random.default_rng(seed)
    return observe(
        *(
            {
                "observation_id": f"q{number:03}",
                "time": MIDNIGHT + timedelta(hours=float(rng.uniform(0, 72))),
                "provider": f"p{rng.integers(7)}",
                "region": [None, "us-east", "us-west"][number % 3],
                "tier": ["firm", "spot"][number % 2],
                "price": float(rng.uniform(1, 4)),
                "kind": ["list price", "firm quote"][int(rng.integers(2))],
            }
            for number in range(count)
        )
    )


def average(rows: pl.DataFrame) -> float:
    """Prices weighted by quantity, as printed."""
    prices, quantities = rows["price"].to_numpy(), rows["quantity"].to_numpy()
    return round(float((prices * quantities).sum() / quantities.sum()), 6)


def plainly(rows: list[dict[str, Any]]) -> float | None:
    """The house's first sufficient level in loops; None where no level suffices to publish."""
    sold = [row for row in rows if row["kind"] == "clearing" and row["quantity"]]
    if len(sold) >= 12:
        return float(sum(row["price"] * row["quantity"] for row in sold) / sum(row["quantity"] for row in sold))
    for kind in ("firm quote", "list price"):
        votes: dict[str, list[float]] = {}
        for row in rows:
            if row["kind"] == kind:
                votes.setdefault(row["provider"], []).append(row["price"])
        if len(votes) == 3:
            return float(np.median([np.median(prices) for prices in votes.values()]))
        if len(votes) > 3:
            each = sorted(float(np.median(prices)) for prices in votes.values() for _ in range(4))
            quarter = len(votes)
            return sum(each[quarter:-quarter]) / (2 * quarter)
    return None

"""Weights of contributors from what they showed. The offers here are made up."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.marks import mark
from tenorgrid.indices.methodology import load
from tenorgrid.indices.reviews import reviewed
from tests.indices.eucri_plainly import printed

SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
MONDAY = date(2027, 3, 8)
OLD, NEW = "eu-cri-0.2.0", "eu-cri-0.3.0"
INDEX = "H100-SXM.EU.FIRM"
OFFER: dict[str, Any] = {
    "resource": "h100-sxm",
    "region": "de",
    "tier": "firm",
    "kind": "firm quote",
    "gpu_count": 8.0,
    "price": 2.0,
    "country": "DE",
    "term": "on_demand",
}
LISTS = ("nimbus", "cirrus", "stratus", "cumulus")


def offers(*rows: dict[str, Any]) -> pl.DataFrame:
    """A table of offers: each mapping says provider and day, and what differs from `OFFER`; a list price is told by its kind."""
    full = []
    for number, row in enumerate(rows):
        day = row["day"]
        moment = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)
        full.append({"observation_id": f"o{number:03}", "time": moment} | OFFER | {key: row[key] for key in row if key != "day"})
    return pl.DataFrame(full, infer_schema_length=None)


def weights(frame: pl.DataFrame, methodology: str, column: str) -> list[float | None]:
    return reviewed(frame, load(methodology))[column].to_list()


def test_until_there_is_a_history_a_contributor_weighs_what_it_shows_today() -> None:
    frame = offers(
        {"day": MONDAY, "provider": "bazaar", "gpu_count": 8.0},
        {"day": MONDAY, "provider": "bazaar", "gpu_count": 16.0},
        {"day": MONDAY, "provider": "souk", "gpu_count": 40.0},
        {"day": MONDAY, "provider": "souk", "gpu_count": 40.0},
        {"day": MONDAY, "provider": "nimbus", "kind": "list price"},
        {"day": MONDAY, "provider": "nimbus", "kind": "list price"},
        {"day": MONDAY, "provider": "foreign", "country": "US"},
    )
    # 2 x 24; 2 x 64, the most that counts; a list price shows no capacity however often it stands there
    assert weights(frame, OLD, "review_weight") == [48.0, 48.0, 128.0, 128.0, 8.0, 8.0, None]


def history(counts: dict[int, float], *, others: int = 5) -> list[dict[str, Any]]:
    """Offers of a bazaar on days before `MONDAY`, by how many days, and one of another class on each of the `others` days before."""
    seen = [{"day": MONDAY - timedelta(back), "provider": "bazaar", "gpu_count": gpus} for back, gpus in counts.items()]
    elsewhere = [{"day": MONDAY - timedelta(back), "provider": "souk", "resource": "a100-sxm"} for back in range(1, others + 1)]
    return seen + elsewhere


def test_a_review_takes_the_median_of_the_window_times_presence() -> None:
    frame = offers(*history({1: 8.0, 2: 24.0, 4: 16.0}), {"day": MONDAY, "provider": "bazaar", "gpu_count": 64.0})
    assert weights(frame, OLD, "review_weight")[-1] == pytest.approx(2 * 16 * 3 / 5, rel=1e-15)  # three of five days of collection


def test_one_day_of_collection_less_and_the_day_itself_counts() -> None:
    frame = offers(*history({1: 8.0, 2: 24.0, 4: 16.0}, others=4), {"day": MONDAY, "provider": "bazaar", "gpu_count": 64.0})
    assert weights(frame, OLD, "review_weight")[-1] == 128.0


def test_a_newcomer_weighs_as_if_its_capacity_were_unknown() -> None:
    today = [{"day": MONDAY, "provider": "fresh", "gpu_count": 64.0}, {"day": MONDAY, "provider": "list", "kind": "list price"}]
    assert weights(offers(*history({1: 8.0}), *today), OLD, "review_weight")[-2:] == [16.0, 8.0]


@pytest.mark.parametrize(("later", "expected"), [(0, 16.0), (6, 16.0), (7, 2 * 36 * 2 / 6)])
def test_weights_stand_from_monday_to_sunday(later: int, expected: float) -> None:
    """Seen with 8 GPUs on each of five days of collection; on Monday itself 64, which the next Monday's review looks at."""
    before = history(dict.fromkeys(range(1, 6), 8.0))
    if later == 7:  # the window moved on by a week holds these two days of it, and four of collection alone
        before = history({1: 8.0}, others=5)
    now = [{"day": MONDAY, "provider": "bazaar", "gpu_count": 64.0}, {"day": MONDAY + timedelta(later), "provider": "bazaar", "price": 2.5}]
    assert weights(offers(*before, *now), OLD, "review_weight")[-1] == expected


def test_what_lies_before_the_window_or_after_monday_is_not_looked_at() -> None:
    far = [{"day": MONDAY - timedelta(back), "provider": "bazaar", "gpu_count": 64.0} for back in (29, 40)]
    after = [{"day": MONDAY + timedelta(2), "provider": "bazaar", "gpu_count": 64.0}]
    rows = [*history({1: 8.0, 28: 8.0}), {"day": MONDAY, "provider": "bazaar"}]
    plain = weights(offers(*rows), OLD, "review_weight")[len(rows) - 1]
    assert plain == 2 * 8 * 2 / 6  # the 28th day before is a sixth day of collection
    assert weights(offers(*rows, *far, *after), OLD, "review_weight")[len(rows) - 1] == plain


def test_a_weight_is_spread_over_offers_by_their_gpus() -> None:
    frame = offers(
        {"day": MONDAY, "provider": "vast.ai", "gpu_count": 2.0},
        {"day": MONDAY, "provider": "vast.ai", "gpu_count": 6.0},
        {"day": MONDAY, "provider": "vast.ai", "gpu_count": 1.0},
        {"day": MONDAY, "provider": "nebius", "kind": "list price", "gpu_count": 8.0},
        {"day": MONDAY, "provider": "nebius", "kind": "list price", "gpu_count": 640.0},
    )
    assert weights(frame, NEW, "offer_weight") == [0.5, 1.5, None, 8 / 72, 64 / 72]


def test_a_day_ends_at_the_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "afternoon.toml"
    path.write_text((SHIPPED / f"{OLD}.toml").read_text().replace("24:00 UTC", "16:00 UTC"))
    frame = offers(*({"day": MONDAY, "provider": "bazaar", "gpu_count": gpus} for gpus in (8.0, 16.0, 32.0)))
    clock = [datetime(2027, 3, 8, 15, 59, 59, tzinfo=UTC), datetime(2027, 3, 8, 16, tzinfo=UTC), datetime(2027, 3, 9, 15, tzinfo=UTC)]
    assert reviewed(frame.with_columns(time=pl.Series(clock)), load(path))["review_weight"].to_list() == [16.0, 96.0, 96.0]


def test_a_list_price_of_who_asks_a_firm_one_is_excluded_by_name() -> None:
    rows = [{"day": MONDAY, "provider": name, "kind": "list price", "price": 3.0} for name in LISTS]
    frame = offers(*rows, {"day": MONDAY, "provider": "nimbus", "price": 2.8})
    run = mark(frame, methodology=OLD, first=MONDAY, end=MONDAY + timedelta(1), indices=[INDEX])
    assert run.exclusions.select("observation_id", "rule", "value", "limit").rows() == [("o000", "review_weight", "nothing", "above 0")]
    assert run.marks["value"].to_list() == [None]  # four contributors


def test_no_contributor_has_more_than_a_quarter_of_the_whole() -> None:
    """A market with 64 GPUs at 2.00 would have 128 of 160 by weight; with a quarter it no longer makes the price."""
    listed = [{"day": MONDAY, "provider": name, "kind": "list price", "price": 3.0 + 0.1 * place} for place, name in enumerate(LISTS)]
    frame = offers({"day": MONDAY, "provider": "bazaar", "gpu_count": 64.0}, *listed)
    assert mark(frame, methodology=OLD, first=MONDAY, end=MONDAY + timedelta(1), indices=[INDEX]).marks["value"].to_list() == [3.1]


@pytest.mark.parametrize("version", ["0.2.0", "0.3.0"])
@pytest.mark.parametrize("seed", range(6))
def test_made_up_markets_agree_with_the_rule_in_plain_loops(version: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [*LISTS, "bazaar", "souk", "vast.ai", "runpod", "nebius", "seeweb", "scaleway", "hetzner"]
    rows = []
    for back in range(20):
        for name in rng.choice(names, size=rng.integers(6, 12), replace=False):
            kind = "list price" if name in LISTS or rng.random() < 0.3 else "firm quote"
            for _ in range(rng.integers(1, 4)):
                gpus, place = float(rng.choice([1, 2, 4, 8, 8, 16])), str(rng.choice(["DE", "DE", "US"]))
                price = round(float(rng.choice([0.1, *rng.uniform(1.5, 6, 9)])), 3)
                rows.append(
                    {
                        "day": MONDAY + timedelta(6 - back),
                        "provider": name,
                        "kind": kind,
                        "gpu_count": gpus,
                        "country": place,
                        "price": price,
                    }
                )
    frame = offers(*rows)
    run = mark(frame, methodology=f"eu-cri-{version}", first=MONDAY, end=MONDAY + timedelta(7), indices=[INDEX])
    ours = dict(run.marks.select(pl.col("start").dt.date(), "value").iter_rows())
    told = frame.filter(pl.col("provider").is_in(names[6:])) if version == "0.3.0" else frame  # the population is listed by name
    if version == "0.2.0":  # the plain rule takes them all, and prefers a contributor's firm quotes
        assert any(value is not None for value in ours.values())
    for day, value in ours.items():
        plainly = printed(told.to_dicts(), day, version=version, resource="h100-sxm", clamping=False)
        assert value == (None if plainly.value is None else round(plainly.value, 6))


def test_the_order_of_rows_changes_nothing() -> None:
    frame = offers(*history({1: 8.0, 2: 24.0}), {"day": MONDAY, "provider": "bazaar"}, {"day": MONDAY, "provider": "fresh"})
    turned = reviewed(frame.reverse(), load(OLD)).reverse()
    assert turned.equals(reviewed(frame, load(OLD)))


def test_a_methodology_without_a_review_leaves_observations_alone() -> None:
    frame = offers({"day": MONDAY, "provider": "bazaar"})
    assert reviewed(frame, load("house")) is frame


def test_a_weight_that_stands_in_the_file_and_a_missing_capacity_are_refused() -> None:
    frame = offers({"day": MONDAY, "provider": "bazaar"})
    with pytest.raises(InputError, match="column review_weight: expected no such column"):
        reviewed(frame.with_columns(review_weight=pl.lit(100.0)), load(OLD))
    with pytest.raises(InputError, match="column gpu_count: found a missing column"):
        reviewed(frame.drop("gpu_count"), load(OLD))


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ('standing = "capacity"', 'standing = "size"', "review.standing", "one of capacity, kind"),
        ('standing = "capacity"', 'standing = "kind"', "review.schedule", "where contributors weigh by capacity"),
        ('standing = "capacity"', 'standing = "kind"', "review.observed", "nothing where contributors weigh by kind"),
        ('standing = "capacity"', 'standing = "kind"', "review.at_most", "nothing where capacity neither makes"),
        ('column = "gpu_count"\nat_most', "at_most", "review.column", "the column of the capacity"),
        ("unknown = 8\n", "", "review.unknown", "this, where contributors weigh by capacity"),
        ('spread = "whole"', 'spread = "even"', "review.spread", "one of whole, by capacity"),
        ('"list price" = 1.0', '"survey" = 1.0', "review.multiples.survey", "kinds out of trade"),
        ('"list price" = 1.0', '"list price" = 0.0', "review.multiples.list price", "a number above 0"),
        ('observed = ["firm quote"]', 'observed = ["trade"]', "review.observed", "kinds that have a multiple"),
        ("at_most = 64", "at_most = -1", "review.at_most", "a number above 0"),
        ('weekday = "Monday"', 'weekday = "Mon"', "review.schedule.weekday", "one of Monday, Tuesday"),
        ("least_days = 5", "least_days = 29", "review.schedule.least_days", "at most the 28 days of the window"),
        ("least_days = 5", "least_days = 5\nevery = 2", "review.schedule.every", "one of the keys least_days"),
        ('name = "review_weight"', 'name = "digest"', "review.name", "a column other than index"),
    ],
)
def test_a_review_that_makes_no_sense_is_refused_by_name(tmp_path: Path, old: str, new: str, column: str, expected: str) -> None:
    text = (SHIPPED / f"{OLD}.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as refusal:
        load(path)
    assert any(fault.column == f"levels[1].{column}" and expected in fault.expected for fault in refusal.value.faults), str(refusal.value)

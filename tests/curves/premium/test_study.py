"""The premium of series: NYISO's, what was known when, and what a trade would have earned."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.premium.pairs import lead_days, pairs_of_prices
from tenorgrid.curves.premium.panel import naive_forecasts, panel, trailing_moments
from tenorgrid.curves.premium.study import paired, study
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.two_settlement import read_two_settlement
from tenorgrid.data.terms.market import Market

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
ZONES, ZONE_J = SHARED / "nyiso_da_rt_hourly_lmp_11zones.csv.gz", SHARED / "nyiso_zoneJ_nyc_da_rt_hourly_2020_2023.csv.gz"
ZONE, NOW, LEADS = "America/New_York", datetime(2027, 1, 4, 5, tzinfo=UTC), {"day-ahead": 1}


def made(days: int, *, seed: int = 0, premium: float = 0.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    real = 30 + 5 * np.sin(np.arange(24 * days) * np.pi / 12) + rng.normal(size=24 * days) * 2
    return pl.DataFrame(
        {
            "horizon": ["day-ahead"] * real.size, "series": ["A"] * real.size,
            "start": [NOW + timedelta(hours=h) for h in range(real.size)],
            "ahead": real + premium + rng.normal(size=real.size), "real": real,
        }
    )  # fmt: skip


@pytest.mark.skipif(not ZONES.exists(), reason="needs NYISO's day-ahead and real-time prices of 11 zones")
def test_naive_errors_give_the_wrong_verdict_on_nyiso() -> None:
    pairs = read_two_settlement(ZONES)
    bias = study(pairs.filter(pl.col("series").is_in(["N.Y.C.", "WEST", "LONGIL"])), leads=LEADS, timezone=ZONE).bias.filter(hour=-1)
    found = {row["series"]: row for row in bias.iter_rows(named=True)}
    assert found["N.Y.C."]["bias"] == pytest.approx(-2.286921, abs=5e-7)
    assert found["N.Y.C."]["naive_t"] == pytest.approx(-2.8629, abs=5e-5)
    assert abs(found["N.Y.C."]["hac_t"]) < 1.1
    assert (found["N.Y.C."]["naive_verdict"], found["N.Y.C."]["verdict"]) == ("real above ahead", "none")
    assert (found["WEST"]["naive_verdict"], found["WEST"]["verdict"]) == ("ahead above real", "none")
    assert found["LONGIL"]["verdict"] == "ahead above real"


@pytest.mark.skipif(not ZONE_J.exists(), reason="needs NYISO's prices of Zone J, 2020 to 2023")
def test_a_file_with_holes_is_read_with_its_holes() -> None:
    pairs = read_two_settlement(ZONE_J)
    assert pairs.height == 10907
    found = study(pairs, leads=LEADS, timezone=ZONE)
    row = found.bias.filter(hour=-1).row(0, named=True)
    assert row["bias"] == pytest.approx(-0.132376, abs=5e-7)
    assert row["hac_error"] > 2 * row["naive_error"]
    assert found.days.height == pairs["start"].dt.convert_time_zone(ZONE).dt.date().n_unique()


@settings(deadline=None, max_examples=8)
@given(days=st.integers(30, 50), more=st.integers(1, 20), seed=st.integers(0, 99), lead=st.integers(0, 7))
def test_rows_of_the_future_change_no_past_row(days: int, more: int, seed: int, lead: int) -> None:
    leads = {"day-ahead": lead}
    past = made(days, seed=seed)
    later = made(more, seed=seed + 1, premium=50.0).with_columns(pl.col("start").dt.offset_by(f"{24 * days}h"))
    before, after = (study(pairs, leads=leads, timezone=ZONE).days for pairs in (past, pl.concat([past, later])))
    assert before.equals(after.head(before.height))
    assert after.height == before.height + more


def test_what_is_said_of_a_day_hangs_on_no_real_price_of_its_last_known_days() -> None:
    """With a lead of a day, real prices of the day before and of the day itself are not known."""
    pairs = made(45)
    day = date(2027, 2, 10)
    late = pl.col("start").dt.convert_time_zone(ZONE).dt.date() >= day - timedelta(1)
    changed = pairs.with_columns(pl.when(late).then(pl.col("real") * 9).otherwise(pl.col("real")).alias("real"))
    before, after = (study(frame, leads=LEADS, timezone=ZONE).days.filter(day=day) for frame in (pairs, changed))
    known = ["ahead", "ex_ante", "variance", "third_moment"]
    assert before.select(known).equals(after.select(known))
    assert not before.select("ex_post").equals(after.select("ex_post"))


def test_forecasts_and_moments_agree_with_loops() -> None:
    grid = panel(made(40, seed=4), timezone=ZONE)
    naive = naive_forecasts(grid.real, lag=2)
    assert naive["last day"][20] == pytest.approx(grid.real[18])
    assert naive["last week"][20] == pytest.approx(grid.real[13])
    assert naive["mean"][20] == pytest.approx(grid.real[:19].mean(axis=0))
    daily = grid.real.mean(axis=1)
    variance, third = trailing_moments(daily, lag=2, window=10)
    seen = daily[9:19]
    assert variance[20] == pytest.approx(seen.var())
    assert third[20] == pytest.approx(((seen - seen.mean()) ** 3).mean())
    assert np.isnan(variance[:5]).all()


def test_a_premium_that_stays_is_earned_and_one_that_is_not_there_is_not() -> None:
    stays, none = (study(made(60, premium=premium), leads=LEADS, timezone=ZONE) for premium in (3.0, 0.0))
    assert stays.bias.filter(hour=-1)["verdict"][0] == "ahead above real"
    assert stays.virtuals.row(0, named=True)["verdict"] == "open"
    assert stays.virtuals["profit"][0] == pytest.approx(3.0, abs=0.2)
    assert none.virtuals["verdict"][0] == "closed"
    dear = study(made(60, premium=3.0), leads=LEADS, timezone=ZONE, cost=4.0).virtuals
    assert (dear["verdict"][0], dear["cost"][0]) == ("closed", 4.0)
    assert stays.forecasts.filter(rival="last day")["statistic"][0] != none.forecasts.filter(rival="last day")["statistic"][0]


def test_two_markets_are_compared_day_by_day() -> None:
    near, far = (study(made(40, premium=premium), leads=LEADS, timezone=ZONE).days for premium in (0.0, 3.0))
    row = paired(near, far, leads=LEADS).row(0, named=True)
    assert (row["verdict"], row["days"]) == ("smaller", 40)
    assert row["other_bias"] - row["bias"] == pytest.approx(3.0, abs=1e-9)
    assert paired(near, near, leads=LEADS)["verdict"][0] == "same"
    with pytest.raises(InputError, match="days of a series in common"):
        paired(near, far.with_columns(series=pl.lit("B")), leads=LEADS)


def test_a_markets_own_prices_make_pairs(market: Market, prices: pl.DataFrame) -> None:
    pairs = pairs_of_prices(prices, market=market)
    row = pairs.row(0, named=True)
    resource, location, tier = row["series"].split(".")
    node = prices.filter(resource=resource, location=location, tier=tier, start=row["start"])
    assert row["ahead"] == node.filter(horizon=row["horizon"])["price"][0]
    assert row["real"] == node.filter(horizon="real-time")["price"][0]
    assert lead_days(market) == {"month-ahead": 30, "week-ahead": 7, "day-ahead": 1}
    with pytest.raises(InputError, match="of the same hours ahead and in real time"):
        pairs_of_prices(prices.filter(horizon="real-time"), market=market)


def test_bad_tables_files_and_leads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found day-ahead, expected one of week-ahead"):
        study(made(3), leads={"week-ahead": 7})
    with pytest.raises(InputError, match="a window of at least 6 days"):
        study(made(3), leads=LEADS, window=2)
    file = tmp_path / "prices.csv"
    file.write_text("Time,Location,LMP_DAM,LMP_RTM\n2027-03-14 02:00:00,A,1,2\n2027-03-14 03:00:00,A,1,2\n")
    with pytest.raises(InputError, match=r"prices.csv row 1, column Time: .* an hour that the clock of America/New_York shows"):
        read_two_settlement(file)
    file.write_text("Time,Location,LMP_DAM,LMP_RTM\n2027-03-14 01:00:00,A,x,2\nyesterday,A,1,2\n")
    with pytest.raises(InputError) as refused:
        read_two_settlement(file)
    assert [fault.column for fault in refused.value.faults] == ["LMP_DAM", "Time"]

"""The sequence of horizons: what each run may see, what it passes on, and what that pays."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.state import CARRIED, State
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Horizon, Market

START = datetime(2027, 1, 5, tzinfo=UTC)
LEADS = (("week-ahead", 7), ("day-ahead", 1), ("real-time", 0))
NAMES = tuple(name for name, _ in LEADS)
Make = Callable[..., Case]
Terms = Callable[..., Market]


def three(market_terms: Terms, **changed: Any) -> Market:
    return market_terms(horizons=tuple(Horizon(name=name, lead=timedelta(days=days)) for name, days in LEADS), **changed)


def hours(begin: int, end: int) -> dict[str, datetime]:
    return {"start": START + timedelta(hours=begin), "end": START + timedelta(hours=end)}


def days_of(plain_market: Make, terms: Market, *, count: int = 6, **changed: Any) -> Case:
    """A market of `count` days at three horizons: two offers for all, a bid for each day and horizon, and a dec of each horizon."""
    whole = hours(0, 24 * count)
    offers = [{"offer_id": f"s{n}", "quantity": 10.0, "price": 1.0 + n, **whole} for n in range(3)]
    bids = [
        {"horizon": name, "bid_id": f"{name}-{day}", "quantity": 4.0 + day + 3 * at, "value": 9.0, **hours(24 * day, 24 * day + 24)}
        for at, name in enumerate(NAMES)
        for day in range(count)
    ]
    virtuals = [{"horizon": name, "bid_id": f"dec-{name}", "side": "dec", "quantity": 7.0, "price": 2.5, **whole} for name in NAMES[:-1]]
    return plain_market(terms, offers=offers, bids=bids, virtuals=virtuals, **changed)


def replaced(case: Case, **tables: pl.DataFrame) -> Case:
    return Case(market=case.market, **(case.tables() | tables))


def at(run: ClearingRun, name: str) -> dict[str, pl.DataFrame]:
    """What a run published of one horizon, without the time taken."""
    here = {key: table.filter(pl.col("horizon") == name) for key, table in run.tables().items()}
    return here | {"certificate": here["certificate"].drop("seconds")}


def unchanged(first: ClearingRun, second: ClearingRun, name: str) -> bool:
    tables, others = at(first, name), at(second, name)
    return all(table.equals(others[key], null_equal=True) for key, table in tables.items())


@pytest.mark.parametrize("moved", range(3))
def test_a_changed_bid_moves_its_horizon_and_none_before_it(moved: int, plain_market: Make, market_terms: Terms) -> None:
    case = days_of(plain_market, three(market_terms), count=3)
    other = (
        pl.when((pl.col("bid_id") == f"{NAMES[moved]}-1") & (pl.col("horizon") == NAMES[moved])).then(15.0).otherwise(pl.col("quantity"))
    )
    first, second = clear_horizons(case), clear_horizons(replaced(case, bids=case.bids.with_columns(other.alias("quantity"))))
    assert [unchanged(first, second, name) for name in NAMES[: moved + 1]] == [True] * moved + [False]


def test_a_changed_virtual_bid_moves_the_ahead_runs_from_its_own_on_and_not_real_time(plain_market: Make, market_terms: Terms) -> None:
    case = days_of(plain_market, three(market_terms), count=2)
    larger = pl.when(pl.col("horizon") == "week-ahead").then(12.0).otherwise(pl.col("quantity"))
    first, second = clear_horizons(case), clear_horizons(replaced(case, virtuals=case.virtuals.with_columns(larger.alias("quantity"))))
    assert [unchanged(first, second, name) for name in NAMES] == [False, False, True]


def test_each_horizon_ends_where_its_market_has_not_run_yet(plain_market: Make, market_terms: Terms) -> None:
    run = clear_horizons(days_of(plain_market, three(market_terms), count=10), as_of=date(2027, 1, 7))
    ends = dict(run.prices.group_by("horizon").agg(pl.col("start").max() + pl.lit(timedelta(hours=1))).iter_rows())
    assert ends == {
        "real-time": datetime(2027, 1, 7, tzinfo=UTC),
        "day-ahead": datetime(2027, 1, 8, tzinfo=UTC),
        "week-ahead": datetime(2027, 1, 14, tzinfo=UTC),
    }


def test_rows_of_markets_that_run_at_or_after_as_of_change_no_output(plain_market: Make, market_terms: Terms) -> None:
    terms = three(market_terms)
    case = days_of(plain_market, terms, count=10)
    until = {name: terms.cleared_until(horizon, date(2027, 1, 7)) for name, horizon in zip(NAMES, terms.horizons, strict=True)}
    late = pl.col("start") >= pl.col("horizon").replace_strict(until, return_dtype=pl.Datetime("us", "UTC"))
    wild = pl.when(late).then(pl.col("quantity") * 3).otherwise(pl.col("quantity"))
    dear = pl.when(late).then(8.0).otherwise(pl.col("value"))
    other = replaced(case, bids=case.bids.with_columns(wild.alias("quantity"), dear.alias("value")))
    assert other.bids.filter(late).height > 5
    first, second = clear_horizons(case, as_of=date(2027, 1, 7)), clear_horizons(other, as_of=date(2027, 1, 7))
    fewer = clear_horizons(replaced(case, bids=case.bids.filter(~late)), as_of=date(2027, 1, 7))
    for run in (second, fewer):
        for name in NAMES:
            assert unchanged(first, run, name)
        assert_frame_equal(first.headroom, run.headroom)
        assert_frame_equal(first.state.virtuals, run.state.virtuals)


def test_new_rows_dated_at_or_after_as_of_change_no_output(plain_market: Make, market_terms: Terms) -> None:
    """Rows of another place and without a horizon too, from the last instant that any horizon clears."""
    places = {"locations": [{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}]}
    case = days_of(plain_market, three(market_terms), count=10, **places)
    after = hours(24 * 9, 24 * 10)
    offer = case.offers.head(1).with_columns(
        pl.lit("new").alias("offer_id"), pl.lit("l2").alias("location"), *(pl.lit(time).alias(name) for name, time in after.items())
    )
    bid = case.bids.head(1).with_columns(
        pl.lit(None, dtype=pl.String).alias("horizon"),
        pl.lit("new").alias("bid_id"),
        pl.lit("l2").alias("home"),
        *(pl.lit(time).alias(name) for name, time in after.items()),
    )
    offers = pl.concat([case.offers, offer.cast(case.offers.schema)])
    bids = pl.concat([case.bids, bid.cast(case.bids.schema)])
    more = replaced(case, offers=offers, bids=bids)
    first, second = clear_horizons(case, as_of=date(2027, 1, 7)), clear_horizons(more, as_of=date(2027, 1, 7))
    for name in NAMES:
        assert unchanged(first, second, name)
    first, second = (clear_horizons(one, horizons=("week-ahead",)) for one in (case, more))
    assert not unchanged(first, second, "week-ahead")


def test_a_virtual_position_stands_in_later_ahead_runs_and_pays_the_spread_to_real_time(plain_market: Make, market_terms: Terms) -> None:
    """Week ahead: bids of 4 and the dec of 7 at 2.5 need a second offer, λ = 2. Day ahead: 7, the dec of 7 carried and a new one of 7
    at 2.5 are more than 20: λ = 2.5 and the new one is served 6. Real time: 10 hours are offered at 1 USD and 10 wanted."""
    run = clear_horizons(days_of(plain_market, three(market_terms), count=1))
    virtual = run.awards.filter(pl.col("side") == "dec", pl.col("start") == START).sort("horizon", "id")
    got = {(row["horizon"], row["id"]): (row["quantity"], row["price"]) for row in virtual.to_dicts()}
    assert set(got) == {("week-ahead", "dec-week-ahead"), ("day-ahead", "dec-week-ahead"), ("day-ahead", "dec-day-ahead")}
    assert got["week-ahead", "dec-week-ahead"] == pytest.approx((7.0, 2.0))
    assert got["day-ahead", "dec-week-ahead"] == pytest.approx((7.0, 2.5))
    assert got["day-ahead", "dec-day-ahead"] == pytest.approx((6.0, 2.5))
    prices = {name: run.prices.filter(pl.col("horizon") == name, pl.col("start") == START)["price"][0] for name in NAMES}
    gross = {"week-ahead": 7.0, "day-ahead": 7.0, "real-time": 0.0}  # positions by horizon: none is left in real time
    before, cash = 0.0, 0.0
    for name in NAMES:
        cash -= prices[name] * (gross[name] - before)
        before = gross[name]
    assert cash == pytest.approx((prices["real-time"] - prices["week-ahead"]) * 7.0)


def surplus(run: ClearingRun, horizon: str) -> dict[str, Any]:
    return run.surplus.filter(horizon=horizon, pricing="marginal").row(0, named=True)


def test_a_carried_dec_counts_in_the_surplus_with_what_it_pays(plain_market: Make, market_terms: Terms) -> None:
    """Week ahead, an hour: 4 · 9 + 7 · 2.5 − 10 · 1 − 1 · 2 = 41.5 at λ = 2. Day ahead: work of 7, the dec of 7 carried, 6 of the new dec
    at its limit of 2.5, which is λ: 7 · 9 + 6 · 2.5 − 10 · 1 − 10 · 2 = 48, of which the carried dec pays 17.5."""
    run = clear_horizons(days_of(plain_market, three(market_terms), count=1))
    week, day = surplus(run, "week-ahead"), surplus(run, "day-ahead")
    assert (week["total"], week["virtuals"]) == pytest.approx((24 * 41.5, 24 * 3.5), abs=1e-6)
    assert (day["total"], day["virtuals"]) == pytest.approx((24 * 48.0, 24 * -17.5), abs=1e-6)
    parts = ("buyers", "suppliers", "transfer", "congestion", "reserve", "virtuals", "shortfall")
    assert sum(day[part] for part in parts) == pytest.approx(day["total"], abs=1e-6)


def test_a_carried_inc_counts_in_the_surplus_with_what_it_earns(plain_market: Make, market_terms: Terms) -> None:
    """Week ahead 2 of the inc are sold at 1.5. Day ahead they stand at the floor of −1 beside 10 · 1, any λ from 1 to 2 would do, and the
    12 · 9 − 10 · 1 = 98 of an hour hold no word of the floor."""
    whole = hours(0, 1)
    offers = [{"offer_id": f"s{n}", "quantity": 10.0, "price": 1.0 + n, **whole} for n in range(2)]
    bids = [{"horizon": name, "bid_id": name, "quantity": 12.0, "value": 9.0, **whole} for name in NAMES]
    inc = [{"horizon": "week-ahead", "bid_id": "inc", "side": "inc", "quantity": 4.0, "price": 1.5, **whole}]
    run = clear_horizons(plain_market(three(market_terms, price_floor=-1.0), offers=offers, bids=bids, virtuals=inc))
    day = surplus(run, "day-ahead")
    assert (day["total"], day["virtuals"]) == pytest.approx((98.0, 3.0), abs=1e-6)


def test_the_state_of_a_run_starts_the_next_one(plain_market: Make, market_terms: Terms) -> None:
    case = days_of(plain_market, three(market_terms), count=2)
    whole = clear_horizons(case)
    first = clear_horizons(case, horizons=("week-ahead",))
    assert first.state.virtuals.schema == CARRIED
    assert first.state.virtuals["quantity"].sum() == pytest.approx(7.0 * 48)
    second = clear_horizons(case, horizons=("day-ahead",), state=first.state)
    assert second.state.virtuals["quantity"].sum() == pytest.approx(run_quantity(whole, "day-ahead"))
    last = clear_horizons(case, horizons=("real-time",), state=second.state)
    for name, run in zip(NAMES, (first, second, last), strict=True):
        assert unchanged(whole, run, name)
    assert last.state.virtuals.is_empty()
    without = clear_horizons(case, horizons=("day-ahead",))
    assert not unchanged(whole, without, "day-ahead")


def run_quantity(run: ClearingRun, horizon: str) -> float:
    return float(run.awards.filter(pl.col("horizon") == horizon, pl.col("side") == "dec")["quantity"].sum())


def test_positions_that_no_later_run_has_reached_stay_open(plain_market: Make, market_terms: Terms) -> None:
    """As of the third day, real time has closed two days, day ahead has seen three, and week ahead all of the six."""
    run = clear_horizons(days_of(plain_market, three(market_terms), count=6), as_of=date(2027, 1, 7))
    by_day = run.state.virtuals.group_by(pl.col("start").dt.date().alias("day")).agg(pl.col("id").unique().sort()).sort("day")
    assert by_day["day"].to_list() == [date(2027, 1, day) for day in (7, 8, 9, 10)]
    assert by_day["id"].to_list() == [["dec-day-ahead", "dec-week-ahead"], *[["dec-week-ahead"]] * 3]


def test_a_state_may_be_empty(plain_market: Make, market_terms: Terms) -> None:
    case = days_of(plain_market, three(market_terms), count=1)
    assert unchanged(clear_horizons(case), clear_horizons(case, state=State()), "day-ahead")


def test_progress_is_told_part_by_part(plain_market: Make, market_terms: Terms) -> None:
    told: list[tuple[int, int]] = []
    clear_horizons(days_of(plain_market, three(market_terms), count=11), progress=lambda done, count: told.append((done, count)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_unknown_horizon_is_refused_by_name(plain_market: Make, market_terms: Terms) -> None:
    case = days_of(plain_market, three(market_terms), count=1)
    with pytest.raises(InputError, match="hour-ahead"):
        clear_horizons(case, horizons=("hour-ahead",))


def test_a_case_of_which_nothing_is_left_to_clear_is_refused(plain_market: Make, market_terms: Terms) -> None:
    case = days_of(plain_market, three(market_terms), count=1)
    with pytest.raises(InputError, match="at least one bid"):
        clear_horizons(case, as_of=date(2026, 12, 1))

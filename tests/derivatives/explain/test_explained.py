"""What a book gained: known answers, other ways to the same numbers, what must hold, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise, permutations

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.contract import ExplainFactor
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue, valued
from tenorgrid.derivatives.explain import Explained, explained
from tenorgrid.derivatives.explain.carried import carried
from tenorgrid.derivatives.explain.passage import passage
from tenorgrid.derivatives.explain.worth import Worths

US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
MARCH = date(2027, 3, 18)
Valued = Callable[..., BookValue]
OPTIONS = ("running", "option", "between")


def by(found: Explained, factor: ExplainFactor, *, of: str = "greeks") -> float:
    rows = found.components.filter(pl.col("factor").cast(pl.String) == str(factor))
    return float(rows[of].item())


@pytest.fixture(scope="module")
def moved(on: Valued) -> Explained:
    """Options of three kinds over a day on which everything moves."""
    return explained(on(MARCH, *OPTIONS), on(MARCH + timedelta(days=1), *OPTIONS))


def test_a_quote_that_moves_by_a_cent_gains_its_delta_and_nothing_else(on: Valued, month: list[Market]) -> None:
    market = month[2]
    quote = f"{US}:2027-05"
    before = on(MARCH, "forward")
    after = on(MARCH, "forward", market=replace(market, curves={**market.curves, US: market.curves[US].bump(quote, 0.01)}))
    found = explained(before, after)
    hours, years = 31 * 24, (datetime.fromisoformat("2027-06-01T04:00Z") - market.as_of).total_seconds() / 86_400 / 365
    assert found.gain == pytest.approx(60 * hours * 0.01 * float(market.rate(US).factors(np.array([years]))[0]), rel=1e-9)
    assert by(found, ExplainFactor.CURVE) == pytest.approx(found.gain, abs=1e-8)
    assert [str(factor) for factor in found.greeks] == ["curve", "trades"]
    delta = dict(before.delta("quote").iter_rows())
    moves = found.moves.filter(pl.col("bucket") == quote)
    assert moves["move"].item() == pytest.approx(0.01, abs=1e-12)
    assert moves["first"].item() == pytest.approx(0.01 * delta[quote], rel=1e-9)


def test_a_day_s_mark_gains_its_surprise_over_the_days_of_the_month(on: Valued, month: list[Market]) -> None:
    free = [replace(one, discount=flat(0.0)) for one in month[2:4]]
    found = explained(on(MARCH, "march", market=free[0]), on(MARCH, "march", market=free[1]))
    curve = month[2].curves[US]
    expected = float(curve.forward[:24].mean())
    surprise = month[3].fixings[US][MARCH] - expected
    assert by(found, ExplainFactor.FIXINGS) == pytest.approx(-40 * (31 * 24 - 1) * surprise / 31, rel=1e-9)
    assert by(found, ExplainFactor.TIME) == pytest.approx(0.0, abs=1e-7)


def test_linear_trades_leave_no_residual(on: Valued, month: list[Market]) -> None:
    names = ("swap", "short", "forward", "march", "future", "spread", "peak")
    held = [replace(one, discount=flat(0.04)) for one in month[14:18]]
    for place in range(3):
        day = date(2027, 3, 30) + timedelta(days=place)
        found = explained(on(day, *names, market=held[place]), on(day, *names, market=held[place + 1]))
        assert abs(found.residual) < 1e-6
        assert found.size > 1_000


def test_a_month_that_ends_is_paid_in_cash(on: Valued, month: list[Market]) -> None:
    found = explained(on(date(2027, 4, 1), "swap"), on(date(2027, 4, 2), "swap"))
    fixings = [month[17].fixings[US][date(2027, 3, day)] for day in range(1, 32)]
    paid = 200 * (31 * 24 - 1) * (float(np.mean(fixings)) - 2.35)
    assert found.values["cash"].item() == pytest.approx(paid, rel=1e-12)
    assert found.gain == pytest.approx(found.values["after"].item() + paid - found.values["before"].item(), rel=1e-12)
    assert explained(on(date(2027, 3, 31), "swap"), on(date(2027, 4, 1), "swap")).values["cash"].item() == 0.0


def test_the_gains_of_a_life_are_what_was_paid_less_what_it_was_worth(on: Valued, month: list[Market]) -> None:
    days = [date(2027, 3, 16) + timedelta(days=back) for back in range(18)]
    values = [on(day, "march", "forward") for day in days]
    gains = sum(
        dict(explained(*pair, trades=["march"]).values.select("trade_id", "gain").iter_rows())["march"] for pair in pairwise(values)
    )
    mean = float(np.mean([month[17].fixings[US][date(2027, 3, day)] for day in range(1, 32)]))
    first = dict(values[0].values.select("trade_id", "value").iter_rows())["march"]
    assert gains == pytest.approx(-40 * (31 * 24 - 1) * (mean - 2.4) - first, rel=1e-10)


def test_a_cap_is_paid_for_the_hours_that_passed_and_pays_its_premium(on: Valued, month: list[Market]) -> None:
    before, after = (replace(one, fixings={**one.fixings, US: {**one.fixings[US], date(2027, 3, 22): 3.4}}) for one in month[6:8])
    found = explained(on(date(2027, 3, 22), "cap", market=before), on(date(2027, 3, 23), "cap", market=after))
    assert found.values["cash"].item() == pytest.approx(60 * 24 * 0.5 - 9_000, rel=1e-12)
    later = explained(on(date(2027, 3, 23), "cap"), on(date(2027, 3, 24), "cap"))
    assert later.values["cash"].item() == pytest.approx(60 * 24 * max(month[8].fixings[US][date(2027, 3, 23)] - 2.9, 0.0), abs=1e-9)


def test_virtual_bids_end_in_cash_at_the_day_s_mark(on: Valued, month: list[Market]) -> None:
    found = explained(on(date(2027, 4, 5), "bid", "forward"), on(date(2027, 4, 6), "bid", "forward"), trades=["bid"])
    assert found.values["cash"].item() == pytest.approx(20 * 10 * (month[21].fixings[EAST][date(2027, 4, 5)] - 2.5), rel=1e-12)
    assert found.values["after"].item() == 0.0


def test_an_option_that_expires_is_carried_at_what_it_is_worth_then(on: Valued) -> None:
    found = explained(on(date(2027, 4, 1), "expires", "forward"), on(date(2027, 4, 2), "expires", "forward"), trades=["expires"])
    row = found.values.row(0, named=True)
    assert row["cash"] == pytest.approx(row["before"], rel=1e-12)  # decided at the first moment: nothing moves it any more
    assert row["gain"] == pytest.approx(0.0, abs=1e-9)


def test_new_trades_gain_what_they_are_worth_and_have_paid(on: Valued) -> None:
    before, after = on(date(2027, 3, 24), "forward", "fresh"), on(date(2027, 3, 25), "forward", "fresh")
    found = explained(before, after)
    worth = dict(after.values.select("trade_id", "value").iter_rows())["fresh"]
    assert by(found, ExplainFactor.TRADES) == pytest.approx(worth, rel=1e-12)
    assert found.trades.filter(pl.col("trade_id") == "fresh", pl.col("factor").cast(pl.String) != "trades")["greeks"].abs().sum() == 0.0


def test_other_terms_of_an_old_trade_gain_their_difference_under_trades(
    on: Valued, month: list[Market], rows: list[dict[str, object]]
) -> None:
    amended = [{**row, "strike": 2.3} for row in rows if row["trade_id"] == "forward"]
    after = valued(read_trades(pl.DataFrame(amended, infer_schema_length=None), timezone=month[3].timezone), month[3])
    unchanged = on(MARCH + timedelta(days=1), "forward")
    found = explained(on(MARCH, "forward"), after)
    assert by(found, ExplainFactor.TRADES) == pytest.approx(after.value - unchanged.value, rel=1e-9)
    assert found.residual == pytest.approx(0.0, abs=1e-2)


def test_revaluation_is_the_mean_over_all_orders_of_the_factors(on: Valued, moved: Explained) -> None:
    before, way = on(MARCH, *OPTIONS), moved.passage
    parts = [part.trades for part in before.parts]
    trades = carried(parts, names=moved.names, market=before.market, later=way.after.as_of, told=frozenset())
    worths = Worths(passage=passage(before.market, way.after), trades=trades)
    orders = list(permutations(way.factors))
    total = dict.fromkeys(way.factors, 0.0)
    for order in orders:
        gone: frozenset[ExplainFactor] = frozenset()
        for factor in order:
            total[factor] += float((worths.at(gone | {factor}).worth - worths.at(gone).worth).sum()) / len(orders)
            gone |= {factor}
    assert len(orders) == 720
    for factor in way.factors:
        assert by(moved, factor, of="revalued") == pytest.approx(total[factor], abs=1e-6)


def test_revaluation_sums_to_the_gain_and_greeks_come_near_it(moved: Explained) -> None:
    assert sum(float(amount.sum()) for amount in moved.revalued.values()) == pytest.approx(moved.gain, abs=1e-7)
    assert moved.share < 0.01
    for factor in (ExplainFactor.CURVE, ExplainFactor.VOLATILITY, ExplainFactor.CORRELATION, ExplainFactor.DISCOUNT):
        assert by(moved, factor) == pytest.approx(by(moved, factor, of="revalued"), abs=0.01 * moved.size)
    assert by(moved, ExplainFactor.TRADES) == 0.0


def test_moves_add_up_to_their_factors(moved: Explained) -> None:
    sums = dict(moved.moves.group_by(pl.col("factor").cast(pl.String)).agg((pl.col("first") + pl.col("second")).sum()).iter_rows())
    for factor, amount in sums.items():
        assert amount == pytest.approx(by(moved, ExplainFactor(factor)), abs=1e-8)


def test_a_volatility_s_first_part_is_its_vega_times_its_move(on: Valued, month: list[Market], moved: Explained) -> None:
    vega = dict.fromkeys((US, EAST), 0.0)
    for part in on(MARCH, *OPTIONS).parts:
        for block in part.priced.blocks:
            vega[block.index] += 0.0 if block.vega is None else float(block.vega.sum())
    for index in (US, EAST):
        row = moved.moves.filter(pl.col("factor").cast(pl.String) == "volatility", pl.col("index") == index).row(0, named=True)
        assert row["move"] == pytest.approx(month[3].sigma(index, np.zeros(1))[0] - month[2].sigma(index, np.zeros(1))[0], rel=1e-12)
        assert row["first"] == pytest.approx(vega[index] * row["move"], rel=1e-4)


def test_a_correlation_s_first_part_is_its_sensitivity_times_its_move(on: Valued, moved: Explained) -> None:
    ((_, per_cent),) = on(MARCH, *OPTIONS).correlation().iter_rows()
    row = moved.moves.filter(pl.col("factor").cast(pl.String) == "correlation").row(0, named=True)
    assert row["first"] == pytest.approx(100 * per_cent * row["move"], rel=1e-4)


def test_nothing_moved_is_nothing_gained(on: Valued) -> None:
    found = explained(on(MARCH, *OPTIONS), on(MARCH, *OPTIONS))
    assert found.passage.factors == ()
    assert (found.gain, found.residual, found.share) == (0.0, 0.0, 0.0)
    assert found.moves.is_empty()


def test_trades_apart_gain_what_they_gain_together(on: Valued, moved: Explained) -> None:
    alone = [explained(on(MARCH, *OPTIONS), on(MARCH + timedelta(days=1), *OPTIONS), trades=[name]) for name in OPTIONS]
    for factor in moved.greeks:
        assert sum(by(one, factor) for one in alone) == pytest.approx(by(moved, factor), abs=1e-8)


def test_several_days_at_once_are_explained_too(on: Valued) -> None:
    names = ("swap", "running", "next", "cap")
    found = explained(on(date(2027, 3, 26), *names), on(date(2027, 3, 29), *names))
    assert sum(float(amount.sum()) for amount in found.revalued.values()) == pytest.approx(found.gain, abs=1e-7)
    assert found.share < 0.01


def test_markets_the_wrong_way_round_and_of_two_clocks_are_refused_at_once(on: Valued, month: list[Market]) -> None:
    before = on(MARCH, "forward")
    after = replace(before, market=replace(month[0], timezone="UTC"))
    with pytest.raises(InputError, match="a moment at or after") as caught:
        explained(before, after)
    assert [fault.column for fault in caught.value.faults] == ["as_of", "timezone"]


def test_a_day_without_its_fixing_is_named(on: Valued, month: list[Market]) -> None:
    bare = replace(
        month[17],
        fixings={index: {day: one for day, one in known.items() if day != date(2027, 4, 1)} for index, known in month[17].fixings.items()},
    )
    with pytest.raises(NotPublishedError, match="has no fixing for 2027-04-01"):
        explained(on(date(2027, 4, 1), "cap", "forward"), on(date(2027, 4, 2), "forward", market=bare), trades=["cap"])


def test_trades_and_cash_that_are_not_there_are_refused(on: Valued) -> None:
    before, after = on(MARCH, "forward"), on(MARCH + timedelta(days=1), "forward")
    with pytest.raises(InputError, match="found nobody, expected trades valued before or after"):
        explained(before, after, trades=["nobody"])
    with pytest.raises(InputError) as caught:
        explained(before, after, cash=pl.DataFrame({"trade_id": ["forward", "nobody"], "amount": [1.0, 2.0]}))
    assert [fault.value for fault in caught.value.faults] == ["forward", "nobody"]


def test_kinds_whose_payments_are_not_worked_out_need_them_told_once_they_have_begun(
    month: list[Market], trade: Callable[..., dict[str, object]]
) -> None:
    def worth(market: Market, span: str) -> BookValue:
        row = trade("lease", "lease", "buy", 50.0, US, span, 1.5, params='{"promised": 0.95, "availability": 0.97}')
        return valued(read_trades(pl.DataFrame([row]), timezone=market.timezone), market)

    begun, ahead = ([worth(one, span) for one in month[2:4]] for span in ("2027-03", "2027-04"))
    with pytest.raises(InputError, match="found no row of lease, expected what it paid from 2027-03-18"):
        explained(*begun)
    told = pl.DataFrame({"trade_id": ["lease"], "amount": [123.0]})
    found = explained(*begun, cash=told)
    assert found.values["cash"].item() == 123.0
    assert found.gain == pytest.approx(begun[1].value + 123.0 - begun[0].value, rel=1e-12)
    assert abs(found.residual) < 0.01 * found.size
    assert explained(*ahead).gain == pytest.approx(ahead[1].value - ahead[0].value, rel=1e-12)


def test_an_index_without_a_later_curve_is_refused(on: Valued, month: list[Market]) -> None:
    bare = replace(month[3], curves={US: month[3].curves[US]})
    with pytest.raises(InputError, match=f"a later curve of {EAST}"):
        explained(on(MARCH, "short", "forward"), on(MARCH, "forward", market=bare))

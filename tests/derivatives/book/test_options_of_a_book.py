"""Average options, European options and options on spreads, and virtual bids, in a book."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
APRIL = datetime(2027, 4, 1, 4, tzinfo=UTC)
EVENING = (AS_OF + timedelta(hours=18), AS_OF + timedelta(hours=19))
Priced = Callable[..., BookValue]


def kinds() -> list[tuple[str, str, dict[str, object]]]:
    spread: dict[str, object] = {"index2": EAST, "contract": None, "expiry": APRIL}
    return [
        ("average", "2027-03", {"option": "call"}),
        ("average", "2027-04", {"option": "put"}),
        ("option", "2027-04", {"option": "call", "expiry": APRIL}),
        ("spread-option", "2027-04", {"option": "put", **spread}),
        ("spread-option", "2027-04", {"option": "call", "params": '{"method": "exact", "ratio": 0.9}', **spread}),
    ]


@pytest.mark.parametrize(("kind", "span", "more"), kinds())
def test_sensitivities_agree_with_revaluation(priced: Priced, market: Market, kind: str, span: str, more: dict[str, object]) -> None:
    strike = 0.1 if kind == "spread-option" else 2.45

    def at(up: float = 0.0, sigma: float = 0.0, rho: float = 0.0) -> BookValue:
        curves = {**market.curves, US: parallel(market.curves[US], up)}
        moved = replace(market, curves=curves, volatility={US: 0.8 + sigma, EAST: 0.7}, correlation={frozenset((US, EAST)): 0.6 + rho})
        return priced(kind, span, strike, on=moved, **more)

    base, high, low = at(), at(1e-4), at(-1e-4)
    own = {name: amount for name, amount in base.delta("month").iter_rows() if " of " not in name}
    assert sum(own.values()) == pytest.approx((high.value - low.value) / 2e-4, rel=1e-5)
    gamma = sum(amount for name, amount in base.gamma().iter_rows() if " of " not in name)
    assert gamma == pytest.approx(0.01 * (high.value - 2 * base.value + low.value) / 1e-8, rel=2e-3)
    vega = sum(amount for name, amount in base.vega().iter_rows() if " of " not in name)
    assert vega == pytest.approx(0.01 * (at(sigma=1e-5).value - at(sigma=-1e-5).value) / 2e-5, rel=1e-4)
    if kind == "spread-option":
        (pair, amount), *rest = base.correlation().iter_rows()
        assert (pair, rest) == (f"{US} | {EAST}", [])
        assert amount == pytest.approx(0.01 * (at(rho=1e-5).value - at(rho=-1e-5).value) / 2e-5, rel=1e-5)


def test_a_call_less_a_put_on_a_mean_is_its_forward_also_inside_the_month(priced: Priced) -> None:
    for span in ("2027-03", "2027-04"):
        call, put = (priced("average", span, 2.45, option=side).value for side in ("call", "put"))
        assert call - put == pytest.approx(priced("forward", span, 2.45).value, rel=1e-10)


def test_an_average_inside_its_month_is_what_drawn_days_pay(priced: Priced, market: Market, curve: ForwardCurve) -> None:
    """Fifteen known marks; sixteen days to come whose logarithms share one factor: cov = σ² min(t, s), a day known as it ends."""
    days = np.arange(1, 17) / 365
    rng = np.random.default_rng(4)
    steps = rng.normal(size=(200_000, 16)) * np.sqrt(np.diff(days, prepend=0.0))
    path = np.exp(0.8 * np.cumsum(steps, axis=1) - 0.32 * days)
    forward = [curve.average(date(2027, 3, 16) + timedelta(n), date(2027, 3, 17) + timedelta(n)) for n in range(16)]
    known = sum(2.3 + 0.01 * n for n in range(1, 16))
    paid = np.exp(-0.04 * 16 / 365) * np.maximum((known + path @ forward) / 31 - 2.45, 0.0) * 100 * 743
    found = priced("average", "2027-03", 2.45, option="call").value
    assert found == pytest.approx(paid.mean(), abs=4 * paid.std() / 200_000**0.5)


def test_known_marks_above_the_strike_leave_a_forward_and_below_it_a_put_of_nothing(priced: Priced) -> None:
    assert priced("average", "2027-03", 1.0, option="call").value == pytest.approx(priced("forward", "2027-03", 1.0).value, rel=1e-12)
    assert priced("average", "2027-03", 1.0, option="put").value == 0.0
    over = priced("average", "2027-02", 2.5, option="call", pay_date=date(2027, 3, 20))
    assert over.value == pytest.approx(np.exp(-0.04 * 4 / 365) * 0.1 * 100 * 672, rel=1e-12)


def test_the_day_of_a_premium_is_not_that_of_the_pay_off(priced: Priced) -> None:
    """The pay-off is paid at the end of April with a premium as without one, and the premium counts until its own day."""
    for kind, more in (("average", {}), ("option", {"expiry": APRIL})):
        plain = priced(kind, "2027-04", 2.45, option="call", **more).value
        paid = priced(kind, "2027-04", 2.45, option="call", premium=500.0, pay_date=date(2027, 3, 18), **more).value
        assert paid == pytest.approx(plain - 500.0 * np.exp(-0.04 * 2 / 365), rel=1e-12)
        over = priced(kind, "2027-04", 2.45, option="call", premium=500.0, pay_date=date(2027, 3, 10), **more).value
        assert over == pytest.approx(plain, rel=1e-12)


def test_an_option_on_a_month_is_black_s(priced: Priced, curve: ForwardCurve) -> None:
    forward = curve.average(date(2027, 4, 1), date(2027, 5, 1))
    deviation = np.array([0.8 * np.sqrt(16 / 365)])
    worth = black.price(np.array([forward]), np.array([2.45]), deviation=deviation, discount=np.exp(np.array([-0.04 * 46 / 365])))
    assert priced("option", "2027-04", 2.45, option="call", expiry=APRIL).value == pytest.approx(100 * 720 * worth[0], rel=1e-10)


def test_a_spread_option_of_no_strike_and_one_index_certain_is_an_exchange(priced: Priced, market: Market) -> None:
    """At correlation 1 and equal volatilities nothing of the ratio moves: the spread is paid where it is above 0."""
    sure = replace(market, volatility={US: 0.8, EAST: 0.8}, correlation={frozenset((US, EAST)): 1.0}, discount=flat(0.0))
    more = {"index2": US, "contract": None, "expiry": APRIL, "option": "call", "index": EAST}
    found = priced("spread-option", (APRIL, datetime(2027, 5, 1, 4, tzinfo=UTC)), 0.0, on=sure, **more)
    assert found.value == pytest.approx(100 * 720 * 0.1, rel=1e-6)


def test_worth_grows_with_volatility(priced: Priced, market: Market) -> None:
    for kind, span, more in kinds()[:3]:
        values = [priced(kind, span, 2.45, on=replace(market, volatility={US: sigma}), **more).value for sigma in (0.1, 0.4, 0.8, 2.0)]
        assert values == sorted(values)


def test_expired_options_lacking_correlations_and_expiries_inside_the_delivery_are_refused(priced: Priced, market: Market) -> None:
    spread = {"index2": EAST, "contract": None, "option": "call", "expiry": APRIL}
    with pytest.raises(InputError, match="a correlation of the two"):
        priced("spread-option", "2027-04", 0.1, on=replace(market, correlation={}), **spread)
    with pytest.raises(InputError, match="an expiry at or after"):
        priced("option", "2027-04", 2.4, option="call", expiry=AS_OF - timedelta(days=1))
    with pytest.raises(InputError, match="at or before the delivery begins"):
        priced("option", "2027-04", 2.4, option="call", expiry=APRIL + timedelta(days=1))
    with pytest.raises(InputError, match="call or put"):
        priced("average", "2027-04", 2.4, option="collar")


def bid(priced: Priced, side: str, span: tuple[datetime, datetime] = EVENING, **more: object) -> BookValue:
    return priced("virtual", span, 2.4, side=side, quantity=40.0, index="us-east/h100-sxm/firm", params='{"horizon": "week-ahead"}', **more)


def test_a_dec_expects_the_forward_less_its_price_and_an_inc_the_opposite(priced: Priced, market: Market, node: ForwardCurve) -> None:
    dec, inc = (bid(priced, side, on=replace(market, discount=flat(0.0))) for side in ("buy", "sell"))
    assert dec.value == pytest.approx(40 * (node.forward[18] - 2.4), abs=1e-12)
    assert inc.value == -dec.value
    assert dict(dec.delta("month").iter_rows()) == {"month 2027-03": pytest.approx(40.0)}


def test_several_hours_add_up_to_one_at_a_time(priced: Priced) -> None:
    whole = bid(priced, "buy", (EVENING[0], EVENING[0] + timedelta(hours=5)))
    parts = [bid(priced, "buy", (EVENING[0] + timedelta(hours=n), EVENING[0] + timedelta(hours=n + 1))) for n in range(5)]
    assert whole.value == pytest.approx(sum(part.value for part in parts), abs=1e-10)
    assert whole.delta("month")["amount"][0] == pytest.approx(sum(part.delta("month")["amount"][0] for part in parts), rel=1e-12)


def test_a_bid_that_has_begun_is_refused(priced: Priced) -> None:
    with pytest.raises(InputError, match="real time has closed"):
        bid(priced, "buy", (AS_OF - timedelta(hours=1), AS_OF))

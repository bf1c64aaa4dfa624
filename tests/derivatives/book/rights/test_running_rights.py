"""Rights whose term has begun: hours that are over are gone, and what was used of them is a term of the trade."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.book.volatility import SECONDS_PER_YEAR, ByExpiry

Priced = Callable[..., BookValue]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
BEGUN, NOW, END = datetime(2027, 3, 1, 5, tzinfo=UTC), datetime(2027, 3, 16, 4, tzinfo=UTC), datetime(2027, 3, 20, 4, tzinfo=UTC)
KINDS: list[tuple[str, float, dict[str, object], dict[str, object]]] = [
    ("swing", 2.3, {"rights": 3}, {}),
    ("swing", 2.3, {"rights": 20, "step": "hour", "reversion": 60}, {}),
    ("take-or-pay", 2.4, {"minimum": 2000, "maximum": 5000}, {}),
    ("reliability", 2.4, {"penalty": 0.4, "availability": 0.9}, {}),
    ("reliability", 2.4, {"stop_loss": 1500}, {}),
    ("tolling", 0.1, {"rate": 0.9, "minimum_run": 4, "reversion": 60}, {"index2": EAST}),
    ("preemption", 0.3, {"interruption": 0.1, "overcommit": 0.9}, {}),
]
HOURLY = [one for one in KINDS if one[0] != "swing" or "step" in one[2]]


@pytest.mark.parametrize(("kind", "strike", "params", "more"), KINDS)
def test_a_running_right_is_that_of_what_is_left(
    priced: Priced, kind: str, strike: float, params: dict[str, object], more: dict[str, object]
) -> None:
    running, rest = (priced(kind, (start, END), strike, params=json.dumps(params), **more) for start in (BEGUN, NOW))
    assert running.value == pytest.approx(rest.value, rel=1e-12)
    assert running.totals.equals(rest.totals)


@pytest.mark.parametrize(("kind", "strike", "params", "more"), HOURLY)
def test_rights_of_hours_are_valued_inside_a_day(
    priced: Priced, market: Market, kind: str, strike: float, params: dict[str, object], more: dict[str, object]
) -> None:
    noon = NOW + timedelta(hours=12)
    later = replace(market, as_of=noon, curves={name: replace(one, as_of=noon) for name, one in market.curves.items()})
    running, rest = (priced(kind, (start, END), strike, on=later, params=json.dumps(params), **more) for start in (BEGUN, noon))
    assert running.value == pytest.approx(rest.value, rel=1e-12)
    between = replace(later, as_of=noon - timedelta(minutes=20))  # the hour that runs is over for its holder
    assert priced(kind, (BEGUN, END), strike, on=between, params=json.dumps(params), **more).value == pytest.approx(rest.value, rel=2e-2)


def test_rights_of_days_and_months_wait_for_their_beginning(priced: Priced, market: Market) -> None:
    noon = NOW + timedelta(hours=12)
    later = replace(market, as_of=noon, curves={name: replace(one, as_of=noon) for name, one in market.curves.items()})
    with pytest.raises(InputError, match="the beginning of a day"):
        priced("swing", (BEGUN, END), 2.3, on=later, params='{"rights": 3}')
    span, monthly = (BEGUN, datetime(2027, 6, 1, 4, tzinfo=UTC)), {"ratio": 0.97, "decisions": "monthly"}
    waiting = priced("generation-switch", span, None, index2=EAST, params=json.dumps(monthly))
    april = priced("generation-switch", (datetime(2027, 4, 1, 4, tzinfo=UTC), span[1]), None, index2=EAST, params=json.dumps(monthly))
    assert waiting.value == pytest.approx(april.value, rel=1e-12)


def test_a_lease_counts_the_fixings_of_its_month(priced: Priced) -> None:
    lease = priced("lease", (BEGUN, datetime(2027, 4, 1, 4, tzinfo=UTC)), 2.4, params='{"promised": 1, "availability": 1}')
    swap = priced("swap", (BEGUN, datetime(2027, 4, 1, 4, tzinfo=UTC)), 2.4, params='{"average": "hourly"}')
    assert lease.value == pytest.approx(swap.value, rel=1e-12)


def test_the_volatility_of_a_right_is_that_to_its_end(priced: Priced, market: Market) -> None:
    ends = np.array([datetime(2027, 4, 1, tzinfo=UTC).timestamp(), datetime(2027, 7, 1, tzinfo=UTC).timestamp()])
    term = ByExpiry(ends=ends, sigma=np.array([0.9, 0.7]))
    found = priced("swing", "2027-05", 2.4, on=replace(market, volatility={US: term}), params='{"rights": 5}').value
    last = (datetime(2027, 5, 31, 27 - 24, tzinfo=UTC).timestamp() + 86_400 - NOW.timestamp()) / SECONDS_PER_YEAR
    sigma = float(term.at(np.array([last]), now=NOW.timestamp())[0])
    assert found == pytest.approx(priced("swing", "2027-05", 2.4, on=replace(market, volatility={US: sigma}), params='{"rights": 5}').value)
    assert 0.7 < sigma < 0.9

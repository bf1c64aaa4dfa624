"""Rights of recall in books."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.preemption.term import Promise, fair_strip

Priced = Callable[..., BookValue]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
APRIL, MAY = date(2027, 4, 1), date(2027, 5, 1)


def terms(**params: object) -> dict[str, object]:
    return {"params": json.dumps({"interruption": 0.1, "overcommit": 0.9, "reversion": 4.0} | params)}


def test_a_book_is_the_strip_discounted(priced: Priced, curve: ForwardCurve) -> None:
    strip = fair_strip(curve, Promise(interruption=0.1, overcommit=0.9), start=APRIL, end=MAY, volatility=0.8, reversion=4.0)
    discount = np.exp(-0.04 * (16 * 24 + 1 + np.arange(720)) / 8760)
    found = priced("preemption", "2027-04", 0.4, **terms())
    assert found.value == pytest.approx(100 * (discount * (strip["premium"].to_numpy() - 0.4)).sum(), rel=1e-10)
    part = (strip["premium"] / strip["firm"]).to_numpy()
    assert found.delta("month")["amount"][0] == pytest.approx(100 * (discount * part).sum(), rel=1e-10)


def test_sensitivities_are_those_of_revaluation(priced: Priced, market: Market) -> None:
    def at(up: float = 0.0, sigma: float = 0.0) -> float:
        curves = {**market.curves, US: parallel(market.curves[US], up)}
        moved = replace(market, curves=curves, volatility={US: 0.8 + sigma, EAST: 0.7})
        return priced("preemption", "2027-04", 0.4, on=moved, **terms()).value

    found, h = priced("preemption", "2027-04", 0.4, **terms()), 1e-4
    for by in ("month", "quote"):
        assert found.delta(by)["amount"].sum() == pytest.approx((at(h) - at(-h)) / (2 * h), rel=1e-8)
    assert found.vega()["amount"].sum() == pytest.approx(0.01 * (at(sigma=h) - at(sigma=-h)) / (2 * h), rel=1e-5)
    assert found.vega()["amount"].sum() > 0
    assert found.theta() < 0  # what may still happen until the hours is worth less as they come nearer


def test_without_volatility_it_is_the_share_recalled(priced: Priced, market: Market, curve: ForwardCurve) -> None:
    still = replace(market, volatility={US: 0.0, EAST: 0.0})
    low, high = curve.places(APRIL, MAY)
    discount = np.exp(-0.04 * (16 * 24 + 1 + np.arange(720)) / 8760)
    found = priced("preemption", "2027-04", 0.0, on=still, **terms(availability=0.85)).value
    assert found == pytest.approx(100 * 0.15 * (discount * curve.forward[low:high]).sum(), rel=1e-10)


def test_at_the_fair_discount_it_is_worth_nothing_and_a_seller_has_the_opposite(priced: Priced) -> None:
    free, dear = (priced("preemption", "2027-04", strike, **terms()).value for strike in (0.0, 1.0))
    fair = free / (free - dear)
    assert priced("preemption", "2027-04", fair, **terms()).value == pytest.approx(0.0, abs=1e-8)
    assert priced("preemption", "2027-04", 0.0, side="sell", **terms()).value == pytest.approx(-free, rel=1e-12)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"interruption": 1.0}, "an interruption below 1"),
        ({"interruption": -0.1}, "interruption, a number of at least 0 and at most 1"),
        ({"overcommit": 1.2}, "where it is not given, below 1"),
        ({"availability": 1.0}, "where it is not given, below 1"),
        ({"overcommit": 0}, "overcommit, a number above 0"),
    ],
)
def test_promises_that_cannot_be_are_refused(priced: Priced, params: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        priced("preemption", "2027-04", 0.4, **terms(**params))

"""Virtual bids."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import VirtualSide
from tenorgrid.data.terms.contracts import VirtualBid
from tenorgrid.derivatives.virtual import value

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)


def bid(side: VirtualSide, *, price: float = 2.4, start: datetime = AS_OF + timedelta(hours=18), hours: int = 1) -> VirtualBid:
    return VirtualBid(
        location="us-east",
        resource="h100-sxm",
        tier="firm",
        horizon="week-ahead",
        side=side,
        quantity=40.0,
        price=price,
        start=start,
        end=start + timedelta(hours=hours),
    )


def test_a_dec_expects_the_forward_less_its_price_and_an_inc_the_opposite(node: ForwardCurve) -> None:
    dec, inc = (value(bid(side), curve=node, as_of=AS_OF, discount=flat(0.0)) for side in (VirtualSide.DEC, VirtualSide.INC))
    assert dec.value == pytest.approx(40 * (node.forward[18] - 2.4), abs=1e-12)
    assert inc.value == -dec.value
    assert np.flatnonzero(dec.delta).tolist() == [18]
    assert dec.delta[18] == 40.0
    assert inc.delta[18] == -40.0


def test_several_hours_add_up_to_one_at_a_time(node: ForwardCurve) -> None:
    whole = value(bid(VirtualSide.DEC, hours=5), curve=node, as_of=AS_OF, discount=flat(0.04))
    parts = [
        value(bid(VirtualSide.DEC, start=AS_OF + timedelta(hours=18 + n)), curve=node, as_of=AS_OF, discount=flat(0.04)) for n in range(5)
    ]
    assert whole.value == pytest.approx(sum(part.value for part in parts), abs=1e-12)
    assert whole.delta == pytest.approx(sum(part.delta for part in parts), abs=1e-12)


def test_expected_payoff_agrees_with_simulated_real_time_prices(node: ForwardCurve) -> None:
    rng = np.random.default_rng(7)
    real = node.forward[18] * np.exp(0.3 * rng.normal(size=400_000) - 0.045)
    payoff = 40 * (real - 2.4)
    found = value(bid(VirtualSide.DEC), curve=node, as_of=AS_OF, discount=flat(0.0)).value
    assert found == pytest.approx(payoff.mean(), abs=4 * payoff.std() / 400_000**0.5)


def test_a_bid_that_has_begun_and_one_at_real_time_are_refused(node: ForwardCurve) -> None:
    with pytest.raises(InputError, match="real time has closed"):
        value(bid(VirtualSide.DEC, start=AS_OF - timedelta(hours=1)), curve=node, as_of=AS_OF, discount=flat(0.0))
    with pytest.raises(InputError, match="nothing is virtual at real time"):
        VirtualBid(
            location="a",
            resource="b",
            tier="firm",
            horizon="real-time",
            side=VirtualSide.INC,
            quantity=1.0,
            price=1.0,
            start=AS_OF,
            end=AS_OF + timedelta(1),
        )

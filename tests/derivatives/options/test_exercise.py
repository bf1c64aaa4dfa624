"""American and barrier options by QuantLib."""

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options import american, barrier, european

ONE = np.ones(1)


def tree(spot: float, strike: float, sigma: float, years: float, rate: float, carry: float, sign: float, steps: int) -> float:
    """Cox, Ross and Rubinstein."""
    dt = years / steps
    up = np.exp(sigma * np.sqrt(dt))
    chance, discount = (np.exp(carry * dt) - 1 / up) / (up - 1 / up), np.exp(-rate * dt)
    worth: Vector = np.maximum(sign * (spot * up ** np.arange(-steps, steps + 1, 2.0) - strike), 0.0)
    for step in range(steps - 1, -1, -1):
        worth = discount * (chance * worth[1:] + (1 - chance) * worth[:-1])
        worth = np.maximum(worth, sign * (spot * up ** np.arange(-step, step + 1, 2.0) - strike))
    return float(worth[0])


def test_an_american_put_has_the_known_value() -> None:
    found = american.price(36 * ONE, 40 * ONE, volatility=0.2 * ONE, years=ONE, rate=0.06 * ONE, carry=0.06 * ONE, option="put")
    assert found[0] == pytest.approx(4.4867, abs=6e-5)


@pytest.mark.parametrize(
    ("spot", "strike", "sigma", "years", "rate", "carry", "sign", "expected"),
    [
        (100, 100, 0.25, 0.5, 0.10, 0.0, 1, 6.77535),  # the true prices beside the tables of Barone-Adesi-Whaley, Bjerksund-Stensland, Ju
        (90, 100, 0.35, 0.5, 0.10, 0.0, 1, None),
        (42, 40, 0.35, 0.75, 0.04, -0.04, 1, 5.30932),
        (40, 40, 0.2, 0.3333, 0.0488, 0.0488, -1, 1.57987),
        (40, 45, 0.4, 0.3333, 0.0488, 0.0488, -1, 6.50997),
        (100, 100, 0.2, 3.0, 0.03, -0.04, 1, 9.06600),
    ],
)
def test_american_options_agree_with_trees(
    spot: float, strike: float, sigma: float, years: float, rate: float, carry: float, sign: float, expected: float | None
) -> None:
    option: Option = "call" if sign > 0 else "put"
    found = american.price(
        spot * ONE, strike * ONE, volatility=sigma * ONE, years=years * ONE, rate=rate * ONE, carry=carry * ONE, option=option
    )[0]
    pair = [tree(spot, strike, sigma, years, rate, carry, sign, steps) for steps in (1000, 1001)]
    assert found == pytest.approx(sum(pair) / 2, rel=1e-3)
    if expected is not None:
        assert found == pytest.approx(expected, abs=2e-3)


def test_an_american_option_on_a_future_is_worth_more_than_a_european_one_and_rises_with_volatility() -> None:
    forward = np.array([1.5, 2.5, 3.5])
    rest: dict[str, Any] = {"years": 0.5 * ONE}
    for option in ("call", "put"):
        early = american.price(forward, 2.5 * ONE, volatility=0.8 * ONE, rate=0.05 * ONE, option=option, **rest)
        late = european.price(forward, 2.5 * ONE, volatility=0.8 * ONE, discount=np.exp(-0.025 * ONE), option=option, **rest)
        pays = np.maximum(forward - 2.5 if option == "call" else 2.5 - forward, 0.0)
        assert (early > late).all()
        assert (early >= pays).all()
        assert (american.price(forward, 2.5 * ONE, volatility=0.9 * ONE, rate=0.05 * ONE, option=option, **rest) > early).all()
    still = american.price(forward, 2.5 * ONE, volatility=0 * ONE, rate=0.05 * ONE, **rest)
    assert still == pytest.approx([0.0, 0.0, 1.0])


def test_american_greeks_agree_with_those_of_a_european_option_that_is_never_exercised_early() -> None:
    spot, years, rate = np.array([2.0, 2.5, 3.0]), 0.5, 0.05
    found = american.greeks(spot, 2.5 * ONE, volatility=0.8 * ONE, years=years * ONE, rate=rate * ONE, carry=rate * ONE)
    grown, discount = np.exp(rate * years), np.exp(-rate * years * ONE)
    plain = european.greeks(spot * grown, 2.5 * ONE, volatility=0.8 * ONE, years=years * ONE, discount=discount)
    assert found.price == pytest.approx(plain.price, rel=1e-9)
    assert found.delta == pytest.approx(plain.delta * grown, abs=1e-5)
    assert found.gamma == pytest.approx(plain.gamma * grown**2, abs=1e-5)
    assert found.vega == pytest.approx(plain.vega, abs=1e-5)


CALLS = {
    ("down-and-out", 95): (9.0246, 6.7924, 4.8759), ("up-and-out", 105): (2.6789, 2.3580, 2.3453),
    ("down-and-in", 95): (7.7627, 4.0109, 2.0576),
    ("up-and-in", 105): (14.1112, 8.4482, 4.5910), ("down-and-out", 100): (3.0, 3.0, 3.0), ("down-and-in", 100): (13.8333, 7.8494, 3.9795),
}  # fmt: skip
PUTS = {
    ("down-and-out", 95): (2.2798, 2.2947, 2.6252), ("up-and-out", 105): (3.7760, 5.4932, 7.5187),
    ("down-and-in", 95): (2.9586, 6.5677, 11.9752),
    ("up-and-in", 105): (1.4653, 3.3721, 7.0846),
}  # fmt: skip
STRIKES = np.array([90.0, 100.0, 110.0])
HAUG: dict[str, Any] = {"years": 0.5 * ONE, "rate": 0.08 * ONE, "carry": 0.04 * ONE, "rebate": 3 * ONE}


@pytest.mark.parametrize(
    ("option", "kind", "level", "expected"),
    [("call", *case, values) for case, values in CALLS.items()] + [("put", *case, values) for case, values in PUTS.items()],
)
def test_barriers_are_haugs_table(option: Option, kind: barrier.Barrier, level: float, expected: tuple[float, ...]) -> None:
    found = barrier.price(100 * ONE, STRIKES, kind=kind, level=level * ONE, volatility=0.25 * ONE, option=option, **HAUG)
    assert found == pytest.approx(expected, abs=6e-5)


def test_in_and_out_are_a_european_option_and_a_far_barrier_is_none() -> None:
    rest = HAUG | {"rebate": 0 * ONE}
    plain = european.price(
        100 * np.exp(0.02) * ONE, STRIKES, volatility=0.3 * ONE, years=0.5 * ONE, discount=np.exp(-0.04 * ONE), option="put"
    )
    for level, side in ((90.0, "down"), (115.0, "up")):
        out, born = (
            barrier.price(100 * ONE, STRIKES, kind=f"{side}-and-{end}", level=level * ONE, volatility=0.3 * ONE, option="put", **rest)  # type: ignore[arg-type]
            for end in ("out", "in")
        )
        assert out + born == pytest.approx(plain, abs=1e-10)
    far = barrier.price(100 * ONE, STRIKES, kind="up-and-out", level=1e4 * ONE, volatility=0.3 * ONE, option="put", **rest)
    assert far == pytest.approx(plain, abs=1e-10)


def test_a_barrier_agrees_with_the_reflection_principle() -> None:
    """A down-and-out call without carry: the plain call less a call reflected in the barrier."""
    f, k, h, s = 2.5, 2.6, 2.0, 0.8 * 0.5**0.5

    def call(forward: float) -> float:
        upper = np.log(forward / k) / s + s / 2
        return float(forward * ndtr(upper) - k * ndtr(upper - s))

    slow = np.exp(-0.025) * (call(f) - f / h * call(h**2 / f))
    found = barrier.price(f * ONE, k * ONE, kind="down-and-out", level=h * ONE, volatility=0.8 * ONE, years=0.5 * ONE, rate=0.05 * ONE)
    assert found[0] == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize("near", [1.05, 1.002, 1.0005])
def test_a_delta_near_the_level_straddles_nothing(near: float) -> None:
    """In and out are a plain option together, their deltas too."""
    parts = [
        barrier.greeks(ONE, ONE, kind=kind, level=near * ONE, volatility=0.8 * ONE, years=0.5 * ONE, rate=0.05 * ONE)
        for kind in ("up-and-in", "up-and-out")
    ]
    plain = european.greeks(ONE, ONE, volatility=0.8 * ONE, years=0.5 * ONE, discount=np.exp(-0.025 * ONE))
    assert parts[0].delta + parts[1].delta == pytest.approx(plain.delta, rel=1e-6)


def test_what_has_no_price_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        american.price(-ONE, ONE, volatility=-ONE, years=-ONE, rate=np.nan * ONE)
    assert [fault.column for fault in caught.value.faults] == ["spot", "volatility", "years", "rate"]
    with pytest.raises(InputError, match="one of down-and-out"):
        barrier.price(ONE, ONE, kind="sideways", level=ONE, volatility=ONE, years=ONE, rate=ONE)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="column volatility"):
        barrier.price(ONE, ONE, kind="up-and-in", level=2 * ONE, volatility=0 * ONE, years=ONE, rate=ONE)
    with pytest.raises(InputError, match="a ten-thousandth away"):
        barrier.greeks(ONE, ONE, kind="up-and-in", level=1.00005 * ONE, volatility=ONE, years=ONE, rate=ONE)

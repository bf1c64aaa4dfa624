"""Caps, floors and collars of hourly options."""

from typing import Any

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options import bachelier, strip

ONE = np.ones(1)


def month(hours: int = 72) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    held = rng.integers(0, 3, (4, hours)).astype(float)
    return {
        "forward": 2.4 + 0.4 * np.sin(np.arange(hours)), "volatility": rng.uniform(0.5, 1.5, hours), "years": 0.1 + np.arange(hours) / 8760,
        "discount": np.exp(-0.05 * (0.1 + np.arange(hours) / 8760)), "quantity": held,
    }  # fmt: skip


STRIKES = np.array([2.0, 2.4, 2.8, 0.0])


@pytest.mark.parametrize("model", ["black", "bachelier"])
def test_a_strip_is_the_sum_of_its_hours(model: strip.Model) -> None:
    rest = month()
    found = strip.value("cap", rest.pop("forward"), STRIKES, model=model, **rest)
    rest = month()
    for contract in range(4):
        total = 0.0
        for hour in range(72):
            forward, sigma, years, discount = (rest[name][hour] for name in ("forward", "volatility", "years", "discount"))
            if model == "black":
                one = black.price(forward * ONE, STRIKES[contract] * ONE, deviation=sigma * years**0.5 * ONE, discount=discount * ONE)
            else:
                one = bachelier.price(
                    forward * ONE, STRIKES[contract] * ONE, volatility=sigma * ONE, years=years * ONE, discount=discount * ONE
                )
            total += rest["quantity"][contract, hour] * one[0]
        assert found.price[contract] == pytest.approx(total, rel=1e-12)
    assert found.ladder.shape == (4, 72)
    assert found.delta == pytest.approx(found.ladder.sum(axis=1))


@pytest.mark.parametrize("model", ["black", "bachelier"])
def test_cap_less_floor_is_the_forward_and_greeks_agree_with_differences(model: strip.Model) -> None:
    rest = month()
    forward = rest.pop("forward")
    same = strip.collar(forward, STRIKES, STRIKES, model=model, **rest)
    worth = (rest["quantity"] * rest["discount"] * (forward - STRIKES[:, None])).sum(axis=1)
    assert same.price == pytest.approx(worth, abs=1e-10)
    assert same.vega == pytest.approx(np.zeros(4), abs=1e-10)
    found, h = strip.value("floor", forward, STRIKES, model=model, **rest), 1e-4
    up, down = (strip.value("floor", forward + turn * h, STRIKES, model=model, **rest).price for turn in (1, -1))
    assert found.delta == pytest.approx((up - down) / (2 * h), abs=1e-5)
    assert found.gamma == pytest.approx((up - 2 * found.price + down) / h**2, abs=1e-3)
    up, down = (
        strip.value("floor", forward, STRIKES, model=model, **rest | {"volatility": rest["volatility"] + turn * h}).price
        for turn in (1, -1)
    )
    assert found.vega == pytest.approx((up - down) / (2 * h), abs=1e-5)


def test_a_collar_of_no_cost_lies_between_its_strikes_and_a_wider_one_is_worth_less() -> None:
    rest = month()
    forward = rest.pop("forward")
    caps = np.array([2.6, 2.8, 3.0, 3.2])
    worth = strip.collar(forward, caps, np.full(4, 2.0), **rest | {"quantity": np.ones((4, 72))}).price
    assert (np.diff(worth) < 0).all()


def test_contracts_in_runs_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = month()
    forward = rest.pop("forward")
    whole = strip.value("cap", forward, STRIKES, **rest)
    monkeypatch.setattr(strip, "ELEMENTS", 100)
    parts = strip.value("cap", forward, STRIKES, rate=np.full(4, 0.0), **rest)
    assert parts.price.tolist() == whole.price.tolist()
    assert parts.theta.tolist() == whole.theta.tolist()


def test_what_has_no_price_is_refused() -> None:
    rest = month()
    forward = rest.pop("forward")
    with pytest.raises(InputError, match="column floor"):
        strip.collar(forward, STRIKES, STRIKES + 0.1, **rest)
    with pytest.raises(InputError, match="column volatility"):
        strip.value("cap", forward, STRIKES, **rest | {"volatility": -ONE})
    with pytest.raises(InputError, match="column forward"):
        strip.value("cap", forward - 3, STRIKES, **rest)
    assert strip.value("cap", forward - 3, STRIKES, model="bachelier", **rest).price[0] >= 0
    with pytest.raises(InputError, match="a cap or floor by black or bachelier"):
        strip.value("cap", forward, STRIKES, model="sabr", **rest)  # type: ignore[arg-type]

"""Scarcity: the adder, its steps, and the groups that hold it."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tenorgrid.clearing.scarcity import adder, loss_of_load_probability, reserves, steps
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Scarcity


def terms(**changed: float) -> Scarcity:
    return Scarcity(**({"reference_price": 30.0, "contingency": 2000.0, "mean": 0.0, "sd": 1000.0, "steps": 20} | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headroom", "chance", "expected"),
    [(2000, 1.0, 8970.0), (2500, 0.308538, 2767.58), (3000, 0.158655, 1423.14), (4000, 0.022750, 204.07), (5000, 0.001350, 12.11)],
)
def test_the_curve_of_a_large_grid(headroom: float, chance: float, expected: float) -> None:
    """Form and parameters of ERCOT's operating reserve demand curve of 2014: VOLL 9000, X 2000, σ 1000."""
    found = loss_of_load_probability(np.array([headroom]), contingency=2000.0, mean=0.0, sd=1000.0)
    assert found.item() == pytest.approx(chance, abs=5e-7)
    assert adder(np.array([headroom]), scarcity=terms(), voll=9000.0).item() == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize(("headroom", "expected"), [(3000, 4950.0), (3500, 2323.24), (4000, 1594.92), (5000, 540.56), (6000, 112.61)])
def test_the_curve_with_a_mean_jumps_at_the_contingency(headroom: float, expected: float) -> None:
    shifted = terms(reference_price=50.0, contingency=3000.0, mean=400.0, sd=1300.0)
    assert adder(np.array([headroom]), scarcity=shifted, voll=5000.0).item() == pytest.approx(expected, abs=5e-3)
    just_past = loss_of_load_probability(np.array([3000.0 + 1e-9]), contingency=3000.0, mean=400.0, sd=1300.0)
    assert just_past.item() == pytest.approx(0.6208, abs=5e-5)


def test_the_chance_agrees_with_another_library() -> None:
    headroom = np.linspace(0.0, 9000.0, 61)
    found = loss_of_load_probability(headroom, contingency=1500.0, mean=250.0, sd=800.0)
    expected = np.where(headroom <= 1500.0, 1.0, norm.sf((headroom - 1500.0 - 250.0) / 800.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("count", [5, 20, 80])
def test_the_steps_have_the_area_of_the_curve_ever_more_closely(count: int) -> None:
    scarcity = terms(steps=count, mean=300.0)
    quantity, price = steps(scarcity, voll=9000.0)
    area, _ = quad(lambda r: adder(np.array([r]), scarcity=scarcity, voll=9000.0).item(), 2000.0, 2000.0 + 300.0 + 3000.0)
    expected = 8970.0 * 2000.0 + area
    assert float(quantity @ price) == pytest.approx(expected, rel=0.05 / count**2 * 4)
    assert quantity.size == count
    assert (np.diff(price) < 0).all()
    assert quantity.sum() == pytest.approx(2000.0 + 3300.0)


def test_one_step_or_no_contingency_leaves_the_falling_part_alone() -> None:
    quantity, price = steps(terms(contingency=0.0, steps=4), voll=9000.0)
    assert quantity.tolist() == pytest.approx([1000.0] * 3)
    assert price[0] < 8970.0


def test_every_accelerator_of_every_region_has_the_same_curve() -> None:
    table = reserves(terms(steps=3), voll=9000.0, regions=["eu", "us"], accelerators=["a100", "h100"])
    assert table.group_by("region", "resource").len()["len"].to_list() == [3] * 4
    assert table.select("step", "quantity", "price").unique().height == 3


@pytest.mark.parametrize(("name", "value"), [("sd", 0.0), ("contingency", -1.0), ("steps", 0)])
def test_terms_that_make_no_curve_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        terms(**{name: value})

"""The preemption option: the design's example, a simulation, identities, and what spreads imply."""

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import lognorm

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import SpreadResidual
from tenorgrid.derivatives.preemption.fit import preemption_fit
from tenorgrid.derivatives.preemption.option import implied, preemption, threshold_of


def arrays(*numbers: float) -> tuple[np.ndarray, ...]:
    return tuple(np.array([number]) for number in numbers)


def test_the_example_of_the_design() -> None:
    """Market design, section 3: F = 1.6, σ√T = 0.8, v = 2.2, π = .1."""
    forward, threshold, deviation, interruption = arrays(1.6, 2.2, 0.8, 0.1)
    found = preemption(forward, threshold, deviation=deviation, interruption=interruption)
    assert found.availability.item() == pytest.approx(0.7876, abs=5e-5)
    assert found.call.item() == pytest.approx(0.3339, abs=5e-5)
    assert found.premium.item() == pytest.approx(0.8012, abs=5e-5)
    assert found.overcommit.item() == pytest.approx(0.8751, abs=5e-5)
    assert found.spot.item() == pytest.approx(1.980, abs=5e-4)
    assert found.firm.item() == pytest.approx(2.5339, abs=5e-5)


@pytest.mark.parametrize(("forward", "threshold", "deviation"), [(1.6, 2.2, 0.8), (2.5, 1.9, 0.3), (1.0, 1.0, 1.5)])
def test_integration_of_the_density_gives_the_same(forward: float, threshold: float, deviation: float) -> None:
    outside = lognorm(s=deviation, scale=forward * np.exp(-(deviation**2) / 2))
    found = preemption(*arrays(forward, threshold), deviation=np.array([deviation]), interruption=np.array([0.05]))
    above, _ = quad(lambda w: w * outside.pdf(w), threshold, np.inf, epsabs=1e-12)
    assert found.availability.item() == pytest.approx(outside.cdf(threshold), abs=1e-12)
    assert found.premium.item() == pytest.approx(above, abs=1e-8)


def test_a_supplier_who_recalls_earns_what_one_who_does_not_earns() -> None:
    """A million draws of W: paid v while W ≤ v and W else, against λ_firm for every hour; and firm − β spot is E[W 1{W > v}]."""
    rng = np.random.default_rng(3)
    outside = 1.6 * np.exp(0.8 * rng.normal(size=1_000_000) - 0.32)
    found = preemption(*arrays(1.6, 2.2), deviation=np.array([0.8]), interruption=np.array([0.1]))
    assert np.where(outside > 2.2, outside, 2.2).mean() == pytest.approx(found.firm.item(), abs=0.005)
    assert found.firm.item() - found.overcommit.item() * found.spot.item() == pytest.approx(found.premium.item(), abs=1e-12)
    assert (1 - 0.1) * found.overcommit.item() == pytest.approx(found.availability.item(), abs=1e-12)


def test_implied_values_are_those_that_the_option_was_priced_with() -> None:
    rng = np.random.default_rng(5)
    forward, deviation = rng.uniform(0.5, 4, 200), rng.uniform(0.05, 2, 200)
    availability = rng.uniform(0.3, 0.98, 200)
    threshold = threshold_of(availability, forward, deviation=deviation)
    priced = preemption(forward, threshold, deviation=deviation, interruption=np.full(200, 0.1))
    np.testing.assert_allclose(priced.availability, availability, rtol=1e-9)
    back, spread = implied(priced.call, threshold, availability=availability)
    np.testing.assert_allclose(spread, deviation, rtol=1e-6)
    np.testing.assert_allclose(back, forward, rtol=1e-6)


def test_the_right_of_recall_is_worth_more_the_less_is_known_of_the_outside_value() -> None:
    deviation = np.linspace(0.05, 2, 40)
    found = preemption(np.full(40, 1.6), np.full(40, 2.2), deviation=deviation, interruption=np.full(40, 0.1))
    assert (np.diff(found.call) > 0).all()


def test_a_call_of_nothing_or_past_every_lognormal_has_no_implied_value() -> None:
    forward, deviation = implied(np.array([0.0, -0.1, 1e40]), np.full(3, 2.0), availability=np.full(3, 0.8))
    assert np.isnan(forward).all()
    assert np.isnan(deviation).all()


@pytest.mark.parametrize(("name", "value"), [("forward", 0.0), ("threshold", -1.0), ("deviation", np.nan), ("interruption", 1.0)])
def test_terms_that_make_no_option_are_refused(name: str, value: float) -> None:
    given = {"forward": 1.6, "threshold": 2.2, "deviation": 0.8, "interruption": 0.1} | {name: value}
    with pytest.raises(InputError, match=name):
        preemption(*arrays(given["forward"], given["threshold"]), deviation=np.array([given["deviation"]]),
                   interruption=np.array([given["interruption"]]))  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2])
def test_an_availability_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="availability"):
        implied(*arrays(0.3, 2.2), availability=np.array([share]))


def spreads(firm: list[float], price: list[float], *, beta: float, scarcity: float = 0.0) -> pl.DataFrame:
    rows = pl.DataFrame({"firm": firm, "price": price}).with_row_index("hour")
    return rows.select(
        horizon=pl.lit("real-time"), pricing=pl.lit("marginal").cast(pl.Enum(["marginal", "convex-hull", "relaxation"])),
        start=pl.datetime(2027, 1, 1, pl.col("hour"), time_zone="UTC"), location=pl.lit("east"), resource=pl.lit("h100-sxm"),
        tier=pl.lit("spot"), firm="firm", price="price", spread=pl.col("firm") - pl.col("price"),
        premium=pl.col("firm") - beta * pl.col("price") - scarcity, overcommit=(beta - 1) * pl.col("price"), scarcity=pl.lit(scarcity),
        residual=pl.lit(0.0), residual_kind=pl.lit("none").cast(pl.Enum([kind.value for kind in SpreadResidual])), offer_id=pl.lit("o"),
    )  # fmt: skip


TIERS = pl.DataFrame(
    {"tier": ["firm", "spot"], "interruption_probability": [0.0, 0.1], "overcommit": [1.0, 0.8751], "reserve_share": [0.0, 0.0]}
)


def test_prices_made_by_the_model_imply_the_model() -> None:
    fit = preemption_fit(spreads([2.5339, 2.5339], [1.98, 1.98], beta=0.8751), tiers=TIERS).row(0, named=True)
    assert fit["availability"] == pytest.approx(0.7876, abs=1e-4)
    assert fit["threshold"] == pytest.approx(2.2, abs=1e-9)
    assert fit["call"] == pytest.approx(0.3339, abs=1e-4)
    assert fit["implied_deviation"] == pytest.approx(0.8, abs=1e-3)
    assert fit["implied_forward"] == pytest.approx(1.6, abs=1e-3)
    assert (fit["outside_deviation"], fit["model_premium"]) == (None, None)  # one price is no distribution


def test_a_premium_below_what_absence_costs_has_no_implied_value() -> None:
    fit = preemption_fit(spreads([2.0, 2.2], [1.98, 1.98], beta=0.8751), tiers=TIERS).row(0, named=True)
    assert fit["call"] < 0
    assert fit["implied_deviation"] is None
    assert fit["outside_deviation"] == pytest.approx(np.log([2.0, 2.2]).std(), abs=1e-12)
    model = preemption(*arrays(2.1, 2.2), deviation=np.array([fit["outside_deviation"]]), interruption=np.array([0.1]))
    assert fit["model_premium"] == pytest.approx(model.premium.item(), abs=1e-9)

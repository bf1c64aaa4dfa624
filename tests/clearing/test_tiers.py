"""Tiers: π, β and α as arrays, and what work is worth through them."""

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.tiers import expected_value, tiers


def test_firm_comes_first_and_the_others_by_name() -> None:
    table = pl.DataFrame(
        {
            "tier": ["spot", "firm", "batch"],
            "interruption_probability": [0.1, 0.0, 0.3],
            "overcommit": [0.9, 1.0, 1.2],
            "reserve_share": [0.2, 0.0, None],
        }
    )
    found = tiers(table)
    assert found.names == ("firm", "batch", "spot")
    assert found.interruption.tolist() == [0.0, 0.3, 0.1]
    assert found.overcommit.tolist() == [1.0, 1.2, 0.9]
    assert found.reserve.tolist() == [0.0, 0.0, 0.2]


def test_expected_values_are_means_over_interruptions() -> None:
    rng = np.random.default_rng(11)
    value, loss = rng.uniform(1, 5, 4), rng.uniform(0, 3, 4)
    interrupted = rng.random(400_000) < 0.2
    drawn = np.where(interrupted[:, None], -loss, value).mean(axis=0)
    np.testing.assert_allclose(expected_value(value, loss, interruption=0.2), drawn, atol=0.02)  # four standard errors are 0.02


def test_the_firm_tier_is_worth_the_value_whatever_would_be_lost() -> None:
    assert expected_value(np.array([3.0]), np.array([100.0]), interruption=0.0).tolist() == [3.0]


@pytest.mark.parametrize("interruption", [0.1, 0.5])
def test_more_interruption_is_worth_less(interruption: float) -> None:
    assert expected_value(np.array([3.0]), np.array([1.0]), interruption=interruption).item() < 3.0

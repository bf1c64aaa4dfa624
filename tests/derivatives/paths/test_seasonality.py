"""Seasons: season."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.paths.seasonality import DAY, WEEK, season


def test_its_harmonics_come_back_by_least_squares() -> None:
    hours = np.arange(24.0 * 14)
    found = np.log(season(hours, period=DAY, cosine=np.array([0.3, -0.1]), sine=np.array([0.05, 0.2])))
    angle = 2 * np.pi * hours / 24
    design = np.stack([np.ones_like(hours), np.cos(angle), np.cos(2 * angle), np.sin(angle), np.sin(2 * angle)], axis=1)
    assert np.linalg.lstsq(design, found, rcond=None)[0] == pytest.approx([0.0, 0.3, -0.1, 0.05, 0.2], abs=1e-12)


def test_it_repeats_after_its_period_and_its_logarithm_averages_nothing() -> None:
    hours = np.arange(168.0)
    one = season(hours, period=WEEK, cosine=np.array([0.3]), sine=np.array([0.2]))
    assert season(hours + 168, period=WEEK, cosine=np.array([0.3]), sine=np.array([0.2])) == pytest.approx(one, rel=1e-12)
    assert np.log(one).mean() == pytest.approx(0.0, abs=1e-14)


def test_wrong_coefficients_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        season(np.arange(3.0), period=0.0, cosine=np.array([np.nan]), sine=np.empty(0))
    assert [fault.column for fault in caught.value.faults] == ["period", "sine", "cosine"]

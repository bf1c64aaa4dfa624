"""Flat discounting."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import InputError

NOW = datetime(2027, 3, 16, 4, tzinfo=UTC)


def test_a_year_at_four_per_cent_is_exp_of_minus_four_hundredths() -> None:
    assert flat(0.04).factor(NOW, NOW + timedelta(365)) == pytest.approx(0.9607894391523232, abs=1e-15)


def test_factors_multiply_along_the_way_and_agree_with_the_array() -> None:
    curve = flat(0.05)
    whole = curve.factor(NOW, NOW + timedelta(90))
    assert curve.factor(NOW, NOW + timedelta(30)) * curve.factor(NOW, NOW + timedelta(60)) == pytest.approx(whole, abs=1e-15)
    assert curve.factors(np.array([90 / 365]))[0] == pytest.approx(whole, abs=1e-15)


def test_a_payment_in_the_past_and_a_rate_in_per_cent_are_refused() -> None:
    with pytest.raises(InputError, match="a payment at or after"):
        flat(0.04).factor(NOW, NOW - timedelta(1))
    with pytest.raises(InputError, match=r"such as 0\.04"):
        flat(4.0)

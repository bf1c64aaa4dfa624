"""Diebold and Mariano's test."""

import numpy as np
import pytest

from tenorgrid.curves.premium.accuracy import diebold_mariano
from tenorgrid.data.errors import InputError

FIRST = np.array([1.2, 1.0, 0.3, -1.1, -0.8, -0.2, 1.5, 1.7, 0.4, -0.9, -1.6, -0.3])
SECOND = np.array([0.9, 0.6, 0.5, -0.8, -0.7, -0.4, 1.1, 0.9, 0.1, -0.6, -0.8, -0.5])
TURNS = np.array([1.2, -0.5, 0.3, -1.1, 0.8, -0.2, 1.5, -0.7, 0.4, -0.9, 0.6, -1.3])
TURNED = np.array([0.9, -0.6, 0.5, -0.8, 0.7, -0.4, 1.1, -0.9, 0.1, -0.6, 0.8, -1.0])


def test_the_worked_example_at_one_and_two_steps() -> None:
    one, two = (diebold_mariano(FIRST**2 - SECOND**2, steps=steps) for steps in (1, 2))
    assert one.difference == pytest.approx(0.5991667, abs=5e-8)
    assert one.statistic == pytest.approx(2.8804066, abs=5e-8)
    assert one.p_value == pytest.approx(0.0039717, abs=1e-7)
    assert one.corrected == pytest.approx(2.7577793, abs=5e-8)
    assert one.corrected_p == pytest.approx(0.0186297, abs=5e-8)
    assert two.statistic == pytest.approx(3.6114286, abs=5e-8)
    assert two.corrected == pytest.approx(3.1564152, abs=5e-8)
    assert two.corrected_p == pytest.approx(0.0091371, abs=5e-8)


def test_a_negative_variance_is_refused_and_bartlett_has_a_positive_one() -> None:
    difference = TURNS**2 - TURNED**2
    centred = difference - difference.mean()
    assert centred @ centred + 2 * centred[1:] @ centred[:-1] < 0
    with pytest.raises(InputError, match=r"a positive long-run variance; window bartlett has one"):
        diebold_mariano(difference, steps=2)
    found = diebold_mariano(difference, steps=2, window="bartlett")
    sums = [centred[lag:] @ centred[: 12 - lag] / 12 for lag in range(3)]
    assert found.statistic == pytest.approx(difference.mean() / np.sqrt((sums[0] + 2 * (2 / 3 * sums[1] + 1 / 3 * sums[2])) / 12))


def test_who_comes_first_changes_the_sign_alone() -> None:
    difference = FIRST**2 - SECOND**2
    there, back = diebold_mariano(difference, steps=2), diebold_mariano(-difference, steps=2)
    assert (there.corrected, there.corrected_p) == (-back.corrected, back.corrected_p)


def test_one_step_is_a_t_test_of_the_mean() -> None:
    from scipy.stats import ttest_1samp

    found, other = diebold_mariano(FIRST**2 - SECOND**2, steps=1), ttest_1samp(FIRST**2 - SECOND**2, 0.0)
    assert found.corrected == pytest.approx(other.statistic, rel=1e-12)
    assert found.corrected_p == pytest.approx(other.pvalue, rel=1e-12)


def test_too_few_rows_equal_losses_and_unknown_windows_are_refused() -> None:
    with pytest.raises(InputError, match="4 differences"):
        diebold_mariano(FIRST[:3], steps=2)
    with pytest.raises(InputError, match="a positive long-run variance"):
        diebold_mariano(np.full(9, 0.5), steps=1)
    with pytest.raises(InputError, match="rectangular or bartlett"):
        diebold_mariano(FIRST, steps=1, window="none")  # type: ignore[arg-type]

"""Rolling windows: what is published is extended, never revised."""

from collections.abc import Callable

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula as Formula
from tenorgrid.data.kinds.index import Splice
from tenorgrid.indices.baskets.multilateral import MULTILATERAL, multilateral
from tenorgrid.indices.baskets.panel import Panel
from tenorgrid.indices.baskets.splicing import extend, rolling

Draw = Callable[[int], Panel]


@pytest.mark.parametrize(
    ("splice", "published"), [(Splice.MOVEMENT, 1.169222231299), (Splice.WINDOW, 1.18221020311053), (Splice.MEAN, 1.17283932343105)]
)
def test_a_window_of_eleven_extended_to_the_twelfth_period(ces: Panel, splice: Splice, published: float) -> None:
    found = rolling(ces, Formula.TIME_PRODUCT_DUMMY, window=11, splice=splice)
    assert found[-1] == pytest.approx(published, rel=1e-12)
    np.testing.assert_array_equal(found[:-1], multilateral(ces.rows(0, 11), Formula.TIME_PRODUCT_DUMMY))


@pytest.mark.parametrize("formula", MULTILATERAL)
@pytest.mark.parametrize("splice", Splice)
def test_splices_written_out_one_window_at_a_time(drawn: Draw, formula: Formula, splice: Splice) -> None:
    panel, window = drawn(3), 5
    published = list(multilateral(panel.rows(0, window), formula))
    for end in range(window + 1, len(panel.periods) + 1):
        index = multilateral(panel.rows(end - window, end), formula)
        shared = range(end - window, end - 1)
        links = {period: published[period] * index[-1] / index[period - end + window] for period in shared}
        chosen = {Splice.MOVEMENT: [end - 2], Splice.WINDOW: [end - window], Splice.HALF: [end - 3], Splice.MEAN: list(shared)}[splice]
        published.append(float(np.prod([links[period] for period in chosen]) ** (1 / len(chosen))))
    np.testing.assert_allclose(rolling(panel, formula, window=window, splice=splice), published, rtol=1e-11)


@pytest.mark.parametrize("splice", Splice)
def test_later_periods_revise_nothing(drawn: Draw, splice: Splice) -> None:
    panel = drawn(5)
    whole = rolling(panel, Formula.GEKS_FISHER, window=3, splice=splice)
    for end in range(3, 7):
        np.testing.assert_allclose(rolling(panel.rows(0, end), Formula.GEKS_FISHER, window=3, splice=splice), whole[:end], rtol=1e-12)


@pytest.mark.parametrize("splice", Splice)
@pytest.mark.parametrize("formula", MULTILATERAL)
def test_a_growing_window_never_reads_a_later_period(drawn: Draw, formula: Formula, splice: Splice) -> None:
    panel = drawn(6)
    whole = rolling(panel, formula, window=5, splice=splice, first="growing")
    for end in range(1, 8):
        np.testing.assert_allclose(rolling(panel.rows(0, end), formula, window=5, splice=splice, first="growing"), whole[:end], rtol=1e-11)
    last = multilateral(panel.rows(2, 7), formula)
    assert extend(whole[:6], last, splice=splice) == pytest.approx(whole[6], rel=1e-12)


@pytest.mark.parametrize("splice", Splice)
def test_a_window_in_proportion_to_what_is_published_goes_on_in_proportion(splice: Splice) -> None:
    published = np.array([1.0, 1.3, 0.8, 1.1])
    assert extend(published, 7 * np.append(published, 1.25), splice=splice) == pytest.approx(1.25, rel=1e-14)


def test_a_panel_no_longer_than_the_window_is_published_whole(ces: Panel) -> None:
    found = rolling(ces, Formula.GEARY_KHAMIS, window=13, splice=Splice.MEAN)
    np.testing.assert_array_equal(found, multilateral(ces, Formula.GEARY_KHAMIS))


def test_windows_that_cannot_be_spliced_are_refused(ces: Panel) -> None:
    with pytest.raises(InputError, match="found 1, expected at least 2 periods"):
        rolling(ces, Formula.GEKS_FISHER, window=1, splice=Splice.MEAN)
    with pytest.raises(InputError, match="found 4, expected an odd number of periods"):
        rolling(ces, Formula.GEKS_FISHER, window=4, splice=Splice.HALF)
    with pytest.raises(InputError, match="at least 2 values"):
        extend(np.array([1.0]), np.array([1.0, 1.1, 1.2]), splice=Splice.MOVEMENT)
    with pytest.raises(InputError, match="a window of at least 2 periods"):
        extend(np.array([1.0]), np.array([1.0]), splice=Splice.MOVEMENT)


def test_only_the_periods_of_one_window_need_a_common_product() -> None:
    price = np.array([[1.0, np.nan], [1.1, 2.0], [np.nan, 2.2]])
    panel = Panel(periods=(1, 2, 3), products=("a", "b"), price=price, quantity=price)
    np.testing.assert_allclose(rolling(panel, Formula.GEKS_FISHER, window=2, splice=Splice.MOVEMENT), [1.0, 1.1, 1.21], rtol=1e-14)
    with pytest.raises(InputError, match="none in 1 and 3"):
        rolling(panel, Formula.GEKS_FISHER, window=3, splice=Splice.MOVEMENT)

"""Rights by least squares: value."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.paths.model import Factors, Jumps, PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.paths.transform import call
from tenorgrid.derivatives.rights.least_squares import value

EIGHT = np.array(
    [
        [1.09, 1.08, 1.34],
        [1.16, 1.26, 1.54],
        [1.22, 1.07, 1.03],
        [0.93, 0.97, 0.92],
        [1.11, 1.56, 1.52],
        [0.76, 0.77, 0.90],
        [0.92, 0.84, 1.01],
        [0.88, 1.22, 1.34],
    ]
).T


def test_the_worked_example_of_longstaff_and_schwartz() -> None:
    """Their eight paths: American .1144, European .0564."""
    margin = np.exp(-0.06 * np.arange(1, 4))[:, None] * (1.10 - EIGHT)
    assert value(margin, state=EIGHT[..., None], maximum=1, degree=2).value == pytest.approx(0.11443433, abs=1e-8)
    assert value(margin[2:], state=EIGHT[2:, :, None], maximum=1, degree=2).value == pytest.approx(0.05638074, abs=1e-8)


@pytest.mark.parametrize(
    ("start", "volatility", "years", "known"),
    [(36.0, 0.2, 1, 4.478), (38.0, 0.4, 1, 6.148), (40.0, 0.2, 1, 2.314), (44.0, 0.4, 1, 3.948), (40.0, 0.2, 2, 2.885)],
)
def test_rows_of_their_table(start: float, volatility: float, years: int, known: float) -> None:
    """Put, strike 40, rate .06, 50 dates a year: finite differences of their table 1."""
    moment = np.arange(1, 50 * years + 1) / 50
    model = PathModel(factors=ornstein_uhlenbeck(reversion=0.0, volatility=volatility))
    forward = (start * np.exp(0.06 * moment))[:, None]
    price = simulate(model, forward=forward, years=moment, paths=20_000, seed=6)[:, 0]
    found = value(np.exp(-0.06 * moment)[:, None] * (40 - price), state=price[..., None], maximum=1)
    assert found.value == pytest.approx(known, abs=3 * found.error + 0.01)  # a policy of few powers loses about a cent


def test_rights_add_value_and_all_of_them_are_what_each_pays() -> None:
    rng = np.random.default_rng(3)
    price = np.exp(rng.normal(0, 0.3, (6, 2000)))
    margin = price - 1
    values = [value(margin, state=price[..., None], maximum=n).value for n in range(7)]
    assert values[0] == 0.0
    assert values == sorted(values)
    assert values[6] == pytest.approx(np.maximum(margin, 0).sum(axis=0).mean(), abs=1e-12)
    assert value(margin, state=price[..., None], maximum=6, minimum=6).value == pytest.approx(margin.sum(axis=0).mean(), abs=1e-12)


def test_with_three_factors_it_lies_between_europeans_and_both_bermudans_and_foresight() -> None:
    """A short and a long factor and jumps: what a chain of one factor cannot carry."""
    factors = Factors(
        reversion=np.array([30.0, 0.0, 5.0]),
        volatility=np.array([2.0, 0.4, 0.8]),
        correlation=np.array([[1.0, 0.3, 0.0], [0.3, 1.0, 0.2], [0.0, 0.2, 1.0]]),
        loading=np.array([[1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]),
    )
    jumps = Jumps(intensity=np.array([20.0]), reversion=np.array([100.0]), rate=np.array([6.0]), loading=np.array([[1.0], [0.0]]))
    model, years, rights = PathModel(factors=factors, jumps=jumps), np.arange(1, 31) / 365, 6
    price = simulate(model, forward=np.ones((30, 2)), years=years, paths=8000, seed=5)
    margin = price[:, 0] - 1
    found = value(margin, state=np.moveaxis(np.log(price), 1, 2), maximum=rights, degree=2)
    alone = np.sort(call(model, forward=np.ones(30), strike=np.ones(30), years=years))[-rights:].sum()
    foresight = np.sort(np.maximum(margin, 0), axis=0)[-rights:].sum(axis=0).mean()
    one = value(margin, state=np.moveaxis(np.log(price), 1, 2), maximum=1, degree=2).value
    assert alone < found.value < min(foresight, rights * one)


def test_faults_are_named() -> None:
    with pytest.raises(InputError) as caught:
        value(np.zeros((3, 5)), state=np.zeros((3, 4, 1)), maximum=5, minimum=4, degree=-1)
    assert [fault.column for fault in caught.value.faults] == ["state", "minimum", "degree"]

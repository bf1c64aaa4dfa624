"""Curves against published figures and exact solutions: minimum-norm fits, tension in hyperbolic functions, several spreads at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.weights import weights

Make = Callable[..., pl.DataFrame]
START = datetime(2027, 1, 1, tzinfo=UTC)
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
KNOTS, AVERAGES = np.array([0.0, 0.25, 0.5, 1.0]), np.array([20.0, 22.0, 19.0])


def spans(quote: Make, *given: tuple[int, int, float]) -> pl.DataFrame:
    """Quotes of `[from, to)` days at a price."""
    return pl.concat([quote(f"{a}-{b}", START + timedelta(a), START + timedelta(b), price) for a, b, price in given])


def test_least_norm_is_not_what_is_least(quote: Make) -> None:
    """cmdty/curves issue 12: three equal overlapping quotes, of which the least norm makes 1.72, 11.38 and 9.66."""
    quotes = spans(quote, (0, 7, 10.0), (7, 14, 10.0), (8, 38, 10.0))
    rows = weights(quotes)
    daily = np.stack([rows.row(i).reshape(-1, 24).sum(axis=1) for i in range(3)])
    least = np.linalg.pinv(daily) @ np.full(3, 10.0)
    assert sorted({round(float(value), 9) for value in least}) == [1.724137931, 9.655172414, 10.0, 11.379310345]
    assert fit_curve(quotes, index="X", as_of=AS_OF).forward == pytest.approx(10.0, abs=1e-10)


def exact_tension(tau: float, times: np.ndarray) -> np.ndarray:
    """Least ∫ f''² + τ² ∫ f'² over all functions: 1, t, t², cosh τt and sinh τt on each interval, by its Euler equations.

    f'''' − τ² f'' is constant where the multiplier of an average is; f to f''' are continuous, f'' and f''' − τ² f' vanish at both ends.
    """

    def basis(t: float, order: int) -> np.ndarray:
        powers = [[1.0, t, t * t], [0.0, 1.0, 2 * t], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]][order]
        waves = [np.cosh(tau * t), np.sinh(tau * t)]
        return np.array([*powers, *(tau**order * np.array(waves if order % 2 == 0 else waves[::-1]))])

    system, right = np.zeros((15, 15)), np.zeros(15)
    for i, (low, high) in enumerate(pairwise(KNOTS)):
        length = high - low
        waves = [np.sinh(tau * length) / tau, (np.cosh(tau * length) - 1) / tau]
        system[i, 5 * i : 5 * i + 5] = np.array([length, length**2 / 2, length**3 / 3, *waves]) / length
        right[i] = AVERAGES[i]
    row = 3
    for i in range(2):
        for order in range(4):
            system[row, 5 * i : 5 * i + 5] = basis(KNOTS[i + 1] - KNOTS[i], order)
            system[row, 5 * i + 5 : 5 * i + 10] = -basis(0.0, order)
            row += 1
    for i, t in ((0, 0.0), (2, KNOTS[3] - KNOTS[2])):
        system[row, 5 * i : 5 * i + 5] = basis(t, 2)
        system[row + 1, 5 * i : 5 * i + 5] = basis(t, 3) - tau**2 * basis(t, 1)
        row += 2
    found = np.linalg.solve(system, right).reshape(3, 5)
    place = np.clip(np.searchsorted(KNOTS, times, side="right") - 1, 0, 2)
    return np.array([found[i] @ basis(t - KNOTS[i], 0) for i, t in zip(place, times, strict=True)])


@pytest.mark.parametrize(("tau", "most"), [(0.01, 1e-4), (1.0, 1e-3), (3.0, 5e-3), (10.0, 0.04)])
def test_tension_in_quartics_is_near_that_in_hyperbolic_functions(quote: Make, tau: float, most: float) -> None:
    """Without tension the two spaces are one; how far they part with it, on averages that move by 2 and 3."""
    quotes = spans(quote, (0, 1, 20.0), (1, 2, 22.0), (2, 4, 19.0))
    curve = fit_curve(quotes, index="X", as_of=AS_OF, method="tension", tension=tau, bending="time")
    times = np.linspace(0, 1, 201)
    found = curve.fitted.spline.at(times, curve.fitted.coefficients[0] @ AVERAGES)
    apart = float(np.abs(found - exact_tension(tau, times)).max())
    assert apart < most


def test_several_spreads_stand_in_one_build(quote: Make) -> None:
    """Base, peak and night in one month, base and weekend in the next, business days in the third: each met, one curve."""
    month = [START, datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)]
    quotes = pl.concat(
        [
            quote("jan", month[0], month[1], 2.4),
            quote("jan peak", month[0], month[1], 2.9, profile="peak"),
            quote("jan night", month[0], month[1], 2.0, profile="night"),
            quote("feb", month[1], month[2], 2.5),
            quote("feb weekend", month[1], month[2], 2.1, profile="weekend"),
            quote("mar", month[2], month[3], 2.6),
            quote("mar business", month[2], month[3], 2.7, average="business-day", calendar="NYSE"),
        ]
    )
    curve = fit_curve(quotes, index="X", as_of=AS_OF)
    assert len(curve.fitted.masks) == 5
    np.testing.assert_allclose(curve.fair, curve.quotes["price"].to_numpy(), rtol=0, atol=1e-10)
    assert curve.average(month[0], month[1], profile="peak") == pytest.approx(2.9, abs=1e-10)
    for i, name in enumerate(curve.quotes["quote_id"]):
        raised = quotes.with_columns(pl.when(pl.col("quote_id") == name).then(pl.col("price") + 0.1).otherwise("price").alias("price"))
        again = fit_curve(raised, index="X", as_of=AS_OF)
        np.testing.assert_allclose(again.forward - curve.forward, 0.1 * curve.sensitivity[:, i], rtol=0, atol=1e-10)


def test_several_spreads_may_end_anywhere_between_their_bids_and_asks(quote: Make) -> None:
    months = [START, datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)]
    made = []
    for i, (low, high) in enumerate(pairwise(months)):
        made.append(quote(f"base {i}", low, high, 2.4 + 0.1 * (-1) ** i, bid=2.25, ask=2.55))
        made.append(quote(f"peak {i}", low, high, 2.8 + 0.1 * (-1) ** i, profile="peak", bid=2.65, ask=2.95))
        made.append(quote(f"night {i}", low, high, 2.1 + 0.02 * i, profile="night"))
    quotes = pl.concat(made)
    met, inside = (fit_curve(quotes, index="X", as_of=AS_OF, within=within) for within in ("price", "bid-ask"))
    asked = inside.quotes
    free = asked["bid"].is_not_null().to_numpy()
    assert (inside.fair[free] >= asked["bid"].to_numpy()[free] - 1e-10).all()
    assert (inside.fair[free] <= asked["ask"].to_numpy()[free] + 1e-10).all()
    np.testing.assert_allclose(inside.fair[~free], asked["price"].to_numpy()[~free], rtol=0, atol=1e-10)
    bent = [np.linalg.norm(curve.fitted.bend @ curve.fair[list(curve.kept)]) for curve in (met, inside)]
    assert bent[1] < 0.9 * bent[0]

"""The smoothest curve between bids and asks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import highspy
import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.arbitrage import ArbitrageError
from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.inside import bounded
from tenorgrid.data.errors import InputError

Make = Callable[..., pl.DataFrame]
START = datetime(2027, 1, 1, tzinfo=UTC)
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)


def spans(quote: Make, *given: tuple[int, int, float, float]) -> pl.DataFrame:
    """Quotes of `[from, to)` days at a price, half a width either side."""
    made = [
        quote(f"{a}-{b}", START + timedelta(a), START + timedelta(b), price, bid=price - half, ask=price + half)
        for a, b, price, half in given
    ]
    return pl.concat(made)


@pytest.mark.parametrize("seed", range(20))
def test_active_set_agrees_with_the_quadratic_program_of_highs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, target, made = rng.normal(size=(9, 6)), rng.normal(size=9), np.vstack([np.eye(6), rng.uniform(0, 1, (3, 6))])
    inner = made @ rng.normal(size=6)
    low, high = inner - rng.uniform(0, 0.3, 9), inner + rng.uniform(0, 0.3, 9)
    price, response, active = bounded(matrix, target, made=made, low=low, high=high)
    hessian, solver = matrix.T @ matrix, highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    model = highspy.HighsModel()
    model.lp_.num_col_, model.lp_.num_row_ = 6, 9
    model.lp_.col_cost_ = -matrix.T @ target
    model.lp_.col_lower_, model.lp_.col_upper_ = np.full(6, -1e30), np.full(6, 1e30)
    model.lp_.row_lower_, model.lp_.row_upper_ = low, high
    model.lp_.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.lp_.a_matrix_.start_ = np.arange(7) * 9
    model.lp_.a_matrix_.index_ = np.tile(np.arange(9), 6)
    model.lp_.a_matrix_.value_ = made.T.ravel()
    model.hessian_.dim_, model.hessian_.format_ = 6, highspy.HessianFormat.kTriangular
    model.hessian_.start_ = np.cumsum([0, 6, 5, 4, 3, 2, 1])
    model.hessian_.index_ = np.concatenate([np.arange(i, 6) for i in range(6)])
    model.hessian_.value_ = np.concatenate([hessian[i:, i] for i in range(6)])
    solver.passModel(model)
    solver.run()
    assert price == pytest.approx(np.array(solver.getSolution().col_value), abs=1e-6)
    nudged = low + 1e-6 * (np.arange(9) == active[0]), high + 1e-6 * (np.arange(9) == active[0])
    again, _, same = bounded(matrix, target, made=made, low=nudged[0], high=nudged[1])
    if same == active:
        assert (again - price) / 1e-6 == pytest.approx(response[:, active[0]], abs=1e-6)


def test_a_quarter_that_contradicts_its_months_within_their_spreads_is_met_between_them(quote: Make) -> None:
    quotes = spans(quote, (0, 31, 2.0, 0.02), (31, 59, 2.2, 0.02), (0, 59, 2.12, 0.02))
    with pytest.raises(ArbitrageError):
        fit_curve(quotes, index="X", as_of=AS_OF)
    curve = fit_curve(quotes, index="X", as_of=AS_OF, within="bid-ask")
    assert (curve.fair >= curve.quotes["bid"].to_numpy() - 1e-9).all()
    assert (curve.fair <= curve.quotes["ask"].to_numpy() + 1e-9).all()
    assert curve.inside is not None
    assert curve.inside.active


def test_spreads_without_width_give_the_curve_of_the_prices(quote: Make) -> None:
    quotes = spans(quote, (0, 31, 2.0, 0.0), (31, 59, 2.2, 0.0), (10, 20, 2.1, 0.0))
    inside = fit_curve(quotes, index="X", as_of=AS_OF, within="bid-ask")
    assert inside.forward == pytest.approx(fit_curve(quotes, index="X", as_of=AS_OF).forward, abs=1e-9)
    assert inside.sensitivity == pytest.approx(fit_curve(quotes, index="X", as_of=AS_OF).sensitivity, abs=1e-9)


def test_wider_spreads_bend_less_and_wide_ones_leave_a_line(quote: Make) -> None:
    given = ((0, 7, 2.4), (5, 12, 2.6), (12, 30, 2.2), (40, 47, 2.5), (59, 90, 2.1))
    found = []
    for half in (0.0, 0.05, 1.0):
        curve = fit_curve(spans(quote, *((*one, half) for one in given)), index="X", as_of=AS_OF, within="bid-ask")
        found.append(float(np.abs(np.diff(curve.forward, 2)).sum()))
    assert found[0] > found[1] > found[2]
    assert found[2] < 1e-4


def test_an_arbitrage_beyond_the_spreads_is_named_with_what_it_earns(quote: Make) -> None:
    with pytest.raises(ArbitrageError) as caught:
        fit_curve(spans(quote, (0, 31, 2.0, 0.02), (31, 59, 2.2, 0.02), (0, 59, 2.2, 0.02)), index="X", as_of=AS_OF, within="bid-ask")
    row = caught.value.table.row(0, named=True)
    assert row["quote_ids"].startswith("0-59, ")
    assert row["size"] == pytest.approx(2.18 - (31 * 2.02 + 28 * 2.22) / 59, abs=1e-9)


def test_a_price_outside_its_bid_and_ask_is_refused(quote: Make) -> None:
    outside = spans(quote, (0, 31, 2.0, 0.02)).with_columns(price=pl.lit(2.1))
    with pytest.raises(InputError, match=r"a price from bid 1.98 to ask 2.02"):
        fit_curve(outside, index="X", as_of=AS_OF, within="bid-ask")

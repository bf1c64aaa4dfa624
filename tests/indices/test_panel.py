"""Panels: rows to arrays."""

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.baskets.panel import Panel, panel

ROWS = pl.DataFrame({"period": [1, 1, 2], "product": ["a", "b", "b"], "price": [2.0, 3.0, 4.0], "quantity": [1.0, 0.0, 2.0]})


def test_rows_become_arrays_and_absent_rows_nothing() -> None:
    found = panel(ROWS)
    np.testing.assert_array_equal(found.price, [[2.0, 3.0], [np.nan, 4.0]])
    np.testing.assert_array_equal(found.paid, [[2.0, 0.0], [0.0, 8.0]])
    assert found.there.tolist() == [[True, True], [False, True]]
    assert found.rows(1, 2).periods == (2,)


def test_a_part_is_the_panel_of_its_periods_and_of_none_there_is_none() -> None:
    rng = np.random.default_rng(5)
    price, quantity = rng.lognormal(0, 1, (2, 9, 7))
    price[rng.random((9, 7)) < 0.3] = np.nan
    quantity[np.isnan(price)] = np.nan
    names = tuple("abcdefg")
    part = Panel(periods=tuple(range(9)), products=names, price=price, quantity=quantity).rows(3, 7)
    fresh = Panel(periods=(3, 4, 5, 6), products=names, price=price[3:7], quantity=quantity[3:7])
    assert (part.periods, part.products) == (fresh.periods, fresh.products)
    for name in ("price", "quantity", "there", "sold", "paid", "spent", "shares"):
        np.testing.assert_array_equal(getattr(part, name), getattr(fresh, name))
    np.testing.assert_allclose(np.where(part.there, part.logs + part.centre, 0.0), np.where(fresh.there, fresh.logs + fresh.centre, 0.0))
    with pytest.raises(InputError, match="found 9 to 12, expected some of its 9 periods"):
        Panel(periods=tuple(range(9)), products=names, price=price, quantity=quantity).rows(9, 12)


def test_the_order_of_rows_does_not_matter() -> None:
    left, right = panel(ROWS), panel(ROWS.reverse())
    np.testing.assert_array_equal(left.price, right.price)
    assert left.products == right.products


def test_every_fault_is_told_at_once() -> None:
    rows = ROWS.vstack(pl.DataFrame({"period": [2, 3], "product": ["b", "c"], "price": [0.0, 1.0], "quantity": [1.0, -1.0]}))
    with pytest.raises(InputError) as refused:
        panel(rows)
    assert [(fault.row, fault.column) for fault in refused.value.faults] == [(4, "price"), (5, "quantity"), (4, "product")]
    with pytest.raises(InputError, match="column quantity: found a missing column"):
        panel(ROWS.drop("quantity"))
    with pytest.raises(InputError, match="at least one row"):
        panel(ROWS.clear())


def test_arrays_that_disagree_are_refused() -> None:
    price = np.array([[1.0, np.nan], [-1.0, 2.0]])
    with pytest.raises(InputError) as refused:
        Panel(periods=(1, 2), products=("a", "b"), price=price, quantity=np.ones((2, 2)))
    assert [(fault.row, fault.column) for fault in refused.value.faults] == [(1, "b"), (2, "a")]
    with pytest.raises(InputError, match="shape"):
        Panel(periods=(1,), products=("a", "b"), price=price, quantity=price)

"""A basket by other formulas."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula
from tenorgrid.indices.baskets.bilateral import BILATERAL, direct
from tenorgrid.indices.baskets.formulas import by_formula
from tenorgrid.indices.baskets.panel import Panel, panel

Write = Callable[..., Path]
Marked = Callable[..., pl.DataFrame]
CONSTITUENTS = tuple(f'index = "{name}.US.FIRM"' for name in "ABCDEF")


def marks_of(made: Panel, marked: Marked) -> pl.DataFrame:
    names = [f"{name.upper()}.US.FIRM" for name in made.products]
    values = {name: made.price[:, column].tolist() for column, name in enumerate(names)}
    return marked(values, quantities={name: made.quantity[:, column].tolist() for column, name in enumerate(names)})


def test_every_formula_is_its_own_direct_index(balk: Panel, marked: Marked, write_basket: Write) -> None:
    """Without rebalancings, the published indices of Balk's data stand in the table."""
    marks = marks_of(balk, marked)
    run = by_formula(marks, definition=write_basket(*CONSTITUENTS, formula="walsh"))
    assert not run.left_out
    assert run.levels.filter("chosen")["formula"].unique().to_list() == ["walsh"]
    rows = panel(marks.select(period="start", product="index", price="value", quantity="quantity"))
    for formula in BILATERAL:
        np.testing.assert_allclose(run.levels.filter(formula=str(formula))["level"] / 1000, direct(rows, formula), rtol=1e-12)
    assert run.levels["formula"].n_unique() == len(IndexFormula)


def test_fixed_quantities_go_with_laspeyres_and_jevons_alone(marked: Marked, write_basket: Write) -> None:
    marks = marked({"A.US.FIRM": [1.0, 2.0], "B.US.FIRM": [1.0, 1.0]})
    fixed = [f"{one}\nquantity = 3.0" for one in CONSTITUENTS[:2]]
    run = by_formula(marks, definition=write_basket(*fixed, come_from="fixed"))
    assert run.levels.group_by("formula", maintain_order=True).agg(pl.col("level").last()).rows() == [
        ("laspeyres", 1500.0),
        ("jevons", pytest.approx(1000 * 2**0.5)),
    ]


def test_a_formula_that_cannot_be_had_is_named_with_its_reason(marked: Marked, write_basket: Write) -> None:
    """A and B share no day but through C, which goes before B comes: the days of a window share no product."""
    values: dict[str, list[float | None]] = {"A.US.FIRM": [2.0, 2.1, None], "B.US.FIRM": [None, 3.0, 3.3]}
    marks = marked(values, quantities={name: [5.0] * 3 for name in values})
    definition = write_basket(*CONSTITUENTS[:2], rebalancing='{ when = "daily" }')
    run = by_formula(marks, definition=definition)
    assert set(run.left_out) == {IndexFormula.GEKS_FISHER, IndexFormula.GEKS_TORNQVIST, IndexFormula.GEKS_WALSH}
    assert "a product that both periods price" in run.left_out[IndexFormula.GEKS_FISHER]
    levels = run.levels.filter(formula="laspeyres")["level"].to_list()
    assert levels == pytest.approx([1000, 1050, 1155])


def test_the_baskets_own_formula_is_not_left_out_but_refused(marked: Marked, write_basket: Write) -> None:
    marks = marked({"A.US.FIRM": [1.0, 2.0]})
    with pytest.raises(InputError, match="marks with quantities"):
        by_formula(marks, definition=write_basket(CONSTITUENTS[0]))

"""One basket by every formula that its marks allow: how much of its series is prices, and how much the choice of a formula."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import BasketQuantity, IndexFormula, Rebalancing, Splice
from tenorgrid.data.tables.baskets import BasketFormulas
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.baskets.bilateral import BILATERAL
from tenorgrid.indices.baskets.file import load_basket
from tenorgrid.indices.baskets.grid import grid
from tenorgrid.indices.baskets.levels import series
from tenorgrid.indices.baskets.multilateral import MULTILATERAL
from tenorgrid.indices.baskets.terms import Basket, Window

USUAL = Window(periods=35, splice=Splice.MEAN)  # five weeks of days, for a basket that names no window


@dataclass(frozen=True, kw_only=True)
class FormulaRun:
    """`levels` are `BasketFormulas`; `left_out` says of each formula that could not be had why."""

    levels: pl.DataFrame
    left_out: Mapping[IndexFormula, str]


def by_formula(marks: pl.DataFrame, *, definition: Basket | Path | str) -> FormulaRun:
    """The series of a basket by each formula, from the same constituents, quantities, rebalancings and base.

    With quantities from marks that is every formula, multilateral ones over the basket's own window, or else five weeks with a mean
    splice; with quantities from the file Laspeyres, and Jevons, which needs none.

    Args:
        marks: `Marks` with those of the baskets in it, as `basket_marks` gives them.
        definition: a shipped name, a TOML file, or what `load_basket` gave.

    Raises `InputError` where the basket's own formula cannot be had.
    """
    basket = load_basket(definition)
    known = checked(marks, Marks, name="marks").filter(pl.col("index") != basket.index)
    own = _levels(known, basket, basket)
    first = float(own["level"][0])
    frames, left_out = [own], {}
    for other in _others(basket, first):
        try:
            frames.append(_levels(known, other, basket))
        except InputError as error:
            left_out[other.formula] = str(error).splitlines()[0]
    return FormulaRun(levels=checked(pl.concat(frames), BasketFormulas, name=f"{basket.name} formulas"), left_out=left_out)


def _others(basket: Basket, base_value: float) -> Iterator[Basket]:
    """The basket with each other formula that goes with where its quantities are from."""
    observed = basket.quantities is BasketQuantity.MARKS
    for formula in IndexFormula:
        if formula is basket.formula:
            continue
        changes: dict[str, Any] = {"formula": formula, "base_value": base_value}
        if formula is IndexFormula.JEVONS:
            changes |= {"quantities": BasketQuantity.NONE, "quantity_days": 1, "window": None}
        elif basket.quantities is BasketQuantity.NONE or (formula is not IndexFormula.LASPEYRES and not observed):
            continue
        if formula in MULTILATERAL:
            changes |= {"window": basket.window or USUAL, "rebalancing": Rebalancing.NEVER, "dates": ()}
        elif formula in BILATERAL:
            changes |= {"window": None}
        yield replace(basket, **changes)


def _levels(marks: pl.DataFrame, rule: Basket, basket: Basket) -> pl.DataFrame:
    seen = grid(marks, rule)
    found = series(seen, rule)
    known = np.flatnonzero(~np.isnan(found.levels))
    return pl.DataFrame({"start": seen.periods["start"][known], "level": found.levels[known]}).select(
        index=pl.lit(basket.index),
        formula=pl.lit(rule.formula.value),
        chosen=pl.lit(rule.formula is basket.formula),
        start="start",
        level="level",
    )

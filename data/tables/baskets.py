"""Baskets: who moved their marks, and when they were rebalanced."""

import dataframely as dy

from tenorgrid.data.kinds.index import ConstituentState, IndexFormula


class BasketContributions(dy.Schema):
    """What each constituent added to the move of a basket from its value before; of a period they sum to that move, before rounding."""

    index = dy.String(primary_key=True, description="Index of the basket")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period of the mark")
    constituent = dy.String(primary_key=True, description="Index of the constituent; `splice` is what linking a new window adds")
    state = dy.Enum(ConstituentState, nullable=True, description="How it entered; null of the splice")
    price = dy.Float64(nullable=True, description="Value that it entered with; null of one left out", metadata={"unit": "see its index"})
    weight = dy.Float64(nullable=True, min=0, description="Share of the basket's value", metadata={"unit": "1"})
    contribution = dy.Float64(description="What it added, in the unit of the basket", metadata={"unit": "see the basket"})


class BasketRebalancings(dy.Schema):
    """One constituent of a basket from one rebalancing on; the level at its close is the same in the old composition and in the new one."""

    index = dy.String(primary_key=True, description="Index of the basket")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="Period at whose close the composition begins")
    constituent = dy.String(primary_key=True, description="Index of the constituent")
    level = dy.Float64(description="Level of the basket at the close, not rounded", metadata={"unit": "see the basket"})
    divisor = dy.Float64(nullable=True, description="Value of the new composition over the level; null without quantities")
    price = dy.Float64(nullable=True, description="Value of the constituent at the close", metadata={"unit": "see its index"})
    quantity = dy.Float64(nullable=True, min=0, description="Quantity held from then on; null of one that could not join")
    weight = dy.Float64(nullable=True, min=0, max=1, description="Share of the value at the close", metadata={"unit": "1"})
    joined = dy.Bool(description="False where it is listed, and had no mark or no quantity to join with")


class BasketFormulas(dy.Schema):
    """A basket's series beside those that other formulas make of the same constituents and quantities."""

    index = dy.String(primary_key=True, description="Index of the basket")
    formula = dy.Enum(IndexFormula, primary_key=True, description="Formula")
    chosen = dy.Bool(description="Whether it is the basket's own")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period of the mark")
    level = dy.Float64(description="Level, not rounded", metadata={"unit": "see the basket"})

"""Constraints of the user's own, which the engine takes as rows beside those of the market."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.market import ExtraKind, ExtraSpan


class ExtraRows(dy.Schema):
    """Terms of linear constraints, lower ≤ Σ coefficient · quantity ≤ upper; a row a term. What is null in a term stands for all there is.

    Of an offer, bid, acceptance or commitment `id` says whose; of a recipe level `workload`, `home`, `recipe` and `location` say which.
    """

    row = dy.String(description="Name of the constraint; its terms share it")
    kind = dy.Enum(ExtraKind, description="What the term multiplies")
    id = dy.String(nullable=True, description="offer_id or bid_id; null for recipe levels")
    step = dy.Int64(min=1, nullable=True, description="Step of the offer or bid")
    resource = dy.String(nullable=True, description="Resource of the offer's step")
    workload = dy.String(nullable=True, description="Workload of the recipe")
    home = dy.String(nullable=True, description="Home of the work; `*` may run anywhere")
    recipe = dy.String(nullable=True, description="Recipe")
    location = dy.String(nullable=True, description="Where the recipe runs")
    tier = dy.String(nullable=True, description="Tier")
    start = dy.Datetime(time_zone="UTC", nullable=True, description="First instant of the interval that the term belongs to")
    coefficient = dy.Float64(description="Per unit of the quantity")
    lower = dy.Float64(nullable=True, description="Least value; equal on all terms of a row, null is none")
    upper = dy.Float64(nullable=True, description="Largest value; equal on all terms of a row, null is none")
    span = dy.Enum(
        ExtraSpan, nullable=True, description="interval: in each one by itself; run: once for the sum over all; null is interval"
    )

    @dy.rule()
    def bounded(cls) -> pl.Expr:
        """a lower or an upper bound, and no lower above the upper one."""
        return pl.any_horizontal(pl.col("lower").is_not_null(), pl.col("upper").is_not_null()) & (
            pl.col("lower").fill_null(float("-inf")) <= pl.col("upper").fill_null(float("inf"))
        )

    @dy.rule()
    def says_whose(cls) -> pl.Expr:
        """an id, except for recipe levels, which have a workload and no id."""
        level = pl.col("kind").cast(pl.String) == ExtraKind.LEVEL.value
        return pl.when(level).then(pl.col("id").is_null() & pl.col("workload").is_not_null()).otherwise(pl.col("id").is_not_null())

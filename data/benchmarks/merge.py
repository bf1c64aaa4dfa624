"""Recipes put into a market case: a new chip enters as new rows."""

from collections.abc import Iterator

import polars as pl

from tenorgrid.data.benchmarks.recipes import RecipeBook
from tenorgrid.data.case import Case, make_case
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.case import Offers
from tenorgrid.data.tables.door import checked


def merged(case: Case, book: RecipeBook, offers: pl.DataFrame | None = None) -> Case:
    """The case with the workloads, recipes and resources of `book` beside its own, and with further offers, for example of a new chip.

    Of a workload that the case has already, its own row stands and recipes are added; the unit must be the same. A row that the case has
    already is not added again.

    Raises `InputError` with every clash: a unit or kind that differs, a recipe of the same name that is another; and where the case, with
    the new rows, breaks a rule of its own, such as a bid that a better recipe lifts past the price cap.
    """
    if clashes := [*_units(case, book), *_recipes(case, book)]:
        raise InputError(clashes)
    frames = case.tables()
    for name, key in (("resources", ["resource"]), ("workloads", ["workload"]), ("recipes", ["workload", "recipe"])):
        frames[name] = pl.concat([frames[name], getattr(book, name).join(frames[name], on=key, how="anti", maintain_order="left")])
    own = case.recipes.select("workload", "recipe")
    added = book.recipe_resources.join(own, on=["workload", "recipe"], how="anti", maintain_order="left")
    frames["recipe_resources"] = pl.concat([frames["recipe_resources"], added])
    if offers is not None:
        frames["offers"] = pl.concat([frames["offers"], checked(offers, Offers, name="offers")])
    return make_case(case.market, frames)


def _units(case: Case, book: RecipeBook) -> Iterator[Fault]:
    checks = (("workloads", "workload", "unit"), ("resources", "resource", "unit"), ("resources", "resource", "kind"))
    for table, key, column in checks:
        theirs = getattr(book, table).with_row_index("row", offset=1).with_columns(pl.col(column).cast(pl.String))
        ours = getattr(case, table).select(key, pl.col(column).cast(pl.String).alias("own"))
        for row, name, value, own in (
            theirs.join(ours, on=key, maintain_order="left")
            .filter(pl.col(column) != pl.col("own"))
            .select("row", key, column, "own")
            .iter_rows()
        ):
            yield Fault(file=table, row=row, column=column, value=value, expected=f"{own}, as the market has {name}")


def _recipes(case: Case, book: RecipeBook) -> Iterator[Fault]:
    """A recipe of the market with the name of a new one must be the same recipe."""
    whole = []
    for recipes, uses in ((case.recipes, case.recipe_resources), (book.recipes, book.recipe_resources)):
        vector = uses.sort("resource").group_by("workload", "recipe").agg(pl.struct("resource", "per_hour").alias("use"))
        whole.append(recipes.join(vector, on=["workload", "recipe"], how="left", maintain_order="left"))
    own, new = whole
    both = new.with_row_index("row", offset=1).join(own, on=["workload", "recipe"], suffix="_own", maintain_order="left")
    same = (pl.col("output_per_hour") == pl.col("output_per_hour_own")) & pl.col("domain").eq_missing(pl.col("domain_own"))
    other = both.filter(~same | (pl.col("use") != pl.col("use_own")))
    for row, workload, recipe in other.select("row", "workload", "recipe").iter_rows():
        expected = f"a name that no other recipe of {workload} has in the market: choose other accelerators, or call the workload otherwise"
        yield Fault(file="recipes", row=row, column="recipe", value=recipe, expected=expected)

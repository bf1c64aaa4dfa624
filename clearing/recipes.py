"""Performance functions f_n(X): how much work a bundle of resources can do (market design, section 2)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import SolverError

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Recipes:
    """The recipes of one workload: `output` φ (recipes,) units per recipe-hour, `use` x (recipes, resources) resource-hours per
    recipe-hour, `domains` (recipes,) scale-up sizes that they need; empty where none needs one.
    """

    workload: str
    names: tuple[str, ...]
    output: Vector
    use: Vector
    domains: tuple[int, ...] = ()

    def domain(self, recipe: int) -> int:
        """Scale-up size that a recipe needs; 1 is none."""
        return self.domains[recipe] if self.domains else 1


def recipes_by_workload(recipes: pl.DataFrame, recipe_resources: pl.DataFrame, *, resources: list[str]) -> dict[str, Recipes]:
    """Both recipe tables as arrays, workloads and recipes in the order of their names.

    Args:
        recipes, recipe_resources: the tables of a case.
        resources: the columns of `use`, in order.
    """
    place = {name: number for number, name in enumerate(resources)}
    book = {}
    for (workload,), group in recipes.sort("workload", "recipe").group_by("workload", maintain_order=True):
        names = tuple(group["recipe"])
        row = {name: number for number, name in enumerate(names)}
        use = np.zeros((len(names), len(resources)))
        for recipe, resource, amount in (
            recipe_resources.filter(pl.col("workload") == workload).select("recipe", "resource", "per_hour").iter_rows()
        ):
            use[row[recipe], place[resource]] = amount
        domains = tuple(group["domain"].fill_null(1)) if group["domain"].max() is not None else ()
        book[str(workload)] = Recipes(
            workload=str(workload), names=names, output=group["output_per_hour"].to_numpy(), use=use, domains=domains
        )
    return book


def output(recipes: Recipes, bundle: Vector) -> float:
    r"""Most work that a bundle can do, :math:`f_n(X) = \max \{\sum_a \varphi_a z_a : \sum_a x_a z_a \le X, z \ge 0\}`.

    Concave and homogeneous of degree one.

    Args:
        recipes: of the workload.
        bundle: (resources,) resource-hours, X.

    Returns units of work. Raises SolverError where no level of the recipes is feasible (a negative bundle).

    >>> use = np.array([[1.0, 0.0, 4.0], [0.0, 1.0, 8.0]])
    >>> two = Recipes(workload="decode", names=("on-a", "on-b"), output=np.array([10.0, 16.0]), use=use)
    >>> output(two, np.array([2.0, 1.0, 100.0])), output(two, np.array([2.0, 1.0, 12.0]))
    (36.0, 28.0)
    """
    from scipy.optimize import linprog  # slow import, only needed here

    solved = linprog(-recipes.output, A_ub=recipes.use.T, b_ub=bundle, bounds=(0, None), method="highs")
    if solved.fun is None:
        raise SolverError(f"the performance function of {recipes.workload} has no value: {solved.message}")
    return -float(solved.fun)

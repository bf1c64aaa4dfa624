"""Performance functions: concave, homogeneous, and what the recipes say."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.clearing.recipes import Recipes, output, recipes_by_workload
from tenorgrid.data.errors import SolverError

# two GPU classes that may stand in for one another, each with its vcpu, and a recipe that uses both
THREE = Recipes(
    workload="decode",
    names=("mixed", "on-a", "on-b"),
    output=np.array([30.0, 10.0, 16.0]),
    use=np.array([[1.0, 1.0, 4.0], [1.0, 0.0, 4.0], [0.0, 1.0, 8.0]]),
)
BUNDLE = st.lists(st.floats(0.0, 1e3), min_size=3, max_size=3).map(np.array)


def by_vertices(recipes: Recipes, bundle: np.ndarray) -> float:
    """The same maximum by trying every basis: recipes and slacks, three at a time."""
    table = np.hstack([recipes.use.T, np.eye(3)])
    worth = np.r_[recipes.output, np.zeros(3)]
    best = 0.0
    for chosen in combinations(range(table.shape[1]), 3):
        square = table[:, chosen]
        if abs(np.linalg.det(square)) > 1e-12:
            level = np.linalg.solve(square, bundle)
            if (level >= -1e-9).all():
                best = max(best, float(worth[list(chosen)] @ level))
    return best


def test_fixed_proportions_are_the_smallest_ratio() -> None:
    one = Recipes(workload="w", names=("only",), output=np.array([5.0]), use=np.array([[8.0, 96.0]]))
    assert output(one, np.array([16.0, 96.0])) == pytest.approx(5.0)
    assert output(one, np.array([16.0, 400.0])) == pytest.approx(10.0)
    assert output(one, np.array([0.0, 400.0])) == 0.0


@given(BUNDLE)
@settings(max_examples=40, deadline=None)
def test_the_maximum_is_that_over_all_vertices(bundle: np.ndarray) -> None:
    assert output(THREE, bundle) == pytest.approx(by_vertices(THREE, bundle), rel=1e-6, abs=1e-5)


@given(BUNDLE, st.floats(0.01, 100.0))
@settings(max_examples=40, deadline=None)
def test_twice_the_bundle_does_twice_the_work(bundle: np.ndarray, factor: float) -> None:
    assert output(THREE, factor * bundle) == pytest.approx(factor * output(THREE, bundle), rel=1e-6, abs=1e-4)


@given(BUNDLE, BUNDLE, st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_a_mixture_of_bundles_does_at_least_the_mixture_of_their_work(first: np.ndarray, second: np.ndarray, share: float) -> None:
    mixed = output(THREE, share * first + (1 - share) * second)
    assert mixed >= share * output(THREE, first) + (1 - share) * output(THREE, second) - 1e-4


def test_a_new_recipe_never_makes_a_bundle_do_less() -> None:
    fewer = Recipes(workload="decode", names=("on-a", "on-b"), output=THREE.output[1:], use=THREE.use[1:])
    rng = np.random.default_rng(3)
    for bundle in rng.uniform(0, 50, (20, 3)):
        assert output(THREE, bundle) >= output(fewer, bundle) - 1e-9


def test_the_tables_become_arrays_in_the_order_of_names() -> None:
    output, domain = [3.0, 2.0, 1.0], [72, None, None]
    recipes = pl.DataFrame({"workload": ["w", "w", "v"], "recipe": ["z", "a", "m"], "output_per_hour": output, "domain": domain})
    uses = pl.DataFrame(
        {
            "workload": ["w", "w", "v", "w"],
            "recipe": ["z", "a", "m", "z"],
            "resource": ["g", "g", "g", "c"],
            "per_hour": [8.0, 4.0, 1.0, 96.0],
        }
    )
    book = recipes_by_workload(recipes, uses, resources=["c", "g"])
    assert list(book) == ["v", "w"]
    assert book["w"].names == ("a", "z")
    assert book["w"].output.tolist() == [2.0, 3.0]
    assert book["w"].use.tolist() == [[0.0, 4.0], [96.0, 8.0]]
    assert [book["w"].domain(recipe) for recipe in range(2)] == [1, 72]
    assert book["v"].domain(0) == 1


def test_a_negative_bundle_is_refused() -> None:
    with pytest.raises(SolverError, match="decode has no value"):
        output(THREE, np.array([1.0, -1.0, 1.0]))

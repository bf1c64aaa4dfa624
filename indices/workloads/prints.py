"""Prints of one workload at one home and tier: what each way costs on each day, the cheapest, how far it is to be trusted, why it moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.workloads.costs import NONE, Change, Cheapest, change, cheapest, unit_costs
from tenorgrid.indices.workloads.panels import TRUST, PricePanel
from tenorgrid.indices.workloads.recipes import Recipes
from tenorgrid.indices.workloads.terms import WorkloadBasket

Vector = npt.NDArray[np.float64]
Trust = npt.NDArray[np.int64]

DUST = 1e-12  # relative: a change that is rounding
LOW = TRUST.index(MarkStatus.LOW_CONFIDENCE)


@dataclass(frozen=True, kw_only=True)
class WorkloadPrints:
    """One workload at one home and tier: what each way costs on each day, and what was printed of it.

    `costs` is (days, ways), a way being recipe `way // places` at place `way % places`; `trust` (days,) the place of the status in
    `TRUST`; `value` (days,) as printed, NaN where withheld; `left` (days,) whether the cheapest way lost a mark lately; `since` (days,)
    the day before that had a price, -1 where there is none.
    """

    recipes: Recipes
    panel: PricePanel
    costs: Vector
    best: Cheapest
    moved: Change
    since: Trust
    left: npt.NDArray[np.bool_]
    trust: Trust
    value: Vector

    @property
    def index(self) -> str:
        """WORKLOAD.HOME.TIER."""
        return f"{self.recipes.term.index}.{self.panel.home.name}.{self.panel.tier}"


def prints_of(panel: PricePanel, basket: WorkloadBasket, made: Mapping[str, Recipes]) -> Iterator[WorkloadPrints]:
    """Prints of each workload that can be done on some day."""
    for recipes in made.values():
        costs = way_costs(panel, recipes)
        if np.isfinite(costs).any():
            yield _prints(panel, recipes, costs, basket)


def way_costs(panel: PricePanel, recipes: Recipes) -> Vector:
    """(days, recipes × places) USD per unit of the index by each recipe at each place that the home reaches."""
    at = [panel.resources.index(name) for name in recipes.resources]
    parts = [
        unit_costs(price[:, at], recipes.use, recipes.output, np.full(len(recipes.names), usd * recipes.term.gib))
        for price, usd in zip(panel.price, panel.home.places.values(), strict=True)
    ]
    return np.stack(parts, axis=2).reshape(panel.days.height, -1)


def _prints(panel: PricePanel, recipes: Recipes, costs: Vector, basket: WorkloadBasket) -> WorkloadPrints:
    best = cheapest(costs)
    priced = np.flatnonzero(best.way != NONE)
    moved, since = _since(costs, priced)
    left = _lately(np.nan_to_num(moved.leaving) > DUST * np.where(np.isfinite(best.cost), best.cost, 0.0), basket.leaving_days)
    trust = np.where(best.way == NONE, 0, _trust(panel, recipes, best))
    trust = np.where(left, np.minimum(trust, LOW), trust)
    value = np.full(len(costs), np.nan)
    value[priced] = [rounded(float(cost), decimals=basket.decimals, rule=basket.rounding) for cost in best.cost[priced]]
    return WorkloadPrints(
        recipes=recipes, panel=panel, costs=costs, best=best, moved=moved, since=since, left=left, trust=trust, value=value
    )


def _since(costs: Vector, priced: npt.NDArray[np.int64]) -> tuple[Change, Trust]:
    """The change since the last day that had a price, spread over all days, and that day."""
    found, days = change(costs[priced]), len(costs)

    def spread(part: Vector) -> Vector:
        whole = np.full(days, np.nan)
        whole[priced] = part
        return whole

    since = np.full(days, NONE)
    since[priced[1:]] = priced[:-1]
    return Change(prices=spread(found.prices), entering=spread(found.entering), leaving=spread(found.leaving)), since


def _lately(happened: npt.NDArray[np.bool_], days: int) -> npt.NDArray[np.bool_]:
    """Whether it happened on the day or on one of the `days` - 1 before."""
    return np.array([happened[max(0, day - days + 1) : day + 1].any() if days else False for day in range(len(happened))], dtype=bool)


def _trust(panel: PricePanel, recipes: Recipes, best: Cheapest) -> Trust:
    """The least trusted mark that the cheapest way uses."""
    at = [panel.resources.index(name) for name in recipes.resources]
    recipe, place = np.divmod(np.maximum(best.way, 0), len(panel.home.places))
    trusted = panel.trust[place, np.arange(panel.days.height)][:, at]
    return np.asarray(np.where(recipes.use[recipe] > 0, trusted, len(TRUST)).min(axis=1), dtype=np.int64)

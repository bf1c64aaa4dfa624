"""The static terms of a case in canonical order: places, resources, tiers, recipes, links and reserve steps."""

from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from tenorgrid.clearing.recipes import Recipes, recipes_by_workload
from tenorgrid.clearing.scarcity import reserves as scarcity_reserves
from tenorgrid.clearing.tiers import Tiers, tiers
from tenorgrid.data.case import Case

ANYWHERE = "*"


class Place(NamedTuple):
    """Where a pool's work may run, and the link that its data takes (none at home)."""

    location: str
    link: str | None
    cost: float  # κ e, USD per unit of work
    egress: float  # e, GiB per unit of work; 0 without a link


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Static terms of a case in canonical (alphabetical) order."""

    locations: tuple[str, ...]
    regions: dict[str, str]
    resources: tuple[str, ...]
    accelerators: tuple[str, ...]
    tiers: Tiers
    recipes: dict[str, Recipes]
    egress: dict[str, float]
    links: pl.DataFrame
    routes: dict[str, tuple[tuple[str, str, float], ...]]  # from a home: where to, over which link, at which cost per GiB
    reserves: pl.DataFrame

    @classmethod
    def of(cls, case: Case) -> "Grid":
        """The grid of a case; `[scarcity]` terms become reserve steps where no table gives them."""
        locations = case.locations.sort("location")
        resources = case.resources.sort("resource")
        accelerators = tuple(resources.filter(pl.col("kind").cast(pl.String) == "accelerator")["resource"])
        reserves, terms = case.reserves, case.market.scarcity
        if terms is not None and reserves.is_empty():
            regions = sorted(set(locations["region"]))
            reserves = scarcity_reserves(terms, voll=case.market.voll, regions=regions, accelerators=list(accelerators))
        return cls(
            locations=tuple(locations["location"]),
            regions=dict(locations.select("location", "region").iter_rows()),
            resources=tuple(resources["resource"]),
            accelerators=accelerators,
            tiers=tiers(case.tiers),
            recipes=recipes_by_workload(case.recipes, case.recipe_resources, resources=list(resources["resource"])),
            egress={name: egress or 0.0 for name, egress in case.workloads.select("workload", "egress_gib_per_unit").iter_rows()},
            links=case.links.sort("link"),
            routes={
                str(home): tuple(group.sort("link").select("to", "link", "cost_per_gib").iter_rows())
                for (home,), group in case.links.group_by("from")
            },
            reserves=reserves.sort("region", "resource", "step"),
        )

    def places(self, workload: str, home: str) -> list[Place]:
        """Home, then over each link from it; anywhere at no cost where the bid has no home."""
        if home == ANYWHERE:
            return [Place(location, None, 0.0, 0.0) for location in self.locations]
        egress = self.egress[workload]
        away = (Place(to, link, egress * cost, egress) for to, link, cost in self.routes.get(home, ()))
        return [Place(home, None, 0.0, 0.0), *away]

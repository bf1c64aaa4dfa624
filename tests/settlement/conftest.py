"""A small market cleared in the test itself: a linear programme per horizon and interval, its duals as prices, the tables as published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog

from tenorgrid.data.case import Case
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables import case as tables
from tenorgrid.data.tables import cleared
from tenorgrid.data.terms.market import Horizon, Market

START = datetime(2027, 1, 1, 5, tzinfo=UTC)
RECORDED = datetime(2027, 3, 16, 5, tzinfo=UTC)
HORIZONS = (
    Horizon(name="month-ahead", lead=timedelta(days=30)),
    Horizon(name="week-ahead", lead=timedelta(days=7)),
    Horizon(name="day-ahead", lead=timedelta(days=1)),
    Horizon(name="real-time", lead=timedelta(0)),
)
PUBLISHED = {
    "prices": cleared.Prices,
    "workload_prices": cleared.WorkloadPrices,
    "awards": cleared.Awards,
    "placements": cleared.Placements,
    "headroom": cleared.Headroom,
    "binding": cleared.Binding,
}


def frame(schema: type[dy.Schema], rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a table; columns that are left out are null."""
    if not rows:
        return schema.create_empty()
    return schema.validate(
        pl.DataFrame([{name: row.get(name) for name in schema.columns()} for row in rows], infer_schema_length=None), cast=True
    )


def make_case(
    *, locations: list[str], workloads: dict[str, float], recipes: dict[tuple[str, str], tuple[float, dict[str, float]]],
    links: Sequence[dict[str, Any]] = (), horizons: tuple[Horizon, ...] = HORIZONS, interval: timedelta = timedelta(hours=1),
) -> Case:  # fmt: skip
    """A case of static tables: workloads with their egress, recipes with output and use."""
    market = Market(
        name="test", interval=interval, timezone="America/New_York", pricing=PricingRule.MARGINAL, price_floor=-10.0, price_cap=1000.0,
        voll=100.0, horizons=horizons,
    )  # fmt: skip
    resources = sorted({name for _, use in recipes.values() for name in use})
    tiers = [{"tier": "firm", "interruption_probability": 0.0, "overcommit": 1.0, "reserve_share": 0.0}]
    return Case(
        market=market,
        locations=frame(tables.Locations, [{"location": name, "region": name} for name in locations]),
        resources=frame(tables.Resources, [{"resource": name, "kind": "accelerator", "unit": "GPU"} for name in resources]),
        tiers=frame(tables.Tiers, tiers),
        workloads=frame(
            tables.Workloads,
            [
                {"workload": name, "class": "decode", "unit": "1e6 tokens", "egress_gib_per_unit": egress}
                for name, egress in workloads.items()
            ],
        ),
        recipes=frame(tables.Recipes, [{"workload": w, "recipe": a, "output_per_hour": made} for (w, a), (made, _) in recipes.items()]),
        recipe_resources=frame(
            tables.RecipeResources,
            [
                {"workload": w, "recipe": a, "resource": name, "per_hour": amount}
                for (w, a), (_, use) in recipes.items()
                for name, amount in use.items()
            ],
        ),
        offers=tables.Offers.create_empty(),
        bids=tables.Bids.create_empty(),
        links=frame(tables.Links, list(links)),
        reserves=tables.Reserves.create_empty(),
        virtuals=tables.Virtuals.create_empty(),
    )


@dataclass
class Board:
    """Collects published rows of several runs."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in PUBLISHED})

    def add(self, table: str, horizon: str, start: datetime, **cells: Any) -> None:
        """One row of a table."""
        self.rows[table].append({"horizon": horizon, "start": start, **cells})

    def node(self, horizon: str, location: str, price: float | None, *, resource: str = "gpu", start: datetime = START) -> None:
        """A price of a node under both rules."""
        for rule in PricingRule:
            self.add("prices", horizon, start, pricing=rule.value, location=location, resource=resource, tier="firm", price=price)

    def pool(self, horizon: str, home: str, price: float | None, *, workload: str = "decode", start: datetime = START) -> None:
        """A workload price under both rules."""
        for rule in PricingRule:
            self.add("workload_prices", horizon, start, pricing=rule.value, workload=workload, home=home, tier="firm", price=price)

    def award(self, horizon: str, side: str, who: str, quantity: float, *, start: datetime = START, **cells: Any) -> None:
        """An award; cash is not read by settlement."""
        more = {
            "id": f"{who}-{side}",
            "participant": who,
            "step": None if side in ("inc", "dec") else 1,
            "tier": "firm",
            "price": 0.0,
            "cash": 0.0,
        }
        self.add("awards", horizon, start, side=side, quantity=quantity, **(more | cells))

    def place(
        self,
        horizon: str,
        home: str,
        recipe: str,
        location: str,
        level: float,
        work: float,
        *,
        workload: str = "decode",
        start: datetime = START,
    ) -> None:
        """A recipe level."""
        self.add(
            "placements",
            horizon,
            start,
            workload=workload,
            home=home,
            tier="firm",
            recipe=recipe,
            location=location,
            level=level,
            work=work,
        )

    def tables(self) -> dict[str, Any]:
        """The published tables."""
        return {name: frame(schema, self.rows[name]) for name, schema in PUBLISHED.items()}


RECIPES = {
    ("decode", "on-a"): (10.0, {"a": 8.0, "ram": 3.0}),
    ("decode", "on-b"): (24.0, {"b": 8.0, "ram": 5.0}),
    ("train", "on-a"): (0.5, {"a": 16.0, "ram": 9.0}),
    ("train", "on-b"): (1.1, {"b": 16.0, "ram": 7.0}),
}


def random_market(seed: int, *, intervals: int = 3, interval: timedelta = timedelta(hours=1)) -> tuple[Case, dict[str, Any]]:
    """Two locations, three resources, two workloads, links both ways, virtual bids; every horizon cleared by scipy's HiGHS."""
    rng = np.random.default_rng(seed)
    links = [
        {"link": f"{a}-{b}", "from": a, "to": b, "capacity_gib_per_hour": rng.uniform(2, 12), "cost_per_gib": rng.uniform(0.001, 0.05)}
        for a, b in (("east", "west"), ("west", "east"))
    ]
    case = make_case(locations=["east", "west"], workloads={"decode": 0.5, "train": 4.0}, recipes=RECIPES, links=links, interval=interval)
    board = Board()
    for number in range(intervals):
        for horizon in HORIZONS:
            _clear(board, case, rng, horizon.name, START + number * interval)
    return case, board.tables()


def _clear(board: Board, case: Case, rng: np.random.Generator, horizon: str, start: datetime) -> None:
    places, resources = ("east", "west"), ("a", "b", "ram")
    nodes = [(place, resource) for place in places for resource in resources]
    pools = [(workload, home) for workload in ("decode", "train") for home in (*places, "*")]
    routes = {(row["from"], row["to"]): row for row in case.links.iter_rows(named=True)}
    egress = dict(case.workloads.select("workload", "egress_gib_per_unit").iter_rows())
    cost: list[float] = []
    upper: list[float | None] = []
    names: list[tuple[str, ...]] = [*(("node", *node) for node in nodes), *(("pool", *pool) for pool in pools)]
    rows: dict[tuple[str, ...], dict[int, float]] = {name: {} for name in [*names, *(("link", *pair) for pair in routes)]}
    told: list[tuple[str, tuple[Any, ...]]] = []

    def column(price: float, most: float | None, kind: str, *what: Any) -> int:
        cost.append(price)
        upper.append(most)
        told.append((kind, what))
        return len(cost) - 1

    for place, resource in nodes:
        scale = 50.0 if resource == "ram" else 1.0
        for who in ("sue", "sam", "ann"):
            for step in (1, 2):
                at = column(float(rng.uniform(1, 4)) / scale, float(rng.uniform(20, 90)) * scale, "offer", who, step, place, resource)
                rows["node", place, resource][at] = -1.0
        if horizon != "real-time" and resource != "ram":
            for side, sign in (("inc", -1.0), ("dec", 1.0)):
                at = column(sign * -float(rng.uniform(1, 4)), float(rng.uniform(2, 9)), side, f"virt-{side}", None, place, resource)
                rows["node", place, resource][at] = sign
    for workload, home in pools:
        for who in ("bob", "ann"):
            at = column(
                -float(rng.uniform(1, 6)) * (1.0 if workload == "decode" else 60.0),
                float(rng.uniform(5, 80)) / (1 if workload == "decode" else 20),
                "bid",
                who,
                workload,
                home,
            )
            rows["pool", workload, home][at] = 1.0
        for (name, recipe), (made, use) in RECIPES.items():
            for place in places if name == workload else ():
                if home not in ("*", place):
                    route = routes[home, place]
                    carried = made * egress[workload]
                    at = column(route["cost_per_gib"] * carried, None, "level", workload, home, recipe, place, made)
                    rows["link", home, place][at] = carried
                else:
                    at = column(0.0, None, "level", workload, home, recipe, place, made)
                rows["pool", workload, home][at] = -made
                for resource, amount in use.items():
                    rows["node", place, resource][at] = amount
    matrix = np.zeros((len(rows), len(cost)))
    for number, entries in enumerate(rows.values()):
        matrix[number, list(entries)] = list(entries.values())
    limit = [routes[key[1], key[2]]["capacity_gib_per_hour"] if key[0] == "link" else 0.0 for key in rows]
    solved = linprog(cost, A_ub=matrix, b_ub=limit, bounds=[(0, most) for most in upper], method="highs")
    dual = {name: -float(value) for name, value in zip(rows, np.asarray(solved.ineqlin.marginals), strict=True)}
    for place, resource in nodes:
        board.node(horizon, place, dual["node", place, resource], resource=resource, start=start)
    for workload, home in pools:
        board.pool(horizon, home, dual["pool", workload, home], workload=workload, start=start)
    for (a, b), route in routes.items():
        if dual["link", a, b] > 0:
            board.add("binding", horizon, start, kind="link", key=route["link"], dual=dual["link", a, b], meaning="full")
    for (kind, what), amount in zip(told, np.asarray(solved.x), strict=True):
        if amount <= 0:
            continue
        if kind == "level":
            workload, home, recipe, place, made = what
            board.place(horizon, home, recipe, place, float(amount), float(amount) * made, workload=workload, start=start)
        elif kind == "bid":
            who, workload, home = what
            board.award(
                horizon,
                "bid",
                who,
                float(amount),
                location=None if home == "*" else home,
                workload=workload,
                id=f"{who}-{workload}-{home}",
                start=start,
            )
        else:
            who, step, place, resource = what
            board.award(
                horizon, kind, who, float(amount), location=place, resource=resource, step=step, id=f"{who}-{place}-{resource}", start=start
            )


@pytest.fixture(scope="session")
def cleared_market() -> Callable[[int], tuple[Case, dict[str, Any]]]:
    """Markets by seed, each cleared once."""
    known: dict[int, tuple[Case, dict[str, Any]]] = {}

    def market(seed: int) -> tuple[Case, dict[str, Any]]:
        if seed not in known:
            known[seed] = random_market(seed)
        return known[seed]

    return market


@pytest.fixture
def board() -> Board:
    """An empty collection of published rows."""
    return Board()


@pytest.fixture
def case_of() -> Callable[..., Case]:
    """Makes a case of static tables."""
    return make_case


@pytest.fixture
def recorded_at() -> datetime:
    """When the tests settle."""
    return RECORDED

"""Small random markets in which every family of constraints binds now and then."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.grid import Grid
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.orders import take_orders
from tenorgrid.clearing.problem import Problem, pose
from tenorgrid.clearing.state import State
from tenorgrid.clearing.windows import Span
from tenorgrid.data.case import Case, make_case
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.case import Offers
from tenorgrid.data.terms.market import REAL_TIME, Horizon, Market
from tests.clearing.whole_markets import random_whole_case

START = datetime(2027, 1, 5, tzinfo=UTC)
HORIZONS = (Horizon(name="day-ahead", lead=timedelta(days=1)), Horizon(name="real-time", lead=timedelta(0)))
GPUS = ("g1", "g2", "g3")
Row = dict[str, Any]


@dataclass(frozen=True)
class _Draw:
    """Draws of one market: prices and quantities come from a coarse grid where ties are wanted."""

    rng: np.random.Generator
    ties: bool

    def price(self, low: float, high: float) -> float:
        drawn = self.rng.uniform(low, high)
        return float(round(drawn * 2) / 2) if self.ties else float(drawn)

    def amount(self, low: float, high: float) -> float:
        return float(self.rng.choice([1.0, 2.0, 4.0]) * (low + high) / 4) if self.ties else float(self.rng.uniform(low, high))

    def one(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)


def market(**changed: Any) -> Market:
    """Terms of a market in UTC hours, priced from 0 to 1,000 USD."""
    terms: dict[str, Any] = {
        "name": "random",
        "interval": timedelta(hours=1),
        "timezone": "UTC",
        "pricing": PricingRule.MARGINAL,
        "price_floor": 0.0,
        "price_cap": 1000.0,
        "voll": 1000.0,
        "horizons": HORIZONS,
    }
    return Market(**(terms | changed))


def random_case(seed: int, *, hours: int = 1, size: int = 1, ties: bool | None = None, terms: Market | None = None) -> Case:
    """A random market of `hours` intervals and two horizons; `size` multiplies the number of offers and bids.

    Args:
        seed: of everything that is drawn.
        hours: intervals.
        size: how many times as many offers and bids.
        ties: whether steps come from a coarse grid; None lets every other seed have them.
        terms: of the market.
    """
    draw = _Draw(rng=np.random.default_rng(seed), ties=seed % 2 == 0 if ties is None else ties)
    places, gpus = [f"l{n}" for n in range(1, draw.one(2, 3, 3) + 1)], list(GPUS[: draw.one(2, 3, 3)])
    regions = {place: "r1" if draw.chance(0.4) else f"r-{place}" for place in places}
    workloads = [f"w{n}" for n in range(1, draw.one(2, 3, 4) + 1)]
    egress = {workload: draw.one(None, 0.5, 1.0, 2.0) for workload in workloads}
    recipes, uses, worth = _recipes(draw, workloads, gpus)
    bids = list(_bids(draw, places, worth, hours=hours, size=size))
    wanted = sorted({use["resource"] for use in uses if use["workload"] in {bid["workload"] for bid in bids}})
    spot = {
        "tier": "spot",
        "interruption_probability": 0.1,
        "overcommit": draw.one(0.8, 0.9, 1.1),
        "reserve_share": draw.one(None, 0.2, 0.5),
    }
    frames: dict[str, list[Row]] = {
        "locations": [{"location": place, "region": regions[place]} for place in places],
        "resources": [{"resource": gpu, "kind": "accelerator", "unit": "GPU"} for gpu in gpus]
        + [{"resource": "vcpu", "kind": "cpu", "unit": "vCPU"}],
        "tiers": [spot],
        "workloads": [{"workload": w, "class": "decode", "unit": "1e6 tokens", "egress_gib_per_unit": egress[w]} for w in workloads],
        "recipes": recipes,
        "recipe_resources": uses,
        "offers": _twinned(draw, list(_offers(draw, places, gpus, hours=hours, size=size)), "offer_id"),
        "bids": _twinned(draw, bids, "bid_id"),
        "links": list(_links(draw, places)),
        "reserves": list(_reserves(draw, sorted(set(regions.values())), gpus)),
        "virtuals": list(_virtuals(draw, places, wanted, hours=hours)),
    }
    return make_case(terms or market(), {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in frames.items() if rows})


def _recipes(draw: _Draw, workloads: list[str], gpus: list[str]) -> tuple[list[Row], list[Row], dict[str, float]]:
    """Recipes, what they use, and what makes one unit of work worth about one USD per GPU-hour."""
    recipes: list[Row] = []
    uses: list[Row] = []
    worth = {}
    for workload in workloads:
        chosen = [gpu for gpu in gpus if draw.chance(0.6)] or [draw.one(*gpus)]
        for gpu in chosen:
            made = draw.amount(5, 15)
            recipes.append({"workload": workload, "recipe": f"on-{gpu}", "output_per_hour": made})
            uses.append({"workload": workload, "recipe": f"on-{gpu}", "resource": gpu, "per_hour": 2.0})
            worth[workload] = 2.0 / made
            if draw.chance(0.6):
                uses.append({"workload": workload, "recipe": f"on-{gpu}", "resource": "vcpu", "per_hour": draw.one(1.0, 2.0, 4.0)})
    return recipes, uses, worth


def _twinned(draw: _Draw, rows: list[Row], key: str) -> list[Row]:
    """Where ties are wanted, most offers and bids have a twin of another participant: the same steps, half or twice as large."""
    if not draw.ties:
        return rows
    factor = {name: draw.one(0.5, 1.0, 2.0) for name in dict.fromkeys(row[key] for row in rows) if draw.chance(0.6)}
    twins = [
        row | {key: f"{row[key]}-twin", "participant": "twin", "quantity": row["quantity"] * factor[row[key]]}
        for row in rows
        if row[key] in factor
    ]
    return rows + twins


def _window(draw: _Draw, hours: int) -> Row:
    begin = int(draw.rng.integers(hours)) if draw.chance(0.5) else 0
    end = int(draw.rng.integers(begin, hours)) + 1 if draw.chance(0.5) else hours
    return {"start": START + timedelta(hours=begin), "end": START + timedelta(hours=end)}


def _offers(draw: _Draw, places: list[str], gpus: list[str], *, hours: int, size: int) -> Iterator[Row]:
    for place in places:
        for resource in [*gpus, "vcpu"]:
            for number in range(draw.one(0, 1, 2, 3) * size if resource != "vcpu" else size):
                name = f"o-{place}-{resource}-{number}"
                window = _window(draw, hours) if resource != "vcpu" else {"start": START, "end": START + timedelta(hours=hours)}
                premium = None if draw.chance(0.2) and resource != "vcpu" else draw.one(0.0, 0.5)
                base = draw.price(1, 3) if resource != "vcpu" else draw.price(0, 1) / 10
                for step in range(1, draw.one(1, 2, 3) + 1):
                    yield {
                        "horizon": None,
                        "offer_id": name,
                        "participant": f"s{number}",
                        "location": place,
                        "resource": resource,
                        **window,
                        "step": step,
                        "quantity": draw.amount(4, 12) * (2 if resource == "vcpu" else 1),
                        "price": base + (step - 1) * 0.5,
                        "firm_premium": premium,
                    }


def _bids(draw: _Draw, places: list[str], worth: dict[str, float], *, hours: int, size: int) -> Iterator[Row]:
    for number in range(draw.one(5, 7, 9) * size):
        workload = draw.one(*worth)
        whole: Row = {
            "horizon": draw.one(None, None, None, "day-ahead", "real-time") if number else None,
            "bid_id": f"b{number}",
            "participant": f"n{number % 4}",
            "workload": workload,
            "home": None if draw.chance(0.15) else draw.one(*places),
            **(_window(draw, hours) if number else {"start": START, "end": START + timedelta(hours=hours)}),
        }
        level = draw.price(2, 6)
        tiers, loss = draw.one(None, None, "firm", "spot", "firm;spot"), draw.one(None, 0.1, 0.5)
        for step in range(1, draw.one(1, 2, 3) + 1):
            yield whole | {
                "step": step,
                "quantity": draw.amount(10, 50),
                "value": worth[workload] * max(level - (step - 1) * 1.5, 0.0),
                "interruption_loss": None if loss is None else loss * worth[workload],
                "tiers": tiers,
            }


def _links(draw: _Draw, places: list[str]) -> Iterator[Row]:
    for begin in places:
        for end in places:
            if begin != end and draw.chance(0.7):
                capacity, cost = draw.amount(1, 20), draw.one(0.0, 0.01, 0.02)
                yield {"link": f"{begin}>{end}", "from": begin, "to": end, "capacity_gib_per_hour": capacity, "cost_per_gib": cost}


def _reserves(draw: _Draw, regions: list[str], gpus: list[str]) -> Iterator[Row]:
    for region in regions:
        for gpu in gpus:
            if draw.chance(0.7):
                for step, price in enumerate((8.0, 1.0, 0.5), start=1):
                    yield {"region": region, "resource": gpu, "step": step, "quantity": draw.amount(2, 6), "price": price}


def _virtuals(draw: _Draw, places: list[str], resources: list[str], *, hours: int) -> Iterator[Row]:
    for number in range(draw.one(2, 4, 6)):
        resource = draw.one(*resources)
        yield {
            "horizon": "day-ahead",
            "bid_id": f"v{number}",
            "participant": f"t{number % 3}",
            "location": draw.one(*places),
            "resource": resource,
            **_window(draw, hours),
            "side": draw.one("inc", "dec"),
            "quantity": draw.amount(1, 6),
            "price": draw.price(1, 4) * (0.1 if resource == "vcpu" else 1.0),
        }


@dataclass(frozen=True, kw_only=True)
class Priced:
    """What a run published of one horizon and interval, by name: λ by location, resource and tier, A by region and resource, μ by link."""

    prices: dict[tuple[str, str, str], float] = field(repr=False)
    adders: dict[tuple[str, str], float] = field(repr=False)
    congestion: dict[str, float] = field(repr=False)


def published(run: ClearingRun, *, horizon: str, start: datetime) -> Priced:
    """Prices as a reader of the tables finds them; nodes without a price are left out."""
    here = (pl.col("horizon") == horizon) & (pl.col("start") == start)
    prices = run.prices.filter(here, pl.col("pricing") == "marginal", pl.col("price").is_not_null())
    binding = run.binding.filter(here).with_columns(pl.col("kind").cast(pl.String))
    groups = dict(binding.filter(kind="reserve").select("key", "dual").iter_rows())
    nodes = prices.select(pl.concat_list("location", "resource", "tier"), "price").iter_rows()
    return Priced(
        prices={(node[0], node[1], node[2]): price for node, price in nodes},
        adders={(key.split("/")[0], key.split("/")[1]): dual for key, dual in groups.items()},
        congestion=dict(binding.filter(kind="link").select("key", "dual").iter_rows()),
    )


def plain_case(terms: Market | None = None, **tables: list[Row]) -> Case:
    """A market of one location, one GPU class and one workload of one GPU-hour a unit; every row is filled up with the obvious.

    Args:
        terms: of the market; one horizon, real time, if None.
        tables: rows by table, in place of the obvious ones.
    """
    hour = {"start": START, "end": START + timedelta(hours=1)}
    frames: dict[str, list[Row]] = {
        "locations": [{"location": "l1", "region": "r1"}],
        "resources": [{"resource": "g1", "kind": "accelerator", "unit": "GPU"}],
        "workloads": [{"workload": "w1", "class": "decode", "unit": "GPU-hour", "egress_gib_per_unit": 1.0}],
        "recipes": [{"workload": "w1", "recipe": "on-g1", "output_per_hour": 1.0}],
        "recipe_resources": [{"workload": "w1", "recipe": "on-g1", "resource": "g1", "per_hour": 1.0}],
    }
    obvious: dict[str, Row] = {
        "offers": {"participant": "s", "location": "l1", "resource": "g1", **hour, "step": 1, "firm_premium": 0.0},
        "bids": {"participant": "n", "workload": "w1", "home": "l1", **hour, "step": 1},
        "virtuals": {"horizon": "day-ahead", "participant": "t", "location": "l1", "resource": "g1", **hour},
        "reserves": {"region": "r1", "resource": "g1"},
        "links": {"cost_per_gib": 0.0},
    }
    frames |= {name: [obvious.get(name, {}) | row for row in rows] for name, rows in tables.items()}
    frames.setdefault("offers", [])
    made = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in frames.items() if rows}
    made.setdefault("offers", Offers.create_empty())
    return make_case(terms or market(horizons=(REAL_TIME,)), made)


@pytest.fixture(scope="session")
def plain_market() -> Callable[..., Case]:
    """`plain_case`: the function that makes a market of one node out of a few rows."""
    return plain_case


@pytest.fixture(scope="session")
def random_market() -> Callable[..., Case]:
    """`random_case`: the function that draws a market from a seed."""
    return random_case


@pytest.fixture(scope="session")
def whole_market() -> Callable[..., Case]:
    """`random_whole_case`: the function that draws a market with orders that are decided whole."""
    return random_whole_case


@pytest.fixture(scope="session")
def cleared_market() -> Callable[[int], tuple[Case, ClearingRun]]:
    """The random market of a seed with its run, cleared once for all tests."""

    @cache
    def cleared(seed: int) -> tuple[Case, ClearingRun]:
        case = random_case(seed)
        return case, clear_horizons(case)

    return cleared


@pytest.fixture(scope="session")
def prices_of() -> Callable[..., Priced]:
    """`published`: the prices of one horizon and interval by name."""
    return published


@pytest.fixture(scope="session")
def market_terms() -> Callable[..., Market]:
    """`market`: the terms of a small market, with what is given changed."""
    return market


def posed(case: Case, *, horizon: int) -> Problem:
    """The problem of one horizon of a case over all the intervals that are bid for."""
    first, last = case.bids["start"].min(), case.bids["end"].max()
    market = case.market
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    span = Span(first=first, count=(last - first) // market.interval, interval=market.interval)
    orders = take_orders(case, Grid.of(case), horizon=market.horizons[horizon], span=span, carrying=set())
    return pose(orders, hours=market.hours, carried=State().virtuals, floor=market.price_floor, cap=market.price_cap)


@pytest.fixture(scope="session")
def pose_market() -> Callable[..., Problem]:
    """`posed`: the function that poses one horizon of a case."""
    return posed

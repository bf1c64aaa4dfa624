"""The identities that prices and awards satisfy at every node (market design, section 4), read from the published tables alone."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun
from tenorgrid.data.case import Case
from tests.clearing.seeds import few

START = datetime(2027, 1, 5, tzinfo=UTC)
SEEDS = range(8)
PRICE = 1e-6  # USD: how far a published price may be from its identity
CASH = 1e-6  # relative to the money that moves
PART = 1e-6  # of a step: below it, or this close to all of it, is not in part
Cleared = Callable[[int], tuple[Case, ClearingRun]]


def firm_able_steps(case: Case) -> pl.DataFrame:
    regions = case.locations.select("location", "region")
    steps = case.offers.select("offer_id", "location", "resource", "step", "quantity", "price", "firm_premium")
    return steps.join(regions, on="location").rename({"offer_id": "id", "quantity": "offered", "price": "cost"})


def adders(run: ClearingRun) -> pl.DataFrame:
    """A by horizon, region and resource as the binding table tells it."""
    short = run.binding.filter(pl.col("kind") == "reserve").with_columns(pl.col("key").str.split("/"))
    return short.select(
        "horizon", pl.col("key").list[0].alias("region"), pl.col("key").list[1].alias("resource"), pl.col("dual").alias("adder")
    )


def sold_steps(case: Case, run: ClearingRun) -> pl.DataFrame:
    """Accepted offer steps with their rent: β λ − c − 1{firm} premium − (1 − α 1{k ≠ firm}) A, an interruptible-only offer holding
    no headroom: β λ − c + α A."""
    sold = run.awards.filter(pl.col("side") == "offer").rename({"price": "lam"})
    sold = sold.join(firm_able_steps(case), on=["id", "location", "resource", "step"]).join(case.tiers, on="tier")
    sold = sold.join(adders(run), on=["horizon", "region", "resource"], how="left").with_columns(
        pl.col("adder").fill_null(0.0), pl.col("reserve_share").fill_null(0.0), (pl.col("quantity") / pl.col("overcommit")).alias("listed")
    )
    held = pl.col("firm_premium").is_not_null().cast(pl.Float64) - pl.col("reserve_share")
    premium = pl.when(pl.col("tier") == "firm").then(pl.col("firm_premium")).otherwise(0.0)
    rent = pl.col("overcommit") * pl.col("lam") - pl.col("cost") - premium - held * pl.col("adder")
    whole = pl.col("listed").sum().over("horizon", "start", "id", "resource", "step")
    return sold.with_columns(rent.alias("rent"), (whole / pl.col("offered")).alias("part"))


def placed(case: Case, run: ClearingRun) -> pl.DataFrame:
    """Recipes in use with what one unit of work costs by each: Σ x λ / φ + e (κ + μ)."""
    prices = run.prices.filter(pl.col("pricing") == "marginal").select("horizon", "start", "location", "resource", "tier", "price")
    key = ["horizon", "start", "workload", "home", "tier", "recipe", "location"]
    used = run.placements.join(case.recipe_resources, on=["workload", "recipe"]).join(case.recipes, on=["workload", "recipe"])
    paid = used.join(prices, on=["horizon", "start", "location", "resource", "tier"])
    cost = paid.group_by([*key, "work", "level"]).agg(
        (pl.col("per_hour") * pl.col("price") / pl.col("output_per_hour")).sum().alias("cost")
    )
    mu = run.binding.filter(pl.col("kind") == "link").select("horizon", pl.col("key").alias("link"), pl.col("dual").alias("mu"))
    away = case.links.select("link", pl.col("from").alias("home"), pl.col("to").alias("location"), "cost_per_gib")
    cost = cost.join(away, on=["home", "location"], how="left").join(mu, on=["horizon", "link"], how="left")
    cost = cost.join(case.workloads.select("workload", pl.col("egress_gib_per_unit").fill_null(0.0).alias("egress")), on="workload")
    return cost.with_columns(pl.col("cost_per_gib").fill_null(0.0), pl.col("mu").fill_null(0.0)).with_columns(
        pl.when(pl.col("link").is_null()).then(0.0).otherwise(pl.col("egress")).alias("egress")
    )


def workload_prices(run: ClearingRun) -> pl.DataFrame:
    prices = run.workload_prices.filter(pl.col("pricing") == "marginal")
    return prices.select(
        "horizon", "start", "workload", "home", "tier", pl.col("price").alias("omega"), "resources", "transport", "congestion"
    )


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_an_accepted_step_is_paid_its_cost_the_value_of_its_headroom_and_a_rent(seed: int, cleared_market: Cleared) -> None:
    steps = sold_steps(*cleared_market(seed))
    assert steps.height > 0
    assert float(steps["rent"].min()) >= -PRICE  # type: ignore[arg-type]
    in_part = steps.filter(pl.col("part") < 1 - PART)
    assert in_part.height > 0
    assert float(in_part["rent"].abs().max()) <= PRICE  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_a_step_sold_in_two_tiers_earns_the_same_rent_in_both(seed: int, cleared_market: Cleared) -> None:
    steps = sold_steps(*cleared_market(seed))
    spread = steps.group_by("horizon", "id", "resource", "step").agg((pl.col("rent").max() - pl.col("rent").min()).alias("spread"))
    assert float(spread["spread"].max()) <= PRICE  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_no_step_is_sold_beyond_what_it_offers(seed: int, cleared_market: Cleared) -> None:
    steps = sold_steps(*cleared_market(seed))
    assert float(steps["part"].max()) <= 1 + 1e-9  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_a_used_recipe_costs_the_workload_price(seed: int, cleared_market: Cleared) -> None:
    case, run = cleared_market(seed)
    used = placed(case, run).join(workload_prices(run), on=["horizon", "start", "workload", "home", "tier"])
    assert used.height == run.placements.height
    gap = pl.col("cost") + pl.col("egress") * (pl.col("cost_per_gib") + pl.col("mu")) - pl.col("omega")
    assert float(used.select(gap.abs().max()).item()) <= PRICE


def served_steps(case: Case, run: ClearingRun) -> pl.DataFrame:
    """Served bid steps with the expected worth of a unit of work, its rent worth − ω, and the part of the step that is served."""
    bids = case.bids.select("bid_id", "step", "value", "interruption_loss", pl.col("quantity").alias("wanted"))  # ids stand once here
    served = run.awards.filter(pl.col("side") == "bid").join(bids, left_on=["id", "step"], right_on=["bid_id", "step"])
    pi = pl.col("interruption_probability")
    worth = (1 - pi) * pl.col("value") - pi * pl.col("interruption_loss").fill_null(0.0)
    whole = pl.col("quantity").sum().over("horizon", "start", "id", "step")
    return served.join(case.tiers, on="tier").with_columns(
        worth.alias("worth"), (worth - pl.col("price")).alias("rent"), (whole / pl.col("wanted")).alias("part")
    )


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_a_served_bid_is_worth_at_least_the_workload_price_and_exactly_that_in_part(seed: int, cleared_market: Cleared) -> None:
    case, run = cleared_market(seed)
    served = served_steps(case, run)
    assert served.height == run.awards.filter(pl.col("side") == "bid").height > 0
    assert float(served["rent"].min()) >= -PRICE  # type: ignore[arg-type]
    assert float(served["part"].max()) <= 1 + 1e-9  # type: ignore[arg-type]
    assert float(served.filter(pl.col("part") < 1 - PART)["rent"].abs().sum()) <= PRICE * served.height


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_scarcity_is_the_share_of_the_adder_and_energy_the_rest(seed: int, cleared_market: Cleared) -> None:
    case, run = cleared_market(seed)
    prices = run.prices.join(case.locations.select("location", "region"), on="location").join(case.tiers, on="tier")
    prices = prices.join(adders(run), on=["horizon", "region", "resource"], how="left").with_columns(pl.col("adder").fill_null(0.0))
    offered = case.offers.filter(pl.col("start") <= START, pl.col("quantity") > 0)
    firm_able = offered.filter(pl.col("firm_premium").is_not_null()).select("location", "resource").unique()
    there = prices.join(firm_able, on=["location", "resource"])
    share = (1 - pl.col("reserve_share").fill_null(0.0)) / pl.col("overcommit")
    assert float(there.select((pl.col("scarcity") - share * pl.col("adder")).abs().max()).item()) <= PRICE
    assert float(there.select((pl.col("price") - pl.col("energy") - pl.col("scarcity")).abs().max()).item()) <= 1e-9


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_the_cash_of_one_run_closes(seed: int, cleared_market: Cleared) -> None:
    """Σ ω m = Σ β λ Y + λ (inc − dec) + Σ κ flow + Σ μ flow, and Σ μ flow = Σ μ capacity."""
    case, run = cleared_market(seed)
    carried = placed(case, run).with_columns((pl.col("work") * pl.col("egress")).alias("flow"))
    capacity = case.links.select("link", "capacity_gib_per_hour")
    for horizon in ("day-ahead", "real-time"):
        here = pl.col("horizon") == horizon
        cash = dict(run.awards.filter(here).group_by(pl.col("side").cast(pl.String)).agg(pl.col("cash").sum()).iter_rows())
        moved = carried.filter(here)
        carriage = float((moved["flow"] * moved["cost_per_gib"]).sum())
        congestion = float((moved["flow"] * moved["mu"]).sum())
        full = run.binding.filter(here, pl.col("kind") == "link").join(capacity, left_on="key", right_on="link")
        assert congestion == pytest.approx(float((full["dual"] * full["capacity_gib_per_hour"]).sum()), abs=CASH * (1 + congestion))
        received = cash.get("offer", 0.0) + cash.get("inc", 0.0) + cash.get("dec", 0.0) + carriage + congestion
        assert -cash["bid"] == pytest.approx(received, abs=CASH * max(1.0, -cash["bid"]))


def reserve_worth(case: Case, run: ClearingRun, horizon: str) -> float:
    """Worth of the reserve held: the scarcity curve up to the headroom where it is short, else the whole of it."""
    short = adders(run).filter(pl.col("horizon") == horizon)
    held = run.headroom.filter(pl.col("horizon") == horizon).group_by("region", "resource").agg(pl.col("headroom").sum())
    steps = case.reserves.join(short, on=["region", "resource"], how="left").join(held, on=["region", "resource"], how="left")
    before = (pl.col("quantity").cum_sum() - pl.col("quantity")).over("region", "resource", order_by="step")
    filled = pl.min_horizontal("quantity", (pl.col("headroom").fill_null(0.0) - before).clip(0.0))
    bought = pl.when(pl.col("adder").is_null()).then(pl.col("quantity")).otherwise(filled)
    return float(steps.select((bought * pl.col("price")).sum()).item())


@pytest.mark.parametrize("seed", few(SEEDS, every=3))
def test_the_parts_of_the_surplus_are_what_the_awards_say_and_add_to_the_total(seed: int, cleared_market: Cleared) -> None:
    case, run = cleared_market(seed)
    sold, served = sold_steps(case, run), served_steps(case, run)
    for row in run.surplus.filter(pl.col("pricing") == "marginal").to_dicts():
        here, close = pl.col("horizon") == row["horizon"], CASH * max(1.0, abs(row["total"]))
        paid = run.headroom.filter(here).select((pl.col("headroom") * pl.col("price")).sum()).item()
        premium = pl.when(pl.col("tier") == "firm").then(pl.col("firm_premium")).otherwise(0.0)
        gain = sold.filter(here).select((pl.col("cash") - pl.col("listed") * (pl.col("cost") + premium)).sum()).item()
        assert row["suppliers"] == pytest.approx(gain + paid, abs=close)
        gain = served.filter(here).select((pl.col("worth") * pl.col("quantity") + pl.col("cash")).sum()).item()
        assert row["buyers"] == pytest.approx(gain - paid, abs=close)
        virtual = run.awards.filter(here, pl.col("side").is_in(["inc", "dec"])).join(case.virtuals, left_on="id", right_on="bid_id")
        sign = pl.when(pl.col("side") == "inc").then(1.0).otherwise(-1.0)
        gain = virtual.select((sign * (pl.col("price") - pl.col("price_right")) * pl.col("quantity")).sum()).item()
        assert row["virtuals"] == pytest.approx(gain, abs=close)
        assert row["reserve"] == pytest.approx(reserve_worth(case, run, row["horizon"]), abs=close)
        full = run.binding.filter(here, pl.col("kind") == "link").join(case.links, left_on="key", right_on="link")
        assert row["congestion"] == pytest.approx(full.select((pl.col("dual") * pl.col("capacity_gib_per_hour")).sum()).item(), abs=close)
        parts = [row[part] for part in ("buyers", "suppliers", "transfer", "congestion", "reserve", "virtuals", "shortfall")]
        assert sum(parts) == pytest.approx(row["total"], abs=1e-9 * max(1.0, abs(row["total"])))
        assert row["shortfall"] == pytest.approx(0.0, abs=close)
        assert row["transfer"] == 0.0

"""Workload indices from a cleared market's prices of resources are the market's own prices of work, whatever mix of recipes it ran."""

from collections.abc import Iterator

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import Rounding
from tenorgrid.data.kinds.work import Architecture, WorkClass
from tenorgrid.data.tables.observed import RecipeMix
from tenorgrid.indices.methodology import load
from tenorgrid.indices.workloads.indices import WorkloadIndices, workload_indices
from tenorgrid.indices.workloads.recipe_mix import mix_of_marks, recipe_mix
from tenorgrid.indices.workloads.terms import PACKAGED, Figures, Home, WorkloadBasket, WorkloadTerm
from tenorgrid.results import Run

NODE = ["start", "workload", "home", "tier"]


@pytest.fixture(scope="module")
def run() -> Run:
    return tg.clear("packaged", horizons=("real-time",), as_of="2027-03-14")


@pytest.fixture(scope="module")
def priced(run: Run) -> WorkloadIndices:
    return workload_indices(hourly(run), basket_of(run))


def hourly(run: Run) -> pl.DataFrame:
    """λ of every node as a mark of its hour; its place is the region."""
    rows = run.prices.filter(pl.col("pricing") == "marginal", pl.col("price").is_not_null())
    name = pl.concat_str(*(pl.col(part).str.to_uppercase() for part in ("resource", "location", "tier")), separator=".")
    end = pl.col("start") + pl.duration(hours=1)
    return rows.select(
        "start",
        index=name,
        methodology=pl.lit("house"),
        end=end,
        published_at=end,
        revision=pl.lit(0),
        value="price",
        unit=pl.lit("USD/GPUh"),
        status=pl.lit("published"),
        method_hash=pl.lit("0" * 64),
    )


def basket_of(run: Run) -> WorkloadBasket:
    """The market's workloads, the places that each home reaches over links, and what carrying costs."""
    case = run.case
    links = case.links.select("from", "to", "cost_per_gib").iter_rows()
    reach: dict[str, dict[str, float]] = {place.upper(): {place.upper(): 0.0} for place in case.locations["location"]}
    for home, place, cost in links:
        reach[home.upper()][place.upper()] = cost
    return WorkloadBasket(
        name="market",
        hash="0" * 64,
        source="a test",
        marks="house",
        low_confidence=True,
        carried=True,
        leaving_days=0,
        decimals=9,
        rounding=Rounding.HALF_EVEN,
        auxiliary=dict.fromkeys(("vcpu", "ram_gib", "net_gbps"), 0.0),
        figures={PACKAGED: Figures(name=PACKAGED, shipped=PACKAGED)},
        homes=tuple(Home(name=home, places=places) for home, places in reach.items()),
        workloads=tuple(terms(case.workloads)),
    )


def terms(workloads: pl.DataFrame) -> Iterator[WorkloadTerm]:
    for workload, unit, gib in workloads.select("workload", "unit", "egress_gib_per_unit").iter_rows():
        yield WorkloadTerm(
            index=workload.upper().replace(".", "-"),
            kind=WorkClass.DECODE,
            architecture=Architecture.DENSE,
            figures=PACKAGED,
            model=workload,
            limit="none",
            unit="unit",
            of=unit,
            work=1.0,
            weight=1.0,
            gib=gib or 0.0,
        )


def free_hours(run: Run) -> pl.DataFrame:
    """Starts at which no link binds: elsewhere carrying costs more than its price."""
    bound = run.binding.filter(pl.col("kind").cast(pl.String) == "link")["start"].unique()
    return run.prices.select("start").unique().filter(~pl.col("start").is_in(bound.implode()))


def names(run: Run) -> pl.Expr:
    """The index of a workload's price."""
    return pl.concat_str(
        pl.col("workload").str.to_uppercase().str.replace_all(".", "-", literal=True),
        pl.col("home").str.to_uppercase(),
        pl.col("tier").str.to_uppercase(),
        separator=".",
    )


def test_the_index_from_prices_is_the_market_s_own_price_of_work(run: Run, priced: WorkloadIndices) -> None:
    own = run.workload_prices.filter(pl.col("pricing") == "marginal", pl.col("price").is_not_null(), pl.col("home") != "*")
    own = own.join(free_hours(run), on="start").with_columns(index=names(run))
    both = own.join(priced.marks.select("index", "start", "value"), on=["index", "start"], how="left")
    assert both.height > 250
    assert both["value"].null_count() == 0
    assert (both["value"] - both["price"]).abs().max() <= 2e-9 * (1 + both["price"].max())  # type: ignore[operator]  # a column of floats


def test_every_recipe_that_the_market_ran_costs_the_same_so_that_its_mix_needs_no_weights(run: Run, priced: WorkloadIndices) -> None:
    """Complementary slackness: a recipe does work only where its cost is ω."""
    placed = run.placements.filter(pl.col("work") > 1e-6, pl.col("home") != "*").join(free_hours(run), on="start")
    ways = priced.ways.with_columns(location=pl.col("place").str.to_lowercase())
    cost = placed.with_columns(index=names(run)).join(ways, on=["index", "start", "recipe", "location"], how="left")
    assert cost["cost"].null_count() == 0
    own = run.workload_prices.filter(pl.col("pricing") == "marginal").select(*NODE, pl.col("price").alias("omega"))
    both = cost.join(own, on=NODE)
    assert both.height == placed.height
    assert ((both["cost"] - both["omega"]).abs() <= 1e-6 * (1 + both["omega"].abs())).all()
    mix = recipe_mix(run.placements, every="1h")
    assert mix.filter(pl.col("share") < 0.999).height > 0  # hours in which one chip did not do it all
    shares = mix.group_by("horizon", *NODE).agg(pl.col("share").sum())["share"]
    assert shares.to_list() == pytest.approx([1.0] * len(shares))


def test_the_mix_beside_a_run_s_marks_is_of_the_work_that_each_counts(run: Run) -> None:
    marked = tg.mark(run.work_observations(), method="house")
    mix = mix_of_marks(run.placements, marked.marks, methodology=marked.run.methodology, hours=run.case.market.hours)
    assert RecipeMix.is_valid(mix)
    work = mix.group_by("index", "start").agg(pl.col("work", "share").sum())
    both = marked.marks.filter(pl.col("quantity") > 0).join(work, on=["index", "start"], how="left")
    assert both.height == work.height > 10
    assert ((both["work"] - both["quantity"]).abs() <= 1e-9 * both["quantity"]).all()
    assert both["share"].to_list() == pytest.approx([1.0] * both.height, abs=1e-12)


def test_the_mix_of_a_group_is_that_of_its_homes(run: Run) -> None:
    rule, hours = load("house"), run.case.market.hours
    marks = tg.mark(run.work_observations(), method="house").marks
    mix = mix_of_marks(run.placements, marks, methodology=rule, hours=hours).filter(pl.col("index").str.contains(r"\.GLOBAL\."))
    whole = run.placements.filter(pl.col("work") > 0, pl.col("horizon") == "real-time").with_columns(time=pl.col("start"))
    assert mix["start"].n_unique() == marks["start"].n_unique()
    days = marks.select("start", "end").unique()
    inside = whole.join_where(days.rename({"start": "day"}), pl.col("time") >= pl.col("day"), pl.col("time") < pl.col("end"))
    plain = inside.group_by("workload", "tier", "day", "recipe").agg(pl.col("work").sum() * hours)
    assert mix.height == plain.height
    assert mix["work"].sum() == pytest.approx(plain["work"].sum(), rel=1e-12)


def test_a_table_that_is_none_of_placements_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="placements"):
        mix_of_marks(run.placements.drop("recipe"), run.placements, methodology=load("house"), hours=1.0)

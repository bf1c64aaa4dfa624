"""Recipes put into a market case, cleared with it, and what a chip is worth before and after it is offered."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.benchmarks.merge import merged
from tenorgrid.data.benchmarks.recipes import RecipeBook, make_recipes
from tenorgrid.data.benchmarks.worth import worth
from tenorgrid.data.case import Case, make_case, read_case, write_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.case import Offers
from tenorgrid.data.terms.market import Horizon, Market

START = datetime(2027, 3, 1, tzinfo=UTC)
TOLERANCE = 1e-6
SERVING = (
    "task,model_id,gpu_model,num_gpus,tensor_parallel,expert_parallel,max_num_seqs,median_itl_ms,output_throughput_tokens_per_sec,"
    "tok_per_s_per_gpu,interactivity_tok_s_user"
)
CHIPS = "resource,also_called,scale_up,vcpu,ram_gib,net_gbps,source\nh100-sxm,,8,10,0,0,\nb200-sxm,B200,8,20,0,0,\n"
H100, B200 = 2000.0, 5000.0  # tokens a second


def book(folder: Path, *gpus: str, throughputs: tuple[float, float] = (H100, B200)) -> RecipeBook:
    """One model on one H100 and one B200, hosts of 10 and 20 vCPU and nothing else."""
    path, chips = folder / "bench.csv", folder / "chips.csv"
    path.write_text(
        "\n".join(
            [SERVING, *(f"chat,q/m,{gpu},1,1,1,8,50,{rate},{rate},20" for gpu, rate in zip(("H100", "B200"), throughputs, strict=True))]
        )
    )
    chips.write_text(CHIPS)
    return make_recipes(path, limits_at=["none"], hosts_file=chips, accelerators=gpus)


def offers(*rows: tuple[str, str, float, float], hours: int = 2) -> pl.DataFrame:
    """(id, resource, quantity, price), firm, for all hours."""
    frame = pl.DataFrame(rows, schema=["offer_id", "resource", "quantity", "price"], orient="row").with_columns(
        participant=pl.col("offer_id"), location=pl.lit("here"), start=pl.lit(START), end=pl.lit(START + timedelta(hours=hours)),
        step=pl.lit(1, dtype=pl.Int64), firm_premium=pl.lit(0.0),
    )  # fmt: skip
    return frame.select([name for name in Offers.columns() if name in frame.columns])


def market(folder: Path) -> Case:
    """Buyers of tokens at 1.00, 0.80, 0.60, ... a million; H100 in two steps and more vCPU than anyone needs, at 0.01."""
    old = book(folder, "h100-sxm")
    terms = Market(
        name="small", interval=timedelta(hours=1), timezone="UTC", pricing=PricingRule.MARGINAL, price_floor=0.0, price_cap=1000.0,
        voll=500.0, horizons=(Horizon(name="real-time", lead=timedelta(0)),),
    )  # fmt: skip
    bids = pl.DataFrame(
        [
            {
                "bid_id": f"buyer-{place}", "participant": f"buyer-{place}", "workload": "m-chat", "home": "here", "start": START,
                "end": START + timedelta(hours=2), "step": 1, "quantity": 72.0, "value": value,
            }
            for place, value in enumerate((1.0, 0.8, 0.6, 0.4, 0.3))
        ]
    )  # fmt: skip
    locations = pl.DataFrame({"location": ["here"], "region": ["r"]})
    supply = offers(("old", "h100-sxm", 20.0, 1.5), ("host", "vcpu", 10_000.0, 0.01))
    tables = {"locations": locations, "resources": old.resources, "workloads": old.workloads, "recipes": old.recipes,
              "recipe_resources": old.recipe_resources, "offers": supply, "bids": bids}  # fmt: skip
    return make_case(terms, tables)


def price(run: ClearingRun, resource: str) -> float:
    found = run.tables()["prices"].filter(resource=resource, tier="firm", pricing="marginal")["price"].unique().to_list()
    assert len(found) == 1
    return float(found[0])


def test_a_new_chip_enters_as_new_rows_and_is_priced_at_what_it_does(tmp_path: Path) -> None:
    case, new = market(tmp_path), book(tmp_path, "b200-sxm")
    before = clear_horizons(case)
    prices, work = before.tables()["prices"], before.tables()["workload_prices"]
    # 20 H100 do 144 units, the two best buyers' demand exactly; with a hair more load the third buyer (0.60) is marginal, with a hair
    # less the second (0.80): ω is the middle, 0.70
    omega = 0.7
    assert price(before, "h100-sxm") == pytest.approx(omega * 7.2 - 0.10, abs=TOLERANCE)
    value = worth(new.recipes, new.recipe_resources, new.resources, prices=prices, workload_prices=work).filter(pricing="marginal")
    assert value["worth"].to_list() == pytest.approx([omega * 18.0 - 0.20] * 2, abs=TOLERANCE)
    assert value["price"].null_count() == 2  # nobody offers it yet
    case_with = merged(case, new, offers(("new", "b200-sxm", 1.0, 1.0)))
    after = clear_horizons(case_with)
    # one B200 does 18 units, so the third buyer is served in part and sets the price: the new chip is worth 2.5 H100 but for the hosts
    assert price(after, "b200-sxm") == pytest.approx(0.6 * 18.0 - 0.20, abs=TOLERANCE)
    assert price(after, "h100-sxm") == pytest.approx(0.6 * 7.2 - 0.10, abs=TOLERANCE)
    assert (price(after, "b200-sxm") + 0.20) / (price(after, "h100-sxm") + 0.10) == pytest.approx(B200 / H100, rel=TOLERANCE)


@pytest.mark.parametrize("quantity", [0.5, 3.0, 8.0, 40.0])
def test_where_a_chip_runs_its_price_is_its_worth_at_the_prices_after(quantity: float, tmp_path: Path) -> None:
    new = book(tmp_path, "b200-sxm")
    case = merged(market(tmp_path), new, offers(("new", "b200-sxm", quantity, 0.5)))
    after = clear_horizons(case)
    tables = after.tables()
    found = worth(
        case.recipes, case.recipe_resources, case.resources, prices=tables["prices"], workload_prices=tables["workload_prices"]
    ).filter(pricing="marginal", resource="b200-sxm")
    assert found.height == 2
    assert found["price"].to_list() == pytest.approx(found["worth"].to_list(), abs=TOLERANCE)
    assert price(after, "h100-sxm") <= 0.7 * 7.2 - 0.10 + TOLERANCE  # more supply makes nothing dearer


def test_the_merged_market_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    case = merged(market(tmp_path), book(tmp_path), offers(("new", "b200-sxm", 1.0, 1.0)))
    write_case(case, tmp_path / "case")
    back = read_case(tmp_path / "case")
    assert back.recipes.sort("recipe").equals(case.recipes.sort("recipe"))
    assert back.resources["resource"].to_list() == ["h100-sxm", "vcpu", "b200-sxm"]
    assert clear_horizons(back).tables()["prices"].equals(clear_horizons(case).tables()["prices"])


def test_the_same_rows_twice_add_nothing(tmp_path: Path) -> None:
    case, new = market(tmp_path), book(tmp_path)
    once = merged(case, new)
    twice = merged(once, new)
    assert {name: frame.height for name, frame in once.tables().items()} == {name: frame.height for name, frame in twice.tables().items()}
    assert once.recipes.height == case.recipes.height + 1


def test_a_recipe_of_the_same_name_that_is_another_is_refused(tmp_path: Path) -> None:
    case, other = market(tmp_path), book(tmp_path, throughputs=(2100.0, B200))
    with pytest.raises(
        InputError, match="recipes row 1, column recipe: found h100-sxm-x1, expected a name that no other recipe of m-chat has"
    ):
        merged(case, other)


def test_another_unit_or_kind_is_refused(tmp_path: Path) -> None:
    case, new = market(tmp_path), book(tmp_path, "b200-sxm")
    tables = case.tables() | {"workloads": case.workloads.with_columns(unit=pl.lit("1e9 output tokens"))}
    with pytest.raises(InputError, match="column unit: found 1e6 output tokens, expected 1e9 output tokens, as the market has m-chat"):
        merged(make_case(case.market, tables), new)
    memory = case.resources.with_columns(pl.lit("GiB").alias("unit"), pl.col("kind"))
    with pytest.raises(InputError, match="resources row 2, column unit: found vCPU, expected GiB, as the market has vcpu"):
        merged(
            make_case(
                case.market,
                case.tables()
                | {"resources": memory.with_columns(unit=pl.when(pl.col("resource") == "vcpu").then("unit").otherwise(pl.lit("GPU")))},
            ),
            new,
        )


def test_a_recipe_that_lifts_a_bid_past_the_cap_is_refused_by_the_market_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="with recipe b200-sxm-x1 a higher one could put b200-sxm above the price_cap"):
        merged(market(tmp_path), book(tmp_path, throughputs=(H100, 5e6)))


def test_an_offer_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="offers row 3, column resource: found x99, expected a resource of resources"):
        merged(market(tmp_path), book(tmp_path), offers(("new", "x99", 1.0, 1.0)))


def test_a_chip_whose_hosts_have_no_price_has_no_worth(tmp_path: Path) -> None:
    before = clear_horizons(market(tmp_path)).tables()
    new = book(tmp_path, "b200-sxm")
    unpriced = before["prices"].with_columns(price=pl.when(pl.col("resource") != "vcpu").then("price"))
    found = worth(new.recipes, new.recipe_resources, new.resources, prices=unpriced, workload_prices=before["workload_prices"])
    assert found.is_empty()


def test_the_penalty_of_placement_becomes_the_premium_of_a_domain(tmp_path: Path) -> None:
    """Four V100 in one server do 108,000 steps an hour, spread 43,200; work is worth 0.05 a thousand and there is more of it than V100."""
    path, chips = tmp_path / "jobs.csv", tmp_path / "chips.csv"
    path.write_text("job_type,n_gpus,gpu,steps_per_sec\nLM,4,v100,30\nLM,4,v100_unconsolidated,12\n")
    chips.write_text("resource,also_called,scale_up,vcpu,ram_gib,net_gbps,source\nv100,,8,0,0,0,\n")
    jobs = make_recipes(path, limits_at=["none"], hosts_file=chips)
    case = market(tmp_path)
    supply = offers(("loose", "v100", 20.0, 0.1), ("server", "v100", 8.0, 0.1)).with_columns(domain=pl.Series([None, 4], dtype=pl.Int64))
    buyer = case.bids.head(1).with_columns(bid_id=pl.lit("x"), workload=pl.lit("lm-train"), quantity=pl.lit(1000.0), value=pl.lit(0.05))
    with_jobs = merged(case, jobs, supply)
    run = clear_horizons(make_case(case.market, with_jobs.tables() | {"bids": buyer})).tables()
    mine = {"pricing": "marginal", "resource": "v100", "tier": "firm"}
    assert run["prices"].filter(**mine)["price"].to_list() == pytest.approx([0.05 * 43.2 / 4] * 2, abs=TOLERANCE)
    assert (
        run["domain_prices"].filter(**mine).select("domain", "premium").rows()
        == [(4, pytest.approx(0.05 * (108 - 43.2) / 4, abs=TOLERANCE))] * 2
    )
    found = worth(
        jobs.recipes, jobs.recipe_resources, jobs.resources, prices=run["prices"], workload_prices=run["workload_prices"],
        domain_prices=run["domain_prices"],
    ).filter(pricing="marginal")  # fmt: skip
    assert found["domain"].to_list() == [1, 4, 1, 4]
    assert found["worth"].to_list() == pytest.approx([0.54, 1.35] * 2, abs=TOLERANCE)
    assert found["price"].to_list() == pytest.approx(found["worth"].to_list(), abs=TOLERANCE)

"""Clearing prices as observations."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.case import Case, make_case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.readers.cleared import observe_cleared
from tenorgrid.data.tables.cleared import Awards, Prices
from tenorgrid.data.tables.door import checked

TWO = Path(__file__).parents[1] / "cases" / "two_locations"
START = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def case() -> Case:
    """Two locations with a CPU beside the GPU."""
    read = read_case(TWO)
    cpu = pl.DataFrame({"resource": ["vcpu"], "kind": ["cpu"], "unit": ["vCPU"]})
    resources = pl.concat([read.resources.with_columns(pl.col("kind").cast(pl.String)), cpu])
    return make_case(read.market, {**read.tables(), "resources": resources})


def prices(*rows: tuple[str, str, str, float | None]) -> pl.DataFrame:
    """Rows of (pricing, location, resource, price)."""
    frame = pl.DataFrame(rows, schema=["pricing", "location", "resource", "price"], orient="row", infer_schema_length=None)
    frame = frame.with_columns(pl.col("price").cast(pl.Float64), horizon=pl.lit("real-time"), start=pl.lit(START), tier=pl.lit("firm"))
    return checked(frame.with_columns(energy="price", scarcity=pl.lit(0.0)), Prices, name="prices")


def awards(*rows: tuple[str, str, str, float]) -> pl.DataFrame:
    """Rows of (side, id, location, quantity)."""
    frame = pl.DataFrame(rows, schema=["side", "id", "location", "quantity"], orient="row")
    rest = {"horizon": "real-time", "participant": "p", "resource": "h100-sxm", "tier": "firm"}
    full = frame.with_columns(
        start=pl.lit(START), price=pl.lit(2.4), cash=pl.lit(0.0), **{name: pl.lit(text) for name, text in rest.items()}
    )
    return checked(full, Awards, name="awards")


def test_a_node_is_an_observation_with_what_offers_sold_there(case: Case) -> None:
    sold = awards(("offer", "a", "east", 40.0), ("offer", "b", "east", 20.0), ("inc", "v", "east", 5.0), ("offer", "c", "west", 30.0))
    seen = observe_cleared(prices(("marginal", "east", "h100-sxm", 2.4), ("marginal", "west", "h100-sxm", 2.5)), sold, case=case)
    assert seen.select("location", "region", "price", "quantity").rows() == [
        ("east", "us-east", 2.4, 60.0),
        ("west", "us-west", 2.5, 30.0),
    ]
    row = seen.row(0, named=True)
    assert (row["kind"], row["provider"], row["horizon"], row["term_hours"], row["time"]) == (
        "clearing",
        "clearing",
        "real-time",
        1.0,
        START,
    )
    assert row["observation_id"] == "real-time/2027-01-01T00:00:00Z/east/h100-sxm/firm"


def test_only_priced_accelerators_under_one_rule_are_observed(case: Case) -> None:
    rows = prices(
        ("marginal", "east", "h100-sxm", 2.4),
        ("convex-hull", "east", "h100-sxm", 2.6),
        ("marginal", "east", "vcpu", 0.02),
        ("marginal", "west", "h100-sxm", None),
    )
    none_sold = awards(("bid", "x", "east", 5.0))
    seen = observe_cleared(rows, none_sold, case=case)
    assert seen.select("location", "resource", "price", "quantity").rows() == [("east", "h100-sxm", 2.4, 0.0)]
    assert observe_cleared(rows, none_sold, case=case, pricing=PricingRule.CONVEX_HULL)["price"].to_list() == [2.6]
    assert observe_cleared(rows, none_sold, case=case, horizons=["day-ahead"]).is_empty()


def test_quantities_carry_the_length_of_the_interval(case: Case) -> None:
    half = Case(**{**vars(case), "market": replace(case.market, interval=timedelta(minutes=30))})
    seen = observe_cleared(prices(("marginal", "east", "h100-sxm", 2.4)), awards(("offer", "a", "east", 40.0)), case=half)
    assert seen.select("quantity", "term_hours").rows() == [(20.0, 0.5)]


def test_the_order_of_awards_moves_nothing(case: Case) -> None:
    rows = [("offer", f"o{number}", "east", 0.1 * number) for number in range(1, 40)]
    node = prices(("marginal", "east", "h100-sxm", 2.4))
    forward, backward = (observe_cleared(node, awards(*order), case=case) for order in (rows, rows[::-1]))
    assert forward.equals(backward)
    assert forward["quantity"].item() == pytest.approx(0.1 * 39 * 40 / 2, abs=1e-9)


def test_a_price_twice_is_refused(case: Case) -> None:
    node = prices(("marginal", "east", "h100-sxm", 2.4))
    with pytest.raises(InputError, match="one row per observation_id"):
        observe_cleared(pl.concat([node, node]), awards(("offer", "a", "east", 1.0)), case=case)

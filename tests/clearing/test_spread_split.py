"""The spread between firm and interruptible hours, in parts: by hand, and of markets that were cleared."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tenorgrid.clearing.spread_split import split_spread
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import AwardSide, PriceKind, PricingRule
from tenorgrid.data.tables.case import Offers
from tenorgrid.data.terms.market import REAL_TIME, Market

START = datetime(2027, 1, 1, tzinfo=UTC)
NODE = {"horizon": "real-time", "start": START, "location": "east", "resource": "h100-sxm"}
MARKET = Market(
    name="split", interval=timedelta(hours=1), timezone="UTC", pricing=PricingRule.MARGINAL, price_floor=0.0, price_cap=100.0, voll=50.0,
    horizons=(REAL_TIME,),
)  # fmt: skip
TIERS = pl.DataFrame(
    {"tier": ["firm", "spot"], "interruption_probability": [0.0, 0.1], "overcommit": [1.0, 0.9], "reserve_share": [0.0, 0.3]}
)


def prices(firm: float, spot: float, *, adder: float, pricing: str = "marginal") -> pl.DataFrame:
    kind = pl.Enum([kind.value for kind in PriceKind])
    rows = [
        NODE | {"tier": "firm", "price": firm, "scarcity": adder},
        NODE | {"tier": "spot", "price": spot, "scarcity": 0.7 * adder / 0.9},
    ]
    return pl.DataFrame(rows).with_columns(pricing=pl.lit(pricing).cast(kind), energy=pl.col("price") - pl.col("scarcity"))


def awards(*sold: tuple[str, str]) -> pl.DataFrame:
    rows = [NODE | {"side": "offer", "id": name, "step": 1, "tier": tier} for name, tier in sold]
    schema: dict[str, Any] = {"horizon": pl.String, "start": pl.Datetime("us", "UTC"), "location": pl.String, "resource": pl.String,
              "side": pl.String,
              "id": pl.String, "step": pl.Int64, "tier": pl.String}  # fmt: skip
    return pl.DataFrame(rows, schema=schema).with_columns(pl.col("side").cast(pl.Enum([side.value for side in AwardSide])))


def offers(**premiums: float | None) -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {"offer_id": name, "participant": name, "location": "east", "resource": "h100-sxm", "start": START,
         "end": START + timedelta(hours=1),
         "step": 1, "quantity": 9.0, "price": 1.0, "firm_premium": premium}
        for name, premium in premiums.items()
    ]  # fmt: skip
    schema = {name: column.dtype for name, column in Offers.columns().items()}
    return pl.DataFrame(rows, schema={name: schema[name] for name in rows[0]}).with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in rows[0]
    )


def parts(frame: pl.DataFrame) -> dict[str, Any]:
    (row,) = frame.rows(named=True)
    assert row["spread"] == pytest.approx(row["premium"] + row["overcommit"] + row["scarcity"] + row["residual"], abs=1e-12)
    return row


def split(price: pl.DataFrame, award: pl.DataFrame, offer: pl.DataFrame) -> dict[str, Any]:
    return parts(split_spread(price, award, offers=offer, tiers=TIERS, market=MARKET))


def test_one_offer_sold_in_both_tiers_makes_the_parts_exact() -> None:
    """c = 2, premium .4, A = .5, no rent: firm 2.9, and .9 λ = 2 + .7 · .5."""
    row = split(prices(2.9, 2.35 / 0.9, adder=0.5), awards(("a", "firm"), ("a", "spot"), ("b", "firm")), offers(a=0.4, b=0.1))
    assert (row["premium"], row["scarcity"]) == pytest.approx((0.4, 0.15))
    assert row["overcommit"] == pytest.approx(-0.1 * 2.35 / 0.9)
    assert row["residual"] == pytest.approx(0.0, abs=1e-12)
    assert (row["residual_kind"], row["offer_id"]) == ("none", "a")


@pytest.mark.parametrize(
    ("sold", "kind", "premium", "offer"),
    [
        ([("a", "firm"), ("b", "spot")], "different offers", 0.4, "a"),
        ([("a", "firm"), ("b", "firm")], "sold firm only", 0.4, "a"),
        ([("a", "spot"), ("b", "spot"), ("c", "spot")], "sold interruptible only", 0.1, "b"),
        ([("c", "spot")], "sold interruptible only", 0.0, None),
        ([], "no offer sold", 0.0, None),
    ],
)
def test_without_such_an_offer_the_residual_says_why(sold: list[tuple[str, str]], kind: str, premium: float, offer: str | None) -> None:
    row = split(prices(3.5, 2.0, adder=0.5), awards(*sold), offers(a=0.4, b=0.1, c=None))
    assert (row["residual_kind"], row["premium"], row["offer_id"]) == (kind, premium, offer)
    assert row["residual"] == pytest.approx(1.5 + 0.2 - 0.15 - premium)


@pytest.mark.parametrize(
    ("changes", "firm", "pricing", "kind"),
    [
        ({"domain": 72}, 3.5, "marginal", "decided whole or in a domain"),
        ({"start_cost": 10.0}, 3.5, "convex-hull", "decided whole or in a domain"),
        ({}, 3.5, "convex-hull", "not a marginal price"),
        ({}, 50.0, "marginal", "price at a bound"),
        ({}, 3.5, "marginal", "other"),
    ],
)
def test_a_residual_of_an_offer_in_both_is_named_too(changes: dict[str, float], firm: float, pricing: str, kind: str) -> None:
    offer = offers(a=0.4).with_columns(pl.lit(value).cast(offers(a=0.4)[name].dtype).alias(name) for name, value in changes.items())
    row = split(prices(firm, 2.0, adder=0.0, pricing=pricing), awards(("a", "firm"), ("a", "spot")), offer)
    assert row["residual_kind"] == kind


def test_an_offer_of_every_horizon_is_found_in_each() -> None:
    book = offers(a=0.4)
    assert book["horizon"].null_count() == 1
    other = book.with_columns(horizon=pl.lit("day-ahead"))
    with pytest.raises(InputError, match=r"awards.*found a"):
        split(prices(2.9, 2.35 / 0.9, adder=0.5), awards(("a", "firm")), other)


def test_nodes_without_both_prices_have_no_row() -> None:
    found = split_spread(prices(2.9, 2.0, adder=0.0).head(1), awards(), offers=offers(a=0.4), tiers=TIERS, market=MARKET)
    assert found.is_empty()

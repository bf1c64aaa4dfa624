r"""The spread between a firm and an interruptible hour, split: premium, overcommit, scarcity (market design, sections 3 and 4).

An offer that is sold in both tiers earns the same on either side, so that exactly

.. math::
    \lambda_f - premium - A = \beta_k \lambda_k - (1 - \alpha_k) A, \qquad
    \lambda_f - \lambda_k = premium + (\beta_k - 1) \lambda_k + \alpha_k A.

Where no offer is sold in both, the premium is that of the nearest and what is left over is a residual with a name.
"""

import polars as pl

from tenorgrid.clearing.tiers import FIRM
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PriceKind, SpreadResidual
from tenorgrid.data.tables.tiering import SpreadSplit
from tenorgrid.data.terms.market import Market

EXACT = 1e-6  # USD per resource-hour that a residual may have from rounding
NODE = ["horizon", "start", "location", "resource"]
OFFER = ["horizon", "id", "step", "resource"]


def split_spread(prices: pl.DataFrame, awards: pl.DataFrame, *, offers: pl.DataFrame, tiers: pl.DataFrame, market: Market) -> pl.DataFrame:
    """`SpreadSplit` of every node and interval that has a price of firm and of another tier.

    Args:
        prices: `Prices`.
        awards: `Awards` of the same run.
        offers: `Offers` of the case, for their premiums.
        tiers: `Tiers` of the case.
        market: its terms, for the price bounds.

    Raises `InputError` where an award is of an offer that the case does not have.
    """
    known = prices.filter(pl.col("price").is_not_null())
    key = ["pricing", *NODE]
    firm = known.filter(pl.col("tier") == FIRM).select(*key, firm="price", adder="scarcity")
    terms = tiers.filter(pl.col("tier") != FIRM).select("tier", beta="overcommit", alpha=pl.col("reserve_share").fill_null(0.0))
    nodes = (
        known.filter(pl.col("tier") != FIRM)
        .join(firm, on=key)
        .join(terms, on="tier")
        .select(*key, "tier", "price", "firm", "adder", "beta", "alpha")
    )
    sold = _sold(awards, offers)
    found = nodes.join(_both(sold), on=[*NODE, "tier"], how="left").join(_firm(sold), on=NODE, how="left")
    found = found.join(_interruptible(sold), on=[*NODE, "tier"], how="left").with_columns(
        spread=pl.col("firm") - pl.col("price"),
        overcommit_part=(pl.col("beta") - 1) * pl.col("price"),
        scarcity_part=pl.col("alpha") * pl.col("adder").fill_null(0.0),
    )
    rest = pl.col("spread") - pl.col("overcommit_part") - pl.col("scarcity_part")
    premium = pl.coalesce("both", "firm_most", "least", pl.lit(0.0))
    split = found.with_columns(premium=premium, residual=rest - premium)
    table = split.select(
        "horizon", "pricing", "start", "location", "resource", "tier", "firm", "price", "spread", "premium",
        overcommit="overcommit_part", scarcity="scarcity_part", residual="residual", residual_kind=_kind(market),
        offer_id=pl.coalesce("both_id", "firm_id", "least_id"),
    )  # fmt: skip
    kinds = pl.Enum([kind.value for kind in SpreadResidual])
    return SpreadSplit.validate(table.with_columns(pl.col("residual_kind").cast(kinds)).sort("horizon", *key[:1], *NODE[1:], "tier"))


def _kind(market: Market) -> pl.Expr:
    there, here = pl.col("firm_id").is_not_null(), pl.col("sold_here").fill_null(False)
    bounds = [market.price_floor, market.price_cap, market.voll]
    bound = pl.col("firm").is_in(bounds) | pl.col("price").is_in(bounds)
    return (
        pl.when(pl.col("residual").abs() <= EXACT).then(pl.lit(SpreadResidual.NONE.value))
        .when(~there & ~here).then(pl.lit(SpreadResidual.NO_OFFER.value))
        .when(there & ~here).then(pl.lit(SpreadResidual.FIRM_ONLY.value))
        .when(~there).then(pl.lit(SpreadResidual.INTERRUPTIBLE_ONLY.value))
        .when(pl.col("both").is_null()).then(pl.lit(SpreadResidual.DIFFERENT_OFFERS.value))
        .when(pl.col("whole")).then(pl.lit(SpreadResidual.COMMITTED.value))
        .when(pl.col("pricing").cast(pl.String) != PriceKind.MARGINAL.value).then(pl.lit(SpreadResidual.NOT_MARGINAL.value))
        .when(bound).then(pl.lit(SpreadResidual.BOUND.value))
        .otherwise(pl.lit(SpreadResidual.OTHER.value))
    )  # fmt: skip


def _sold(awards: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    """Awards of offers with the premium and the kind of their step."""
    mine = awards.filter(pl.col("side").cast(pl.String) == "offer").select(*OFFER, "start", "location", "tier")
    whole = (
        pl.col("block").fill_null(False)
        | (pl.col("start_cost").fill_null(0.0) > 0)
        | (pl.col("min_hours").fill_null(1) > 1)
        | pl.col("domain").is_not_null()
    )
    terms = offers.select("horizon", pl.col("offer_id").alias("id"), "step", "resource", "firm_premium", whole=whole)
    horizons = pl.DataFrame({"run": awards["horizon"].unique()}, schema={"run": pl.String})
    everywhere = terms.filter(pl.col("horizon").is_null()).drop("horizon").join(horizons, how="cross").rename({"run": "horizon"})
    book = pl.concat([terms.filter(pl.col("horizon").is_not_null()), everywhere.select(terms.columns)]).with_columns(known=pl.lit(True))
    found = mine.join(book, on=OFFER, how="left")
    if found["known"].null_count():
        lost = found.filter(pl.col("known").is_null())
        raise InputError.of("awards", "awards of offers that the case has, step by step", column="id", value=lost["id"][0])
    return found.drop("known")


def _both(sold: pl.DataFrame) -> pl.DataFrame:
    """The offer sold firm and in another tier at a node; of several the one with the least premium, then name."""
    firm = sold.filter(pl.col("tier") == FIRM).select(*NODE, "id", "step")
    others = sold.filter(pl.col("tier") != FIRM).join(firm, on=[*NODE, "id", "step"])
    first = others.sort("firm_premium", "id", "step").group_by(*NODE, "tier", maintain_order=True).first()
    return first.select(*NODE, "tier", both="firm_premium", both_id="id", whole="whole")


def _firm(sold: pl.DataFrame) -> pl.DataFrame:
    """Of the offers sold firm the largest premium: firm is worth at least that much more than recall."""
    rows = sold.filter(pl.col("tier") == FIRM).sort("firm_premium", "id", "step", descending=[True, False, False])
    return rows.group_by(NODE, maintain_order=True).first().select(*NODE, firm_most="firm_premium", firm_id="id")


def _interruptible(sold: pl.DataFrame) -> pl.DataFrame:
    """Of the offers sold in another tier that could be firm the least premium: firm is worth at most that much more."""
    rows = sold.filter(pl.col("tier") != FIRM).sort("firm_premium", "id", "step", nulls_last=True)
    first = rows.group_by(*NODE, "tier", maintain_order=True).first()
    able = pl.col("firm_premium").is_not_null()
    return first.select(*NODE, "tier", least="firm_premium", least_id=pl.when(able).then("id"), sold_here=pl.lit(True))

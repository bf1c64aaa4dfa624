"""What bilateral deals come to at the prices of a run: contracts for differences and recalls, outside the ledger."""

from dataclasses import dataclass, field

import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.settlement.differences import differences
from tenorgrid.settlement.money import dollars
from tenorgrid.settlement.recalls import interruptions, recalls


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """The tables of `tenorgrid.data.tables.deals` that are made of a run."""

    differences: pl.DataFrame = field(repr=False)
    recalls: pl.DataFrame = field(repr=False)
    interruptions: pl.DataFrame = field(repr=False)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by its public name."""
        return {"differences": self.differences, "recalls": self.recalls, "interruptions": self.interruptions}

    def cash(self) -> pl.DataFrame:
        """participant and amount in USD, exact: what deals pay to whom, over all intervals; it sums to zero."""
        parts = [table.select("participant", "amount") for table in self.tables().values()]
        sums = pl.concat(parts).group_by("participant").agg(pl.col("amount").sum()).sort("participant")
        exact = pl.Series("amount", [dollars(amount) for amount in sums["amount"]], dtype=pl.Decimal(38, 6))
        return sums.with_columns(exact)


def settle_deals(
    case: Case,
    *,
    prices: pl.DataFrame,
    workload_prices: pl.DataFrame,
    awards: pl.DataFrame,
    placements: pl.DataFrame,
    pricing: PricingRule | None = None,
) -> Dealt:
    """Contracts for differences and recalls of a run.

    Args:
        case: with its deals.
        prices, workload_prices, awards, placements: as clearing published them.
        pricing: rule whose prices settle; None is the market's own.

    Raises InputError for a case without deals, NotPublishedError where a price that is needed was not published.
    """
    if case.bilaterals.is_empty():
        raise InputError.of("bilaterals", "at least one deal")
    market = case.market
    paid = differences(case.bilaterals, prices=prices, workload_prices=workload_prices, market=market, pricing=pricing)
    back = recalls(case.bilaterals, awards=awards, prices=prices, tiers=case.tiers, market=market, pricing=pricing)
    hit = interruptions(
        back, awards=awards, placements=placements, recipes=case.recipes, recipe_resources=case.recipe_resources, market=market
    )
    return Dealt(differences=paid, recalls=back, interruptions=hit)

"""A run as an auditor has it: the published tables under one pricing rule, and the case with its orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl

from tenorgrid.clearing.bilateral import with_deals
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import Commitments, DomainPrices, settles_under

ANYWHERE = "*"  # home of work that may run anywhere, as the tables write it
PER_INTERVAL = ("prices", "workload_prices", "awards", "placements", "binding", "domain_prices", "commitments")


@dataclass(frozen=True, kw_only=True)
class Published:
    """The tables of `tenorgrid.data.tables.cleared` that intelligence reads, and the case they came from, orders included.

    `prices`, `workload_prices` and `domain_prices` are those of `rule` alone.
    """

    case: Case = field(repr=False)
    rule: PricingRule
    prices: pl.DataFrame = field(repr=False)
    workload_prices: pl.DataFrame = field(repr=False)
    awards: pl.DataFrame = field(repr=False)
    placements: pl.DataFrame = field(repr=False)
    binding: pl.DataFrame = field(repr=False)
    domain_prices: pl.DataFrame = field(repr=False)
    commitments: pl.DataFrame = field(repr=False)

    @property
    def horizons(self) -> list[str]:
        """Horizons that the tables hold, the longest lead first."""
        there = set(self.prices["horizon"].unique())
        return [horizon.name for horizon in self.case.market.horizons if horizon.name in there]

    def only(self, *, horizons: Sequence[str], start: datetime | None = None) -> "Published":
        """The same of some horizons, or of one interval of them."""
        rows = pl.col("horizon").is_in(list(horizons))
        if start is not None:
            rows &= pl.col("start") == start
        return replace(self, **{name: getattr(self, name).filter(rows) for name in PER_INTERVAL})


def published(run: Any, *, case: Case | None = None, rule: PricingRule | str | None = None) -> Published:
    """The tables of a run, whatever holds them.

    Args:
        run: anything with the tables as attributes: a `ClearingRun`, or the facade's `Run`. Tables of what is decided whole may be absent.
        case: with its orders; None is the run's own.
        rule: whose prices; None is the market's own.

    Raises InputError for an unknown rule, and where the case has no bids: a run folder without orders.
    """
    whole = with_deals(case if case is not None else run.case)
    if whole.bids.is_empty():
        raise InputError.of("bids", "the orders that were cleared: give the case that the run came from", value="a case without bids")
    try:
        asked = PricingRule(rule or whole.market.pricing)
    except ValueError as error:
        raise InputError.of("pricing", f"one of {', '.join(PricingRule)}", value=rule) from error
    tables = {name: getattr(run, name) for name in ("prices", "workload_prices", "awards", "placements", "binding")}
    for name in ("prices", "workload_prices"):
        tables[name] = tables[name].filter(settles_under(asked))
    premiums = getattr(run, "domain_prices", None)
    tables["domain_prices"] = DomainPrices.create_empty() if premiums is None else premiums.filter(settles_under(asked))
    commitments = getattr(run, "commitments", None)
    tables["commitments"] = Commitments.create_empty() if commitments is None else commitments
    return Published(case=whole, rule=asked, **tables)

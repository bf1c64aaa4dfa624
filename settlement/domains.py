"""Scale-up domains in settlement: hours of GPUs in a domain are a good of their own, at λ plus the premium of the domain.

For each priced size d of a node, P(d) = Σ δ up to d. An offer in a domain of D sells at λ + P(d) of the largest d ≤ D, and a recipe that
needs one of D uses hours at the same price, so that what buyers pay in ω and what sellers get are of one and the same sum.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.settlement.coding import UNKNOWN, Codes, Coding, Matrix, Runs

ALONE = 0  # of hours that are in no domain that is priced


@dataclass(frozen=True, kw_only=True)
class Goods:
    """What is sold and used: nodes, and at each the hours of every priced domain size. `price` (goods, runs) is USD per hour.

    Where no domain is priced the goods are the nodes.
    """

    coding: Coding = field(repr=False)
    price: Matrix = field(repr=False)
    sizes: tuple[int, ...]

    def number(self, node: Codes, domain: pl.Series) -> Codes:
        """(rows,) number of each row's good, from its node and its domain, null for none; −1 where the node is unknown."""
        if not self.sizes:
            return node
        place = np.searchsorted(np.array(self.sizes), domain.fill_null(ALONE).to_numpy(), side="right")
        return np.where(node == UNKNOWN, UNKNOWN, node * (len(self.sizes) + 1) + place)


def goods(nodes: Coding, price: Matrix, domain_prices: pl.DataFrame, *, runs: Runs) -> Goods:
    """The goods of a market.

    Args:
        nodes: coding of location, resource, tier.
        price: (nodes, runs) λ, USD per sold hour.
        domain_prices: `DomainPrices` of one pricing rule.
        runs: that prices were published of.

    Raises InputError for a premium at a node or of a run that has no price.
    """
    sizes = tuple(sorted(domain_prices["domain"].unique().to_list()))
    if not sizes:
        return Goods(coding=nodes, price=price, sizes=())
    node, run = nodes.encode(domain_prices), runs.number(domain_prices)
    if (node == UNKNOWN).any() or (run == UNKNOWN).any():
        raise InputError.of("domain_prices", "nodes, horizons and intervals that prices were published of", value="others")
    here = np.full((len(sizes), *price.shape), np.nan)
    here[np.searchsorted(np.array(sizes), domain_prices["domain"].to_numpy()), node, run] = domain_prices["premium"].to_numpy()
    levels = [np.zeros(price.shape)]
    for premium in here:  # a size that a node does not price costs what the next smaller one does
        levels.append(np.where(np.isnan(premium), levels[-1], premium))
    full = (price[:, None, :] + np.stack(levels, axis=1)).reshape(-1, price.shape[1])
    names = (*nodes.names, tuple(str(size) for size in (ALONE, *sizes)))
    return Goods(coding=Coding(fields=(*nodes.fields, "domain"), names=names), price=full, sizes=sizes)


def domains_of(awards: pl.DataFrame, case: Case, *, priced: Goods) -> pl.Series:
    """(rows,) scale-up domain of the offer behind each award; null for none.

    Raises InputError where domains are priced and the case has no offers to tell them by.
    """
    if not priced.sizes:
        return pl.Series("domain", [None], dtype=pl.Int64).new_from_index(0, awards.height)
    if case.offers.is_empty():
        raise InputError.of("offers", "the offers of the case, whose scale-up domains are paid a premium", value="none")
    keys = ["id", "resource", "step"]
    known = case.offers.select(pl.col("offer_id").alias("id"), "resource", "step", "horizon", "domain")
    own = known.filter(pl.col("horizon").is_not_null()).unique([*keys, "horizon"], keep="first", maintain_order=True)
    every = known.filter(pl.col("horizon").is_null()).drop("horizon").unique(keys, keep="first", maintain_order=True)
    names = awards.select(pl.col("id", "resource", "horizon").cast(pl.String), "step")
    told = names.join(own, on=[*keys, "horizon"], how="left", maintain_order="left").join(
        every, on=keys, how="left", maintain_order="left", suffix="_every"
    )
    return told.select(pl.coalesce("domain", "domain_every").alias("domain"))["domain"]

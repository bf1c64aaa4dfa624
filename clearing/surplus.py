"""Who gains what from a run: the parts of its objective (market design, section 4)."""

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.awards import traded
from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.layout import NOWHERE
from tenorgrid.clearing.reserve import groups
from tenorgrid.data.kinds import PricingRule

Vector = npt.NDArray[np.float64]

PARTS = ["buyers", "suppliers", "transfer", "congestion", "reserve", "virtuals", "shortfall", "total"]


def surplus_by_interval(cleared: Cleared) -> pl.DataFrame:
    """`PARTS` per interval, USD: they add to `total`, the objective.

    Buyers: expected value less payments and the reserve charge. Suppliers: receipts and reserve payments less cost. Transfer: what
    the links' owners receive for κ less the cost κ, zero by construction. Congestion: Σ μ flow. Reserve: worth of the reserve held.
    Virtuals: gain against their own limits; a position carried from an earlier horizon is bid at a price bound only so that it stands,
    and counts with what it pays at this run's price alone. Shortfall: what is priced at a node but not used, counted against the total.
    """
    problem, hours = cleared.problem, cleared.problem.hours
    shape, primal, count = problem.layout, cleared.primal, cleared.primal.shape[0]
    kind = shape.columns["kind"]
    money = problem.cost * primal

    def of(*kinds: str) -> Vector:
        return np.asarray(money[:, kind.is_in(list(kinds)).to_numpy()].sum(axis=1))

    per_level = np.nan_to_num(cleared.nodes.price)
    balance = shape.balance_row != NOWHERE
    lam = np.zeros_like(cleared.price)
    lam[:, shape.balance_row[balance]] = per_level[:, balance]
    contribution = hours * (shape.matrix.T @ lam.T).T * primal  # λ β Y, λ inc, −λ dec, −λ use of every column
    offered = contribution[:, (kind == "offer").to_numpy()].sum(axis=1)
    virtual = contribution[:, kind.is_in(["inc", "dec"]).to_numpy()].sum(axis=1)
    paid = -contribution[:, kind.is_in(["level", "bid"]).to_numpy()].sum(axis=1)
    carriage = of("level")
    mu = np.zeros_like(cleared.price)
    mu[:, shape.link_row] = cleared.nodes.congestion
    congestion = hours * ((shape.matrix.T @ mu.T).T * primal).sum(axis=1)
    found = groups(cleared)
    charge = hours * (found.adder * found.headroom).sum(axis=1)  # Σ A headroom: paid to suppliers, charged to firm users
    standing = _bound_value(cleared)
    parts = {
        "buyers": -of("bid") - paid - carriage - congestion - charge,
        "suppliers": offered - of("offer") + charge,
        "transfer": np.zeros(count),
        "congestion": congestion,
        "reserve": -of("reserve"),
        "virtuals": virtual - of("inc", "dec") - standing,
        "shortfall": paid - offered - virtual,
    }
    return pl.DataFrame({"start": problem.orders.span.starts(), **parts, "total": -money.sum(axis=1) - standing})


def _bound_value(cleared: Cleared) -> Vector:
    """(intervals,) what the objective counts for carried positions at the price bounds that they are bid at, USD."""
    problem = cleared.problem
    carried = traded(problem, primal=cleared.primal).filter("carried")
    buys = np.array([virtual.side == "dec" for virtual in problem.layout.virtuals], dtype=bool)[carried["class_number"].to_numpy()]
    worth = np.where(buys, 1.0, -1.0) * (carried["price"] * carried["traded"]).to_numpy()
    return np.asarray(problem.hours * np.bincount(carried["hour"].to_numpy(), weights=worth, minlength=cleared.primal.shape[0]))


def surplus_table(parts: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """`surplus` of a horizon under both rules, from `surplus_by_interval` of all its intervals."""
    rules = pl.Enum([rule.value for rule in PricingRule])
    total = parts.select(pl.col(PARTS).sum())
    row = total.with_columns(pl.lit(horizon).alias("horizon"))
    table = pl.concat([row.with_columns(pl.lit(rule.value, dtype=rules).alias("pricing")) for rule in PricingRule])
    return table.select("horizon", "pricing", *PARTS)

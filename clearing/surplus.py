"""Who gains what from a run: the parts of its objective (market design, section 4)."""

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.awards import traded
from tenorgrid.clearing.engine import Cleared, Priced
from tenorgrid.clearing.layout import NOWHERE, Layout
from tenorgrid.clearing.reserve import groups
from tenorgrid.data.kinds.market import PricingRule

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

PARTS = ["buyers", "suppliers", "transfer", "congestion", "reserve", "virtuals", "shortfall", "total"]


def surplus_by_interval(cleared: Cleared, rule: PricingRule) -> pl.DataFrame:
    """`PARTS` per interval at the prices of a rule, USD: they add to `total`, the objective.

    Buyers: expected value less payments for work at ω, and the reserve charge. Suppliers: receipts and reserve payments less cost, starts
    included. Transfer: what the links' owners receive for κ less the cost κ, zero by construction. Congestion: Σ μ capacity. Reserve: worth
    of the reserve held. Virtuals: gain against their own limits; a position carried from an earlier horizon is bid at a price bound only so
    that it stands, and counts with what it pays at this run's price alone. Shortfall: what buyers pay and nobody receives; at prices that
    do not clear the market, as hull prices need not, it may be below 0.
    """
    problem, hours, priced = cleared.problem, cleared.problem.hours, cleared.priced[rule]
    shape, primal, count = problem.layout, cleared.primal, cleared.primal.shape[0]
    kind = shape.columns["kind"]
    money = problem.cost * primal

    def of(*kinds: str) -> Vector:
        return np.asarray(money[:, kind.is_in(list(kinds)).to_numpy()].sum(axis=1))

    contribution = hours * (shape.matrix.T @ node_duals(priced, shape).T).T * primal  # (λ + δ) β Y, λ inc, −λ dec of every column
    offered = contribution[:, (kind == "offer").to_numpy()].sum(axis=1)
    virtual = contribution[:, kind.is_in(["inc", "dec"]).to_numpy()].sum(axis=1)
    carriage = of("level")
    room = shape.grid.links["capacity_gib_per_hour"].to_numpy()
    congestion = hours * (priced.nodes.congestion * room).sum(axis=1)
    paid = _payments(cleared, priced)
    found = groups(cleared, rule)
    charge = hours * (found.adder * found.headroom).sum(axis=1)  # Σ A headroom: paid to suppliers, charged to firm users
    standing, starts = _bound_value(cleared), _start_costs(cleared)
    parts = {
        "buyers": -of("bid") - paid - charge,
        "suppliers": offered - of("offer") - starts + charge,
        "transfer": np.zeros(count),
        "congestion": congestion,
        "reserve": -of("reserve"),
        "virtuals": virtual - of("inc", "dec") - standing,
        "shortfall": paid - carriage - congestion - offered - virtual,
    }
    return pl.DataFrame({"start": problem.orders.span.starts(), **parts, "total": -money.sum(axis=1) - starts - standing})


def node_duals(priced: Priced, shape: Layout) -> Matrix:
    """(intervals, rows) published λ in the rows of balances and δ in those of domains, USD per resource-hour; 0 elsewhere."""
    found = np.zeros_like(priced.rows)
    there = shape.balance_row != NOWHERE
    found[:, shape.balance_row[there]] = np.nan_to_num(priced.nodes.price)[:, there]
    domains = [row.row for row in shape.domain_rows]
    found[:, domains] = priced.nodes.delta
    return found


def _payments(cleared: Cleared, priced: Priced) -> Vector:
    """(intervals,) Σ ω m Δ, USD."""
    names = cleared.problem.layout.columns.filter(pl.col("kind") == "bid").select("number", "workload", "home", "tier")
    place = {key: at for at, key in enumerate(priced.work.keys)}
    pool = [place[key] for key in names.select("workload", "home", "tier").iter_rows()]
    work = cleared.primal[:, names["number"].to_numpy()]
    price = np.nan_to_num(priced.work.price[:, pool]) if pool else np.zeros_like(work)
    return np.asarray(cleared.problem.hours * (price * work).sum(axis=1))


def _start_costs(cleared: Cleared) -> Vector:
    """(intervals,) costs of the starts in each, and of blocks that are committed where nobody can use them, USD."""
    coupling = cleared.problem.coupling
    own = coupling.columns["kind"].is_in(["start", "committed"]).to_numpy()
    spent = np.zeros(cleared.primal.shape[0])
    np.add.at(spent, coupling.columns["hour"].to_numpy()[own], coupling.cost[own] * cleared.beside[own])
    return spent


def _bound_value(cleared: Cleared) -> Vector:
    """(intervals,) what the objective counts for carried positions at the price bounds that they are bid at, USD."""
    problem = cleared.problem
    carried = traded(problem, primal=cleared.primal).filter("carried")
    buys = np.array([virtual.side == "dec" for virtual in problem.layout.virtuals], dtype=bool)[carried["class_number"].to_numpy()]
    worth = np.where(buys, 1.0, -1.0) * (carried["price"] * carried["traded"]).to_numpy()
    return np.asarray(problem.hours * np.bincount(carried["hour"].to_numpy(), weights=worth, minlength=cleared.primal.shape[0]))


def surplus_table(parts: pl.DataFrame, *, horizon: str) -> pl.DataFrame:
    """`surplus` of a horizon under both rules, from `surplus_by_interval` of all its intervals with their `pricing`."""
    total = parts.group_by("pricing", maintain_order=True).agg(pl.col(PARTS).sum()).sort("pricing")
    return total.with_columns(pl.lit(horizon).alias("horizon")).select("horizon", "pricing", *PARTS)

r"""Settlement of every horizon: positions at the change of their quantity, and the operator's legs of the same run.

Write Δ for the hours of an interval, h for a run and g for the run before it in the same interval (nothing before the first). Sellers
and virtual bids hold resource-hours q and v = inc − dec at nodes, buyers hold work m of a pool (workload, home, tier):

    seller receives    Δ λ_h (q_h − q_g)
    virtual receives   Δ λ_h (v_h − v_g)          v = 0 after real time
    buyer pays         Δ ω_h (m_h − m_g)

Where scale-up domains are priced, λ of hours in one is that of their node with its premium (`domains`).

With recipe levels z let `use` = Σ x z by node, `work` = Σ φ z by pool, `flow` = Σ egress · work placed away from home by link. Every
recipe costs at least ω at the prices of a run, those the run used exactly ω, and every node that is priced is sold out:

    Σ ω_h work_h = Σ λ_h use_h + Σ (κ + μ_h) flow_h                          work_h = m_h
    Σ ω_h work_g = Σ λ_h use_g + Σ (κ + μ_h) flow_g − R_h                    R_h ≥ 0: the old recipes' reduced cost at new prices
    Σ λ_h (q_h + v_h − use_h) = 0                                            F_h = Σ λ_h (q_g + v_g − use_g) ≥ 0

so what buyers pay less what sellers and virtual bids receive is

    Σ ω_h (m_h − m_g) − Σ λ_h (q_h − q_g + v_h − v_g) = Σ κ (flow_h − flow_g) + Σ μ_h (flow_h − flow_g) + R_h + F_h + residual

and each part is received by an account of the operator: TRANSFER κ (paid on to whoever carries the data), CONGESTION μ, SUBSTITUTION R
(the worth of running the work another way than it was bought for), SHORTFALL F (hours that were sold and not used are bought back at the
new price). What the solver's tolerances leave of the equalities above,

    residual = Σ ω_h ((m_h − work_h) − (m_g − work_g)) − (Σ λ_h use_h + Σ (κ + μ_h) flow_h − Σ ω_h work_h) − Σ λ_h (q_h + v_h − use_h)

goes to RESIDUAL. At convex-hull prices those equalities need not hold: hours may be left over at a price above 0, and recipes may run
at a loss. What that leaves unpaid is no error of the solver and goes to SHORTFALL; only Σ ω ((m_h − work_h) − (m_g − work_g)) is then
the residual. What rounding leaves of whole micro-dollars goes to ROUNDING: at most half a micro-dollar a posting. (Market design,
sections 4 and 7.)
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.contract import OperatorAccount
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.settlement.awarded import Awarded, Held
from tenorgrid.settlement.coding import Codes, Matrix, Runs, Vector, previous, spread
from tenorgrid.settlement.domains import Goods
from tenorgrid.settlement.money import Amounts, micro
from tenorgrid.settlement.published import Cleared, Flows

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class OperatorLegs:
    """The operator's legs of each run in micro-dollars (runs,), the rounding that is left, and the residual in USD."""

    amounts: dict[OperatorAccount, Amounts] = field(repr=False)
    residual: Vector = field(repr=False)
    postings: Codes = field(repr=False)  # (runs,) how many were rounded


def cash(held: Held, price: Matrix, *, hours: float) -> Amounts:
    """Micro-dollars to each position's holder: the exact product of its price and of its change of volume, rounded once.

    Args:
        held: positions, + = sale.
        price: (things, runs) USD per unit.
        hours: Δ.

    Raises NotPublishedError where a position that is held or was held has no price.
    """
    here = price[held.what, held.run]
    if (missing := np.flatnonzero(np.isnan(here))).size:
        names = held.coding.decode(held.thing[missing[:SHOWN]]).rows()
        raise NotPublishedError(f"{missing.size} positions have no price at a run that settles them, for example of {names[0]}")
    return micro(here, (held.now - held.before) * hours)


def operator_legs(
    positions: Awarded,
    moved: Flows,
    market: Cleared,
    *,
    priced: Goods,
    pricing: PricingRule,
    runs: Runs,
    hours: float,
    paid: Amounts,
    count: Codes,
) -> OperatorLegs:
    """The operator's legs of every run; with `paid` they sum to zero exactly.

    Args:
        positions: of participants.
        moved: use, flow and work of every run.
        market: published prices.
        priced: goods that are sold at nodes, with their prices.
        pricing: rule whose prices settle.
        runs: in order.
        hours: Δ.
        paid: (runs,) micro-dollars to all participants.
        count: (runs,) how many postings that is.

    Raises NotPublishedError where recipes of a run or the one before use a node or make work that has no price.
    """
    sold, virtual = _by_run(positions.sales, moved.use.shape), _by_run(positions.virtuals, market.price.shape)
    bought = -_by_run(positions.work, moved.work.shape)
    old = Flows(use=previous(moved.use, runs), flow=previous(moved.flow, runs), work=previous(moved.work, runs))
    old_sold, old_virtual, old_bought = previous(sold, runs), previous(virtual, runs), previous(bought, runs)
    rate = market.carriage[:, None] + market.congestion
    substitution = _value(priced.price, old.use) + (rate * old.flow).sum(axis=0) - _value(market.work_price, old.work)
    reduced_cost = _value(priced.price, moved.use) + (rate * moved.flow).sum(axis=0) - _value(market.work_price, moved.work)
    shortfall = _value(priced.price, old_sold - old.use) + _value(market.price, old_virtual)
    undelivered = _value(market.work_price, (bought - moved.work) - (old_bought - old.work))
    unpaid = -reduced_cost - _value(priced.price, sold - moved.use) - _value(market.price, virtual)
    hull = pricing is PricingRule.CONVEX_HULL
    residual = undelivered if hull else undelivered + unpaid
    change = moved.flow - old.flow
    legs = {
        OperatorAccount.TRANSFER: (market.carriage[:, None] * change).sum(axis=0),
        OperatorAccount.CONGESTION: (market.congestion * change).sum(axis=0),
        OperatorAccount.SUBSTITUTION: substitution,
        OperatorAccount.SHORTFALL: shortfall + unpaid if hull else shortfall,
        OperatorAccount.RESIDUAL: residual,
    }
    amounts = {account: micro(value, np.full_like(value, hours)) for account, value in legs.items()}
    amounts[OperatorAccount.ROUNDING] = -paid - np.sum(list(amounts.values()), axis=0, dtype=np.int64)
    return OperatorLegs(amounts=amounts, residual=residual * hours, postings=count + len(legs))


def _by_run(held: Held, shape: tuple[int, ...]) -> Matrix:
    return spread(held.what, held.run, held.now, shape=(shape[0], shape[1]))


def _value(price: Matrix, quantity: Matrix) -> Vector:
    """Σ price × quantity of each run; what has no price must have no quantity."""
    nothing = quantity == 0.0
    if (missing := np.isnan(price) & ~nothing).any():
        raise NotPublishedError(f"{int(missing.sum())} quantities of recipes that ran have no price at a run that settles them")
    return np.asarray(np.where(nothing, 0.0, price * quantity).sum(axis=0))


def added(run: Codes, amount: Amounts, *, runs: Runs) -> Amounts:
    """(runs,) whole sums of amounts; refuses what would pass 2^63."""
    if np.abs(amount).sum(dtype=np.float64) > 2.0**62:
        raise InputError.of("ledger", "less than 2^62 micro-dollars in all", value="more")
    total: npt.NDArray[np.int64] = np.zeros(runs.count, dtype=np.int64)
    np.add.at(total, run, amount)
    return total

r"""What prices leave unpaid where a market is not convex: make-whole, lost opportunity and the product-revenue shortfall (market design,
section 5).

With published prices y of the rows that all share (λ, δ, ω, A, μ), a column is worth −d = yᵀA − c to its owner. A component (an offer,
or bids that groups and links join) makes g = −d x. It is made whole where g < 0, and its lost opportunity is the best that it could make
within its own rows alone, less g. What the shared rows leave is the shortfall

    Σ λ · slack + μ (capacity − flow) + A (headroom − s) + the reduced cost of the recipes that ran

and, since the Lagrangian of the shared rows splits by component, lost opportunity and shortfall together are the distance of the objective
from the dual value of y: at hull prices the integer optimum's distance from the hull.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.certificate import LIMIT, certify
from tenorgrid.clearing.coupling import EXTRA
from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.joint import Joint
from tenorgrid.clearing.layout import NOWHERE, Places
from tenorgrid.clearing.program import BESIDE, Program
from tenorgrid.clearing.solver import Method, Solver
from tenorgrid.clearing.surplus import node_duals
from tenorgrid.clearing.wholes import components
from tenorgrid.data.errors import SolverError
from tenorgrid.data.kinds.contract import OperatorAccount
from tenorgrid.data.kinds.market import HullKind, PricingRule, UpliftCharge

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

PRIVATE = ("inventory", "step")  # rows of an interval that belong to one order
DUST = 1e-9  # of the objective: a smaller gain or loss is the solver's rounding

UPLIFT = pl.Schema(
    {
        "horizon": pl.String(),
        "pricing": pl.Enum([rule.value for rule in PricingRule]),
        "participant": pl.String(),
        "component": pl.String(),
        "make_whole": pl.Float64(),
        "lost_opportunity": pl.Float64(),
    }
)
ALLOCATION = pl.Schema(
    {
        "horizon": pl.String(),
        "pricing": pl.Enum([rule.value for rule in PricingRule]),
        "charge": pl.Enum([charge.value for charge in UpliftCharge]),
        "participant": pl.String(),
        "amount": pl.Float64(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Unpaid:
    """What one group of intervals leaves unpaid at the prices of one rule: by component, and the shortfall, USD."""

    components: pl.DataFrame = field(repr=False)  # participant, component, make_whole, lost_opportunity
    shortfall: float


def uplift_tables(run: Cleared) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`uplift` and `allocation` of every group of intervals in which something is decided whole, under both rules."""
    uplift, allocation = [UPLIFT.to_frame()], [ALLOCATION.to_frame()]
    for joint in run.joints:
        if joint.kind is HullKind.CONVEX:
            continue
        for rule in PricingRule:
            found = unpaid(run, joint, rule)
            rule_name = pl.lit(rule.value, dtype=UPLIFT["pricing"]).alias("pricing")
            named = [pl.lit(run.problem.orders.horizon).alias("horizon"), rule_name]
            uplift.append(found.components.with_columns(named).select(UPLIFT.names()))
            allocation.append(_allocated(run, joint, rule, found).with_columns(named).select(ALLOCATION.names()))
    return pl.concat(uplift), pl.concat(allocation)


def unpaid(run: Cleared, joint: Joint, rule: PricingRule) -> Unpaid:
    """Uplift by component and the shortfall of one group of intervals.

    Raises SolverError where the best that components could make cannot be certified.
    """
    program, shape = joint.program, run.problem.layout
    shared, duals = _shared(run, joint, rule)
    worth = program.cost - program.matrix.T @ duals  # d
    best = _best(run, joint, worth, shared)
    kind = _kinds(program, shape.columns["kind"])
    scale = 1.0 + abs(float(program.cost @ joint.primal))
    gained, could = -worth * joint.primal, -worth * best
    named = _by_component(run, joint, rule, gained, could)
    rows = named.with_columns(
        pl.when(pl.col("gained") < -DUST * scale).then(-pl.col("gained")).otherwise(0.0).alias("make_whole"),
        pl.when(pl.col("lost") > DUST * scale).then(pl.col("lost")).otherwise(0.0).alias("lost_opportunity"),
    )
    activity = program.matrix @ joint.primal
    bound = np.where(duals > 0.0, program.row_lower, program.row_upper)
    slack = np.where(shared & (duals != 0.0), np.abs(activity - np.where(np.isfinite(bound), bound, activity)), 0.0)
    recipes = float((worth * joint.primal)[kind == "level"].sum())
    reserve = kind == "reserve"
    regret = float((worth * joint.primal)[reserve].sum() - (np.minimum(worth, 0.0)[reserve] * program.upper[reserve]).sum())
    unpaid_rows = rows.filter((pl.col("make_whole") > 0) | (pl.col("lost_opportunity") > 0))
    return Unpaid(
        components=unpaid_rows.select("participant", "component", "make_whole", "lost_opportunity"),
        shortfall=float(np.abs(duals) @ slack) + recipes + regret,
    )


def _kinds(program: Program, names: pl.Series) -> npt.NDArray[np.object_]:
    """(columns,) kind of each column of a program; "" of those beside the intervals."""
    kinds = names.to_numpy()
    return np.where(program.column_hour >= 0, kinds[np.maximum(program.column_place, 0) % kinds.size], "")


def _shared(run: Cleared, joint: Joint, rule: PricingRule) -> tuple[npt.NDArray[np.bool_], Vector]:
    """(rows,) whether all share a row, and its published price times Δ with the sign of a dual value."""
    program, shape, priced, hours = joint.program, run.problem.layout, run.priced[rule], run.problem.hours
    kind = shape.rows["kind"]
    by_interval = np.where(kind.is_in(["balance", "domain"]).to_numpy(), hours * node_duals(priced, shape), priced.rows)
    place = {key: at for at, key in enumerate(priced.work.keys)}
    works = shape.rows.filter(pl.col("kind") == "work").select("number", "workload", "home", "tier")
    pools = [place[key] for key in works.select("workload", "home", "tier").iter_rows()]
    by_interval[:, works["number"].to_numpy()] = hours * np.nan_to_num(priced.work.price)[:, pools]
    private = kind.is_in(list(PRIVATE)).to_numpy()
    inner = program.row_hour >= 0
    place_of, hour_of = np.where(inner, program.row_place, 0), np.where(inner, program.row_hour, 0)
    extra = np.zeros(program.row_hour.size, dtype=bool)
    beside = program.row_hour == BESIDE
    extra[beside] = (run.problem.coupling.rows["kind"] == EXTRA).to_numpy()[program.row_place[beside]]
    shared = np.where(inner, ~private[place_of], extra)
    duals = joint.marginal if rule is PricingRule.MARGINAL else joint.hull[: program.row_hour.size]
    return shared, np.where(shared, np.where(inner, by_interval[hour_of, place_of], duals), 0.0)


def _best(run: Cleared, joint: Joint, worth: Vector, shared: npt.NDArray[np.bool_]) -> Vector:
    """(columns of the program,) the best that every component could do at these prices within its own rows alone.

    The hulls of the components describe them exactly, so this is one linear program that falls apart into them.
    """
    hull, count = joint.hull_program, joint.program.cost.size
    rows = np.r_[shared, np.zeros(hull.row_lower.size - shared.size, dtype=bool)]
    cost = np.r_[worth, np.zeros(hull.cost.size - count)]
    common = np.r_[
        np.isin(_kinds(joint.program, run.problem.layout.columns["kind"]), ["level", "reserve"]), np.zeros(cost.size - count, bool)
    ]
    alone = replace(
        hull,
        cost=cost,
        upper=np.where(common, 0.0, hull.upper),
        row_lower=np.where(rows, -np.inf, hull.row_lower),
        row_upper=np.where(rows, np.inf, hull.row_upper),
    )
    methods: tuple[Method, ...] = ("cold", "second")
    for method in methods:
        solver = Solver(alone.matrix, method=method)
        solver.load(alone.cost, alone.upper, alone.row_lower, alone.row_upper, lower=alone.lower)
        status = solver.run()
        primal, dual = solver.values()
        if (worst := float(certify(alone, primal=primal, dual=dual).worst())) <= LIMIT:
            return primal[:count]
    raise SolverError(f"the best that components could make at their prices cannot be certified: {worst:.3g}, status {status}")


def _by_component(run: Cleared, joint: Joint, rule: PricingRule, gained: Vector, could: Vector) -> pl.DataFrame:
    """What each component makes and forgoes: participant, component, gained, lost."""
    program = joint.program
    shape = run.problem.cost.shape
    table = np.stack([program.onto_columns(values, shape=shape) for values in (gained, could - gained)])
    owned = _owners(run, joint)
    hour, column, share = np.searchsorted(program.hours, owned["hour"].to_numpy()), owned["column"].to_numpy(), owned["share"].to_numpy()
    inner = owned.select("participant", "component").with_columns(
        pl.Series("gained", table[0][hour, column] * share), pl.Series("lost", table[1][hour, column] * share)
    )
    beside = program.column_hour == BESIDE
    names = run.problem.coupling.columns[program.column_place[beside]].select("participant", "component")
    outer = names.with_columns(pl.Series("gained", gained[beside]), pl.Series("lost", (could - gained)[beside]))
    rents = _headroom_rents(run, joint, rule)
    parts: pl.DataFrame = pl.concat([inner, outer, rents])
    return parts.group_by("participant", "component").agg(pl.col("gained").sum(), pl.col("lost").sum()).sort("participant", "component")


def _owners(run: Cleared, joint: Joint) -> pl.DataFrame:
    """Whose each column of the intervals is: hour, column, participant, component, share."""
    problem, shape = run.problem, run.problem.layout
    bids = problem.orders.wholes.bids
    of = dict(zip(bids["id"], components(bids), strict=True))
    here = pl.col("hour").is_in(joint.program.hours.tolist())
    offers = _columns_of(problem.offers.filter(here), shape.offer_slots, shape.offer_column)
    wanted = _columns_of(problem.bids.filter(here), shape.bid_slots, shape.bid_column)
    wanted = wanted.with_columns(pl.col("component").replace(of))
    virtuals = _columns_of(problem.virtuals.filter(here), shape.virtual_slots, shape.virtual_column[:, None])
    return pl.concat([offers, wanted, virtuals])


def _columns_of(members: pl.DataFrame, slots: Places, columns: Places) -> pl.DataFrame:
    slot = slots[members["class_number"].to_numpy()] + members["rank"].to_numpy()
    parts = []
    for tier in range(columns.shape[1]):
        column = columns[slot, tier]
        here = column != NOWHERE
        named = members.filter(pl.Series(here)).select(
            pl.col("hour").cast(pl.Int64), "participant", pl.col("id").alias("component"), pl.col("share").cast(pl.Float64)
        )
        parts.append(named.with_columns(pl.Series("column", column[here], dtype=pl.Int64)))
    return pl.concat(parts)


def _headroom_rents(run: Cleared, joint: Joint, rule: PricingRule) -> pl.DataFrame:
    """What offers that are not decided whole are paid for the headroom that they hold before they sell, A q Δ."""
    problem, shape = run.problem, run.problem.layout
    mine: pl.DataFrame = problem.offers.filter(pl.col("hour").is_in(joint.program.hours.tolist()))
    number, hour = mine["class_number"].to_numpy(), mine["hour"].to_numpy()
    holds = np.array([offer.firmable and not offer.whole for offer in shape.offers], dtype=float)[number]
    adder = run.priced[rule].nodes.adder[hour, number] if shape.offers else np.zeros(0)
    paid = problem.hours * adder * holds * mine["quantity"].to_numpy()
    return mine.select("participant", pl.col("id").alias("component")).with_columns(pl.Series("gained", paid), pl.lit(0.0).alias("lost"))


def _allocated(run: Cleared, joint: Joint, rule: PricingRule, found: Unpaid) -> pl.DataFrame:
    """Who would pay: the buyers of the same intervals pro rata to what they pay for work; where nobody does, the operator."""
    totals = {
        UpliftCharge.MAKE_WHOLE: float(found.components["make_whole"].sum()),
        UpliftCharge.LOST_OPPORTUNITY: float(found.components["lost_opportunity"].sum()),
        UpliftCharge.SHORTFALL: found.shortfall,
    }
    paid = _payments(run, joint, rule)
    whole = float(paid["paid"].sum())
    if whole <= 0.0:
        paid, whole = pl.DataFrame({"participant": [OperatorAccount.SHORTFALL.value], "paid": [1.0]}), 1.0
    charge = ALLOCATION["charge"]
    parts = [
        paid.select(pl.lit(name.value, dtype=charge).alias("charge"), "participant", (pl.col("paid") * (total / whole)).alias("amount"))
        for name, total in totals.items()
        if total != 0.0
    ]
    return pl.concat(parts) if parts else ALLOCATION.to_frame().select("charge", "participant", "amount")


def _payments(run: Cleared, joint: Joint, rule: PricingRule) -> pl.DataFrame:
    """Σ ω m Δ of each buyer in the intervals: participant, paid."""
    problem, shape, work = run.problem, run.problem.layout, run.priced[rule].work
    mine = problem.bids.filter(pl.col("hour").is_in(joint.program.hours.tolist()))
    place = {key: at for at, key in enumerate(work.keys)}
    slot = shape.bid_slots[mine["class_number"].to_numpy()] + mine["rank"].to_numpy()
    hour, share, number = mine["hour"].to_numpy(), mine["share"].to_numpy(), mine["class_number"].to_numpy()
    paid = np.zeros(mine.height)
    for k, tier in enumerate(shape.grid.tiers.names):
        pool = np.array([place[bid.workload, bid.home, tier] for bid in shape.bids], dtype=np.int64)[number]
        column = shape.bid_column[slot, k]
        amount = np.where(column == NOWHERE, 0.0, run.primal[hour, column] * share)
        paid += problem.hours * np.nan_to_num(work.price)[hour, pool] * amount
    by_buyer = mine.select("participant").with_columns(pl.Series("paid", np.maximum(paid, 0.0)))
    return by_buyer.group_by("participant").agg(pl.col("paid").sum()).sort("participant").filter(pl.col("paid") > 0)

"""One horizon over some intervals: solve, certify, solve again by another method where the certificate fails, and publish or refuse."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.certificate import LIMIT, Certificate, certify
from tenorgrid.clearing.joint import Joint, clear_joint
from tenorgrid.clearing.pricing import NodePrices, WorkPrices, node_prices, work_prices
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.search import Limits
from tenorgrid.clearing.solver import METHODS, Basis, Method, Solution, solve
from tenorgrid.data.errors import SolverError
from tenorgrid.data.kinds.market import HullKind, PriceKind, PricingRule
from tenorgrid.data.terms.market import Market

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Prices by one rule: `rows` (intervals, rows) the duals that are published, as they are and by node and work."""

    rows: Matrix = field(repr=False)
    nodes: NodePrices
    work: WorkPrices


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """A certified clearing of one horizon over some intervals, in arrays."""

    problem: Problem
    primal: Matrix = field(repr=False)  # (intervals, columns)
    beside: Vector = field(repr=False)  # (columns of the coupling,) acceptances, commitments and starts
    rule: PricingRule  # which settles
    floor: float  # price bounds of the market, USD per resource-hour
    cap: float
    priced: dict[PricingRule, Priced] = field(repr=False)
    hulls: tuple[HullKind, ...] = field(repr=False)  # (intervals,)
    joints: tuple[Joint, ...] = field(repr=False)
    certificate: pl.DataFrame = field(repr=False)

    @property
    def price(self) -> Matrix:
        """(intervals, rows) the duals that settle."""
        return self.priced[self.rule].rows

    @property
    def nodes(self) -> NodePrices:
        """Prices of nodes that settle."""
        return self.priced[self.rule].nodes

    @property
    def work(self) -> WorkPrices:
        """Prices of work that settle."""
        return self.priced[self.rule].work

    def kinds(self, rule: PricingRule) -> list[PriceKind]:
        """(intervals,) what the prices of a rule are the duals of."""
        if rule is PricingRule.MARGINAL:
            return [PriceKind.MARGINAL] * len(self.hulls)
        return [PriceKind.RELAXATION if hull is HullKind.RELAXATION else PriceKind.CONVEX_HULL for hull in self.hulls]


def clear_problem(problem: Problem, *, market: Market, reference: Basis | None, limits: Limits | None = None) -> Cleared:
    """Clear every interval of a problem and certify it.

    Intervals that stand by themselves are solved one by one from the reference basis; those that are tied together as one problem. The
    primal and the plain duals, and the primal and the published duals, must both pass the certificate. What fails is solved again from
    scratch by another method.

    Args:
        problem: of one horizon.
        market: price bounds, and the rule that settles.
        reference: basis that every interval starts from; None solves each cold.
        limits: of the search for whole solutions.

    Raises SolverError, and publishes nothing, where the second method fails too.
    """
    count, shape = problem.cost.shape[0], problem.layout.matrix.shape
    primal, marginal, hull = np.zeros((count, shape[1])), np.zeros((count, shape[0])), np.zeros((count, shape[0]))
    beside = problem.coupling.lower.copy()
    kinds, tables, bare = [HullKind.CONVEX] * count, [], np.flatnonzero(problem.bare())
    if bare.size:
        solution, rows, table = _alone(problem, bare, reference=reference)
        primal[bare], marginal[bare], hull[bare] = solution, rows, rows
        tables.append(_dated(problem, table, bare))
    joints = []
    for hours in _stretches(problem):
        joint = clear_joint(problem, hours, market=market, limits=limits or Limits())
        joints.append(joint)
        primal[hours] = joint.program.onto_columns(joint.primal, shape=problem.cost.shape)
        marginal[hours] = joint.program.onto_rows(joint.marginal, shape=problem.row_lower.shape)
        hull[hours] = joint.hull_program.onto_rows(joint.hull, shape=problem.row_lower.shape)
        found = joint.program.beside(joint.primal, count=beside.size)
        beside = np.where(np.isnan(found), beside, found)
        for hour in hours:
            kinds[hour] = joint.kind
        tables.append(_dated(problem, _joint_row(joint), hours[:1]))
    priced = {PricingRule.MARGINAL: _priced(problem, marginal, market)}
    priced[PricingRule.CONVEX_HULL] = _priced(problem, hull, market) if joints else priced[PricingRule.MARGINAL]
    return Cleared(
        problem=problem,
        primal=np.maximum(primal, 0.0),
        beside=beside,
        rule=market.pricing,
        floor=market.price_floor,
        cap=market.price_cap,
        priced=priced,
        hulls=tuple(kinds),
        joints=tuple(joints),
        certificate=pl.concat(tables).sort("start"),
    )


def _stretches(problem: Problem) -> Iterator[Places]:
    """Intervals of each group that has to be solved as one problem."""
    bare = problem.bare()
    for group in np.unique(problem.groups[~bare]):
        yield np.flatnonzero(problem.groups == group)


def _priced(problem: Problem, rows: Matrix, market: Market) -> Priced:
    nodes = node_prices(problem, dual=rows, market=market)
    return Priced(rows=rows, nodes=nodes, work=work_prices(problem.layout, nodes))


def _alone(whole: Problem, hours: Places, *, reference: Basis | None) -> tuple[Matrix, Matrix, pl.DataFrame]:
    """Primal values, published duals and certificates of intervals that stand by themselves."""
    problem = _only(whole, hours)
    method: Method = "cold" if reference is None else "reference"
    solution = solve(problem, method=method, reference=reference)
    certificate, rule = _measure(problem, solution)
    methods = np.full(problem.cost.shape[0], METHODS[method], dtype=object)
    failed = np.flatnonzero(~certificate.passes())
    if failed.size:
        again = solve(_only(problem, failed), method="second")
        solution = _merged(solution, again, failed)
        certificate, rule = _measure(problem, solution)
        methods[failed] = METHODS["second"]
    _refuse(problem, certificate, solution, hours)
    price = np.where(rule[:, None] == "hair", solution.price, solution.dual)
    return solution.primal, price, _table(problem, certificate, solution, methods, rule)


def _measure(problem: Problem, solution: Solution) -> tuple[Certificate, npt.NDArray[np.object_]]:
    """The certificate of what would be published: the hair prices where they are optimal for the unmoved problem, else the plain duals."""
    plain = certify(problem, primal=solution.primal, dual=solution.dual)
    hair = certify(problem, primal=solution.primal, dual=solution.price)
    stands = hair.passes()
    rule = np.where(stands, "hair", "plain").astype(object)
    both = plain.larger(hair)
    parts = {name: np.where(stands, getattr(both, name), getattr(plain, name)) for name in Certificate.__annotations__}
    return Certificate(**parts), rule


def _only(problem: Problem, hours: Places) -> Problem:
    """Some intervals of a problem that stand by themselves."""
    if hours.size == problem.cost.shape[0]:
        return problem
    return replace(
        problem,
        cost=problem.cost[hours],
        upper=problem.upper[hours],
        row_lower=problem.row_lower[hours],
        row_upper=problem.row_upper[hours],
        capacity=problem.capacity[hours],
        domain_capacity=problem.domain_capacity[hours],
        wanted=problem.wanted[hours],
        domain_wanted=problem.domain_wanted[hours],
        groups=problem.groups[hours],
    )


def _merged(first: Solution, second: Solution, hours: Places) -> Solution:
    parts = {}
    for name in ("primal", "dual", "price", "seconds"):
        values = getattr(first, name).copy()
        values[hours] = getattr(second, name)
        parts[name] = values
    status = list(first.status)
    for hour, said in zip(hours, second.status, strict=True):
        status[hour] = said
    return Solution(status=tuple(status), **parts)


def _refuse(problem: Problem, certificate: Certificate, solution: Solution, hours: Places) -> None:
    failed = np.flatnonzero(~certificate.passes())
    if failed.size:
        worst = failed[np.argmax(certificate.worst()[failed])]
        start = problem.orders.span.part(int(hours[worst]), int(hours[worst]) + 1).first
        raise SolverError(
            f"{problem.orders.horizon}: {failed.size} intervals do not pass their certificate (limit {LIMIT:g}), the worst "
            f"{start:%Y-%m-%dT%H:%MZ} with {certificate.worst()[worst]:.3g} and status {solution.status[worst]}; nothing is published"
        )


def _dated(problem: Problem, table: pl.DataFrame, hours: Places) -> pl.DataFrame:
    """Certificates with the horizon and the first instant of their intervals."""
    starts = problem.orders.span.starts().gather(hours)
    return table.select(pl.lit(problem.orders.horizon).alias("horizon"), starts, pl.all())


def _table(
    problem: Problem, certificate: Certificate, solution: Solution, methods: npt.NDArray[np.object_], rule: npt.NDArray[np.object_]
) -> pl.DataFrame:
    rows, columns = problem.layout.matrix.shape
    count = len(methods)
    return _certificates(
        method=methods.tolist(),
        status=list(solution.status),
        hours=[1] * count,
        hull=[HullKind.CONVEX.value] * count,
        incumbent_gap=[None] * count,
        hull_gap=certificate.gap,
        certificate=certificate,
        price_rule=rule.tolist(),
        columns=[columns] * count,
        rows=[rows] * count,
        seconds=solution.seconds,
    )


def _joint_row(joint: Joint) -> pl.DataFrame:
    rows, columns = joint.hull_program.matrix.shape
    return _certificates(
        method=[joint.method],
        status=[joint.status],
        hours=[joint.program.hours.size],
        hull=[joint.kind.value],
        incumbent_gap=[joint.incumbent_gap],
        hull_gap=[joint.hull_gap],
        certificate=joint.certificate,
        price_rule=[joint.price_rule],
        columns=[columns],
        rows=[rows],
        seconds=[joint.seconds],
    )


def _certificates(*, certificate: Certificate, **parts: object) -> pl.DataFrame:
    measures = {name: np.atleast_1d(getattr(certificate, name)) for name in Certificate.__annotations__}
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "method": pl.String, "status": pl.String, "hours": pl.Int64, "hull": pl.Enum([kind.value for kind in HullKind]),
        "incumbent_gap": pl.Float64, "hull_gap": pl.Float64, **dict.fromkeys(measures, pl.Float64), "price_rule": pl.String,
        "columns": pl.Int64, "rows": pl.Int64, "seconds": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(parts | measures, schema_overrides=schema).select(list(schema))

"""One group of intervals cleared as one problem: the hull, the best whole solution, and both prices, each certified (market design,
section 5). The hull comes first, because its bound tells what the search need not look at (`reduction`).

`marginal`: the whole columns fixed at what was found, the duals of what is left. `convex-hull`: every component in the convex hull of
its own feasible set, the duals of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.alike import first_ids_first, shared_alike
from tenorgrid.clearing.centre import Centre, centre
from tenorgrid.clearing.certificate import Certificate, certify, size, worth
from tenorgrid.clearing.coupling import Coupling
from tenorgrid.clearing.patterns import Patterns, circular, enumerate_patterns
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.program import BESIDE, Program, program
from tenorgrid.clearing.reduction import lower_bound
from tenorgrid.clearing.search import Incumbent, Limits, search
from tenorgrid.clearing.solver import METHODS, Method, Solver
from tenorgrid.data.errors import SolverError
from tenorgrid.data.kinds.market import HullKind
from tenorgrid.data.terms.market import Market

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

SEARCHED = "branch and bound, then "
SEARCHED_AGAIN = "branch and bound of everything, then "
OPTIMAL = "Optimal"
BOUND_SLACK = 1e-6  # relative: how far a search's own bound may lie above its incumbent before it is no bound


@dataclass(frozen=True, kw_only=True)
class Joint:
    """A certified clearing of one group of intervals, by column and row of its program."""

    program: Program = field(repr=False)  # with its whole columns at what was found
    hull_program: Program = field(repr=False)
    primal: Vector = field(repr=False)
    hull_primal: Vector = field(repr=False)
    marginal: Vector = field(repr=False)  # (rows,) duals to publish
    hull: Vector = field(repr=False)
    kind: HullKind
    certificate: Certificate  # of one group
    incumbent_gap: float | None
    hull_gap: float
    method: str
    status: str
    price_rule: str
    seconds: float


def clear_joint(problem: Problem, hours: Places, *, market: Market, limits: Limits) -> Joint:
    """Clear a group of intervals that have to be solved together.

    Args:
        problem: of one horizon.
        hours: its intervals.
        market: price bounds.
        limits: of the search.

    Raises SolverError, and publishes nothing, where a certificate fails by both methods, or what a search says of itself is refuted by
    its own solution twice.
    """
    begun = perf_counter()
    joint = program(problem, hours)
    dearest = market.price_cap * problem.hours
    if not joint.whole.any():
        found, proof = _certified(joint, dearest=dearest)
        return _joint(joint, joint, (found, found), (proof, proof), None, HullKind.CONVEX, begun)
    patterns, kind = _patterns(problem.coupling, joint)
    relaxed = joint.relaxed(patterns)
    hull, hull_proof = _certified(relaxed, dearest=dearest)
    bounds = lower_bound(joint, relaxed=relaxed, dual=hull.dual), None
    goes_on = hull.solver if hull_proof.method == "cold" and relaxed.matrix is joint.matrix else None  # the same columns and rows
    refuted = ""
    for bound, how in zip(bounds, (SEARCHED, SEARCHED_AGAIN), strict=True):
        searched = _Searched(incumbent=search(joint, limits=limits, bound=bound), how=how)
        values = first_ids_first(problem, joint, searched.incumbent.values)
        fixed = joint.fixed(values)
        found, proof = _measured(fixed, dearest=dearest, shared=shared_alike(problem, joint, values), after=goes_on)
        refuted = _refuted(fixed, found, proof, searched.incumbent)
        if not refuted:
            return _joint(fixed, relaxed, (found, hull), (proof, hull_proof), searched, kind, begun)
    raise SolverError(f"{hours.size} intervals together: {refuted}; nothing is published")


def _refuted(fixed: Program, found: Centre, proof: "_Proof", incumbent: Incumbent) -> str:
    """What a search says of itself that its solution shows to be wrong; "" where nothing is."""
    if not proof.certificate.passes():
        return f"what the search found does not pass its certificate: {float(proof.certificate.worst()):.3g}, status {found.status}"
    objective, slack = float(fixed.cost @ found.primal), BOUND_SLACK * float(size(fixed, primal=found.primal))
    if incumbent.bound > objective + slack:
        return f"a bound on the objective, {incumbent.bound:.6g}, is past {objective:.6g}"
    if incumbent.status == OPTIMAL and not objective <= incumbent.bound + slack:
        return f"the search says optimal of {objective:.6g}, with a bound of {incumbent.bound:.6g}"
    return ""


@dataclass(frozen=True, kw_only=True)
class _Proof:
    certificate: Certificate
    rule: str
    method: Method


@dataclass(frozen=True, kw_only=True)
class _Searched:
    incumbent: Incumbent
    how: str


def _certified(terms: Program, *, dearest: float) -> tuple[Centre, _Proof]:
    """Values that pass their certificate. Raises SolverError where those of both methods do not."""
    found, proof = _measured(terms, dearest=dearest)
    if not proof.certificate.passes():
        worst = float(proof.certificate.worst())
        raise SolverError(f"{terms.hours.size} intervals together do not pass their certificate: {worst:.3g}, status {found.status}")
    return found, proof


def _measured(terms: Program, *, dearest: float, shared: Sequence[Places] = (), after: Solver | None = None) -> tuple[Centre, _Proof]:
    """Values and their certificate, by another method where the first one's do not pass it; `price` is what may be published.

    Args:
        terms: whose whole columns are fixed or relaxed.
        dearest: the price cap times Δ.
        shared: sets of columns, (equal orders, columns of each), that share what they get.
        after: a solver that the first method may go on from.
    """
    methods: tuple[Method, ...] = ("cold" if after is None else "warm", "second")
    for method in methods:
        found = centre(terms, dearest=dearest, method=method, after=after if method == "warm" else None)
        for columns in shared:
            found.primal[columns] = found.primal[columns].mean(axis=0)
        plain = certify(terms, primal=found.primal, dual=found.dual)
        hair = certify(terms, primal=found.primal, dual=found.price)
        if plain.passes() and hair.passes():
            return found, _Proof(certificate=plain.larger(hair), rule="hair", method=method)
        if plain.passes():
            return replace(found, price=found.dual), _Proof(certificate=plain, rule="plain", method=method)
    return found, _Proof(certificate=plain, rule="plain", method=method)


def _joint(
    fixed: Program,
    relaxed: Program,
    found: tuple[Centre, Centre],
    proofs: tuple[_Proof, _Proof],
    searched: _Searched | None,
    kind: HullKind,
    begun: float,
) -> Joint:
    incumbent = None if searched is None else searched.incumbent
    objective, scale = float(fixed.cost @ found[0].primal), float(size(fixed, primal=found[0].primal))
    bound = float(worth(relaxed, dual=found[1].price))
    hull_gap = (objective - bound) / scale
    if hull_gap < -BOUND_SLACK:
        raise SolverError(f"a bound on the objective, {bound:.6g}, is past {objective:.6g}")
    methods = " and ".join(dict.fromkeys(METHODS[proof.method] for proof in proofs))
    return Joint(
        program=fixed,
        hull_program=relaxed,
        primal=found[0].primal,
        hull_primal=found[1].primal,
        marginal=found[0].price,
        hull=found[1].price,
        kind=kind,
        certificate=proofs[0].certificate.larger(proofs[1].certificate),
        incumbent_gap=None if incumbent is None else max(objective - incumbent.bound, 0.0) / scale,
        hull_gap=max(hull_gap, 0.0),
        method=methods if searched is None else searched.how + methods,
        status=found[0].status if incumbent is None else incumbent.status,
        price_rule=" and ".join(dict.fromkeys(proof.rule for proof in proofs)),
        seconds=perf_counter() - begun,
    )


def _patterns(coupling: Coupling, joint: Program) -> tuple[tuple[Patterns, ...], HullKind]:
    """The acceptance patterns of components in which groups and links run in circles, and whether all could be enumerated."""
    own = joint.column_place[joint.column_hour == BESIDE]
    gangs = coupling.gangs.filter(pl.col("number").is_in(own))
    circles = circular(gangs)
    found, kind = [], HullKind.CONVEX_HULL
    for name in circles:
        mine = gangs.filter(pl.col("component") == name)
        columns = mine["number"].to_numpy()
        accepted = enumerate_patterns(mine, lower=coupling.lower[columns], upper=coupling.upper[columns])
        if accepted is None:
            kind = HullKind.RELAXATION
        else:
            found.append(Patterns(component=name, columns=columns, accepted=accepted))
    return tuple(found), kind

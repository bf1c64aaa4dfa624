"""The same clearing problem in Pyomo, written as the market design writes it: one section per constraint, bid by bid and step by step.

It is slow and readable, shares no code with the array engine, and is the oracle of the tests. All the intervals of one horizon at once,
with all that is decided whole. Take the model, add constraints of your own, and hand it to `reference_solution.solve_model`.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pyomo.environ as pyo

from tenorgrid.clearing.reference_book import FIRM, Book, take_book
from tenorgrid.data.case import Case


def reference_model(case: Case, *, horizon: str, starts: Iterable[datetime] | None = None) -> Any:
    r"""The clearing problem of one horizon of a case as a Pyomo `ConcreteModel` (market design, section 4).

    Variables, all per hour, `t` the first instant of an interval:

    - `m[bid, step, tier, t]` work of a bid's step bought through a tier, units of work
    - `z[bid, recipe, location, link, tier, t]` recipe-hours that do a bid's work; `link` is "" at home
    - `Y[offer, resource, step, tier, t]` listed resource-hours of an offer's step sold in a tier, where some bid may use them
    - `s[region, resource, step, t]` headroom bought of a step of the scarcity curve
    - `v[bid, t]` a virtual bid's resource-hours
    - `w[bid]` whether a gang is accepted, 0 or 1
    - `u[offer, t]`, `start[offer, t]` whether an offer is committed, and whether a run of it starts, 0 or 1

    Constraints: `work`, `step`, `total`, `balance`, `inventory`, `domains`, `reserve`, `link`, `gang`, `group`, `linked`,
    `starting`, `running`, `lasting`. The objective is in USD.

    Args:
        case: the market.
        horizon: whose orders stand; virtual positions carried from an earlier horizon are not part of it.
        starts: intervals; None is all that are bid for or that a committed offer's window has.

    Raises InputError where an order that is decided over its window leaves the intervals.

    >>> from tenorgrid.data.case import read_case
    >>> case = read_case("packaged")
    >>> model = reference_model(case, horizon="real-time", starts=[case.bids["start"].min()])
    >>> model.mine = pyo.Constraint(expr=sum(model.Y.values()) <= 100.0)
    """
    book = take_book(case, horizon=horizon, starts=starts)
    model = pyo.ConcreteModel()
    model.hours = book.hours
    _variables(model, book)
    for section in (_objective, _work, _step, _total, _balance, _inventory, _domains, _reserve, _link, _gang, _group, _linked, _commitment):
        section(model, book)
    return model


def _variables(model: Any, book: Book) -> None:
    positive, binary = pyo.NonNegativeReals, pyo.Binary
    steps = [(*key, k, t) for key, row in book.bids.items() for k in book.served(row) for t in book.window(row)]
    model.m = pyo.Var(steps, within=positive)
    model.z = pyo.Var(
        [(bid, *run, t) for bid, row in book.whole.items() for run in book.runs(bid) for t in book.window(row)], within=positive
    )
    nodes = book.nodes()
    sales = [
        (*key, k, t)
        for key, row in book.offers.items()
        for k in book.tiers
        if (k != FIRM or row["firm_premium"] is not None) and (row["location"], row["resource"], k) in nodes
        for t in book.window(row)
    ]
    model.Y = pyo.Var(sales, within=positive)
    model.s = pyo.Var(list(book.reserves), book.starts, bounds=lambda _, r, j, i, t: (0, book.reserves[r, j, i]["quantity"]))
    model.v = pyo.Var(
        [(name, t) for name, row in book.virtuals.items() for t in book.window(row)],
        bounds=lambda _, name, t: (0, book.virtuals[name]["quantity"]),
    )
    model.w = pyo.Var([bid for bid in book.whole if book.gang(bid) and book.window(book.whole[bid])], within=binary)
    on = [(offer, t) for offer, row in book.committed.items() for t in book.window(row)]
    model.u, model.start = pyo.Var(on, within=binary), pyo.Var(on, within=binary)


def _objective(model: Any, book: Book) -> None:
    """Buyers' expected value less suppliers' cost and transfer cost, plus the value of reserve and of virtual bids, less start costs.

    A block that nobody may use is paid for while it is committed, at its cheapest tier.
    """

    def worth(bid: str, step: int, k: str) -> float:
        pi, row = book.tiers[k]["interruption_probability"], book.bids[bid, step]
        return float((1 - pi) * row["value"] - pi * (row["interruption_loss"] or 0.0))

    def cost(offer: str, resource: str, step: int, k: str) -> float:
        row = book.offers[offer, resource, step]
        return float(row["price"] + (row["firm_premium"] if k == FIRM else 0.0))

    def carriage(bid: str, recipe: str, link: str) -> float:
        return book.data(bid, recipe) * float(book.links[link]["cost_per_gib"]) if link else 0.0

    def sign(name: str) -> int:
        return 1 if str(book.virtuals[name]["side"]) == "dec" else -1

    sold = {key[:3] for key in model.Y}
    firm = len(book.tiers) == 1  # where nothing is interruptible, the premium is part of any hour's cost
    wasted = sum(
        row["quantity"] * (row["price"] + (row["firm_premium"] if firm else 0.0)) * model.u[key[0], t]
        for key, row in book.offers.items()
        if row["block"] and key not in sold
        for t in book.window(row)
    )
    model.surplus = pyo.Objective(
        sense=pyo.maximize,
        expr=book.hours
        * (
            sum(worth(*key[:3]) * model.m[key] for key in model.m)
            - sum(cost(*key[:4]) * model.Y[key] for key in model.Y)
            - sum(carriage(key[0], key[1], key[3]) * model.z[key] for key in model.z)
            + sum(book.reserves[key[:3]]["price"] * model.s[key] for key in model.s)
            - wasted
            + sum(sign(key[0]) * book.virtuals[key[0]]["price"] * model.v[key] for key in model.v)
        )
        - sum((book.committed[key[0]]["start_cost"] or 0.0) * model.start[key] for key in model.start),
    )


def _work(model: Any, book: Book) -> None:
    """Σ_i m = Σ_{a,l} φ z: what a bid is served through a tier is what its recipes make."""
    pools = [(bid, k, t) for bid, row in book.whole.items() for k in book.served(row) for t in book.window(row)]
    made = _gathered((key[0], key[4], key[5], book.made(key[0], key[1]) * model.z[key]) for key in model.z)
    served = _gathered((key[0], key[2], key[3], model.m[key]) for key in model.m)
    model.work = pyo.Constraint(pools, rule=lambda _, *pool: sum(served[pool]) == sum(made.get(pool, [0.0])))


def _acceptance(model: Any, book: Book, bid: str) -> Any:
    """What a bid's own right-hand sides are multiplied by: w of a gang, w of the gang that another bid is linked to, 1 of all others."""
    if book.gang(bid):
        return model.w[bid]
    return 1.0 if book.whole[bid]["linked_to"] is None else _parent(model, book, bid)


def _parent(model: Any, book: Book, bid: str) -> Any:
    """w of the gang that a bid is linked to; 0 where that does not stand in these intervals."""
    name = book.whole[bid]["linked_to"]
    if name not in model.w:
        return 0.0
    return model.w[name]


def _step(model: Any, book: Book) -> None:
    """Σ_k m ≤ q w: a step is served at most its quantity over all tiers."""
    served = _gathered((key[0], key[1], key[3], model.m[key]) for key in model.m)
    model.step = pyo.Constraint(
        list(served), rule=lambda mod, bid, i, t: sum(served[bid, i, t]) <= book.bids[bid, i]["quantity"] * _acceptance(mod, book, bid)
    )


def _total(model: Any, book: Book) -> None:
    """Δ Σ_{k,t} m ≤ total w: deadline-flexible work of a step over the whole window."""
    served = _gathered((key[0], key[1], model.m[key]) for key in model.m)
    capped = [key for key in served if book.bids[key]["total"] is not None]
    model.total = pyo.Constraint(
        capped, rule=lambda mod, bid, i: book.hours * sum(served[bid, i]) <= book.bids[bid, i]["total"] * _acceptance(mod, book, bid)
    )


def _uses(model: Any, book: Book) -> Iterator[tuple[str, str, str, datetime, int, Any]]:
    """Location, resource, tier, interval, scale-up domain needed, and hours used, of every run."""
    for key in model.z:
        bid, recipe, place, _, k, t = key
        domain = book.recipes[book.whole[bid]["workload"]][recipe]["domain"] or 1
        for resource, amount in book.needed(bid, recipe).items():
            yield place, resource, k, t, domain, amount * model.z[key]


def _sales(model: Any, book: Book) -> Iterator[tuple[str, str, str, datetime, int, Any]]:
    """Location, resource, tier, interval, scale-up domain, and hours sold (β Y), of every offer's step."""
    for key in model.Y:
        row = book.offers[key[:3]]
        yield row["location"], key[1], key[3], key[4], row["domain"] or 1, book.tiers[key[3]]["overcommit"] * model.Y[key]


def _balance(model: Any, book: Book) -> None:
    """use ≤ β Y + inc − dec at every node; virtual bids stand in the firm balance. Its dual is Δ λ."""
    used = _gathered((*use[:4], use[5]) for use in _uses(model, book))
    for key in model.v:
        row = book.virtuals[key[0]]
        signed = model.v[key] if str(row["side"]) == "dec" else -model.v[key]
        used.setdefault((row["location"], row["resource"], FIRM, key[1]), []).append(signed)
    sold = _gathered((*sale[:4], sale[5]) for sale in _sales(model, book))
    model.balance = pyo.Constraint(list(used), rule=lambda _, *node: sum(used[node]) <= sum(sold.get(node, [0.0])))


def _inventory(model: Any, book: Book) -> None:
    """Σ_k Y ≤ q u, and = q u of a block: a step is sold at most once, and only while its offer is committed (u = 1 of all others)."""
    sold = _gathered((*key[:3], key[4], model.Y[key]) for key in model.Y)

    def rule(mod: Any, offer: str, resource: str, i: int, t: datetime) -> Any:
        row, on = book.offers[offer, resource, i], mod.u[offer, t] if offer in book.committed else 1.0
        sales = sum(sold[offer, resource, i, t])
        return sales == row["quantity"] * on if row["block"] else sales <= row["quantity"] * on

    model.inventory = pyo.Constraint(list(sold), rule=rule)


def _domains(model: Any, book: Book) -> None:
    """For each size d: use by recipes that need a domain of d or more ≤ β Y of offers that have one. Its dual is Δ δ_d."""
    uses = [use for use in _uses(model, book) if use[1] in book.accelerators]
    sales = list(_sales(model, book))
    rows: dict[tuple[Any, ...], tuple[list[Any], list[Any]]] = {}
    for size in sorted({use[4] for use in uses if use[4] > 1}):
        used = _gathered((*use[:4], use[5]) for use in uses if use[4] >= size)
        sold = _gathered((*sale[:4], sale[5]) for sale in sales if sale[4] >= size)
        rows |= {(*node, size): (terms, sold.get(node, [0.0])) for node, terms in used.items()}
    model.domains = pyo.Constraint(list(rows), rule=lambda _, *key: sum(rows[key][0]) <= sum(rows[key][1]))


def _reserve(model: Any, book: Book) -> None:
    """Σ_i s ≤ headroom = Σ (q u − Σ_k Y) of firm-able offers + Σ α Y: a block is sold wholly, so it adds nothing. Its dual is Δ A."""
    sold = _gathered((*key[:3], key[4], key[3], model.Y[key]) for key in model.Y)
    held: dict[tuple[Any, ...], list[Any]] = {}
    for (offer, resource, i), row in book.offers.items():
        for t in book.window(row):
            group = held.setdefault((book.locations[row["location"]], resource, t), [])
            if row["firm_premium"] is not None:
                group.append(row["quantity"] * (model.u[offer, t] if offer in book.committed else 1.0))
            for k, tier in book.tiers.items():
                share = (tier["reserve_share"] or 0.0) - (row["firm_premium"] is not None)
                group += [share * sale for sale in sold.get((offer, resource, i, t, k), [])]
    bought = _gathered((key[0], key[1], key[3], model.s[key]) for key in model.s)
    model.reserve = pyo.Constraint(list(bought), rule=lambda _, *group: sum(bought[group]) <= sum(held.get(group, [0.0])))


def _link(model: Any, book: Book) -> None:
    """Data of work placed away from home ≤ capacity. Its dual is Δ μ."""
    flow = _gathered((key[3], key[5], book.data(key[0], key[1]) * model.z[key]) for key in model.z if key[3])
    model.link = pyo.Constraint(list(flow), rule=lambda _, link, t: sum(flow[link, t]) <= book.links[link]["capacity_gib_per_hour"])


def _gang(model: Any, book: Book) -> None:
    """Σ_{i,k} m ≥ share Σ_i q w in every interval of the window: a gang gets its least share in each, or nothing at all."""
    served = _gathered((key[0], key[3], model.m[key]) for key in model.m if book.gang(key[0]))
    whole = {bid: sum(row["quantity"] for (name, _), row in book.bids.items() if name == bid) for bid in model.w}
    model.gang = pyo.Constraint(
        list(served), rule=lambda mod, bid, t: sum(served[bid, t]) >= book.whole[bid]["min_share"] * whole[bid] * mod.w[bid]
    )


def _group(model: Any, book: Book) -> None:
    """Σ w ≤ 1: of an exclusive group at most one bid is accepted."""
    members = _gathered((book.whole[bid]["exclusive_group"], model.w[bid]) for bid in model.w if book.whole[bid]["exclusive_group"])
    model.group = pyo.Constraint(list(members), rule=lambda _, *name: sum(members[name]) <= 1.0)


def _linked(model: Any, book: Book) -> None:
    """w ≤ w of the bid that it is linked to; a bid that is no gang is bounded in its own steps."""
    linked = [bid for bid in model.w if book.whole[bid]["linked_to"] is not None]

    model.linked = pyo.Constraint(linked, rule=lambda mod, bid: mod.w[bid] <= _parent(mod, book, bid))


def _commitment(model: Any, book: Book) -> None:
    """start_t ≥ u_t − u_{t−1}; Σ start of the last min_hours ≤ u_t; no start that cannot last inside the window. Off before the first.

    Rows of Rajan and Takriti, Minimum up/down polytopes of the unit commitment problem with start-up costs, IBM RC23628, 2005.
    """
    windows = {offer: book.window(row) for offer, row in book.committed.items()}
    shortest = {offer: row["min_hours"] or 1 for offer, row in book.committed.items()}  # hours; one, the default, asks nothing
    least = {offer: math.ceil(length / book.hours - 1e-9) if length > 1 else 1 for offer, length in shortest.items()}
    place = {(offer, t): at for offer, window in windows.items() for at, t in enumerate(window)}

    def starting(mod: Any, offer: str, t: datetime) -> Any:
        at = place[offer, t]
        return mod.start[offer, t] >= mod.u[offer, t] - (mod.u[offer, windows[offer][at - 1]] if at else 0.0)

    def running(mod: Any, offer: str, t: datetime) -> Any:
        at = place[offer, t]
        return sum(mod.start[offer, windows[offer][then]] for then in range(max(at - least[offer] + 1, 0), at + 1)) <= mod.u[offer, t]

    late = [(offer, t) for (offer, t), at in place.items() if at > len(windows[offer]) - least[offer]]
    model.starting = pyo.Constraint(list(place), rule=starting)
    model.running = pyo.Constraint(list(place), rule=running)
    model.lasting = pyo.Constraint(late, rule=lambda mod, offer, t: mod.start[offer, t] <= 0.0)


def _gathered(terms: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], list[Any]]:
    """The last of each tuple, listed by what stands before it."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for *key, term in terms:
        found.setdefault(tuple(key), []).append(term)
    return found

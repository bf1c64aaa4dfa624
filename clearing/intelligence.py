"""What binds, and what one more unit of it would be worth (market design, section 9)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.clearing.coupling import EXTRA
from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.layout import NOWHERE
from tenorgrid.clearing.program import BESIDE
from tenorgrid.data.kinds.market import BindingKind, PricingRule

DUST = 1e-9

SCHEMA = pl.Schema(
    {
        "horizon": pl.String(),
        "start": pl.Datetime("us", "UTC"),
        "kind": pl.Enum([kind.value for kind in BindingKind]),
        "key": pl.String(),
        "dual": pl.Float64(),
        "meaning": pl.String(),
    }
)


def binding_table(cleared: Cleared) -> pl.DataFrame:
    """`binding`: groups short of reserve, links at capacity, nodes and domains that are short or wanted but not offered, prices held at a
    bound of the market, work limited by its total, gangs that fall short, and constraints of the user's.
    """
    problem, shape = cleared.problem, cleared.problem.layout
    grid = shape.grid
    starts = problem.orders.span.starts()
    found = []

    rows = shape.rows.filter(pl.col("kind") == "reserve")
    adder = np.maximum(-cleared.price[:, rows["number"].to_numpy()], 0.0) / problem.hours
    for hour, group in np.argwhere(adder > DUST):
        region, resource = rows.row(int(group), named=True)["location"], rows.row(int(group), named=True)["resource"]
        dual = float(adder[hour, group])
        found.append(
            (
                starts[int(hour)],
                "reserve",
                f"{region}/{resource}",
                dual,
                f"headroom of {resource} in {region} is short: scarcity adder {dual:.4f} USD/h",
            )
        )
    for hour, link in np.argwhere(cleared.nodes.congestion > DUST):
        name, dual = str(grid.links["link"][int(link)]), float(cleared.nodes.congestion[hour, link])
        found.append((starts[int(hour)], "link", name, dual, f"link {name} is full: one more GiB is worth {dual:.6f} USD"))
    bare = (problem.capacity <= 0.0) & problem.wanted & (shape.balance_row != NOWHERE)
    for hour, where, what, tier in np.argwhere(bare):
        key = f"{grid.locations[where]}/{grid.resources[what]}/{grid.tiers.names[tier]}"
        found.append(
            (
                starts[int(hour)],
                "balance",
                key,
                float(cleared.nodes.price[hour, where, what, tier]),
                f"{key} is bid for but not offered: VOLL",
            )
        )
    found += [*_held(cleared, starts), *_domains(cleared, starts), *_beside(cleared, starts)]
    schema = pl.Schema({name: dtype for name, dtype in SCHEMA.items() if name != "horizon"})
    table = pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.lit(problem.orders.horizon).alias("horizon"))
    return table.select(list(SCHEMA)).sort("start", "kind", "key")


Row = tuple[Any, str, str, float, str]


def _domains(cleared: Cleared, starts: pl.Series) -> Iterator[Row]:
    """Scale-up domains that are short, and those that are bid for but not offered."""
    problem, nodes = cleared.problem, cleared.nodes
    wanted = problem.layout.balance_row != NOWHERE
    for at, row in enumerate(problem.layout.domain_rows):
        grid, key = problem.layout.grid, f"{row.location}/{row.resource}/{row.tier}/{row.size}"
        node = grid.locations.index(row.location), grid.resources.index(row.resource), grid.tiers.names.index(row.tier)
        for hour in range(len(starts)):
            dual = float(nodes.delta[hour, at])
            if problem.domain_capacity[hour, at] <= 0.0 and problem.wanted[(hour, *node)] and wanted[node]:
                yield starts[hour], "domain", key, dual, f"{key} is bid for, but no offer has a domain of {row.size} or more: VOLL"
            elif dual > DUST:
                what = (
                    f"GPUs in domains of {row.size} or more are short in {row.location}: one more hour is worth {dual:.4f} USD more than λ"
                )
                yield starts[hour], "domain", key, dual, what


def _beside(cleared: Cleared, starts: pl.Series) -> Iterator[Row]:
    """Totals that are used up, constraints of the user's that hold, and gangs that run on with less than their share."""
    coupling = cleared.problem.coupling
    for joint in cleared.joints:
        hull = cleared.rule is PricingRule.CONVEX_HULL
        program, duals = (joint.hull_program, joint.hull) if hull else (joint.program, joint.marginal)
        own = program.row_hour == BESIDE
        names = coupling.rows[program.row_place[own]].with_columns(pl.Series("dual", duals[own]))
        first = int(joint.program.hours[0])
        for kind, id_, hour, dual in names.filter(pl.col("dual").abs() > DUST).select("kind", "id", "hour", "dual").iter_rows():
            when = starts[hour if hour >= 0 else first]
            if kind == "total":
                yield when, "total", id_, -dual, f"{id_} has done all its work: one more unit of its total is worth {-dual:.6g} USD"
            elif kind == EXTRA:
                yield when, "extra", id_, -dual, f"constraint {id_} holds: one more unit of its bound is worth {-dual:.6g} USD"
    short = coupling.columns.with_columns(pl.Series("short", cleared.beside)).filter(pl.col("kind") == "broken", pl.col("short") > DUST)
    for id_, hour, amount in short.select("id", "hour", "short").iter_rows():
        yield (
            starts[hour],
            "gang",
            id_,
            amount,
            f"gang {id_} runs on {amount:.6g} units/h short of its least share, for want of supply",
        )


def _held(cleared: Cleared, starts: pl.Series) -> list[Row]:
    """Nodes whose price was outside the market's bounds: the nearer bound is published."""
    problem, shape = cleared.problem, cleared.problem.layout
    grid, traded = shape.grid, shape.balance_row != NOWHERE
    found: list[Row] = []
    raw = np.full_like(cleared.nodes.price, np.nan)
    raw[:, traded] = cleared.price[:, shape.balance_row[traded]] / problem.hours
    offered = problem.capacity > 0.0
    for hour, where, what, tier in np.argwhere(offered & (np.abs(raw - cleared.nodes.price) > DUST * np.maximum(np.abs(raw), 1.0))):
        key = f"{grid.locations[where]}/{grid.resources[what]}/{grid.tiers.names[tier]}"
        price, was = float(cleared.nodes.price[hour, where, what, tier]), float(raw[hour, where, what, tier])
        bound = "cap" if was > price else "floor"
        found.append(
            (starts[int(hour)], "balance", key, price, f"{key} is held at the price {bound} {price:g}: its own price is {was:.6g}")
        )
    return found

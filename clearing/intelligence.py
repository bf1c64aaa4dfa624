"""What binds, and what one more unit of it would be worth (market design, section 9)."""

from typing import Any

import numpy as np
import polars as pl

from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.layout import NOWHERE
from tenorgrid.data.kinds import BindingKind

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
    """`binding`: groups short of reserve, links at capacity, nodes wanted but not offered, and prices held at a bound of the market."""
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
    found += _held(cleared, starts)
    schema = pl.Schema({name: dtype for name, dtype in SCHEMA.items() if name != "horizon"})
    table = pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.lit(problem.orders.horizon).alias("horizon"))
    return table.select(list(SCHEMA)).sort("start", "kind", "key")


def _held(cleared: Cleared, starts: pl.Series) -> list[tuple[Any, str, str, float, str]]:
    """Nodes whose price was outside the market's bounds: the nearer bound is published."""
    problem, shape = cleared.problem, cleared.problem.layout
    grid, traded = shape.grid, shape.balance_row != NOWHERE
    found: list[tuple[Any, str, str, float, str]] = []
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

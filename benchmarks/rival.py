"""One tool on one sheet in a process of its own: `python -m benchmarks.by_linopy KIND HOURS STEPS [ORDERS]`."""

import argparse
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Stopwatch, tell
from benchmarks.sheet import BLOCKS, Sheet, sheet

# HiGHS's presolve rule for parallel rows and columns (8192) makes market problems many times slower. LPs are fastest without presolve
# at all, MIPs and models with a row for every bound with the rest of it.
LP: dict[str, Any] = {"presolve": "off", "threads": 1}
LP_OF_BOUND_ROWS: dict[str, Any] = {"presolve_rule_off": 8192, "threads": 1}
MIP: dict[str, Any] = {"presolve_rule_off": 8192, "threads": 1, "mip_rel_gap": 1e-9, "random_seed": 0}


@dataclass(frozen=True, kw_only=True)
class Solved:
    """What a tool found."""

    surplus: float
    columns: int
    rows: int


def options(market: Sheet, *, lp: dict[str, Any] = LP) -> dict[str, Any]:
    """HiGHS's options for a market, the best known."""
    return MIP if market.gangs.count or market.blocks.count else lp


def asked() -> Sheet:
    """The sheet that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("plain", "flexible", "whole"))
    parser.add_argument("hours", type=int)
    parser.add_argument("steps", type=int)
    parser.add_argument("orders", type=int, nargs="?", default=BLOCKS, help="jobs, or blocks and as many gangs")
    chosen = parser.parse_args()
    return sheet(chosen.kind, chosen.hours, chosen.steps, jobs=chosen.orders, blocks=chosen.orders, gangs=chosen.orders)


def told(build: Callable[[Sheet], Any], solve: Callable[[Any, dict[str, Any]], Solved], *, lp: dict[str, Any] = LP) -> None:
    """Build and solve what the command line names, with the options `lp` where nothing is whole, and tell how long it took."""
    logging.disable(logging.INFO)
    market, clock = asked(), Stopwatch()
    with clock.step("build"):
        model = build(market)
    with clock.step("solve"):
        found = solve(model, options(market, lp=lp))
    tell(**clock.seconds, surplus=found.surplus, columns=found.columns, rows=found.rows)

"""What is measured: each clearing goal as a market, and how the tools are told apart on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import measured

TOOLS: Mapping[str, str] = {
    "by_tenorgrid": "tenorgrid",
    "by_arrays": "sparse arrays, one passModel",
    "by_linopy": "linopy",
    "by_pypsa": "PyPSA",
    "by_pyomo": "Pyomo, appsi_highs",
}
AGREE = 1e-8  # relative: what the tools may differ in the surplus of the same market; what whole orders cost the day market is 3e-8 of it
HEADER = ("tool", "hours", "build s", "solve s", "columns", "rows", "peak MB", "µs per step and hour", "ratio")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One goal: a market, and how many of its hours each rival gets; what is not named gets them all."""

    title: str
    goal: str
    kind: str
    hours: int
    steps: int = 5000
    orders: int = 500
    fewer: Mapping[str, int]

    def asked(self, tool: str) -> int:
        """Hours that a tool is given."""
        return min(self.fewer.get(tool, self.hours), self.hours)


GOALS = {
    "interval": Line(
        title="real-time interval, 6 resources", goal="5 ms warm", kind="plain", hours=24,
        fewer=dict.fromkeys(("by_arrays", "by_linopy", "by_pypsa", "by_pyomo"), 1),
    ),
    "month": Line(
        title="uncoupled month, 720 h, 6 resources", goal="2 s", kind="plain", hours=720,
        fewer={"by_linopy": 168, "by_pypsa": 24, "by_pyomo": 168, "by_arrays": 168},
    ),
    "week": Line(
        title="week coupled by 500 flexible jobs", goal="2 s cold", kind="flexible", hours=168, fewer={"by_pypsa": 24},
    ),
    "day-whole": Line(
        title="day ahead, 500 blocks and 500 gangs", goal="3 s", kind="whole", hours=24, fewer={},
    ),
    "week-whole": Line(
        title="week, 500 blocks and 500 gangs", goal="10 s", kind="whole", hours=168, fewer={"by_pypsa": 24, "by_pyomo": 24},
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Found:
    """One tool on one market."""

    tool: str
    hours: int
    told: dict[str, Any]

    def each(self, steps: int) -> float:
        """Microseconds of build and solve per step and hour."""
        return float((self.told["build"] + self.told["solve"]) / self.hours / steps * 1e6)


def measure(line: Line, tools: Mapping[str, str] = TOOLS) -> list[Found]:
    """Every tool on a line, each in a process of its own. Tools that were given the same hours must agree on the surplus.

    Raises SystemExit where two of them do not.
    """
    found: list[Found] = []
    for tool in tools:
        hours = line.asked(tool)
        told = measured(f"benchmarks.{tool}", line.kind, str(hours), str(line.steps), str(line.orders))
        found.append(Found(tool=tool, hours=hours, told=told))
    oracle = {one.hours: one for one in found if one.tool == "by_tenorgrid"}
    for hours in sorted({one.hours for one in found} - set(oracle)):  # the engine itself on the fewer hours that a rival was given
        told = measured("benchmarks.by_tenorgrid", line.kind, str(hours), str(line.steps), str(line.orders))
        oracle[hours] = Found(tool="by_tenorgrid", hours=hours, told=told)
    for one in found:
        agree(one.told["surplus"], oracle[one.hours].told["surplus"], f"{line.title}: {TOOLS[one.tool]}")
    return found


def agree(found: float, expected: float, who: str, within: float = AGREE) -> None:
    """End the run where two tools differ: a time without an answer means nothing."""
    if not abs(found - expected) <= within * abs(expected):
        raise SystemExit(f"{who} found a surplus of {found!r}, tenorgrid {expected!r}: no time is printed")


def rows(line: Line, found: list[Found]) -> list[tuple[str, ...]]:
    """The lines of the printed table, tenorgrid first."""
    best = next(one for one in found if one.tool == "by_tenorgrid").each(line.steps)
    lines: list[tuple[str, ...]] = [HEADER]
    for one in found:
        told, each = one.told, one.each(line.steps)
        sizes = f"{told['columns']:,}", f"{told['rows']:,}", f"{told['peak']:,.0f}"
        lines.append(
            (TOOLS[one.tool], str(one.hours), f"{told['build']:.2f}", f"{told['solve']:.2f}", *sizes, f"{each:.2f}", f"{each / best:.1f}")
        )
    return lines

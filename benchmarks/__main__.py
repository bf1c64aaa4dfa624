"""`python -m benchmarks [GOALS] [--quick] [--no-growth] [--no-run] [--figure FILE]`: every goal beside its rivals in one run.

Each tool runs in a process of its own, so that its peak memory is its own. Tools that were given the same hours must agree on the
surplus to 1e-8, or the run ends before it prints a time.
"""

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks import baskets, book, curves, factors, indices_lines, options, rights, volatility
from benchmarks.growth import HOURS, STEPS, Grown, figure, grown, rows_of
from benchmarks.lines import AGREE, GOALS, Found, Line, measure, rows
from benchmarks.main_job import by_part

PACKAGES = ("highspy", "linopy", "pypsa", "pyomo", "polars")
THEMES: dict[str, Callable[..., None]] = {  # goals that have neither growth nor a main job
    "indices": indices_lines.main,
    "baskets": baskets.main,
    "curves": curves.main,
    "volatility": volatility.main,
    "factors": factors.main,
    "options": options.main,
    "rights": rights.main,
    "book": book.main,
}
QUICK = 24  # hours of every market with --quick


def main() -> None:
    """Measure what is asked and print the tables of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "goals",
        nargs="*",
        choices=[[], *GOALS, *THEMES],
        metavar="GOALS",
        help=f"of {', '.join([*GOALS, *THEMES])}; default all",
    )
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK} hours, 500 steps and 50 orders")
    parser.add_argument("--no-growth", action="store_true", help="leave out how cost grows")
    parser.add_argument("--no-run", action="store_true", help="leave out the main job")
    parser.add_argument("--figure", type=Path, help="write the figure of growth to this HTML file")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}; synthetic markets, one thread each\n")
    goals = chosen.goals or [*GOALS, *THEMES]
    for name in goals:
        if name in THEMES:
            THEMES[name](quick=chosen.quick)
        else:
            _goal(_quick(GOALS[name]) if chosen.quick else GOALS[name])
    if not set(goals) & set(GOALS):
        return
    if not chosen.no_growth:
        _growth(chosen.figure, quick=chosen.quick)
    if not chosen.no_run:
        _main_job()


def _quick(line: Line) -> Line:
    return Line(title=f"quick: {line.title}", goal=line.goal, kind=line.kind, hours=min(line.hours, QUICK), steps=500, orders=50, fewer={})


def _goal(line: Line) -> None:
    found = measure(line)
    print(f"### {line.title[0].upper()}{line.title[1:]}\n\nGoal: {line.goal}.\n")
    _table(rows(line, found))
    print(f"\nratio: build and solve per step and hour, against tenorgrid. All agree on the surplus to {AGREE:g} relative.\n")
    _own(found[0])


def _own(ours: Found) -> None:
    """What only the engine does, and what stands beside its solve."""
    told = ours.told
    interval = "" if told["hour"] is None else f"one interval {1e3 * told['hour']:.2f} ms (median), "
    print(f"tenorgrid: {interval}solve {told['solve']:.2f} s, of it search {told['search']:.2f} s and the price rule {told['hair']:.2f} s")
    read, check, write = told["read and check"], told["check"], told["write case"]
    print(f"beside it: read and check {read:.2f} s (check alone {check:.2f} s), write case {write:.2f} s,")
    print(f"write results {told['write results']:.2f} s; the whole clearing with its tables {told['clear']:.2f} s.")
    together = f"{', '.join(map(str, told['together']))} hours solved as one problem" if told["together"] else "every hour by itself"
    print(f"{together}; prices {', '.join(told['hull'])}; worst certificate {told['worst']:.1e}; {', '.join(told['status'])}\n")


def _growth(place: Path | None, *, quick: bool) -> None:
    steps, hours = (STEPS[:3], HOURS[:3]) if quick else (STEPS, HOURS)
    found: list[Grown] = grown(steps, hours)
    print("### How cost grows\n")
    _table(rows_of(found))
    print()
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        figure(found).write_html(place)
        print(f"figure: {place}\n")


def _main_job() -> None:
    parts, whole = by_part()
    print("### The main job's minute\n")
    _table(
        [
            ("part", "s"),
            *((name, f"{seconds:.2f}") for name, seconds in parts.items()),
            ("whole command, start-up included", f"{whole:.2f}"),
        ]
    )
    print("\nparts may run beside one another: they need not add to the whole")


def _table(lines: list[tuple[str, ...]]) -> None:
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    rule = ("-" * width for width in widths)
    for line in [lines[0], tuple(rule), *lines[1:]]:
        cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()

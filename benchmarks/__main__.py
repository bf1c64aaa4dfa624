"""`python -m benchmarks [--quick] [--hours N] [--no-run]`: the clearing line beside Pyomo in one run, and the main job's minute by part."""

import argparse
import os
from importlib.metadata import version
from typing import Any

from benchmarks.main_job import by_part
from benchmarks.measure import measured

QUICK_HOURS = 24  # of the 168 that Pyomo gets with --quick
TOLERANCE = 1e-7  # relative: the tools must agree on the surplus of what they both cleared
HEADER = ("clearing 168 h × 5,000 steps", "hours", "build s", "solve s", "columns", "rows", "peak MB", "µs per step", "ratio")


def main() -> None:
    """Measure every line and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"give Pyomo {QUICK_HOURS} hours alone")
    parser.add_argument("--hours", type=int, default=168, help="hours that the array engine clears")
    parser.add_argument("--no-run", action="store_true", help="leave out the main job")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, highspy {version('highspy')}, Pyomo {version('pyomo')}; synthetic market, one thread each\n")
    _clearing(chosen.hours, min(QUICK_HOURS, chosen.hours) if chosen.quick else chosen.hours)
    if not chosen.no_run:
        _main_job()


def _clearing(hours: int, fewer: int) -> None:
    ours = measured("benchmarks.arrays", str(hours))
    same = ours if fewer == hours else measured("benchmarks.arrays", str(fewer))
    whole = measured("benchmarks.whole_week", str(hours))
    theirs = measured("benchmarks.pyomo_week", str(fewer))
    _agree(whole["surplus"], ours["surplus"])
    _agree(theirs["surplus"], same["surplus"])
    best = _each(ours, hours)
    lines = [
        _line("tenorgrid, arrays, hour by hour", hours, ours, best),
        _line("arrays, all hours in one passModel", hours, whole, best),
        _line("Pyomo, appsi_highs, presolve off" + ("" if fewer == hours else ", fewer hours"), fewer, theirs, best),
    ]
    _table([HEADER, *lines])
    extra = ours["priced"] - ours["base"]
    print(f"\nratio: build and solve per step of an hour, against the first line. All agree on the surplus to {TOLERANCE:g} relative.")
    print(f"price centre (a hair more and less load): {extra:.2f} s beside {ours['base']:.2f} s, {1e3 * extra / hours:.2f} ms an hour")
    print(f"certificate of all hours: {ours['certify']:.2f} s, worst {ours['worst']:.1e}\n")


def _main_job() -> None:
    parts, whole = by_part()
    lines = [("main job's minute by part", "s"), *((name, f"{seconds:.2f}") for name, seconds in parts.items())]
    _table([*lines, ("whole command, start-up included", f"{whole:.2f}")])
    print("\nparts may run beside one another: they need not add to the whole")


def _each(found: dict[str, Any], hours: int) -> float:
    """Microseconds of build and solve per step of an hour."""
    return float((found["build"] + found["solve"]) / hours / 5000 * 1e6)


def _line(name: str, hours: int, found: dict[str, Any], best: float) -> tuple[str, ...]:
    each = _each(found, hours)
    sizes = f"{found['columns']:,}", f"{found['rows']:,}", f"{found['peak']:.0f}"
    return name, str(hours), f"{found['build']:.2f}", f"{found['solve']:.2f}", *sizes, f"{each:.2f}", f"{each / best:.1f}"


def _agree(found: float, expected: float) -> None:
    if abs(found - expected) > TOLERANCE * abs(expected):
        raise SystemExit(f"the tools disagree on the surplus: {found!r} and {expected!r}")


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    rule = ("-" * width for width in widths)
    for row in [rows[0], tuple(rule), *rows[1:]]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()

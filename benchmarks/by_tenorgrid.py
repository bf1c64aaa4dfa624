"""A sheet by this project's engine, with both pricing rules, certificates and tables: `python -m benchmarks.by_tenorgrid KIND HOURS STEPS`.

The case is also written, read and checked, in Parquet, to be told beside it.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.market_case import frames, market
from benchmarks.measure import Stopwatch, tell
from benchmarks.rival import asked
from tenorgrid import api
from tenorgrid.clearing import horizons, joint, parts
from tenorgrid.clearing.solver import Solver
from tenorgrid.data.case import make_case, read_case, write_case
from tenorgrid.folders import write_clear


def main() -> None:
    """Check, write, read, clear and publish what the command line names."""
    sheet, clock = asked(), Stopwatch()
    tables = frames(sheet)
    with clock.step("check"):
        case = make_case(market(), tables)
    del tables
    with TemporaryDirectory() as place:
        with clock.step("write case"):
            write_case(case, Path(place) / "case", form="parquet")
        with clock.step("read and check"):
            case = read_case(Path(place) / "case")
        watch(clock)
        with clock.step("clear"):
            run = api.clear(case)
        with clock.step("write results"):
            write_clear(run, Path(place) / "out", form="parquet")
    certificate = run.certificate
    alone, together = certificate.filter(certificate["hours"] == 1), certificate.filter(certificate["hours"] > 1)
    tell(
        **clock.seconds | {"build": clock.seconds["orders"] + clock.seconds["pose"]},
        surplus=float(run.surplus.filter(pricing=str(run.pricing))["total"].sum()),
        solve=float(certificate["seconds"].sum()) + clock.seconds["reference"],
        hour=None if alone.is_empty() else float(alone["seconds"].median()),  # type: ignore[arg-type]
        columns=int(certificate["columns"].sum()),
        rows=int(certificate["rows"].sum()),
        worst=float(certificate["gap"].max()),  # type: ignore[arg-type]
        together=together["hours"].to_list(),
        hull=sorted(set(certificate["hull"].cast(str).to_list())),
        status=sorted(set(certificate["status"].to_list())),
    )


def watch(clock: Stopwatch) -> None:
    """Have the clock count the engine's own steps."""
    clock.seconds |= dict.fromkeys(("orders", "pose", "reference", "search", "prices", "hair"), 0.0)
    for module, name, step in (
        (horizons, "take_orders", "orders"),
        (parts, "pose", "pose"),
        (horizons, "_reference", "reference"),
        (joint, "search", "search"),
        (joint, "centre", "prices"),
    ):
        setattr(module, name, _counted(getattr(module, name), clock, step))
    _watch_hair(clock)


def _counted(function: Callable[..., Any], clock: Stopwatch, step: str) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        with clock.step(step):
            return function(*arguments, **named)

    return counted


def _watch_hair(clock: Stopwatch) -> None:
    """What a model's second and third run cost, and the question whether it needs them: the price of the price rule."""
    load, run = Solver.load, Solver.run
    runs: dict[int, int] = {}

    def loaded(self: Solver, *arguments: Any, **named: Any) -> None:
        runs[id(self)] = 0
        load(self, *arguments, **named)

    def ran(self: Solver) -> str:
        runs[id(self)] += 1
        if runs[id(self)] == 1:
            return run(self)
        with clock.step("hair"):
            return run(self)

    for name, function in (("load", loaded), ("run", ran), ("direction", _counted(Solver.direction, clock, "hair"))):
        setattr(Solver, name, function)


if __name__ == "__main__":
    main()

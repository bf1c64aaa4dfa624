"""The lines of price paths, swing and tolling, each beside its rivals: numpy as one writes it first, QuantLib, least squares, HiGHS.

Values must agree before a time is printed: swings within the finite differences' mesh and three standard errors, tolling to 1e-6 USD.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one thread, as the rivals have

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from time import perf_counter
from typing import TypeVar

import numpy as np

from benchmarks.measure import Stopwatch, measured, tell
from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.model import Jumps, PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import blocks, simulate
from tenorgrid.derivatives.rights import least_squares
from tenorgrid.derivatives.rights.lattice import lattice
from tenorgrid.derivatives.rights.swing import Swing, exercised, value
from tenorgrid.derivatives.rights.tolling import Plant, schedule
from tenorgrid.derivatives.rights.tolling_program import program

T = TypeVar("T")

PATHS, HOURS, DATES, RIGHTS = 10_000, 8760, 365, 100
REVERSION, VOLATILITY, RATE = 4.0, 1.2, 0.04
GRID = 101  # nodes of the chain and of QuantLib's grid
MESH = 0.1  # USD by which QuantLib's finite differences on that grid may differ: 33.41 on 101, 33.36 on 401 nodes
AGREE = 1e-6  # USD
REPEATS = 5
QUICK = "--quick"
JUMPY = PathModel(
    factors=ornstein_uhlenbeck(reversion=50.0, volatility=2.0),
    jumps=Jumps(intensity=np.array([20.0]), reversion=np.array([200.0]), rate=np.array([5.0]), loading=np.ones((1, 1))),
)


def main(*, quick: bool) -> None:
    """Print the lines of docs/capacity-contracts.md and docs/paths.md, from a process whose linear algebra has one thread.

    With `quick` a tenth of the paths and of the contracts.
    """
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "benchmarks.rights", *([QUICK] if quick else [])], check=True)


def _lines(*, quick: bool) -> None:
    print(
        f"### Price paths, swing and tolling\n\nnumpy {version('numpy')}, QuantLib {version('QuantLib')}; one thread unless said\n",
        flush=True,
    )
    paths = PATHS // 10 if quick else PATHS
    _paths(paths)
    _swing(paths)
    _tolling(100 if quick else 1000)


def _paths(paths: int) -> None:
    print(f"| {paths:,} paths of {HOURS:,} hours, OU and jumps | s | peak MB |\n| --- | --- | --- |")
    for name, title in (
        ("whole", "tenorgrid, one array, 2 threads"),
        ("streamed", "tenorgrid, streamed float32, 2 threads"),
        ("textbook", "numpy, all shocks and Poisson counts at once"),
    ):
        told = measured("benchmarks.rights", name, str(paths))
        print(f"| {title} | {told['seconds']:.2f} | {told['peak']:.0f} |")
    print()


def _swing(paths: int) -> None:
    years = np.arange(1, DATES + 1) / 365
    ones, discount = np.ones(DATES), np.exp(-RATE * years)
    contract = Swing(maximum=RIGHTS)

    def ours() -> float:
        chain = lattice(reversion=REVERSION, volatility=VOLATILITY, years=years, nodes=GRID)
        return value(contract, chain=chain, forward=ones, strike=ones, discount=discount)

    def with_deltas() -> float:
        chain = lattice(reversion=REVERSION, volatility=VOLATILITY, years=years, nodes=GRID)
        return exercised(contract, chain=chain, forward=ones, strike=ones, discount=discount).value

    def by_least_squares() -> least_squares.Estimate:
        model = PathModel(factors=ornstein_uhlenbeck(reversion=REVERSION, volatility=VOLATILITY))
        price = simulate(model, forward=ones[:, None], years=years, paths=paths, seed=1)[:, 0]
        return least_squares.value(discount[:, None] * (price - 1), state=price[..., None], maximum=RIGHTS)

    found, seconds = _best(ours)
    whole, with_policy = _best(with_deltas)
    other, finite = _timed(lambda: _quantlib(GRID))
    simulated, monte_carlo = _timed(by_least_squares)
    if not (whole == found and abs(other - found) < MESH and abs(simulated.value - found) < 3 * simulated.error):
        raise SystemExit(f"the swings differ, {found} {whole} {other} {simulated}: no time is printed")
    print(f"| swing, {DATES} dates, {RIGHTS} rights | value | s | ratio |\n| --- | --- | --- | --- |")
    for title, worth, taken in (
        (f"tenorgrid, transition matrix, {GRID} nodes", f"{found:.4f}", seconds),
        ("tenorgrid, with expected exercise and delta of each date", f"{whole:.4f}", with_policy),
        (f"QuantLib FdSimpleExtOUJumpSwingEngine, {GRID} nodes", f"{other:.4f}", finite),
        (f"least squares, {paths:,} paths, cubic", f"{simulated.value:.3f} ± {simulated.error:.3f}", monte_carlo),
    ):
        print(f"| {title} | {worth} | {taken:.3f} | {taken / seconds:.0f} |")
    print()


def _quantlib(grid: int) -> float:
    import QuantLib as ql

    today = ql.Date(1, 1, 2027)
    ql.Settings.instance().evaluationDate = today
    years = ql.Actual365Fixed()
    rates = ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, years))
    factor = ql.ExtendedOrnsteinUhlenbeckProcess(REVERSION, VOLATILITY, 0.0, lambda _: 0.0)
    process = ql.ExtOUWithJumpsProcess(factor, 0.0, 5.0, 1e-8, 50.0)  # no jumps to speak of
    half_variance = VOLATILITY**2 / (4 * REVERSION)
    shape = [(day / 365, -half_variance * (1 - np.exp(-2 * REVERSION * day / 365))) for day in range(1, DATES + 1)]
    exercise = ql.SwingExercise([today + day for day in range(1, DATES + 1)])
    option = ql.VanillaSwingOption(ql.VanillaForwardPayoff(ql.Option.Call, 1.0), exercise, 0, RIGHTS)
    option.setPricingEngine(ql.FdSimpleExtOUJumpSwingEngine(process, rates.currentLink(), DATES, grid, 2, shape))
    return float(option.NPV())


def _tolling(contracts: int) -> None:
    rng = np.random.default_rng(5)
    hours = np.arange(168)[:, None]
    spread = 0.3 * np.sin(2 * np.pi * hours / 24) + rng.normal(0, 0.4, (168, contracts))
    plant, start = Plant(least=8.0, most=40.0, run=6, rest=4), np.full((168, 1), 30.0)
    one, alone = _best(lambda: schedule(plant, spread=spread[:, :1], start=start).value[0])
    all_of_them, together = _best(lambda: schedule(plant, spread=spread, start=start).value)
    other, by_program = _timed(lambda: program(plant, spread=spread[:, 0], start=start[:, 0]))
    if not (abs(other - one) < AGREE and abs(all_of_them[0] - one) < AGREE):
        raise SystemExit(f"the plants differ, {one} {other}: no time is printed")
    print("| tolling, 168 hours, least run 6 and rest 4 | ms | ms a contract |\n| --- | --- | --- |")
    print(f"| tenorgrid, dynamic programming, 1 contract | {1e3 * alone:.2f} | {1e3 * alone:.2f} |")
    print(f"| tenorgrid, {contracts:,} contracts at once | {1e3 * together:.2f} | {1e3 * together / contracts:.4f} |")
    print(f"| HiGHS, mixed-integer program | {1e3 * by_program:.0f} | {1e3 * by_program:.0f} |\n")


def _alone(name: str, paths: int) -> None:
    """One way to draw paths, in this process."""
    years, forward = np.arange(1, HOURS + 1) / 8760, np.full((HOURS, 1), 2.4)
    watch = Stopwatch()
    with watch.step("seconds"):
        if name == "whole":
            simulate(JUMPY, forward=forward, years=years, paths=paths, seed=1)
        elif name == "streamed":
            for _ in blocks(JUMPY, forward=forward, years=years, paths=paths, seed=1, dtype=np.float32):
                pass
        else:
            _textbook(forward, years, paths)
    tell(**watch.seconds)


def _textbook(forward: Vector, years: Vector, paths: int) -> Vector:
    """The same model the short way: a jump at most an hour, counted by a uniform number, sizes for all hours."""
    rng, step = np.random.default_rng(1), 1 / 8760
    fade, gone = np.exp(-50 * step), np.exp(-200 * step)
    shocks = rng.standard_normal((HOURS, paths)) * 2.0 * np.sqrt((1 - fade**2) / 100)
    jumps = np.where(rng.random((HOURS, paths)) < 20 * step, rng.exponential(0.2, (HOURS, paths)), 0.0)
    for hour in range(1, HOURS):
        shocks[hour] += fade * shocks[hour - 1]
        jumps[hour] += gone * jumps[hour - 1]
    return np.asarray(np.exp(np.log(forward) - JUMPY.correction(years) + shocks + jumps))


def _best(task: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the least seconds of several goes."""
    goes = [_timed(task) for _ in range(REPEATS)]
    return goes[0][0], min(seconds for _, seconds in goes)


def _timed(task: Callable[[], T]) -> tuple[T, float]:
    begin = perf_counter()
    return task(), perf_counter() - begin


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _alone(sys.argv[1], int(sys.argv[2]))
    else:
        _lines(quick=QUICK in sys.argv)

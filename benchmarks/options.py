"""The option lines: arrays beside QuantLib, each in a process of its own, in one run: `python -m benchmarks options`.

Both are given the same contracts and must agree before a time is printed. QuantLib is measured twice where it can be: with objects, as a
desk would hold its contracts, and with its plain function in a loop.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import QuantLib as ql

from benchmarks.measure import measured, tell
from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options import american, implied
from tenorgrid.derivatives.options.average import conditioning, matching
from tenorgrid.derivatives.options.average.terms import Averages
from tenorgrid.derivatives.options.spread import closed, quadrature
from tenorgrid.derivatives.options.spread.terms import Spreads

REPEATS = 9
FIXINGS = 30
TODAY = ql.Date(1, 1, 2027)
Task = Callable[[], Vector]


def contracts(count: int) -> dict[str, Vector]:
    """So many options out of or near the money, from one seed."""
    rng = np.random.default_rng(11)
    forward = rng.uniform(1.5, 4.0, count)
    return {
        "forward": forward, "strike": forward * np.exp(rng.uniform(0.0, 0.5, count)), "volatility": rng.uniform(0.3, 1.2, count),
        "years": rng.uniform(0.2, 2.0, count), "discount": rng.uniform(0.9, 1.0, count), "other": rng.uniform(1.5, 4.0, count),
        "correlation": rng.uniform(0.0, 0.95, count),
    }  # fmt: skip


def black_arrays(c: dict[str, Vector]) -> Task:
    """Prices by `black`."""
    deviation = c["volatility"] * np.sqrt(c["years"])
    return lambda: black.price(c["forward"], c["strike"], deviation=deviation, discount=c["discount"])


def black_loop(c: dict[str, Vector]) -> Task:
    """Prices by QuantLib's function, one call each."""
    deviation = c["volatility"] * np.sqrt(c["years"])
    rows = list(zip(*(values.tolist() for values in (c["strike"], c["forward"], deviation, c["discount"])), strict=True))
    return lambda: np.array([ql.blackFormula(ql.Option.Call, k, f, s, d) for k, f, s, d in rows])


def implied_arrays(c: dict[str, Vector]) -> Task:
    """Volatilities by `implied`."""
    prices = black_arrays(c)()
    return lambda: implied.implied(prices, c["forward"], c["strike"], years=c["years"], discount=c["discount"])


def implied_loop(c: dict[str, Vector]) -> Task:
    """Volatilities by QuantLib's own Newton search to 1e-12, one call each."""
    prices, root = black_arrays(c)(), np.sqrt(c["years"])
    rows = list(zip(*(values.tolist() for values in (c["strike"], c["forward"], prices, c["discount"])), strict=True))
    start = ql.nullDouble()
    return lambda: np.array([ql.blackFormulaImpliedStdDev(ql.Option.Call, k, f, p, d, 0.0, start, 1e-12) for k, f, p, d in rows]) / root


def averages(c: dict[str, Vector]) -> Averages:
    """Options on means of 30 daily fixings that begin on whole days."""
    first = np.round(c["years"] * 365)
    years = (first[:, None] + np.arange(FIXINGS)) / 365
    forward = np.repeat(c["forward"][:, None], FIXINGS, axis=1)
    discount = np.exp(-0.05 * years[:, -1])
    return Averages(forward=forward, strike=c["strike"], volatility=c["volatility"][:, None], years=years, discount=discount)


def moments_arrays(c: dict[str, Vector]) -> Task:
    """Averages by two moments."""
    options = averages(c)
    return lambda: matching.price(options)


def conditioning_arrays(c: dict[str, Vector]) -> Task:
    """Averages by the conditioning bound."""
    options = averages(c)
    return lambda: conditioning.price(options)


def moments_objects(c: dict[str, Vector]) -> Task:
    """Averages by QuantLib's Turnbull-Wakeman engine: an option, a process and an engine each."""
    ql.Settings.instance().evaluationDate = TODAY
    days, calendar = ql.Actual365Fixed(), ql.NullCalendar()
    rate = ql.YieldTermStructureHandle(ql.FlatForward(TODAY, 0.05, days))
    first = np.round(c["years"] * 365).astype(int).tolist()
    rows = list(zip(c["forward"].tolist(), c["strike"].tolist(), c["volatility"].tolist(), first, strict=True))

    def one(forward: float, strike: float, sigma: float, begin: int) -> float:
        level = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, calendar, sigma, days))
        process = ql.BlackProcess(ql.QuoteHandle(ql.SimpleQuote(forward)), rate, level)
        dates = [TODAY + begin + day for day in range(FIXINGS)]
        payoff, exercise = ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(dates[-1])
        option = ql.DiscreteAveragingAsianOption(ql.Average.Arithmetic, 0.0, 0, dates, payoff, exercise)
        option.setPricingEngine(ql.TurnbullWakemanAsianEngine(process))
        return float(option.NPV())

    return lambda: np.array([one(*row) for row in rows])


def spreads(c: dict[str, Vector]) -> Spreads:
    """Options on the difference of two forwards."""
    return Spreads(
        first=c["forward"], second=c["other"], strike=np.full(1, 0.2), first_volatility=c["volatility"],
        second_volatility=c["volatility"][::-1], correlation=c["correlation"], years=c["years"], discount=c["discount"],
    )  # fmt: skip


def kirk_arrays(c: dict[str, Vector]) -> Task:
    """Kirk's spreads with all their greeks."""
    options = spreads(c)
    return lambda: closed.kirk(options).price


def strategy_arrays(c: dict[str, Vector]) -> Task:
    """Bjerksund and Stensland's spreads."""
    options = spreads(c)
    return lambda: closed.bjerksund_stensland(options)


def integral_arrays(c: dict[str, Vector]) -> Task:
    """Exact spreads."""
    options = spreads(c)
    return lambda: quadrature.price(options)


def kirk_objects(c: dict[str, Vector]) -> Task:
    """Spreads by QuantLib's Kirk engine: an option, two processes and an engine each; a year's term with σ √T, as dates are whole days."""
    ql.Settings.instance().evaluationDate = TODAY
    days, calendar, end = ql.Actual365Fixed(), ql.NullCalendar(), TODAY + 365
    options = spreads(c)
    root = np.sqrt(options.years)
    parts = (options.first, options.second, options.first_volatility * root, options.second_volatility * root, options.correlation,
             -np.log(options.discount))  # fmt: skip
    rows = list(zip(*(values.tolist() for values in parts), strict=True))

    def one(first: float, second: float, sigma: float, other: float, rho: float, rate: float) -> float:
        curve = ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, days))
        legs = [
            ql.BlackProcess(
                ql.QuoteHandle(ql.SimpleQuote(price)), curve, ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, calendar, v, days))
            )
            for price, v in ((first, sigma), (second, other))
        ]
        option = ql.BasketOption(ql.SpreadBasketPayoff(ql.PlainVanillaPayoff(ql.Option.Call, 0.2)), ql.EuropeanExercise(end))
        option.setPricingEngine(ql.KirkEngine(*legs, rho))
        return float(option.NPV())

    return lambda: np.array([one(*row) for row in rows])


def american_loop(c: dict[str, Vector]) -> Task:
    """American options, by QuantLib in both: what a loop costs."""
    return lambda: american.price(
        c["forward"], c["strike"], volatility=c["volatility"], years=c["years"], rate=np.full(1, 0.05), option="put"
    )


TASKS: dict[str, Callable[[dict[str, Vector]], Task]] = {
    task.__name__: task
    for task in (
        black_arrays, black_loop, implied_arrays, implied_loop, moments_arrays, conditioning_arrays, moments_objects,
        kirk_arrays, strategy_arrays, integral_arrays, kirk_objects, american_loop,
    )
}  # fmt: skip
# what, goal in ms, contracts, the arrays, their rivals, and how far the answers may be apart
LINES: tuple[tuple[str, str, int, tuple[str, ...], tuple[str, ...], float], ...] = (
    ("100,000 Black-76", "2.9 ms", 100_000, ("black_arrays",), ("black_loop",), 1e-12),
    ("100,000 implied volatilities", "48 ms", 100_000, ("implied_arrays",), ("implied_loop",), 1e-9),
    (
        "10,000 averages of 30 fixings", "10 ms by two moments, 16 ms by conditioning", 10_000, ("moments_arrays", "conditioning_arrays"),
        ("moments_objects",), 1e-10,
    ),
    ("10,000 spreads", "none", 10_000, ("kirk_arrays", "strategy_arrays"), ("kirk_objects",), 1e-10),
    ("1,000 exact spreads", "none", 1_000, ("integral_arrays",), (), 0.0),
    ("1,000 American options, a loop of QuantLib's", "none", 1_000, ("american_loop",), (), 0.0),
)  # fmt: skip


def main(*, quick: bool) -> None:
    """Print the lines of docs/options.md. With `quick` a tenth of the contracts."""
    print("### Options\n")
    print("| task | goal | by | ms | µs each | peak MB | ratio |\n| --- | --- | --- | ---: | ---: | ---: | ---: |")
    for title, goal, count, own, rivals, apart in LINES:
        size = count // 10 if quick else count
        found: dict[str, dict[str, Any]] = {name: measured("benchmarks.options", name, str(size)) for name in (*own, *rivals)}
        best = found[own[0]]
        for rival in rivals:
            if not abs(found[rival]["mean"] - best["mean"]) <= apart * abs(best["mean"]):
                raise SystemExit(f"{rival} found {found[rival]['mean']!r}, {own[0]} {best['mean']!r}: no time is printed")
        for name, told in found.items():
            each, ratio = 1e6 * told["seconds"] / size, told["seconds"] / best["seconds"]
            shown = f"{title} (a tenth)" if quick else title
            print(f"| {shown} | {goal} | {name} | {1e3 * told['seconds']:.2f} | {each:.3f} | {told['peak']:.0f} | {ratio:.1f} |")
    print("\nratio: to the first of its lines; `_arrays` are tenorgrid's. Peak memory is of the whole process, imports included.\n")


def _one() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("count", type=int)
    chosen = parser.parse_args()
    task = TASKS[chosen.task](contracts(chosen.count))
    slow = chosen.task.endswith(("_objects", "american_loop"))
    seconds = []
    for _ in range(1 if slow else REPEATS):
        begin = perf_counter()
        values = task()
        seconds.append(perf_counter() - begin)
    tell(seconds=min(seconds), mean=float(values.mean()))


if __name__ == "__main__":
    _one()

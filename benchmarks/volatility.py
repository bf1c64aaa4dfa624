"""`python -m benchmarks volatility`: 100 GARCH(1,1) fits of 2,000 returns beside a plain loop of arch.

The loop is the one that a user of arch writes. Ours gives more for each series: the mean squared residual before the sample instead of a
weighted one, both kinds of errors, and the variance path. Workers are timed after they have started, as in a service that keeps them, and
once with their start.
"""

import time
from collections.abc import Callable

import numpy as np

from tenorgrid import executors
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.batch import fit_many

RETURNS = 2_000
AGREE = 1e-6  # log-likelihood of ours below that of arch at our backcast, relative


def series(count: int) -> dict[str, Vector]:
    """Simulated returns in per cent, ω .02, α .08, β .9."""
    rng, found = np.random.default_rng(0), {}
    for name in range(count):
        z, made, h = rng.normal(size=RETURNS), np.empty(RETURNS), 1.0
        for day in range(RETURNS):
            made[day] = z[day] * h**0.5
            h = 0.02 + 0.08 * made[day] ** 2 + 0.9 * h
        found[f"S{name}"] = made
    return found


def best(do: Callable[[], object], times: int) -> float:
    """Least seconds of several runs."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def main(*, quick: bool) -> None:
    """Measure and print the table. With `quick` 10 series instead of 100, and the best of one time."""
    from arch import arch_model

    count, times = (10, 1) if quick else (100, 3)
    data = series(count)
    names = list(data)
    plain = best(lambda: [arch_model(one).fit(disp="off") for one in data.values()], times)
    errors = best(lambda: [arch_model(one).fit(disp="off").std_err for one in data.values()], times)
    alone = best(lambda: fit_many(data), times)
    ours = fit_many(data)
    begun = time.perf_counter()
    with executors.processes(2) as executor:
        fit_many({name: data[name] for name in names[:16]}, executor=executor)
        started = time.perf_counter() - begun
        pair = best(lambda: fit_many(data, executor=executor), times)
    for name in names[:10]:
        theirs = arch_model(data[name]).fit(disp="off", backcast=ours[name].backcast)
        if ours[name].log_likelihood < theirs.loglikelihood - AGREE * abs(theirs.loglikelihood):
            raise SystemExit(f"{name}: {ours[name].log_likelihood} of ours lies below {theirs.loglikelihood}")
    print(f"### {count} GARCH(1,1) fits of {RETURNS:,} returns\n")
    print("Goal: at least 1.6 times a plain loop of arch, with 2 workers.\n")
    print("| tool | s | times the plain loop |\n| --- | --- | --- |")
    for name, seconds in (
        ("arch, plain loop", plain),
        ("arch, plain loop with errors", errors),
        ("tenorgrid, this process", alone),
        ("tenorgrid, 2 workers", pair),
    ):
        print(f"| {name} | {seconds:.2f} | {plain / seconds:.2f} |")
    print(f"\nstarting 2 workers, once: {started:.1f} s, most of it importing arch")

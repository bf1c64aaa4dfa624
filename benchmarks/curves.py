"""The curve lines: 60 overlapping contracts over three years beside a HiGHS quadratic program, and 1,000 curves of a rolling history.

The rival is given the same problem: coefficients of the same spline, the same averages as rows, the same bending as the Hessian.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a curve is too small for threads

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing import get_context
from time import perf_counter, process_time

import highspy
import numpy as np
import polars as pl
from scipy.sparse import csc_array

from benchmarks.measure import peak
from tenorgrid.curves.forward import ForwardCurve, fit_curve, fit_read
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.many import fit_curves
from tenorgrid.curves.risk.deltas import bucket_sensitivities
from tenorgrid.data.tables.curve import Quotes

AGREE = 1e-8  # USD per GPU-hour, of every hour
REPEATS = 9
SAMPLED = 25  # days of a history that the rival solves
FIRST = datetime(2027, 1, 1, tzinfo=UTC)


def quotes_of(first: datetime, *, seed: int = 7) -> pl.DataFrame:
    """60 quotes of three years from `first` on: 14 days, 6 weeks, 34 months and 6 periods across them, all told apart."""
    rng = np.random.default_rng(seed)
    spans = [(first + timedelta(i), first + timedelta(i + 1)) for i in range(14)]
    spans += [(first + timedelta(14 + 7 * i), first + timedelta(21 + 7 * i)) for i in range(6)]
    after = 12 * first.year + first.month - 1
    ends = [datetime((after + m) // 12, (after + m) % 12 + 1, 1, tzinfo=UTC) for m in range(38)]
    spans += list(pairwise(ends[3:38]))
    spans += [(first + timedelta(3 + 40 * i), first + timedelta(30 + 40 * i)) for i in range(6)]
    price = 2.4 + 0.1 * np.sin(np.arange(60)) + rng.normal(0, 0.02, 60)
    names = [f"q{i}" for i in range(60)]
    frame = pl.DataFrame({"quote_id": names, "start": [a for a, _ in spans], "end": [b for _, b in spans], "price": price})
    none = {"bid": pl.Float64, "ask": pl.Float64, "calendar": pl.String}
    return Quotes.validate(
        frame.with_columns(
            pl.lit(first).alias("as_of"), pl.lit("X").alias("index"), pl.col("quote_id").alias("contract"), pl.lit("base").alias("profile"),
            pl.lit("hourly").alias("average"), pl.lit("UTC").alias("timezone"), pl.lit("made").alias("source"),
            *(pl.lit(None, dtype=kind).alias(name) for name, kind in none.items()),
        ).select(Quotes.column_names()),
        cast=True,
    )  # fmt: skip


def rival(curve: ForwardCurve) -> tuple[Vector, float] | None:
    """Hourly forwards of HiGHS's quadratic program, and its seconds to solve; None where it gives up.

    At its best: five powers of each interval's own time, whose bending by period is the same small block for all, and value, slope and
    second derivative tied at the knots by sparse rows. (In B-splines HiGHS takes the program for a non-convex one.)
    """
    fitted, price = curve.fitted, curve.quotes["price"].to_numpy()
    half = np.diff(fitted.spline.knots) / 2
    count = half.size
    averages = fitted.weights.moments(fitted.powers * fitted.factor[:, None]).reshape(price.size, -1)
    ends = [np.array([[1, u, u**2, u**3, u**4], [0, 1, 2 * u, 3 * u**2, 4 * u**3], [0, 0, 2, 6 * u, 12 * u**2]]) for u in (1.0, -1.0)]
    ties = np.zeros((3 * (count - 1), 5 * count))
    for i in range(count - 1):
        ratio = (half[i] / half[i + 1]) ** np.arange(3.0)
        ties[3 * i : 3 * i + 3, 5 * i : 5 * i + 5] = ends[0]
        ties[3 * i : 3 * i + 3, 5 * i + 5 : 5 * i + 10] = -ends[1] * ratio[:, None]
    ties /= np.abs(ties).max(axis=1, keepdims=True)
    matrix = csc_array(np.vstack([averages, ties]))
    block = np.array([[8.0, 0.0, 16.0], [0.0, 24.0, 0.0], [16.0, 0.0, 57.6]])
    hessian = csc_array(np.tril(np.kron(np.eye(count), np.pad(block, ((2, 0), (2, 0))))))
    size, limit = 5 * count, np.concatenate([price, np.zeros(len(ties))])
    model = highspy.HighsModel()
    model.lp_.num_col_, model.lp_.num_row_ = size, limit.size
    model.lp_.col_cost_, model.lp_.col_lower_, model.lp_.col_upper_ = np.zeros(size), np.full(size, -1e30), np.full(size, 1e30)
    model.lp_.row_lower_ = model.lp_.row_upper_ = limit
    model.lp_.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.lp_.a_matrix_.start_, model.lp_.a_matrix_.index_, model.lp_.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    model.hessian_.dim_, model.hessian_.format_ = size, highspy.HessianFormat.kTriangular
    model.hessian_.start_, model.hessian_.index_, model.hessian_.value_ = hessian.indptr, hessian.indices, hessian.data
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("small_matrix_value", 1e-12)
    solver.setOptionValue("qp_regularization_value", 0.0)
    begin = perf_counter()
    solver.passModel(model)
    solver.run()
    seconds = perf_counter() - begin
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = np.array(solver.getSolution().col_value).reshape(count, 5)
    return np.einsum("hj,hj->h", fitted.powers, found[fitted.weights.interval]) * fitted.factor, seconds


def best(task: Callable[[], object]) -> tuple[float, float]:
    """Least wall and processor seconds of several goes."""
    taken = []
    for _ in range(REPEATS):
        wall, busy = perf_counter(), process_time()
        task()
        taken.append((perf_counter() - wall, process_time() - busy))
    return min(wall for wall, _ in taken), min(busy for _, busy in taken)


def history(days: int) -> pl.DataFrame:
    """60 quotes of each of so many days, contracts rolling with the day."""
    return pl.concat([quotes_of(FIRST + timedelta(day), seed=day) for day in range(days)])


def average(curve: ForwardCurve) -> float:
    """What the history keeps of a curve."""
    return float(curve.forward.mean())


def held(_: int) -> float:
    """Most memory of the worker that is asked, in MB."""
    return peak()


def main(*, quick: bool) -> None:
    """Print the lines of docs/benchmarks.md, section Curves, from a process of one thread. With `quick` a history of 50 curves."""
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "benchmarks.curves", *(["--quick"] if quick else [])], check=True)


def _lines(*, quick: bool) -> None:
    quotes = quotes_of(FIRST)
    curve = fit_curve(quotes, index="X", as_of=FIRST)
    solved = rival(curve)
    if solved is None or not (apart := float(np.abs(solved[0] - curve.forward).max())) < AGREE:
        raise SystemExit("the curves differ: no time is printed")
    print(f"### Curves\n\nHiGHS QP and tenorgrid differ by {apart:.2g} USD per GPU-hour at most")
    print("| task | wall ms | processor ms |\n| --- | --- | --- |")
    wall, busy = best(lambda: fit_curve(quotes, index="X", as_of=FIRST))
    print(f"| curve, 60 overlapping contracts, 3 years of hours, with the check of its quotes | {1e3 * wall:.1f} | {1e3 * busy:.1f} |")
    read = quotes.sort("start", "end", "quote_id")
    wall, busy = best(lambda: fit_read(read, index="X", as_of=FIRST))
    print(f"| the same from checked quotes | {1e3 * wall:.1f} | {1e3 * busy:.1f} |")
    wall, busy = best(lambda: bucket_sensitivities(fit_curve(quotes, index="X", as_of=FIRST)))
    print(f"| the same with its Jacobian and bucket sensitivities | {1e3 * wall:.1f} | {1e3 * busy:.1f} |")
    print(f"| HiGHS QP, solve alone | {1e3 * solved[1]:.1f} | |")
    _history(50 if quick else 1000)


def _history(count: int) -> None:
    quotes = history(count)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(float, range(4)))  # workers are there, as in a service that keeps them
        fit_curves(history(50), index="X", keep=average, executor=pool)
        begin = perf_counter()
        fit_curves(quotes, index="X", keep=average, executor=pool)
        seconds = perf_counter() - begin
        most = max(pool.map(held, range(8)))
    days = range(0, count, max(count // SAMPLED, 1))
    curves = (fit_curve(quotes_of(FIRST + timedelta(day), seed=day), index="X", as_of=FIRST + timedelta(day)) for day in days)
    taken = [solved[1] for curve in curves if (solved := rival(curve)) is not None]
    print(f"| {count} curves of a rolling history, 2 processes of at most {most:.0f} MB | {1e3 * seconds:.0f} | |")
    alone = 1e3 * float(np.mean(taken)) * count / 2
    print(f"| HiGHS QP, solves alone in 2 processes, from the {len(taken)} of {len(days)} days tried that it solves | {alone:.0f} | |")


if __name__ == "__main__":
    _lines(quick="--quick" in sys.argv)

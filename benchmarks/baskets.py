"""`python -m benchmarks baskets`: rolling multilateral indices, published period by period, beside textbook rivals.

A year of days of 5,000 products of which three in ten are missing on any day, in windows of 25 days that roll, each new value linked by
the mean splice. The rivals work window by window from the same arrays: the time-product-dummy by sparse normal equations of all products
and days (SciPy's direct solver), Geary-Khamis by going round between levels and reference prices until neither moves, GEKS by a loop over
pairs of days. They are given fewer days where they would take minutes; every value that both find agrees to 1e-9 relative, or the run ends
before it prints a time. Each tool runs in a process of its own.
"""

import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np
import numpy.typing as npt

from benchmarks.measure import measured, tell
from tenorgrid.data.kinds.index import IndexFormula, Splice
from tenorgrid.indices.baskets.panel import Panel
from tenorgrid.indices.baskets.splicing import extend, rolling

Matrix = npt.NDArray[np.float64]
Window = Callable[[Matrix, Matrix], Matrix]  # (days, products) prices and quantities, NaN where missing, to (days,) levels
AGREE = 1e-9
DAYS, PRODUCTS, WINDOW = 365, 5000, 25
QUICK = (60, 200, 13)
MISSING = 0.3
SETTLED = 1e-13  # Geary-Khamis goes round until levels move by less


def market(days: int, products: int) -> tuple[Matrix, Matrix]:
    """Prices that wander from levels of their own, and quantities."""
    rng = np.random.default_rng(2027)
    price = np.exp(np.cumsum(rng.normal(0, 0.01, (days, products)), axis=0) + rng.normal(0, 1, products))
    quantity = rng.lognormal(0, 1, (days, products))
    gone = rng.random((days, products)) < MISSING
    price[gone] = quantity[gone] = np.nan
    return price, quantity


def sparse_dummies(price: Matrix, quantity: Matrix) -> Matrix:
    """Weighted time-product-dummy: normal equations of every day's and every product's dummy, solved directly."""
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import spsolve

    day, product = np.nonzero(~np.isnan(price))
    paid = price[day, product] * quantity[day, product]
    weight = paid / np.bincount(day, paid)[day]
    rows = np.arange(day.size)
    dummies = csc_array(
        (np.ones(2 * day.size), (np.concatenate([rows, rows]), np.concatenate([day, len(price) + product]))),
        shape=(day.size, len(price) + price.shape[1]),
    )[:, 1:]
    seen = np.flatnonzero(dummies.sum(axis=0) > 0)
    kept = dummies[:, seen]
    scaled = kept.multiply(weight[:, None]).tocsc()
    found = spsolve((scaled.T @ kept).tocsc(), scaled.T @ np.log(price[day, product]))
    return np.exp(np.concatenate([[0.0], found[: len(price) - 1]]))


def round_and_round(price: Matrix, quantity: Matrix) -> Matrix:
    """Geary-Khamis by its two definitions in turn."""
    paid, sold = np.nan_to_num(price * quantity), np.nan_to_num(quantity)
    levels, spent = np.ones(len(price)), paid.sum(axis=1)
    while True:
        reference = (paid / levels[:, None]).sum(axis=0) / sold.sum(axis=0)
        found = spent / (sold @ reference)
        found /= found[0]
        if np.abs(found / levels - 1).max() < SETTLED:
            return found
        levels = found


def pair_by_pair(price: Matrix, quantity: Matrix) -> Matrix:
    """GEKS of Fisher indices."""
    days = len(price)
    logs = np.zeros((days, days))
    for base in range(days):
        for current in range(base):
            both = ~np.isnan(price[base]) & ~np.isnan(price[current])
            then, now, q0, q1 = price[base, both], price[current, both], quantity[base, both], quantity[current, both]
            logs[base, current] = np.log((now @ q0) / (then @ q0) * (now @ q1) / (then @ q1)) / 2
            logs[current, base] = -logs[base, current]
    through = logs.mean(axis=0)
    return np.asarray(np.exp(through - through[0]))


RIVALS: dict[IndexFormula, tuple[str, Window, int]] = {  # and how many windows they are given
    IndexFormula.TIME_PRODUCT_DUMMY: ("sparse normal equations, SciPy", sparse_dummies, 10),
    IndexFormula.GEARY_KHAMIS: ("two definitions in turn, NumPy", round_and_round, 40),
    IndexFormula.GEKS_FISHER: ("pair by pair, NumPy", pair_by_pair, 40),
}


def one(formula: IndexFormula, who: str, size: tuple[int, int, int]) -> None:
    """Measure one tool on one formula, and tell."""
    days, products, window = size
    price, quantity = market(days, products)
    name, way, windows = RIVALS[formula]
    begun = perf_counter()
    if who == "tenorgrid":
        panel = Panel(periods=tuple(range(days)), products=tuple(map(str, range(products))), price=price, quantity=quantity)
        values = rolling(panel, formula, window=window, splice=Splice.MEAN)
    else:
        last = min(days, window + windows - 1)
        values = np.concatenate([way(price[:window], quantity[:window]), np.full(last - window, np.nan)])
        for day in range(window, last):
            part = slice(day - window + 1, day + 1)
            values[day] = extend(values[:day], way(price[part], quantity[part]), splice=Splice.MEAN)
    seconds = perf_counter() - begun
    tell(tool=who if who == "tenorgrid" else name, seconds=seconds, windows=len(values) - window + 1, values=values.tolist())


def main(*, quick: bool) -> None:
    """Every formula by both, in processes of their own. With `quick` 60 days of 200 products."""
    days, products, window = QUICK if quick else (DAYS, PRODUCTS, WINDOW)
    print(f"Windows of {window} days over {days} days of {products:,} products\n")
    print("| formula | tool | windows | s | ms a window | ratio | peak MB |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for formula in RIVALS:
        told = [measured("benchmarks.baskets", formula.value, who, *map(str, (days, products, window))) for who in ("tenorgrid", "rival")]
        mine, theirs = (np.array(found["values"]) for found in told)
        apart = float(np.abs(theirs / mine[: theirs.size] - 1).max())
        if not apart <= AGREE:
            raise SystemExit(f"{formula.value}: the values differ by {apart}: no time is printed")
        each = [found["seconds"] / found["windows"] * 1000 for found in told]
        for found, cost in zip(told, each, strict=True):
            numbers = f"{found['windows']} | {found['seconds']:.2f} | {cost:.2f} | {cost / each[0]:.1f} | {found['peak']:,.0f}"
            print(f"| {formula.value} | {found['tool']} | {numbers} |")


if __name__ == "__main__":
    one(IndexFormula(sys.argv[1]), sys.argv[2], (int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))

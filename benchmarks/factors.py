"""`python -m benchmarks factors`: one likelihood of Schwartz and Smith's model, 268 rows of 5 maturities, beside a loop in numpy."""

import time

import numpy as np

from tenorgrid.curves.factors import two_factor
from tenorgrid.curves.factors.kalman import NAMES, Panel
from tenorgrid.curves.factors.two_factor import TwoFactor
from tenorgrid.curves.hours import Vector

MATURITY = np.array([1, 5, 9, 13, 17]) / 12
STEP = 7 / 365.25
VALUES = np.array([1.49, 0.286, 0.157, -0.0125, 0.0115, 0.145, 0.3, 0.042, 0.006, 0.003, 0.001, 0.004])
TIMES = 20


def by_loop(logs: Vector) -> float:
    """The textbook's recursion, a row at a time."""
    model = TwoFactor(**dict(zip(NAMES, map(float, VALUES[:7]), strict=True)))
    k, decay = model.reversion, np.exp(-model.reversion * STEP)
    both = (1 - decay) * VALUES[6] * VALUES[1] * VALUES[5] / k
    noise = np.array([[(1 - decay**2) * VALUES[1] ** 2 / (2 * k), both], [both, VALUES[5] ** 2 * STEP]])
    move, z, r = np.diag([decay, 1.0]), np.column_stack([np.exp(-k * MATURITY), np.ones(5)]), np.diag(VALUES[7:] ** 2)
    offset, drift = two_factor.constant(model, MATURITY), np.array([0.0, VALUES[3] * STEP])
    mean, cov, total = np.array([0.0, logs[0].mean()]), np.diag([VALUES[1] ** 2 / (2 * k), 1.0]), 0.0
    for row, log in enumerate(logs):
        if row:
            mean, cov = move @ mean + drift, move @ cov @ move.T + noise
        surprise, f = log - z @ mean - offset, z @ cov @ z.T + r
        total -= 0.5 * (5 * np.log(2 * np.pi) + np.linalg.slogdet(f)[1] + surprise @ np.linalg.solve(f, surprise))
        gain = np.linalg.solve(f, z @ cov).T
        mean, cov = mean + gain @ surprise, cov - gain @ z @ cov
    return float(total)


def main(*, quick: bool) -> None:
    """Measure both and print the table; the two must agree to 1e-3. With `quick` the best of 5 times instead of 20."""
    rng = np.random.default_rng(0)
    logs = 3.0 + np.cumsum(0.03 * rng.normal(size=268))[:, None] + 0.01 * rng.normal(size=(268, 5))
    panel = Panel(np.exp(logs), maturity=MATURITY, step=STEP)
    if abs(panel.likelihood(VALUES) - by_loop(logs)) > 1e-3:
        raise SystemExit("the two likelihoods differ")
    print("### One likelihood of a two-factor model\n\n| tool | ms |\n| --- | --- |")
    for name, do in (("tenorgrid, statsmodels' filter", lambda: panel.likelihood(VALUES)), ("numpy loop", lambda: by_loop(logs))):
        seconds = []
        for _ in range(5 if quick else TIMES):
            begun = time.perf_counter()
            do()
            seconds.append(time.perf_counter() - begun)
        print(f"| {name} | {1e3 * min(seconds):.2f} |")

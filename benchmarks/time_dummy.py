"""`python -m benchmarks.time_dummy [--quick] [--python PATH]`: the time-product-dummy and a hedonic regression beside their rivals.

Each tool runs in a process of its own, so that its peak memory is its own, and must find the same effect of the last period (the same
coefficient) to 1e-6, or the run ends before it prints a time. A rival that would take minutes or many gigabytes is given fewer rows; the
columns say so, and the engine does those too. `--python` is an interpreter that has pyfixest; without one that line is left out.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import tell

AGREE = 1e-6
WHOLE, PART, FEWER = (1_000_000, 5000, 365), (200_000, 2000, 150), (20_000, 300, 60)  # rows, products, periods
QUICK = (20_000, 200, 60)
TIMES = 5  # the best of
SEED = 2027
RULE = "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Panel = tuple[Codes, Codes, Vector, Vector]  # product, period, log price, weight


def panel(rows: int, products: int, periods: int) -> Panel:
    """Products and periods in no order, log prices with both effects and noise, weights."""
    rng = np.random.default_rng(SEED)
    product, period = rng.integers(0, products, rows), rng.integers(0, periods, rows)
    noise = rng.normal(0, 0.1, rows) * (1 + product % 3)
    value = rng.normal(size=products)[product] + np.cumsum(rng.normal(0, 0.01, periods))[period] + noise
    return product, period, value, rng.uniform(0.5, 2.0, rows)


def by_cells(errors: str) -> Callable[[Panel], Callable[[], tuple[float, float | None]]]:
    """Our kernel, from arrays."""

    def prepared(data: Panel) -> Callable[[], tuple[float, float | None]]:
        from tenorgrid.indices.normalisation.two_way import solve, sums

        product, period, value, weight = data
        products, periods = int(product.max()) + 1, int(period.max()) + 1

        def once() -> tuple[float, float | None]:
            found = sums(product, period, value, weight=weight, products=products, periods=periods)
            fit = solve(found, base=0, errors=errors)  # type: ignore[arg-type]
            return float(fit.period[-1]), float(np.sqrt(fit.variance[-1]))

        return once

    return prepared


def by_frame(data: Panel) -> Callable[[], tuple[float, float | None]]:
    """From a polars frame whose products are texts, with every check, to the tables."""
    import polars as pl

    from tenorgrid.indices.normalisation.time_dummy import time_dummy

    product, period, value, weight = data
    columns = {"product": np.char.add("sku-", product.astype(str)), "period": period, "price": np.exp(value), "weight": weight}
    frame = pl.DataFrame(columns)

    def once() -> tuple[float, float | None]:
        found = time_dummy(frame, product=["product"], weight="weight").periods
        return float(np.log(found["value"][-1])), float(found["se"][-1])

    return once


def by_pyfixest(data: Panel) -> Callable[[], tuple[float, float | None]]:
    """pyfixest: products absorbed, a dummy for each period, errors clustered by product."""
    import pandas as pd
    import pyfixest as pf

    product, period, value, weight = data
    frame = pd.DataFrame({"product": product, "period": period, "value": value, "weight": weight})
    name = f"C(period)[T.{int(period.max())}]"

    def once() -> tuple[float, float | None]:
        fit = pf.feols("value ~ C(period) | product", frame, weights="weight", vcov={"CRV1": "product"})
        found = fit.coef()
        key = name if name in found.index else str(found.index[-1])
        return float(found[key]), float(fit.se()[key])

    return once


def by_lsqr(data: Panel) -> Callable[[], tuple[float, float | None]]:
    """SciPy's LSQR on the sparse dummies: no errors."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import lsqr

    product, period, value, weight = data
    products, periods = int(product.max()) + 1, int(period.max()) + 1

    def once() -> tuple[float, float | None]:
        root, there = np.sqrt(weight), period > 0
        at = np.arange(product.size)
        rows = np.concatenate([at, at[there]])
        columns = np.concatenate([product, products + period[there] - 1])
        matrix = csr_array((np.concatenate([root, root[there]]), (rows, columns)), shape=(product.size, products + periods - 1))
        found = lsqr(matrix, root * value, atol=1e-13, btol=1e-13, iter_lim=2000)[0]
        return float(found[-1]), None

    return once


def by_statsmodels(data: Panel) -> Callable[[], tuple[float, float | None]]:
    """statsmodels' WLS on dense dummies, errors clustered by product."""
    import statsmodels.api as sm

    product, period, value, weight = data

    def once() -> tuple[float, float | None]:
        one, other = np.eye(product.max() + 1)[product], np.eye(period.max() + 1)[period][:, 1:]
        fit = sm.WLS(value, np.hstack([one, other]), weights=weight).fit(cov_type="cluster", cov_kwds={"groups": product})
        return float(fit.params[-1]), float(fit.bse[-1])

    return once


def hedonic_rows(data: Panel) -> dict[str, Any]:
    """The same rows as offers: sizes, networks, regions and reliability whose worth is known."""
    rng = np.random.default_rng(SEED + 1)
    product, period, value, _ = data
    rows = product.size
    size, region, up = 2.0 ** rng.integers(0, 4, rows), rng.integers(0, 30, rows), rng.integers(90, 100, rows) / 100
    price = np.exp(0.1 * value - 0.05 * np.log(size) + 0.01 * region + 0.8 * up)
    return {"gpu_count": size, "region": region, "reliability": up, "period": period % 30, "price": price}


def hedonic_by_cells(data: Panel) -> Callable[[], tuple[float, float | None]]:
    """Our hedonic fit, with every check: sizes, thirty regions, reliability and thirty days; robust errors."""
    import polars as pl

    from tenorgrid.indices.normalisation.characteristics import Characteristic, Model
    from tenorgrid.indices.normalisation.hedonic import fit_hedonic

    columns = hedonic_rows(data)
    region = pl.format("r{}", pl.col("region").cast(pl.String).str.zfill(2))
    when = pl.datetime(2027, 1, 1, time_zone="UTC") + pl.duration(days="period")
    rows = pl.DataFrame(columns).with_row_index("observation_id")
    frame = rows.with_columns(pl.col("observation_id").cast(pl.String), time=when, region=region).drop("period")
    size, up = Characteristic(column="gpu_count", form="log"), Characteristic(column="reliability", form="level")
    model = Model(name="bench", source="-", characteristics=(size, up, Characteristic(column="region", form="category")))

    def once() -> tuple[float, float | None]:
        row = fit_hedonic(frame, model).coefficients.row(0, named=True)
        return float(row["coefficient"]), float(row["se"])

    return once


def hedonic_by_statsmodels(data: Panel) -> Callable[[], tuple[float, float | None]]:
    """statsmodels' OLS on the same dense columns, errors HC1."""
    import statsmodels.api as sm

    columns = hedonic_rows(data)

    def once() -> tuple[float, float | None]:
        parts = [np.log(columns["gpu_count"])[:, None], columns["reliability"][:, None]]
        parts += [np.eye(30)[columns["region"]][:, 1:], np.eye(30)[columns["period"]]]
        fit = sm.OLS(np.log(columns["price"]), np.hstack(parts)).fit(cov_type="HC1")
        return float(fit.params[0]), float(fit.bse[0])

    return once


TOOLS: Mapping[str, tuple[str, Callable[[Panel], Callable[[], tuple[float, float | None]]]]] = {
    "classical": ("tenorgrid, arrays, classical errors", by_cells("classical")),
    "cluster": ("tenorgrid, arrays, cluster errors", by_cells("cluster")),
    "robust": ("tenorgrid, arrays, robust errors", by_cells("robust")),
    "frame": ("tenorgrid, frame of texts, cluster errors", by_frame),
    "pyfixest": ("pyfixest, cluster errors", by_pyfixest),
    "lsqr": ("SciPy LSQR, no errors", by_lsqr),
    "statsmodels": ("statsmodels WLS, cluster errors", by_statsmodels),
    "hedonic": ("tenorgrid, hedonic by cells, HC1", hedonic_by_cells),
    "hedonic-statsmodels": ("statsmodels OLS, HC1", hedonic_by_statsmodels),
}
DUMMY = {"classical": WHOLE, "cluster": WHOLE, "robust": WHOLE, "frame": WHOLE, "pyfixest": PART, "lsqr": PART, "statsmodels": FEWER}
HEDONIC = {"hedonic": WHOLE, "hedonic-statsmodels": PART}
SLOW = {"pyfixest": 2, "lsqr": 1, "statsmodels": 1, "hedonic-statsmodels": 1}  # runs; pyfixest compiles in its first


def main() -> None:
    """One tool where it is named, else the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_dummy", description=__doc__)
    parser.add_argument("--tool", choices=tuple(TOOLS))
    parser.add_argument("--size", type=int, nargs=3, default=WHOLE, metavar=("ROWS", "PRODUCTS", "PERIODS"))
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]:,} rows")
    parser.add_argument("--python", type=Path, help="an interpreter that has pyfixest")
    chosen = parser.parse_args()
    if chosen.tool:
        _one(chosen.tool, tuple(chosen.size))
        return
    print(f"{os.cpu_count()} cores; synthetic panels; best of {TIMES} runs, of slow rivals fewer\n")
    for title, sizes, ours in (("Time-product-dummy", DUMMY, "cluster"), ("Hedonic regression", HEDONIC, "hedonic")):
        _lines(title, {name: QUICK if chosen.quick else size for name, size in sizes.items()}, ours, chosen.python)


def _one(tool: str, size: tuple[int, ...]) -> None:
    """Time one tool in this process and tell."""
    once = TOOLS[tool][1](panel(*size))
    seconds, processor = [], []
    found: tuple[float, float | None] = (float("nan"), None)
    for _ in range(SLOW.get(tool, TIMES)):
        begun, busy = perf_counter(), process_time()
        found = once()
        seconds.append(perf_counter() - begun)
        processor.append(process_time() - busy)
    tell(seconds=min(seconds), processor=min(processor), first=seconds[0], value=found[0], se=found[1])


def _lines(title: str, sizes: Mapping[str, tuple[int, int, int]], ours: str, other: Path | None) -> None:
    told: dict[str, dict[str, Any]] = {}
    own: dict[tuple[int, int, int], dict[str, Any]] = {}
    for size in dict.fromkeys(sizes.values()):
        own[size] = _measured(ours, size, None)
    for tool, size in sizes.items():
        if tool == "pyfixest" and other is None:
            continue
        told[tool] = own[size] if tool == ours else _measured(tool, size, other if tool == "pyfixest" else None)
        if not abs(told[tool]["value"] - own[size]["value"]) <= AGREE:
            raise SystemExit(f"{tool} found {told[tool]['value']!r}, tenorgrid {own[size]['value']!r}: no time is printed")
    print(f"### {title}\n\n| tool | rows | s | processor s | first run s | peak MB | ratio |\n{RULE}")
    for tool, found in told.items():
        ratio = found["processor"] / own[sizes[tool]]["processor"]
        name, rows = TOOLS[tool][0], sizes[tool][0]
        times = " | ".join(f"{found[part]:.3f}" for part in ("seconds", "processor", "first"))
        print(f"| {name} | {rows:,} | {times} | {found['peak']:,.0f} | {ratio:.1f} |")
    print(f"\nratio: processor time, at the same rows. All agree to {AGREE:g} in the logarithm.\n")


def _measured(tool: str, size: tuple[int, int, int], python: Path | None) -> dict[str, Any]:
    words = [str(python or sys.executable), "-m", "benchmarks.time_dummy", "--tool", tool, "--size", *map(str, size)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()

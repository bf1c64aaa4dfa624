"""Availability and recall correlation from runs: against expansion second by second, other libraries, and processes that are known."""

import csv
import gzip
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.availability import availability_table, panel, panels, pool_table, recall_correlation
from tenorgrid.clearing.pooling import equal_pool, largest_sale
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.traces import read_traces
from tenorgrid.data.tables.tiering import Availability, Pools

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TRACES = SHARED / "spot_availability_traces_rle.csv.gz"
COLUMNS = ["pool", "supplier", "begin", "end", "listed", "present"]


def runs(rows: list[tuple[str, float, float, float, float]]) -> pl.DataFrame:
    """Runs of the pool p from supplier, begin, end, listed and present."""
    return pl.DataFrame([("p", *row) for row in rows], schema=COLUMNS, orient="row")


def encoded(there: np.ndarray, *, listed: np.ndarray, seconds: float = 3600.0) -> pl.DataFrame:
    """Runs of a matrix of presence (steps, suppliers), run-length encoded."""
    rows = []
    for member in range(there.shape[1]):
        column = there[:, member]
        cuts = np.r_[0, np.flatnonzero(np.diff(column)) + 1, column.size]
        size = float(listed[member])
        rows += [(f"s{member:02d}", cut * seconds, end * seconds, size, float(column[cut]) * size) for cut, end in pairwise(cuts)]
    return runs(rows)


def chains(rng: np.random.Generator, *, steps: int, suppliers: int, common: float = 0.0) -> np.ndarray:
    """Suppliers in or out by Markov chains (up 30 steps, down 6, on average); a common chain takes all with it for `common` of the time."""
    found = np.ones((steps, suppliers), dtype=bool)
    state, shut = rng.random(suppliers) < 30 / 36, False
    for step in range(steps):
        flips = rng.random(suppliers)
        state = np.where(state, flips > 1 / 30, flips < 1 / 6)
        if common:
            shut = rng.random() > 1 / 6 if shut else rng.random() < common / (1 - common) / 6
        found[step] = state & (not shut)
    return found.astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_a_record_is_what_it_is_second_by_second(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for name in "abc":
        cuts = np.r_[0, np.sort(rng.choice(np.arange(1, 400), 12, replace=False)), 400]
        drop = int(rng.integers(1, 11))  # a hole in the record
        rows += [
            (name, float(cut), float(end), 3.0, float(rng.integers(0, 4)))
            for number, (cut, end) in enumerate(pairwise(cuts))
            if number != drop
        ]
    expanded: dict[str, dict[int, float]] = defaultdict(dict)
    for name, begin, end, _, present in rows:
        expanded[name] |= dict.fromkeys(range(int(begin), int(end)), present)
    common = sorted(set.intersection(*(set(by) for by in expanded.values())))
    found = panel(runs(rows), pool="p")
    assert found.hours.sum() * 3600 == pytest.approx(len(common), abs=1e-9)
    means = [np.mean([expanded[name][second] for second in common]) / 3 for name in "abc"]
    assert found.availability == pytest.approx(means, abs=1e-12)
    share = np.array([sum(expanded[name][second] for name in "abc") for second in common]) / 9
    assert float(found.weight @ found.share) == pytest.approx(share.mean(), abs=1e-12)
    sold = largest_sale(0.2, share, np.full(share.size, 1 / share.size))
    assert largest_sale(0.2, found.share, found.weight) == pytest.approx(sold, abs=1e-12)


def test_correlation_is_the_mean_of_pairs_where_suppliers_are_alike() -> None:
    there = chains(np.random.default_rng(3), steps=3000, suppliers=4, common=0.05)
    found, error = recall_correlation(panel(encoded(there, listed=np.ones(4)), pool="p"))
    covariance, spread = np.cov(there.T, ddof=0), there.std(axis=0)
    pairs = ~np.eye(4, dtype=bool)
    assert found == pytest.approx(covariance[pairs].sum() / np.outer(spread, spread)[pairs].sum(), abs=1e-12)
    assert error is not None
    assert 0.01 < error < 0.15


def test_the_variance_of_the_share_is_that_of_its_parts_and_their_correlation() -> None:
    there = chains(np.random.default_rng(8), steps=2000, suppliers=5, common=0.04)
    listed = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    record = panel(encoded(there, listed=listed), pool="p")
    moments = pool_table(record).row(0, named=True)
    part, spread = listed / listed.sum(), there.std(axis=0)
    own = float((part**2) @ spread**2)
    cross = float((part @ spread) ** 2 - (part**2) @ spread**2)
    assert moments["deviation"] ** 2 == pytest.approx(own + moments["correlation"] * cross, abs=1e-12)
    assert moments["herfindahl"] == pytest.approx(float(part @ part), abs=1e-12)


@pytest.mark.slow
def test_availability_and_correlation_of_a_known_process_lie_within_their_errors() -> None:
    """a = 5/6 (1 − .05); two suppliers are both in with probability (5/6)² .95. Coverage over 25 records of 4,000 hours."""
    a = 5 / 6 * 0.95
    rho = (0.95 * (5 / 6) ** 2 - a**2) / (a * (1 - a))
    rng = np.random.default_rng(0)
    held, inside = 0, 0
    for _ in range(25):
        record = panel(encoded(chains(rng, steps=4000, suppliers=4, common=0.05), listed=np.ones(4)), pool="p")
        moments = pool_table(record).row(0, named=True)
        held += int(((availability_table(record)["lower"] <= a) & (availability_table(record)["upper"] >= a)).sum())
        inside += abs(moments["correlation"] - rho) <= 2.1 * moments["correlation_error"]
    assert 0.86 <= held / 100 <= 1.0
    assert inside / 25 >= 0.8


def test_what_a_supplier_lists_may_change_over_time() -> None:
    record = panel(runs([("a", 0, 3600, 10, 10), ("a", 3600, 7200, 30, 15), ("b", 0, 3600, 10, 0), ("b", 3600, 7200, 0, 0)]), pool="p")
    assert record.share == pytest.approx([0.5, 0.5])
    assert record.weight == pytest.approx([0.4, 0.6])  # 20 and 30 hours were listed
    assert record.availability == pytest.approx([25 / 40, 0.0])
    assert record.inventory == pytest.approx([20.0, 5.0])


def test_a_part_of_a_record_is_cut_inside_its_runs() -> None:
    record = panel(runs([("a", 0, 36000, 2, 2), ("b", 0, 18000, 2, 0), ("b", 18000, 36000, 2, 2)]), pool="p")
    part = record.between(4.0, 7.0)
    assert part.hours == pytest.approx([1.0, 2.0])
    assert part.share == pytest.approx([0.5, 1.0])
    with pytest.raises(InputError, match="hour 10 to 12"):
        record.between(10.0, 12.0)


def test_recalls_are_counted_with_the_hours_between_them() -> None:
    there = np.array([[1, 1, 0, 0, 1, 1, 1, 0, 1, 1], [1] * 10]).T.astype(float)
    found = availability_table(panel(encoded(there, listed=np.ones(2)), pool="p")).rows(named=True)
    assert [row["recalls"] for row in found] == [2, 0]
    assert (found[0]["hours_present"], found[0]["hours_absent"]) == pytest.approx((3.5, 1.5))
    assert (found[1]["hours_present"], found[1]["standard_error"]) == (None, None)


def test_suppliers_that_share_no_time_are_refused() -> None:
    with pytest.raises(InputError, match="every supplier of the pool p"):
        panel(runs([("a", 0, 10, 1, 1), ("b", 10, 20, 1, 1)]), pool="p")


def test_one_supplier_has_no_correlation_and_two_constant_ones_neither() -> None:
    alone = pool_table(panel(runs([("a", 0, 3600, 1, 1), ("a", 3600, 7200, 1, 0)]), pool="p")).row(0, named=True)
    assert (alone["correlation"], alone["formula"], alone["deviation"]) == (None, None, 0.5)
    steady = panel(runs([("a", 0, 3600, 1, 1), ("b", 0, 3600, 1, 1)]), pool="p")
    assert recall_correlation(steady) == (None, None)


def test_the_formula_nears_what_equal_suppliers_show() -> None:
    share, weight = equal_pool(6, availability=0.8, correlation=0.2)
    rng = np.random.default_rng(1)
    counts = rng.choice(7, size=4000, p=weight / weight.sum())
    there = np.array([rng.permutation(np.r_[np.ones(count), np.zeros(6 - count)]) for count in counts])
    moments = pool_table(panel(encoded(there, listed=np.ones(6)), pool="p")).row(0, named=True)
    assert moments["correlation"] == pytest.approx(0.2, abs=0.03)
    assert moments["formula"] == pytest.approx(moments["deviation"], rel=0.01)
    assert moments["deviation"] == pytest.approx(float(np.sqrt(weight @ (share - 0.8) ** 2)), rel=0.05)


@pytest.mark.skipif(not TRACES.is_file(), reason="the spot traces that were handed over are not here")
def test_real_traces_have_the_availability_that_their_summary_says() -> None:
    with (SHARED / "spot_availability_traces_summary.csv").open() as file:
        published = {
            (row["dataset"], row["kind"], row["zone_type"]): (float(row["frac_available"]), int(row["n_changes"]))
            for row in csv.DictReader(file)
        }
    with gzip.open(TRACES, "rt") as file:
        keys = {(row["zone_instance"], row["dataset"], row["kind"]) for row in csv.DictReader(file)}
    assert len(keys) == len(published) == 34
    compared = 0
    for record in panels(read_traces(TRACES)):
        table = Availability.validate(availability_table(record))
        Pools.validate(pool_table(record))
        whole = record.hours.sum() == pytest.approx(record.span, abs=1e-6)  # zones of unequal length are used where all are recorded
        for row in table.iter_rows(named=True):
            (found,) = [
                value for (dataset, kind, zone), value in published.items()
                if zone == row["supplier"] and dataset in record.pool and kind.replace("/", " ") in record.pool
            ]  # fmt: skip
            if whole:
                assert row["availability"] == pytest.approx(found[0], abs=1e-9)
                compared += 1
    assert compared >= 28

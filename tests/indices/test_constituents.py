"""What each contributor brought to each mark. The observations here are made up."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.indices.calculation import Calculation, calculate
from tenorgrid.indices.constituents import constituents
from tenorgrid.indices.methodology import load

SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
DAY = date(2027, 1, 5)
INDEX = "H100-SXM.US.FIRM"
NAMES = ("nimbus", "cirrus", "stratus", "cumulus", "altus")


def trades(seed: int = 0, *, count: int = 60) -> pl.DataFrame:
    """A day of trades, of which nimbus makes most."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "observation_id": f"t{number:03}",
            "time": datetime(2027, 1, 5, 5, tzinfo=UTC) + timedelta(minutes=float(rng.uniform(0, 1440))),
            "provider": NAMES[min(int(rng.exponential(1.2)), 4)],
            "resource": "h100-sxm",
            "region": "us-east",
            "tier": "firm",
            "kind": "trade",
            "price": round(float(rng.uniform(2, 3)), 3),
            "quantity": round(float(rng.lognormal(3, 1)), 2),
        }
        for number in range(count)
    ]
    return pl.DataFrame(rows)


def made(observations: pl.DataFrame, methodology: Path | str = "house") -> Calculation:
    return calculate(observations, methodology=load(methodology), first=DAY, end=DAY + timedelta(1), indices=[INDEX])


def changed(folder: Path, *, cap: float | None, partitions: bool) -> Path:
    """The house rule with another cap on contributors to trades, or none, and perhaps in one partition."""
    lines = (SHIPPED / "house.toml").read_text().splitlines()
    kept = [line for line in lines if partitions or not line.startswith("partitions")]
    kept = [f"cap = {cap}" if line.startswith("cap") else line for line in kept if cap is not None or not line.startswith("cap")]
    path = folder / "changed.toml"
    path.write_text("\n".join(kept))
    return path


@pytest.mark.parametrize("seed", range(5))
def test_shares_of_partitions_agree_with_plain_sums(seed: int, tmp_path: Path) -> None:
    observations = trades(seed)
    calculation = made(observations, changed(tmp_path, cap=None, partitions=True))
    found = constituents(calculation)
    (level,) = found["level"].unique()
    opens, length = load("house").opens(DAY), timedelta(hours={"traded": 2, "traded, thin": 6}[level])
    volume: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in observations.iter_rows(named=True):
        volume[(row["time"] - opens) // length][row["provider"]] += row["quantity"]
    plainly: dict[str, float] = defaultdict(float)
    for parts in volume.values():
        for name, sold in parts.items():
            plainly[name] += sold / sum(parts.values()) / len(volume)
    assert dict(found.select("provider", "share").iter_rows()) == pytest.approx(plainly, rel=1e-12)
    assert found["observations"].sum() == observations.height


@pytest.mark.parametrize("cap", [0.25, 0.3])
def test_nobody_is_above_the_cap_and_all_shares_make_one(cap: float, tmp_path: Path) -> None:
    found = constituents(made(trades(3), changed(tmp_path, cap=cap, partitions=False)))
    assert found["share"].sum() == pytest.approx(1, abs=1e-12)
    assert found["share"].max() == pytest.approx(cap, abs=1e-12)


def test_a_partition_with_too_few_for_its_cap_has_no_part_in_the_shares() -> None:
    """Four contributors in each of two parts of the day, one in a third: under a cap of 30 % only the two make a value."""
    start = load("house").opens(DAY)
    hours = [0, 0, 0, 0, 7, 7, 7, 7, 13]
    rows = (
        trades()
        .head(9)
        .with_columns(
            time=pl.Series([start + timedelta(hours=hour, minutes=number) for number, hour in enumerate(hours)]),
            provider=pl.Series([*NAMES[:4], *NAMES[:4], NAMES[4]]),
            quantity=pl.Series([1.0, 1.0, 1.0, 97.0, 1.0, 1.0, 1.0, 1.0, 500.0]),
        )
    )
    found = constituents(made(rows))
    assert set(found["level"]) == {"traded, thin"}
    first = dict.fromkeys(NAMES[:3], 0.7 / 3) | {NAMES[3]: 0.3}  # the large one at its cap, the others in proportion
    assert dict(found.select("provider", "share").iter_rows()) == pytest.approx(
        {name: (first[name] + 0.25) / 2 for name in NAMES[:4]} | {NAMES[4]: 0.0}, abs=1e-12
    )


def test_a_price_of_its_own_is_the_contributors_weighted_median(tmp_path: Path) -> None:
    rows = trades().head(3).with_columns(provider=pl.lit("nimbus"), price=pl.Series([2.0, 2.5, 9.0]), quantity=pl.Series([1.0, 5.0, 3.0]))
    found = constituents(made(rows, changed(tmp_path, cap=None, partitions=False)))
    assert set(found.select("provider", "price", "share").rows()) == {("nimbus", 2.5, 1.0)}


def test_a_mark_that_was_withheld_tells_what_was_tried() -> None:
    quote = trades().head(1).with_columns(kind=pl.lit("firm quote"), quantity=pl.lit(None, dtype=pl.Float64))
    calculation = made(quote)
    assert calculation.marks["status"].to_list() == ["withheld"]
    assert constituents(calculation).select("provider", "level", "observations", "share").rows() == [
        (quote["provider"][0], level, 1, 1.0) for level in ("firm quotes", "firm quotes, few")
    ]


def test_the_order_of_rows_changes_nothing_and_no_rows_give_none() -> None:
    observations = trades(2)
    assert constituents(made(observations)).equals(constituents(made(observations.reverse())))
    assert constituents(made(observations.clear())).is_empty()

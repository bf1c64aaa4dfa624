"""The hedge study in the hand of a desk and on the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app

DAYS = 90


def marks(*, quantities: bool = True, days: int = DAYS) -> pl.DataFrame:
    """Marks of EAST and WEST, which share a factor, of their chip, and of another thing."""
    rng = np.random.default_rng(4)
    shared = np.cumsum(rng.normal(size=days)) * 0.1 + 10
    own = {name: shared + np.cumsum(rng.normal(size=days)) * size for name, size in (("EAST", 0.03), ("WEST", 0.05), ("CHIP", 0.02))}
    own["OTHER"] = np.cumsum(rng.normal(size=days)) * 0.1 + 10
    start = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(days)]
    ends = pl.Series(start) + timedelta(days=1)
    frames = [
        pl.DataFrame(
            {
                "index": name, "methodology": "house", "start": start, "end": ends, "published_at": ends, "revision": 0, "value": values,
                "unit": "USD/GPUh", "quantity": 5.0 + np.arange(days) % 4 if quantities else None, "status": "published", "method_hash": "",
            }
        )
        for name, values in own.items()
    ]  # fmt: skip
    return pl.concat(frames, how="vertical_relaxed").with_columns(pl.col("quantity").cast(pl.Float64))


ITEMS = {"fleet": "EAST+WEST"}
CONTRACTS = {"narrow": "CHIP", "other": "OTHER", "own": "EAST,WEST", "sum": "EAST+WEST"}


def test_its_own_indices_remove_all_of_a_fleet_s_price_risk_and_none_of_its_volume() -> None:
    made = tg.hedge_study(marks(), items=ITEMS, contracts=CONTRACTS, horizons=[1, 5], draws=200)
    fixed = made.study.filter(pl.col("volume").cast(pl.String) == "fixed", pl.col("horizon") == 1)
    removed = dict(fixed.select("contract", "removed").iter_rows())
    assert removed["own"] == pytest.approx(1, abs=1e-12)
    assert removed["sum"] == pytest.approx(1, abs=1e-12)
    assert 0.3 < removed["narrow"] < 0.9
    assert abs(removed["other"]) < 0.15
    served = made.study.filter(pl.col("volume").cast(pl.String) == "served")
    assert (served["removed"] < 0.2).all()
    bought = made.ratios.filter(pl.col("contract") == "own", pl.col("volume").cast(pl.String) == "fixed")["ratio"]
    assert bought.to_numpy() == pytest.approx(np.full(4, 6.5), rel=1e-9)
    assert made.study.filter(pl.col("contract") == "narrow")["better"].is_null().all()
    assert (fixed.filter(pl.col("contract") == "own")["better"] == 1).all()


def test_costs_are_work_times_price_and_weights_come_from_the_first_days() -> None:
    table = marks()
    later = table.with_columns(
        quantity=pl.when(pl.col("start") >= datetime(2027, 3, 2, tzinfo=UTC)).then(pl.col("quantity") * 9).otherwise(pl.col("quantity"))
    )
    one, other = (tg.hedge_study(frame, items=ITEMS, contracts=CONTRACTS, horizons=[1], draws=100) for frame in (table, later))
    fixed = pl.col("volume").cast(pl.String) == "fixed"
    assert one.study.filter(fixed).equals(other.study.filter(fixed))
    assert one.weights.equals(other.weights)
    east, west = (table.filter(index=name).sort("start") for name in ("EAST", "WEST"))
    cost = east["value"] * east["quantity"] + west["value"] * west["quantity"]
    assert one.days.filter(name="fleet", volume="served").sort("day")["value"].to_numpy() == pytest.approx(cost.to_numpy(), rel=1e-12)


def test_the_same_seed_gives_the_same_study_and_quotes_have_no_served_volume() -> None:
    table = marks(quantities=False)
    one, other = (tg.hedge_study(table, items={"east": "EAST"}, contracts={"narrow": "CHIP"}, draws=100) for _ in range(2))
    assert one.study.equals(other.study)
    assert one.study["volume"].cast(pl.String).unique().to_list() == ["fixed"]


def test_unknown_indices_gaps_and_missing_quantities_are_refused_together() -> None:
    table = marks()
    with pytest.raises(tg.InputError, match="NOBODY") as refused:
        tg.hedge_study(table, items={"fleet": "EAST+NOBODY"}, contracts={"narrow": "NOTHING"})
    assert len(refused.value.faults) == 2
    gap = table.filter((pl.col("index") != "CHIP") | (pl.col("start") != datetime(2027, 1, 9, tzinfo=UTC)))
    with pytest.raises(tg.InputError, match="CHIP on 2027-01-09"):
        tg.hedge_study(gap, items=ITEMS, contracts={"narrow": "CHIP"})
    with pytest.raises(tg.InputError, match="weigh indices joined"):
        tg.hedge_study(marks(quantities=False), items=ITEMS, contracts={"narrow": "CHIP"})
    with pytest.raises(tg.InputError, match="no ratios of its own"):
        tg.hedge_study(table, items={"fleet": "EAST,WEST"}, contracts={"narrow": "CHIP"})
    with pytest.raises(tg.InputError, match="names of their own"):
        tg.hedge_study(table, items={"CHIP": "EAST"}, contracts={"narrow": "CHIP"})
    with pytest.raises(tg.InputError, match="at least 10 changes"):
        tg.hedge_study(table, items=ITEMS, contracts={"narrow": "CHIP"}, first=0.95)
    with pytest.raises(tg.InputError, match="between 0 and 1"):
        tg.hedge_study(table, items=ITEMS, contracts={"narrow": "CHIP"}, first=1.0)
    still = table.with_columns(value=pl.when(pl.col("index") == "CHIP").then(2.0).otherwise(pl.col("value")))
    with pytest.raises(tg.InputError, match="narrow"):
        tg.hedge_study(still, items=ITEMS, contracts={"narrow": "CHIP"})


def test_the_command_writes_tables_and_a_page(tmp_path: Path) -> None:
    source = tmp_path / "marks.parquet"
    marks().write_parquet(source)
    asked = ["hedge-study", str(source), "--draws", "200", "--item", "fleet=EAST+WEST", "--contract", "narrow=CHIP", "--contract"]
    done = CliRunner().invoke(app, [*asked, "own=EAST,WEST", "--horizon", "2", "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    made = tg.hedge_study(source, items=ITEMS, contracts={"narrow": "CHIP", "own": "EAST,WEST"}, horizons=[2], draws=200)
    assert [row["removed"] for row in json.loads(done.stdout)["study"]] == made.study["removed"].to_list()
    page = (tmp_path / "out" / "hedging.html").read_text()
    for name in ("removed-fixed-2", "removed-served-2", "through-time"):
        assert f'<figure id="{name}">' in page
    said = CliRunner().invoke(app, [*asked, "own=EAST,WEST", "--out", str(tmp_path / "two")])
    assert "fleet, own: 100% (100% to 100%)" in said.output


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--item", "a=EAST"], "both or neither"),
        ([], "only a run folder"),
        (["--item", "EAST", "--contract", "b=CHIP"], "NAME=INDEX"),
        (["--item", "a=EAST", "--contract", "b=CHIP", "--contract", "b=OTHER"], "each name once"),
    ],
)
def test_options_that_make_no_study_are_wrong_usage(asked: list[str], told: str, tmp_path: Path) -> None:
    source = tmp_path / "marks.parquet"
    marks().write_parquet(source)
    done = CliRunner().invoke(app, ["hedge-study", str(source), *asked, "--out", str(tmp_path / "out")], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert told in done.output

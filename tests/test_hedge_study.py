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


def test_a_market_is_asked_of_its_own_fleets_and_what_has_no_marks_is_left_out() -> None:
    from tenorgrid.hedging_desk import of_case

    case = tg.read_case(Path(__file__).parents[1] / "data" / "sample" / "three-days")
    names = ["H100-SXM.US.FIRM", "H100-SXM.GLOBAL.FIRM", "B200-SXM.GLOBAL.FIRM", "H100-SXM.US-EAST.FIRM"]
    work = [
        "LLAMA2-70B-DECODE.GLOBAL.FIRM",
        "LLAMA2-70B-DECODE.US-EAST.FIRM",
        "LLAMA-7B-DECODE.US-EAST.FIRM",
        "LLAMA3.1-8B-RL.US-WEST.FIRM",
    ]
    items, contracts = of_case(case, pl.DataFrame({"index": names + work, "value": 1.0}))
    assert items == {
        "decode at us-east": "LLAMA-7B-DECODE.US-EAST.FIRM+LLAMA2-70B-DECODE.US-EAST.FIRM",
        "decode at all homes": "LLAMA-7B-DECODE.US-EAST.FIRM+LLAMA2-70B-DECODE.US-EAST.FIRM",
        "training at us-west": "LLAMA3.1-8B-RL.US-WEST.FIRM",
        "training at all homes": "LLAMA3.1-8B-RL.US-WEST.FIRM",
    }
    assert contracts == {
        "narrow": "H100-SXM.US.FIRM", "basket": "B200-SXM.GLOBAL.FIRM+H100-SXM.GLOBAL.FIRM", "at homes": "H100-SXM.US-EAST.FIRM",
        "token": "LLAMA2-70B-DECODE.GLOBAL.FIRM", "workload decode": "LLAMA2-70B-DECODE.GLOBAL.FIRM",
    }  # fmt: skip
    with pytest.raises(tg.InputError, match="give --item and --contract"):
        of_case(case, pl.DataFrame({"index": names, "value": 1.0}))


LIVE = Path(__file__).parents[2] / "shared" / "data" / "gpu_prices_2hourly_vast_runpod_lambda.csv.gz"
LISTED = LIVE.with_name("gpu_prices_daily_multiprovider.csv.gz")


@pytest.mark.slow
@pytest.mark.skipif(not (LIVE.exists() and LISTED.exists()), reason="the price files of two publishers are not on this machine")
def test_an_index_of_list_prices_hedges_nothing_of_a_live_market_s_h100() -> None:
    """Vast.ai's H100 of 49 days by one publisher against the house mark of another's list prices: the interval ends below 62 %."""
    index = "H100-SXM.GLOBAL.FIRM"
    listed = tg.mark(tg.read_observations(LISTED), method="house").marks.filter(pl.col("index") == index)
    live = pl.read_csv(LIVE, try_parse_dates=True).filter(pl.col("provider") == "Vast.ai", pl.col("gpu") == "H100")
    daily = live.group_by(pl.col("timestamp").dt.date().alias("day")).agg(value=pl.col("median_price_hr").mean())
    shared = listed.with_columns(day=pl.col("start").dt.date()).join(daily, on="day", suffix="_live")
    own = shared.with_columns(index=pl.lit("VAST"), value=pl.col("value_live")).select(listed.columns)
    made = tg.hedge_study(
        pl.concat([own, shared.select(listed.columns)]), items={"live": "VAST"}, contracts={"listed": index}, first=0.5, horizons=[1, 7]
    )
    assert made.days.filter(name="live").height == 49
    assert (made.study["upper"] < 0.3).all()
    assert made.study["removed"].to_numpy() == pytest.approx([-0.095, -0.218], abs=5e-3)

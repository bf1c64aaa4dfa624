"""Attacks on marks: what each methodology keeps, what it does not, and that the machinery counts right."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.attacks.catalog import ATTACKS, Attack
from tenorgrid.indices.attacks.example import example_market
from tenorgrid.indices.attacks.scene import Planted, Scene, scene_of
from tenorgrid.indices.attacks.stress import Stress, stress
from tenorgrid.indices.attacks.struck import outcomes
from tenorgrid.indices.attacks.targets import attacked, within
from tenorgrid.indices.attacks.volume import volume_for
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.methodology import load

Observe = Callable[..., pl.DataFrame]
HOUSE = Path(__file__).parents[2] / "indices" / "methodologies" / "house.toml"
DAY = date(2027, 1, 5)
NOON = datetime(2027, 1, 5, 17, tzinfo=UTC)
GLOBAL = "H100-SXM.GLOBAL.FIRM"
OF_THREE = ("contributors = 4", "contributors = 3")
QUOTED = 'name = "firm quotes"'


@pytest.fixture(scope="module")
def market() -> pl.DataFrame:
    return example_market()


@pytest.fixture(scope="module")
def run(market: pl.DataFrame) -> Stress:
    """The house on trades, on many lists and on three; two methodologies of trades."""
    return stress(market, methodologies=["house", "ornn-like", "brr-like"])


def moved(run: Stress, methodology: str, attack: str, index: str = GLOBAL) -> pl.DataFrame:
    return run.moves.filter(methodology=methodology, attack=attack, index=index).sort("size")


def of_three(observe: Observe, prices: tuple[float, float, float] = (0.9, 1.0, 1.1)) -> pl.DataFrame:
    return observe(*({"provider": name, "price": price} for name, price in zip("abc", prices, strict=True)))


def named(name: str) -> Attack:
    return next(one for one in ATTACKS if one.name == name)


def scene(observations: pl.DataFrame, methodology: str | Path, index: str = GLOBAL, day: date = DAY) -> Scene:
    made = attacked(observations, load(methodology), [index], day)
    start = made.decided.filter(pl.col("level").is_not_null())["start"][-1]
    return scene_of(made, index, start, within(observations, made))


# Known answers


def test_an_ask_at_a_hundred_times_the_market_beside_three_lists_stays_within_the_others(observe: Observe) -> None:
    """Provider a shows 0.9 and 100: its vote is 50.45, the median of 1.0, 1.1 and 50.45 is 1.1."""
    found = stress(of_three(observe), methodologies=["house"], indices=[GLOBAL], attacks=["parked ask"]).moves
    last = found.filter(size=100.0).row(0, named=True)
    assert (last["before"], last["after"], last["status_after"], last["cash_cost"], last["used"]) == (1.0, 1.1, "published", 0.0, 1)


def test_the_same_ask_carries_an_interquartile_mean_of_three_to_nine_times(observe: Observe, tmp_path: Path) -> None:
    """The quarter cut from each end is 0.75 of a vote: 1.0 and 50.45 keep a quarter of theirs, (0.25 + 1.1 + 12.6125) / 1.5."""
    trades, sign, quotes = HOUSE.read_text().partition(QUOTED)
    assert quotes.count(OF_THREE[0]) == 4  # to publish, and for low confidence, of firm quotes and of lists
    own = tmp_path / "whole.toml"
    own.write_text(trades + sign + quotes.replace(*OF_THREE))
    found = stress(of_three(observe), methodologies=[own], indices=[GLOBAL], attacks=["parked ask"]).moves
    assert found.filter(size=100.0)["after"][0] == pytest.approx((0.25 * 1.0 + 1.1 + 0.25 * 50.45) / 1.5, abs=1e-6)
    assert found.filter(size=100.0)["status_after"][0] == "published"


def test_with_two_contributors_one_ask_moves_the_house_and_the_mark_says_that_it_is_weak(observe: Observe) -> None:
    rows = observe({"provider": "a", "price": 1.0}, {"provider": "b", "price": 1.0}, {"provider": "b", "price": 1.0})
    last = stress(rows, methodologies=["house"], indices=[GLOBAL], attacks=["parked ask"]).moves.filter(size=100.0).row(0, named=True)
    assert (last["status_before"], last["status_after"]) == ("low-confidence", "low-confidence")
    assert last["after"] == pytest.approx((50.5 + 1.0) / 2)


def test_every_total_read_as_a_price_per_gpu_multiplies_a_median_by_the_gpus(observe: Observe) -> None:
    rows = observe(*({"provider": name, "price": price, "gpu_count": 8.0} for name, price in zip("abcde", (1, 2, 3, 4, 5), strict=True)))
    found = stress(rows.with_columns(pl.col("price").cast(pl.Float64)), methodologies=["house"], indices=[GLOBAL]).moves
    assert found.filter(attack="totals for units", size=1.0)["move"][0] == pytest.approx(7.0)
    assert found.filter(attack="divided twice", size=1.0)["move"][0] == pytest.approx(-7 / 8)


# What the house keeps


@pytest.mark.parametrize("seed", range(6))
def test_no_single_contributor_takes_the_house_outside_of_what_the_others_show(seed: int, observe: Observe) -> None:
    """Whatever it shows and however much: of trades with three others in each part of the day, and of quotes with three others."""
    rng = np.random.default_rng(seed)
    price, share = float(10 ** rng.uniform(-2, 2)), float(rng.choice([0.1, 0.5, 0.99]))
    parts = [NOON.replace(hour=5) + timedelta(hours=2 * part, minutes=5) for part in range(12)]
    honest: list[dict[str, Any]] = [
        {"kind": "trade", "provider": name, "time": at + timedelta(seconds=second), "price": float(rng.uniform(2, 3)), "quantity": 10.0}
        for at in parts
        for name in "abcd"
        for second in range(6)
    ]
    pushed = [
        honest[0] | {"provider": "x", "time": at + timedelta(minutes=1), "price": price, "quantity": 240 * share / (1 - share)}
        for at in parts
    ]
    quoted: list[dict[str, Any]] = [{"kind": "list price", "provider": name, "price": float(rng.uniform(2, 3))} for name in "abc"]
    crowd: list[dict[str, Any]] = [{"kind": "list price", "provider": "x", "price": price} for _ in range(int(rng.integers(1, 40)))]
    for others, mine in ((honest, pushed), (quoted, crowd)):
        found = calculate(observe(*others, *mine), methodology=load("house"), first=DAY, end=DAY + timedelta(1), indices=[GLOBAL]).marks
        prices: list[float] = [row["price"] for row in others]
        assert min(prices) - 1e-6 <= found["value"][0] <= max(prices) + 1e-6
        assert found["status"][0] == "published"


def test_one_contributor_and_a_late_block_move_the_house_by_little_and_a_winsorised_mean_by_nearly_all(run: Stress) -> None:
    for attack, house in (("one contributor", 0.03), ("late block", 0.002)):
        assert moved(run, "house", attack)["move"].abs().max() < house  # type: ignore[operator]
        assert moved(run, "ornn-like", attack)["move"][-1] > 0.4
        assert moved(run, "brr-like", attack)["move"].abs().max() < 0.005  # type: ignore[operator]  # the venue is taken out
    assert moved(run, "brr-like", "one contributor")["excluded"][-1] > 0
    assert "erroneous venue" in moved(run, "brr-like", "one contributor")["rules"][-1]


@pytest.mark.parametrize("index", ["H200-SXM.GLOBAL.FIRM", "L40S.GLOBAL.FIRM"])
def test_a_parked_ask_moves_a_house_of_lists_no_further_than_to_the_next_provider(index: str, run: Stress) -> None:
    found = moved(run, "house", "parked ask", index)
    assert found["size"][-1] == 100
    assert found["move"].abs().max() < (0.001 if index.startswith("H200") else 0.11)  # type: ignore[operator]
    assert found["status_after"].unique().to_list() == ["published"]
    assert found["move"][1:].n_unique() == 1  # five times the market and a hundred times do the same


def test_an_ask_is_nothing_to_a_methodology_of_trades(run: Stress) -> None:
    for methodology in ("house", "ornn-like", "brr-like"):
        found = moved(run, methodology, "parked ask")
        assert found["move"].to_list() == [0.0] * 5
        assert found["unseen"].to_list() == [1] * 5


# What it does not keep, and who tells


def test_two_related_names_move_the_house_past_half_of_the_volume_and_the_check_names_each_trade(run: Stress) -> None:
    found = moved(run, "house", "wash trades")
    assert found.filter(pl.col("size") <= 0.3)["move"].max() < 0.03  # type: ignore[operator]
    assert found.filter(pl.col("size") >= 0.7)["move"].min() > 0.45  # type: ignore[operator]
    assert found["told"].to_list() == found["used"].to_list()
    assert found["cash_cost"].to_list() == [0.0] * 5
    assert found["notional"].min() > 0  # type: ignore[operator]


def test_a_ring_of_four_takes_a_house_of_lists_and_one_of_three_does_not(run: Stress) -> None:
    """Four names are what the cap asks for; the trades that displace the lists are all named by the check."""
    found = moved(run, "house", "wash ring", "H200-SXM.GLOBAL.FIRM")
    assert found.filter(pl.col("size") < 4)["move"].to_list() == [0.0, 0.0]
    assert found.filter(size=4.0)["level_after"].to_list() == ["traded"]
    assert found.filter(size=4.0)["move"][0] == pytest.approx(0.5, abs=1e-6)
    assert found.filter(size=4.0)["told"][0] == 240


def test_other_trades_are_not_named(run: Stress) -> None:
    assert run.moves.filter(pl.col("attack") == "one contributor")["told"].max() == 0


def test_half_of_the_contributors_in_the_wrong_unit_move_every_methodology(run: Stress) -> None:
    found = run.moves.filter(attack="totals for units", size=0.75)
    assert found.height == run.audits.height
    assert found["move"].min() > 1  # type: ignore[operator]


# The machinery


@pytest.mark.parametrize(
    ("methodology", "index"), [("house", "L40S.GLOBAL.FIRM"), ("ccir-1.1.1", "H100-SXM.US.FIRM"), ("eu-cri-0.3.0", "H200-SXM.EU.FIRM")]
)
def test_marked_together_each_version_is_what_it_is_alone(methodology: str, index: str, market: pl.DataFrame) -> None:
    day, rule = date(2027, 1, 7), load(methodology)
    there = scene(market, methodology, index, day)
    chosen = ("late block", "parked ask", "divided twice")
    versions = [found for name in chosen if isinstance(found := named(name).strike(there, named(name).sizes[2]), Planted)]
    together = outcomes(versions, there, rule, day)
    for version, outcome in zip(versions, together, strict=True):
        alone = calculate(version.observations, methodology=rule, first=day, end=day + timedelta(1), indices=[index])
        assert (outcome.value, outcome.status) == alone.marks.select("value", "status").row(-1)
        gone = alone.exclusions.filter(pl.col("observation_id").is_in(list(version.names)))
        assert outcome.exclusions.sort("observation_id").equals(gone.select(outcome.exclusions.columns).sort("observation_id"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["one contributor", "late block", "wash trades"])
def test_a_share_is_of_what_is_there_after_the_attack(name: str, share: float, market: pl.DataFrame) -> None:
    there = scene(market, "ornn-like", day=date(2027, 1, 7))
    found = named(name).strike(there, share)
    assert isinstance(found, Planted)
    rows = found.observations.filter(pl.col("observation_id").is_in(list(found.names)))
    mine, others = float(rows["quantity"].sum()), float(there.used["quantity"].sum())
    assert mine / (mine + others) == pytest.approx(share, rel=1e-9)
    assert mine == pytest.approx(volume_for(there, share), rel=1e-9)
    assert rows["time"].is_between(there.opens, there.end, closed="left").all()
    lost = 0.0 if name == "wash trades" else mine * 0.5 * there.value
    assert found.cash == pytest.approx(lost, rel=1e-9)
    assert found.notional == pytest.approx(mine * 1.5 * there.value, rel=1e-9)


def test_rows_add_up_and_nothing_outside_of_the_attack_changes(run: Stress) -> None:
    known = run.moves.filter(pl.col("unsuited").is_null())
    assert (known["used"] + known["excluded"] + known["unseen"]).to_list() == known["rows"].to_list()
    assert known["unseen"].min() >= 0  # type: ignore[operator]
    assert known.group_by("methodology", "index").agg(pl.col("before").n_unique())["before"].to_list() == [1] * run.audits.height


def test_what_an_attack_has_nothing_to_work_on_is_said(run: Stress) -> None:
    told = dict(run.moves.filter(pl.col("unsuited").is_not_null(), methodology="ornn-like").select("attack", "unsuited").iter_rows())
    assert told == {"stale quotes": "no quote is behind it: the level 'executed rentals' counts trades"}


def test_the_market_without_an_attack_is_marked_as_ever(market: pl.DataFrame, run: Stress) -> None:
    day = date(2027, 1, 7)
    plain = calculate(market, methodology=load("house"), first=day, end=day + timedelta(1), indices=[GLOBAL]).marks["value"][0]
    assert run.moves.filter(methodology="house", index=GLOBAL)["before"].unique().to_list() == [plain]


def test_methodologies_that_do_not_fit_are_named_with_why(observe: Observe) -> None:
    found = stress(of_three(observe), indices=[GLOBAL], attacks=["parked ask"])
    assert [rule.name for rule in found.methodologies] == ["gpu-markets-like", "house"]
    told = dict(found.left_out.iter_rows())
    assert "confidence" in told["computepulse-like"]
    assert "nothing that it looks at" in told["ornn-like"]
    assert {"ccir-1.1.0", "eu-cri-0.2.0"} <= set(told)


def test_unknown_names_and_half_a_period_are_refused(observe: Observe) -> None:
    rows = of_three(observe)
    with pytest.raises(InputError, match=r"found bribe.*one of one contributor"):
        stress(rows, attacks=["bribe"])
    with pytest.raises(InputError, match="found nosuch"):
        stress(rows, methodologies=["nosuch"])
    with pytest.raises(InputError, match="a first day and an end"):
        stress(rows, first=DAY)
    with pytest.raises(InputError, match="at least one index"):
        stress(rows, most=0)
    with pytest.raises(InputError, match="house: no"):
        stress(rows, methodologies=["house"], indices=["B200-SXM.US.FIRM"])


def test_clearing_prices_are_left_alone(observe: Observe) -> None:
    rows = observe(
        *(
            {
                "kind": "clearing",
                "horizon": "real-time",
                "price": 2.0,
                "quantity": 5.0,
                "time": NOON.replace(hour=5) + timedelta(hours=hour),
            }
            for hour in range(24)
        )
    )
    with pytest.raises(InputError, match="clearing prices, to which nobody adds rows"):
        stress(rows, methodologies=["house"], indices=[GLOBAL])

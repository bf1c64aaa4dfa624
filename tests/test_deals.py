"""Bilateral deals from the command line: cleared, settled, and paid between the parties."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tenorgrid.cli import app
from tenorgrid.data.errors import InputError

CASE = Path(__file__).parent / "clearing" / "cases" / "bilateral-deals"
USD = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("deals")
    for words in (
        ["clear", str(CASE), "--out", str(place / "clear"), "--workers", "1"],
        ["deals", str(place / "clear"), "--out", str(place / "deals"), "--json"],
        ["settle", str(place / "clear"), "--out", str(place / "settle")],
    ):
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0
        (place / f"{words[0]}.txt").write_text(done.stdout, encoding="utf-8")
    return place


def cash(folder: Path) -> dict[str, float]:
    return {who: float(amount) for who, amount in pl.read_csv(folder / "deals" / "cash.csv").iter_rows()}


def test_legs_are_awarded_under_ids_that_tell_them_apart(folder: Path) -> None:
    awards = pl.read_csv(folder / "clear" / "awards.csv").filter(pl.col("id").str.starts_with("deal:"))
    rows = {row["id"]: (row["participant"], row["tier"], row["quantity"]) for row in awards.to_dicts()}
    assert rows == {
        "deal:D1:sell": ("fleet", "firm", pytest.approx(20.0)),
        "deal:D1:buy": ("agency", "firm", pytest.approx(20.0)),
        "deal:R1:list": ("startup", "spot", pytest.approx(18.0)),
    }


def test_prices_are_those_of_the_market_without_its_deals(folder: Path) -> None:
    prices = pl.read_csv(folder / "clear" / "prices.csv").filter(pl.col("pricing") == "marginal")
    assert dict(prices.select("tier", "price").iter_rows()) == pytest.approx({"firm": 3.3, "spot": 28 / 9}, abs=1e-6)


def test_each_party_is_paid_what_the_hand_says_and_all_of_them_nothing(folder: Path) -> None:
    assert cash(folder) == pytest.approx(
        {"fleet": -16.0, "agency": 16.0, "G": -9.0, "fund": 9.0, "startup": -39.2, "lab": 39.2}, abs=USD
    )  # fmt: skip
    assert sum(cash(folder).values()) == pytest.approx(0.0, abs=1e-9)
    said = json.loads((folder / "deals.txt").read_text(encoding="utf-8"))
    assert said["recalled_hours"] == pytest.approx(14.4)


def test_with_what_the_market_pays_the_parties_of_a_self_schedule_have_the_strike(folder: Path) -> None:
    lines = pl.read_csv(folder / "settle" / "statements.csv").filter(pl.col("charge_code") == "energy")
    paid = dict(lines.select("participant", pl.col("amount").cast(pl.Float64)).iter_rows())
    assert paid["fleet"] + cash(folder)["fleet"] == pytest.approx(50.0, abs=USD)
    assert paid["agency"] + cash(folder)["agency"] == pytest.approx(-50.0, abs=USD)
    assert pl.read_csv(folder / "settle" / "checks.csv")["passed"].all()


def test_a_run_without_deals_is_refused(tmp_path: Path) -> None:
    plain = CASE.parent / "reserve-steps"
    CliRunner().invoke(app, ["clear", str(plain), "--out", str(tmp_path / "clear"), "--workers", "1"], catch_exceptions=False)
    with pytest.raises(InputError, match="bilaterals: expected at least one deal"):
        CliRunner().invoke(app, ["deals", str(tmp_path / "clear"), "--out", str(tmp_path / "deals")], catch_exceptions=False)
    assert not (tmp_path / "deals").exists()

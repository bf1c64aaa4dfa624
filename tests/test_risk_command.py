"""`tenorgrid risk` and `tg.risk`: tables, page, and what a book's own result says of its tail."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid import chain

Command = Callable[..., Any]


@pytest.fixture
def history(weeks_folder: Path, tmp_path: Path) -> Path:
    """Two hundred days of prints of every index of the run's book."""
    curves = pl.read_csv(weeks_folder / "curve" / "curve.csv")
    rng = np.random.default_rng(8)
    common = rng.standard_normal(200)
    frames = []
    for index in curves["index"].unique().sort():
        values = 2.5 * np.exp(np.cumsum(0.03 * (0.8 * common + 0.6 * rng.standard_normal(200))))
        days = [date(2027, 1, 31) - timedelta(days=199 - n) for n in range(200)]
        moments = [datetime(day.year, day.month, day.day, 12, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for day in days]
        frames.append(pl.DataFrame({"index": index, "date": days, "value": values, "published_at": moments, "source": "drawn"}))
    path = tmp_path / "history.csv"
    pl.concat(frames).write_csv(path)
    return path


def test_a_book_s_risk_is_written_with_its_page(command: Command, weeks_folder: Path, history: Path, tmp_path: Path) -> None:
    book, out = weeks_folder / "value" / "trades.csv", tmp_path / "out"
    more = ("--history", history, "--level", "0.95", "--level", "0.99", "--out", out, "--json")
    said = command("risk", book, "--market", weeks_folder, "--method", "greeks", *more)
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert [(row["method"], row["level"]) for row in told["tails"]][:2] == [("filtered", 0.95), ("filtered", 0.99)]
    assert all(row["expected_shortfall"] >= row["value_at_risk"] for row in told["tails"])
    assert told["margin"]["margin"] > 0
    page = (out / "risk.html").read_text(encoding="utf-8")
    for title in ("What the book may gain", "Stress", "Initial margin", "Forecasts and what followed"):
        assert title in page
    backtest = pl.read_csv(out / "backtest.csv")
    assert backtest.height == 200 - 1 - 20 - 20
    days = {row["test"]: row for row in told["tests"]}
    assert days["kupiec"]["verdict"].startswith(f"{int(backtest['exceeded'].sum())} exceptions in {backtest.height} days")


def test_a_short_history_a_strange_method_and_a_broken_scenario_are_refused(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    book, out = weeks_folder / "value" / "trades.csv", tmp_path / "out"

    def refused(*more: object) -> str:
        said = command("risk", book, "--market", weeks_folder, "--out", out, *more)
        assert said.code == 1
        assert not out.exists()
        return str(said.err)

    assert "at least" in refused("--level", "0.999")
    rows = tmp_path / "stress.csv"
    rows.write_text("scenario,index,relative,price,volatility\nodd,H9000,-0.2,0,0\n", encoding="utf-8")
    assert "found H9000" in refused("--scenarios", rows) or "at least" in refused("--scenarios", rows)


def test_a_value_knows_its_own_tail(weeks_folder: Path, history: Path) -> None:
    _, valued = chain.value_of(weeks_folder / "value" / "trades.csv", weeks_folder, rate=0.04)
    past = pl.read_csv(history, try_parse_dates=True).with_columns(pl.col("published_at").cast(pl.Datetime("us", "UTC")))
    found = valued.tail(0.95, history=past)
    assert valued.expected_shortfall(0.95, history=past) == found.expected_shortfall >= found.value_at_risk
    assert valued.value_at_risk(0.99, history=past, days=4) > found.value_at_risk
    whole = tg.risk(valued, history=past, levels=[0.95], method="greeks", draws=200)
    assert valued.margin(history=past).to_dicts() == whole.margin.to_dicts()
    assert valued.stress().to_dicts() == whole.stress.to_dicts()
    with pytest.raises(tg.InputError, match="prints of every index"):
        valued.expected_shortfall(0.95, history=past.clear())
    assert set(whole.to_pandas()) == {"tails", "outcomes", "stress", "margin", "scan", "exposure", "backtest", "tests"}
    assert "BookRisk" in whole._repr_html_()


def test_the_method_asked_for_prices_every_set_of_moves(
    weeks_folder: Path, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """However many moves are drawn: what the manifest says is what was done."""
    from tenorgrid import book_risk

    _, valued = chain.value_of(weeks_folder / "value" / "trades.csv", weeks_folder, rate=0.04)
    past = pl.read_csv(history, try_parse_dates=True).with_columns(pl.col("published_at").cast(pl.Datetime("us", "UTC")))
    asked = []

    def told(*arguments: Any, **named: Any) -> Any:
        asked.append((len(arguments[2].values), named["method"]))
        return np.linspace(-1.0, 1.0, len(arguments[2].values))

    monkeypatch.setattr(book_risk, "gains", told)
    tg.risk(valued, history=past, levels=[0.95], method="full", draws=5_000)
    assert {method for _, method in asked} == {"full"}
    assert len(asked) >= 2

"""`tenorgrid volatility`, `tg.volatility` and `tg.fit_volatility`: tables, page, windows, correlations, and refusals."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app
from tenorgrid.data.errors import PartLeftOutWarning
from tenorgrid.data.store import read_table
from tenorgrid.data.tables import volatility as tables
from tenorgrid.data.tables.curve import Volatility
from tenorgrid.data.tables.observed import Marks

START = datetime(2026, 1, 1, tzinfo=UTC)


def marks(values: np.ndarray, *, index: str = "A", methodology: str = "house", step: timedelta = timedelta(days=1)) -> pl.DataFrame:
    start = [START + n * step for n in range(len(values))]
    frame = {
        "index": index, "methodology": methodology, "start": start, "end": [moment + step for moment in start],
        "published_at": [moment + step for moment in start], "revision": 0, "value": values, "unit": "USD/GPUh", "quantity": 1.0,
        "status": "published", "method_hash": "0",
    }  # fmt: skip
    return Marks.validate(pl.DataFrame(frame), cast=True)


def walk(n: int, seed: int, size: float = 0.02) -> np.ndarray:
    rng = np.random.default_rng(seed)
    returns, h = np.empty(n), size**2
    for day in range(n):
        returns[day] = rng.normal() * h**0.5
        h = 0.05 * size**2 + 0.1 * returns[day] ** 2 + 0.85 * h
    return np.asarray(2.5 * np.exp(returns.cumsum()))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    both = pl.concat([marks(walk(400, 1)), marks(walk(400, 2), index="B")])
    both.write_parquet(tmp_path / "marks.parquet")
    return tmp_path / "marks.parquet"


def test_the_command_writes_every_table_and_a_page(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["volatility", str(file), "--model", "garch", "--model", "realised", "--horizon", "60", "--out", str(out), "--json"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    said = json.loads(told.output)
    made = tg.volatility(pl.read_parquet(file), model=["garch", "realised"], horizon=60)
    assert [row["volatility"] for row in said["volatility"]] == pytest.approx(made.volatility["volatility"].to_list(), rel=1e-9)
    assert read_table(out, "volatility", Volatility).height == 4
    for name, schema, rows in (
        ("fits", tables.VolatilityFits, 4), ("parameters", tables.VolatilityParameters, 8), ("path", tables.VolatilityPath, 4 * 399),
        ("terms", tables.VolatilityTerms, 4 * 60), ("correlations", tables.Correlations, 400), ("dcc", tables.CorrelationParameters, 2),
    ):  # fmt: skip
        assert read_table(out, name, schema).height == rows
    page = (out / "volatility.html").read_text()
    for text in ("Forecast term structure", "Dynamic correlation", "Robust error"):
        assert text in page


def test_one_index_of_two_must_be_named_and_the_result_values_options(file: Path) -> None:
    both = pl.read_parquet(file)
    with pytest.raises(tg.InputError, match="found none named, expected one of A, B"):
        tg.fit_volatility(both, model="garch-t")
    one = tg.fit_volatility(both.filter(pl.col("index") == "A"), model="garch-t")
    assert one.equals(tg.fit_volatility(both, index="A", model="garch-t"))
    assert Volatility.is_valid(one)
    assert tg.volatility(both, model=["gjr", "ewma"]).of("ewma")["index"].to_list() == ["A", "B"]


def test_the_window_of_a_methodology_is_corrected_for_and_can_be_left_alone() -> None:
    price = walk(406, 3)
    average = marks(np.convolve(price, np.ones(7) / 7, mode="valid"), methodology="ccir-1.1.1")
    found, plain = tg.volatility(average), tg.volatility(average, window=1)
    assert found.fits["treatment"].to_list() == ["corrected for overlap"]
    assert plain.fits["treatment"].to_list() == ["as marked"]
    ratio = found.volatility["volatility"][0] / plain.volatility["volatility"][0]
    assert ratio == pytest.approx(7**0.5, rel=0.02)
    with pytest.raises(tg.InputError, match="un-windowed prints for garch"):
        tg.fit_volatility(average, model="garch")
    own = average.with_columns(methodology=pl.lit("ccir-1.1.1 un-windowed"))
    assert tg.volatility(own).fits["treatment"].to_list() == ["un-windowed"]


def test_an_un_windowed_methodology_marks_each_day_by_itself() -> None:
    from tenorgrid.curves.volatility.windows import unwindowed, window_of

    rng = np.random.default_rng(4)
    prices = 2.0 * np.exp(rng.normal(0, 0.03, 40).cumsum())
    rows = [
        {
            "observation_id": f"{day}-{n}", "time": START + timedelta(days=day, hours=n), "provider": "vast.ai", "resource": "h100-sxm",
            "region": "us-east", "location": None, "tier": "firm", "horizon": None, "term_hours": None, "gpu_count": 1.0,
            "price": float(price), "quantity": None, "kind": "firm quote", "reliability": 0.99, "country": "US",
        }
        for day, price in enumerate(prices)
        for n in range(9)
    ]  # fmt: skip
    seen = pl.DataFrame(
        rows, schema_overrides={"location": pl.String, "horizon": pl.String, "term_hours": pl.Float64, "quantity": pl.Float64}
    )
    made = tg.mark(seen, method=unwindowed("ccir-1.1.1"), first="2026-01-01", end="2026-02-10").marks
    fresh = made.filter(pl.col("index").str.starts_with("H100-SXM.US"), pl.col("value").is_not_null())
    assert window_of("ccir-1.1.1") == 7
    assert fresh.height >= 40
    assert fresh.sort("start")["value"].to_list()[:40] == pytest.approx(prices, abs=6e-5)
    assert tg.volatility(fresh, index=fresh["index"][0]).fits["treatment"].to_list() == ["un-windowed"]


def test_har_takes_marks_within_the_day(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    days = 80
    level = np.exp(0.6 * np.convolve(rng.normal(size=days + 6), np.ones(7) / 7, mode="valid"))
    moves = rng.normal(size=(days, 24)) * 0.005 * level[:, None]
    hourly = marks(2.5 * np.exp(moves.ravel().cumsum()), step=timedelta(hours=1))
    hourly.write_parquet(tmp_path / "marks.parquet")
    out = tmp_path / "out"
    asked = ["volatility", str(tmp_path / "marks.parquet"), "--model", "har", "--components", "1,7", "--out", str(out)]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    assert read_table(out, "days", tables.RealisedDays).height == days
    assert read_table(out, "contests", tables.ForecastContests).height == 4
    assert "jumps" in (out / "volatility.html").read_text()
    found = tg.volatility(hourly, model="har", components=(1, 7), term=7)
    row = found.volatility.row(0, named=True)
    assert row["lower"] < row["volatility"] < row["upper"]
    assert row["volatility"] == pytest.approx(np.sqrt(365 * (moves**2).sum() / days), rel=0.3)
    with pytest.raises(tg.InputError, match="marks of equal parts of a day for har"):
        tg.volatility(marks(walk(100, 6)), model="har")


def test_too_few_common_days_leave_correlations_out(file: Path) -> None:
    both = pl.read_parquet(file)
    first = (pl.col("index") == "A") & (pl.col("start") < START + timedelta(days=340))
    second = (pl.col("index") == "B") & (pl.col("start") >= START + timedelta(days=60))
    with pytest.warns(PartLeftOutWarning, match="no correlations: returns: found 279, expected at least 300 common days"):
        found = tg.volatility(both.filter(first | second), model="garch", least=300)
    assert found.correlations is None


def test_option_quotes_get_smiles_and_their_arbitrages(file: Path, tmp_path: Path) -> None:
    as_of, strikes = datetime(2027, 3, 1, tzinfo=UTC), np.linspace(1.6, 3.8, 9)
    volatility = 0.4 + 0.1 * np.log(strikes / 2.5) ** 2
    volatility[4] += 0.15
    quotes = pl.DataFrame(
        {
            "as_of": [as_of] * 9, "contract": "GPU1U27", "expiry": as_of + timedelta(days=180), "strike": strikes, "forward": 2.5,
            "volatility": volatility, "quoted": "lognormal",
        }
    )  # fmt: skip
    quotes.write_csv(tmp_path / "options.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    out = tmp_path / "out"
    told = CliRunner().invoke(
        app, ["volatility", str(file), "--options", str(tmp_path / "options.csv"), "--smile", "svi", "--out", str(out)]
    )
    assert told.exit_code == 0, told.output
    assert "arbitrages among the option quotes: 1" in told.output
    assert read_table(out, "smiles", tables.SmileParameters)["name"].to_list() == ["a", "b", "sigma", "rho", "m"]
    assert read_table(out, "smile_points", tables.SmilePoints)["quoted"].to_list() == pytest.approx(volatility)
    assert read_table(out, "smile_arbitrages", tables.SmileArbitrages)["kind"].to_list() == ["butterfly"]
    assert "sell one call at 2.7" in (out / "volatility.html").read_text()
    quotes.head(4).write_csv(tmp_path / "few.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    refused = CliRunner().invoke(
        app, ["volatility", str(file), "--options", str(tmp_path / "few.csv"), "--smile", "svi", "--out", str(tmp_path / "no")]
    )
    assert (refused.exit_code, (tmp_path / "no").exists()) == (1, False)


def test_indices_without_volatility_are_left_out_unless_they_are_named() -> None:
    good, flat, short = marks(walk(100, 7)), marks(np.full(100, 2.0), index="B"), marks(walk(10, 8), index="C")
    both = pl.concat([good, flat, short])
    with pytest.warns(PartLeftOutWarning, match="no volatility of B, C, the first as marks, column value: found no move on 99 of 99 days"):
        found = tg.volatility(both)
    assert found.volatility["index"].to_list() == ["A"]
    with pytest.raises(tg.InputError) as caught:
        tg.volatility(both, index=["A", "B", "C"])
    assert len(caught.value.faults) == 2
    with pytest.raises(tg.InputError):
        tg.volatility(pl.concat([flat, short]))


def test_refusals_write_nothing(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for asked in (["--index", "C"], ["--model", "garchy"], ["--level", "2"], ["--model", "har"]):
        told = CliRunner().invoke(app, ["volatility", str(file), *asked, "--out", str(out)])
        assert (told.exit_code, out.exists()) == (1, False), asked
    assert CliRunner().invoke(app, ["volatility", str(file), "--components", "week", "--out", str(out)]).exit_code == 2
    assert CliRunner().invoke(app, ["volatility", str(file), "--term", "0", "--out", str(out)]).exit_code == 2

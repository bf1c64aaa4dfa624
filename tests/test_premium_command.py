"""`tenorgrid premium` and `tg.premium`: tables, page, two markets, and refusals."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app
from tenorgrid.data.store import read_table
from tenorgrid.data.tables import premium as tables

START = datetime(2027, 1, 4, 5, tzinfo=UTC)


def prices(premium: float) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    real = 30 + rng.normal(size=24 * 45)
    return pl.DataFrame(
        {
            "horizon": ["day-ahead"] * real.size, "series": ["A"] * real.size,
            "start": [START + timedelta(hours=hour) for hour in range(real.size)],
            "ahead": real + premium + rng.normal(size=real.size) * 0.3, "real": real,
        }
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    prices(0.5).write_csv(tmp_path / "prices.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return tmp_path / "prices.csv"


def test_the_command_writes_every_table_and_a_page(file: Path, tmp_path: Path) -> None:
    other, out = tmp_path / "other.csv", tmp_path / "out"
    prices(0.0).write_csv(other, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    told = CliRunner().invoke(app, ["premium", str(file), "--other", str(other), "--unit", "USD/MWh", "--out", str(out), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["hac"] == 1
    made = tg.premium(prices(0.5), other=prices(0.0))
    assert made.pairs is not None
    assert read_table(out, "bias", tables.PremiumBias)["bias"].to_list() == pytest.approx(made.bias["bias"].to_list(), abs=1e-9)
    assert read_table(out, "pairs", tables.PremiumPairs)["verdict"].to_list() == ["larger"]
    assert made.virtuals["verdict"].to_list() == ["open"]
    for name, schema in (("days", tables.PremiumDays), ("forecasts", tables.ForecastTests), ("virtuals", tables.VirtualGains)):
        assert read_table(out, name, schema).height == made.tables()[name].height > 0
    page = (out / "premium.html").read_text()
    assert "USD/MWh" in page
    assert "The other market" in page
    assert "Synthetic" not in page


def test_unknown_series_and_files_are_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(tg.InputError, match="found B, expected a series such as A"):
        tg.premium(file, series=["B"])
    with pytest.raises(tg.InputError, match="nothing there"):
        tg.premium(tmp_path / "none.csv")
    out = tmp_path / "out"
    told = CliRunner().invoke(app, ["premium", str(tmp_path / "none.csv"), "--out", str(out)])
    assert (told.exit_code, out.exists()) == (1, False)
    assert CliRunner().invoke(app, ["premium", str(file), "--out", str(out), "--window", "2"]).exit_code == 2

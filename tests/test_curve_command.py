"""`tenorgrid curve` as a user meets it: an arbitrage leaves its table, and a folder makes the same curves again."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from tenorgrid.cli import app
from tenorgrid.folders import read_curves

HEADER = "as_of,quote_id,index,contract,start,end,profile,bid,price,ask,average,calendar,timezone,source\n"


@pytest.fixture
def quotes(tmp_path: Path) -> Path:
    """Two months and both together, which contradict one another by less than their spreads."""
    rows = (("feb", "02", "03", 2.30), ("mar", "03", "04", 2.50), ("both", "02", "04", 2.42))
    path = tmp_path / "quotes.csv"
    path.write_text(
        HEADER
        + "".join(
            f"2027-01-01T00:00:00Z,{name},X,X:{name},2027-{a}-01T00:00:00Z,2027-{b}-01T00:00:00Z,"
            f"base,{p - 0.02},{p},{p + 0.02},hourly,,UTC,b\n"
            for name, a, b, p in rows
        )
    )
    return path


def test_an_arbitrage_is_refused_with_its_table(quotes: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["curve", str(quotes), "--out", str(tmp_path / "out")])
    assert done.exit_code != 0
    assert pl.read_csv(tmp_path / "out" / "arbitrage.csv")["quote_ids"].to_list() == ["both, feb, mar"]


def test_a_folder_makes_the_curve_again_as_it_was_asked_to_be(quotes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--within", "bid-ask", "--method", "linear", "--ends", "flat-last"]
    assert CliRunner().invoke(app, ["curve", str(quotes), "--out", str(out), *options]).exit_code == 0
    curves, _ = read_curves(out)
    assert curves["X"].forward == pytest.approx(pl.read_csv(out / "curve.csv")["forward"].to_numpy(), abs=1e-12)
    assert curves["X"].inside is not None

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


def test_a_refusal_leaves_a_page_that_names_the_quotes_and_their_size(quotes: Path, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["curve", str(quotes), "--out", str(tmp_path / "out")])
    page = (tmp_path / "out" / "curve.html").read_text()
    size = 2.42 - (2.3 * 28 + 2.5 * 31) / 59
    assert f"{size:.6g}" in page
    assert f"{size * 59 * 24:,.4f}" in page
    assert "No forward curve" in page


def test_the_page_has_every_figure_and_loads_nothing(quotes: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["curve", str(quotes), "--within", "bid-ask", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    page = (tmp_path / "out" / "curve.html").read_text()
    for name in ("curve-0", "months-0", "jacobian-0", "quotes-0", "arbitrage"):
        assert f'<figure id="{name}">' in page
    assert "<script src" not in page
    monthly = pl.read_csv(tmp_path / "out" / "monthly.csv")
    assert monthly.height == 2 * 3


def test_discounted_averages_from_the_command_come_back_from_its_folder(quotes: Path, tmp_path: Path) -> None:
    out, rates = tmp_path / "out", tmp_path / "rates.csv"
    lines = [line for line in quotes.read_text().splitlines() if ",both," not in line]
    quotes.write_text("\n".join(lines).replace("2027-01-01T00:00:00Z,", "2027-01-05T00:00:00Z,", 2) + "\n")
    rates.write_text("instrument,tenor,rate\ndeposit,3M,0.40\nois,1Y,0.38\n")
    made = {}
    for name, options in {"plain": [], "flat": ["--rate", "0.4"], "ois": ["--discount", str(rates)]}.items():
        extra = [*options, "--averages", "discounted"] if options else []
        done = CliRunner().invoke(app, ["curve", str(quotes), "--out", str(out), *extra])
        assert done.exit_code == 0, done.output
        made[name] = pl.read_csv(out / "curve.csv")["forward"].to_numpy()
        assert read_curves(out)[0]["X"].forward == pytest.approx(made[name], abs=1e-12)
    assert 1e-5 < abs(made["flat"] - made["plain"]).max() < 1e-1
    assert 1e-8 < abs(made["flat"] - made["ois"]).max() < 1e-2
    refused = CliRunner().invoke(app, ["curve", str(quotes), "--out", str(out), "--averages", "discounted"])
    assert refused.exit_code == 1
    both = CliRunner().invoke(app, ["curve", str(quotes), "--out", str(out), "--rate", "0.1", "--discount", str(rates)])
    assert both.exit_code == 2


def test_a_history_is_kept_read_back_and_compared(quotes: Path, tmp_path: Path) -> None:
    kept, out, later = tmp_path / "kept", tmp_path / "out", tmp_path / "later.csv"
    lines = [line for line in quotes.read_text().splitlines() if ",both," not in line]
    quotes.write_text("\n".join(lines) + "\n")
    later.write_text("\n".join(lines).replace("2027-01-01T00:00:00Z,", "2027-01-08T00:00:00Z,").replace("2.3,", "2.35,") + "\n")
    for file in (quotes, quotes, later):
        assert CliRunner().invoke(app, ["curve", str(file), "--out", str(out), "--keep", str(kept)]).exit_code == 0
    done = CliRunner().invoke(app, ["curve", str(kept), "--out", str(out), "--against", "2027-01-02T00:00Z"])
    assert done.exit_code == 0, done.output
    assert pl.read_csv(out / "kept.csv")["revision"].to_list() == [0, 0]
    assert pl.read_csv(out / "moves.csv")["change"].to_list() == pytest.approx([0.05, 0.0], abs=1e-9)
    assert '<figure id="moved-0">' in (out / "curve.html").read_text()
    done = CliRunner().invoke(app, ["curve", str(kept), "--out", str(out), "--as-of", "2027-01-02T00:00Z"])
    assert pl.read_csv(out / "curve.csv")["forward"][:672].mean() == pytest.approx(2.3, abs=1e-10)
    assert CliRunner().invoke(app, ["curve", str(kept), "--out", str(out), "--method", "linear"]).exit_code == 2
    assert CliRunner().invoke(app, ["curve", str(quotes), "--out", str(out), "--against", "2027-01-02T00:00Z"]).exit_code == 2
    assert CliRunner().invoke(app, ["curve", str(kept), "--out", str(out), "--as-of", "2026-01-02T00:00Z"]).exit_code == 1


def test_a_history_that_refuses_a_curve_leaves_no_folder(quotes: Path, tmp_path: Path) -> None:
    lines = [line for line in quotes.read_text().splitlines() if ",both," not in line]
    quotes.write_text("\n".join(lines) + "\n")
    done = CliRunner().invoke(app, ["curve", str(quotes), "--out", str(tmp_path / "out"), "--keep", str(quotes)])
    assert done.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_a_year_s_quote_takes_the_shape_of_its_months_and_a_folder_and_a_history_keep_it(tmp_path: Path) -> None:
    """A year at 2.40 in factors of 1.5 for January and 1 - .5 / 11 else: January at 3.60, before smoothing does anything."""
    year, past, out, kept = tmp_path / "year.csv", tmp_path / "past.csv", tmp_path / "out", tmp_path / "kept"
    year.write_text(HEADER + "2027-01-01T00:00:00Z,cal,X,X:2027,2027-01-01T00:00:00Z,2028-01-01T00:00:00Z,base,,2.40,,hourly,,UTC,b\n")
    low = 1 - 0.5 / 11
    lines = [f"{y}-{m:02d}-01T00:00:00Z,{1.5 if m == 1 else low}" for y in range(2021, 2027) for m in range(1, 13)]
    past.write_text("start,price\n" + "\n".join(lines) + "\n")
    asked = ["curve", str(year), "--out", str(out), "--season", str(past), "--keep", str(kept)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    made = pl.read_csv(out / "curve.csv")["forward"].to_numpy()
    level = 2.40 * 8760 / (744 * 1.5 + 8016 * low)
    assert made[:744] == pytest.approx(1.5 * level, abs=1e-9)
    assert made[744:] == pytest.approx(low * level, abs=1e-9)
    assert read_curves(out)[0]["X"].forward == pytest.approx(made, abs=1e-12)
    assert pl.read_csv(out / "seasons.csv")["years"].to_list() == [5] * 12
    assert CliRunner().invoke(app, ["curve", str(kept), "--out", str(out)]).exit_code == 0
    assert pl.read_csv(out / "curve.csv")["forward"].to_numpy() == pytest.approx(made, abs=0)
    past.write_text("start,price\n" + "\n".join(lines[:30]) + "\n")
    refused = CliRunner().invoke(app, asked)
    assert refused.exit_code == 1

"""`tenorgrid rental` and `tg.rental_curve`: tables, page, discounting and refusals."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app
from tenorgrid.data.store import read_table
from tenorgrid.data.tables import rental as tables

DAY = date(2027, 3, 16)


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    frame = pl.DataFrame(
        {
            "as_of": [DAY] * 5, "index": ["H100", "H100", "H100", "B200", "B200"], "months": [1, 12, 36, 12, 36],
            "price": [3.0, 2.5, 2.0, 6.0, 4.9],
        }
    )  # fmt: skip
    frame.write_csv(tmp_path / "rates.csv")
    return tmp_path / "rates.csv"


def test_the_command_writes_forwards_shifts_and_a_page(rates: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["rental", str(rates), "--rate", "0.04", "--reference", "H100", "--performance", "B200=2.2", "--out", str(out), "--json"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    curve = read_table(out, "curve", tables.RentalForwards)
    made = tg.rental_curve(rates, discount=tg.flat(0.04), performance={"B200": 2.2}, reference="H100")
    assert curve["forward"].to_list() == pytest.approx(made.curve["forward"].to_list(), abs=1e-12)
    assert made.shifts is not None
    assert read_table(out, "shifts", tables.GenerationShifts).height == made.shifts.height == 3
    assert len(json.loads(told.output)["forwards"]) == 5
    page = (out / "rental.html").read_text()
    assert "From one generation to the next" in page
    assert "<script src" not in page


def test_a_table_of_swaps_discounts(rates: Path, tmp_path: Path) -> None:
    swaps = pl.DataFrame({"instrument": ["deposit", "ois", "ois"], "tenor": ["1M", "1Y", "4Y"], "rate": [0.05, 0.045, 0.04]})
    swaps.write_csv(tmp_path / "swaps.csv")
    asked = ["rental", str(rates), "--discount", str(tmp_path / "swaps.csv"), "--as-of", "2027-03-16", "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    made = tg.rental_curve(rates, discount=tg.discount_curve(swaps, as_of=DAY))
    written = read_table(tmp_path / "out", "curve", tables.RentalForwards)
    assert written["forward"].to_list() == pytest.approx(made.curve["forward"].to_list(), abs=1e-12)
    assert made.forward("H100", 12, 36) != tg.rental_curve(rates).forward("H100", 12, 36)


def test_what_cannot_be_read_leaves_nothing_behind(rates: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    bad = tmp_path / "bad.csv"
    bad.write_text("as_of,index,months,price\n2027-03-16,X,12,3.0\n2027-03-16,X,24,1.0\n2027-03-16,Y,12,3.0\n2027-03-16,Y,24,1.2\n")
    told = CliRunner().invoke(app, ["rental", str(bad), "--out", out])
    assert (told.exit_code, Path(out).exists()) == (1, False)
    with pytest.raises(tg.InputError) as refused:
        tg.rental_curve(bad)
    assert len(refused.value.faults) == 2
    for wrong in (["--rate", "0.04", "--discount", str(rates)], ["--as-of", "today"], ["--performance", "B200"]):
        assert CliRunner().invoke(app, ["rental", str(rates), "--out", out, *wrong]).exit_code == 2
    with pytest.raises(tg.InputError, match="both or neither"):
        tg.rental_curve(rates, reference="H100")
    with pytest.raises(tg.InputError, match="nothing there"):
        tg.rental_curve(tmp_path / "none.csv")


def test_bids_and_asks_give_the_forwards_they_leave_open(tmp_path: Path) -> None:
    quotes = pl.DataFrame({"as_of": [DAY] * 2, "index": ["H100"] * 2, "months": [12, 36], "bid": [3.0, 2.7], "ask": [3.2, None]})
    quotes.write_csv(tmp_path / "quotes.csv")
    told = CliRunner().invoke(app, ["rental", str(tmp_path / "quotes.csv"), "--out", str(tmp_path / "out"), "--json"])
    assert told.exit_code == 0, told.output
    written = read_table(tmp_path / "out", "bands", tables.RentalBands)
    assert written.select("lower", "upper").rows() == [(pytest.approx(3.0), pytest.approx(3.2)), (pytest.approx(2.45), None)]
    assert tg.rental_bands(quotes).equals(written)
    assert json.loads(told.output)["bands"][1]["upper"] is None
    assert "The term structure between bids and asks" in (tmp_path / "out" / "rental.html").read_text()


def test_bids_above_asks_and_options_of_list_prices_are_refused(tmp_path: Path) -> None:
    quotes = pl.DataFrame({"as_of": [DAY] * 2, "index": ["H100"] * 2, "months": [12, 13], "bid": [2.9, 1.0], "ask": [3.1, 1.1]})
    quotes.write_csv(tmp_path / "quotes.csv")
    asked = ["rental", str(tmp_path / "quotes.csv"), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, asked)
    assert isinstance(told.exception, tg.InputError)
    assert "13 months at 1.1 against a bid of 2.9 for 12 months" in str(told.exception)
    told = CliRunner().invoke(app, [*asked, "--by", "region"])
    assert told.exit_code == 2
    assert "--by cannot be given with a table of bids and asks" in " ".join(told.stderr.split())
    assert not (tmp_path / "out").exists()

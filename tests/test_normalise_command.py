"""`tenorgrid normalise` and `tg.normalise`: tables, page, and marks of normalised prices."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import read_table
from tenorgrid.data.tables import normalised as tables

MODEL = """
name = "servers"
source = "made up"
period = "1d"
at_least = 5
product = ["provider", "gpu_count"]

[[characteristics]]
column = "gpu_count"
form = "log"
base = 8

[[characteristics]]
column = "form_factor"
form = "category"
base = "sxm"
"""
START = datetime(2027, 1, 5, 17, tzinfo=UTC)
BIGGER, PCIE = -0.06, -0.25  # log price of a GPU by the logarithm of their number, and of PCIe against SXM


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    """Five providers' offers of H100 over six days; the dear sizes leave half-way, and no price ever moves."""
    rows = [
        {
            "observation_id": f"{day}-{who}-{size}-{form}", "time": START + timedelta(days=day), "provider": f"p{who}",
            "resource": f"h100-{form}", "region": "us", "tier": "firm", "gpu_count": float(size), "kind": "firm quote",
            "price": 3.0 * size**BIGGER * (1.0 if form == "sxm" else 2.718281828459045**PCIE),
        }
        for day in range(6) for who in range(5) for size in (1, 2, 4, 8) for form in ("sxm", "pcie")
        if day < 3 or size > 2
    ]  # fmt: skip
    pl.DataFrame(rows).write_csv(tmp_path / "offers.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    (tmp_path / "servers.toml").write_text(MODEL)
    return tmp_path


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_writes_tables_that_their_schemas_hold_and_a_page(offers: Path) -> None:
    out = offers / "out"
    told = json.loads(run("normalise", offers / "offers.csv", "--model", offers / "servers.toml", "--out", out, "--json"))
    assert (told["adjusted"], told["rows"], told["refused"]) == (180, 180, {})
    coefficients = read_table(out, "coefficients", tables.Coefficients)
    assert dict(coefficients.select("term", "coefficient").rows()) == pytest.approx({"gpu_count": BIGGER, "form_factor pcie": PCIE})
    factors = read_table(out, "factors", tables.Factors)
    assert factors["adjusted"].to_list() == pytest.approx([3.0 * 8**BIGGER] * 180)
    assert read_table(out, "fits", tables.Fits)["r_squared"].to_list() == pytest.approx([1.0])
    series = read_table(out, "series", tables.IndexSeries).with_columns(pl.col("method").cast(pl.String))
    end = dict(series.filter(pl.col("period") == pl.col("period").max()).select("method", "value").rows())
    assert end["time-product-dummy"] == pytest.approx(1.0, abs=1e-12)
    assert end["hedonic"] == pytest.approx(1.0, abs=1e-12)
    assert end["mean"] == end["mean, prices held"] < 0.97
    page = (out / "normalise.html").read_text()
    assert "What moved: prices, or the mix" in page
    assert "gpu_count doubled" in page
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["inputs"]) == {"offers.csv", "servers.toml"}


def test_rows_are_chosen_and_the_future_is_cut_off(offers: Path) -> None:
    words = ("normalise", offers / "offers.csv", "--model", offers / "servers.toml", "--out", offers / "out")
    cut = json.loads(run(*words, "--where", "provider=p1", "--until", "2027-01-08", "--json"))
    assert (cut["rows"], cut["fits"][0]["rows"]) == (36, 24)
    with pytest.raises(InputError, match=r"(?s)column colour: found no such column.*column shape: found no such column"):
        run(*words, "--where", "colour=red", "--where", "shape=round")
    with pytest.raises(InputError, match="rows where form_factor is nvl"):
        run(*words, "--where", "form_factor=nvl")
    for wrong in (("--until", "soon"), ("--where", "provider")):
        assert CliRunner().invoke(app, [str(word) for word in (*words, *wrong)]).exit_code == 2


def test_a_failed_run_leaves_the_last_one(offers: Path) -> None:
    out = offers / "out"
    run("normalise", offers / "offers.csv", "--model", offers / "servers.toml", "--out", out)
    before = (out / "factors.csv").read_bytes()
    with pytest.raises(InputError, match="a characteristic that daily looks at"):
        run("normalise", offers / "offers.csv", "--model", "daily", "--out", out)
    with pytest.raises(InputError, match="does not hold the input"):
        run("normalise", offers / "offers.csv", "--model", offers / "servers.toml", "--out", offers)
    assert (out / "factors.csv").read_bytes() == before


def test_normalised_prices_are_observations_that_can_be_marked(offers: Path) -> None:
    found = tg.normalise(offers / "offers.csv", offers / "servers.toml")
    assert found.prices.columns == tg.read_observations(offers / "offers.csv").columns
    marks = tg.mark(found.prices, method="house").marks.filter(pl.col("index") == "H100-PCIE.US.FIRM", pl.col("value").is_not_null())
    assert marks.height > 0
    assert marks["value"].to_list() == pytest.approx([3.0 * 8**BIGGER] * marks.height, abs=5e-5)
    assert set(found.to_pandas()) == {"observations", "coefficients", "factors", "fits", "series"}
    assert "coefficients" in found._repr_html_()
    flat = MODEL.replace('period = "1d"', 'period = "none"')
    (offers / "flat.toml").write_text(flat)
    assert tg.normalise(offers / "offers.csv", offers / "flat.toml").series is None

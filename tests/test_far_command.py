"""`tenorgrid far`: quotes out to the far end."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from typer.testing import CliRunner

from tenorgrid.cli import app
from tenorgrid.data.store import read_table
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.tables.rental import FarLimits

TIME = "%Y-%m-%dT%H:%M:%SZ"


def written(tmp_path: Path, price: float) -> list[str]:
    start, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
    near = {
        "as_of": start, "quote_id": "half", "index": "X", "contract": "half", "start": start, "end": end, "profile": "base", "price": 2.4,
        "average": "hourly", "timezone": "UTC", "source": "broker",
    }  # fmt: skip
    lease = {"quote_id": "year", "index": "X", "start": start, "end": datetime(2028, 1, 1, tzinfo=UTC), "price": price, "kind": "lease"}
    pl.DataFrame([near]).write_csv(tmp_path / "quotes.csv", datetime_format=TIME)
    pl.DataFrame([lease]).write_csv(tmp_path / "leases.csv", datetime_format=TIME)
    out = str(tmp_path / "out")
    files = [str(tmp_path / "quotes.csv"), str(tmp_path / "leases.csv")]
    return ["far", *files, "--index", "X", "--as-of", "2027-01-01T00:00Z", "--out", out]


def test_a_lease_goes_into_the_quotes_with_its_limits(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, written(tmp_path, 2.0))
    assert told.exit_code == 0, told.output
    assert read_table(tmp_path / "out", "quotes", Quotes)["quote_id"].to_list() == ["half", "year"]
    limits = read_table(tmp_path / "out", "limits", FarLimits)
    assert abs(limits["lower"][0] - 2.4 * 181 / 365) < 1e-9
    curve = CliRunner().invoke(app, ["curve", str(tmp_path / "out" / "quotes.csv"), "--out", str(tmp_path / "curve")])
    assert curve.exit_code == 0, curve.output


def test_a_lease_below_its_first_half_is_refused(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, written(tmp_path, 1.0)).exit_code == 1
    assert not (tmp_path / "out").exists()
    assert CliRunner().invoke(app, [*written(tmp_path, 2.0)[:-4], "--as-of", "soon", "--out", "x"]).exit_code == 2

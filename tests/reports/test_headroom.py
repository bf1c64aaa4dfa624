"""The scarcity curve with the cleared hours on it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid import folders
from tenorgrid.api import clear
from tenorgrid.clearing.scarcity import adder
from tenorgrid.data.errors import InputError
from tenorgrid.reports.figures.headroom import cleared, on_curve
from tenorgrid.reports.pages.scarcity import section
from tenorgrid.reports.run import read_run

CASE = Path(__file__).parents[1] / "clearing" / "cases" / "reserve-steps"
START = datetime(2027, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("short") / "clear"
    folders.write_clear(clear(CASE), place, form="csv")
    return place.parent


def test_hours_are_those_that_cleared_short_dearest_first(folder: Path) -> None:
    run = read_run(folder)
    assert run.headroom is not None
    hours = cleared(run.headroom, resource="h100-sxm")
    assert sorted(hours.select("headroom", "price").rows()) == [
        (pytest.approx(float(r)), pytest.approx(a)) for r, a in ((10, 100.0), (25, 100.0), (40, 40.0), (50, 40.0), (70, 10.0))
    ]
    assert hours["price"].is_sorted(descending=True)
    assert cleared(run.headroom, resource="b200").is_empty()


def test_every_dot_lies_on_the_steps_that_are_drawn(folder: Path) -> None:
    """The second opinion: the step under each dot, read off the drawn line."""
    run = read_run(folder)
    assert run.headroom is not None
    assert run.reserves is not None
    line, dots = on_curve(run.reserves, cleared(run.headroom, resource="h100-sxm"), timezone="UTC").data
    assert list(line.x) == [0.0, 30.0, 60.0, 100.0]
    assert list(line.y) == [100.0, 40.0, 10.0, 10.0]
    step = np.searchsorted(np.asarray(line.x), np.asarray(dots.x), side="right") - 1
    assert np.asarray(line.y)[step] == pytest.approx(np.asarray(dots.y))
    assert dots.customdata[0] in {"05 Jan 03:00", "05 Jan 04:00"}


def test_the_page_shows_the_curve_where_hours_were_short(folder: Path) -> None:
    shown = section(read_run(folder))
    assert shown is not None
    assert "scarcity-curve" in {block.name for block in shown.blocks}


def test_terms_of_the_market_are_drawn_as_the_steps_that_they_are_cleared_as(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "run" / "clear"
    place.parent.mkdir()
    place.mkdir()
    for path in folder.joinpath("clear").rglob("*"):
        if path.is_file() and path.name != "reserves.csv":
            target = place / path.relative_to(folder / "clear")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    terms = "\n[scarcity]\nreference_price = 3.0\ncontingency = 10.0\nmean = 0.0\nsd = 20.0\nsteps = 5\n"
    with (place / "case" / "market.toml").open("a", encoding="utf-8") as file:
        file.write(terms)
    curve = read_run(place.parent).reserves
    assert curve is not None
    assert curve["quantity"].to_list() == pytest.approx([10.0, 15.0, 15.0, 15.0, 15.0])
    assert curve["price"][0] == 997.0
    from tenorgrid.data.market_file import read_market

    market = read_market(place / "case")
    assert market.scarcity is not None
    middles = np.array([17.5, 32.5, 47.5, 62.5])
    assert curve["price"].to_list()[1:] == pytest.approx(adder(middles, scarcity=market.scarcity, voll=1000.0).tolist())


def test_a_curve_that_breaks_its_schema_is_refused(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "clear" / "case"
    place.mkdir(parents=True)
    (place / "market.toml").write_bytes((folder / "clear" / "case" / "market.toml").read_bytes())
    (place / "reserves.csv").write_text("region,resource,step,quantity,price\neast,h100-sxm,1,-5,10\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"reserves.csv row 1, column quantity: found -5"):
        read_run(tmp_path)


def test_hours_of_two_holders_are_one_dot() -> None:
    start = pl.Series("start", [START, START, START + timedelta(hours=1)]).dt.cast_time_unit("us")
    rows = pl.DataFrame({"start": start, "headroom": [3.0, 4.0, 5.0], "price": [2.0, 2.0, 1.0]})
    table = rows.with_columns(horizon=pl.lit("real-time"), resource=pl.lit("gpu"), region=pl.lit("r"))
    assert cleared(table, resource="gpu")["headroom"].to_list() == [7.0, 5.0]

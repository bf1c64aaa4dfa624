"""`tenorgrid pnl` between two run folders, and `tg.explain` of the same."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import midnight
from tenorgrid.data.store import write_table
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.explain import ExplainMoves
from tenorgrid.derivatives.book.market import Market
from tenorgrid.explained_folders import value_between
from tenorgrid.reports.figures.explain import moved

Command = Callable[..., Any]
Row = dict[str, object]
ZONE = "America/New_York"
FIRST = date(2027, 3, 16)
DAY = timedelta(days=1)
EASY = ("swap", "forward", "running", "option", "expires", "new", "fresh")


def write_market(market: Market, folder: Path) -> Path:
    """A run folder with what a valuation reads."""
    for name in ("curve", "marks"):
        (folder / name).mkdir(parents=True)
    write_table(folder / "curve", "quotes", pl.concat(curve.quotes for curve in market.curves.values()))
    write_table(folder / "curve", "curve", pl.concat(curve.curve for curve in market.curves.values()))
    volatility = [
        {"index": index, "model": "realised", "start": market.as_of - timedelta(days=90), "end": market.as_of, "observations": 89,
         "volatility": sigma, "lower": 0.5, "upper": 1.2, "level": 0.95}
        for index, sigma in market.volatility.items()
    ]  # fmt: skip
    write_table(folder / "curve", "volatility", pl.DataFrame(volatility))
    marks = [
        {"index": index, "methodology": "house", "start": midnight(day, timezone=ZONE), "end": midnight(day + DAY, timezone=ZONE),
         "published_at": midnight(day + DAY, timezone=ZONE), "revision": 0, "value": value, "unit": "USD/GPUh", "quantity": 1.0,
         "status": "published", "method_hash": "none"}
        for index, known in market.fixings.items()
        for day, value in known.items()
    ]  # fmt: skip
    write_table(folder / "marks", "marks", pl.DataFrame(marks))
    return folder


@pytest.fixture(scope="module")
def folders(month: list[Market], rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The book, and run folders of 24 and 25 March."""
    root = tmp_path_factory.mktemp("pnl")
    chosen = pl.DataFrame([row for row in rows if row["trade_id"] in EASY], infer_schema_length=None)
    blank = [pl.lit(None).alias(name) for name in Trades.column_names() if name not in chosen.columns]
    write_table(root, "book", Trades.validate(chosen.with_columns(blank).select(Trades.column_names()), cast=True))
    return root / "book.csv", write_market(month[8], root / "monday"), write_market(month[9], root / "tuesday")


def test_the_command_writes_tables_and_a_page_and_says_the_gain(command: Command, folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    book, before, after = folders
    out = tmp_path / "out"
    said = command("pnl", book, "--before", before, "--after", after, "--out", out, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert {path.name for path in out.iterdir()} == {"components.csv", "moves.csv", "trades.csv", "values.csv", "pnl.html", "manifest.json"}
    values = pl.read_csv(out / "values.csv")
    assert told["gain"] == pytest.approx(values["gain"].sum(), rel=1e-12)
    assert sum(part["revalued"] for part in told["components"].values()) == pytest.approx(told["gain"], abs=1e-6)
    assert told["share"] < 0.01
    assert values.filter(pl.col("before") == 0)["trade_id"].to_list() == ["new", "fresh"]
    page = (out / "pnl.html").read_text(encoding="utf-8")
    for title in ("From nothing to the gain", "Greeks beside full revaluation", "By index and quote", "Trade by trade"):
        assert title in page
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["settings"]["rate_after"] == 0.04


def test_from_python_it_is_the_same(folders: tuple[Path, Path, Path]) -> None:
    trades, first, last = value_between(*folders, rates=(0.04, 0.05))
    found = tg.explain(trades, before=first, after=last)
    assert found.explained.passage.after.as_of == last.book.market.as_of
    assert found.components["revalued"].sum() == pytest.approx(found.gain, abs=1e-6)
    assert "discount" in found.components["factor"].cast(pl.String).to_list()
    assert set(found.to_pandas()) == {"components", "moves", "trades", "values"}
    assert "components" in found._repr_html_()
    bars = [trace for trace in found.waterfall().data if trace.name]
    assert [bar.name for bar in bars] == ["gains", "losses", "gain", "full revaluation"]
    assert sum(sum(bar.x) for bar in bars[:2]) == pytest.approx(bars[2].x[0], rel=1e-9)


def test_one_quote_that_moves_is_all_of_the_gain(folders: tuple[Path, Path, Path], month: list[Market]) -> None:
    trades, first, _ = value_between(*folders, rates=(0.04, 0.04))
    rows = tg.Book(trades.filter(pl.col("trade_id") == "forward"))
    state = first.book.market
    fixings = pl.DataFrame({"index": ["X"], "date": [FIRST], "value": [1.0], "published_at": [datetime.fromisoformat("2027-03-17T04:00Z")],
                            "source": ["none"]})  # fmt: skip
    empty = pl.read_csv(folders[1] / "curve" / "volatility.csv", try_parse_dates=True)

    def worth(size: float) -> Any:
        curve = state.curves["H100-SXM.US.FIRM"]
        bumped = curve.bump("H100-SXM.US.FIRM:2027-05", size) if size else curve
        return tg.value(rows, curve={curve.index: bumped}, fixings=fixings, volatility=empty, discount=tg.flat(0.04))

    move = tg.explain(rows, before=worth(0.0), after=worth(0.05))
    assert move.gain == pytest.approx(0.05 * dict(worth(0.0).delta("quote").iter_rows())["H100-SXM.US.FIRM:2027-05"], rel=1e-9)
    assert move.moves["bucket"].to_list() == ["H100-SXM.US.FIRM:2027-05"]


def test_days_are_counted_from_python(folders: tuple[Path, Path, Path]) -> None:
    _, first, last = value_between(*folders, rates=(0.04, 0.04))
    found = tg.explain_days([first, last])
    assert found.days.height == 1
    assert found.within == 1.0
    assert found.share == pytest.approx(found.days["share"][0], rel=1e-12)
    assert found.components["revalued"].sum() == pytest.approx(found.days["gain"].sum(), abs=1e-6)


def test_folders_the_wrong_way_round_are_refused(command: Command, folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    book, before, after = folders
    said = command("pnl", book, "--before", after, "--after", before, "--out", tmp_path / "out")
    assert said.code == 1
    assert "expected a moment at or after" in said.err
    assert not (tmp_path / "out").exists()


def test_folders_that_are_none_are_refused_both(command: Command, folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    said = command("pnl", folders[0], "--before", tmp_path / "a", "--after", tmp_path / "b", "--out", tmp_path / "out")
    assert said.code == 1
    assert "--before: found" in said.err
    assert "--after: found" in said.err


def test_an_output_that_holds_an_input_is_refused(command: Command, folders: tuple[Path, Path, Path]) -> None:
    book, before, after = folders
    said = command("pnl", book, "--before", before, "--after", after, "--out", before)
    assert said.code == 1
    assert (before / "curve").is_dir()


def test_something_else_than_trades_is_refused(folders: tuple[Path, Path, Path]) -> None:
    _, first, last = value_between(*folders, rates=(0.04, 0.04))
    with pytest.raises(InputError, match="a table of trades with their trade_id"):
        tg.explain(pl.DataFrame({"name": ["x"]}), before=first, after=last)


def test_moves_past_the_first_sixteen_are_drawn_as_one() -> None:
    names = [f"A:2027-{month:02d}" for month in range(1, 13)] + [f"B:2027-{month:02d}" for month in range(1, 13)]
    rows = pl.DataFrame({"factor": "curve", "index": [name[0] for name in names], "bucket": names, "move": 0.1,
                         "first": [float(2 ** -place) for place in range(24)], "second": 0.0})  # fmt: skip
    found = moved(ExplainMoves.validate(rows, cast=True))
    assert found["name"].to_list()[:2] == ["A 2027-01", "A 2027-02"]
    assert found["name"][-1] == "8 others"
    assert found["amount"].sum() == pytest.approx(rows["first"].sum(), rel=1e-12)

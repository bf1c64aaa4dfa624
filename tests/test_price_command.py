"""`tenorgrid price` into a folder: tables, page and scenarios."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

Command = Callable[..., Any]


def test_a_book_in_a_folder_has_its_page_with_every_figure(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    book, out = weeks_folder / "value" / "trades.csv", tmp_path / "out"
    said = command("price", book, "--market", weeks_folder, "--scenarios", "--out", out, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["page"].endswith("value.html")
    assert {path.name for path in out.iterdir()} >= {
        "trades.csv",
        "values.csv",
        "risks.csv",
        "scenarios.csv",
        "value.html",
        "manifest.json",
    }
    page = (out / "value.html").read_text(encoding="utf-8")
    for title in ("Value by contract", "Delta by quote", "Delta by month", "Gains when prices and volatilities move"):
        assert title in page
    grid = pl.read_csv(out / "scenarios.csv")
    still = grid.filter(pl.col("price") == 0, pl.col("volatility") == 0)["gain"].item()
    assert still == 0
    cones = pl.read_csv(out / "cones.csv")
    assert cones.group_by("index").len()["len"].unique().to_list() == [28]
    assert (cones["upper"].drop_nulls() >= cones["lower"].drop_nulls()).all()


def test_volatility_by_expiry_changes_options_and_a_falling_one_is_refused(command: Command, weeks_folder: Path, tmp_path: Path) -> None:
    book = weeks_folder / "value" / "trades.csv"
    trades = pl.read_csv(book).filter(pl.col("kind") == "capacity")
    names = trades["index"].unique().sort().to_list()

    def priced(last: float) -> tuple[int, str, str]:
        rows = [
            f"{name},black,{end},{sigma}"
            for name in names
            for end, sigma in (("2027-03-05T05:00:00Z", 0.9), ("2027-06-01T04:00:00Z", last))
        ]
        terms = tmp_path / "terms.csv"
        terms.write_text("index,model,end,volatility\n" + "\n".join(rows) + "\n", encoding="utf-8")
        said = command("price", book, "--market", weeks_folder, "--expiries", terms, "--json")
        return said.code, said.out, said.err

    flat, higher, falling = priced(0.9), priced(1.4), priced(0.1)
    assert flat[0] == higher[0] == 0
    values = [json.loads(said[1])["trades"] for said in (flat, higher)]
    assert all(values[0][name] != values[1][name] for name in trades["trade_id"])
    assert falling[0] == 1
    assert "expected a total variance σ² T not below that of 0.9" in falling[2]


def test_contracts_of_ones_own_and_an_index_that_ended_change_the_book_and_are_told(
    command: Command, weeks_folder: Path, tmp_path: Path
) -> None:
    trades = pl.read_csv(weeks_folder / "value" / "trades.csv").filter(pl.col("kind") == "forward").head(1)
    index = trades["index"][0]
    plain = command("price", weeks_folder / "value" / "trades.csv", "--market", weeks_folder, "--json")
    trades.write_csv(tmp_path / "book.csv")
    before = json.loads(plain.out)["trades"][trades["trade_id"][0]]
    (tmp_path / "fallbacks.csv").write_text(f"index,kind,first,limit\n{index},price-limit,2027-01-01,0.000001\n", encoding="utf-8")
    out = tmp_path / "out"
    found = command(
        "price", tmp_path / "book.csv", "--market", weeks_folder, "--fallbacks", tmp_path / "fallbacks.csv", "--out", out, "--json"
    )
    assert found.code == 0, found.err
    assert json.loads(found.out)["value"] != before
    changes = pl.read_csv(out / "fixing_changes.csv")
    assert set(changes["kind"]) == {"price-limit"}
    wrong = tmp_path / "mine.toml"
    wrong.write_text("[GPX]\nsize = 3\n", encoding="utf-8")
    refused = command("price", tmp_path / "book.csv", "--market", weeks_folder, "--products", wrong)
    assert refused.code == 1
    assert "an unlisted key" in refused.err

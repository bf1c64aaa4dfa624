"""Folders of valuations with their page."""

from pathlib import Path

import polars as pl

from tenorgrid.data.store import write_table
from tenorgrid.data.tables.book import Scenarios
from tenorgrid.reports.pages.valuation import FILE, render
from tenorgrid.results import Valued


def write_value_page(trades: pl.DataFrame, valued: Valued, folder: Path, *, source: str, scenarios: pl.DataFrame | None = None) -> str:
    """The page of a valuation into a folder that holds its values, with the tables that only it draws: `cones`, `scenarios`; its name.

    Args:
        trades: `Trades`.
        valued: what they are worth.
        folder: that exists.
        source: what the book is called.
        scenarios: `Scenarios` of the book; None draws none.
    """
    cones, grid = valued.cones(), Scenarios.create_empty() if scenarios is None else scenarios
    for name, frame in {"cones": cones, "scenarios": grid}.items():
        if not frame.is_empty():
            write_table(folder, name, frame)
    page = render(trades, valued.values, valued.book.totals, scenarios=grid, cones=cones, source=source)
    (folder / FILE).write_text(page, encoding="utf-8")
    return FILE

"""Baskets, in the hand of a desk: `tg.basket(marks, definition=...)`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.store import write_manifest, write_table, write_version, writing
from tenorgrid.indices.audit import write_audit
from tenorgrid.indices.baskets.basket import basket_marks
from tenorgrid.indices.baskets.formulas import by_formula
from tenorgrid.indices.baskets.terms import Basket
from tenorgrid.mark_tables import read_marks
from tenorgrid.results import Marks, Tables

TABLES = ("marks", "contributions", "rebalancings", "formulas")
MARKS = "marks"


@dataclass(frozen=True, kw_only=True)
class BasketStudy(Tables):
    """A basket's marks, which settle like any others, who moved them, its rebalancings, and its series by every formula.

    `marks` holds those of the baskets in it first; `audits` has index, date and the audit of each as one JSON text; `left_out` says of
    each formula that could not be had why.
    """

    basket: Basket = field(repr=False)
    marks: pl.DataFrame
    contributions: pl.DataFrame = field(repr=False)
    rebalancings: pl.DataFrame = field(repr=False)
    formulas: pl.DataFrame = field(repr=False)
    audits: pl.DataFrame = field(repr=False)
    left_out: Mapping[str, str] = field(repr=False)

    def page(self, *, source: str = "marks") -> str:
        """The page of figures as one HTML text; `source` is what the marks are called."""
        from tenorgrid.reports.pages.baskets import render  # plotly, only needed here

        frames = {name: getattr(self, name) for name in TABLES}
        return render(frames, index=self.basket.index, name=self.basket.name, source=source, left_out=self.left_out)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None, settings: Mapping[str, object] | None = None) -> Path:
        """Write the tables, the audit and the page into `folder`, replaced as a whole; returns the path of the page.

        Args:
            folder: where.
            inputs: what was read, for the manifest.
            settings: what else was chosen.
        """
        from tenorgrid.reports.pages.baskets import FILE

        page = self.page(source=", ".join(inputs or {}) or "marks")
        rule = {"definition": self.basket.name, "method_hash": self.basket.hash, "timezone": self.basket.timezone}
        with writing(folder) as temporary:
            write_version(temporary, MARKS, self.marks, before=folder)
            for name in TABLES[1:]:
                write_table(temporary, name, getattr(self, name))
            write_audit(self, temporary / "audit.jsonl")
            (temporary / FILE).write_text(page, encoding="utf-8")
            write_manifest(temporary, command="basket", inputs=inputs, settings=rule | dict(settings or {}))
        return folder / FILE


def basket(
    marks: Marks | pl.DataFrame | Path | str,
    definition: Basket | Path | str,
    *,
    at: datetime | None = None,
    written_by: datetime | None = None,
) -> BasketStudy:
    """Marks of a basket, and of the baskets in it, from marks of what it holds.

    Args:
        marks: what `tg.mark` gave, a `Marks` frame, its file, the folder that holds it, or a publisher's history.
        definition: a shipped basket (`hopper-us`, `accelerators-us`, `work-us`, ...) or a TOML file.
        at: only marks published by this moment, with its time zone; None is all.
        written_by: of a folder into which several runs have written, the last by this moment; None is the last of all.

    Raises `InputError` with every fault of the marks and of the definition.

    >>> from datetime import UTC, timedelta
    >>> days = [datetime(2027, 1, day, 5, tzinfo=UTC) for day in (1, 2, 3)]
    >>> prices = {"H100-SXM.US.FIRM": [2.0, 2.2, 2.1], "H200-SXM.US.FIRM": [3.0, 3.0, 3.3]}
    >>> rest = {"methodology": "house", "revision": 0, "unit": "USD/GPUh", "quantity": 1000.0, "status": "published", "method_hash": "0"}
    >>> rows = [
    ...     {"index": name, "start": day, "end": day + timedelta(1), "published_at": day + timedelta(1), "value": value} | rest
    ...     for name, values in prices.items() for day, value in zip(days, values)
    ... ]
    >>> found = basket(pl.DataFrame(rows), "hopper-us")
    >>> found.marks["value"].to_list(), found.formulas.filter(formula="fisher")["level"].round(6).to_list()
    ([2.5, 2.6, 2.7], [2.5, 2.6, 2.7])
    """
    known = read_marks(marks, as_of=at, written_by=written_by)
    run = basket_marks(known, definition=definition, at=at)
    inner = run.marks.filter(pl.col("index") != run.basket.index)
    compared = by_formula(pl.concat([known, inner]), definition=run.basket)
    return BasketStudy(
        basket=run.basket,
        marks=run.marks,
        contributions=run.contributions,
        rebalancings=run.rebalancings,
        formulas=compared.levels,
        audits=run.audits,
        left_out={str(formula): reason for formula, reason in compared.left_out.items()},
    )


def shown(study: BasketStudy) -> list[dict[str, Any]]:
    """The basket's own marks as plain rows, for a command to print."""
    own = study.marks.filter(pl.col("index") == study.basket.index)
    return own.select(pl.col("start").dt.to_string("%Y-%m-%dT%H:%M:%SZ"), "value", "unit", pl.col("status").cast(pl.String)).to_dicts()

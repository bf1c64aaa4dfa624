"""P&L explain in the hand of a desk: `tg.explain(book, before=..., after=...)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tenorgrid.booking import Book, trades_of
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import write_manifest, write_table, writing
from tenorgrid.data.terms.tickets.ticket import Ticket
from tenorgrid.derivatives.explain import Explained, ExplainedRun, explained
from tenorgrid.derivatives.explain import explain_days as explain_each
from tenorgrid.results import Tables, Valued

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True)
class Explanation(Tables):
    """What a book gained, and what of: the tables of `tenorgrid.data.tables.explain`.

    `components` is the book by factor, Greeks beside full revaluation; `trades` the same by trade; `moves` what quotes, volatilities,
    correlations and the discount moved and gained; `values` each trade's value before and after and the cash between.
    """

    components: pl.DataFrame
    moves: pl.DataFrame = field(repr=False)
    trades: pl.DataFrame = field(repr=False)
    values: pl.DataFrame = field(repr=False)
    explained: Explained = field(repr=False)

    @property
    def gain(self) -> float:
        """Value after, cash between, less value before, USD."""
        return self.explained.gain

    @property
    def residual(self) -> float:
        """What the Greeks leave unsaid, USD."""
        return self.explained.residual

    @property
    def share(self) -> float:
        """Absolute residual over the sum of the absolute components."""
        return self.explained.share

    def waterfall(self) -> "go.Figure":
        """From nothing to the gain, factor by factor."""
        from tenorgrid.reports.figures.explain import waterfall

        return waterfall(self.components, residual=self.residual)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.explain import render

        way = self.explained.passage
        return render(self.tables(), before=way.before.as_of, after=way.after.as_of, timezone=way.before.timezone, residual=self.residual)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None, settings: Mapping[str, object] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.explain import FILE

        page = self.page()
        with writing(folder) as temporary:
            for name, frame in self.tables().items():
                write_table(temporary, name, frame)
            (temporary / FILE).write_text(page, encoding="utf-8")
            write_manifest(temporary, command="pnl", inputs=dict(inputs or {}), settings=dict(settings or {}))
        return folder / FILE


@dataclass(frozen=True, kw_only=True)
class ExplainedDays(Tables):
    """Gains of many days: `days` (`ExplainDays`) a row each with its residual, `components` (`ExplainComponents`) of all together."""

    days: pl.DataFrame
    components: pl.DataFrame
    run: ExplainedRun = field(repr=False)

    @property
    def share(self) -> float:
        """Absolute residual of all days together over the sum of the absolute components of all of them together."""
        return self.run.share

    @property
    def within(self) -> float:
        """Part of the days whose residual is below a hundredth of their own absolute components."""
        return self.run.within


def explain(book: pl.DataFrame | Book | Ticket, *, before: Valued, after: Valued, cash: pl.DataFrame | None = None) -> Explanation:
    """Explain what a book gained between two of its valuations.

    Args:
        book: `Trades`, a `tg.Book` or one ticket: those to explain, each valued before, after or both. A trade that is only after is new,
            one only before has ended.
        before: its valuation at the earlier moment, by `tg.value`.
        after: its valuation at a later moment, or on another market of the same.
        cash: trade_id and amount (USD to the book) of what trades paid in between whose kind does not tell.

    Raises `InputError` for a later valuation of an earlier moment or another time zone, trades that neither knows, and cash that is not
    told, or told where it is worked out; `NotPublishedError` naming the days whose fixings are missing.
    """
    rows = trades_of(book)
    if "trade_id" not in rows.columns:
        raise InputError.of("trades", "a table of trades with their trade_id", value=", ".join(rows.columns[:8]))
    return as_explanation(explained(before.book, after.book, trades=rows["trade_id"].to_list(), cash=cash))


def as_explanation(found: Explained) -> Explanation:
    """An explanation with the manners of every result."""
    return Explanation(components=found.components, moves=found.moves, trades=found.trades, values=found.values, explained=found)


def explain_days(values: Sequence[Valued]) -> ExplainedDays:
    """Explain a book from each of its valuations to the next, and count how much of the gains the Greeks leave unsaid.

    Args:
        values: by `tg.value`, in the order of time; the book may change from one to the next.

    Raises `InputError` for fewer than two, and as `explain` does.
    """
    found = explain_each([one.book for one in values])
    return ExplainedDays(days=found.days, components=found.components, run=found)

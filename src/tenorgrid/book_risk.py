"""What a book may lose, in the hand of a desk: `tg.risk(valued)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from pathlib import Path
from warnings import warn

import polars as pl

from tenorgrid.data.errors import InputError, PartLeftOutWarning
from tenorgrid.data.store import write_manifest, write_table, writing
from tenorgrid.data.tables.risk import Exposures, TailRisks
from tenorgrid.derivatives.margin import moves
from tenorgrid.derivatives.margin.exposure import exposure, followed
from tenorgrid.derivatives.margin.revalued import Method, gains
from tenorgrid.derivatives.margin.rolling import judged, rolling
from tenorgrid.derivatives.margin.span import MarginRule, margin, risk_array
from tenorgrid.derivatives.margin.stress import stress, usual
from tenorgrid.derivatives.margin.tail import Tail, tail
from tenorgrid.results import Tables, Valued

DRAWS = 10_000


@dataclass(frozen=True, kw_only=True)
class BookRisk(Tables):
    """Tables of `tenorgrid.data.tables.risk`: tails, stress, margin, scan, exposure, backtest and tests; and `outcomes` by method.

    `exposure` is empty where an index has no volatility or correlation to draw from, or where it is not known what will be left of a trade.
    """

    source: str
    value: float
    tails: pl.DataFrame = field(repr=False)
    outcomes: pl.DataFrame = field(repr=False)
    stress: pl.DataFrame = field(repr=False)
    margin: pl.DataFrame = field(repr=False)
    scan: pl.DataFrame = field(repr=False)
    exposure: pl.DataFrame = field(repr=False)
    backtest: pl.DataFrame = field(repr=False)
    tests: pl.DataFrame = field(repr=False)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.risk import render

        return render(self.tables(), value=self.value, source=self.source)

    def save(self, out: Path | str, *, inputs: Mapping[str, Path] | None = None, settings: Mapping[str, object] | None = None) -> Path:
        """Tables, manifest and page in a folder, replaced as a whole; the page's path."""
        from tenorgrid.reports.pages.risk import FILE

        with writing(Path(out)) as folder:
            for name, frame in self.tables().items():
                write_table(folder, name, frame)
            (folder / FILE).write_text(self.page(), encoding="utf-8")
            write_manifest(folder, command="risk", inputs=inputs, settings=settings)
        return Path(out) / FILE


def risk(
    valued: Valued,
    *,
    history: pl.DataFrame | None = None,
    levels: Sequence[float] = (0.975,),
    days: int = 1,
    scenarios: pl.DataFrame | None = None,
    rule: MarginRule | None = None,
    exposure_days: Sequence[date] | None = None,
    method: Method = "grid",
    draws: int = DRAWS,
    freedom: float | None = None,
    reversion: float = 0.0,
    seed: int = 0,
    source: str = "book",
) -> BookRisk:
    """Value at risk and shortfall by several methods, stress, margin, exposure, and a back-test of today's book.

    Args:
        valued: what `tg.value` gave.
        history: `Fixings` of the book's indices; None are those that the book was valued with.
        levels: of value at risk and shortfall; the first is that of the back-test.
        days: horizon.
        scenarios: `StressScenarios`; None are the usual ones.
        rule: of the margin; None is the house's.
        exposure_days: local days; None are some up to a year ahead.
        method: how moves are priced: `grid` (in full at nodes, interpolated between them), `full`, `worst` or `greeks`.
        draws: of the simulated tail and the exposure, even.
        freedom: of Student's t of the draws; None is normal.
        reversion: κ a year by which far hours move less.
        seed: of the draws.
        source: what the page calls the book.

    Warns with `PartLeftOutWarning` where drawn moves and exposure, or exposure alone, cannot be made.
    Raises `InputError` for a history that is too short, has gaps or lacks an index of the book, and for every argument that cannot be.
    """
    book, agreed = valued.book, valued.agreed
    indices = read_by(valued)
    past = valued.history if history is None else history
    house = rule or MarginRule()
    sets = {
        "filtered": moves.filtered(past, indices, days=days),
        "historical": moves.unfiltered(past, indices, days=days),
    }
    if known := _drawable(valued, indices):
        sets["normal" if freedom is None else "student-t"] = moves.drawn(
            book.market, indices, count=draws, seed=seed, days=days, freedom=freedom
        )  # fmt: skip
    gained = {
        name: gains(
            agreed, book.market, drawn, method=method, level=min(levels), reversion=reversion
        )
        for name, drawn in sets.items()
    }  # fmt: skip
    backtest = rolling(book, past, indices, level=levels[0])
    named = usual() if scenarios is None else scenarios
    array = risk_array(agreed, book.market, house, indices=indices)
    close = {how.__name__: how(past, indices, days=house.days) for how in (moves.filtered, moves.unfiltered)}
    return BookRisk(
        source=source,
        value=book.value,
        tails=TailRisks.validate(
            pl.DataFrame([_row(name, tail(made, level=level), days) for name, made in gained.items() for level in levels]), cast=True
        ),
        outcomes=pl.concat(pl.DataFrame({"gain": made}).select(pl.lit(name).alias("method"), "gain") for name, made in gained.items()),
        stress=stress(agreed, book.market, named),
        margin=margin(agreed, book, scaled=close["filtered"], past=close["unfiltered"], rule=house, scenarios=named, array=array),
        scan=array,
        exposure=exposure(agreed, book.market, days=exposure_days, count=draws, seed=seed, freedom=freedom)
        if known and _followed(valued)
        else Exposures.create_empty(),
        backtest=backtest,
        tests=judged(backtest, level=levels[0]),
    )


def read_by(valued: Valued) -> list[str]:
    """Indices that move a book, by name. Raises `InputError` for a book that nothing moves."""
    found = sorted({block.index for part in valued.book.parts for block in part.priced.blocks})
    if not found:
        raise InputError.of("book", "a trade that some index moves")
    return found


def _drawable(valued: Valued, indices: list[str]) -> bool:
    """Whether there is all that moves are drawn from; warns of what there is not."""
    market = valued.book.market
    lacking = [f"volatility of {index}" for index in indices if index not in market.volatility]
    pairs = [(first, second) for first in indices for second in indices if first < second]
    lacking += [f"correlation of {first} and {second}" for first, second in pairs if frozenset((first, second)) not in market.correlation]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        warn(f"no drawn moves and no exposure: they need a {lacking[0]}{more}", PartLeftOutWarning, stacklevel=3)
    return not lacking


def _followed(valued: Valued) -> bool:
    """Whether it is known of every kind what is left of it at later days; warns where it is not."""
    strange = sorted(str(kind) for kind in valued.agreed if not followed(kind))
    if strange:
        warn(f"no exposure: it is not known what will be left of {', '.join(strange)}", PartLeftOutWarning, stacklevel=3)
    return not strange


def _row(method: str, found: Tail, days: int) -> dict[str, object]:
    return {
        "method": method, "level": found.level, "days": days, "outcomes": found.outcomes, "value_at_risk": found.value_at_risk,
        "lower": found.lower,
        "upper": found.upper if isfinite(found.upper) else None, "expected_shortfall": found.expected_shortfall, "error": found.error,
    }  # fmt: skip

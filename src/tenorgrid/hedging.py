"""What contracts remove of the volatility of a fleet's cost: `tg.hedge_study(...)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.store import write_result
from tenorgrid.data.tables import hedging as tables
from tenorgrid.data.tables.door import checked
from tenorgrid.hedging_prices import Priced, priced
from tenorgrid.mark_tables import read_marks
from tenorgrid.results import Tables
from tenorgrid.settlement.effectiveness import Vector
from tenorgrid.settlement.held_back import HeldBack, held_back

FIRST = 2 / 3
HORIZONS = (1, 7)
DRAWS = 2000


@dataclass(frozen=True, kw_only=True)
class HedgeStudy(Tables):
    """`study` has a row an item, volume, contract and horizon; the other tables are those of `tenorgrid.data.tables.hedging`."""

    source: str = field(repr=False)
    seed: int
    study: pl.DataFrame
    ratios: pl.DataFrame = field(repr=False)
    weights: pl.DataFrame = field(repr=False)
    days: pl.DataFrame = field(repr=False)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.hedging import render  # plotly, only needed here

        return render(self.tables(), source=self.source)

    def save(self, folder: Path, *, inputs: dict[str, Path] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.hedging import FILE

        settings = {"source": self.source, "seed": self.seed}
        return write_result(
            folder, self.tables(), pages={FILE: self.page()}, command="hedge-study", inputs=inputs, settings=settings
        )  # fmt: skip


def hedge_study(
    source: pl.DataFrame | Path | str,
    *,
    items: Mapping[str, str],
    contracts: Mapping[str, str],
    first: float = FIRST,
    horizons: Sequence[int] = HORIZONS,
    draws: int = DRAWS,
    seed: int = 0,
    methodology: str | None = None,
) -> HedgeStudy:
    """Ratios of the first days and the volatility they remove on the days held back, with intervals by a block bootstrap.

    Contracts pay their index of each day less a price that was fixed before, so what they pay moves with the index day by day.
    An item's cost is Σ work × price over its indices joined by `+`: at the mean work of the first days (`fixed`), and, where marks have
    quantities, at the work of each day (`served`), which no price hedges. A contract's legs are parted by `,` with a ratio each; indices
    joined by `+` are one leg, in the shares of the first days' quantities.

    Args:
        source: marks: frame, file, folder or run folder.
        items: costs by name, such as {"decode": "LLAMA-7B-DECODE.US-EAST.FIRM+LLAMA-7B-DECODE.EU-NORTH.FIRM"}.
        contracts: hedges by name; the first is what others are compared with.
        first: share of the days that ratios are estimated on.
        horizons: days that changes are over.
        draws, seed: of the bootstrap.
        methodology: whose marks; None where an index has those of one.

    Raises `InputError` with every fault: unknown indices, days without a mark, quantities that a `+` needs and marks lack, too few days,
    and what does not move.

    >>> from datetime import UTC, datetime, timedelta
    >>> starts = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(60)]
    >>> ends, prices = pl.Series(starts) + timedelta(days=1), pl.Series([2.5 + (day**2 % 7) / 10 for day in range(60)])
    >>> marks = pl.DataFrame({"index": "MINE", "methodology": "house", "start": starts, "end": ends, "published_at": ends, "revision": 0,
    ...     "value": prices, "unit": "USD/GPUh", "quantity": 4.0, "status": "published", "method_hash": ""})
    >>> made = hedge_study(marks, items={"mine": "MINE"}, contracts={"same": "MINE"}, horizons=[1], draws=100)
    >>> made.study["removed"].round(9).to_list(), made.ratios["ratio"].round(9).to_list()
    ([1.0, 1.0], [4.0, 4.0])
    """
    if not 0 < first < 1 or not horizons or draws < 100:
        found = f"first {first}, {len(horizons)} horizons, {draws} draws"
        raise InputError.of("hedge_study", "a share of days between 0 and 1, at least one horizon and 100 draws", value=found)
    read = priced(read_marks(source), items=items, contracts=contracts, first=first, methodology=methodology)
    rows: list[dict[str, Any]] = []
    ratios: list[dict[str, Any]] = []
    for item in read.items:
        for horizon in horizons:
            rng = np.random.default_rng([seed, horizon])  # the same draws for every item: what differs between them is not luck
            judged = _held_back(item.values, read, item=item.name, horizon=horizon, draws=draws, rng=rng)
            keys = {"item": item.name, "volume": item.volume, "horizon": horizon}
            for (name, legs), one in zip(read.contracts.items(), judged, strict=True):
                rows.append(keys | {"contract": name, "first_days": read.first} | _told(one, judged[0]))
                ratios += [keys | {"contract": name, "leg": leg.name, "ratio": h} for leg, h in zip(legs, one.ratios, strict=True)]
    return HedgeStudy(
        source="marks" if isinstance(source, pl.DataFrame) else Path(source).name, seed=seed,
        study=_table(rows, tables.HedgeStudy, "study"), ratios=_table(ratios, tables.HedgeRatios, "ratios"),
        weights=_table(read.weights, tables.HedgeWeights, "weights"), days=checked(read.days(), tables.HedgeDays, name="days"),
    )  # fmt: skip


def _held_back(values: Vector, read: Priced, *, item: str, horizon: int, draws: int, rng: np.random.Generator) -> list[HeldBack]:
    legs = [np.column_stack([leg.values for leg in one]) for one in read.contracts.values()]
    try:
        return held_back(values, legs, first=read.first, horizon=horizon, draws=draws, rng=rng)
    except InputError as error:
        names = dict(zip([f"contract {place + 1}" for place in range(len(legs))], read.contracts, strict=True)) | {"item": item}
        raise InputError(
            Fault(file=one.file, row=one.row, column=names.get(one.column or "", one.column), value=one.value, expected=one.expected)
            for one in error.faults
        ) from error


def _told(one: HeldBack, narrow: HeldBack) -> dict[str, Any]:
    known = np.isfinite(one.draws)
    return {
        "held_back": one.changes, "in_sample": one.in_sample, "removed": one.removed,
        "lower": one.lower, "upper": one.upper, "variance_removed": 1 - (1 - one.removed) ** 2,
        "unhedged": one.unhedged, "hedged": one.hedged,
        "better": None if one is narrow else float((one.draws > narrow.draws)[known].mean()),
    }  # fmt: skip


def _table(rows: list[dict[str, Any]], schema: Any, name: str) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.selectors.float().fill_nan(None))
    return checked(frame.select(*schema.columns()), schema, name=name)

"""The table of what moves each trade, from blocks of sensitivities."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.kinds.contract import RiskKind
from tenorgrid.data.tables.book import Risks
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced

TICK = 0.01
DAYS = 365.0
ROUNDING = 1e-10  # part of a trade's largest sensitivity of its kind
GPU_HOURS = "GPU-hours"
LOTS = "lots"  # of the quote's contract
USD_PER_TICK = "USD per 0.01"
HOURS_PER_TICK = "GPU-hours per 0.01"
USD_PER_DAY = "USD per day"
MONTH = "month "  # what month buckets begin with, so that no quote is taken for one


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Trades of one kind: their rows in the book, and what their pricing gave."""

    trades: pl.DataFrame
    priced: Priced


def risk_table(parts: Sequence[Part], names: pl.Series, market: Market) -> pl.DataFrame:
    """`Risks` of a book, in the order of its trades; what is 0 to rounding has no row.

    Args:
        parts: by kind.
        names: trade_id by row of the book.
        market: whose curves the buckets are of.
    """
    labels = _Labels()
    told = _added([piece for part in parts for piece in _pieces(part, market, labels)]).sort("row", "risk", maintain_order=True)
    return Risks.cast(labels.named(told).with_columns(names.gather(told["row"]).alias("trade_id")).select(Risks.column_names()))


def risk_totals(parts: Sequence[Part], market: Market) -> pl.DataFrame:
    """Columns risk, bucket, unit and amount: the sums of `risk_table` over the trades, without making it."""
    labels = _Labels()
    return labels.named(_added([piece for part in parts for piece in _pieces(part, market, labels, whole=True)]))


class _Labels:
    """Numbers for texts that stand in millions of rows."""

    def __init__(self) -> None:
        self.place: dict[str, int] = {}

    def of(self, names: Iterable[str]) -> Counts:
        return np.array([self.place.setdefault(name, len(self.place)) for name in names], dtype=np.int64)

    def named(self, rows: pl.DataFrame) -> pl.DataFrame:
        texts = pl.Series(list(self.place), dtype=pl.String)
        kinds = pl.Series([str(kind) for kind in RiskKind])
        return rows.select(
            kinds.gather(rows["risk"]).alias("risk"), texts.gather(rows["bucket"]).alias("bucket"), "amount",
            texts.gather(rows["unit"]).alias("unit"),
        )  # fmt: skip


def _added(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    """One row a trade, risk, unit and bucket: a trade may have several blocks of one index."""
    types = {"row": pl.Int32, "risk": pl.Int8, "unit": pl.Int32, "bucket": pl.Int32, "amount": pl.Float64}
    whole = pl.concat([pl.DataFrame(schema=types), *pieces])
    return whole.group_by("row", "risk", "unit", "bucket", maintain_order=True).agg(pl.col("amount").sum())


def _pieces(part: Part, market: Market, labels: _Labels, *, whole: bool = False) -> Iterator[pl.DataFrame]:
    row = part.trades["number"].to_numpy().astype(np.int64) - 1
    units = part.trades["unit"] if "unit" in part.trades.columns else pl.Series([GPU_HOURS] * part.trades.height)
    distinct = units.unique(maintain_order=True)
    unit = labels.of(distinct)[units.replace_strict(distinct, np.arange(distinct.len()), return_dtype=pl.Int32).to_numpy()]
    told = partial(_piece, whole=whole)
    for block in part.priced.blocks:
        quotes, months = market.curves[block.index].quotes["quote_id"], market.months[block.index][0]
        for mine, of in _by_own(block, part.trades["index"]):
            rows = block.rows[mine]
            said = unit[rows] if block.unit is None else np.full(rows.size, labels.of([block.unit])[0])
            quote, month = (labels.of(names) for names in ([f"{name}{of}" for name in quotes], [f"{MONTH}{name}{of}" for name in months]))
            for amounts, bucket in ((block.quotes[mine], quote), (block.months[mine], month)):
                for one in np.unique(said):
                    here = said == one
                    yield told(RiskKind.DELTA, row[rows[here]], bucket, amounts[here], one)
                yield told(RiskKind.DELTA, row[rows], bucket, amounts * TICK, labels.of([USD_PER_TICK])[0])
            yield told(RiskKind.DELTA, row[rows], quote, block.quotes[mine] / market.lots[block.index], labels.of([LOTS])[0])
            if block.gamma is not None:
                yield told(RiskKind.GAMMA, row[rows], month, block.gamma[mine] * TICK, labels.of([HOURS_PER_TICK])[0])
            if block.vega is not None:
                yield told(RiskKind.VEGA, row[rows], month, block.vega[mine] * TICK, labels.of([USD_PER_TICK])[0])
    yield told(RiskKind.THETA, row, labels.of(["day"]), part.priced.theta[:, None] / DAYS, labels.of([USD_PER_DAY])[0])
    for pair, rows, amount in part.priced.correlation:
        yield told(RiskKind.CORRELATION, row[rows], labels.of([" | ".join(pair)]), amount[:, None] * TICK, labels.of([USD_PER_TICK])[0])


def _by_own(block: Block, own: pl.Series) -> Iterator[tuple[Counts, str]]:
    """Rows of the block whose trade is of its index, and the others, whose buckets say the index."""
    mine = (own.gather(block.rows) == block.index).to_numpy()
    for chosen, of in ((np.flatnonzero(mine), ""), (np.flatnonzero(~mine), f" of {block.index}")):
        if chosen.size:
            yield chosen, of


def _piece(risk: RiskKind, row: Counts, bucket: Counts, amounts: Vector, unit: int, *, whole: bool) -> pl.DataFrame:
    """Long rows of sensitivities (n, buckets), without those that are 0 but for rounding."""
    if whole:
        row, amounts = np.zeros(1, np.int64), amounts.sum(axis=0, keepdims=True)
    size = np.abs(amounts)
    at, place = np.nonzero(size > ROUNDING * size.max(axis=1, keepdims=True, initial=0.0))
    kind = list(RiskKind).index(risk)
    return pl.DataFrame(
        {
            "row": row[at].astype(np.int32), "risk": np.full(at.size, kind, np.int8), "unit": np.full(at.size, unit, np.int32),
            "bucket": bucket[place].astype(np.int32), "amount": amounts[at, place],
        }
    )  # fmt: skip

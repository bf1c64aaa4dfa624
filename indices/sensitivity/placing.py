"""When in its window the rows of an attack on a mark are put."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import Estimator, FilterRule
from tenorgrid.indices.estimators import Places
from tenorgrid.indices.sensitivity.ground import INSIDE, STILL, Ground
from tenorgrid.indices.specification import Level
from tenorgrid.indices.windows import PERIOD

SOME = (1, 2, 4, 8, 16, 32, 64)  # of how many parts of a window it is tried
TICK = 1  # microsecond


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Moments, in microseconds, and the periods that they lie in; in a time-weighted average one row goes to each moment in turn."""

    times: Places
    periods: Places


def spots(ground: Ground, marks: Places) -> dict[int, list[Spot]]:
    """Where rows are put, for each mark.

    Just before the end of the window; with partitions just before the end of each of the 1, 2, 4, 8, ... parts of least weight, empty
    ones first, and of all; with a cap only those parts that one contributor more makes count; with filters that look at whole periods
    in each period of the window; and in a time-weighted average just after the prices that stood longest.
    """
    told = ground.marks.select("mark", "opens", "end", PERIOD)
    moments = told.with_columns(pl.col("opens", "end").to_physical())
    edges = {mark: (opens, end, period) for mark, opens, end, period in moments.iter_rows()}
    chosen = _partitions if ground.level.partitions > 1 else _longest if ground.level.estimator is Estimator.TWAP else None
    if chosen is None and any(part.within == "period" and part.rule not in (*STILL, FilterRule.JUMP) for part in ground.level.filters):
        chosen = _periods
    found = {}
    for mark in marks.tolist():
        opens, end, period = edges[mark]
        first, last = ground.bounds[mark], ground.bounds[mark + 1]
        if first == last and chosen is _partitions:
            found[mark] = [_alone(ground.level, opens, end, period)]
        elif chosen is None or first == last:
            found[mark] = [Spot(times=np.array([end - TICK]), periods=np.array([period]))]
        else:
            rows = ground.rows[first:last].filter(INSIDE)
            found[mark] = chosen(rows, ground.level, opens, end, period)
    return found


def _alone(level: Level, opens: int, end: int, period: int) -> Spot:
    """Where there is nothing else: so many parts as the level asks for."""
    count = min(part.partitions for part in (level.low_confidence, level.publish) if part is not None)
    return Spot(times=_ends(level, opens, end)[-count:], periods=np.full(count, period))


def _ends(level: Level, opens: int, end: int) -> Places:
    """The last moment of each part."""
    number = level.partitions
    found: Places = opens + -(-(end - opens) * np.arange(1, number + 1) // number) - TICK
    return found


def _partitions(rows: pl.DataFrame, level: Level, opens: int, end: int, period: int) -> list[Spot]:
    number = level.partitions
    ends = _ends(level, opens, end)
    part = (rows["time"].to_physical().to_numpy() - opens) * number // (end - opens)
    weight = np.bincount(part, weights=rows["quantity"].fill_null(1.0).to_numpy(), minlength=number)
    names = np.bincount(rows.with_columns(pl.Series("part", part)).select("part", "provider").unique()["part"].to_numpy(), minlength=number)
    needed = 0 if level.weights.cap is None else ceil(1 / level.weights.cap - 1e-9) - 1
    able = np.flatnonzero(names >= needed)
    order = able[np.argsort(weight[able], kind="stable")]
    counts = sorted({*(one for one in SOME if one < order.size), order.size} - {0})
    return [Spot(times=ends[np.sort(order[:count])], periods=np.full(count, period)) for count in counts]


def _periods(rows: pl.DataFrame, level: Level, opens: int, end: int, period: int) -> list[Spot]:
    last = Spot(times=np.array([end - TICK]), periods=np.array([period]))
    seen = rows.group_by(PERIOD).agg(pl.col("time").max().to_physical()).sort(PERIOD)
    return [*(Spot(times=np.array([time]), periods=np.array([one])) for one, time in seen.iter_rows() if one != period), last]


def _longest(rows: pl.DataFrame, level: Level, opens: int, end: int, period: int) -> list[Spot]:
    moments = rows.select(pl.col("time").to_physical(), PERIOD).unique("time").sort("time")
    times = moments["time"].to_numpy()
    stood = np.diff(np.append(times, end))
    order = np.argsort(-stood, kind="stable")
    order = order[stood[order] > TICK]
    return [Spot(times=times[order] + TICK, periods=moments[PERIOD].to_numpy()[order])]

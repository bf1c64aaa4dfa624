"""Promises out of sample: β from everything before a period, and what was interrupted in it, failures and all."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from tenorgrid.clearing.autocorrelation import MeanError, mean_error
from tenorgrid.clearing.availability import Panel
from tenorgrid.clearing.pooling import chance_of_recall, interruption, largest_sale
from tenorgrid.clearing.tier_estimates import LEAST, excess, ordered, verdict
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PromiseVerdict
from tenorgrid.data.tables.tiering import Backtest

PERIODS = 6


def backtest(record: Panel, promises: Mapping[str, float], *, periods: int = PERIODS) -> pl.DataFrame:
    """`Backtest` of one pool: equal periods, each held out in turn once it has a past, and all of them together.

    Args:
        record: of the pool.
        promises: π by tier.
        periods: into how many the record is cut; the first only teaches.

    Interrupted over sold hours of a period is compared with the promise. Its standard error allows for autocorrelation; the error that β
    carries from its own estimation is given beside it, and the score holds both against the difference.

    Raises `InputError` for fewer than two periods.
    """
    if periods < 2:
        raise InputError.of("periods", "at least 2, as the first only teaches", value=periods)
    edges = np.linspace(record.begin[0], record.begin[-1] + record.hours[-1], periods + 1)
    rows = []
    for tier, promise in ordered(promises):
        tested = []
        for number in range(1, periods):
            past, future = _parts(record, edges, number)
            if past is None or future is None:  # a gap in the record swallows the period
                continue
            sold = largest_sale(promise, past.share, past.weight)
            tested.append((future, sold))
            rows.append(
                _row(future, sold, promise)
                | {"tier": tier, "period": number, "begin": edges[number], "end": edges[number + 1], "trained": float(past.hours.sum())}
                | _training(past, future, sold, promise)
            )
        rows.append(_together(tested, promise) | {"tier": tier, "begin": edges[1], "end": edges[-1]})
    columns = {name: column.dtype for name, column in Backtest.columns().items()}
    found = pl.DataFrame([{"pool": record.pool, **row} for row in rows], schema_overrides={"period": pl.Int64, "verdict": pl.String})
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in found.columns]
    return found.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in columns.items())


def _parts(record: Panel, edges: "np.ndarray[tuple[int], np.dtype[np.float64]]", number: int) -> tuple[Panel | None, Panel | None]:
    def part(begin: float, end: float) -> Panel | None:
        try:
            return record.between(begin, end)
        except InputError:  # nothing recorded there
            return None

    return part(float(edges[0]), float(edges[number])), part(float(edges[number]), float(edges[number + 1]))


def _row(future: Panel, sold: float, promise: float) -> dict[str, object]:
    """What a sale of `sold` per listed hour met in a period."""
    if sold <= LEAST:
        return {"promise": promise, "overcommit": 0.0, "verdict": PromiseVerdict.NOT_SOLD.value}
    realised = interruption(sold, future.share, future.weight)
    error = mean_error(excess(future, sold, realised) / sold, future.hours)
    return {
        "promise": promise,
        "overcommit": sold,
        "chance_of_recall": chance_of_recall(sold, future.share, future.weight),
        **_interval(realised, promise, error),
    }


def _interval(realised: float, promise: float, error: MeanError | None) -> dict[str, object]:
    margin = None if error is None else error.margin()
    lower = None if margin is None else max(realised - margin, 0.0)
    return {
        "realised": realised,
        "standard_error": None if error is None else error.value,
        "lower": lower,
        "upper": None if margin is None else min(realised + margin, 1.0),
        "verdict": verdict(realised, promise, lower=lower).value,
    }


def _training(past: Panel, future: Panel, sold: float, promise: float) -> dict[str, float | None]:
    """The error that β's estimation puts on the share: that of E[(β − x)⁺] − π β over the past, per sold hour."""
    if sold <= LEAST:
        return {}
    learnt = mean_error(excess(past, sold, promise) / sold, past.hours)
    realised = interruption(sold, future.share, future.weight)
    seen = mean_error(excess(future, sold, realised) / sold, future.hours)
    both = np.hypot(0.0 if learnt is None else learnt.value, 0.0 if seen is None else seen.value)
    return {"training_error": None if learnt is None else learnt.value, "score": float((realised - promise) / both) if both > 0 else None}


def _together(tested: list[tuple[Panel, float]], promise: float) -> dict[str, object]:
    """All held-out periods as one stretch, each at the β that it was sold at."""
    sold = [(future, amount) for future, amount in tested if amount > LEAST]
    if not sold:
        return {"promise": promise, "verdict": PromiseVerdict.NOT_SOLD.value}
    hours = np.concatenate([future.hours for future, _ in sold])
    volume = np.concatenate([future.total * amount for future, amount in sold])
    missed = np.concatenate([np.maximum(1 - future.share / amount, 0.0) for future, amount in sold])
    scale = float(hours @ volume / hours.sum())
    realised = float((hours * volume) @ missed / (hours @ volume))
    error = mean_error(volume / scale * (missed - realised), hours)
    return {
        "promise": promise,
        "chance_of_recall": float((hours * volume) @ (missed > 0) / (hours @ volume)),
        **_interval(realised, promise, error),
    }

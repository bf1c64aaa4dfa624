"""Moves of several indices together: from their own past, rescaled to today's volatility, or drawn from a distribution.

A move is a change of the logarithm of a price over the horizon. Filtered historical simulation: each past day's returns, all indices' of
the same day together, are divided by the volatility that an EWMA expected for that day and multiplied by the one it expects now.
Sources: Hull and White, "Incorporating volatility updating into the historical simulation method", Journal of Risk 1 (1998); Barone-Adesi,
Giannopoulos and Vosper, "VaR without correlations for portfolios of derivative securities", Journal of Futures Markets 19 (1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.ewma import RISKMETRICS, WARM, ewma
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Fixings
from tenorgrid.derivatives.book.market import Market

LONGEST = 4  # days between two prints that are one return: a weekend with a holiday beside it
YEAR = 365.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Moves:
    """Log moves (n, indices) of some indices; `days` the n days they are of, where they are of days."""

    indices: tuple[str, ...]
    values: Vector
    days: tuple[date, ...] = ()


def filtered(history: pl.DataFrame, indices: Sequence[str], *, days: int = 1, decay: float = RISKMETRICS, warm: int = WARM) -> Moves:
    """Moves of filtered historical simulation, one for each common day after the first `warm` returns.

    Args:
        history: `Fixings`; days that one of the indices lacks are left out of all.
        indices: whose moves.
        days: horizon; a day's move times its root, as if days were independent.
        decay: λ of the EWMA, above 0 and below 1.
        warm: returns whose mean square is the first variance.

    Raises `InputError` for indices without prints, too few common ones, prints of 0 or less, and a gap of more than 4 days.
    """
    told, values = history_of(history, indices, least=warm + 2)
    if days < 1:
        raise InputError.of("moves", "a horizon of at least one day", column="days", value=days)
    returns = np.diff(np.log(values), axis=0)
    scaled = np.empty((len(returns) - warm, returns.shape[1]))
    for place, series in enumerate(returns.T):
        found = ewma(series, decay=decay, warm=warm)
        scaled[:, place] = series[warm:] / np.sqrt(found.variance) * np.sqrt(found.next_variance * days)
    return Moves(indices=tuple(indices), values=scaled, days=tuple(told[warm + 1 :]))


def unfiltered(history: pl.DataFrame, indices: Sequence[str], *, days: int = 1) -> Moves:
    """The past returns themselves, as they were, times the root of the horizon. Raises as `filtered` does."""
    told, values = history_of(history, indices, least=2)
    return Moves(indices=tuple(indices), values=np.diff(np.log(values), axis=0) * np.sqrt(days), days=tuple(told[1:]))


def drawn(
    market: Market, indices: Sequence[str], *, count: int, seed: int, days: int = 1, freedom: float | None = None
) -> Moves:  # fmt: skip
    """Moves drawn from the market's volatilities and correlations, in antithetic pairs.

    Args:
        market: `sigma` to the horizon and `rho` of every pair.
        indices: whose moves.
        count: how many, even.
        seed: of the draws.
        days: horizon, of 365 days a year.
        freedom: degrees of freedom of Student's t, above 2, one mixing variable for all indices; None is normal.

    Raises `InputError` for an odd count, a freedom of 2 or less, correlations that are not those of any variables, and an index without
    volatility or correlation.
    """
    if count < 2 or count % 2:
        raise InputError.of("moves", "an even number of draws", column="count", value=count)
    if freedom is not None and not freedom > 2:
        raise InputError.of("moves", "a freedom above 2", column="freedom", value=freedom)
    sigma = np.array([float(market.sigma(index, np.array([days / YEAR]))[0]) for index in indices]) * np.sqrt(days / YEAR)
    matrix = np.array([[market.rho(first, second) for second in indices] for first in indices])
    least, vectors = np.linalg.eigh(matrix)
    if least.min() < -1e-9:
        raise InputError.of(
            "correlation", "correlations that some variables can have together", value=f"an eigenvalue of {least.min():.3g}"
        )
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((count // 2, len(indices))) @ (vectors * np.sqrt(np.maximum(least, 0.0))).T
    if freedom is not None:
        normal *= np.sqrt((freedom - 2.0) / rng.chisquare(freedom, count // 2))[:, None]
    return Moves(indices=tuple(indices), values=np.concatenate([normal, -normal]) * sigma - 0.5 * sigma**2)


def history_of(history: pl.DataFrame, indices: Sequence[str], *, least: int) -> tuple[list[date], Vector]:
    """Common days of several indices and their prints (days, indices). Raises as `filtered` does."""
    rows = checked(history, Fixings, name="history").filter(pl.col("index").is_in(list(indices)))
    lacking = [index for index in indices if index not in set(rows["index"])]
    if lacking or not indices:
        raise InputError.of("history", "prints of every index", column="index", value=f"none of {', '.join(lacking) or 'any'}")
    wide = rows.pivot(on="index", index="date", values="value").sort("date").drop_nulls().select("date", *indices)
    if wide.height < least:
        raise InputError.of("history", f"at least {least} days with prints of {', '.join(indices)}", column="date", value=wide.height)
    values = wide.select(indices).to_numpy()
    bad = [(float(values[row, place]), indices[place], wide["date"][int(row)]) for row, place in np.argwhere(values <= 0)]
    faults = [
        Fault(file="history", column="value", value=f"{value:g} of {index} on {day}", expected="a print above 0")
        for value, index, day in bad
    ]  # fmt: skip
    told = wide["date"].to_list()
    faults += [
        Fault(file="history", column="date", value=f"{before} to {after}", expected=f"days at most {LONGEST} apart")
        for before, after in pairwise(told)
        if (after - before).days > LONGEST
    ]
    if faults:
        raise InputError(faults)
    return told, values

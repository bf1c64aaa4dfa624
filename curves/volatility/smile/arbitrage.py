r"""Arbitrage among option quotes: named by the trade that earns it and sized by what it earns.

Undiscounted calls C(K) of one expiry fall with the strike by no more than its distance, and are convex: a butterfly of three neighbours,
weighted so that it pays nothing outside them, may not cost less than nothing. Of one underlying, total variance at one moneyness K / F may
not fall with the expiry (a calendar spread; Gatheral and Jacquier 2014, Quantitative Finance 14, lemma 2.1).
"""

from datetime import datetime
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.index import SmileArbitrageKind, SmileQuote
from tenorgrid.data.tables.volatility import SmileArbitrages

TINY = 1e-9  # of the forward: less than that is rounding of the quotes
YEAR = 365.0 * 86400


def calls(forward: float, strikes: Vector, volatility: Vector, *, years: float, quoted: SmileQuote) -> Vector:
    """Undiscounted calls (n,) by Black (1976), or by Bachelier for normal volatilities.

    >>> calls(2.0, np.array([2.0]), np.array([0.5]), years=1.0, quoted=SmileQuote.NORMAL).round(6)
    array([0.199471])
    """
    deviation = volatility * np.sqrt(years)
    if quoted is SmileQuote.NORMAL:
        d = (forward - strikes) / deviation
        return np.asarray((forward - strikes) * ndtr(d) + deviation * np.exp(-(d**2) / 2) / np.sqrt(2 * np.pi))
    d = np.log(forward / strikes) / deviation + deviation / 2
    return np.asarray(forward * ndtr(d) - strikes * ndtr(d - deviation))


def years_between(as_of: datetime, expiry: datetime) -> float:
    """Years of 365 days."""
    return (expiry - as_of).total_seconds() / YEAR


def arbitrages(quotes: pl.DataFrame) -> pl.DataFrame:
    """`SmileArbitrages` among `OptionQuotes` of one moment, empty where there is none."""
    rows: list[dict[str, object]] = []
    for (contract,), own in quotes.sort("contract", "expiry", "strike").group_by("contract", maintain_order=True):
        slices = [(expiry, part) for (expiry,), part in own.group_by("expiry", maintain_order=True)]
        for expiry, part in slices:
            rows += [{"contract": contract, "expiry": expiry, **row} for row in _of_one(part)]
        for (_, near), (expiry, far) in pairwise(slices):
            rows += [{"contract": contract, "expiry": expiry, **row} for row in _of_two(near, far)]
    return SmileArbitrages.validate(pl.DataFrame(rows, schema=SmileArbitrages.create_empty().schema), cast=True)


def _of_one(part: pl.DataFrame) -> list[dict[str, object]]:
    forward, years, quoted = part["forward"][0], years_between(part["as_of"][0], part["expiry"][0]), SmileQuote(part["quoted"][0])
    strikes = part["strike"].to_numpy()
    price = calls(forward, strikes, part["volatility"].to_numpy(), years=years, quoted=quoted)
    rows = []
    for i in range(strikes.size - 1):
        for size, trade in (
            (price[i + 1] - price[i], "sell the call at the higher strike, buy that at the lower"),
            (price[i] - price[i + 1] - (strikes[i + 1] - strikes[i]), "sell the call spread for more than it can pay"),
        ):
            if size > TINY * forward:
                rows.append(_row(SmileArbitrageKind.MONOTONE, strikes[i : i + 2], size, trade))
    for i in range(1, strikes.size - 1):
        left = (strikes[i + 1] - strikes[i]) / (strikes[i + 1] - strikes[i - 1])
        size = price[i] - left * price[i - 1] - (1 - left) * price[i + 1]
        if size > TINY * forward:
            trade = f"sell one call at {strikes[i]:g}, buy {left:.4g} at {strikes[i - 1]:g} and {1 - left:.4g} at {strikes[i + 1]:g}"
            rows.append(_row(SmileArbitrageKind.BUTTERFLY, strikes[i - 1 : i + 2], size, trade))
    return rows


def _of_two(near: pl.DataFrame, far: pl.DataFrame) -> list[dict[str, object]]:
    """Total variance at the moneyness of both expiries' own strikes; between strikes nothing is assumed."""
    if SmileQuote(near["quoted"][0]) is not SmileQuote(far["quoted"][0]):
        return []
    rows = []
    normal = SmileQuote(near["quoted"][0]) is SmileQuote.NORMAL
    sides = []
    for part in (near, far):
        years, forward = years_between(part["as_of"][0], part["expiry"][0]), part["forward"][0]
        at = part["strike"] - forward if normal else part["strike"] / forward
        sides.append(
            {round(float(k), 9): (float(s), float(v), years) for k, s, v in zip(at, part["strike"], part["volatility"], strict=True)}
        )
    for at in sorted(sides[0].keys() & sides[1].keys()):
        (strike, early, short), (later_strike, late, long) = sides[0][at], sides[1][at]
        if early**2 * short > late**2 * long * (1 + 1e-12):
            forward, quoted = near["forward"][0], SmileQuote(near["quoted"][0])
            dear, cheap = (
                calls(forward, np.array([strike]), np.array([vol]), years=years, quoted=quoted)[0]
                for vol, years in ((early, short), (late, long))
            )
            if dear - cheap > TINY * forward:
                trade = (
                    f"sell the early call at {strike:g}, buy the late one at {later_strike:g}: it has less variance left than the early one"
                )
                rows.append(_row(SmileArbitrageKind.CALENDAR, np.array([strike, later_strike]), dear - cheap, trade))
    return rows


def _row(kind: SmileArbitrageKind, strikes: Vector, size: float, trade: str) -> dict[str, object]:
    return {"kind": str(kind), "strikes": ";".join(f"{strike:g}" for strike in strikes), "size": float(size), "meaning": trade}

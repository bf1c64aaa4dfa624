r"""Initial margin in the style of SPAN and SPAN 2, every component shown.

.. math:: M = \max\bigl((1 - s) \max(H, f P) + s \, S + B + L + C, \; O\bigr)

CME publishes for SPAN 2 a weighted sum of a historical risk H of scenarios scaled to today's volatility and a stress risk S, with a
liquidity and a concentration charge. It publishes too the older SPAN, which stands beside as `scan`: sixteen scenarios an index, prices
by thirds of a scan range up and down with volatility up and down, and two extreme moves of which a part counts; the worst of each index
added, with the charge between months, less the credit between indices, and at least the minimum for options sold (`spreads`). Levels,
ranges, rates and charges for GPU-hours are nobody's yet: they are the rule's own, and stated in it.

H is the expected shortfall of filtered historical moves; P that of the past moves as they were, a floor below it; S the worst of the stress
scenarios and of those past moves: so margin does not fall to nothing in calm times. B is the charge between months, which H and S do not
see as they move curves in parallel; L half the spread of bid and ask of each quote on its delta; C what the part of a delta beyond a share
of a day's volume costs for each further day that closing it takes; O the minimum for options sold. B, O and the floor in M are ours.
Sources: CME Group, "SPAN 2 Methodology and Functionality" and "CME SPAN Methodology Overview" (cmegroup.com); floor and weight of stressed
observations are two of the ways that Article 28 of Commission Delegated Regulation (EU) 153/2013 allows, with 25 % as the least weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.risk.scenarios import shifted
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.risk import MarginComponents, RiskArray
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue, worth
from tenorgrid.derivatives.book.volatility import least, moved
from tenorgrid.derivatives.margin import spreads
from tenorgrid.derivatives.margin.moves import Moves
from tenorgrid.derivatives.margin.revalued import gains
from tenorgrid.derivatives.margin.stress import stress, usual
from tenorgrid.derivatives.margin.tail import tail

PARTS = ("floor", "month_spread", "index_credit", "short_option")
THIRDS = (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class MarginRule:
    """What a margin is made by; `volume` GPU-hours a day by index, of which `share` can be closed without moving the market."""

    level: float = 0.975  # of the shortfall, which is near the value at risk at 0.99
    days: int = 2  # to close out
    stressed: float = 0.25  # 1 − x
    stress_days: int = 2
    scan: float = 3.0  # daily standard deviations of a price, times √days
    volatility_scan: float = 0.25  # a year
    extreme: float = 3.0  # scan ranges of the two extreme moves
    counted: float = 0.33  # part of an extreme loss that counts
    floor: float = 1.0  # f
    month_spread: float = 0.25  # of an outright scan range, for months held against each other
    index_credit: float = 0.8  # of the correlation, for indices held against each other
    short_option: float = 0.05  # of an outright scan range, the least for options sold
    volume: Mapping[str, float] = field(default_factory=dict)
    share: float = 0.25

    def __post_init__(self) -> None:
        rules = [
            ("level", self.level, 0 < self.level < 1, "a level above 0 and below 1"),
            ("stressed", self.stressed, 0 <= self.stressed <= 1, "a share from 0 to 1"),
            ("days", self.days, self.days >= 1, "at least one day"),
            ("scan", self.scan, self.scan > 0, "a range above 0"),
            ("volatility_scan", self.volatility_scan, self.volatility_scan >= 0, "a range of at least 0"),
            ("extreme", self.extreme, self.extreme >= 1, "at least one scan range"),
            ("counted", self.counted, 0 <= self.counted <= 1, "a part from 0 to 1"),
            *((name, getattr(self, name), 0 <= getattr(self, name) <= 1, "a part from 0 to 1") for name in PARTS),
            ("share", self.share, 0 < self.share <= 1, "a share above 0, at most 1"),
            *(("volume", volume, volume > 0, f"a volume of {index} above 0") for index, volume in self.volume.items()),
        ]
        faults = [Fault(file="margin", column=name, value=f"{value:g}", expected=told) for name, value, good, told in rules if not good]
        if faults:
            raise InputError(faults)


def margin(
    agreed: Agreed, found: BookValue, *, scaled: Moves, past: Moves, rule: MarginRule, scenarios: pl.DataFrame | None = None,
    array: pl.DataFrame | None = None,
) -> pl.DataFrame:  # fmt: skip
    """`MarginComponents` of a book: what is added and taken off, the margin, and the scan loss beside it.

    Args:
        agreed: trades as `read_trades` gives them.
        found: what they are worth, with their sensitivities.
        scaled: moves of filtered historical simulation over the rule's days.
        past: moves as they were.
        rule: levels, ranges and charges.
        scenarios: `StressScenarios`; None are the usual ones.
        array: `RiskArray` of the book by the same rule, where it is made already.

    Raises `InputError` as `gains`, `stress` and `tail` do, and for an index without volatility, of which there is no scan range.
    """
    market, worths = found.market, spreads.held(found)
    historical, floor = (
        tail(gains(agreed, market, some, level=rule.level), level=rule.level).expected_shortfall for some in (scaled, past)
    )
    named = stress(agreed, market, usual() if scenarios is None else scenarios)
    worst = -float(named.group_by("scenario").agg(pl.col("gain").sum())["gain"].min() or 0.0)  # type: ignore[arg-type]
    stressed = max(worst, -float(gains(agreed, market, past, level=rule.level).min()), 0.0)
    historical, floor = max(historical, 0.0), max(rule.floor * floor, 0.0)
    ranges = {index: _range(market, index, rule) for index in worths}
    losses = risk_array(agreed, market, rule, indices=list(worths)) if array is None else array
    scans = dict.fromkeys(worths, 0.0) | dict(losses.group_by("index").agg(pl.col("loss").max().clip(0.0)).iter_rows())
    price = {index: float(market.curves[index].forward.mean()) for index in worths}
    months = spreads.between_months(worths, ranges=ranges, rate=rule.month_spread)
    credit = spreads.between_indices(worths, scans=scans, market=market, rate=rule.index_credit)
    least_ = spreads.least_of_sold(agreed, price=price, ranges=ranges, rate=rule.short_option)
    liquidity, concentration = _liquidity(found), _concentration(found, rule)
    charged = (1.0 - rule.stressed) * max(historical, floor) + rule.stressed * stressed + months + liquidity + concentration
    amounts = {
        "historical": historical, "floor": floor, "stress": stressed, "inter-month": months, "liquidity": liquidity,
        "concentration": concentration, "sold-options": least_, "margin": max(charged, least_), "inter-index-credit": credit,
        "scan": max(sum(scans.values()) + months - credit, least_),
    }  # fmt: skip
    return MarginComponents.validate(pl.DataFrame(list(amounts.items()), schema=["component", "amount"], orient="row"), cast=True)


def risk_array(agreed: Agreed, market: Market, rule: MarginRule, *, indices: Sequence[str]) -> pl.DataFrame:
    """`RiskArray`: losses of the book in SPAN's sixteen scenarios of each index, the others still, extremes already in part.

    Raises `InputError` for an index without volatility.
    """
    base = worth(agreed, market).sum()
    cells = [(price, turn * rule.volatility_scan, 1.0) for price in THIRDS for turn in (1.0, -1.0)]
    cells += [(turn * rule.extreme, 0.0, rule.counted) for turn in (1.0, -1.0)]
    rows = []
    for index in sorted(indices):
        reach = _range(market, index, rule)
        for number, (price, volatility, part) in enumerate(cells, start=1):
            loss = base - worth(agreed, _scanned(market, index, max(price * reach, -0.99), volatility)).sum()
            rows.append((index, number, price, volatility, part, part * float(loss)))
    types = {"index": pl.String, "scenario": pl.Int64} | dict.fromkeys(["price", "volatility", "counted", "loss"], pl.Float64)
    return RiskArray.validate(pl.DataFrame(rows, schema=types, orient="row"))


def _range(market: Market, index: str, rule: MarginRule) -> float:
    """Scan range of an index as a share of its price."""
    day = float(market.sigma(index, np.array([1 / 365]))[0]) / np.sqrt(365.0)
    return float(rule.scan * day * np.sqrt(rule.days))


def _scanned(market: Market, index: str, relative: float, volatility: float) -> Market:
    """Prices of an index moved by a share of them, and its volatility by an amount, down to 0 at most."""
    curve, sigma = market.curves[index], market.volatility[index]
    curves = {**market.curves, index: shifted(curve, curve.forward * relative)}
    return replace(market, curves=curves, volatility={**market.volatility, index: moved(sigma, max(volatility, -least(sigma)))})


def _liquidity(found: BookValue) -> float:
    """Half the spread of each quote times the GPU-hours of it that the book holds; quotes without bid and ask cost nothing here."""
    charge = 0.0
    for index, held in _by_quote(found).items():
        quotes = found.market.curves[index].quotes
        spread = (quotes["ask"] - quotes["bid"]).fill_null(0.0).to_numpy()
        charge += 0.5 * float(np.abs(held) @ np.maximum(spread, 0.0))
    return charge


def _concentration(found: BookValue, rule: MarginRule) -> float:
    """Standard deviation of the price over the further days that closing the part beyond a day's share takes, on half of that part."""
    charge = 0.0
    for index, held in _by_quote(found).items():
        if index not in rule.volume:
            continue
        open_, a_day = float(np.abs(held).sum()), rule.share * rule.volume[index]
        days = max(open_ / a_day - 1.0, 0.0)
        sigma = float(found.market.sigma(index, np.array([1 / 365]))[0]) / np.sqrt(365.0)
        charge += 0.5 * max(open_ - a_day, 0.0) * sigma * np.sqrt(days) * float(found.market.curves[index].forward.mean())
    return charge


def _by_quote(found: BookValue) -> dict[str, Vector]:
    held: dict[str, Vector] = {}
    for part in found.parts:
        for block in part.priced.blocks:
            held[block.index] = held.get(block.index, np.zeros(block.quotes.shape[1])) + block.quotes.sum(axis=0)
    return held

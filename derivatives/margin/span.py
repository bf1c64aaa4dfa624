r"""Initial margin in the style of SPAN and SPAN 2, every component shown.

.. math:: M = x \, H + (1 - x) \, S + L + C

CME publishes this form for SPAN 2: a historical risk H of scenarios scaled to today's volatility, a stress risk S, a liquidity and a
concentration charge. Published too are SPAN's sixteen scenarios, which stand beside it as `scan`: prices by thirds of a scan range up
and down, each with volatility up and down, and two extreme moves of which a part counts. Levels, ranges and charges are not published
for GPU-hours: they are the rule's own, and stated in it.

H is the expected shortfall of filtered historical moves; S the worst of the stress scenarios and of the past moves as they were, so that
margin does not fall to nothing in calm times; L half the spread of bid and ask of each quote on its delta; C what the part of a delta
beyond a share of a day's volume costs for each further day that closing it takes.
Sources: CME Group, "SPAN 2 Methodology and Functionality" and "Components of SPAN" (cmegroup.com, read in November 2026); weights of
stressed observations as in Article 28 of Commission Delegated Regulation (EU) 153/2013, which asks for at least 25 %.
"""

from collections.abc import Mapping
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
from tenorgrid.derivatives.margin.moves import Moves
from tenorgrid.derivatives.margin.revalued import gains
from tenorgrid.derivatives.margin.stress import stress, usual
from tenorgrid.derivatives.margin.tail import tail

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
            ("share", self.share, 0 < self.share <= 1, "a share above 0, at most 1"),
            *(("volume", volume, volume > 0, f"a volume of {index} above 0") for index, volume in self.volume.items()),
        ]
        faults = [Fault(file="margin", column=name, value=f"{value:g}", expected=told) for name, value, good, told in rules if not good]
        if faults:
            raise InputError(faults)


def margin(
    agreed: Agreed, found: BookValue, *, scaled: Moves, past: Moves, rule: MarginRule, scenarios: pl.DataFrame | None = None
) -> pl.DataFrame:
    """`MarginComponents` of a book: historical, stress, liquidity, concentration, the margin, and the scan loss beside it.

    Args:
        agreed: trades as `read_trades` gives them.
        found: what they are worth, with their sensitivities.
        scaled: moves of filtered historical simulation over the rule's days.
        past: moves as they were.
        rule: levels, ranges and charges.
        scenarios: `StressScenarios`; None are the usual ones.

    Raises `InputError` as `gains`, `stress` and `tail` do.
    """
    market = found.market
    historical = tail(gains(agreed, market, scaled, level=rule.level), level=rule.level).expected_shortfall
    named = stress(agreed, market, usual() if scenarios is None else scenarios)
    worst = -float(named.group_by("scenario").agg(pl.col("gain").sum())["gain"].min() or 0.0)  # type: ignore[arg-type]
    stressed = max(worst, -float(gains(agreed, market, past, level=rule.level).min()))
    liquidity, concentration = _liquidity(found), _concentration(found, rule)
    array = risk_array(agreed, market, rule)
    scan = max(float(array["loss"].max() or 0.0), 0.0)  # type: ignore[arg-type]
    charged = (1.0 - rule.stressed) * max(historical, 0.0) + rule.stressed * max(stressed, 0.0)
    rows = [
        ("historical", max(historical, 0.0)), ("stress", max(stressed, 0.0)), ("liquidity", liquidity), ("concentration", concentration),
        ("margin", charged + liquidity + concentration), ("scan", scan),
    ]  # fmt: skip
    return MarginComponents.validate(pl.DataFrame(rows, schema=["component", "amount"], orient="row"), cast=True)


def risk_array(agreed: Agreed, market: Market, rule: MarginRule) -> pl.DataFrame:
    """`RiskArray`: losses of the book in SPAN's sixteen scenarios, all indices moved together, extremes already in part."""
    base = worth(agreed, market).sum()
    cells = [(price, turn * rule.volatility_scan, 1.0) for price in THIRDS for turn in (1.0, -1.0)]
    cells += [(turn * rule.extreme, 0.0, rule.counted) for turn in (1.0, -1.0)]
    rows = []
    for number, (price, volatility, part) in enumerate(cells, start=1):
        loss = base - worth(agreed, _scanned(market, rule, price, volatility)).sum()
        rows.append((number, price, volatility, part, part * float(loss)))
    names = ["scenario", "price", "volatility", "counted", "loss"]
    return RiskArray.validate(pl.DataFrame(rows, schema=names, orient="row"), cast=True)


def _scanned(market: Market, rule: MarginRule, price: float, volatility: float) -> Market:
    """Prices of every index with a volatility moved by parts of its scan range, relative to the price; below 0 never."""
    curves = dict(market.curves)
    for index, curve in market.curves.items():
        if index in market.volatility:
            day = float(market.sigma(index, np.array([1 / 365]))[0]) / np.sqrt(365.0)
            relative = max(price * rule.scan * day * np.sqrt(rule.days), -0.99)
            curves[index] = shifted(curve, curve.forward * relative)
    held = {index: moved(sigma, max(volatility, -least(sigma))) for index, sigma in market.volatility.items()}
    return replace(market, curves=curves, volatility=held)


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

"""Synthetic brokers' quotes for the months past the ahead horizons, and exposures to hedge. None of it was ever quoted by anybody.

A broker's middle is the market's long-run level of the index, moved by what the slow part of demand is when the quote is made (it fades
with a half-life of 15 days), falling with the age of the platform, and off by an error of the broker's own.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from tenorgrid.data.kinds.contract import Averaging, Profile
from tenorgrid.data.periods import Period, month, quarter
from tenorgrid.data.sample.fleet import REGIONS
from tenorgrid.data.sample.market import AS_OF, MARKET, SEED
from tenorgrid.data.sample.processes import SLOW, hour_of, slow_demand
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.tables.settled import Exposures

SOURCE = "synthetic broker"
MONTHS = tuple(range(4, 7))  # a broker quotes the months of the third quarter as the quarter
YEAR, QUARTER = 2027, 3
# Index: long-run level in USD per GPU-hour (what the packaged market clears at in real time, rounded), fall in value per month, regions of
# its group.
INDICES = {
    "H100-SXM.US-EAST.FIRM": (2.64, 0.012, ("us-east",)),
    "H100-SXM.US-WEST.FIRM": (2.68, 0.012, ("us-west",)),
    "H100-SXM.EU-NORTH.FIRM": (2.48, 0.012, ("eu-north",)),
    "H100-SXM.US.FIRM": (2.66, 0.012, ("us-east", "us-west")),
    "H200-SXM.US.FIRM": (2.96, 0.010, ("us-east", "us-west")),
    "B200-SXM.US.FIRM": (9.00, 0.008, ("us-east", "us-west")),
}
ANSWER = 1.1  # relative change of price per change of log demand
HALF_SPREAD, WIDER = 0.008, 0.003  # of the middle: for the first month, and more for each month after
ERROR = 0.004
TICK = 0.005


@dataclass(frozen=True, kw_only=True)
class _Contract:
    name: str
    period: Period
    months_out: float


def monthly_quotes(*, seed: int = SEED, as_of: date = AS_OF) -> pl.DataFrame:
    """`Quotes` at the local midnight of `as_of` for April, May and June 2027 and the third quarter.

    >>> monthly_quotes().select("contract", "bid", "price", "ask").row(0)[0]
    'H100-SXM.US-EAST.FIRM:2027-04'
    """
    moment = MARKET.midnight(as_of)
    hour = hour_of(moment)
    state = slow_demand(seed, hours=hour + 1)[hour]
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(300,)))
    contracts = _contracts(moment)
    rows = []
    for index, (level, fall, regions) in INDICES.items():
        known = float(np.mean([state[REGIONS.index(region)] for region in regions]))
        error = ERROR * rng.standard_normal(len(contracts))
        for contract, off in zip(contracts, error, strict=True):
            middle = level * np.exp(_known(contract, moment, known) - fall * contract.months_out + off)
            half = middle * (HALF_SPREAD + WIDER * contract.months_out)
            bid, ask = _ticks(middle - half), _ticks(middle + half)
            rows.append(
                (
                    f"{index}:{contract.name}@{as_of}",
                    index,
                    f"{index}:{contract.name}",
                    contract.period.start,
                    contract.period.end,
                    bid,
                    ask,
                )
            )
    frame = pl.DataFrame(rows, schema=["quote_id", "index", "contract", "start", "end", "bid", "ask"], orient="row")
    return Quotes.validate(
        frame.with_columns(
            pl.lit(moment).dt.cast_time_unit("us").alias("as_of"),
            pl.col("start", "end").dt.cast_time_unit("us"),
            pl.lit(Profile.BASE.value).alias("profile"),
            ((pl.col("bid") + pl.col("ask")) / 2).round(4).alias("price"),
            pl.lit(Averaging.CALENDAR_DAY.value).alias("average"),
            pl.lit(None, dtype=pl.String).alias("calendar"),
            pl.lit(MARKET.timezone).alias("timezone"),
            pl.lit(SOURCE).alias("source"),
        ),
        cast=True,
    )


def exposures() -> pl.DataFrame:
    """`Exposures`: a decoding fleet, a training and a leaseback, each from April to the end of June 2027.

    >>> exposures()["exposure"].to_list()
    ['harbor-decode-west', 'quill-pretrain-east', 'borealis-h100-north']
    """
    start, end = MARKET.midnight(date(YEAR, 4, 1)), MARKET.midnight(date(YEAR, 7, 1))
    rows = [
        ("harbor-decode-west", "llama2-70b-decode", None, "us-west", 40.0, "1e6 output tokens"),
        ("quill-pretrain-east", "llama3.1-405b-pretrain", None, "us-east", 2.0, "0.001 training"),
        ("borealis-h100-north", None, "h100-sxm", "eu-north", -500.0, "GPU"),
    ]
    frame = pl.DataFrame(rows, schema=["exposure", "workload", "resource", "region", "quantity", "unit"], orient="row")
    return Exposures.validate(
        frame.with_columns(
            pl.lit("firm").alias("tier"),
            pl.lit(start).dt.cast_time_unit("us").alias("start"),
            pl.lit(end).dt.cast_time_unit("us").alias("end"),
            pl.lit(None, dtype=pl.Float64).alias("price"),
        ),
        cast=True,
    )


def _contracts(moment: datetime) -> list[_Contract]:
    zone = MARKET.timezone
    periods = [(f"{YEAR}-{number:02}", month(YEAR, number, timezone=zone)) for number in MONTHS]
    periods.append((f"{YEAR}-Q{QUARTER}", quarter(YEAR, QUARTER, timezone=zone)))
    return [_Contract(name=name, period=period, months_out=_months(moment, period)) for name, period in periods]


def _months(moment: datetime, period: Period) -> float:
    return ((period.start + (period.end - period.start) / 2) - moment) / timedelta(days=365.25 / 12)


def _known(contract: _Contract, moment: datetime, state: float) -> float:
    """What the slow part of demand, as it stands, does to the mean price of the period."""
    begin, end = ((edge - moment) / timedelta(hours=1) for edge in (contract.period.start, contract.period.end))
    rate = np.log(2) / SLOW
    return float(ANSWER * state * (np.exp(-rate * begin) - np.exp(-rate * end)) / (rate * (end - begin)))


def _ticks(price: float) -> float:
    return round(round(price / TICK) * TICK, 4)

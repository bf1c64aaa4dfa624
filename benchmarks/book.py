"""100,000 mixed trades with their deltas, beside QuantLib trade by trade.

The rival gets every leg ready made (means, hourly forwards, days and discount factors in hand) and prices alone, without any delta: swaps
by arithmetic, averages by Turnbull and Wakeman's engine, caps by `blackFormula` hour by hour, spread options by Kirk's engine. It prices a
hundredth of the trades, and its time is taken a hundredfold; swaps and caps must agree to 1e-9 before a time is printed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy

import subprocess
import sys
from datetime import UTC, datetime
from time import perf_counter

import numpy as np
import polars as pl
import QuantLib as ql

from benchmarks.curves import quotes_of
from benchmarks.measure import peak
from benchmarks.options import kirk_objects, moments_objects
from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.derivatives.book.legs import make_legs
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market
from tenorgrid.derivatives.book.valuation import BookValue, valued

ZONE = "America/New_York"
TRADES = 100_000
SHARES = {"swap": 0.70, "average": 0.20, "cap": 0.08, "spread-option": 0.02}
SAMPLED = 100  # the rival prices one trade in so many
AGREE = 1e-9


def trades_of(count: int, *, seed: int = 1) -> pl.DataFrame:
    """`Trades` of nine months on two indices."""
    rng = np.random.default_rng(seed)
    spans = [contract_dates(f"X:2027-{month:02d}", timezone=ZONE) for month in range(4, 13)]
    month, option = rng.integers(0, 9, count), rng.choice(["call", "put"], count)
    frame = pl.DataFrame(
        {
            "trade_id": [f"T{number}" for number in range(count)], "traded_at": datetime(2027, 2, 20, tzinfo=UTC), "book": "desk",
            "counterparty": "acme", "kind": rng.choice(list(SHARES), count, p=list(SHARES.values())),
            "side": rng.choice(["buy", "sell"], count),
            "quantity": rng.integers(1, 100, count).astype(float), "quantity_unit": "per_hour", "index": rng.choice(["X", "Y"], count),
            "start": [spans[place][0] for place in month], "end": [spans[place][1] for place in month], "strike": 2.0 + rng.random(count),
            "option": option,
        }
    )  # fmt: skip
    spread, average = pl.col("kind") == "spread-option", pl.col("kind") == "average"
    return frame.with_columns(
        pl.when(spread).then(pl.when(pl.col("index") == "X").then(pl.lit("Y")).otherwise(pl.lit("X"))).alias("index2"),
        pl.when(spread | average).then("option").alias("option"),
        pl.when(spread).then("start").alias("expiry"),
        pl.when(spread).then(0.1).otherwise("strike").alias("strike"),
    )


def market() -> Market:
    """Two indices with curves of 60 quotes each."""
    as_of = contract_dates("X:2027-03", timezone=ZONE)[0]
    curves = {}
    for name in ("X", "Y"):
        moved = [pl.col(column).dt.offset_by("5h") for column in ("start", "end")]  # midnights of New York
        quotes = quotes_of(datetime(2027, 3, 1, tzinfo=UTC)).with_columns(
            *moved, pl.lit(name).alias("index"), pl.lit(as_of).alias("as_of"), pl.format("{}{}", pl.lit(name), "quote_id").alias("quote_id")
        )
        curves[name] = fit_curve(quotes, index=name, as_of=as_of, timezone=ZONE)
    return Market(
        as_of=as_of, timezone=ZONE, curves=curves, fixings={}, volatility={"X": 0.8, "Y": 0.7}, correlation={frozenset("XY"): 0.6},
        discount=flat(0.04),
    )  # fmt: skip


def rival(agreed: Agreed, on: Market) -> tuple[dict[str, Vector], float]:
    """Values of swaps and caps, and seconds of all, by QuantLib trade by trade from legs in hand."""
    swaps, caps = agreed[TradeKind.SWAP], agreed[TradeKind.CAP]
    of, legs = make_legs(swaps, on)
    rows = list(zip(swaps["sign"] * swaps["amount"], swaps["strike"], of.tolist(), on.years(swaps["pay"]).tolist(), strict=True))
    means = [leg.mean for leg in legs]
    hourly = caps.with_columns(pl.lit("hourly").alias("average"), pl.lit(None, dtype=pl.String).alias("calendar"))
    cap_of, cap_legs = make_legs(hourly, on)
    hours = [
        list(zip(leg.curve.forward[leg.hours].tolist(), (on.sigma(leg.index, leg.hour_years) * np.sqrt(leg.hour_years)).tolist(),
                 np.exp(-0.04 * (leg.hour_years + 3600 / SECONDS_PER_YEAR)).tolist(), strict=True))
        for leg in cap_legs
    ]  # fmt: skip
    strips = list(zip(caps["sign"] * caps["quantity"], caps["strike"], cap_of.tolist(), strict=True))
    averages, spreads = agreed[TradeKind.AVERAGE].height, agreed[TradeKind.SPREAD_OPTION].height
    rng = np.random.default_rng(2)
    tasks = [task(_numbers(rng, count)) for task, count in ((moments_objects, averages), (kirk_objects, spreads))]
    begin = perf_counter()
    worth = np.array([scale * np.exp(-0.04 * years) * (means[place] - strike) for scale, strike, place, years in rows])
    call = ql.Option.Call
    strip = np.array([scale * sum(ql.blackFormula(call, strike, f, s, d) for f, s, d in hours[place]) for scale, strike, place in strips])
    for task in tasks:
        task()
    return {"swap": worth, "cap": strip}, perf_counter() - begin


def _numbers(rng: np.random.Generator, count: int) -> dict[str, Vector]:
    return {
        "forward": rng.uniform(2, 3, count), "other": rng.uniform(2, 3, count), "strike": rng.uniform(2, 3, count),
        "volatility": rng.uniform(0.5, 0.9, count), "years": rng.uniform(0.1, 0.9, count), "discount": rng.uniform(0.96, 1, count),
        "correlation": np.full(count, 0.6),
    }  # fmt: skip


def main(*, quick: bool) -> None:
    """Print the lines of docs/trades.md, section Speed, from a process of its own. With `quick` 2,000 trades."""
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "benchmarks.book", *(["--quick"] if quick else [])], check=True)


def _lines(*, quick: bool) -> None:
    count, on = 2_000 if quick else TRADES, market()
    trades = trades_of(count)
    for curve in on.curves.values():
        _ = curve.sensitivity  # a desk's curves have theirs
    valued(read_trades(trades.head(1_000), timezone=ZONE), on)  # imports and first use
    begin = perf_counter()
    agreed = read_trades(trades, timezone=ZONE)
    read = perf_counter()
    found = valued(agreed, on)
    priced = perf_counter()
    totals = found.totals.height
    added = perf_counter()
    held = peak()
    rows = found.risks.height
    told = perf_counter()
    sample = {kind: frame.gather_every(SAMPLED if not quick else 10) for kind, frame in agreed.items()}
    others, seconds = rival(sample, on)
    _refuse_apart(found, sample, others)
    whole = seconds * count / sum(frame.height for frame in sample.values())
    print(f"### A book of {count:,} trades: {', '.join(f'{100 * share:.0f} % {kind}' for kind, share in SHARES.items())}\n")
    print("| what | s | peak MB |\n| --- | ---: | ---: |")
    print(f"| read and check the table | {read - begin:.2f} | |")
    print(f"| values, and deltas, gammas and vegas of every trade by quote and month | {priced - read:.2f} | {held:.0f} |")
    print(f"| the book's own {totals} totals | {added - priced:.2f} | |")
    print(f"| a table of {rows:,} risks | {told - added:.2f} | {peak():.0f} |")
    print(f"| QuantLib trade by trade, values alone, legs in hand, from a sample | {whole:.1f} | |")


def _refuse_apart(found: BookValue, sample: Agreed, others: dict[str, Vector]) -> None:
    worth = dict(found.values.select("trade_id", "value").iter_rows())
    for kind, values in others.items():
        ours = np.array([worth[name] for name in sample[TradeKind(kind)]["trade_id"]])
        if not np.allclose(ours, values, rtol=AGREE, atol=1e-6):
            raise SystemExit(f"{kind}s differ: no time is printed")


if __name__ == "__main__":
    _lines(quick="--quick" in sys.argv)

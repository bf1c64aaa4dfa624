"""Real months of listed curves: crude and gas, day by day, with volatilities and a correlation that the past days tell.

The prices are USD per barrel and per million British thermal units, taken as if by the hour; hours and units do not matter to the test.
"""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.data.periods import midnight
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import valued
from tenorgrid.derivatives.explain import explain_days, standing

SHARED = Path(__file__).parents[4] / "shared" / "data"
PRICES, EXPIRIES = SHARED / "nymex_cl_ng_futures_curve_daily.csv.gz", SHARED / "nymex_cl_ng_expiry_table.csv"
ZONE = "America/New_York"
MEMORY, DECAY = 90, 0.94  # days of returns behind a volatility, and what a day's counts for a day later
Panel = dict[date, dict[str, float]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (PRICES.exists() and EXPIRIES.exists()), reason="needs the listed futures curves of the shared data"),
]


def panel(prefix: str, first: date, last: date) -> Panel:
    """By trading day the prices of the eight nearest contracts by delivery month, such as 2020-05."""
    table = pl.read_csv(EXPIRIES, try_parse_dates=True).filter(pl.col("tick.prefix") == prefix).sort("Last.Trade")
    ends = table["Last.Trade"].to_list()
    months = [f"{int(year)}-{int(month):02d}" for year, month in table.select("Year", "Month").iter_rows()]
    wide = pl.read_csv(PRICES, try_parse_dates=True).filter(pl.col("date").is_between(first, last)).sort("date")
    found = {}
    for row in wide.iter_rows(named=True):
        near = next(place for place, end in enumerate(ends) if end >= row["date"])
        found[row["date"]] = {months[near + back]: row[f"{prefix}{back + 1:02d}"] for back in range(8)}
    return found


def curve(index: str, day: date, prices: dict[str, float]) -> ForwardCurve:
    """As of the midnight after the day."""
    as_of = midnight(day + timedelta(days=1), timezone=ZONE)
    rows = [(f"{index}:{month}", *contract_dates(f"{index}:{month}", timezone=ZONE), price) for month, price in prices.items()]
    quotes = pl.DataFrame(rows, schema=["quote_id", "start", "end", "price"], orient="row").with_columns(
        as_of=pl.lit(as_of), index=pl.lit(index), contract=pl.col("quote_id"), profile=pl.lit("base"), average=pl.lit("calendar-day"),
        timezone=pl.lit(ZONE), source=pl.lit("settlement"),
    )  # fmt: skip
    return fit_curve(quotes, index=index, as_of=as_of)


def returns(prices: Panel, month: str, until: date) -> np.ndarray:
    known = [prices[day][month] for day in sorted(prices) if day <= until and month in prices[day]][-MEMORY:]
    return np.diff(np.log(known))


def markets(month: str, *, on: str) -> list[Market]:
    """Every trading day of a month; volatility and correlation of one contract month's past returns, the later ones counting more."""
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    both = {name: panel(name, first - timedelta(days=200), last) for name in ("CL", "NG")}
    found = []
    for day in sorted(one for one in both["CL"] if first <= one <= last and one in both["NG"]):
        moves = {name: returns(both[name], on, day) for name in both}
        size = min(move.size for move in moves.values())
        weight = DECAY ** np.arange(size)[::-1]
        covariance = np.cov([moves[name][-size:] for name in both], aweights=weight)
        sigma = np.sqrt(np.diag(covariance) * 252)
        found.append(
            Market(
                as_of=midnight(day + timedelta(days=1), timezone=ZONE), timezone=ZONE,
                curves={name: curve(name, day, both[name][day]) for name in both}, fixings={},
                volatility={name: float(value) for name, value in zip(both, sigma, strict=True)},
                correlation={frozenset(both): float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))}, discount=flat(0.02),
            )
        )  # fmt: skip
    return found


def book(days: list[Market], months: tuple[str, str, str]) -> pl.DataFrame:
    """Ten trades at the first day's prices on three months to come, one expiring within the month, two agreed halfway."""
    start = days[0]
    near, middle, far = months
    level = {(name, month): start.curves[name][f"{name}:{month}"] for name in ("CL", "NG") for month in months}

    def row(name: str, kind: str, side: str, index: str, month: str, strike: float, **more: object) -> dict[str, object]:
        begin, end = contract_dates(f"{index}:{month}", timezone=ZONE)
        quantity = 10.0 if index == "CL" else 150.0
        base: dict[str, object] = {
            "trade_id": name, "traded_at": start.as_of, "book": "desk", "counterparty": "street", "kind": kind, "side": side,
            "quantity": quantity, "quantity_unit": "per_hour", "index": index, "start": begin, "end": end, "strike": strike,
        }  # fmt: skip
        return base | more

    soon, late = days[len(days) // 2].as_of, {"traded_at": days[len(days) // 2].as_of}
    begins = contract_dates(f"CL:{near}", timezone=ZONE)[0]
    ratio = json.dumps({"ratio": level["CL", far] / level["NG", far]})
    rows = [
        row("cl", "forward", "buy", "CL", near, level["CL", near]),
        row("ng", "swap", "sell", "NG", middle, level["NG", middle]),
        row("cl-call", "option", "sell", "CL", near, 1.05 * level["CL", near], option="call", expiry=begins),
        row("cl-put", "option", "buy", "CL", middle, 0.9 * level["CL", middle], option="put", expiry=begins),
        row("cl-soon", "option", "buy", "CL", middle, level["CL", middle], option="call", expiry=soon),
        row("ng-average", "average", "buy", "NG", middle, level["NG", middle], option="call"),
        row("cl-average", "average", "sell", "CL", far, 0.95 * level["CL", far], option="put"),
        row("ng-floor", "floor", "buy", "NG", far, 0.95 * level["NG", far]),
        row("spread", "spread-option", "buy", "CL", far, 0.0, option="call", expiry=begins, index2="NG", params=ratio),
        row("new", "option", "buy", "NG", near, level["NG", near], option="put", expiry=begins, **late),
        row("newer", "forward", "sell", "CL", far, level["CL", far], **late),
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


MONTHS = [("2020-03", ("2020-06", "2020-07", "2020-08")), ("2023-12", ("2024-03", "2024-04", "2024-05"))]


@pytest.mark.parametrize(("month", "months"), MONTHS)
def test_on_real_curves_the_residual_is_small_over_the_month_and_on_nearly_every_day(month: str, months: tuple[str, str, str]) -> None:
    days = markets(month, on=months[0])
    trades = book(days, months)
    found = explain_days([valued(read_trades(standing(trades, as_of=one.as_of, timezone=ZONE), timezone=ZONE), one) for one in days])
    assert found.days.height >= 19
    assert found.share < 0.01
    assert found.within >= 0.95
    assert found.days["first_residual"].abs().sum() > 100 * found.days["residual"].abs().sum()

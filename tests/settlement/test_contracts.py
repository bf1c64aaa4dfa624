"""Contracts: cash of forwards at expiry, and of capacity contracts hour by hour."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.contract import TradeSide
from tenorgrid.data.tables.observed import Fixings
from tenorgrid.data.terms.contracts import CapacityContract, Forward
from tenorgrid.settlement.contracts import forward_cash, strip_cash

START = datetime(2027, 4, 5, tzinfo=UTC)
INDEX = "H100-SXM.US.FIRM"


def fixings(values: list[float], *, first: date = date(2027, 4, 5), index: str = INDEX) -> pl.DataFrame:
    """Daily fixings from a first day on."""
    rows = [
        {
            "index": index,
            "date": first + timedelta(days=n),
            "value": value,
            "published_at": START + timedelta(days=n + 1),
            "source": "house/0",
        }
        for n, value in enumerate(values)
    ]
    return Fixings.validate(pl.DataFrame(rows), cast=True)


def forward(*, days: int, quantity: float, fixed: float, side: TradeSide = TradeSide.BUY) -> Forward:
    return Forward(
        index=INDEX, start=START, end=START + timedelta(days=days), timezone="UTC", fixed=fixed, quantity=quantity, side=side
    )  # fmt: skip


def test_the_mean_is_not_rounded_before_it_pays() -> None:
    """Mean of 2.60, 2.62, 2.61, 2.65, 2.70 is 2.636: 0.086 × 730 GPU-hours is 62.78, and 65.70 were it rounded to the tick."""
    bought = forward(days=5, quantity=730 / 120, fixed=2.55)
    assert forward_cash(bought, fixings([2.60, 2.62, 2.61, 2.65, 2.70])) == Decimal("62.78")
    assert forward_cash(replace(bought, side=TradeSide.SELL), fixings([2.60, 2.62, 2.61, 2.65, 2.70])) == Decimal("-62.78")


@pytest.mark.parametrize(("hours", "cash"), [(672, "57.79"), (720, "61.92"), (744, "63.98")])
def test_a_lot_of_the_hours_in_the_month_pays_by_the_month(hours: int, cash: str) -> None:
    """The same 0.086 on lots of 672, 720 and 744 GPU-hours: 57.792, 61.92 and 63.984 before the cent."""
    bought = forward(days=5, quantity=hours / 120, fixed=2.55)
    assert forward_cash(bought, fixings([2.60, 2.62, 2.61, 2.65, 2.70])) == Decimal(cash)


@pytest.mark.parametrize("seed", range(5))
def test_a_forward_agrees_with_a_plain_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = [round(float(value), 4) for value in rng.uniform(1, 4, 30)]
    contract = forward(days=30, quantity=float(rng.integers(1, 500)), fixed=2.5)
    plain = contract.quantity * 720 * (math.fsum(values) / 30 - 2.5)
    assert float(forward_cash(contract, fixings(values))) == pytest.approx(plain, abs=0.0051)


def test_a_forward_with_a_day_that_has_no_fixing_is_not_settled() -> None:
    with pytest.raises(NotPublishedError, match="no fixing for 1 of 5 days, among them 2027-04-09"):
        forward_cash(forward(days=5, quantity=1.0, fixed=2.0), fixings([2.0, 2.0, 2.0, 2.0]))
    twice = pl.concat([fixings([2.0, 2.0]), fixings([3.0])])
    with pytest.raises(InputError, match="found 2027-04-05, expected one fixing of H100-SXM.US.FIRM a day".replace(".", r"\.")):
        forward_cash(forward(days=2, quantity=1.0, fixed=2.0), twice)


def hourly(values: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"start": [START + timedelta(hours=n) for n in range(len(values))], "price": values})


def test_a_capacity_contract_pays_each_hour_above_its_strike() -> None:
    contract = CapacityContract(index=INDEX, start=START, end=START + timedelta(hours=4), strike=2.5, quantity=10.0, side=TradeSide.BUY)
    prices = hourly([2.0, 3.0, 2.5, 100.0, 9999.0])
    assert strip_cash(contract, prices) == Decimal("980.000000")
    assert strip_cash(replace(contract, side=TradeSide.SELL), prices) == Decimal("-980.000000")
    with pytest.raises(NotPublishedError, match="no price for 1 of 4 hours"):
        strip_cash(contract, prices.head(3))
    with pytest.raises(InputError, match="expected one price an hour"):
        strip_cash(contract, pl.concat([prices, prices.head(1)]))

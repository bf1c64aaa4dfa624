"""Volatility that depends on the expiry, in books."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.market import Market, make_market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.book.volatility import SECONDS_PER_YEAR, ByExpiry

Priced = Callable[..., BookValue]
US = "H100-SXM.US.FIRM"
APRIL = datetime(2027, 4, 1, 4, tzinfo=UTC)


def term(*told: tuple[datetime, float]) -> ByExpiry:
    return ByExpiry(ends=np.array([end.timestamp() for end, _ in told]), sigma=np.array([sigma for _, sigma in told]))


def table(*told: tuple[datetime, float]) -> pl.DataFrame:
    ends, sigma = zip(*told, strict=True)
    return pl.DataFrame({"index": [US] * len(told), "model": ["black"] * len(told), "end": ends, "volatility": sigma}).cast(
        {"end": pl.Datetime("us", "UTC")}
    )


def test_a_quarter_of_a_year_at_80_and_half_a_year_at_60_make_65_point_7_between_them() -> None:
    """w(.25) = .16, w(.5) = .18, so that w(.375) = .17 and σ = √(.17 / .375)."""
    found = ByExpiry(ends=np.array([0.25, 0.5]) * SECONDS_PER_YEAR, sigma=np.array([0.8, 0.6])).at(np.array([0.375]), now=0.0)
    assert found == pytest.approx([np.sqrt(0.17 / 0.375)])


@pytest.mark.parametrize(("kind", "more"), [("option", {"option": "call", "expiry": APRIL}), ("average", {"option": "call"}), ("cap", {})])
def test_one_volatility_for_all_expiries_is_worth_what_the_number_is(
    priced: Priced, market: Market, kind: str, more: dict[str, object]
) -> None:
    same = replace(market, volatility={**market.volatility, US: term((APRIL, 0.8), (APRIL + timedelta(days=30), 0.8))})
    assert priced(kind, "2027-04", 2.5, on=same, **more).value == pytest.approx(priced(kind, "2027-04", 2.5, **more).value, rel=1e-12)


def test_an_option_takes_the_volatility_of_its_expiry_and_shows_vega_there(priced: Priced, market: Market) -> None:
    early, late = datetime(2027, 3, 26, 4, tzinfo=UTC), datetime(2027, 4, 26, 4, tzinfo=UTC)
    rising = replace(market, volatility={**market.volatility, US: term((early, 0.5), (late, 0.9))})
    for expiry, sigma in ((early, 0.5), (late, 0.9)):
        found = priced("option", "2027-05", 2.5, option="call", expiry=expiry, on=rising)
        told = priced("option", "2027-05", 2.5, option="call", expiry=expiry, on=replace(market, volatility={US: sigma}))
        assert found.value == pytest.approx(told.value, rel=1e-12)
        assert found.vega()["bucket"].to_list() == [f"month 2027-{expiry.month:02}"]


def test_a_cap_takes_each_hours_own_volatility(priced: Priced, market: Market) -> None:
    """Between the strips at the least and at the greatest volatility, and 0 where volatility is 0 until after it."""
    rising = replace(market, volatility={US: term((APRIL, 0.4), (APRIL + timedelta(days=30), 0.8))})
    low, found, high = (priced("cap", "2027-04", 2.6, on=on).value for on in (
        replace(market, volatility={US: 0.4}), rising, replace(market, volatility={US: 0.8})))  # fmt: skip
    assert low < found < high


def test_a_move_moves_every_expiry(market: Market) -> None:
    moved = replace(market, volatility={US: term((APRIL, 0.4))}).with_volatility(0.1)
    assert moved.sigma(US, np.array([0.01, 3.0])) == pytest.approx([0.5, 0.5])
    assert moved.least_volatility == pytest.approx(0.5)


def test_total_variance_that_falls_is_refused_and_named(market: Market, fixings: pl.DataFrame, volatility: pl.DataFrame) -> None:
    def made(expiries: pl.DataFrame) -> Market:
        return make_market(
            as_of=market.as_of, timezone=market.timezone, curves=market.curves, fixings=fixings, volatility=volatility, expiries=expiries
        )

    good = made(table((APRIL, 0.8), (APRIL + timedelta(days=30), 0.6)))
    assert good.sigma(US, np.array([0.0])) == pytest.approx([0.8])
    with pytest.raises(
        InputError, match=r"column volatility: found 0.4 to 2027-05-01 .* expected a total variance .* not below that of 0.8 to"
    ):
        made(table((APRIL, 0.8), (APRIL + timedelta(days=30), 0.4)))
    with pytest.raises(InputError, match=r"column end: found 2027-03-01 .* expected an expiry after 2027-03-16"):
        made(table((datetime(2027, 3, 1, tzinfo=UTC), 0.8)))
    with pytest.raises(InputError, match=r"column volatility: found -0.1"):
        made(table((APRIL, -0.1)))

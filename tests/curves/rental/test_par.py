"""Par rates and forwards."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.rental.curve import months_after, rental_curve
from tenorgrid.curves.rental.listed import listed_rates
from tenorgrid.curves.rental.par import Payment, ageing, annuities, forwards, pars
from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import midnight
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.data.readers.term_structures import read_published_forwards, read_published_rates

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
CCIR, GCP = SHARED / "ccir_v2_term_structure.csv", SHARED / "gcp_gpu_prices_weekly_by_region_2022_2026.csv.gz"
DAY = date(2026, 4, 24)
PAYMENTS: tuple[Payment, Payment] = ("advance", "arrears")


def table(prices: dict[int, float], index: str = "X", day: date = DAY) -> pl.DataFrame:
    return pl.DataFrame(
        {"as_of": [day] * len(prices), "index": [index] * len(prices), "months": list(prices), "price": list(prices.values())}
    )


@pytest.mark.skipif(not CCIR.exists(), reason="needs the term structure published by CCIR")
def test_all_eighteen_published_forwards_come_out() -> None:
    published, rates = read_published_forwards(CCIR), read_published_rates(CCIR)
    assert published.height == 18
    for day, rows in published.group_by("as_of_date"):
        curve = rental_curve(rates, as_of=day[0])
        for row in rows.iter_rows(named=True):
            first, months = round(row["tenor_from_years"] * 12), round(row["tenor_to_years"] * 12)
            found = curve.forward(row["index"], first, months)
            assert found == pytest.approx(row["forward_rate_usd_per_gpu_hour"], abs=5e-5 + 1e-9), row["series_id"]


def test_one_published_row_comes_out() -> None:
    """CCIR's A100 of 24 April 2026: par rates 3.2979 and 2.8713 of one and three years, forward 2.6580."""
    curve = rental_curve(table({12: 3.2979, 36: 2.8713}))
    assert curve.forward("X", 12, 36) == pytest.approx(2.6580, abs=5e-5)


@pytest.mark.skipif(not GCP.exists(), reason="needs the table of Google Cloud's prices")
def test_on_demand_and_commitments_are_a_term_structure_by_region() -> None:
    seen = read_observations(GCP).filter(pl.col("instance") == "a3-highgpu-8g")
    rates = listed_rates(seen, as_of=date(2026, 7, 30), by=("resource", "region", "tier"))
    curve = rental_curve(rates)
    here = curve.curve.filter(index="H100-SXM.US-CENTRAL1.FIRM")
    assert here["months"].to_list() == [1, 12, 36]
    on_demand, year, three = here["par"]
    assert here["forward"].to_list() == pytest.approx([on_demand, (12 * year - on_demand) / 11, (3 * three - year) / 2], abs=1e-12)
    assert 20 < rates["index"].n_unique() < 60
    future = seen.with_columns(pl.col("time").dt.offset_by("3y"), pl.col("price") * 9)
    assert rates.equals(listed_rates(pl.concat([seen, future]), as_of=date(2026, 7, 30)))


@settings(deadline=None, max_examples=30)
@given(
    rates=st.lists(st.floats(0.1, 20), min_size=1, max_size=8),
    rate=st.floats(-0.02, 0.3),
    advance=st.booleans(),
    gaps=st.lists(st.integers(1, 12), min_size=8, max_size=8),
)
def test_there_and_back_is_the_same_at_every_rate(rates: list[float], rate: float, advance: bool, gaps: list[int]) -> None:
    months = np.cumsum(gaps[: len(rates)])
    annuity = annuities(months, discount=flat(rate), payment="advance" if advance else "arrears")
    par = np.array(rates)
    assert pars(forwards(par, annuity), annuity) == pytest.approx(par, abs=1e-9)
    assert forwards(pars(par, annuity), annuity) == pytest.approx(par, abs=1e-9)


def test_a_rental_is_worth_what_its_months_are_one_by_one() -> None:
    prices = {1: 3.0, 3: 2.8, 12: 2.5, 36: 2.0}
    curve = rental_curve(table(prices), discount=flat(0.06))
    by_month = np.array([curve.forward("X", m, m + 1) for m in range(36)])
    paid = np.exp(-0.06 * np.arange(1, 37) / 12)
    for months, price in prices.items():
        assert by_month[:months] @ paid[:months] == pytest.approx(price * paid[:months].sum(), abs=1e-10)
    assert curve.par("X", 12) == pytest.approx(2.5, abs=1e-12)


def test_discounting_lifts_a_forward_of_a_falling_curve() -> None:
    zero, discounted = (rental_curve(table({12: 3.0, 36: 2.0}), discount=rate).forward("X", 12, 36) for rate in (None, flat(0.1)))
    by_hand = [np.exp(-0.1 * np.arange(1, n + 1) / 12).sum() for n in (12, 36)]
    assert zero == pytest.approx(1.5)
    assert discounted == pytest.approx((2 * by_hand[1] - 3 * by_hand[0]) / (by_hand[1] - by_hand[0]), abs=1e-12)
    assert discounted < zero


def test_a_price_that_decays_evenly_has_its_decay_as_ageing_yield() -> None:
    months = np.arange(1, 37)
    forward = 4.0 * np.exp(-0.35 * (months - 0.5) / 12)
    found = ageing(forward, months)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx(np.full(35, 0.35), abs=1e-12)
    curve = rental_curve(table(dict(zip(months.tolist(), pars(forward, months / 12).tolist(), strict=True))))
    assert curve.curve["ageing"][1:].to_list() == pytest.approx([0.35] * 35, abs=1e-9)


def test_hourly_forwards_average_back_to_the_periods() -> None:
    curve = rental_curve(table({1: 3.0, 12: 2.5, 36: 2.0}, day=date(2027, 1, 31)))
    quotes = curve.quotes(timezone="America/New_York")
    fitted = fit_curve(quotes, index="X", as_of=midnight(date(2027, 1, 31), timezone="America/New_York"))
    assert fitted.fair == pytest.approx(quotes["price"].to_numpy(), abs=1e-10)
    assert months_after(date(2027, 1, 31), 1) == date(2027, 2, 28)


def test_a_longer_rental_that_costs_less_is_refused_with_its_size() -> None:
    rates = pl.concat([table({12: 3.0, 24: 1.4}), table({1: 9.0, 12: 0.5, 36: 2.0}, "Y"), table({12: 2.0}, "Z")])
    with pytest.raises(InputError, match=r"X: 24 months at 1.4 against 12 months at 3, -1,752.00 USD per GPU") as refused:
        rental_curve(rates)
    assert len(refused.value.faults) == 2


def test_bad_tables_and_tenors_are_refused() -> None:
    with pytest.raises(InputError, match="row 1, column months: found 0"):
        rental_curve(table({0: 3.0, 12: -1.0}))
    with pytest.raises(InputError, match="a day with rates"):
        rental_curve(table({12: 3.0}), as_of=date(2030, 1, 1))
    with pytest.raises(InputError, match="one of X"):
        rental_curve(table({12: 3.0})).par("Y", 3)
    with pytest.raises(InputError, match="a tenor of 1 to 12 months"):
        rental_curve(table({12: 3.0})).par("X", 13)
    with pytest.raises(InputError, match="advance or arrears"):
        annuities(np.array([3]), payment="never")  # type: ignore[arg-type]


def test_a_rent_in_advance_is_paid_from_today_on() -> None:
    paid = np.exp(-0.05 * np.arange(13) / 12)
    advance, arrears = (annuities(np.array([1, 12]), discount=flat(0.05), payment=when) for when in PAYMENTS)
    assert advance == pytest.approx(np.array([paid[:1].sum(), paid[:12].sum()]) / 12, abs=1e-12)
    assert arrears == pytest.approx(np.array([paid[1:2].sum(), paid[1:].sum()]) / 12, abs=1e-12)

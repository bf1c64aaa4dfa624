"""Listed futures by nearby order: which month is which, and curves through them on real days."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.many import fit_curves
from tenorgrid.curves.season import month_of_year
from tenorgrid.curves.volatility.days import days_of
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.listed_curves import read_listed_curves

SHARED = Path(__file__).parents[4] / "shared" / "data"
PRICES, EXPIRIES = SHARED / "nymex_cl_ng_futures_curve_daily.csv.gz", SHARED / "nymex_cl_ng_expiry_table.csv"
real = pytest.mark.skipif(not (PRICES.exists() and EXPIRIES.exists()), reason="the NYMEX curve files are not on this machine")

MADE_PRICES = "date,CL01,CL02,CL03\n2030-04-19,18.3,25.0,29.4\n2030-04-22,-37.6,20.4,\n2030-04-24,11.6,20.7,24.0\n"
MADE_EXPIRIES = """cmdty,tick.prefix,Last.Trade,First.Delivery,Last.Delivery
made,CL,2030-04-22,2030-05-01,2030-05-31
made,CL,2030-05-21,2030-06-01,2030-06-30
made,CL,2030-06-20,2030-07-01,2030-07-31
made,CL,2030-07-22,2030-08-01,2030-08-31
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Made-up prices around a day on which the nearest contract is below zero, and the day on which the queue moves up."""
    prices, expiries = tmp_path / "prices.csv", tmp_path / "expiries.csv"
    prices.write_text(MADE_PRICES)
    expiries.write_text(MADE_EXPIRIES)
    return prices, expiries


def test_the_nearest_contract_is_the_first_that_still_trades(files: tuple[Path, Path]) -> None:
    quotes = read_listed_curves(*files, product="CL")
    days = quotes.group_by("as_of", maintain_order=True).agg("contract", "price")
    assert days["contract"].to_list() == [["CLK30", "CLM30", "CLN30"], ["CLK30", "CLM30"], ["CLM30", "CLN30", "CLQ30"]]
    assert days["price"].to_list() == [[18.3, 25.0, 29.4], [-37.6, 20.4], [11.6, 20.7, 24.0]]
    first = quotes.row(0, named=True)
    assert (first["start"], first["end"]) == (datetime(2030, 5, 1, 4, tzinfo=UTC), datetime(2030, 6, 1, 4, tzinfo=UTC))
    assert first["as_of"] == datetime(2030, 4, 19, 18, 30, tzinfo=UTC)


def test_a_day_below_zero_has_a_curve(files: tuple[Path, Path]) -> None:
    quotes = read_listed_curves(*files, product="CL", days=[date(2030, 4, 22)])
    curve = fit_curve(quotes, index="NYMEX.CL", as_of=quotes["as_of"][0])
    assert curve["CLK30"] == pytest.approx(-37.6, abs=1e-10)
    assert curve.forward.min() < -37.6

    marks = quotes.head(1).select(
        "index", pl.col("as_of").alias("start"), pl.col("as_of").dt.offset_by("1d").alias("end"), pl.col("price").alias("value"),
        revision=pl.lit(0), methodology=pl.lit("NYMEX settlement"), status=pl.lit("final"),
    )  # fmt: skip
    with pytest.raises(InputError, match=r"found -37.6 .* expected values above 0, which have a logarithm"):
        days_of(marks, "NYMEX.CL")
    with pytest.raises(InputError, match=r"found -37.6 .* expected prices above 0, whose ratio is a factor; or an additive shape"):
        month_of_year(
            pl.DataFrame({"start": quotes["start"], "price": quotes["price"]}), timezone="America/New_York", kind="multiplicative"
        )


def test_other_products_days_and_contracts_without_an_expiry_are_refused(files: tuple[Path, Path]) -> None:
    prices, expiries = files
    with pytest.raises(InputError, match="NG"):
        read_listed_curves(prices, expiries, product="NG")
    with pytest.raises(InputError, match="2030-04-20"):
        read_listed_curves(prices, expiries, product="CL", days=[date(2030, 4, 20)])
    expiries.write_text("\n".join(MADE_EXPIRIES.splitlines()[:-1]))
    with pytest.raises(InputError, match="CL03 on 2030-04-24"):
        read_listed_curves(prices, expiries, product="CL")
    expiries.write_text("tick.prefix\nCL\n")
    with pytest.raises(InputError, match=r"Last.Trade") as told:
        read_listed_curves(prices, expiries, product="CL")
    assert len(told.value.faults) == 3


def whole(curve: ForwardCurve) -> ForwardCurve:
    return curve


@real
@pytest.mark.parametrize("product", ["CL", "NG"])
def test_sampled_days_of_seventeen_years_average_back(product: str) -> None:
    every = pl.read_csv(PRICES, columns=["date"], try_parse_dates=True)["date"].sort()
    days = [*every.gather_every(470), every[-1]]
    assert days[0].year == 2007
    assert days[-1].year >= 2023  # the last year of the file at hand
    curves = fit_curves(read_listed_curves(PRICES, EXPIRIES, product=product, days=days), index=f"NYMEX.{product}", keep=whole)
    assert len(curves) == len(days)
    for curve in curves.values():
        assert curve.quotes.height > 30
        np.testing.assert_allclose(curve.fair, curve.quotes["price"].to_numpy(), rtol=0, atol=1e-10)
        if product == "NG":  # a winter's gas is dearer than that of the April and October around it
            months = curve.quotes.group_by(pl.col("start").dt.month()).agg(pl.col("price").mean()).sort("start")["price"].to_list()
            assert min(months[0], months[11]) > max(months[3], months[9])


@real
def test_the_day_of_negative_oil_has_a_curve_and_no_logarithm() -> None:
    quotes = read_listed_curves(PRICES, EXPIRIES, product="CL", days=[date(2020, 4, 20)])
    curve = fit_curve(quotes, index="NYMEX.CL", as_of=quotes["as_of"][0])
    assert curve["CLK20"] == pytest.approx(-37.63, abs=1e-10)
    assert curve["CLM20"] == pytest.approx(20.43, abs=1e-10)
    np.testing.assert_allclose(curve.fair, quotes["price"].to_numpy(), rtol=0, atol=1e-10)

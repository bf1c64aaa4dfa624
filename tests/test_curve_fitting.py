"""`tg.fit_curve` and what it gives: each thing that the contract of names says of a curve."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.curves.arbitrage import ArbitrageError
from tenorgrid.curves.forward import fit_curve as fit_forward
from tenorgrid.data.errors import InputError
from tenorgrid.results import Run

EAST = "H100-SXM.US-EAST.FIRM"


def test_each_line_of_the_contract_runs(weeks_run: Run, march_quotes: pl.DataFrame) -> None:
    quotes = march_quotes.filter(pl.col("index") == EAST)
    first = quotes.row(0, named=True)
    quotes = quotes.with_columns(
        pl.when(pl.col("quote_id") == first["quote_id"]).then(pl.lit("GPU1J27")).otherwise(pl.col("contract")).alias("contract")
    )
    curve = tg.fit_curve(quotes, index=EAST, as_of=first["as_of"], shape=weeks_run.shape(EAST), discount=tg.flat(0.04))
    assert curve["GPU1J27"] == pytest.approx(first["price"], abs=1e-10)
    assert 0 < curve.average("2027-03-15", "2027-04-01", profile="peak@America/New_York") < 10
    assert curve.jacobian().height == curve.curve.height * quotes.height
    assert curve.bump("GPU1J27", 0.05)["GPU1J27"] == pytest.approx(first["price"] + 0.05, abs=1e-10)
    assert weeks_run.shape().hours.equals(weeks_run.shape(weeks_run.busiest()).hours)


def quoted(price: float = 2.42) -> pl.DataFrame:
    """Two months and both together, with two cents either side."""
    edges = [datetime(2027, m, 1, tzinfo=UTC) for m in (2, 3, 4)]
    prices = [2.3, 2.5, price]
    return pl.DataFrame(
        {
            "as_of": [datetime(2027, 1, 1, tzinfo=UTC)] * 3,
            "quote_id": ["feb", "mar", "both"],
            "index": ["X"] * 3,
            "contract": ["GPU1G27", "GPU1H27", "BOTH"],
            "start": [edges[0], edges[1], edges[0]],
            "end": [edges[1], edges[2], edges[2]],
            "profile": ["base"] * 3,
            "bid": [p - 0.02 for p in prices],
            "price": prices,
            "ask": [p + 0.02 for p in prices],
            "average": ["hourly"] * 3,
            "timezone": ["UTC"] * 3,
            "source": ["b"] * 3,
        }
    )


@pytest.mark.parametrize(
    "options",
    [{"method": "linear", "ends": "flat-last"}, {"method": "tension", "tension": 8.0}, {"bending": "time"}, {"method": "constant"}],
)
def test_options_reach_the_fit(options: dict[str, str]) -> None:
    quotes = quoted().head(2)
    curve = tg.fit_curve(quotes, as_of="2027-01-01", **options)  # type: ignore[arg-type]
    own = fit_forward(quotes, index="X", as_of=datetime(2027, 1, 1, tzinfo=UTC), **options)  # type: ignore[arg-type]
    assert np.array_equal(curve.fitted.forward, own.forward)
    assert curve["GPU1G27"] == pytest.approx(2.3, abs=1e-10)


def test_discounted_averages_weigh_each_hour_by_its_factor() -> None:
    quotes = quoted().head(2)
    curve = tg.fit_curve(quotes, discount=tg.flat(0.5), averages="discounted")
    hours = curve.curve.filter(pl.col("start") < datetime(2027, 3, 1, tzinfo=UTC))
    paid = (hours["end"] - datetime(2027, 1, 1, tzinfo=UTC)).dt.total_seconds().to_numpy() / (365 * 86400)
    assert np.average(hours["forward"].to_numpy(), weights=np.exp(-0.5 * paid)) == pytest.approx(2.3, abs=1e-10)
    assert hours["forward"].mean() != pytest.approx(2.3, abs=1e-6)
    with pytest.raises(InputError, match="a discount curve for discounted averages"):
        tg.fit_curve(quotes, averages="discounted")


def test_what_bids_and_asks_spread_is_told_as_an_arbitrage_of_prices_and_beyond_them_refused() -> None:
    curve = tg.fit_curve(quoted(), within="bid-ask")
    told = curve.arbitrage.row(0, named=True)
    made = (2.3 * 28 + 2.5 * 31) / 59
    assert told["size"] == pytest.approx(2.42 - made, abs=1e-12)
    assert told["contract_size"] == pytest.approx((2.42 - made) * 59 * 24, abs=1e-8)
    assert tg.fit_curve(quoted().head(2)).arbitrage.is_empty()
    with pytest.raises(ArbitrageError) as refused:
        tg.fit_curve(quoted())
    assert refused.value.table["size"].to_list() == pytest.approx([2.42 - made], abs=1e-12)


def test_deltas_of_a_month_are_its_own_quote_and_equal_bumps() -> None:
    curve = tg.fit_curve(quoted().head(2))
    found = curve.deltas("2027-02-01", "2027-03-01", quantity=2.0)
    assert found.quotes["delta"].to_list() == pytest.approx([2 * 28 * 24, 0.0], abs=1e-8)
    half = curve.deltas("2027-02-10", date(2027, 3, 9)).quotes["delta"].to_list()
    span = ("2027-02-10", "2027-03-09")
    moved = [(curve.bump(name, 0.1).average(*span) - curve.average(*span)) * 27 * 24 / 0.1 for name in ("feb", "mar")]
    assert half == pytest.approx(moved, abs=1e-7)
    assert sum(curve.monthly_jacobian()["weight"]) == pytest.approx(2.0, abs=1e-9)  # months of two quotes are the quotes
    assert curve.months()["cent"].to_list() == pytest.approx([6.72, 7.44], abs=1e-12)


def test_names_that_nobody_knows_are_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="method") as told:
        tg.fit_curve(quoted(), method="cubic", ends="loose", averages="mean")  # type: ignore[arg-type]
    assert len(told.value.faults) == 3
    with pytest.raises(InputError, match="none named"):
        tg.fit_curve(pl.concat([quoted(), quoted().with_columns(pl.lit("Y").alias("index"))]))
    with pytest.raises(InputError, match="not both"):
        tg.fit_curve(quoted(), shape=object(), history=pl.DataFrame())  # type: ignore[arg-type]
    quoted().head(2).write_parquet(tmp_path / "quotes.parquet")
    assert tg.fit_curve(tmp_path / "quotes.parquet")["GPU1H27"] == pytest.approx(2.5, abs=1e-10)


def test_prices_that_come_later_change_no_shape() -> None:
    """A week of history by the moment of the curve; what follows it is ten times as high, and past months are known by their end alone."""
    quotes = quoted().head(2)
    starts = pl.datetime_range(datetime(2026, 12, 4, tzinfo=UTC), datetime(2027, 1, 20, tzinfo=UTC), "1h", closed="left", eager=True)
    hour = starts.dt.hour().to_numpy()
    known = (starts < datetime(2027, 1, 1, tzinfo=UTC)).to_numpy()
    past = pl.DataFrame({"start": starts, "price": np.where(known, 2.0, 20.0) + np.where(known, 0.3, 9.0) * np.sin(hour)})
    made, cut = (tg.fit_curve(quotes, history=rows) for rows in (past, past.filter(known)))
    assert made.curve.equals(cut.curve)
    later = tg.fit_curve(quotes, history=past, as_of=datetime(2027, 1, 19, tzinfo=UTC))
    assert not later.curve["forward"].equals(made.curve["forward"])
    with pytest.raises(InputError, match="at least one week"):
        tg.fit_curve(quotes, history=past.filter(~known))
    months = pl.datetime_range(datetime(2022, 1, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC), "1mo", eager=True)
    season = pl.DataFrame({"start": months, "price": 2.0 + 0.1 * months.dt.month().to_numpy()})
    wild = season.with_columns(price=pl.when(months >= datetime(2027, 1, 1, tzinfo=UTC)).then(50.0).otherwise(pl.col("price")))
    assert tg.fit_curve(quotes, season=season).curve.equals(tg.fit_curve(quotes, season=wild).curve)

"""The committed three days, cleared: a problem of the promised size, and prices where they are wanted."""

from datetime import date

import polars as pl
import pytest

from tenorgrid.clearing.horizons import clear_horizons
from tenorgrid.data.case import read_case
from tenorgrid.data.sample.benchmarks import ACCELERATORS
from tenorgrid.data.sample.small import SMALL


@pytest.mark.slow
def test_the_committed_days_clear_at_prices_that_make_sense() -> None:
    run = clear_horizons(read_case(SMALL), horizons=("day-ahead", "real-time"), as_of=date(2027, 3, 15))
    assert run.certificate["columns"].min() >= 1000  # type: ignore[operator]
    assert run.certificate["columns"].max() <= 1400  # type: ignore[operator]
    assert run.certificate["rows"].max() <= 450  # type: ignore[operator]
    prices = run.prices.with_columns(pl.col("pricing", "horizon").cast(pl.String)).filter(pricing="marginal", horizon="real-time")
    mean = prices.group_by("location", "resource", "tier").agg(pl.col("price").mean())
    tiers = mean.pivot("tier", index=["location", "resource"], values="price")
    machines = tiers.filter(pl.col("resource").is_in(ACCELERATORS))
    assert (machines["spot"] < machines["firm"]).all()
    h100 = machines.filter(resource="h100-sxm")["firm"]
    assert h100.is_between(1.5, 4.0).all()
    assert h100.n_unique() == 3  # regions differ
    hosts = tiers.filter(~pl.col("resource").is_in(ACCELERATORS))
    assert hosts["firm"].is_between(1e-5, 0.1).all()

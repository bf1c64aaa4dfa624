"""Basis: the hedge ratio, its effectiveness and the verdict."""

import warnings
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError, ThinMarketWarning
from tenorgrid.data.tables.observed import Marks
from tenorgrid.data.terms.exposure import Exposure
from tenorgrid.settlement.basis import Hedge, hedge
from tenorgrid.settlement.effectiveness import dollar_offset, regress, variance_reduction, within_band

# Hull, "Options, Futures, and Other Derivatives", table 3.2: monthly changes of the heating-oil futures and the jet-fuel price
FUTURES = np.array([0.021, 0.035, -0.046, 0.001, 0.044, -0.029, -0.026, -0.029, 0.048, -0.006, -0.036, -0.011, 0.019, -0.027, 0.029])
FUEL = np.array([0.029, 0.020, -0.044, 0.008, 0.026, -0.019, -0.010, -0.007, 0.043, 0.011, -0.036, -0.018, 0.009, -0.032, 0.023])
START = datetime(2027, 1, 1, 5, tzinfo=UTC)
WORK, GPU = "DECODE.EAST.FIRM", "H100-SXM.US.FIRM"
FLEET = Exposure(
    workload="decode", quantity=4.0, unit="1e6 tokens/h", home="east", tier="firm", first=date(2027, 4, 1), end=date(2027, 7, 1)
)


def marks(
    index: str, values: np.ndarray[tuple[int], np.dtype[np.float64]], *, revision: int = 0, methodology: str = "house"
) -> pl.DataFrame:
    """Daily marks from the first of January on; NaN is withheld."""
    rows = [
        {"index": index, "methodology": methodology, "start": START + timedelta(days=n), "end": START + timedelta(days=n + 1),
         "published_at": START + timedelta(days=n + 2), "revision": revision, "value": None if np.isnan(value) else float(value),
         "unit": "USD/GPUh", "quantity": None, "status": "withheld" if np.isnan(value) else "published", "method_hash": "0"}
        for n, value in enumerate(values)
    ]  # fmt: skip
    return Marks.validate(pl.DataFrame(rows), cast=True)


def walk(seed: int, *, noise: float, days: int = 80) -> pl.DataFrame:
    """Marks of an index and of a workload that costs a fifth of it, and noise."""
    rng = np.random.default_rng(seed)
    index = 2.5 + np.cumsum(rng.normal(0, 0.05, days))
    return pl.concat([marks(GPU, index), marks(WORK, 0.2 * index + np.cumsum(rng.normal(0, noise, days)))])


def measured(history: pl.DataFrame) -> Hedge:
    return hedge(FLEET, history=history, using=[GPU], timezone="America/New_York")


def test_hulls_example_gives_the_printed_ratio_and_effectiveness() -> None:
    fit = regress(FUEL, FUTURES)
    assert fit.ratio == pytest.approx(0.777651, abs=5e-7)
    assert fit.correlation == pytest.approx(0.928372, abs=5e-7)
    assert fit.ratio * 2_000_000 / 42_000 == pytest.approx(37.031, abs=5e-4)  # contracts: gallons burnt over gallons a contract
    assert variance_reduction(FUEL, FUTURES, ratio=fit.ratio) == pytest.approx(0.861875, abs=5e-7)
    assert (np.std(FUTURES, ddof=1), np.std(FUEL, ddof=1)) == (pytest.approx(0.0313, abs=5e-5), pytest.approx(0.0263, abs=5e-5))


def test_the_known_dollar_offsets_single_and_cumulative() -> None:
    single, cumulative = dollar_offset(np.array([4.6, -3.2, 3.7, -5.1]), np.array([-5.0, 3.0, -4.0, 7.0]))
    assert single == pytest.approx([0.92, 1.0667, 0.925, 0.7286], abs=5e-5)
    assert cumulative[:3] == pytest.approx([0.92, 0.70, 0.85], abs=5e-13)
    assert within_band(single).tolist() == [True, True, True, False]
    assert within_band(cumulative[:3]).tolist() == [True, False, True]
    assert np.isnan(dollar_offset(np.array([1.0]), np.array([0.0]))[0]).all()


@pytest.mark.parametrize("lags", [0, 3, 7])
def test_standard_errors_agree_with_statsmodels(lags: int) -> None:
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(3)
    index = np.convolve(rng.normal(0, 1, 90), [1, 0.6, 0.3], "valid")
    item = 0.4 * index + np.convolve(rng.normal(0, 1, 90), [1, 0.5, 0.5], "valid")
    fit = regress(item, index, lags=lags)
    theirs = OLS(item, np.column_stack([np.ones(index.size), index])).fit(cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True)
    assert fit.ratio == pytest.approx(theirs.params[1], rel=1e-10)
    assert fit.error == pytest.approx(theirs.bse[1], rel=1e-10)
    assert (fit.lower, fit.upper) == pytest.approx(tuple(theirs.conf_int()[1]), rel=1e-9)


def test_no_other_ratio_takes_away_more_variance() -> None:
    best = variance_reduction(FUEL, FUTURES, ratio=regress(FUEL, FUTURES).ratio)
    for ratio in np.linspace(-1, 3, 41):
        assert variance_reduction(FUEL, FUTURES, ratio=float(ratio)) <= best


def test_a_workload_that_follows_its_gpu_is_hedged_and_one_that_does_not_is_said_to_be_ineffective() -> None:
    good, bad = measured(walk(1, noise=0.001)), measured(walk(1, noise=0.05))
    assert good.basis["verdict"].to_list() == ["effective"]
    assert good.basis["ratio"][0] == pytest.approx(0.2, abs=0.01)
    assert good.basis["lower"][0] < 0.2 < good.basis["upper"][0]
    assert good.effectiveness["r_squared"][0] == pytest.approx(good.basis["effectiveness"][0], abs=1e-12)
    assert bad.basis["verdict"].to_list() == ["ineffective"]
    assert "of the variance, below 80%" in bad.effectiveness["reason"][0]


def test_a_hedge_that_breaks_down_out_of_sample_is_ineffective() -> None:
    rng = np.random.default_rng(5)
    moves = rng.normal(0, 0.05, 80)
    own = np.where(np.arange(80) < 40, 1.0, -0.02) * moves
    own[:40] *= 10  # the first half decides in sample
    history = pl.concat([marks(GPU, 5 + np.cumsum(moves)), marks(WORK, 20 + np.cumsum(own))])
    found = measured(history).basis.row(0, named=True)
    assert found["out_of_sample"] < 0
    assert found["verdict"] == "ineffective"


def test_the_series_has_a_row_a_day_and_starts_without_a_change() -> None:
    found = measured(walk(2, noise=0.01))
    assert found.series.height == 80
    assert found.series["date"][0] == date(2027, 1, 1)
    assert found.series["exposure_change"].null_count() == 1
    assert found.basis["observations"][0] == 79
    assert found.series["index_change"].drop_nulls().to_numpy() == pytest.approx(np.diff(found.series["index_price"].to_numpy()), abs=1e-15)


def test_a_restated_mark_replaces_the_one_before() -> None:
    history = walk(2, noise=0.01)
    restated = history.filter(pl.col("index") == GPU).with_columns(pl.col("value") * 2, revision=pl.lit(1, dtype=pl.Int64))
    assert measured(pl.concat([history, restated])).basis["ratio"][0] == pytest.approx(measured(history).basis["ratio"][0] / 2, rel=1e-12)


def test_gaps_and_withheld_days_are_refused_by_name() -> None:
    history = walk(2, noise=0.01)
    gap = history.filter((pl.col("index") != GPU) | (pl.col("start") != START + timedelta(days=9)))
    with pytest.raises(InputError, match=r"found H100-SXM.US.FIRM 2027-01-11T05:00Z, expected no day without a mark before it"):
        measured(gap)
    held = np.linspace(2, 3, 80)
    held[20] = np.nan
    with pytest.raises(InputError, match=r"found DECODE.EAST.FIRM 2027-01-22T05:00Z"):
        measured(pl.concat([marks(GPU, 2 + np.sin(np.arange(80.0))), marks(WORK, held)]))


def test_constants_and_few_days_are_refused() -> None:
    flat = pl.concat([marks(GPU, np.full(40, 2.5)), marks(WORK, np.sin(np.arange(40.0)) + 3)])
    with pytest.raises(InputError, match=r"column index: found 0.0, expected changes that are not all the same"):
        measured(flat)
    with pytest.raises(InputError, match="expected at least 10 changes"):
        measured(walk(1, noise=0.01, days=10))
    with pytest.raises(InputError, match="expected marks of this index"):
        hedge(FLEET, history=walk(1, noise=0.01), using=["B200-SXM.US.FIRM"])


def test_two_methodologies_must_be_told_apart() -> None:
    history = walk(1, noise=0.01)
    both = pl.concat([history, history.with_columns(methodology=pl.lit("other"))])
    with pytest.raises(InputError, match=r"found house, other, expected one methodology for DECODE.EAST.FIRM"):
        measured(both)
    assert hedge(FLEET, history=both, using=[GPU], methodology="house").basis["ratio"][0] == measured(history).basis["ratio"][0]


def test_few_days_are_warned_of_and_never_called_effective() -> None:
    with warnings.catch_warnings(), pytest.warns(ThinMarketWarning, match="rests on 15 changes"):
        found = measured(walk(1, noise=0.0001, days=16))
    assert found.basis["verdict"].to_list() == ["ineffective"]
    assert found.effectiveness["reason"].to_list() == ["too few days to see it out of sample"]


def test_an_exposure_is_valid_or_not_born() -> None:
    with pytest.raises(InputError) as refused:
        Exposure(quantity=0.0, unit="", home="east", tier="firm", first=date(2027, 4, 1), end=date(2027, 4, 1))
    assert {fault.column for fault in refused.value.faults} == {"workload", "quantity", "unit"}
    with pytest.raises(InputError, match="expected a day after 2027-04-01"):
        Exposure(resource="h100-sxm", quantity=1.0, unit="GPU", home="us-east", tier="firm", first=date(2027, 4, 1), end=date(2027, 4, 1))


def test_exposures_begin_at_local_midnight() -> None:
    table = measured(walk(1, noise=0.01)).exposures
    assert table["start"].to_list() == [datetime(2027, 4, 1, 4, tzinfo=UTC)]
    assert table["unit"].to_list() == ["1e6 tokens/h"]

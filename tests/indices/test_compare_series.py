"""Plain averages beside quality-adjusted indices: what a changing panel does to each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.normalisation.characteristics import Characteristic, Model, load_model, shipped_models
from tenorgrid.indices.normalisation.compare_series import compare_series
from tenorgrid.indices.normalisation.normalise import normalise

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DAILY = SHARED / "gpu_prices_daily_multiprovider.csv.gz"
LISTINGS = SHARED / "ccir_vast_listings_us.csv.gz"
REGIONAL = SHARED / "gcp_gpu_prices_weekly_by_region_2022_2026.csv.gz"
CLOUDS = SHARED / "cloud_gpus_list_prices_2021_2025.csv.gz"
SIZE = Characteristic(column="gpu_count", form="log", base=8.0)
SELLER = Characteristic(column="provider", form="category")
START = datetime(2026, 3, 1, tzinfo=UTC)


def needs(path: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not path.exists(), reason=f"needs {path.name}")


def shrinking_panel(drift: float = 0.0) -> pl.DataFrame:
    """33 providers for ten days, the 6 cheapest for ten more; 1 and 8 GPUs each; every price moves by `drift` a day."""
    level = np.exp(np.random.default_rng(4).normal(1.0, 0.4, 33))
    cheap = set(np.argsort(level)[:6])
    rows = [
        (f"{day}-{who}-{size}", START + timedelta(days=day), f"p{who:02}", float(size), level[who] * size**-0.02 * (1 + drift) ** day)
        for day in range(20)
        for who in range(33)
        for size in (1, 8)
        if day < 10 or who in cheap
    ]
    return pl.DataFrame(rows, schema=["observation_id", "time", "provider", "gpu_count", "price"], orient="row")


def last(series: pl.DataFrame) -> dict[str, float]:
    """Value in the last period by method."""
    return dict(series.filter(pl.col("period") == pl.col("period").max()).select(pl.col("method").cast(pl.String), "value").rows())


def test_a_panel_that_shrinks_moves_averages_and_no_adjusted_index() -> None:
    model = Model(name="m", source="-", characteristics=(SIZE, SELLER), product=("provider", "gpu_count"))
    for drift in (0.0, 0.003):
        found = last(compare_series(normalise(shrinking_panel(drift), model)).series)
        true = (1 + drift) ** 19
        assert found["time-product-dummy"] == pytest.approx(true, rel=1e-10)
        assert found["hedonic"] == pytest.approx(true, rel=1e-10)
        assert found["time-product-dummy, prices held"] == pytest.approx(1.0, abs=1e-12)
        assert found["mean"] < 0.65 * true
        assert found["median"] < 0.75 * true
        assert found["mean, prices held"] == pytest.approx(found["mean"] / true, rel=1e-10)


def test_rows_that_nothing_ties_are_told_and_groups_without_a_series_too() -> None:
    rows = pl.concat(
        [
            shrinking_panel().with_columns(resource=pl.lit("a")),
            pl.DataFrame(
                {
                    "observation_id": ["x", "y"], "time": [START + timedelta(days=40)] * 2, "provider": ["late", "late"],
                    "gpu_count": [1.0, 8.0], "price": [1.0, 1.0], "resource": ["a", "a"],
                }
            ),
        ]
    )  # fmt: skip
    model = Model(name="m", source="-", characteristics=(SIZE,), by=("resource",), product=("provider", "gpu_count"))
    found = compare_series(normalise(rows, model))
    assert found.left_out.select("group", "product").rows() == [("a", "late / 1.0"), ("a", "late / 8.0")]
    held = found.series.filter(pl.col("method").cast(pl.String) == "mean")
    assert held["rows"].sum() == shrinking_panel().height
    with pytest.raises(InputError, match="a model with periods"):
        compare_series(normalise(rows, Model(name="m", source="-", characteristics=(SIZE,), period="none")))
    with pytest.raises(InputError, match="column maker"):
        compare_series(normalise(rows, Model(name="m", source="-", characteristics=(SIZE,), product=("maker",))))


def test_shipped_models_are_read_and_others_refused(tmp_path: Path) -> None:
    assert [load_model(name).name for name in shipped_models()] == list(shipped_models())
    with pytest.raises(InputError, match="one of clouds, daily, listings, regional, or the path"):
        load_model("weekly")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(InputError, match="TOML in UTF-8"):
        load_model(tmp_path / "bad.toml")


@needs(DAILY)
def test_the_real_panel_that_shrinks_moves_the_mean_and_not_the_adjusted_index() -> None:
    rows = read_observations(DAILY).filter(pl.col("resource") == "h100-sxm", pl.col("tier") == "firm")
    providers = rows.group_by("date").agg(pl.col("provider").n_unique()).sort("date")["provider"]
    assert providers.max() == 34
    assert providers[-1] == 5
    found = compare_series(normalise(rows, load_model("daily"))).series
    at = found.with_columns(pl.col("period").dt.date().cast(pl.String), pl.col("method").cast(pl.String))

    def change(method: str, before: str, after: str) -> float:
        own = dict(at.filter(pl.col("method") == method).select("period", "value").rows())
        return float(np.log(own[after] / own[before]))

    # on 2026-03-07 49 of 65 products are gone; of the other 16 two became cheaper, which is −4.3 % of their mean logarithm
    keys = ["provider", "gpu_count", "listed_region"]
    day = {name: rows.filter(pl.col("date").cast(pl.String) == name).select(*keys, "price") for name in ("2026-03-06", "2026-03-07")}
    both = day["2026-03-06"].join(day["2026-03-07"], on=keys)
    assert (day["2026-03-06"].height, day["2026-03-07"].height, both.height) == (65, 16, 16)
    matched = float((both["price_right"].log() - both["price"].log()).mean())  # type: ignore[arg-type]
    assert change("time-product-dummy", "2026-03-06", "2026-03-07") == pytest.approx(matched, abs=0.005)
    assert abs(change("mean", "2026-03-06", "2026-03-07") - matched) > 0.06
    held = at.filter(pl.col("method") == "time-product-dummy, prices held")["value"].to_numpy()
    assert held == pytest.approx(1.0, abs=1e-10)
    end = last(found)
    assert end["mean"] < 0.70  # a third off, and with every product's price held it falls as far
    assert end["mean, prices held"] < 0.70
    assert end["time-product-dummy"] == pytest.approx(1.0, abs=0.02)


@needs(LISTINGS)
def test_the_fit_of_real_listings() -> None:
    found = normalise(read_observations(LISTINGS), load_model("listings"))
    told = {row["term"]: row for row in found.coefficients().iter_rows(named=True)}
    assert told["gpu_count"]["upper"] < 0  # larger machines are a little cheaper a GPU
    assert told["reliability"]["lower"] > 0
    assert 0.5 < told["gpu_ram_gb"]["coefficient"] < 0.7  # V100 of 16 and 32 GB, A100 of 40 and 80
    assert found.fits["all"].r_squared > 0.99
    assert found.observations["factor"].null_count() == 0
    assert found.observations["factor"].is_between(0.9, 1.4).all()  # 1.36 is a machine that is up 92 % of the time


@needs(REGIONAL)
@pytest.mark.slow
def test_the_fit_of_a_clouds_regions_and_terms() -> None:
    rows = read_observations(REGIONAL).filter(pl.col("resource") == "h100-sxm")
    found = normalise(rows, load_model("regional"))
    told = {(row["group"], row["term"]): row["coefficient"] for row in found.coefficients().iter_rows(named=True)}
    assert np.exp(told["h100-sxm / firm", "term 1Y"]) == pytest.approx(0.693, abs=0.005)
    assert np.exp(told["h100-sxm / firm", "term 3Y"]) == pytest.approx(0.439, abs=0.005)
    priced = found.observations.filter(pl.col("tier") == "firm", pl.col("factor").is_not_null())
    spread = priced.select(pl.col("adjusted").std() / pl.col("adjusted").mean(), pl.col("price").std() / pl.col("price").mean()).row(0)
    assert spread[0] < 0.1 * spread[1]


@needs(CLOUDS)
def test_the_table_of_clouds_says_how_fast_an_old_chip_loses_value() -> None:
    rows = read_observations(CLOUDS).filter(pl.col("resource") == "v100")
    end = last(compare_series(normalise(rows, load_model("clouds"))).series)
    assert end["hedonic"] == pytest.approx(end["time-product-dummy"], rel=1e-9)  # nothing but the provider is known
    assert end["time-product-dummy"] == pytest.approx(0.42, abs=0.01)
    assert end["mean, prices held"] > 1.1  # the dear clouds stayed

"""Hedonic regression by cells, and prices brought to a base specification."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.indices.normalisation.characteristics import Characteristic, Form, Model, Weights, parse
from tenorgrid.indices.normalisation.design import pool
from tenorgrid.indices.normalisation.hedonic import fit_hedonic
from tenorgrid.indices.normalisation.normalise import normalise
from tenorgrid.indices.normalisation.two_way import Errors

START = datetime(2027, 1, 1, tzinfo=UTC)
SIZES = (1.0, 2.0, 4.0, 8.0)
NETWORKS = ("ethernet", "infiniband", "none")
SIZE = Characteristic(column="gpu_count", form="log", base=8.0)
NETWORK = Characteristic(column="interconnect", form="category", base="infiniband")
UP = Characteristic(column="reliability", form="level", base=0.99)


def model(*characteristics: Characteristic, **more: Any) -> Model:
    return Model(name="test", source="-", characteristics=characteristics or (SIZE, NETWORK, UP), **more)


def offers(seed: int = 0, *, rows: int = 300, days: int = 6, noise: float = 0.1) -> pl.DataFrame:
    """Made-up offers: log price −0.05 per log GPU, 0.2 for InfiniBand, −0.1 for no network, 0.8 times reliability, 1 % a day."""
    rng = np.random.default_rng(seed)
    day, size, network = rng.integers(0, days, rows), rng.choice(SIZES, rows), rng.integers(0, 3, rows)
    up, provider = rng.integers(90, 100, rows) / 100, rng.integers(0, 7, rows)
    log = 0.7 - 0.05 * np.log(size) + np.array([0.0, 0.2, -0.1])[network] + 0.8 * up + 0.01 * day
    log += noise * (rng.normal(size=rows) * (1 + provider % 2) + np.sin(provider))
    return pl.DataFrame(
        {
            "observation_id": [f"o{number:05}" for number in range(rows)],
            "time": [START + timedelta(days=int(one), minutes=number % 1000) for number, one in enumerate(day)],
            "provider": [f"p{one}" for one in provider],
            "gpu_count": size,
            "interconnect": [NETWORKS[one] for one in network],
            "reliability": up,
            "quantity": rng.uniform(1, 50, rows),
            "price": np.exp(log),
        }
    )


def by_statsmodels(rows: pl.DataFrame, *, weights: Weights, errors: Errors) -> Any:
    """Coefficients of gpu_count, ethernet, none and reliability against InfiniBand, then the constant and the days after the first."""
    import statsmodels.api as sm

    day = rows["time"].dt.date().rank("dense").to_numpy() - 1
    columns = [np.log(rows["gpu_count"].to_numpy()), *((rows["interconnect"] == one).to_numpy() * 1.0 for one in ("ethernet", "none"))]
    design = np.column_stack([*columns, rows["reliability"].to_numpy(), np.ones(rows.height), np.eye(int(day.max()) + 1)[day][:, 1:]])
    weight = {"equal": pl.lit(1.0), "quantity": pl.col("quantity"), "contributor": 1 / pl.len().over("provider", pl.col("time").dt.date())}
    own = rows.select(weight[weights].cast(pl.Float64).alias("weight"))["weight"].to_numpy()
    fit = sm.WLS(np.log(rows["price"].to_numpy()), design, weights=np.ones(rows.height) * own)
    if errors == "cluster":
        return fit.fit(cov_type="cluster", cov_kwds={"groups": rows["provider"].rank("dense").to_numpy()})
    return fit.fit(cov_type="HC1" if errors == "robust" else "nonrobust")


@pytest.mark.parametrize("errors", ["classical", "robust", "cluster"])
@pytest.mark.parametrize("weights", ["equal", "quantity", "contributor"])
def test_coefficients_and_errors_agree_with_statsmodels(errors: Errors, weights: Weights) -> None:
    rows = offers(3)
    theirs, ours = by_statsmodels(rows, weights=weights, errors=errors), fit_hedonic(rows, model(weights=weights, errors=errors))
    names = [str(term) for term in ours.terms]
    assert names == ["gpu_count", "interconnect ethernet", "interconnect none", "reliability"]
    assert ours.coefficients["coefficient"].to_numpy() == pytest.approx(theirs.params[:4], abs=1e-11)
    assert ours.coefficients["se"].to_numpy() == pytest.approx(theirs.bse[:4], abs=1e-11)
    assert ours.covariance == pytest.approx(theirs.cov_params()[:4, :4], abs=1e-11)
    assert ours.periods["value"].log().to_numpy()[1:] == pytest.approx(theirs.params[5:], abs=1e-11)
    assert ours.periods["se"].to_numpy()[1:] == pytest.approx(theirs.bse[5:], abs=1e-11)
    assert (ours.rows, ours.free) == (theirs.nobs, theirs.df_resid)
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-11)
    if errors == "classical":
        assert ours.sigma == pytest.approx(theirs.scale**0.5 / (1 if weights == "equal" else _scale(rows, weights) ** 0.5), rel=1e-9)
        assert ours.coefficients["upper"].to_numpy() == pytest.approx(theirs.conf_int()[:4, 1], abs=1e-11)


def _scale(rows: pl.DataFrame, weights: Weights) -> float:
    """Mean weight, by which ours are divided."""
    if weights == "quantity":
        return float(rows["quantity"].to_numpy().mean())
    return float(rows.select((1 / pl.len().over("provider", pl.col("time").dt.date())).mean()).item())


@pytest.mark.parametrize("errors", ["classical", "robust", "cluster"])
def test_pooled_rows_give_the_same_fit_as_single_ones(errors: Errors) -> None:
    rows = offers(14, rows=900, days=3).with_columns(pl.col("reliability").round(1))
    rule = model(SIZE, NETWORK, UP, errors=errors)
    pooled = pool(rows.sample(fraction=1, shuffle=True, seed=3).lazy(), rule)
    assert pooled.height < rows.height / 2
    one, other = fit_hedonic(rows, rule), fit_hedonic(pooled, rule)
    for name in ("coefficient", "se", "rows", "lowest"):
        assert other.coefficients[name].cast(pl.Float64).to_list() == pytest.approx(
            one.coefficients[name].cast(pl.Float64).to_list(), abs=1e-10
        )
    for name in ("value", "se", "rows"):
        assert other.periods[name].to_list() == pytest.approx(one.periods[name].to_list(), abs=1e-10)
    assert (other.rows, other.free, other.sigma, other.r_squared) == pytest.approx(
        (one.rows, one.free, one.sigma, one.r_squared), rel=1e-10
    )
    with pytest.raises(InputError, match="to pool rows"):
        pool(rows.lazy(), model(outliers=6.0))
    with pytest.raises(InputError, match="a finite number above 0"):
        fit_hedonic(pool(rows.with_columns(price=pl.col("price") - 3).lazy(), rule), rule)


def test_prices_without_noise_give_the_coefficients_they_were_made_of() -> None:
    fit = fit_hedonic(offers(noise=0.0), model())
    assert fit.coefficients["coefficient"].to_list() == pytest.approx([-0.05, -0.2, -0.3, 0.8], abs=1e-12)
    assert fit.periods["value"].to_list() == pytest.approx([np.exp(0.01 * day) for day in range(6)], abs=1e-12)
    assert fit.cells < fit.rows  # equal offers of a day are one cell
    told = fit.coefficients.select("term", "characteristic", "form", "level", "reference", "rows", "lowest", "highest").rows()
    assert told[0][:6] == ("gpu_count", "gpu_count", "log", None, None, 300)
    assert told[0][6:] == pytest.approx((1.0, 8.0))
    assert told[1][:5] == ("interconnect ethernet", "interconnect", "category", "ethernet", "infiniband")


def test_adjusted_prices_are_those_of_the_base_specification() -> None:
    rows = offers(noise=0.0)
    found = normalise(rows, model()).observations
    day = rows["time"].dt.date().rank("dense").to_numpy() - 1
    assert found["adjusted"].to_numpy() == pytest.approx(np.exp(0.7 - 0.05 * np.log(8) + 0.2 + 0.8 * 0.99 + 0.01 * day), rel=1e-11)
    assert found["price"].to_list() == rows["price"].to_list()
    base = found.filter(pl.col("gpu_count") == 8, pl.col("interconnect") == "infiniband", pl.col("reliability") == 0.99)
    assert base["factor"].to_list() == pytest.approx([1.0] * base.height, abs=1e-12)
    assert found["reason"].null_count() == found.height


def test_the_error_of_a_factor_is_that_of_its_difference() -> None:
    rows = offers(2)
    found = normalise(rows, model(errors="classical"))
    theirs = by_statsmodels(rows, weights="equal", errors="classical")
    apart = np.array([np.log(2.0) - np.log(8.0), 0.0, 1.0, 0.93 - 0.99])
    rows = rows.with_columns(found.observations["factor", "factor_se"])
    one = rows.filter(pl.col("gpu_count") == 2, pl.col("interconnect") == "none", pl.col("reliability") == 0.93)
    assert one.height > 0
    assert one["factor"][0] == pytest.approx(np.exp(-apart @ theirs.params[:4]), rel=1e-10)
    assert one["factor_se"][0] == pytest.approx(np.sqrt(apart @ theirs.cov_params()[:4, :4] @ apart), rel=1e-9)


@st.composite
def moving_mixes(draw: st.DrawFn) -> pl.DataFrame:
    """Every specification has one price for ever; which are offered, and how often, changes from day to day."""
    size_effect, network_effects = draw(st.floats(-0.5, 0.5)), draw(st.tuples(*[st.floats(-1, 1)] * 3))
    rows = []
    for day in range(draw(st.integers(2, 5))):
        mix = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12))
        whole = [(size, network) for size in range(4) for network in range(3)] if day == 0 else []
        for number, (size, network) in enumerate([*whole, *mix]):
            price = float(np.exp(size_effect * np.log(SIZES[size]) + network_effects[network]))
            rows.append((f"{day}-{number}", START + timedelta(days=day), SIZES[size], NETWORKS[network], price))
    return pl.DataFrame(rows, schema=["observation_id", "time", "gpu_count", "interconnect", "price"], orient="row")


@given(moving_mixes())
@settings(max_examples=50, deadline=None)
def test_a_changing_mix_of_unchanged_prices_is_no_inflation(rows: pl.DataFrame) -> None:
    found = normalise(rows, model(SIZE, NETWORK, at_least=1))
    assert found.periods()["value"].to_numpy() == pytest.approx(1.0, abs=1e-10)
    daily = found.observations.group_by(pl.col("time").dt.date()).agg(
        pl.col("adjusted").mean(), pl.col("adjusted").median().alias("middle")
    )
    for column in ("adjusted", "middle"):
        assert daily[column].to_numpy() == pytest.approx(daily[column][0], rel=1e-10)


def test_a_plain_mean_of_the_same_mix_moves() -> None:
    rows = offers(noise=0.0).with_columns(pl.col("price") * (-0.01 * (pl.col("time").dt.ordinal_day() - 1)).exp())
    late = (pl.col("time") >= START + timedelta(days=3)) & (pl.col("interconnect") == "infiniband")
    thinned = rows.filter(~late)  # the dear offers leave
    plain = thinned.group_by(pl.col("time").dt.date()).agg(pl.col("price").mean()).sort("time")["price"]
    found = normalise(thinned, model())
    assert plain[-1] / plain[0] < 0.95
    assert found.periods()["value"].to_numpy() == pytest.approx(1.0, abs=1e-10)


def test_the_price_change_of_one_specification_enters_by_its_weight() -> None:
    specs = [(size, network) for size in SIZES for network in NETWORKS]
    made = [
        (f"{day}-{at}", START + timedelta(days=day), *spec, 1.5 if (day, at) == (1, 4) else 1.0)
        for day in (0, 1)
        for at, spec in enumerate(specs)
    ]
    rows = pl.DataFrame(made, schema=["observation_id", "time", "gpu_count", "interconnect", "price"], orient="row")
    found = fit_hedonic(rows, model(SIZE, NETWORK, at_least=1))
    assert found.periods["value"].to_list() == pytest.approx([1.0, 1.5 ** (1 / 12)], abs=1e-12)


def test_later_rows_change_nothing() -> None:
    rows = offers(5)
    until = START + timedelta(days=4)
    wild = rows.with_columns(price=pl.when(pl.col("time") >= until).then(pl.col("price") * 50).otherwise("price"))
    short = normalise(rows.filter(pl.col("time") < until), model(days=3), until=until)
    for table in (rows, wild):
        found = normalise(table, model(days=3), until=until)
        assert found.coefficients().equals(short.coefficients())
        before = found.observations.filter(pl.col("time") < until)
        assert before.equals(short.observations)
    first = rows.filter(pl.col("time") >= until - timedelta(days=3), pl.col("time") < until)
    assert fit_hedonic(first, model()).coefficients.equals(short.coefficients().drop("group"))


def test_order_of_rows_and_unit_of_price_change_nothing() -> None:
    rows = offers(6)
    one = normalise(rows, model())
    other = normalise(rows.sample(fraction=1, shuffle=True, seed=2).with_columns(pl.col("price") * 730), model())
    shuffled = normalise(rows.sample(fraction=1, shuffle=True, seed=2), model())
    assert shuffled.coefficients().equals(one.coefficients())  # to the last bit
    assert other.coefficients()["coefficient"].to_numpy() == pytest.approx(one.coefficients()["coefficient"].to_numpy(), abs=1e-11)
    assert other.observations.sort("observation_id")["factor"].to_numpy() == pytest.approx(one.observations["factor"].to_numpy(), rel=1e-11)


def test_what_is_only_controlled_for_stays_as_it_is() -> None:
    rows = offers(noise=0.0)
    control = model(SIZE, Characteristic(column="interconnect", form="category"), UP)
    found = normalise(rows, control).observations
    factor = 0.05 * (np.log(rows["gpu_count"].to_numpy()) - np.log(8)) - 0.8 * (rows["reliability"].to_numpy() - 0.99)
    assert found["factor"].to_numpy() == pytest.approx(np.exp(factor), rel=1e-11)


def test_groups_have_a_fit_each_and_those_without_are_named() -> None:
    rows = offers(7).with_columns(resource=pl.when(pl.int_range(pl.len()) < 6).then(pl.lit("few")).otherwise(pl.lit("many")))
    found = normalise(rows, model(by=("resource",)))
    assert list(found.fits) == ["many"]
    assert "few" in found.refused
    few = found.observations.filter(pl.col("resource") == "few")
    assert few["factor"].null_count() == few["reason"].eq("no fit of its group").sum() == 6
    assert found.summary()["rows"].to_list() == [294]
    with pytest.raises(InputError, match="observations of few: found 6 rows for"):
        normalise(rows.filter(pl.col("resource") == "few"), model(by=("resource",)))


def test_rows_that_cannot_be_adjusted_say_why() -> None:
    rows = offers(8, noise=0.0)
    rows = rows.with_columns(
        gpu_count=pl.when(pl.int_range(pl.len()) == 0).then(None).otherwise("gpu_count"),
        interconnect=pl.when(pl.int_range(pl.len()) == 1).then(pl.lit("optical")).otherwise("interconnect"),
        time=pl.when(pl.int_range(pl.len()) == 1).then(START + timedelta(days=30)).otherwise("time"),
    )
    found = normalise(rows, model(), until=START + timedelta(days=10))
    assert found.observations["reason"][:3].to_list() == ["no gpu_count", "interconnect optical is not in the fit", None]
    assert found.observations["adjusted"][:3].is_null().to_list() == [True, True, False]
    assert found.fits["all"].incomplete == 1
    missing = Characteristic(column="interconnect", form="category", base="infiniband", missing="level")
    gaps = offers(8, noise=0.0).with_columns(interconnect=pl.col("interconnect").replace("none", None))
    assert normalise(gaps, model(SIZE, missing, UP)).observations["factor"].null_count() == 0


def test_dependent_columns_are_named_with_what_they_depend_on() -> None:
    rows = offers(9).with_columns(
        cpus=pl.col("gpu_count").log().exp().pow(2),
        week=pl.col("time").dt.ordinal_day().cast(pl.Float64),
        disk=pl.lit(1.0),
        net=pl.col("interconnect"),
    )
    forms: dict[str, Form] = {"cpus": "log", "week": "level", "disk": "level", "net": "category"}
    extra = [Characteristic(column=column, form=form) for column, form in forms.items()]
    with pytest.raises(InputError) as caught:
        fit_hedonic(rows, model(SIZE, NETWORK, UP, *extra))
    told = {fault.column: str(fault.value) for fault in caught.value.faults if fault.column != "net"}
    assert told["cpus"] == "cpus: a combination of gpu_count and the periods"
    assert told["week"] == "week: the same in every row of a period"
    assert told["disk"] == "disk: one value in every row"
    nets = [str(fault.value) for fault in caught.value.faults if fault.column == "net"]
    assert len(nets) == 2
    assert all("a combination of interconnect" in net for net in nets)


def test_left_out_columns_leave_alone_what_differs_in_them() -> None:
    rows = offers(10, noise=0.0).filter(pl.col("interconnect") == "infiniband")
    late = offers(11, rows=10, noise=0.0).with_columns(
        pl.col("time") + timedelta(days=30), pl.format("x{}", "observation_id").alias("observation_id")
    )
    both = pl.concat([rows.with_columns(disk=pl.col("gpu_count") * 2), late.with_columns(disk=pl.col("gpu_count") * 3)])
    disk = Characteristic(column="disk", form="log", base=16.0)
    left = model(SIZE, disk, NETWORK, UP, dependent="leave")
    found = normalise(both, left, until=START + timedelta(days=10))
    assert [str(one.term) for one in found.fits["all"].left] == ["disk"]
    assert found.observations["factor"][: rows.height].null_count() == 0  # twice its GPUs, as the base: the sum of both effects is known
    reasons = set(found.observations["reason"][rows.height :])
    assert reasons <= {
        "what it differs in cannot be told apart: disk",
        "interconnect none is not in the fit",
        "interconnect ethernet is not in the fit",
    }
    with pytest.raises(InputError, match="disk: a combination of gpu_count"):
        normalise(both, model(SIZE, disk, NETWORK, UP), until=START + timedelta(days=10))


@pytest.mark.parametrize("errors", ["classical", "robust", "cluster"])
def test_where_every_column_is_left_out_the_mean_of_the_logs_is_left(errors: Errors) -> None:
    rows = offers(12).with_columns(gpu_count=pl.lit(8))
    fit = fit_hedonic(rows, model(Characteristic(column="gpu_count", form="log", base=8.0), dependent="leave", errors=errors))
    assert fit.coefficients.height == 0
    assert [str(one.term) for one in fit.left] == ["gpu_count"]
    means = rows.group_by(pl.col("time").dt.date().alias("day")).agg(pl.col("price").log().mean()).sort("day")["price"].to_numpy()
    ratio = fit.periods["value"].to_numpy() / fit.periods["value"][0]
    np.testing.assert_allclose(ratio, np.exp(means - means[0]), rtol=1e-12)


def test_a_provider_who_takes_over_from_another_moves_no_index() -> None:
    rows = offers(13, noise=0.0).with_columns(price=pl.col("price") * (-0.01 * (pl.col("time").dt.ordinal_day() - 1)).exp())
    late = pl.col("time") >= START + timedelta(days=4)
    taken = rows.with_columns(
        provider=pl.when(late).then(pl.lit("dear")).otherwise(pl.lit("cheap")),
        price=pl.when(late).then(3 * pl.col("price")).otherwise("price"),
    )
    seller = Characteristic(column="provider", form="category")
    with pytest.raises(InputError, match="provider dear: the same in every row of a period"):
        fit_hedonic(taken, model(SIZE, NETWORK, UP, seller))
    alone = fit_hedonic(taken, model(SIZE, NETWORK, UP, seller, dependent="leave")).periods
    assert alone["value"].to_list() == [*[pytest.approx(1.0)] * 4, None, None]  # nothing tells a dear seller from dear days
    assert alone["se"].null_count() == alone["lower"].null_count() == 2
    both = pl.concat(
        [
            taken,
            taken.filter(late).with_columns(
                pl.format("c{}", "observation_id").alias("observation_id"), provider=pl.lit("cheap"), price=pl.col("price") / 3
            ),
        ]
    )
    tied = fit_hedonic(both, model(SIZE, NETWORK, UP, seller, dependent="leave")).periods
    assert tied["value"].to_list() == pytest.approx([1.0] * 6)


def test_parked_asks_are_left_out_of_the_second_fit() -> None:
    rows = offers(12, noise=0.001)
    parked = rows.with_columns(price=pl.when(pl.int_range(pl.len()) % 60 == 7).then(pl.col("price") * 100).otherwise("price"))
    kept = fit_hedonic(parked, model(outliers=6.0))
    assert kept.excluded == 5
    assert kept.coefficients["coefficient"].to_list() == pytest.approx([-0.05, -0.2, -0.3, 0.8], abs=0.05)
    assert abs(fit_hedonic(parked, model()).coefficients["coefficient"][3] - 0.8) > 0.5


def test_every_fault_of_the_rows_is_told_at_once() -> None:
    rows = offers(1)
    with pytest.raises(InputError) as caught:
        fit_hedonic(rows.drop("gpu_count", "reliability").rename({"price": "cost"}), model())
    assert [fault.column for fault in caught.value.faults] == ["price", "gpu_count", "reliability"]
    wrong = rows.with_columns(
        gpu_count=pl.when(pl.int_range(pl.len()) == 2).then(0.0).otherwise("gpu_count"),
        price=pl.when(pl.int_range(pl.len()) == 4).then(-1.0).otherwise("price"),
    )
    with pytest.raises(InputError) as caught:
        normalise(wrong, model())
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(3, "gpu_count"), (5, "price")]
    with pytest.raises(InputError, match="column reliability: found a column of String"):
        fit_hedonic(rows.with_columns(pl.col("reliability").cast(pl.String)), model())
    optical = Characteristic(column="interconnect", form="category", base="optical")
    with pytest.raises(InputError, match="no row with optical"):
        fit_hedonic(rows, model(SIZE, optical))
    with pytest.raises(InputError, match="12 rows for 10 coefficients"):
        fit_hedonic(rows.head(12).with_columns(rows["time"][:12].dt.truncate("1d")), model())
    with pytest.raises(InputError, match="at least two clusters"):
        fit_hedonic(rows.with_columns(provider=pl.lit("one")), model(errors="cluster"))
    with pytest.raises(InputError, match="to weigh by"):
        fit_hedonic(rows.with_columns(quantity=pl.lit(None, dtype=pl.Float64)), model(weights="quantity"))


def test_a_model_from_a_table_and_all_its_faults() -> None:
    full = {
        "name": "m", "source": "s", "by": ["resource"], "period": "1w", "timezone": "America/New_York", "days": 30,
        "weights": "contributor", "errors": "cluster", "cluster": "provider", "outliers": 6, "at_least": 40, "dependent": "leave",
        "characteristics": [
            {"column": "gpu_count", "form": "log", "base": 8}, {"column": "region", "form": "category", "base": "us", "missing": "level"},
        ],
    }  # fmt: skip
    assert parse(full) == Model(
        name="m", source="s", by=("resource",), period="1w", timezone="America/New_York", days=30, weights="contributor", errors="cluster",
        outliers=6.0, at_least=40, dependent="leave",
        characteristics=(SIZE, Characteristic(column="region", form="category", base="us", missing="level")),
    )  # fmt: skip
    bad = {
        "name": "m", "source": "s", "colour": 1, "period": "1y", "timezone": "Mars/Olympus", "outliers": 0, "by": ["price"],
        "characteristics": [
            {"column": "gpu_count", "form": "log", "base": 0, "missing": "level"}, {"column": "gpu_count", "form": "cubic"},
            {"column": "factor", "form": "level", "bass": 1},
        ],
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        parse(bad, file="bad.toml")
    assert {fault.column for fault in caught.value.faults} == {
        "colour", "period", "timezone", "outliers", "by", "characteristics", "characteristics[1].base", "characteristics[1].missing",
        "characteristics[2].form", "characteristics[3].column", "characteristics[3].bass",
    }  # fmt: skip
    with pytest.raises(InputError, match="at least one characteristic"):
        parse({"name": "m", "source": "s"})

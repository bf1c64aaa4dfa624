"""The time-product-dummy, its kernel and its errors."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.indices.normalisation import time_dummy as module
from tenorgrid.indices.normalisation.time_dummy import time_dummy
from tenorgrid.indices.normalisation.two_way import Errors, solve, sums

# Diewert and Fox (2017), elasticity 2: prices of four products in twelve periods and what is spent in each
CES_PRICES = [
    [2, 1.75, 1.6, 1.5, 1.45, 1.4, 1.35, 1.3, 1.25, 1.2, 1.15, 1.1],
    [1, 0.5, 1.05, 1.1, 1.12, 1.15, 1.18, 0.6, 1.2, 1.25, 1.28, 1.3],
    [1, 0.95, 0.9, 0.85, 0.4, 0.8, 0.75, 0.72, 0.7, 0.4, 0.7, 0.65],
    [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.7, 0.65, 0.7, 0.75, 0.75, 0.8],
]
CES_PREFERENCE = [0.2, 0.2, 0.2, 0.4]
CES_INDEX = [  # IndexNumR, tests/testthat/test-wtpd.R
    1, 0.880339868502394, 1.11310561070234, 1.15879006335178, 0.944228876424154, 1.23413422819567, 1.17381864977063, 0.96466253410287,
    1.14473361053433, 0.955804858341343, 1.17418844896016, 1.17377193225844,
]  # fmt: skip


def random_rows(seed: int, *, products: int, periods: int, rows: int) -> pl.DataFrame:
    """Prices with holes, several of one product and period, and errors that differ by product and hang together within it."""
    rng = np.random.default_rng(seed)
    product, period = rng.integers(0, products, rows), rng.integers(0, periods, rows)
    product[:periods], period[:periods] = 0, np.arange(periods)  # all hang together
    product[periods : periods + products], period[periods : periods + products] = np.arange(products), 0
    noise = rng.normal(0, 0.1, rows) * (1 + product % 3) + 0.05 * np.sin(product + period / 2)
    price = np.exp(rng.normal(size=products)[product] + rng.normal(size=periods)[period] + noise)
    return pl.DataFrame({"product": product, "period": period, "price": price, "weight": rng.uniform(0.5, 2, rows)})


def by_statsmodels(rows: pl.DataFrame, *, weight: bool, errors: Errors, base: int) -> tuple[Any, Any]:
    """Effects of products and periods, and the periods' errors, from a regression on dummies. Cluster errors without any correction."""
    import statsmodels.api as sm

    product, period = rows["product"].to_numpy(), rows["period"].to_numpy()
    one, other = np.eye(product.max() + 1)[product], np.delete(np.eye(period.max() + 1)[period], base, axis=1)
    model = sm.WLS(np.log(rows["price"].to_numpy()), np.hstack([one, other]), weights=rows["weight"].to_numpy() if weight else 1.0)
    if errors == "cluster":
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": product, "use_correction": False})
    else:
        fit = model.fit(cov_type="HC1" if errors == "robust" else "nonrobust")
    return fit, np.insert(fit.bse[one.shape[1] :], base, 0.0)


def test_balanced_panel_with_equal_weights_is_jevons() -> None:
    rows = pl.DataFrame({"product": ["a", "b"] * 2, "period": [1, 1, 2, 2], "price": [2.0, 1.0, 2.2, 1.1]})
    assert time_dummy(rows, product=["product"]).periods["value"].to_list() == pytest.approx([1.0, 1.1], abs=1e-14)
    rng = np.random.default_rng(1)
    price = np.exp(rng.normal(size=(7, 5)))  # (products, periods)
    place = np.indices(price.shape)
    full = pl.DataFrame({"product": place[0].ravel(), "period": place[1].ravel(), "price": price.ravel()})
    jevons = np.exp(np.log(price / price[:, :1]).mean(axis=0))
    assert time_dummy(full, product=["product"]).periods["value"].to_numpy() == pytest.approx(jevons, abs=1e-13)


def test_expenditure_shares_give_the_published_weighted_index() -> None:
    price = np.array(CES_PRICES)
    worth = np.array(CES_PREFERENCE)[:, None] / price  # preference times price to the power 1 − 2
    place = np.indices(price.shape)
    cells = {"product": place[0].ravel(), "period": place[1].ravel(), "price": price.ravel(), "share": (worth / worth.sum(axis=0)).ravel()}
    found = time_dummy(pl.DataFrame(cells), product=["product"], weight="share")
    assert found.periods["value"].to_list() == pytest.approx(CES_INDEX, abs=1e-12)


def test_prices_that_return_bring_the_index_back() -> None:
    rows = pl.DataFrame({"product": ["a", "b"] * 4, "period": [1, 1, 2, 2, 3, 3, 4, 4], "price": [2.0, 2, 1, 2, 2, 2, 2, 2]})
    assert time_dummy(rows, product=["product"]).periods["value"].to_list() == pytest.approx([1, 0.5**0.5, 1, 1], abs=1e-14)


@pytest.mark.parametrize("errors", ["classical", "robust", "cluster"])
@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize(("products", "periods", "base"), [(12, 7, 2), (6, 20, 3), (9, 9, 0), (25, 30, 29), (30, 25, 1)])
def test_effects_and_errors_agree_with_a_regression_on_dummies(
    errors: Errors, weight: bool, products: int, periods: int, base: int
) -> None:
    rows = random_rows(products, products=products, periods=periods, rows=12 * (products + periods))
    fit, bse = by_statsmodels(rows, weight=weight, errors=errors, base=base)
    found = time_dummy(rows, product=["product"], weight="weight" if weight else None, base=base, errors=errors)
    correction = products / (products - 1) * (fit.nobs - 1) / (fit.nobs - periods) if errors == "cluster" else 1.0
    assert found.periods["value"].log().to_numpy() == pytest.approx(np.insert(fit.params[products:], base, 0.0), abs=1e-11)
    assert found.products["price"].log().to_numpy() == pytest.approx(fit.params[:products], abs=1e-11)
    assert found.periods["se"].to_numpy() == pytest.approx(bse * np.sqrt(correction), abs=1e-11)
    assert (found.rows, found.free) == (fit.nobs, fit.df_resid)
    assert found.r_squared == pytest.approx(fit.rsquared, abs=1e-11)


def test_classical_interval_is_that_of_the_regression() -> None:
    rows = random_rows(3, products=5, periods=6, rows=80)
    fit, _ = by_statsmodels(rows, weight=False, errors="classical", base=0)
    found = time_dummy(rows, product=["product"], errors="classical", confidence=0.9).periods
    ends = np.exp(fit.conf_int(alpha=0.1)[5:])
    assert found["lower"].to_numpy()[1:] == pytest.approx(ends[:, 0], abs=1e-11)
    assert found["upper"].to_numpy()[1:] == pytest.approx(ends[:, 1], abs=1e-11)
    assert found["lower"][0] == found["value"][0] == found["upper"][0] == 1.0


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for products, periods in ((30, 8), (8, 30)):
        rows = random_rows(5, products=products, periods=periods, rows=400)
        whole = time_dummy(rows, product=["product"], weight="weight", errors="robust")
        with monkeypatch.context() as patch:
            patch.setattr("tenorgrid.indices.normalisation.two_way.CELLS", 24)
            pieces = time_dummy(rows, product=["product"], weight="weight", errors="robust")
        for column in ("value", "se"):
            assert pieces.periods[column].to_numpy() == pytest.approx(whole.periods[column].to_numpy(), rel=1e-10)


@st.composite
def shrinking(draw: st.DrawFn) -> Iterator[pl.DataFrame]:
    """A panel whose products come and go while each keeps its price; product 0 is always there."""
    products, periods = draw(st.integers(2, 6)), draw(st.integers(2, 7))
    price = draw(st.lists(st.floats(0.05, 50), min_size=products, max_size=products))
    there = draw(st.lists(st.lists(st.booleans(), min_size=products, max_size=products), min_size=periods, max_size=periods))
    rows = [
        {"product": product, "period": period, "price": price[product], "weight": draw(st.floats(0.1, 10))}
        for period in range(periods)
        for product in range(products)
        if product == 0 or there[period][product]
    ]
    return pl.DataFrame(rows)  # type: ignore[return-value]


@given(shrinking())
@settings(max_examples=60, deadline=None)
def test_a_changing_mix_of_unchanged_prices_is_flat(rows: pl.DataFrame) -> None:
    found = time_dummy(rows, product=["product"], weight="weight").periods["value"].to_numpy()
    assert found == pytest.approx(np.ones(found.size), abs=1e-12)


@pytest.mark.parametrize("moved", [0, 3])
def test_the_price_change_of_one_product_enters_by_its_weight(moved: int) -> None:
    weight, level = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 5.0, 2.0, 9.0])
    later = level * np.where(np.arange(4) == moved, 1.3, 1.0)
    cells = {"product": [*range(4)] * 2, "period": [0] * 4 + [1] * 4, "price": [*level, *later], "weight": [*weight, *weight]}
    found = time_dummy(pl.DataFrame(cells), product=["product"], weight="weight")
    assert found.periods["value"][1] == pytest.approx(1.3 ** (weight[moved] / weight.sum()), abs=1e-13)


def test_order_of_rows_scale_of_weights_and_unit_of_price_change_nothing() -> None:
    rows = random_rows(8, products=9, periods=5, rows=120)
    one = time_dummy(rows, product=["product"], weight="weight")
    other = time_dummy(
        rows.sample(fraction=1, shuffle=True, seed=1).with_columns(pl.col("weight") * 1e9, pl.col("price") / 730),
        product=["product"], weight="weight",
    )  # fmt: skip
    for column in ("value", "se", "lower", "upper"):
        assert other.periods[column].to_numpy() == pytest.approx(one.periods[column].to_numpy(), rel=1e-10, abs=1e-12)
    assert other.products["price"].to_numpy() * 730 == pytest.approx(one.products["price"].to_numpy(), rel=1e-10)


def test_a_product_in_one_period_only_moves_nothing() -> None:
    rows = random_rows(4, products=6, periods=5, rows=90).select("product", "period", "price")
    alone = pl.concat([rows, pl.DataFrame({"product": [99], "period": [3], "price": [1000.0]})])
    one, other = (time_dummy(table, product=["product"], errors="classical") for table in (rows, alone))
    assert other.periods["value"].to_numpy() == pytest.approx(one.periods["value"].to_numpy(), abs=1e-12)
    assert other.periods["se"].to_numpy() == pytest.approx(one.periods["se"].to_numpy(), abs=1e-12)
    assert other.free == one.free


def test_products_named_by_several_columns_with_nulls() -> None:
    rows = pl.DataFrame({"who": ["a", "a", "b", "b"], "size": [None, None, 8, 8], "day": [1, 2, 1, 2], "cost": [1.0, 2.0, 3.0, 6.0]})
    found = time_dummy(rows, product=["who", "size"], period="day", price="cost")
    assert found.periods["value"].to_list() == pytest.approx([1.0, 2.0])
    assert found.products.select("who", "size", "rows", "periods").rows() == [("a", None, 2, 2), ("b", 8, 2, 2)]


def test_no_degree_of_freedom_leaves_no_error() -> None:
    found = time_dummy(pl.DataFrame({"product": ["a", "a"], "period": [1, 2], "price": [1.0, 2.0]}), product=["product"]).periods
    assert found["value"].to_list() == pytest.approx([1.0, 2.0])
    assert found["se"].to_list() == [0.0, None]
    assert found["upper"].to_list() == [None, None]


def test_parts_that_nothing_ties_are_named_or_left_out() -> None:
    rows = pl.DataFrame(
        {"product": ["a", "a", "b", "c", "c"], "period": [1, 2, 2, 3, 4], "price": [1.0, 1.1, 5.0, 2.0, 2.2], "weight": [1.0] * 5}
    )
    with pytest.raises(InputError, match="2 rows apart from the rest: periods 3, 4; products c"):
        time_dummy(rows, product=["product"])
    found = time_dummy(rows, product=["product"], parts="largest")
    assert found.periods["period"].to_list() == [1, 2]
    assert found.left_out.rows() == [(3, "c"), (4, "c")]
    with pytest.raises(InputError, match="a base out of the periods that are kept, 1 to 2"):
        time_dummy(rows, product=["product"], parts="largest", base=3)


def test_every_fault_is_told_at_once() -> None:
    rows = pl.DataFrame(
        {"product": ["a"] * 4, "period": [1, None, 2, 3], "price": [1.0, 2.0, -3.0, float("inf")], "weight": [0.0, 1, 1, None]}
    )
    with pytest.raises(InputError) as caught:
        time_dummy(rows, product=["product"], weight="weight")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (2, "period"), (3, "price"), (4, "price"), (1, "weight"), (4, "weight"),
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"column maker: .*\n.*column week: "):
        time_dummy(rows, product=["maker"], period="week")
    with pytest.raises(InputError, match="that differ"):
        time_dummy(rows, product=["period"])
    with pytest.raises(InputError, match="at least one row"):
        time_dummy(rows.clear(), product=["product"])


def test_two_long_sides_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_MOST", 3)
    with pytest.raises(InputError, match="found 5 and 6, expected at most 3 products or"):
        time_dummy(random_rows(1, products=5, periods=6, rows=60), product=["product"])


def test_weights_too_far_apart_are_refused() -> None:
    weight = np.array([1e-200, 1e-200, 1.0, 1.0])
    found = sums(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), np.zeros(4), weight=weight, products=2, periods=3)
    with pytest.raises(InputError, match="near enough"):
        solve(found, base=0, errors="classical")

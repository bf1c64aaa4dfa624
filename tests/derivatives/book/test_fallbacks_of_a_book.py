"""A book whose indices jump, halt or end: fixings behind, the substitute's curve ahead, for all or for one contract."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.substituted import substituted
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.periods import midnight
from tenorgrid.data.terms.specifications.products import PACKAGED, read_products
from tenorgrid.derivatives.book.scenarios import scenario_grid
from tenorgrid.derivatives.book.valuation import BookValue, value
from tenorgrid.derivatives.explain.book import explained

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
Trade = Callable[..., dict[str, object]]
Valued = Callable[..., BookValue]
ENDS = {"index": US, "kind": "cessation", "substitute": EAST, "ratio": 1.1, "spread": 0.05}


@pytest.fixture(scope="module")
def worth(trade: Trade, curve: ForwardCurve, node: ForwardCurve, fixings: pl.DataFrame, volatility: pl.DataFrame) -> Valued:
    """worth(rows of fallbacks, kind, span, strike, ...): the book of that one trade, undiscounted."""

    def make(rows: list[dict[str, Any]], kind: str, span: object, strike: float, **more: Any) -> BookValue:
        given = {"curves": {US: curve, EAST: node}, "fixings": fixings, "volatility": volatility, "discount": flat(0.0)}
        given |= {name: more.pop(name) for name in list(more) if name in ("curves", "fixings", "products")}
        quantity = more.pop("quantity", 1.0)
        row = trade("T", kind, "buy", quantity, US, span, strike, **more)
        table = pl.DataFrame(rows, infer_schema_length=None) if rows else None
        book = pl.DataFrame([row], infer_schema_length=None)
        return value(book, as_of=AS_OF, timezone=ZONE, fallbacks=table, **given)  # type: ignore[arg-type]

    return make


def test_after_its_end_a_forward_is_the_substitutes_times_ratio_and_spread(worth: Valued, node: ForwardCurve) -> None:
    found = worth([ENDS | {"first": date(2027, 5, 1)}], "forward", "2027-05", 2.5)
    mean = node.average(date(2027, 5, 1), date(2027, 6, 1))
    assert found.value == pytest.approx((1.1 * mean + 0.05 - 2.5) * 744, abs=1e-8)
    deltas = dict(found.delta("quote").iter_rows())
    assert deltas[f"M5 of {EAST}"] == pytest.approx(1.1 * 744, rel=1e-9)
    assert "M5" not in deltas


def test_before_its_end_nothing_changes_and_a_month_of_both_is_its_parts(worth: Valued, curve: ForwardCurve, node: ForwardCurve) -> None:
    rows = [ENDS | {"first": date(2027, 5, 11)}]
    assert worth(rows, "forward", "2027-04", 2.5).value == pytest.approx(worth([], "forward", "2027-04", 2.5).value, abs=1e-9)
    mean = (
        10 * curve.average(date(2027, 5, 1), date(2027, 5, 11)) + 21 * (1.1 * node.average(date(2027, 5, 11), date(2027, 6, 1)) + 0.05)
    ) / 31
    assert worth(rows, "forward", "2027-05", 2.5).value == pytest.approx((mean - 2.5) * 744, abs=1e-8)


@pytest.mark.parametrize("name", ["M4", "M5"])
def test_deltas_to_both_curves_are_those_of_moved_quotes(worth: Valued, curve: ForwardCurve, node: ForwardCurve, name: str) -> None:
    rows = [ENDS | {"first": date(2027, 5, 11)}]
    found = worth(rows, "forward", "2027-05", 2.5)
    deltas = dict(found.delta("quote").iter_rows())
    own = worth(rows, "forward", "2027-05", 2.5, curves={US: curve.bump(name, 0.1), EAST: node})
    other = worth(rows, "forward", "2027-05", 2.5, curves={US: curve, EAST: node.bump(name, 0.1)})
    assert own.value - found.value == pytest.approx(0.1 * deltas[name], abs=1e-8)
    assert other.value - found.value == pytest.approx(0.1 * deltas[f"{name} of {EAST}"], abs=1e-8)


def test_an_index_that_has_ended_needs_no_curve_of_its_own(worth: Valued, node: ForwardCurve, fixings: pl.DataFrame) -> None:
    other = fixings.with_columns(pl.lit(EAST).alias("index"), pl.lit(2.0).alias("value"))
    both = pl.concat([fixings.filter(pl.col("date") < date(2027, 3, 10)), other])
    found = worth([ENDS | {"first": date(2027, 3, 10)}], "forward", "2027-03", 2.5, curves={EAST: node}, fixings=both)
    ahead = 1.1 * node.average(date(2027, 3, 16), date(2027, 4, 1)) + 0.05
    mean = (sum(2.3 + 0.01 * n for n in range(1, 10)) + 6 * 2.25 + 16 * ahead) / 31
    assert found.value == pytest.approx((mean - 2.5) * 743, abs=1e-8)
    assert found.fixing_changes is not None
    assert found.fixing_changes.select("date", "before", "after").rows() == [
        (date(2027, 3, n), None, pytest.approx(2.25)) for n in range(10, 16)
    ]


def test_halted_days_are_filled_before_the_rule_for_missing_days_speaks(worth: Valued, fixings: pl.DataFrame) -> None:
    halted = fixings.filter(pl.col("date") < date(2027, 3, 11))
    with pytest.raises(NotPublishedError, match="2027-03-11"):
        worth([{"index": US, "kind": "halt", "days": 5}], "forward", "2027-03", 2.5, fixings=halted)
    found = worth([{"index": US, "kind": "halt", "days": 4}], "forward", "2027-03", 2.5, fixings=halted)
    mean = (sum(2.3 + 0.01 * min(n, 10) for n in range(1, 16)) + 16 * 2.4) / 31
    assert found.value == pytest.approx((mean - 2.5) * 743, abs=1e-8)


def test_a_products_price_limit_holds_for_its_own_contracts_alone(worth: Valued, fixings: pl.DataFrame) -> None:
    jump = fixings.with_columns(pl.when(pl.col("date") == date(2027, 3, 8)).then(9.0).otherwise("value").alias("value"))
    mine = read_products(PACKAGED).filter(pl.col("product") == "HPR").with_columns(price_limit=pl.lit(0.2))
    row = {"quantity_unit": "lots", "contract": "HPRH27", "missing_day": "refuse"}
    limited = worth([], "future", "2027-03", 2.5, fixings=jump, products=mine, **row)
    plain = worth([], "future", "2027-03", 2.5, fixings=jump, **row)
    assert plain.value - limited.value == pytest.approx((9.0 - (2.37 + 0.2)) / 31 * 743, abs=1e-8)
    assert worth([], "forward", "2027-03", 2.5, fixings=jump, products=mine).value == plain.value
    assert dict(limited.delta("quote").iter_rows()) == dict(plain.delta("quote").iter_rows())
    told = worth([{"index": US, "contract": "HPR", "kind": "price-limit", "limit": 9.0}], "future", "2027-03", 2.5, fixings=jump, **row)
    assert told.value == plain.value


def test_options_for_one_contract_have_the_volatility_of_their_index(worth: Valued) -> None:
    row = {"option": "call", "missing_day": "exclude"}
    narrowed = {"index": US, "contract": f"{US}:2027-05", "kind": "price-limit", "limit": 9.0}
    assert worth([narrowed], "average", "2027-05", 2.5, **row).value == worth([], "average", "2027-05", 2.5, **row).value


def test_a_ratio_of_one_to_the_same_prices_changes_nothing(worth: Valued, curve: ForwardCurve) -> None:
    for first in (date(2027, 3, 16), date(2027, 4, 20)):
        joined = substituted(curve, replace(curve, index="Y"), index=US, end=midnight(first, timezone=ZONE))
        np.testing.assert_allclose(joined.forward, curve.forward)
        halves = joined.sensitivity.reshape(curve.forward.size, -1, curve.quotes.height).sum(axis=1)
        np.testing.assert_allclose(halves, curve.sensitivity)


def test_scenarios_and_explanations_read_the_joined_curve(worth: Valued, curve: ForwardCurve, node: ForwardCurve) -> None:
    rows = [ENDS | {"first": date(2027, 5, 11)}]
    before = worth(rows, "forward", "2027-05", 2.5)
    agreed = {TradeKind.FORWARD: before.parts[0].trades}
    grid = scenario_grid(agreed, before.market, prices=[0.0, 0.1], volatilities=[0.0])
    assert grid["gain"].to_list() == pytest.approx([0.0, 0.1 * 744], abs=1e-8)
    after = worth(rows, "forward", "2027-05", 2.5, curves={US: curve.bump("M5", 0.1), EAST: node.bump("M5", -0.2)})
    found = explained(before, after, trades=["T"])
    gain = after.value - before.value
    told = found.components.filter(pl.col("factor").cast(pl.String) == "curve")["greeks"].sum()
    assert told == pytest.approx(gain, abs=1e-8)


def test_what_cannot_be_read_is_refused(worth: Valued, curve: ForwardCurve, node: ForwardCurve) -> None:
    with pytest.raises(InputError, match="a substitute with a curve"):
        worth([ENDS | {"first": date(2027, 5, 1), "substitute": "NONE"}], "forward", "2027-05", 2.5)
    with pytest.raises(InputError, match="a curve of its own"):
        worth([ENDS | {"first": date(2027, 5, 1)}], "forward", "2027-05", 2.5, curves={EAST: node})

"""Deltas, scenarios and roll-down."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.risk.deltas import bucket_sensitivities, deltas
from tenorgrid.curves.risk.scenarios import bucket, parallel, quotes_moved, roll_down, twist
from tenorgrid.data.errors import InputError

Make = Callable[..., pl.DataFrame]
START = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def curve(quote: Make) -> ForwardCurve:
    spans = (("jan", 0, 31, 2.4), ("feb", 31, 59, 2.6), ("q1", 0, 90, 2.5))
    return fit_curve(
        pl.concat([quote(name, START + timedelta(a), START + timedelta(b), p) for name, a, b, p in spans]), index="X", as_of=START
    )


def test_a_lot_of_a_quote_has_a_delta_of_one_lot_of_itself_and_none_of_others(curve: ForwardCurve) -> None:
    held = np.zeros(curve.forward.size)
    held[31 * 24 : 59 * 24] = 1.0
    found = deltas(curve, held)
    assert dict(found.quotes.select("quote_id", "lots").iter_rows()) == pytest.approx({"jan": 0.0, "feb": 1.0, "q1": 0.0}, abs=1e-10)
    assert dict(found.months.select("month", "lots").iter_rows()) == pytest.approx({"2027-01": 0.0, "2027-02": 1.0, "2027-03": 0.0})
    assert found.months["cent"].sum() == pytest.approx(6.72)
    assert deltas(curve, held, lots={"feb": 730.0}).quotes.filter(quote_id="feb")["lots"].item() == pytest.approx(672 / 730, abs=1e-10)


def test_deltas_agree_with_fitting_again(curve: ForwardCurve) -> None:
    held = np.random.default_rng(3).uniform(-1, 2, curve.forward.size)
    found = dict(deltas(curve, held).quotes.select("quote_id", "cent").iter_rows())
    for name in ("jan", "feb", "q1"):
        moved = curve.quotes.with_columns(
            pl.when(pl.col("quote_id") == name).then(pl.col("price") + 0.01).otherwise("price").alias("price")
        )
        again = fit_curve(moved, index="X", as_of=START)
        assert held @ (again.forward - curve.forward) == pytest.approx(found[name], abs=1e-8)


def test_bucket_sensitivities_are_averages_of_the_jacobian(curve: ForwardCurve) -> None:
    months, found = bucket_sensitivities(curve)
    assert months == ["2027-01", "2027-02", "2027-03"]
    assert found[0] == pytest.approx(np.array([float(name == "jan") for name in curve.quotes["quote_id"]]), abs=1e-10)
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-10)


def test_scenarios_move_hours_and_quotes_together(curve: ForwardCurve) -> None:
    assert parallel(curve, 0.1).forward == pytest.approx(curve.forward + 0.1, abs=1e-15)
    bent = twist(curve, near=0.2, far=-0.2)
    assert bent.forward.mean() == pytest.approx(curve.forward.mean(), abs=1e-12)
    march = bucket(curve, date(2027, 3, 1), date(2027, 4, 1), 0.3)
    assert march["X:2027-03"] == pytest.approx(curve["X:2027-03"] + 0.3, abs=1e-12)
    for one in (bent, march, quotes_moved(curve, {"jan": 0.1, "q1": -0.1})):
        assert one.fair == pytest.approx(one.quotes["price"].to_numpy(), abs=1e-10)


def test_a_line_rolls_down_by_its_slope_and_a_flat_curve_not_at_all(curve: ForwardCurve, quote: Make) -> None:
    line = twist(fit_curve(quote("a", START, START + timedelta(10), 2.0), index="X", as_of=START), near=0.0, far=0.239)
    held = np.ones(240)
    assert roll_down(line, held, to=START + timedelta(hours=24)) == pytest.approx(-0.024 * 216, abs=1e-10)
    assert roll_down(parallel(line, 0.0), held, to=START) == 0.0


def test_positions_of_other_hours_are_refused(curve: ForwardCurve) -> None:
    with pytest.raises(InputError, match="each of the 2160 hours"):
        deltas(curve, np.ones(3))
    with pytest.raises(InputError, match="found mar"):
        deltas(curve, np.ones(2160), lots={"mar": 1.0})
    with pytest.raises(InputError, match="whole hours after"):
        roll_down(curve, np.ones(2160), to=START - timedelta(1))
    with pytest.raises(InputError, match="a period inside"):
        bucket(curve, date(2027, 3, 1), date(2027, 5, 1), 0.1)

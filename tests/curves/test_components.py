"""Level, spreads and shape as one linear map."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.linalg import null_space

from tenorgrid.curves.components import Bending, components
from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.weights import weights

Make = Callable[..., pl.DataFrame]
AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("bending", ["period", "time"])
def test_no_other_spline_through_the_quotes_bends_less(quote: Make, bending: Bending) -> None:
    """The least found over the null space of the rows by dense linear algebra agrees with the factorised fit."""
    quotes = pl.concat(
        [
            quote("d", day("2027-01-01"), day("2027-01-02"), 2.3),
            quote("e", day("2027-01-02"), day("2027-01-03"), 2.1),
            quote("w", day("2027-01-01"), day("2027-01-08"), 2.4),
            quote("m", day("2027-01-11"), day("2027-02-01"), 2.2),
        ]
    )
    curve = fit_curve(quotes, index="X", as_of=AS_OF, bending=bending)
    spline = curve.fitted.spline
    rows = np.stack([weights(curve.quotes).row(i) for i in range(4)])
    hourly = np.stack([curve.fitted.spline.local[i] for i in curve.fitted.weights.interval])
    edges = np.linspace(0.0, 1.0, 745)
    powers = spline.cells(edges[:-1], edges[1:], curve.fitted.weights.interval)
    basis = np.einsum("hk,hkp->hp", powers, hourly)
    bend = spline.roughness(2)
    if bending == "period":
        bend = bend * np.repeat(np.diff(spline.knots) ** 1.5, 5)[:, None]
    met = np.linalg.lstsq(rows @ basis, curve.quotes["price"].to_numpy(), rcond=None)[0]
    free = null_space(rows @ basis)
    least = met - free @ np.linalg.lstsq(bend @ free, bend @ met, rcond=None)[0]
    assert basis @ least == pytest.approx(curve.forward, abs=1e-7)


def test_days_of_noise_do_not_throw_the_month_after_them_off(quote: Make) -> None:
    noise = (2.16, 2.08, 2.18, 2.13, 2.26, 2.15, 2.31, 1.87, 2.31, 2.16, 2.02, 2.43, 2.36, 2.03, 2.22, 2.08)
    start = day("2027-03-16")
    quotes = [quote(f"d{i}", start + timedelta(i), start + timedelta(i + 1), price) for i, price in enumerate(noise)]
    quotes += [quote(f"m{m}", day(f"2027-{m:02d}-01"), day(f"2027-{m + 1:02d}-01"), 2.5 - 0.03 * m) for m in range(4, 10)]
    april = slice(16 * 24, 46 * 24)
    period = fit_curve(pl.concat(quotes), index="X", as_of=AS_OF).forward[april]
    time = fit_curve(pl.concat(quotes), index="X", as_of=AS_OF, bending="time").forward[april]
    assert 2.0 < period.min() < period.max() < 2.6
    assert time.max() - time.min() > 2.0  # why the other measure is the default
    assert period.mean() == pytest.approx(2.38, abs=1e-10)


def test_peak_and_base_stand_in_one_build(quote: Make) -> None:
    quotes = pl.concat(
        [
            quote("base mar", day("2027-03-01"), day("2027-04-01"), 2.4),
            quote("peak mar", day("2027-03-01"), day("2027-04-01"), 2.8, profile="peak"),
            quote("base apr", day("2027-04-01"), day("2027-05-01"), 2.5),
            quote("peak apr", day("2027-04-01"), day("2027-05-01"), 3.0, profile="peak"),
            quote("weekend apr", day("2027-04-01"), day("2027-05-01"), 2.2, profile="weekend"),
        ]
    )
    curve = fit_curve(quotes, index="X", as_of=AS_OF)
    assert curve.fair == pytest.approx(curve.quotes["price"].to_numpy(), abs=1e-10)
    assert curve.average(day("2027-03-01"), day("2027-04-01"), profile="off-peak") < 2.4
    assert curve.forward.min() > 1.5
    assert curve.forward.max() < 3.5


def test_every_row_gets_its_own_price_and_no_other(quote: Make) -> None:
    """Weights times the Jacobian is the identity, shape and profiles included: the map is exact before any price is known."""
    quotes = pl.concat(
        [
            quote("base", day("2027-03-01"), day("2027-04-01"), 2.4),
            quote("peak", day("2027-03-01"), day("2027-04-01"), 2.8, profile="peak"),
            quote("off-peak week", day("2027-03-08"), day("2027-03-15"), 2.2, profile="off-peak", average="calendar-day"),
            quote("day", day("2027-04-05"), day("2027-04-06"), 2.5),
        ]
    )
    rows = weights(quotes)
    factor = 1 + 0.3 * np.sin(np.arange(len(rows.starts)) / 5)
    found = components(rows, factor=factor, bending="period")
    assert np.stack([rows.row(i) for i in range(4)]) @ found.jacobian == pytest.approx(np.eye(4), abs=1e-11)
    price = np.array([2.4, 2.8, 2.2, 2.5])
    assert found.forward(price) == pytest.approx(found.jacobian @ price, abs=1e-11)
    assert len(found.masks) == 2


def test_rows_that_no_smooth_curve_tells_apart_are_refused(quote: Make) -> None:
    month = (day("2027-03-01"), day("2027-04-01"))
    quotes = pl.concat([quote("a", *month, 2.4), quote("b", *month, 2.4)])
    with pytest.raises(np.linalg.LinAlgError, match="repeat"):
        components(weights(quotes), factor=np.ones(744), bending="time")

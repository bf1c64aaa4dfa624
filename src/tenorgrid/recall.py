"""The right of recall over a term of curves, as `tg.fair_strip` and `tg.implied_strip` give it."""

from datetime import date, datetime

import polars as pl

from tenorgrid.curve_result import Curve
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.derivatives.preemption import term
from tenorgrid.derivatives.preemption.term import By, Promise


def fair_strip(
    firm: Curve | ForwardCurve,
    promise: Promise,
    *,
    start: datetime | date,
    end: datetime | date,
    volatility: float,
    reversion: float = 0.0,
    by: By = "hour",
) -> pl.DataFrame:
    """`PreemptionStrip` of [start, end): premium, threshold, recalled hours and the spot forward at which a promise is fair.

    Args:
        firm: curve of the firm tier, of `tg.fit_curve`.
        promise: `tg.Promise`: π, β and, where it is not (1 − π) β, the share of suppliers present.
        start: first instant or local day.
        end: first instant or local day after the term.
        volatility: σ of the outside value that suppliers recall for, per square root of a year.
        reversion: κ a year of its deviations: by T they have grown to σ √((1 − e^{−2κT}) / 2κ).
        by: hour, day or month.

    Raises InputError for periods outside the curve, negative volatilities and forwards at or below 0.
    """
    return term.fair_strip(_fitted(firm), promise, start=start, end=end, volatility=volatility, reversion=reversion, by=by)


def implied_strip(
    firm: Curve | ForwardCurve,
    spot: Curve | ForwardCurve,
    promise: Promise,
    *,
    start: datetime | date,
    end: datetime | date,
    reversion: float = 0.0,
    by: By = "month",
) -> pl.DataFrame:
    """`PreemptionStrip` of [start, end) with the volatility of recall that a firm and a spot curve imply, period by period.

    `spot` is the curve of hours sold under the promise; the other arguments are those of `fair_strip`. Raises InputError as it does, for
    curves of different moments, and naming the periods whose spread no volatility explains: λ_firm must exceed β λ / a.
    """
    return term.implied_strip(_fitted(firm), _fitted(spot), promise, start=start, end=end, reversion=reversion, by=by)


def _fitted(curve: Curve | ForwardCurve) -> ForwardCurve:
    return curve.fitted if isinstance(curve, Curve) else curve

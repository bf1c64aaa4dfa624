"""The right of recall over a term of forward curves: the fair spot curve under a firm one, and the volatility that both imply."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.tiering import PreemptionStrip
from tenorgrid.derivatives.paths.model import decayed
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.preemption.strip import Strip, fair, from_spreads

SECONDS_PER_YEAR = 365 * 86_400
By = Literal["hour", "day", "month"]
EVERY: dict[str, str] = {"hour": "1h", "day": "1d", "month": "1mo"}


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What interruptible hours promise. Raises `InputError` with every fault.

    Args:
        interruption: π, share of sold hours that may be interrupted, in [0, 1).
        overcommit: β, hours sold for one listed, above 0.
        present: a, share of the suppliers that is present; None is what perfect pooling needs, (1 − π) β, below 1.
    """

    interruption: float
    overcommit: float = 1.0
    present: float | None = None

    def __post_init__(self) -> None:
        refuse(
            "preemption",
            ("interruption", self.interruption, "a share in [0, 1)", 0 <= self.interruption < 1),
            ("overcommit", self.overcommit, "a number above 0", 0 < self.overcommit < np.inf),
            ("availability", self.availability, "a share in (0, 1), by (1 − π) β where it is not given", 0 < self.availability < 1),
        )

    @property
    def availability(self) -> float:
        """a, of the suppliers.

        >>> round(Promise(interruption=0.1, overcommit=0.875091).availability, 6)
        0.787582
        """
        return (1 - self.interruption) * self.overcommit if self.present is None else self.present


def fair_strip(
    firm: ForwardCurve,
    promise: Promise,
    *,
    start: datetime | date,
    end: datetime | date,
    volatility: float,
    reversion: float = 0.0,
    by: By = "hour",
) -> pl.DataFrame:
    """`PreemptionStrip` of [start, end): premium, threshold, recalled hours and the spot forward at which the promise is fair.

    Args:
        firm: curve of the firm tier.
        promise: π and β.
        start: first instant or local day.
        end: first instant or local day after the term.
        volatility: σ of the outside value, per square root of a year, at least 0.
        reversion: κ of its deviations per year, at least 0: by T they have grown to σ √((1 − e^{−2κT}) / 2κ).
        by: hour, or local days or months, whose forwards are means of hours.

    Raises `InputError` for periods outside the curve, negative volatilities and forwards at or below 0.
    """
    _refuse(volatility, reversion)
    periods, (price,) = _periods((firm,), start, end, by)
    growth = np.sqrt(decayed(np.array(2 * reversion), periods["years"].to_numpy()))
    found = fair(price, deviation=volatility * growth, availability=promise.availability, overcommit=promise.overcommit)
    return _table(periods, found, np.full(price.size, volatility))


def implied_strip(
    firm: ForwardCurve,
    spot: ForwardCurve,
    promise: Promise,
    *,
    start: datetime | date,
    end: datetime | date,
    reversion: float = 0.0,
    by: By = "month",
) -> pl.DataFrame:
    """`PreemptionStrip` of [start, end): the volatility of recall that the two curves imply, period by period.

    Arguments as of `fair_strip`; `spot` is the curve of hours sold under the promise. Raises `InputError` as it does, for curves of
    different moments, and naming the periods whose spread no volatility explains.
    """
    _refuse(0.0, reversion)
    if firm.as_of != spot.as_of:
        raise InputError.of("preemption", f"a spot curve as of {firm.as_of}", column="as_of", value=str(spot.as_of))
    periods, (high, low) = _periods((firm, spot), start, end, by)
    try:
        found = from_spreads(high, low, availability=promise.availability, overcommit=promise.overcommit)
    except InputError as error:
        raise InputError(_named(fault, periods["start"]) for fault in error.faults) from error
    growth = np.sqrt(decayed(np.array(2 * reversion), periods["years"].to_numpy()))
    refuse("preemption", ("start", start, f"periods that lie after {firm.as_of}", bool(np.all(growth > 0))))
    return _table(periods, found, found.deviation / growth)


def _named(fault: Fault, starts: pl.Series) -> Fault:
    return fault if fault.row is None else replace(fault, value=f"{fault.value} from {starts[fault.row - 1]}")


def _periods(
    curves: tuple[ForwardCurve, ...], start: datetime | date, end: datetime | date, by: By
) -> tuple[pl.DataFrame, tuple[Vector, ...]]:
    """Start, end, hours and mean years of each period, and each curve's mean forward in it."""
    refuse("preemption", ("by", by, f"one of {', '.join(EVERY)}", by in EVERY))
    places = [curve.places(start, end) for curve in curves]
    low, high = places[0]
    first = curves[0]
    starts = first.starts[low:high]
    years = (starts.cast(pl.Int64).to_numpy() / 1e6 - first.as_of.timestamp()) / SECONDS_PER_YEAR
    rows = pl.DataFrame({"hour": starts, "years": years}).with_columns(
        pl.Series(str(at), curve.forward[one:other]) for at, (curve, (one, other)) in enumerate(zip(curves, places, strict=True))
    )
    label = pl.col("hour").dt.convert_time_zone(first.timezone).dt.truncate(EVERY[by])
    means = rows.group_by(label.alias("label"), maintain_order=True).agg(
        pl.col("hour").min().alias("start"), pl.len().cast(pl.Float64).alias("hours"), pl.exclude("hour").mean()
    )
    return means, tuple(means[str(at)].to_numpy() for at in range(len(curves)))


def _table(periods: pl.DataFrame, found: Strip, volatility: Vector) -> pl.DataFrame:
    hours = periods["hours"].to_numpy()
    columns = {
        "firm": found.firm, "spot": found.spot, "premium": found.premium, "threshold": found.threshold, "recalled": found.recalled * hours,
        "outside_forward": found.outside, "outside_deviation": found.deviation, "volatility": volatility,
    }  # fmt: skip
    made = periods.select("start", "hours").with_columns(pl.Series(name, values) for name, values in columns.items())
    return PreemptionStrip.validate(made, cast=True)


def _refuse(volatility: float, reversion: float) -> None:
    refuse(
        "preemption",
        ("volatility", volatility, "a number of at least 0", 0 <= volatility < np.inf),
        ("reversion", reversion, "a number of at least 0", 0 <= reversion < np.inf),
    )

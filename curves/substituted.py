"""The forward curve of an index that ends: its own until then, from then on its substitute's × ratio + spread; sensitivities to both."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from tenorgrid.curves.components import Components
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Counts, Vector, position
from tenorgrid.curves.weights import weights
from tenorgrid.data.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Given(Components):
    """A map of quotes to hours that is given by its derivatives (hours, quotes)."""

    derivatives: Vector

    @property
    def jacobian(self) -> Vector:  # given, not worked out
        """(hours, quotes) ∂ forward of each hour / ∂ price of each quote."""
        return self.derivatives

    def sums(self, edges: Counts) -> Vector:
        """(k, quotes) sums of the Jacobian over hours `[edges[i], edges[i + 1])`."""
        return np.add.reduceat(self.derivatives, edges[:-1], axis=0)


def substituted(
    own: ForwardCurve | None, other: ForwardCurve, *, index: str, end: datetime, ratio: float = 1.0, spread: float = 0.0
) -> ForwardCurve:
    """Curve of `index`: hours before `end` as its own curve has them, later ones other × ratio + spread.

    Sensitivities are to the quotes of both, those of the other curve named `QUOTE of OTHER`. Where the index has ended before its curve
    begins, or has none, the curve is the other's alone.

    Args:
        own: curve of the index; None where it has none.
        other: curve of the substitute.
        index: name of the curve.
        end: first instant of the substitute.
        ratio, spread: times and USD per GPU-hour.

    Raises `InputError` where the other curve begins after `end`, or ends before the index's own does; and for no curve of an index that
    has not ended.
    """
    told = f"curve of {index}"
    scaled = ratio * other.forward + spread
    if end <= other.starts[0]:
        derivatives = ratio * other.sensitivity
        return _curve(other, index, scaled, other.quotes, derivatives)
    if own is None or own.starts[0] != other.starts[0] or own.as_of != other.as_of:
        raise InputError.of(told, f"a curve of its own as of {other.as_of} that begins with the substitute's at {other.starts[0]}")
    place = position(own.starts[0], end)
    if place >= own.forward.size:
        return own
    if other.forward.size < own.forward.size:
        wanted = f"a substitute whose curve reaches as far as its own, {own.starts[-1]}"
        raise InputError.of(told, wanted, column="substitute", value=f"{other.index} until {other.starts[-1]}")
    names = pl.format("{} of {}", "quote_id", pl.lit(other.index)).alias("quote_id")
    quotes = pl.concat([own.quotes, other.quotes.with_columns(names)])
    derivatives = np.zeros((other.forward.size, quotes.height))
    derivatives[:place, : own.quotes.height] = own.sensitivity[:place]
    derivatives[place:, own.quotes.height :] = ratio * other.sensitivity[place:]
    return _curve(other, index, np.concatenate([own.forward[:place], scaled[place:]]), quotes, derivatives)


def _curve(other: ForwardCurve, index: str, forward: Vector, quotes: pl.DataFrame, derivatives: Vector) -> ForwardCurve:
    fit = other.fitted
    given = Given(
        weights=fit.weights, spline=fit.spline, masks=fit.masks, factor=fit.factor, powers=fit.powers, coefficients=fit.coefficients,
        roughness=fit.roughness, derivatives=derivatives,
    )  # fmt: skip
    rows = other.rows if quotes is other.quotes else weights(quotes)
    return replace(
        other, index=index, quotes=quotes, forward=forward, rows=rows, fitted=given, inside=None, band=None, redundant=(),
        kept=tuple(range(quotes.height)),
    )  # fmt: skip

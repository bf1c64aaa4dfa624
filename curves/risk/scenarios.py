"""Curves moved by name: in parallel, as a twist, in a bucket, by their quotes, and rolled down as time passes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector, position
from tenorgrid.data.errors import InputError


def parallel(curve: ForwardCurve, size: float) -> ForwardCurve:
    """Every hour moved by `size` USD per GPU-hour."""
    return shifted(curve, np.full(curve.forward.size, size))


def twist(curve: ForwardCurve, *, near: float, far: float) -> ForwardCurve:
    """The first hour moved by `near`, the last by `far`, those between on the straight line."""
    return shifted(curve, np.linspace(near, far, curve.forward.size))


def bucket(curve: ForwardCurve, start: datetime | date, end: datetime | date, size: float) -> ForwardCurve:
    """The hours of `[start, end)` moved by `size`. Raises `InputError` for a period that the curve does not cover."""
    low, high = curve.places(start, end)
    move = np.zeros(curve.forward.size)
    move[low:high] = size
    return shifted(curve, move)


def quotes_moved(curve: ForwardCurve, moves: Mapping[str, float]) -> ForwardCurve:
    """The curve with several quotes moved, by the Jacobian. Raises as `ForwardCurve.bump` does."""
    for name, size in moves.items():
        curve = curve.bump(name, size)
    return curve


def shifted(curve: ForwardCurve, move: Vector) -> ForwardCurve:
    """Hours moved by `move` (hours,) USD per GPU-hour and the quotes by what that makes them, so that the curve still meets them.

    Bids and asks move with their quote. Raises `InputError` for another number of hours, or a move that is not finite.
    """
    if move.shape != curve.forward.shape or not np.isfinite(move).all():
        raise InputError.of("scenario", f"a finite move for each of {curve.forward.size} hours", value=move.shape)
    change = pl.Series(curve.rows.average(move))
    quotes = curve.quotes.with_columns((pl.col(name) + change).alias(name) for name in ("bid", "price", "ask"))
    return replace(curve, quotes=quotes, forward=curve.forward + move)


def roll_down(curve: ForwardCurve, held: Vector, *, to: datetime) -> float:
    """USD that a position gains when time passes to `to` and the curve by time to delivery stays what it is.

    Every hour h of the position is then worth the forward of an hour that is as far away as h will be: F(h − Δ) − F(h), Δ = `to` less the
    curve's own moment. Hours that are delivered before `to` have left the position, and count nothing.

    Args:
        curve: forwards.
        held: (hours,) GPU-hours in each hour of the curve.
        to: later moment, a whole number of hours after the curve's.

    Raises `InputError` for an earlier moment, part of an hour, or a position of another length.
    """
    gone = (to - curve.as_of).total_seconds() / 3600
    if gone < 0 or gone != int(gone):
        raise InputError.of("roll-down", f"whole hours after {curve.as_of}", column="to", value=to)
    if held.shape != curve.forward.shape:
        raise InputError.of("position", f"a number for each of the {curve.forward.size} hours of the curve", value=held.shape)
    shift = int(gone)
    alive = max(shift, position(curve.starts[0], to))
    return float(held[alive:] @ (curve.forward[alive - shift : curve.forward.size - shift] - curve.forward[alive:]))

"""Whether the clocks of both prices agree: how ahead prices go with real time at the same hour, and some hours earlier and later.

A file whose real-time hours are labelled by their end and whose ahead hours by their beginning shows a premium in every hour of the day
that is none. Where real time goes best with another hour's ahead price, profits on paper are doubtful.
"""

import numpy as np
import polars as pl

from tenorgrid.data.tables.virtual_bids import ClockShifts
from tenorgrid.derivatives.virtual_bids.scenarios import HOURS, Days

FARTHEST = 2  # hours


def alignment(known: Days) -> pl.DataFrame:
    """`ClockShifts`: correlation of ahead prices with real time `shift` hours later, within days, all series together.

    Each day's mean of each series is taken off, so that the shape of days is compared and not their level.
    """
    inside = slice(FARTHEST, HOURS - FARTHEST)
    ahead, real = (values - values.mean(axis=2, keepdims=True) for values in (known.ahead, known.real))
    still, rows = ahead[:, :, inside].ravel(), []
    for shift in range(-FARTHEST, FARTHEST + 1):
        other = real[:, :, FARTHEST + shift : HOURS - FARTHEST + shift].ravel()
        spread = still.std() * other.std()
        rows.append((shift, float(np.mean(still * other) - still.mean() * other.mean()) / spread if spread > 0 else None))
    return ClockShifts.validate(pl.DataFrame(rows, schema=["shift", "correlation"], orient="row"), cast=True)

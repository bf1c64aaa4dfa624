r"""Seasons by harmonics: what hours of the day, days of the week and months of the year multiply a price or its volatility by."""

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.refusal import refuse

DAY, WEEK, YEAR = 24.0, 168.0, 8766.0  # hours; a year of 365.25 days


def season(hours: Vector, *, period: float, cosine: Vector, sine: Vector) -> Vector:
    r"""exp Σ_k (a_k cos 2πkh/P + b_k sin 2πkh/P), (hours,): its logarithm averages 0 over a period.

    Seasons of different periods multiply. Times a level it is a forward curve; alone it scales the loadings of the factors (`seasonal` of
    `blocks`), which keeps the mean on the curve. Fitting b and a to logarithms of prices is one least-squares problem, linear in both.

    Args:
        hours: (hours,) hours since an epoch that all seasons share.
        period: P in hours, above 0.
        cosine: (harmonics,) a.
        sine: (harmonics,) b.

    Raises `InputError` for a period at or below 0, coefficients that are not finite and lists of different lengths.

    >>> season(np.array([0.0, 6.0, 12.0]), period=DAY, cosine=np.array([0.1]), sine=np.array([0.0])).round(4)
    array([1.1052, 1.    , 0.9048])
    """
    refuse(
        "season",
        ("period", period, "hours above 0", period > 0),
        ("sine", sine.size, f"{cosine.size} coefficients, as many as of cosines", sine.shape == cosine.shape),
        ("cosine", cosine, "finite coefficients", bool(np.all(np.isfinite(cosine)) and np.all(np.isfinite(sine)))),
    )
    angle = 2 * np.pi / period * np.multiply.outer(hours, np.arange(1, cosine.size + 1))
    return np.asarray(np.exp(np.cos(angle) @ cosine + np.sin(angle) @ sine))

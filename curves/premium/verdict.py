"""What a mean over its error says at 5 %."""

from scipy.stats import norm

from tenorgrid.curves.premium.hac import TINY

LEVEL = 0.05


def ratio(mean: float, error: float) -> float | None:
    """Mean over error; None where the error is nothing but rounding.

    >>> ratio(3.0, 2.0), ratio(1.0, 0.0)
    (1.5, None)
    """
    return mean / error if error > TINY * abs(mean) else None


def limit() -> float:
    """What a ratio must exceed on either side."""
    return float(norm.ppf(1 - LEVEL / 2))


def verdict(found: float | None) -> str:
    """Which of two prices is higher, if that is significant.

    >>> verdict(2.5), verdict(-2.5), verdict(1.0), verdict(None)
    ('ahead above real', 'real above ahead', 'none', 'none')
    """
    if found is None or abs(found) < limit():
        return "none"
    return "ahead above real" if found > 0 else "real above ahead"

r"""Were the losses that a model forecast exceeded as often, and as unpredictably, as it said?

Sources: Kupiec, "Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3 (1995); Christoffersen,
"Evaluating interval forecasts", International Economic Review 39 (1998); Basel Committee, "Supervisory framework for the use of
backtesting" (1996); Acerbi and Szekely, "Backtesting expected shortfall", Risk (2014).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri, xlogy
from scipy.stats import binom, chi2, norm

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.data.errors import InputError

Zone = Literal["green", "yellow", "red"]
YELLOW, RED = 0.95, 0.9999  # cumulative probabilities at which the zones begin
SIGNIFICANT = 0.05
BASEL_DAYS = 250  # that the zones are made for
DRAWS = 50_000  # samples of days that a p-value of the shortfall's statistic is counted in


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A statistic and the probability of one as large where the model is right."""

    statistic: float
    p_value: float


def kupiec(exceptions: int, days: int, *, probability: float) -> Ratio:
    r"""Share of exceptions: :math:`-2 \ln \frac{(1-p)^{n-x} p^x}{(1-x/n)^{n-x} (x/n)^x}`, chi-squared with one degree of freedom.

    Args:
        exceptions: x, days whose loss was above the value at risk.
        days: n.
        probability: p of an exception, 1 − level.

    Raises `InputError` for counts that cannot be and a probability outside (0, 1).

    >>> round(kupiec(12, 600, probability=0.01).statistic, 5)
    4.69634
    """
    _refuse(exceptions, days, probability)
    share = exceptions / days
    calm = days - exceptions
    return _of(2.0 * (_likelihood(calm, exceptions, share) - _likelihood(calm, exceptions, probability)), 1)


def independence(exceeded: Flags) -> Ratio:
    r"""Whether an exception makes the next day's likelier: Christoffersen's ratio of a two-state chain to no chain, one degree of freedom.

    `exceeded` (n,) by day. Raises `InputError` for fewer than two days.
    """
    if exceeded.size < 2:
        raise InputError.of("back-test", "at least two days", column="exceeded", value=exceeded.size)
    before, after = exceeded[:-1].astype(bool), exceeded[1:].astype(bool)
    return independence_of(*(int((first & second).sum()) for first in (~before, before) for second in (~after, after)))


def independence_of(calm_calm: int, calm_bad: int, bad_calm: int, bad_bad: int) -> Ratio:
    """`independence` from counts of pairs of days.

    >>> round(independence_of(226, 10, 10, 3).statistic, 6)
    5.233849
    """
    calm, bad = calm_calm + calm_bad, bad_calm + bad_bad
    after_calm, after_bad = calm_bad / calm if calm else 0.0, bad_bad / bad if bad else 0.0
    anyway = (calm_bad + bad_bad) / max(calm + bad, 1)
    chain = _likelihood(calm_calm, calm_bad, after_calm) + _likelihood(bad_calm, bad_bad, after_bad)
    return _of(2.0 * (chain - _likelihood(calm_calm + bad_calm, calm_bad + bad_bad, anyway)), 1)


def conditional_coverage(exceeded: Flags, *, probability: float) -> Ratio:
    """Both together: Kupiec's statistic and that of independence added, chi-squared with two degrees of freedom."""
    count = kupiec(int(exceeded.sum()), exceeded.size, probability=probability)
    return _of(count.statistic + independence(exceeded).statistic, 2)


def traffic_light(exceptions: int, days: int, *, probability: float = 0.01) -> tuple[Zone, float]:
    """Basel's zone, and the probability of so many exceptions or fewer where the model is right: yellow from 95 %, red from 99.99 %.

    >>> [traffic_light(count, 250)[0] for count in (4, 5, 9, 10)]
    ['green', 'yellow', 'yellow', 'red']
    """
    _refuse(exceptions, days, probability)
    cumulative = float(binom.cdf(exceptions, days, probability))
    return ("green" if cumulative < YELLOW else "yellow" if cumulative < RED else "red"), cumulative


def shortfall(losses: Vector, value_at_risk: Vector, expected_shortfall: Vector, *, probability: float) -> float:
    r"""Acerbi and Szekely's second statistic :math:`1 - \frac{1}{n p} \sum_t \frac{L_t 1_{L_t > v_t}}{ES_t}`.

    It is 0 on average where the forecasts are right, and below 0 where they are too low; `shortfall_chance` says how far below means it.

    Args:
        losses: (n,) USD, positive a loss.
        value_at_risk, expected_shortfall: (n,) forecasts made before each day, USD.
        probability: 1 − level.

    Raises `InputError` for lengths that differ, and shortfalls that are not above 0.
    """
    if not losses.size or not (losses.shape == value_at_risk.shape == expected_shortfall.shape):
        raise InputError.of("back-test", "as many losses as forecasts, at least one", value=losses.size)
    if not (expected_shortfall > 0).all():
        raise InputError.of("back-test", "shortfalls above 0", column="expected_shortfall", value=float(expected_shortfall.min()))
    told = np.where(losses > value_at_risk, losses / expected_shortfall, 0.0).sum()
    return float(1.0 - told / (losses.size * probability))


def shortfall_chance(statistic: float, days: int, *, probability: float, draws: int = DRAWS, seed: int = 0) -> float:
    """Probability that right forecasts give so low a statistic: of normal losses, counted in samples of as many days.

    Acerbi and Szekely's value of −0.7 for 5 % is that of 250 days at 2.5 %; of 13 days it is −2 and less, of 1,000 about −0.34. The
    distribution of the losses matters little, unless their tails are very heavy.

    Args:
        statistic: of `shortfall`.
        days: n.
        probability: 1 − level.
        draws: samples.
        seed: of the samples.

    Raises `InputError` for no days and a probability outside (0, 1).

    >>> 0.04 < shortfall_chance(-0.7, 250, probability=0.025) < 0.06
    True
    """
    _refuse(0, days, probability)
    rng = np.random.default_rng(seed)
    counts = rng.binomial(days, probability, draws)
    mean = float(norm.pdf(norm.isf(probability))) / probability
    losses = -ndtri(probability * (1.0 - rng.random(int(counts.sum()))))  # beyond the value at risk
    added = np.bincount(np.repeat(np.arange(draws), counts), weights=losses / mean, minlength=draws)
    return float(np.mean(1.0 - added / (days * probability) <= statistic))


def _likelihood(calm: int, bad: int, probability: float) -> float:
    return float(xlogy(calm, 1.0 - probability) + xlogy(bad, probability))


def _of(statistic: float, freedom: int) -> Ratio:
    statistic = max(statistic, 0.0)  # −1e-16 where the share is the probability itself
    return Ratio(statistic=statistic, p_value=float(chi2.sf(statistic, freedom)))


def _refuse(exceptions: int, days: int, probability: float) -> None:
    if not 0 <= exceptions <= days or days < 1:
        raise InputError.of("back-test", "exceptions from 0 to the number of days", column="exceptions", value=f"{exceptions} of {days}")
    if not 0.0 < probability < 1.0:
        raise InputError.of("back-test", "a probability above 0 and below 1", column="probability", value=probability)

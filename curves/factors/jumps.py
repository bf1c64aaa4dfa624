r"""Ornstein and Uhlenbeck's model with normal jumps that come at a Poisson rate, by the likelihood of the mixture.

.. math:: dx = \kappa(\theta - x) dt + \sigma dz + J dN, \qquad J \sim N(m, \delta^2), \quad N \text{ of rate } \lambda

Over a step with k jumps x moves by a normal; k is Poisson of λΔ. Jumps are put at the end of their step, which is exact for κΔ → 0.

The likelihood was chosen over the other way, which takes moves beyond three deviations out one round after another and fits the rest:
that way calls every large normal move a jump and no small jump one, so its σ is too low and its errors are those of no model. A mixture
gives errors for all parameters and, for each move, the probability that it held a jump. Its likelihood has no top where the normal part
shrinks to one point: σ is therefore kept above a twentieth of the one without jumps, λΔ below one half, and δ above a hundredth.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import gammaln, logsumexp

from tenorgrid.curves.factors import reverting
from tenorgrid.curves.factors.likelihood import Estimate, maximise
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import PriceForm

MOST = 10  # jumps in a step that are counted; of a rate of one half a step the rest has a probability of 1e-11
NAMES = ("reversion", "level", "volatility", "jump_rate", "jump_mean", "jump_deviation")


@dataclass(frozen=True, kw_only=True)
class Jumping:
    """Parameters in the order of NAMES with errors, and the probability that each step held a jump, (rows − 1,)."""

    form: PriceForm
    estimate: Estimate = field(repr=False)
    jumped: Vector = field(repr=False)
    without: reverting.Reverting = field(repr=False)

    @property
    def half_life(self) -> float:
        """Years after which half of a deviation is left."""
        return float(np.log(2) / self.estimate.values[0])


def components(values: Vector, *, before: Vector, after: Vector, step: float) -> Vector:
    """Log of probability times density of each step with k jumps, (steps, MOST + 1)."""
    reversion, level, volatility, rate, mean, deviation = values
    left, variance = reverting.moments(reversion, volatility, step)
    count = np.arange(MOST + 1)
    weight = -rate * step + count * np.log(rate * step) - gammaln(count + 1)
    spread = variance + count * deviation**2
    surprise = (after - level - left * (before - level))[:, None] - count * mean
    return np.asarray(weight - 0.5 * (np.log(2 * np.pi * spread) + surprise**2 / spread))


def fit(prices: Vector, *, step: float, form: PriceForm = PriceForm.LOGARITHMIC) -> Jumping:
    """Maximum likelihood of the mixture from several starts.

    Args:
        prices: (rows,) spots, one a step.
        step: years between rows.
        form: of logarithms, or arithmetic for prices that may be 0 or less.

    Raises `InputError` as `reverting.fit`.
    """
    alone = reverting.fit(prices, step=step, form=form)
    x = reverting.states(prices, form)
    before, after = x[:-1], x[1:]
    scale = float(np.std(after - before))
    if not scale > 0:
        raise InputError.of("prices", "a series that moves in more than one size")

    def each(values: Vector) -> Vector:
        return np.asarray(logsumexp(components(values, before=before, after=after, step=step), axis=1))

    def natural(theta: Vector) -> Vector:
        return np.array([np.exp(theta[0]), theta[1], np.exp(theta[2]), np.exp(theta[3]), theta[4] * scale, np.exp(theta[5]) * scale])

    k, s = np.log(alone.reversion), np.log(alone.volatility)
    starts = [
        np.array([k, alone.level, s + np.log(calm), np.log(often / step), mean, np.log(size)])
        for calm, often, mean, size in ((0.7, 0.05, 0.0, 2.0), (0.4, 0.2, 0.0, 1.5), (0.8, 0.02, 2.0, 2.0), (0.8, 0.02, -2.0, 2.0))
    ]
    wide = 4 * float(np.ptp(x))
    bounds = [
        (k - 6, k + 4), (float(x.min()) - wide, float(x.max()) + wide), (s + np.log(0.05), s + 0.5),
        (np.log(1e-4 / step), np.log(0.5 / step)),
        (-20.0, 20.0), (np.log(0.01), np.log(20.0)),
    ]  # fmt: skip
    found = maximise(each, natural=natural, starts=starts, bounds=bounds)
    part = components(found.values, before=before, after=after, step=step)
    return Jumping(form=form, estimate=found, jumped=1 - np.exp(part[:, 0] - logsumexp(part, axis=1)), without=alone)


def kluge_shift(forward: float, *, reversion: float, volatility: float, decay: float, size: float, rate: float, time: float) -> float:
    r"""Log-season of Kluge's (2006) price e^{shift + X + Y} that makes its mean the forward.

    X reverts at α with volatility σ; Y decays at β and jumps up at rate λ by an exponential of rate η > 1; both begin at 0:
    :math:`\ln f - \frac{\sigma^2}{4\alpha}(1 - e^{-2\alpha T}) - \frac\lambda\beta \ln\frac{\eta - e^{-\beta T}}{\eta - 1}`.

    Raises `InputError` for η of 1 or less: such a price has no mean.

    Source: Kluge, T. (2006), Pricing swing options and other electricity derivatives, Oxford; parameters of QuantLib's test suite.

    >>> round(kluge_shift(30.0, reversion=4.0, volatility=1.0, decay=5.0, size=5.0, rate=4.0, time=0.5), 6)
    3.17457
    """
    if not (forward > 0 and reversion > 0 and decay > 0 and size > 1 and rate >= 0):
        raise InputError.of("Kluge's model", "a forward, reversion and decay above 0 and jumps of a rate η above 1", value=size)
    normal = volatility**2 / (4 * reversion) * -np.expm1(-2 * reversion * time)
    return float(np.log(forward) - normal - rate / decay * np.log((size - np.exp(-decay * time)) / (size - 1)))

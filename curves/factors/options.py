r"""European options on futures whose logarithm is normal: Black's (1976) formula on a variance, for any of these models."""

import numpy as np
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError


def option(future: Vector, strike: Vector, *, variance: Vector, discount: Vector | float = 1.0, call: bool = True) -> Vector:
    r"""Value (options,) of European options: :math:`D (F N(d_1) - K N(d_2))`, :math:`d_{1,2} = (\ln F/K \pm w^2/2)/w`, puts by parity.

    Args:
        future, strike: (options,) USD/GPUh, above 0.
        variance: (options,) w² of the log of the futures until expiry, such as `two_factor.variance`; 0 leaves intrinsic value.
        discount: factor of the payment.
        call: False is a put.

    Raises `InputError` for a price, strike or variance below what a model of logarithms takes.

    >>> w = one_factor_variance(volatility=0.8, reversion=1.5, expiry=np.array([0.5]), maturity=np.array([0.75]))
    >>> option(np.array([100.0]), np.array([100.0]), variance=w, discount=np.exp(-0.05 * 0.5)).round(6).tolist()
    [10.85128]
    """
    future, strike, variance = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in (future, strike, variance)))
    if not (np.all(future > 0) and np.all(strike > 0) and np.all(variance >= 0)):
        raise InputError.of("option on futures", "futures and strikes above 0 and variances of at least 0")
    deviation = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.log(future / strike) / deviation + deviation / 2
        worth = future * ndtr(d) - strike * ndtr(d - deviation)
    worth = np.where(deviation > 0, worth, np.maximum(future - strike, 0.0))
    return np.asarray(discount * (worth if call else worth - future + strike))


def one_factor_variance(*, volatility: float, reversion: float, expiry: Vector, maturity: Vector) -> Vector:
    r"""w² of Clewlow and Strickland's (1999) forward model: :math:`\frac{\sigma^2}{2\alpha}(e^{-2\alpha(s-T)} - e^{-2\alpha s})`.

    Args:
        volatility, reversion: σ and α of :math:`\sigma e^{-\alpha (s - t)}`, the volatility at t of the forward for s.
        expiry, maturity: (options,) T and s in years, s not before T.

    Source: Clewlow, L. and Strickland, C. (1999), Valuing energy options in a one factor model fitted to forward prices.
    """
    if not (reversion > 0 and volatility >= 0) or np.any(maturity < expiry):
        raise InputError.of("one-factor forward model", "reversion above 0 and a delivery that is not before the expiry")
    return np.asarray(volatility**2 / (2 * reversion) * (np.exp(-2 * reversion * (maturity - expiry)) - np.exp(-2 * reversion * maturity)))

"""A batch of options on baskets of forwards, as arrays: valid or not born."""

from dataclasses import dataclass, field

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, correlated, finite, positive, refuse

ROUNDING = 1e-12  # of correlations that were computed from covariances


@dataclass(frozen=True, kw_only=True)
class Baskets:
    """n options on baskets of the same k forwards; the pay-off of a call is max(Σ a F − K, 0).

    Args (everything broadcasts to the shape of `forward`, or to its first axis):
        forward: (n, k) USD/GPUh, above 0.
        weight: (n, k) a, at least 0; an option on a difference is a spread option.
        strike: (n,) USD/GPUh; at or below 0 a call is a forward.
        volatility: (n, k) σ, per square root of a year, at least 0.
        correlation: (k, k) ρ of the logarithms, with ones on its diagonal.
        years: (n,) T, at least 0.
        discount: (n,) D, above 0.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility or weight, a correlation outside [−1, 1] or a matrix of them that is not one (not
    symmetric,
    a diagonal other than 1, a negative eigenvalue), an expiry in the past, and anything not finite.

    >>> pair = np.full((1, 2), 2.5)
    >>> Baskets(forward=pair, weight=pair, strike=np.ones(1), volatility=pair, years=np.ones(1),
    ...         correlation=np.array([[1.0, 0.2], [0.3, 1.0]]))
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: basket, column correlation: found 0.2, expected a symmetric matrix
    """

    forward: Vector
    weight: Vector
    strike: Vector
    volatility: Vector
    correlation: Vector
    years: Vector
    discount: Vector = field(default_factory=lambda: np.ones(1))
    option: Option = "call"

    def __post_init__(self) -> None:
        if np.ndim(self.forward) != 2 or np.shape(self.correlation) != (self.forward.shape[1],) * 2:
            raise InputError.of(
                "basket", "forwards of two axes, contracts and members, and a square matrix of members", column="correlation"
            )
        rules = [positive("forward", self.forward), finite("strike", self.strike), positive("discount", self.discount)]
        rules += [at_least_zero(name, getattr(self, name)) for name in ("weight", "volatility", "years")]
        matrix = self.correlation
        refuse([*rules, correlated(matrix / (1.0 + ROUNDING))], kind="basket")
        refuse([
            Rule("correlation", matrix, np.abs(matrix - matrix.T) <= ROUNDING, "a symmetric matrix"),
            Rule("correlation", np.diag(matrix), np.abs(np.diag(matrix) - 1.0) <= ROUNDING, "ones on the diagonal"),
        ], kind="basket")  # fmt: skip
        least: Vector = np.asarray(np.linalg.eigvalsh(matrix)[:1], dtype=np.float64)
        refuse([Rule("correlation", least, least >= -1e-10 * len(matrix), "no negative eigenvalue")], kind="basket")
        for name, shape in (("weight", self.forward.shape), ("volatility", self.forward.shape), ("strike", self.forward.shape[:1]),
                            ("years", self.forward.shape[:1]), ("discount", self.forward.shape[:1])):  # fmt: skip
            object.__setattr__(self, name, np.broadcast_to(np.asarray(getattr(self, name), dtype=np.float64), shape))

    @property
    def sign(self) -> float:
        """1 for calls, −1 for puts."""
        return 1.0 if self.option == "call" else -1.0

    @property
    def worth(self) -> Vector:
        """(n, k) USD/GPUh, a F."""
        return np.asarray(self.weight * self.forward)

    @property
    def covariance(self) -> Vector:
        """(n, k, k) of the logarithms at expiry."""
        deviation = self.deviation
        return np.asarray(self.correlation * deviation[:, :, None] * deviation[:, None, :])

    @property
    def deviation(self) -> Vector:
        """(n, k) σ √T."""
        return np.asarray(self.volatility * np.sqrt(self.years)[:, None])

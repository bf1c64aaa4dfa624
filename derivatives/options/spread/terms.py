"""A batch of options on the difference of two forwards, as arrays: valid or not born."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

import numpy as np

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import at_least_zero, correlated, finite, positive, refuse
from tenorgrid.derivatives.options.greeks import SpreadGreeks


@dataclass(frozen=True, kw_only=True)
class Spreads:
    """n options on F₁ − F₂; the pay-off of a call is max(F₁ − F₂ − K, 0). Both forwards are lognormal, with correlated logarithms.

    Args (all broadcast against one another):
        first: (n,) USD/GPUh, F₁, above 0.
        second: (n,) USD/GPUh, F₂, above 0.
        strike: (n,) USD/GPUh, K, of any sign.
        first_volatility: (n,) σ₁, per square root of a year, at least 0.
        second_volatility: (n,) σ₂.
        correlation: (n,) ρ of the two logarithms, between −1 and 1.
        years: (n,) T, at least 0.
        discount: (n,) D, above 0.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility, a correlation outside [−1, 1], an expiry in the past, and anything not finite.

    >>> two = np.array([2.0])
    >>> Spreads(first=two, second=two, strike=0 * two, first_volatility=0.3 * two, second_volatility=0.3 * two, correlation=two, years=two)
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: spread, column correlation: found 2.0, expected a correlation between -1 and 1
    """

    first: Vector
    second: Vector
    strike: Vector
    first_volatility: Vector
    second_volatility: Vector
    correlation: Vector
    years: Vector
    discount: Vector = field(default_factory=lambda: np.ones(1))
    option: Option = "call"

    def __post_init__(self) -> None:
        rules = [positive(name, getattr(self, name)) for name in ("first", "second", "discount")]
        rules += [at_least_zero(name, getattr(self, name)) for name in ("first_volatility", "second_volatility", "years")]
        refuse([*rules, finite("strike", self.strike), correlated(self.correlation)], kind="spread")
        names = [one.name for one in fields(self) if one.name != "option"]
        for name, values in zip(names, np.broadcast_arrays(*(getattr(self, name) for name in names)), strict=True):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(values, dtype=np.float64)))

    @property
    def sign(self) -> float:
        """1 for calls, −1 for puts."""
        return 1.0 if self.option == "call" else -1.0

    def by_sign(self) -> "Iterator[tuple[Spreads, Flags, bool]]":
        """Batches of K ≥ 0, each with the places (n,) it is of and whether its legs are turned: a call on F₁ − F₂ at K is a put on
        F₂ − F₁ at −K.
        """
        names = [one.name for one in fields(self) if one.name != "option"]
        negative = self.strike < 0
        for mine, turned in ((~negative, False), (negative, True)):
            if mine.any():
                part = self if mine.all() else replace(self, **{name: getattr(self, name)[mine] for name in names})
                yield part._turned() if turned else part, mine, turned

    def _turned(self) -> "Spreads":
        return replace(
            self, first=self.second, second=self.first, strike=-self.strike, first_volatility=self.second_volatility,
            second_volatility=self.first_volatility, option="put" if self.option == "call" else "call",
        )  # fmt: skip


def joined(options: Spreads, parts: "list[tuple[SpreadGreeks, Flags, bool]]") -> SpreadGreeks:
    """Greeks of all the options from those of the batches of `by_sign`."""
    count = len(options.strike)
    whole = {"price": (count,), "delta": (count, 2), "gamma": (count, 3), "vega": (count, 2), "theta": (count,), "correlation": (count,)}
    found = {name: np.empty(shape) for name, shape in whole.items()}
    for greeks, mine, turned in parts:
        for name, values in found.items():
            part = getattr(greeks, name)
            values[mine] = part[:, ::-1] if turned and part.ndim == 2 else part
    return SpreadGreeks(**found)

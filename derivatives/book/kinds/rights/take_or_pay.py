"""Take-or-pay in books: the best hours at forward prices between a least and a most in total, by sorting; intrinsic, so a lower bound."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.kinds.rights import engine
from tenorgrid.derivatives.book.kinds.rights.engine import Kind, Terms
from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.rights import take_or_pay as kernel


@dataclass(frozen=True, kw_only=True)
class TakeOrPay:
    """Up to `quantity` GPU-hours an hour, `minimum` to `maximum` in all that is left; `shortfall` is paid at the end, infinite for none."""

    quantity: float
    strike: float
    minimum: float
    maximum: float
    shortfall: float

    def value(self, seen: Seen) -> float:
        """Present value at forward prices, USD."""
        return float(self._taken(seen).value[0])

    def ladder(self, seen: Seen) -> tuple[float, tuple[Vector, ...]]:
        """The best hours do not change to first order, so each hour's delta is what is taken in it, discounted."""
        found = self._taken(seen)
        return float(found.value[0]), (seen.discount * found.quantity[0],)

    def _taken(self, seen: Seen) -> kernel.Taken:
        paid = np.array([self.shortfall * float(seen.discount[-1])])
        return kernel.intrinsic(
            (seen.discount * (seen.forward[0] - self.strike))[None, :], capacity=self.quantity * seen.hours,
            minimum=np.array([self.minimum]), maximum=np.array([self.maximum]), shortfall=paid,
        )  # fmt: skip


def _right(terms: Terms) -> TakeOrPay:
    most = terms["amount"] if terms["maximum"] is None else terms["maximum"]
    return TakeOrPay(
        quantity=terms["quantity"], strike=terms["strike"], minimum=max(terms["minimum"] - terms["taken"], 0.0),
        maximum=max(most - terms["taken"], 0.0), shortfall=np.inf if terms["shortfall"] is None else terms["shortfall"],
    )  # fmt: skip


KIND = Kind(right=_right, volatile=lambda _: 0, by=lambda _: "hour")


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and deltas of take-or-pay contracts. Raises `InputError` for a minimum above what the hours to come allow."""
    return engine.price(trades, market, KIND)


def values(trades: pl.DataFrame, market: Market) -> Vector:
    """(n,) values alone, USD."""
    return engine.values(trades, market, KIND)

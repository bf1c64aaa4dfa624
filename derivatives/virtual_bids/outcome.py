"""What bids earned on a day, beside what others would have: naive rules of the same size, and one who knew both prices."""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.virtual_bids.program import Steps
from tenorgrid.derivatives.virtual_bids.scenarios import Scenarios


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Quantities bought (decs) and sold (incs) ahead, profit after fees, and `perfect`: what knowing both prices would have earned."""

    bought: float
    sold: float
    profit: float
    perfect: float


def outcome(steps: Steps, ahead: Vector, real: Vector, *, fee: float, hourly: float) -> Outcome:
    """Of bids at the prices (products,) of a day. `hourly` is the limit that one who knew both prices would have used in every hour."""
    cleared = steps.cleared(ahead[None, :])[0]
    gain = np.maximum(np.abs(real - ahead) - fee, 0.0)
    return Outcome(
        bought=float(cleared[steps.side > 0].sum()), sold=float(cleared[steps.side < 0].sum()),
        profit=float(steps.earned(ahead[None, :], real[None, :], fee=fee)[0]), perfect=float(hourly * gain.sum()),
    )  # fmt: skip


def naive(told: Scenarios, ahead: Vector, real: Vector, *, fee: float, hourly: float) -> dict[str, float]:
    """Profits of the same size in every hour: always sold, always bought, and as the mean premium of the scenarios says."""
    sold = ahead - real
    mean = told.weight @ (told.ahead - told.real)
    return {
        "always inc": float(hourly * (sold - fee).sum()),
        "always dec": float(hourly * (-sold - fee).sum()),
        "sign of the mean": float(hourly * (np.sign(mean) * sold - fee).sum()),
    }

"""Expected pay-off and risk of any bid curve over the scenarios of its day."""

from dataclasses import dataclass

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.virtual_bids.program import Steps, shortfall_of
from tenorgrid.derivatives.virtual_bids.scenarios import Scenarios


@dataclass(frozen=True, kw_only=True)
class BidRisk:
    """Mean and deviation of the day's profit after fees, its shortfall (a loss is positive), how likely a loss is, and the worst profit."""

    mean: float
    deviation: float
    shortfall: float
    losing: float
    worst: float


def risk_of(steps: Steps, told: Scenarios, *, level: float, fee: float = 0.0) -> BidRisk:
    """What bids are expected to earn and may lose, whoever chose them.

    Args:
        steps: bids (j,), their products those of the scenarios.
        told: scenarios of the day.
        level: of the shortfall: the mean loss of the worst 1 − level.
        fee: USD a unit that clears.

    Raises `InputError` for a level outside 0 to 1, a fee below 0, and a product that the scenarios do not have.
    """
    if not 0.0 < level < 1.0:
        raise InputError.of("virtual bids", "a level above 0 and below 1", column="level", value=level)
    if not fee >= 0.0:
        raise InputError.of("virtual bids", "at least 0", column="fee", value=fee)
    products = told.ahead.shape[1]
    if ((steps.product < 0) | (steps.product >= products)).any():
        raise InputError.of("virtual bids", f"a product below {products}", column="product", value=int(steps.product.max()))
    profits = steps.earned(told.ahead, told.real, fee=fee)
    mean = float(told.weight @ profits)
    return BidRisk(
        mean=mean, deviation=float(told.weight @ (profits - mean) ** 2) ** 0.5,
        shortfall=shortfall_of(profits, told.weight, level=level), losing=float(told.weight @ (profits < 0.0)),
        worst=float(profits[told.weight > 0.0].min()),
    )  # fmt: skip

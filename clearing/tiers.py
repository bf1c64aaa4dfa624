"""Service tiers as arrays: π, β and α of each, `firm` first (market design, section 3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Vector = npt.NDArray[np.float64]

FIRM = "firm"


@dataclass(frozen=True, kw_only=True)
class Tiers:
    """Levels of service, (tiers,) each: `interruption` π, `overcommit` β, `reserve` α."""

    names: tuple[str, ...]
    interruption: Vector
    overcommit: Vector
    reserve: Vector


def tiers(table: pl.DataFrame) -> Tiers:
    """The `tiers` table as arrays, `firm` first, the others by name.

    >>> spot = pl.DataFrame({"tier": ["spot"], "interruption_probability": [0.1], "overcommit": [0.9], "reserve_share": [None]})
    >>> tiers(spot.cast({"reserve_share": pl.Float64})).names
    ('firm', 'spot')
    """
    others = table.filter(pl.col("tier") != FIRM).sort("tier")
    return Tiers(
        names=(FIRM, *others["tier"]),
        interruption=np.r_[0.0, others["interruption_probability"].to_numpy()],
        overcommit=np.r_[1.0, others["overcommit"].to_numpy()],
        reserve=np.r_[0.0, others["reserve_share"].fill_null(0.0).to_numpy()],
    )


def expected_value(value: Vector, loss: Vector, *, interruption: float) -> Vector:
    r"""Worth of one unit of work bought through a tier, :math:`(1 - \pi) p - \pi \ell` in USD per unit, (n,).

    Summed over tiers this is the expected value of a concave V exactly when interruptions are nested, the lower tiers first.

    >>> expected_value(np.array([2.0]), np.array([0.5]), interruption=0.2)
    array([1.5])
    """
    return (1.0 - interruption) * value - interruption * loss

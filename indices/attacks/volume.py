r"""One contributor that shows more than everybody else: all day long, or in one block just before the cut-off.

With share s of what is shown after the attack, over the market's volume V (or number of rows, where the level does not weigh by quantity),

.. math:: V_a = V \frac{s}{1 - s}.

Trades are dealt with somebody who is not related, so that what is paid above the market is lost: cash :math:`V_a |p - v|`, as for the
dollars to move a mark by one per cent. Quotes cost nothing.
"""

from datetime import timedelta
from math import ceil

import polars as pl

from tenorgrid.indices.attacks.scene import Planted, Scene, planted

MULTIPLE = 1.5  # times the mark: what an attacker trades or quotes at
DEALS = 24  # in a window, of a contributor who trades all day long
LATE = timedelta(minutes=1)


def one_contributor(scene: Scene, size: float) -> Planted:
    """The contributor who shows most has the share `size` of all that is shown, at 1.5 times the mark."""
    number = max(DEALS, 2 * scene.level.partitions) if by_trades(scene) else rows_for(scene, size)
    return of_volume(scene, [scene.largest], scene.moments(number), size)


def late_block(scene: Scene, size: float) -> Planted:
    """The same share in one trade, or in quotes, of a minute before the cut-off (of a sixtieth of a window shorter than an hour)."""
    moment = scene.end - min(LATE, (scene.end - scene.opens) / 60)
    number = 1 if by_trades(scene) else rows_for(scene, size)
    return of_volume(scene, [scene.largest], pl.Series([moment] * number), size)


def of_volume(scene: Scene, names: list[str], times: pl.Series, size: float) -> Planted:
    """Rows of `names` in turn that have the share `size` of what is shown; what it costs is lost to somebody else."""
    price = MULTIPLE * scene.value
    quantity = volume_for(scene, size) / len(times) if by_trades(scene) else None
    rows = scene.evidence(names, times, price=price, quantity=quantity)
    traded = rows["quantity"].sum() if scene.trades else 0.0
    return planted(scene, rows, cash=float(traded) * (price - scene.value))


def by_trades(scene: Scene) -> bool:
    """Whether it is volume that counts, and not the number of rows."""
    return scene.trades and scene.by_volume


def volume_for(scene: Scene, size: float) -> float:
    """GPU-hours that have the share `size` once they are added to the print's."""
    return float(scene.used["quantity"].sum()) * size / (1 - size)


def rows_for(scene: Scene, size: float) -> int:
    """Rows that have the share `size` once they are added to the print's."""
    return ceil(scene.used.height * size / (1 - size))

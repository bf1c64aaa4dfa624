"""Trades among related parties: the volume is there, the money stays in the house."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.indices.attacks.scene import NAME, Planted, Scene, Unsuited, planted
from tenorgrid.indices.attacks.volume import DEALS, MULTIPLE, by_trades, of_volume, rows_for, volume_for

HOUSE = "one house"
ENOUGH = 240  # trades of a ring: as many as any shipped methodology asks for
SMALL = 1.0  # GPU-hour: what each is of where the market shows no trades


def wash_trades(scene: Scene, size: float) -> Planted | Unsuited:
    """Two new names of one house sell to each other, at 1.5 times the mark, the share `size` of all that is traded."""
    names = members(2)
    if not scene.trades:
        return Unsuited(reason=f"the level {scene.level.name!r} takes no trades; see wash ring")
    number = max(DEALS, 2 * scene.level.partitions) if by_trades(scene) else rows_for(scene, size)
    return replace(of_volume(scene, names, scene.moments(number), size), cash=0.0, groups=housed(names))


def wash_ring(scene: Scene, size: float) -> Planted | Unsuited:
    """`size` new names of one house sell in a ring, 240 trades at 1.5 times the mark, as much in all as the market traded.

    Where the level takes no trades the rows are trades of one GPU-hour all the same: another level may take them, and rank before it.
    """
    names = members(round(size))
    quantity = volume_for(scene, 0.5) / ENOUGH if by_trades(scene) else SMALL
    found = replace(scene, level=replace(scene.level, kinds=(ObservationKind.TRADE,)))
    rows = found.evidence(names, evenly(scene), price=MULTIPLE * scene.value, quantity=quantity)
    trades = rows.with_columns(pl.lit(ObservationKind.TRADE.value).cast(rows.schema["kind"]).alias("kind"))
    return planted(scene, trades, groups=housed(names))


def evenly(scene: Scene) -> pl.Series:
    """Times of a ring: evenly over the window, so that every part of it has some."""
    whole = scene.end - scene.opens
    return pl.Series([scene.opens + whole * (2 * place + 1) / (2 * ENOUGH) for place in range(ENOUGH)])


def members(number: int) -> list[str]:
    """Names that nobody else has."""
    return [f"{NAME}/house-{place}" for place in range(1, number + 1)]


def housed(names: list[str]) -> Mapping[str, str]:
    """All of one house."""
    return dict.fromkeys(names, HOUSE)

"""Asks that nobody means: a machine parked far above the market, and a placeholder far below."""

import polars as pl

from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.indices.attacks.scene import QUOTES, Planted, Scene, Unsuited, planted

PLACEHOLDER = 0.50  # USD; what marketplaces show for a machine without a price


def parked_ask(scene: Scene, size: float) -> Planted:
    """The contributor who shows least adds one ask at `size` times the mark."""
    return _asks(scene, 1, price=size * scene.value)


def placeholders(scene: Scene, size: float) -> Planted | Unsuited:
    """The contributor who shows least adds `size` rows at 0.50 USD."""
    if scene.value <= PLACEHOLDER:
        return Unsuited(reason=f"the mark is {scene.value:g}, no more than a placeholder of {PLACEHOLDER:.2f}")
    return _asks(scene, round(size), price=PLACEHOLDER)


def _asks(scene: Scene, number: int, *, price: float) -> Planted:
    """Quotes of the kind that the level takes; firm ones where it takes none, which it does not see."""
    rows = scene.evidence([scene.smallest], scene.moments(number), price=price)
    quote = next((kind for kind in QUOTES if kind in scene.level.kinds), ObservationKind.FIRM_QUOTE)
    kind = pl.lit(quote.value).cast(rows.schema["kind"])
    told = pl.when(pl.col("kind").cast(pl.String).is_in([one.value for one in QUOTES])).then("kind").otherwise(kind)
    return planted(scene, rows.with_columns(told.alias("kind"), pl.lit(None, dtype=pl.Float64).alias("quantity")))

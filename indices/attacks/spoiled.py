"""Rows that are there and wrong: quotes that did not follow the market, and prices of a machine taken for those of a GPU."""

from math import ceil

import polars as pl

from tenorgrid.indices.attacks.scene import ID, QUOTES, Planted, Scene, Unsuited

FROZEN = 1 / 3  # of the contributors
FEW = 3  # contributors below which rows are spoiled, and not contributors
PRICE = pl.col("price")


def stale_quotes(scene: Scene, size: float) -> Planted | Unsuited:
    """A third of the contributors still quote the price from before the market rose by `size`.

    They quote their price over 1 + size, on all days before too: a quote that stands still is seen anew every day.
    """
    quotes = scene.used.filter(pl.col("kind").cast(pl.String).is_in([kind.value for kind in QUOTES]))
    if quotes.is_empty():
        return Unsuited(reason=f"no quote is behind it: the level {scene.level.name!r} counts trades")
    return _spoiled(scene, _hit(scene, quotes, FROZEN, ever=True), PRICE / (1 + size))


def totals(scene: Scene, size: float) -> Planted | Unsuited:
    """The share `size` of the contributors show the total of a machine as the price of a GPU."""
    return _units(scene, size, PRICE * pl.col("gpu_count"))


def divided_twice(scene: Scene, size: float) -> Planted | Unsuited:
    """The share `size` of the contributors show the price of a GPU divided by the number of GPUs once more."""
    return _units(scene, size, PRICE / pl.col("gpu_count"))


def _units(scene: Scene, size: float, price: pl.Expr) -> Planted | Unsuited:
    several = (pl.col("gpu_count") > 1).fill_null(False)
    if scene.used.filter(several).is_empty():
        return Unsuited(reason="no row behind it says that it is of several GPUs")
    return _spoiled(scene, _hit(scene, scene.used, size, ever=False) & several, price)


def _hit(scene: Scene, rows: pl.DataFrame, share: float, *, ever: bool) -> pl.Expr:
    """Which rows of the observations are hit: those of the first contributors by name, of one class and tier, as far as the level reads
    them; with fewer than three contributors the share of the rows, evenly."""
    names = sorted(rows["provider"].unique().to_list())
    if len(names) < FEW:
        number = ceil(share * rows.height)
        return ID.is_in(rows["observation_id"].gather([place * rows.height // number for place in range(number)]).to_list())
    chosen = names[: ceil(share * len(names) - 1e-9)]
    kinds = rows["kind"].cast(pl.String).unique().to_list()
    alike = [pl.col(name).is_in(rows[name].unique().to_list()) for name in ("resource", "tier")]
    window = pl.col("time") < scene.end if ever else pl.col("time").is_between(scene.opens, scene.end, closed="left")
    return pl.all_horizontal(pl.col("provider").is_in(chosen), pl.col("kind").cast(pl.String).is_in(kinds), window, *alike)


def _spoiled(scene: Scene, hit: pl.Expr, price: pl.Expr) -> Planted:
    rows = scene.observations.with_columns(pl.when(hit).then(price).otherwise(PRICE).alias("price"))
    inside = pl.col("time").is_between(scene.opens, scene.end, closed="left")
    return Planted(observations=rows, names=frozenset(scene.observations.filter(hit, inside)["observation_id"].to_list()))

"""What somebody who attacks one print finds, and what an attack makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tenorgrid.data.kinds.index import ObservationKind, Weighting
from tenorgrid.indices.calculation import Calculation
from tenorgrid.indices.publication.affiliations import BUYER
from tenorgrid.indices.specification import Level

NAME = "attack"  # what names of rows that an attack adds begin with
QUOTES = (ObservationKind.FIRM_QUOTE, ObservationKind.LIST_PRICE)
ID = pl.col("observation_id")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One print as it stands: its rule's deciding `level`, its `value`, its window [opens, end), and the observations behind it.

    `used` are the `Observations`, with attributes, that the level counts, in the order of time and name; `observations` are all.
    """

    index: str
    start: datetime
    opens: datetime
    end: datetime
    value: float
    level: Level
    observations: pl.DataFrame
    used: pl.DataFrame

    @property
    def trades(self) -> bool:
        """Whether the level takes trades."""
        return ObservationKind.TRADE in self.level.kinds

    @property
    def by_volume(self) -> bool:
        """Whether the level weighs by quantity."""
        return Weighting.QUANTITY in self.level.weights.by

    @property
    def largest(self) -> str:
        """The contributor who shows most; of equal ones the first by name."""
        return str(self._contributors().sort("size", "provider", descending=[True, False])["provider"][0])

    @property
    def smallest(self) -> str:
        """The contributor who shows least; of equal ones the first by name."""
        return str(self._contributors().sort("size", "provider")["provider"][0])

    def _contributors(self) -> pl.DataFrame:
        size = pl.col("quantity").sum() if self.by_volume else pl.len()
        return self.used.group_by("provider").agg(size.alias("size"))

    @property
    def usual(self) -> pl.DataFrame:
        """The row nearest to the middle price: what an attacker's rows look like but for price, time and name."""
        away = (pl.col("price") - pl.col("price").median()).abs()
        return self.used.sort(away, ID).head(1)

    def moments(self, number: int) -> pl.Series:
        """`number` times at which the market was seen, evenly over its observations."""
        places = [(2 * place + 1) * self.used.height // (2 * number) for place in range(number)]
        return self.used["time"].gather(places)

    def evidence(self, providers: Sequence[str], times: pl.Series, *, price: float, quantity: float | None = None) -> pl.DataFrame:
        """Rows like the usual one, of `providers` in turn: trades where the level takes them, with the next provider as the buyer of a
        ring and a buyer unknown to the market for a single one; else what the level takes."""
        count = len(times)
        rows = self.usual.select(pl.all().repeat_by(count).explode(empty_as_null=True)) if count else self.usual.clear()
        sellers = [providers[place % len(providers)] for place in range(count)]
        changes = [
            pl.Series("observation_id", [f"{NAME}/{place}" for place in range(count)], dtype=pl.String),
            pl.Series("time", times, dtype=rows.schema["time"]),
            pl.Series("provider", sellers, dtype=pl.String),
            pl.lit(price).alias("price"),
        ]
        if quantity is not None:
            changes.append(pl.lit(quantity).alias("quantity"))
        if self.trades:
            following = dict(zip(providers, [*providers[1:], providers[0]], strict=True)) if len(providers) > 1 else {}
            buyers = [following.get(seller, f"{NAME}/buyer") for seller in sellers]
            changes.append(pl.Series(BUYER, buyers, dtype=pl.String))
        return rows.with_columns(changes)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Observations after an attack.

    `names` are those that were added or changed within the window, `notional` what was traded for it (USD), `cash` what the attacker loses
    by it (USD; 0 for quotes, and where the money stays among related parties), `groups` whom its names belong to.
    """

    observations: pl.DataFrame
    names: frozenset[str]
    notional: float = 0.0
    cash: float = 0.0
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Unsuited:
    """Why an attack has nothing to work on in this print."""

    reason: str


def planted(scene: Scene, rows: pl.DataFrame, *, cash: float = 0.0, groups: Mapping[str, str] | None = None) -> Planted:
    """The scene's observations with `rows` added."""
    together = pl.concat([scene.observations, rows], how="diagonal_relaxed")
    traded = rows.filter(pl.col("kind").cast(pl.String) == ObservationKind.TRADE.value)
    notional = (traded["price"] * traded["quantity"]).sum()
    return Planted(
        observations=together, names=frozenset(rows["observation_id"].to_list()), notional=float(notional), cash=cash, groups=groups or {}
    )


def scene_of(made: Calculation, index: str, start: datetime, observations: pl.DataFrame) -> Scene:
    """The scene of a print that some level gave its value.

    Args:
        made: a calculation that holds it.
        index, start: of the print.
        observations: those that the calculation was made of.
    """
    mine = pl.col("index") == index, pl.col("start") == start
    row = made.decided.filter(*mine).row(0, named=True)
    part = next(part for part in made.evidence if part.level.name == row["level"])
    names = part.used.filter(*mine).select("observation_id")
    return Scene(
        index=index,
        start=start,
        opens=made.marked.filter(pl.col("start") == start)["opens"][0],
        end=row["end"],
        value=row["value"],
        level=part.level,
        observations=observations,
        used=observations.join(names, on="observation_id", how="semi").sort("time", "observation_id"),
    )

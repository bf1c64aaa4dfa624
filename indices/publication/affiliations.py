"""Related parties and round trips: trades that are no evidence of a price, whatever their price."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.indices.windows import MARK

BUYER = "buyer"  # attribute of a trade; the seller is its provider
SIDES = ("provider", BUYER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Trades between two parties of one group, or between two who sold to each other."""

    kind: str
    parties: tuple[str, ...]
    trades: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} of {' and '.join(self.parties)}: {', '.join(self.trades)}"


def groups_of(affiliations: pl.DataFrame | None) -> dict[str, str]:
    """Whom each contributor belongs to."""
    return {} if affiliations is None else dict(affiliations.select("contributor", "group").iter_rows())


def merged(contributors: list[str], groups: dict[str, str]) -> int:
    """How many contributors there are when those of one group are one.

    >>> merged(["a", "b", "c"], {"a": "north", "b": "north"})
    2
    """
    return len({groups.get(name, name) for name in contributors})


def suspicions(trades: pl.DataFrame, groups: dict[str, str]) -> list[Suspicion]:
    """Trades between related parties, and round trips, of one mark.

    Args:
        trades: observation_id, provider (who sold), buyer, kind, of the observations that the mark uses.
        groups: whom a contributor belongs to; who is not named belongs to itself.

    >>> trades = pl.DataFrame({"observation_id": ["t1", "t2"], "provider": ["a", "b"], "buyer": ["b", "a"], "kind": ["trade", "trade"]})
    >>> [str(one) for one in suspicions(trades, {})]
    ['round trips of a and b: t1, t2']
    """
    if BUYER not in trades.columns:
        return []
    dealt = trades.filter(pl.col("kind").cast(pl.String) == ObservationKind.TRADE.value, pl.col(BUYER).is_not_null())
    known = dealt.with_columns(pl.col(side).replace(groups).alias(f"{side}_group") for side in SIDES)
    pair = pl.concat_list(pl.min_horizontal(SIDES), pl.max_horizontal(SIDES)).alias("pair")
    return [*_related(known.with_columns(pair)), *_round_trips(known.with_columns(pair))]


def _related(trades: pl.DataFrame) -> Iterator[Suspicion]:
    close = trades.filter(pl.col("provider_group") == pl.col(f"{BUYER}_group"))
    for pair, names in close.group_by("pair").agg(pl.col("observation_id").sort()).sort("pair").iter_rows():
        yield Suspicion(kind="trades between related parties", parties=tuple(dict.fromkeys(pair)), trades=tuple(names))


def _round_trips(trades: pl.DataFrame) -> Iterator[Suspicion]:
    apart = trades.filter(pl.col("provider_group") != pl.col(f"{BUYER}_group"))
    both = apart.group_by("pair").agg(pl.col("provider").n_unique().alias("sellers"), pl.col("observation_id").sort())
    for pair, _, names in both.filter(pl.col("sellers") > 1).sort("pair").iter_rows():
        yield Suspicion(kind="round trips", parties=tuple(pair), trades=tuple(names))


def used(rows: pl.DataFrame, exclusions: pl.DataFrame) -> pl.DataFrame:
    """Rows of each mark that no rule took out."""
    return rows.join(exclusions.select(*MARK, "observation_id"), on=[*MARK, "observation_id"], how="anti", maintain_order="left")

"""How much of a mark each kind of input is: by number, by volume and by its weight in the end."""

from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import Estimator
from tenorgrid.indices.calculation import Calculation
from tenorgrid.indices.estimators import held
from tenorgrid.indices.levels import Evidence, cast_votes
from tenorgrid.indices.weights import capped
from tenorgrid.indices.windows import MARK

KIND = [*MARK, "kind"]
WHOLE = {name: pl.col(name).sum().over(MARK) for name in ("observations", "quantity")}


def kinds(made: Calculation) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Of each mark with a level its kinds of input: observations and quantity (null where none shows one), and the share of each.

    `weight_share` is the part of the weight that the estimator takes the kind's votes with, after cap and floor, the mean over the
    partitions that have a value; in a time-weighted average a price weighs as long as it stood. The one vote of a contributor that shows
    several kinds is theirs in proportion to their rows.
    """
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for part in made.evidence:
        chosen = made.decided.filter(pl.col("level") == part.level.name).select(MARK)
        used = part.used.join(chosen, on=MARK, how="semi", maintain_order="left").with_columns(pl.col("kind").cast(pl.String))
        if used.is_empty():
            continue
        each = used.group_by(KIND, maintain_order=True).agg(
            pl.len().alias("observations"), pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()).alias("quantity")
        )
        parts = [pl.when(sum_ > 0).then(pl.col(name) / sum_).alias(f"{name}_share") for name, sum_ in WHOLE.items()]
        told = each.join(_weights(used, part, made), on=KIND, how="left").sort(KIND).with_columns(parts)
        for row in told.iter_rows(named=True):
            shares = {"share": row["observations_share"], "quantity_share": row["quantity_share"], "weight_share": row["weight_share"]}
            entry = {"kind": row["kind"], "observations": row["observations"], "quantity": row["quantity"]} | shares
            found.setdefault((row["index"], row["start"]), []).append(entry)
    return found


def _weights(used: pl.DataFrame, part: Evidence, made: Calculation) -> pl.DataFrame:
    """index, start, kind and weight_share."""
    if len(part.level.kinds) == 1:
        return used.select(KIND).unique().with_columns(weight_share=pl.lit(1.0))
    votes = cast_votes(used, part.level, made.marked)
    if part.level.vote is None:
        votes = votes.with_columns(used["kind"])
    votes = votes.sort(*MARK, "part", maintain_order=True)
    groups = votes.group_by(*MARK, "part", maintain_order=True).agg(pl.len(), pl.col("end").first())
    bounds = np.concatenate([[0], np.cumsum(groups["len"].to_numpy())]).astype(np.int64)
    weight, rule = votes["weight"].to_numpy(), part.level.weights
    if part.level.estimator is Estimator.TWAP:
        weight = held(votes["time"].to_physical().to_numpy(), groups["end"].to_physical().to_numpy(), bounds)
    who = votes["provider"].rank("dense").cast(pl.Int64).to_numpy()
    shares, _ = capped(weight, who, bounds, cap=rule.cap, floor=rule.floor)
    votes = votes.with_columns(weight=pl.Series(shares).fill_nan(None)).filter(pl.col("weight").is_not_null())
    votes = votes.with_columns(pl.col("weight") / pl.col("part").n_unique().over(MARK))
    if part.level.vote is not None:
        rows = used.group_by(*KIND, "provider", maintain_order=True).len()
        own = rows.with_columns(own=pl.col("len") / pl.col("len").sum().over(*MARK, "provider"))
        votes = votes.join(own, on=[*MARK, "provider"], maintain_order="left_right").with_columns(pl.col("weight") * pl.col("own"))
    return votes.group_by(KIND, maintain_order=True).agg(weight_share=pl.col("weight").sum())

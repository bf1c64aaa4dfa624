"""Cleared spreads beside the preemption option: which outside value would explain them, and what the market's own prices would give."""

import numpy as np
import polars as pl

from tenorgrid.data.tables.tiering import PreemptionFit
from tenorgrid.data.terms.market import REAL_TIME
from tenorgrid.derivatives.preemption.option import implied, preemption

BY = ["horizon", "pricing", "location", "resource", "tier"]
OPTIONAL = ["threshold", "call", "implied_forward", "implied_deviation", "outside_deviation", "model_availability", "model_premium"]


def preemption_fit(split: pl.DataFrame, *, tiers: pl.DataFrame, availability: float | None = None) -> pl.DataFrame:
    """`PreemptionFit`: per node the means of its spreads, the option's threshold and call, and the lognormal outside value they imply.

    Premium is λ_firm − β λ − α A, the offers' own premium wherever the split is exact. The implied deviation is the recall volatility:
    how uncertain the outside value must be for that premium to be fair. Beside it the model is run forward with an outside value
    that can be seen: the node's own firm price in real time.

    Args:
        split: `SpreadSplit`.
        tiers: `Tiers` of the case.
        availability: a of the suppliers; None is what perfect pooling needs, (1 − π) β.
    """
    terms = tiers.select("tier", pi="interruption_probability", beta="overcommit")
    rows = split.join(terms, on="tier").with_columns(kept=pl.col("spread") - pl.col("overcommit") - pl.col("scarcity"))
    means = rows.group_by(BY, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("intervals"), pl.col("firm", "price").mean(), premium=pl.col("kept").mean(), pi=pl.col("pi").first(),
        beta=pl.col("beta").first(),
    )  # fmt: skip
    real = split.filter(pl.col("horizon") == REAL_TIME.name)
    seen = (split if real.is_empty() else real).unique(["pricing", "start", "location", "resource"])
    logs = pl.when((pl.col("firm") > 0).all()).then(pl.col("firm").clip(lower_bound=1e-300).log().std(ddof=0))
    outside = seen.group_by("pricing", "location", "resource").agg(outside_forward=pl.col("firm").mean(), outside_deviation=logs)
    found = means.join(outside, on=["pricing", "location", "resource"], how="left").with_columns(
        pl.col("outside_forward").fill_null(pl.col("firm"))
    )
    fitted = pl.DataFrame(
        [_fit(row, availability) for row in found.iter_rows(named=True)], schema_overrides=dict.fromkeys(OPTIONAL, pl.Float64)
    )
    if fitted.is_empty():
        return PreemptionFit.create_empty()
    columns = {name: column.dtype for name, column in PreemptionFit.columns().items()}
    return PreemptionFit.validate(fitted.select(pl.col(name).cast(kind) for name, kind in columns.items()).sort(BY))


def _fit(row: dict[str, float], availability: float | None) -> dict[str, float | None]:
    a = min((1 - row["pi"]) * row["beta"], 1 - 1e-9) if availability is None else availability
    fit: dict[str, float | None] = {**row, "availability": a, **dict.fromkeys(OPTIONAL)}
    spread, outside = row["outside_deviation"], row["outside_forward"]
    fit["outside_deviation"] = spread if spread else None
    if row["price"] <= 0:  # an hour that costs nothing is recalled for anything
        return fit
    v = row["beta"] * row["price"] / a
    call = row["premium"] - (1 - a) * v
    fit |= {"threshold": v, "call": call}
    forward, deviation = (float(part[0]) for part in implied(np.array([call]), np.array([v]), availability=np.array([a])))
    if np.isfinite(deviation):
        fit |= {"implied_forward": forward, "implied_deviation": deviation}
    if spread:
        model = preemption(np.array([outside]), np.array([v]), deviation=np.array([spread]), interruption=np.array([row["pi"]]))
        fit |= {"model_availability": float(model.availability[0]), "model_premium": float(model.premium[0])}
    return fit

"""What each contributor brought to each mark: its price and its share of the weight, as a publisher shows beside a print."""

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import Estimator, MedianTie
from tenorgrid.indices.calculation import Calculation
from tenorgrid.indices.estimators import weighted_medians
from tenorgrid.indices.levels import Evidence, cast_votes
from tenorgrid.indices.weights import capped
from tenorgrid.indices.windows import MARK

CONTRIBUTOR = [*MARK, "provider"]
COLUMNS = {"level": pl.String(), "observations": pl.UInt32(), "price": pl.Float64(), "share": pl.Float64()}


def constituents(made: Calculation) -> pl.DataFrame:
    r"""index, start, provider, level, observations, price and share of every contributor to a level that gives a mark its value.

    `observations` are those that count. `price` is the contributor's vote; where every observation has one, the lower weighted median of
    its observations. `share` is its part of the whole weight after cap and floor, the mean over the partitions in which there is a
    value; null where there is none with such shares, and for a time-weighted average, in which prices weigh as long as they hold. Of a
    mark that was withheld every level that was tried is told, with the shares that it would have had.

    >>> from datetime import UTC, date, datetime
    >>> from tenorgrid.indices.calculation import calculate
    >>> from tenorgrid.indices.methodology import load
    >>> row = {"time": datetime(2027, 1, 5, 12, tzinfo=UTC), "resource": "h100-sxm", "region": "us-east", "tier": "firm"}
    >>> row["kind"] = "list price"
    >>> listed = {"nimbus": 2.4, "cirrus": 2.6, "stratus": 2.5, "cumulus": 9.0}
    >>> seen = pl.DataFrame([row | {"observation_id": name, "provider": name, "price": price} for name, price in listed.items()])
    >>> made = calculate(seen, methodology=load("house"), first=date(2027, 1, 5), end=date(2027, 1, 6), indices=["H100-SXM.US.FIRM"])
    >>> constituents(made).select("provider", "price", "share").rows()
    [('cirrus', 2.6, 0.25), ('cumulus', 9.0, 0.25), ('nimbus', 2.4, 0.25), ('stratus', 2.5, 0.25)]
    """
    decided = made.decided.select(*MARK, chosen="level")
    found = [
        _brought(part, made).join(decided, on=MARK).filter(pl.col("chosen").is_null() | (pl.col("chosen") == pl.col("level")))
        for part in made.evidence
    ]
    frames = [part.select(*CONTRIBUTOR, *COLUMNS) for part in found if not part.is_empty()]
    empty = made.decided.clear().select(*MARK, provider=pl.lit(None, dtype=pl.String))
    empty = empty.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in COLUMNS.items())
    return pl.concat([empty, *frames]).sort(*CONTRIBUTOR, "level")


def _brought(part: Evidence, made: Calculation) -> pl.DataFrame:
    used = part.used.join(made.marked.select("start"), on="start", how="semi")
    votes = cast_votes(used, part.level, made.marked).with_columns(share=pl.lit(None, dtype=pl.Float64))
    counts = used.group_by(CONTRIBUTOR).agg(pl.len().alias("observations"))
    if votes.is_empty():
        return counts.with_columns(
            level=pl.lit(part.level.name), price=pl.lit(None, dtype=pl.Float64), share=pl.lit(None, dtype=pl.Float64)
        )
    votes = votes.sort(*MARK, "part", maintain_order=True)
    if part.level.estimator is not Estimator.TWAP:
        votes = votes.with_columns(pl.Series("share", _shares(votes, part), dtype=pl.Float64))
    known = pl.col("share").is_not_null().any().over(MARK)
    shares = votes.with_columns(known.alias("known")).group_by(CONTRIBUTOR).agg(pl.col("share").sum(), pl.col("known").first())
    shares = shares.select(*CONTRIBUTOR, share=pl.when("known").then("share"))
    prices = _prices(votes)
    return prices.join(shares, on=CONTRIBUTOR).join(counts, on=CONTRIBUTOR).with_columns(level=pl.lit(part.level.name))


def _shares(votes: pl.DataFrame, part: Evidence) -> pl.Series:
    """The votes' shares of the weight of their partition, over the number of partitions of their mark."""
    groups = votes.group_by(*MARK, "part", maintain_order=True).len()
    bounds = np.concatenate([[0], np.cumsum(groups["len"].to_numpy())]).astype(np.int64)
    who = votes["provider"].rank("dense").cast(pl.Int64).to_numpy()
    weights = part.level.weights
    shares, _ = capped(votes["weight"].to_numpy(), who, bounds, cap=weights.cap, floor=weights.floor)
    found = votes.select(*MARK, "part", share=pl.Series(shares).fill_nan(None))
    number = pl.when(pl.col("share").is_not_null()).then("part").drop_nulls().n_unique().over(MARK)
    return found.select(pl.col("share") / number).to_series()


def _prices(votes: pl.DataFrame) -> pl.DataFrame:
    ordered = votes.sort(*CONTRIBUTOR, "price")
    groups = ordered.group_by(CONTRIBUTOR, maintain_order=True).len()
    bounds = np.concatenate([[0], np.cumsum(groups["len"].to_numpy())]).astype(np.int64)
    middle = weighted_medians(ordered["price"].to_numpy(), ordered["weight"].to_numpy(), bounds, tie=MedianTie.LOWER)
    return groups.select(*CONTRIBUTOR, price=pl.Series(middle))

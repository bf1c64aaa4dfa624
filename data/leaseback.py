"""Leaseback: who holds reserved capacity may offer it again, at most the position that it holds (market design, section 4)."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import Fault
from tenorgrid.data.kinds.market import DealKind
from tenorgrid.data.terms.market import Market

FIRM = "firm"
SLACK = 1e-9  # relative to the position: sums of decimals are not exact
NODE = ["participant", "location", "resource"]
CLAIM = ["file", "row", "id", "horizon", "later", *NODE, "start", "end", "quantity"]
Times = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]


def overlisted(market: Market, tables: Mapping[str, pl.DataFrame], names: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for every row that offers what its participant does not hold, with the excess.

    Who is the buyer of a reservation offers what it holds at a node in an hour: its offers, its self-schedules' hours, its listed hours
    and what it reserved to others, taken together, at each horizon. Deals are counted first, then offers in the order of the file.

    Args:
        market: its horizons.
        tables: offers, bilaterals and tiers of the case.
        names: the file that each table is called in faults.
    """
    deals = tables["bilaterals"].with_row_index("row", offset=1).with_columns(pl.col("kind").cast(pl.String))
    held = deals.filter(kind=DealKind.RESERVATION.value).with_columns(participant="buyer").drop_nulls([*NODE, "start", "end", "quantity"])
    if held.is_empty():
        return
    claims = _claims(deals, held["buyer"].unique(), tables, names).drop_nulls([*NODE, "start", "end", "quantity"])
    horizons = [horizon.name for horizon in market.horizons]
    for key, rows in claims.group_by(NODE, maintain_order=True):
        node = dict(zip(NODE, key, strict=True))
        position = held.filter(**node)
        found: dict[tuple[str, int], Fault] = {}
        for place, horizon in enumerate(horizons):
            since = pl.col("horizon").replace_strict(horizons, range(len(horizons)), default=0, return_dtype=pl.Int64)
            stands = pl.col("horizon").is_null() | (pl.col("horizon") == horizon) | (pl.col("later") & (since <= place))
            for fault in _excess(rows.filter(stands), position, node):
                found.setdefault((fault.file, fault.row or 0), fault)
        yield from found.values()


def _claims(deals: pl.DataFrame, holders: pl.Series, tables: Mapping[str, pl.DataFrame], names: Mapping[str, str]) -> pl.DataFrame:
    """What holders offer, list, schedule or reserve on: `CLAIM` columns, deals first."""
    reserved = pl.col("kind") == DealKind.RESERVATION.value
    sold = pl.col("seller").is_in(holders.implode()) & (reserved | (pl.col("kind") == DealKind.SELF_SCHEDULE.value))
    overcommit = tables["tiers"].select("tier", "overcommit")
    scheduled = deals.filter(sold).join(overcommit, on="tier", how="left", maintain_order="left")
    scheduled = scheduled.with_columns(
        pl.col("seller").alias("participant"),
        pl.col("quantity") / pl.col("overcommit").fill_null(1.0),
        pl.when(reserved).then(None).otherwise(pl.col("horizon")).alias("horizon"),  # what is reserved to others is gone at every horizon
    )
    listed = deals.filter(reserved, pl.col("need") < pl.col("quantity")).with_columns(
        pl.col("buyer").alias("participant"), pl.col("quantity") - pl.col("need")
    )
    named = {"file": pl.lit(names["bilaterals"]), "id": pl.col("deal_id"), "later": pl.lit(value=True)}
    mine = [rows.with_columns(**named) for rows in (scheduled, listed)]
    offers = tables["offers"].with_row_index("row", offset=1).filter(pl.col("participant").is_in(holders.implode()))
    offers = offers.with_columns(pl.lit(names["offers"]).alias("file"), id="offer_id", later=pl.lit(value=False))
    return pl.concat([part.select(CLAIM) for part in (*mine, offers)])


def _excess(rows: pl.DataFrame, position: pl.DataFrame, node: dict[str, Any]) -> Iterator[Fault]:
    """Faults of rows that stand where more is claimed than held, each once, where it is worst."""
    edges = np.unique(np.concatenate([_moments(frame[side]) for frame in (rows, position) for side in ("start", "end")]))
    held, claimed = (_standing(frame, edges) for frame in (position, rows))
    over = np.flatnonzero(claimed > held + SLACK * np.maximum(held, 1.0))
    if not over.size:
        return
    begin, end, quantity = _moments(rows["start"]), _moments(rows["end"]), rows["quantity"].to_numpy()
    worst = over[np.argmax((claimed - held)[over])]
    for segment in [worst, *over[over != worst]]:
        stands = (begin <= edges[segment]) & (end > edges[segment])
        excess = np.minimum(np.cumsum(np.where(stands, quantity, 0.0)) - held[segment], quantity)
        wrong = stands & (excess > SLACK * max(held[segment], 1.0))
        for at in np.flatnonzero(wrong):
            row, when = rows.row(int(at), named=True), np.datetime64(int(edges[segment]), "us").astype("datetime64[s]")
            where = f"{node['participant']} holds at {node['location']}/{node['resource']} from {when}Z"
            sentence = f"at most the {held[segment]:g} that {where}, rows before it counted: {excess[at]:g} too many"
            yield Fault(file=row["file"], row=row["row"], column="quantity", value=f"{row['quantity']:g} ({row['id']})", expected=sentence)


def _moments(times: pl.Series) -> Times:
    return times.dt.epoch("us").to_numpy()


def _standing(frame: pl.DataFrame, edges: Times) -> Vector:
    """(edges,) quantity that stands from each edge to the next."""
    change = np.zeros(edges.size)
    quantity = frame["quantity"].to_numpy()
    np.add.at(change, np.searchsorted(edges, _moments(frame["start"])), quantity)
    np.add.at(change, np.searchsorted(edges, _moments(frame["end"])), -quantity)
    return np.cumsum(change)

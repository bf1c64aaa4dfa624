"""Resettlement: a later version of a run posts the differences to the sum of the versions before it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import ChargeCode
from tenorgrid.data.tables.settled import Ledger, Positions
from tenorgrid.settlement.events import HALF, first_halves

KEYS = ["run", "rest", "account"]


def difference_postings(postings: pl.DataFrame, ledger: pl.DataFrame, halves: Mapping[str, pl.DataFrame], *, version: str) -> pl.DataFrame:
    """`postings` of a version less what the versions before it have posted for the same runs.

    Which versions came before is a matter of each run: those that posted it before this one first did. An event that the earlier
    versions posted and this one lacks is posted in full the other way round; a difference of zero is posted too, so that the version
    names every event it settled and a second file that says something else is refused.

    Args:
        postings: of this version, whole.
        ledger: all postings so far; those that round invoices have runs of no version, and are left out.
        halves: version -> half (first half of its events' names) and run (number of the run and charge code).
        version: of the postings.

    Raises InputError for an event that would be new in a run that a later version has posted.
    """
    names = pl.concat([frame.select("half", "run", pl.lit(v).alias("of")) for v, frame in halves.items()])
    split = [pl.col("event_id").str.slice(0, HALF).alias("half"), pl.col("event_id").str.slice(HALF).alias("rest")]
    held = ledger.with_row_index("row").with_columns(split).join(names, on="half", maintain_order="left")
    firsts = held.group_by("run", "of").agg(pl.col("row").min().alias("first"))
    own = firsts.filter(of=version).select("run", own="first")
    order = firsts.join(own, on="run", how="left")
    _refuse_late(postings, held, order, split, names, version=version)
    before = order.filter(pl.col("of") != version, pl.col("own").is_null() | (pl.col("first") < pl.col("own")))
    sums = held.join(before.select("run", "of"), on=["run", "of"], how="semi").group_by(KEYS).agg(
        pl.col("amount").sum().alias("sum"), pl.col("charge_code", "interval", "effective_at").first()
    )  # fmt: skip
    now = postings.with_columns(split).join(names.filter(of=version).select("half", "run"), on="half", how="left", maintain_order="left")
    changed = now.join(sums.select(*KEYS, "sum"), on=KEYS, how="left", maintain_order="left")
    changed = changed.with_columns(pl.col("amount") - pl.col("sum").fill_null(0))
    gone = (
        sums.join(now, on=KEYS, how="anti").join(names.filter(of=version).select("run", "half"), on="run").sort("half", "rest", "account")
    )
    gone = gone.with_columns(event_id=pl.col("half") + pl.col("rest"), amount=-pl.col("sum"), version=pl.lit(version),
                             recorded_at=pl.lit(postings["recorded_at"].first(), dtype=pl.Datetime("us", "UTC")))  # fmt: skip
    gone = gone.with_columns(posting_id=pl.col("event_id") + ".1")
    columns = list(Ledger.columns())
    return pl.concat([changed.select(columns), gone.select(columns)])


def run_halves(runs: pl.DataFrame, *, case: str, versions: Iterable[str]) -> dict[str, pl.DataFrame]:
    """version -> half and run: how each version names the events of every run and charge code.

    >>> from datetime import UTC
    >>> runs = pl.DataFrame({"horizon": ["real-time"], "start": [datetime(2027, 1, 5, 12, tzinfo=UTC)]})
    >>> run_halves(runs, case="one", versions=["final"])["final"]["run"].to_list()
    [0, 1]
    """
    codes = (ChargeCode.ENERGY, ChargeCode.RESERVE)
    found = {}
    for version in versions:
        half = pl.concat([first_halves(runs, case=case, charge_code=code, version=version) for code in codes])
        found[version] = pl.DataFrame({"half": half, "run": range(len(codes) * runs.height)})
    return found


def withdrawn(
    gone: pl.DataFrame, before: pl.DataFrame, halves: Mapping[str, pl.DataFrame], *, version: str, recorded_at: datetime
) -> pl.DataFrame:
    """`Positions` of nothing for the events that this version only takes back, at the price they had.

    Args:
        gone: postings of this version that have no position in it.
        before: of all versions so far.
        halves: as `run_halves` gives them.
        version: of the postings.
        recorded_at: when this is done.
    """
    names = pl.concat([frame for name, frame in halves.items() if name != version] or [halves[version].clear()])
    mine = halves[version].select("run", own="half")
    rows = before.with_columns(pl.col("event_id").str.slice(0, HALF).alias("half")).join(names, on="half", maintain_order="left")
    rows = rows.join(mine, on="run", maintain_order="left")
    rows = rows.with_columns(
        event_id=pl.col("own") + pl.col("event_id").str.slice(HALF),
        quantity=pl.lit(0.0),
        version=pl.lit(version),
        recorded_at=pl.lit(recorded_at).cast(pl.Datetime("us", "UTC")),
    )
    taken = rows.join(gone, on="event_id", how="semi").unique("event_id", keep="last", maintain_order=True)
    return taken.select(list(Positions.columns()))


def _refuse_late(
    postings: pl.DataFrame, held: pl.DataFrame, order: pl.DataFrame, split: list[pl.Expr], names: pl.DataFrame, *, version: str
) -> None:
    closed = order.filter(pl.col("first") > pl.col("own")).select("run").unique()
    mine = names.filter(of=version).join(closed, on="run", how="semi")
    late = postings.with_columns(split).join(mine, on="half", how="semi").join(held, on="event_id", how="anti")
    if not late.is_empty():
        raise InputError(
            Fault(file="ledger", column="event_id", value=event, expected=f"no new event of {version}: a later version has posted its run")
            for event in late["event_id"].unique().sort().head(9)
        )

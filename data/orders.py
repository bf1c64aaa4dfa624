"""What the rows of one order must be to one another, and orders that are decided whole: commitments, gangs, exclusive groups, links.

A gang that cannot be met, a domain larger than any supplier's or an hour without supply are no faults of a case: clearing has an
outcome for each. A refusal here is for what has no meaning: a run longer than its window, a link to nowhere, a group of two buyers.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import polars as pl

from tenorgrid.data.errors import Fault
from tenorgrid.data.faults import faulty_rows, labelled
from tenorgrid.data.kinds.market import ResourceKind

Tables = Mapping[str, pl.DataFrame]

# what belongs to the whole of an order, and what an empty cell of it means (None: empty is a value of its own)
WHOLE: Mapping[str, Mapping[str, float | None]] = {
    "offer_id": {"participant": None, "start": None, "end": None, "start_cost": 0.0, "min_hours": 1, "domain": 1},
    "bid_id": {
        "participant": None,
        "workload": None,
        "home": None,
        "start": None,
        "end": None,
        "min_share": 0.0,
        "exclusive_group": None,
        "linked_to": None,
    },
}
GANG = "a min_share above 0"


def one_thing(frame: pl.DataFrame, id_: str, file: str) -> Iterator[Fault]:
    """All rows of an offer or a bid agree in what belongs to the whole of it; a null horizon stands in no other horizon too.

    Args:
        frame: offers or bids. id_: offer_id or bid_id. file: what the table is called.
    """
    key = ("horizon", id_)
    used = {column: empty for column, empty in WHOLE[id_].items() if frame[column].null_count() < frame.height}
    cells = {column: pl.col(column) if empty is None else pl.col(column).fill_null(empty) for column, empty in used.items()}
    if frame.select(pl.struct(*key, *cells.values()).hash().n_unique() != pl.struct(key).hash().n_unique()).item():  # else nothing differs
        for column, cell in cells.items():
            wrong = cell.ne_missing(cell.first().over(key))
            sentence = f"the same {column} on all rows of one {id_}"
            yield from faulty_rows(frame, wrong, file=file, column=column, expected=sentence, value=labelled(column, by=id_))
    if 0 < frame["horizon"].null_count() < frame.height:
        both = pl.col("horizon").is_not_null() & pl.col("horizon").is_null().any().over(id_)
        sentence = f"no horizon, as other rows of this {id_} have none and stand in all"
        yield from faulty_rows(frame, both, file=file, column="horizon", expected=sentence)


def whole_orders(tables: Tables, names: Mapping[str, str], *, horizons: Sequence[str]) -> Iterator[Fault]:
    """Faults of orders that are decided whole, and of scale-up domains.

    Args:
        tables: of a case, by name. names: the file that each table is called in faults.
        horizons: those of the market; a bid without a horizon stands in each of them.
    """
    yield from _runs(tables["offers"], names["offers"])
    yield from _domains(tables, names)
    bids = tables["bids"]
    if bids["exclusive_group"].null_count() + bids["linked_to"].null_count() < 2 * bids.height:
        standing = _standing(bids, horizons)
        yield from _groups(bids, standing, names["bids"])
        yield from _links(bids, standing, names["bids"])


def _runs(offers: pl.DataFrame, file: str) -> Iterator[Fault]:
    """A run that cannot end inside the offer's window could never start."""
    window = (pl.col("end") - pl.col("start")).dt.total_seconds()
    hours = (window / 3600).round(6)
    value = pl.format("{} ({} hours from start to end)", pl.col("min_hours"), hours)
    wrong = (pl.col("min_hours") > 1) & (pl.col("min_hours").cast(pl.Float64) * 3600.0 > window)
    yield from faulty_rows(offers, wrong, file=file, column="min_hours", expected="no more hours than the offer's window has", value=value)


def _domains(tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """Scale-up domains are made of accelerators; a size of 1 is none."""
    resources = tables["resources"]
    known = resources["resource"].implode()
    accelerators = resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"].implode()
    uses = tables["recipe_resources"]
    scaled = pl.struct("workload", "recipe")
    some = uses.select(scaled).to_series().implode()
    fast = uses.filter(pl.col("resource").is_in(accelerators) | ~pl.col("resource").is_in(known)).select(scaled).to_series().implode()
    wrong = (pl.col("domain") > 1) & scaled.is_in(some) & ~scaled.is_in(fast)
    sentence = "no domain, or a recipe that uses an accelerator"
    yield from faulty_rows(tables["recipes"], wrong, file=names["recipes"], column="domain", expected=sentence)
    offers = tables["offers"]
    if offers["domain"].null_count() < offers.height:
        scales = pl.col("resource").is_in(accelerators) | ~pl.col("resource").is_in(known)
        wrong = (pl.col("domain") > 1) & ~scales.any().over("horizon", "offer_id")
        yield from faulty_rows(
            offers, wrong, file=names["offers"], column="domain", expected="no domain, or an offer that has an accelerator"
        )


def _standing(bids: pl.DataFrame, horizons: Sequence[str]) -> pl.DataFrame:
    """Each bid once in every horizon that it stands in: at, horizon, bid_id, participant, gang, group, parent."""
    share = pl.col("min_share").fill_null(0.0)
    once = (
        bids.group_by("horizon", "bid_id", maintain_order=True)
        .agg(
            pl.col("participant").first(),
            (share > 0).any().alias("gang"),
            pl.col("exclusive_group").first().alias("group"),
            pl.col("linked_to").first().alias("parent"),
        )
        .with_row_index()
    )
    every = pl.DataFrame({"at": list(horizons)}, schema={"at": pl.String})
    null = once.filter(pl.col("horizon").is_null()).join(every, how="cross")
    named = once.filter(pl.col("horizon").is_not_null()).with_columns(pl.col("horizon").alias("at"))
    return pl.concat([null, named]).filter(pl.col("bid_id").is_not_null()).sort("index", maintain_order=True)


def _told(
    bids: pl.DataFrame, wrong: pl.DataFrame, *, file: str, column: str, expected: str, value: pl.Expr | None = None
) -> Iterator[Fault]:
    """A fault on every row of the bids of `wrong` (horizon, bid_id)."""
    if wrong.is_empty():
        return
    key = pl.struct("horizon", "bid_id")
    mask = key.is_in(wrong.select(key).to_series().implode())
    yield from faulty_rows(bids, mask, file=file, column=column, expected=expected, value=value)


def _groups(bids: pl.DataFrame, standing: pl.DataFrame, file: str) -> Iterator[Fault]:
    """Of a group at most one gang is accepted: its bids are gangs, and one participant's."""
    member = standing.filter(pl.col("group").is_not_null())
    sentence = f"{GANG}, as the bids of an exclusive_group are gangs"
    value = labelled("min_share", by="exclusive_group")
    yield from _told(bids, member.filter(~pl.col("gang")), file=file, column="min_share", expected=sentence, value=value)
    others = member.filter(pl.col("participant") != pl.col("participant").first().over("at", "group"))
    value = labelled("participant", by="exclusive_group")
    sentence = "the same participant on all bids of one exclusive_group"
    yield from _told(bids, others, file=file, column="participant", expected=sentence, value=value)


def _links(bids: pl.DataFrame, standing: pl.DataFrame, file: str) -> Iterator[Fault]:
    """A link names another bid of the same horizons, a gang of the same participant; links do not run in a circle."""
    linked = standing.filter(pl.col("parent").is_not_null())
    itself = linked.filter(pl.col("parent") == pl.col("bid_id"))
    yield from _told(bids, itself, file=file, column="linked_to", expected="a bid other than itself")
    parents = standing.select("at", pl.col("bid_id").alias("parent"), pl.col("participant").alias("owner"), pl.col("gang").alias("whole"))
    parents = parents.unique(["at", "parent"], keep="first", maintain_order=True)
    joined = linked.filter(pl.col("parent") != pl.col("bid_id")).join(parents, on=["at", "parent"], how="left", maintain_order="left")
    lost = joined.filter(pl.col("whole").is_null())
    for (horizon,), group in lost.group_by("at", maintain_order=True):
        where = f" that stands in {horizon}" if horizon else ""
        yield from _told(bids, group, file=file, column="linked_to", expected=f"a bid_id of {file}{where}")
    found = joined.filter(pl.col("whole").is_not_null())
    sentence = f"a gang, that is a bid with {GANG}"
    yield from _told(bids, found.filter(~pl.col("whole")), file=file, column="linked_to", expected=sentence)
    foreign = found.filter(pl.col("owner") != pl.col("participant"))
    yield from _told(bids, foreign, file=file, column="linked_to", expected="a bid of the same participant")
    yield from _circles(bids, found, file)


def _circles(bids: pl.DataFrame, linked: pl.DataFrame, file: str) -> Iterator[Fault]:
    told: set[tuple[str, ...]] = set()
    for _, group in linked.group_by("at", maintain_order=True):
        for circle in _cycles(dict(group.select("bid_id", "parent").iter_rows())):
            if circle in told:
                continue
            told.add(circle)
            members = group.filter(pl.col("bid_id").is_in(circle))
            path = " to ".join(chain(circle, circle[:1]))
            yield from _told(bids, members, file=file, column="linked_to", expected=f"links without a circle, not {path}")


def _cycles(parent: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The circles of a graph in which everyone points at one other at most, each from its first name.

    >>> list(_cycles({"a": "b", "b": "c", "c": "b", "d": "a"}))
    [('b', 'c')]
    """
    done: set[str] = set()
    for name in parent:
        walk: dict[str, None] = {}
        at: str | None = name
        while at is not None and at not in done and at not in walk:
            walk[at] = None
            at = parent.get(at)
        if at is not None and at in walk:
            members = list(walk)
            circle = members[members.index(at) :]
            turn = circle.index(min(circle))
            yield (*circle[turn:], *circle[:turn])
        done.update(walk)

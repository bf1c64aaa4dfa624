"""Bilateral deals of a market case: what each must name, what the windows of one share, and how its legs are told from other orders."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import polars as pl

from tenorgrid.data.errors import Fault
from tenorgrid.data.faults import faulty_rows, labelled
from tenorgrid.data.kinds.market import DealKind
from tenorgrid.data.leaseback import overlisted
from tenorgrid.data.terms.market import FILE, Market

FIRM = "firm"
PREFIX = "deal:"  # with which the ids of legs begin, and no other
Tables = Mapping[str, pl.DataFrame]

NEEDED: Mapping[DealKind, tuple[str, ...]] = {
    DealKind.SELF_SCHEDULE: ("location", "resource", "workload"),
    DealKind.CFD: ("price",),
    DealKind.RESERVATION: ("location", "resource"),
}
UNUSED: Mapping[DealKind, tuple[str, ...]] = {
    DealKind.SELF_SCHEDULE: ("need", "real_time_need", "recall", "notice_hours"),
    DealKind.CFD: ("recipe", "home", "need", "real_time_need", "recall", "notice_hours"),
    DealKind.RESERVATION: ("workload", "recipe", "home", "tier"),
}
WHOLE = ("kind", "horizon", "seller", "buyer", "location", "resource", "workload", "recipe", "home", "tier", "recall", "notice_hours")
# column, the table it points at, its column there
REFERENCES = (
    ("location", "locations", "location"),
    ("home", "locations", "location"),
    ("resource", "resources", "resource"),
    ("workload", "workloads", "workload"),
)


def leg_ids(side: str) -> pl.Expr:
    """The ids under which legs of deals are awarded: `deal:D1:sell`, and `deal:D1:sell:2` for the second window of the deal.

    Args:
        side: sell or buy of a self-schedule, list of a reservation.

    >>> windows = pl.DataFrame({"deal_id": ["D1", "D2", "D1"], "start": [9, 3, 1]})
    >>> windows.select(leg_ids("sell"))["id"].to_list()
    ['deal:D1:sell:2', 'deal:D2:sell', 'deal:D1:sell']
    """
    window = pl.col("start").rank("ordinal").over("deal_id").cast(pl.Int64)
    number = pl.when(window > 1).then(pl.format(":{}", window)).otherwise(pl.lit(""))
    return pl.format("{}{}:{}{}", pl.lit(PREFIX), pl.col("deal_id"), pl.lit(side), number).alias("id")


def recipes_of(deals: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Each self-schedule with every recipe by which its resource becomes its work: `row`, `recipe`, `per_hour` x and `output_per_hour` φ.

    Args:
        deals: rows of the table, with `row`.
        tables: recipes and recipe_resources of the case.
    """
    mine = deals.filter(pl.col("kind").cast(pl.String) == DealKind.SELF_SCHEDULE.value)
    uses = tables["recipe_resources"].join(tables["recipes"], on=["workload", "recipe"])
    named = mine.select("row", "workload", "resource", pl.col("recipe").alias("named"))
    found = named.join(uses, on=["workload", "resource"]).filter(pl.col("named").is_null() | (pl.col("named") == pl.col("recipe")))
    return found.select("row", "recipe", "per_hour", "output_per_hour", "domain").sort("row", "recipe")


def deals(market: Market | None, tables: Tables, names: Mapping[str, str], *, unsound: frozenset[str] = frozenset()) -> list[Fault]:
    """Every fault of the table of bilateral deals, and of offers that list more than their participant holds.

    Args:
        market: its terms; None leaves out what needs them.
        tables: of the case, by name.
        names: the file that each table is called in faults.
        unsound: tables that lack columns, so that nothing can be said about what points at them.
    """
    mine = tables.get("bilaterals")
    if mine is None or mine.is_empty() or "bilaterals" in unsound:
        return []
    faults = [*_named(mine, names["bilaterals"]), *_windows(mine, names["bilaterals"]), *_tiers(mine, tables, names)]
    for column, target, key in REFERENCES:
        if target not in unsound:
            wrong = ~pl.col(column).is_in(tables[target][key].implode())
            faults += faulty_rows(mine, wrong, file=names["bilaterals"], column=column, expected=f"a {key} of {names[target]}")
    if not unsound.intersection(("recipes", "recipe_resources")):
        faults += _recipes(mine, tables, names)
    if not unsound.intersection(("links", "locations")):
        faults += _linked(mine, tables, names)
    for table, id_ in (("offers", "offer_id"), ("bids", "bid_id")):
        expected = f"a name that does not begin with {PREFIX}, as those of deals in {names['bilaterals']} do"
        faults += faulty_rows(tables[table], pl.col(id_).str.starts_with(PREFIX), file=names[table], column=id_, expected=expected)
    if market is not None:
        faults += _times(market, mine, names["bilaterals"])
        if not unsound.intersection(("offers", "tiers")):
            faults += overlisted(market, tables, names)
    return faults


def _is(kind: DealKind) -> pl.Expr:
    return pl.col("kind").cast(pl.String) == kind.value


def _named(mine: pl.DataFrame, file: str) -> Iterator[Fault]:
    """What each kind of deal has to say, and what says nothing in it."""
    for kind in DealKind:
        for column in NEEDED[kind]:
            yield from faulty_rows(
                mine, _is(kind) & pl.col(column).is_null(), file=file, column=column, expected=f"a {column} of the {kind}"
            )
        for column in UNUSED[kind]:
            wrong = _is(kind) & pl.col(column).is_not_null()
            yield from faulty_rows(mine, wrong, file=file, column=column, expected=f"nothing, as a {kind} has no {column}")
    both = _is(DealKind.CFD) & (pl.col("resource").is_null() == pl.col("workload").is_null())
    named = pl.format("resource {}, workload {}", *(pl.col(name).fill_null("nothing") for name in ("resource", "workload")))
    yield from faulty_rows(mine, both, file=file, column="resource", value=named, expected="a resource or a workload, and not both")
    nowhere = _is(DealKind.CFD) & pl.col("resource").is_not_null() & pl.col("location").is_null()
    yield from faulty_rows(mine, nowhere, file=file, column="location", expected="the location of the resource")
    for column in ("real_time_need", "recall", "notice_hours"):
        wrong = _is(DealKind.RESERVATION) & pl.col("need").is_null() & pl.col(column).is_not_null()
        yield from faulty_rows(mine, wrong, file=file, column=column, expected="nothing, as without a need no hour is listed")
    more = pl.col("need") > pl.col("quantity")
    yield from faulty_rows(mine, more, file=file, column="need", expected="at most the quantity that is held")


def _windows(mine: pl.DataFrame, file: str) -> Iterator[Fault]:
    """Windows of one deal say the same of it, and do not overlap."""
    for column in WHOLE:
        wrong = pl.col(column).ne_missing(pl.col(column).first().over("deal_id"))
        sentence = f"the same {column} on all rows of one deal_id"
        yield from faulty_rows(mine, wrong, file=file, column=column, expected=sentence, value=labelled(column, by="deal_id"))
    overlaps = mine.select((pl.col("start") < pl.col("end").shift(1)).over("deal_id", order_by="start").alias("wrong"))["wrong"]
    sentence = "a start at or after the end of the deal's window before"
    yield from faulty_rows(mine, pl.lit(overlaps), file=file, column="start", expected=sentence, value=labelled("start", by="deal_id"))


def _tiers(mine: pl.DataFrame, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    others = [tier for tier in tables["tiers"]["tier"].drop_nulls() if tier != FIRM]
    expected = f"one of {', '.join([FIRM, *others])}"
    yield from faulty_rows(mine, ~pl.col("tier").is_in([FIRM, *others]), file=names["bilaterals"], column="tier", expected=expected)
    if not others:
        lists = pl.col("need") < pl.col("quantity")
        sentence = f"no unused hours, as {names['tiers']} has no tier but {FIRM} and what may be recalled cannot be sold {FIRM}"
        yield from faulty_rows(mine, lists, file=names["bilaterals"], column="need", expected=sentence)


def _recipes(mine: pl.DataFrame, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """A self-schedule says how its hours become work, where that is not plain."""
    numbered = mine.with_row_index("row")
    ways = dict(recipes_of(numbered, tables).group_by("row").agg(pl.len()).iter_rows())
    count = pl.Series("ways", [ways.get(row, 0) for row in range(mine.height)])
    whole = _is(DealKind.SELF_SCHEDULE) & pl.col("resource").is_not_null() & pl.col("workload").is_not_null()
    sentence = f"a recipe of {names['recipes']} by which its resource does its workload"
    yield from faulty_rows(mine, whole & pl.lit(count == 0), file=names["bilaterals"], column="recipe", expected=sentence)
    sentence = "the recipe that is meant, as several of the workload use the resource"
    several = whole & pl.col("recipe").is_null() & pl.lit(count > 1)
    yield from faulty_rows(mine, several, file=names["bilaterals"], column="recipe", expected=sentence)


def _linked(mine: pl.DataFrame, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """What is delivered to another home takes a link from it: data goes from the work's home to where it runs."""
    known = tables["locations"]["location"].implode()
    away = pl.col("home").is_in(known) & pl.col("location").is_in(known) & (pl.col("home") != pl.col("location"))
    routes = [f"{begin}\x1f{end}" for begin, end in tables["links"].select("from", "to").iter_rows()]
    wrong = away & ~pl.concat_str("home", "location", separator="\x1f").is_in(routes)
    sentence = f"the deal's location, or a home with a link to it in {names['links']}"
    yield from faulty_rows(mine, wrong, file=names["bilaterals"], column="home", expected=sentence)


def _times(market: Market, mine: pl.DataFrame, file: str) -> Iterator[Fault]:
    known = [horizon.name for horizon in market.horizons]
    yield from faulty_rows(
        mine, ~pl.col("horizon").is_in(known), file=file, column="horizon", expected=f"a horizon of {FILE}: {', '.join(known)}"
    )
    for column in ("start", "end"):
        local = pl.col(column).dt.convert_time_zone(market.timezone)
        days = mine.select(local.dt.date()).to_series().drop_nulls().unique()
        midnights = pl.Series([market.midnight(day) for day in days], dtype=mine[column].dtype)
        past = pl.col(column) - local.dt.date().replace_strict(days, midnights, default=None, return_dtype=mine[column].dtype)
        wrong = past.dt.total_microseconds() % (market.interval // timedelta(microseconds=1)) != 0
        sentence = f"a boundary of the market's intervals of {market.interval}"
        value = pl.col(column).dt.to_string("%Y-%m-%dT%H:%M:%SZ")
        yield from faulty_rows(mine, wrong, file=file, column=column, value=value, expected=sentence)

"""What the tables of a market case must be to one another: every name known, every window on an interval, every curve in order.

Each check takes the tables and gives faults; rows whose cells could not be read are null here and are told of elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

import polars as pl

from tenorgrid.data.deals import deals
from tenorgrid.data.errors import Fault
from tenorgrid.data.faults import faulty_rows
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.orders import one_thing, whole_orders
from tenorgrid.data.terms.market import FILE, Market

FIRM = "firm"
ROUNDING = 1e-12  # relative: a bid right at the cap, or a tier right at its bound, is not past it
Tables = Mapping[str, pl.DataFrame]

# table, its columns, the table they point at, its columns
REFERENCES: tuple[tuple[str, tuple[str, ...], str, tuple[str, ...]], ...] = (
    ("recipes", ("workload",), "workloads", ("workload",)),
    ("recipe_resources", ("workload", "recipe"), "recipes", ("workload", "recipe")),
    ("recipe_resources", ("resource",), "resources", ("resource",)),
    ("offers", ("location",), "locations", ("location",)),
    ("offers", ("resource",), "resources", ("resource",)),
    ("bids", ("workload",), "workloads", ("workload",)),
    ("bids", ("home",), "locations", ("location",)),
    ("links", ("from",), "locations", ("location",)),
    ("links", ("to",), "locations", ("location",)),
    ("reserves", ("region",), "locations", ("region",)),
    ("reserves", ("resource",), "resources", ("resource",)),
    ("virtuals", ("location",), "locations", ("location",)),
    ("virtuals", ("resource",), "resources", ("resource",)),
)


def consistency(market: Market | None, tables: Tables, names: Mapping[str, str], *, unsound: frozenset[str] = frozenset()) -> list[Fault]:
    """Every fault that the tables of one case have with one another and with the market's terms.

    Args:
        market: its terms; None leaves out what needs them.
        tables: by name, as `tenorgrid.data.tables.case` declares them.
        names: the file that each table is called in faults.
        unsound: tables that lack columns, so that nothing can be said about what points at them.
    """
    faults: list[Fault] = []
    for table, columns, target, keys in REFERENCES:
        if not unsound.intersection((table, target)):
            faults += _unknown(tables[table], tables[target], columns, keys, file=names[table], target=names[target])
    faults += _unused(tables, names, unsound)
    faults += _tiers(tables, names)
    faults += _reserves(tables, names)
    for table, id_ in (("offers", "offer_id"), ("bids", "bid_id")):
        faults += one_thing(tables[table], id_, names[table])
    faults += _order(tables, names)
    faults += whole_orders(tables, names, horizons=_known_horizons(market, tables["bids"]))
    if market is not None:
        faults += _horizons(market, tables, names)
        faults += _boundaries(market, tables, names)
        faults += _past_cap(market, tables, names)
        faults += _virtuals(market, tables, names)
        if market.scarcity is not None and not tables["reserves"].is_empty():
            faults.append(Fault(file=FILE, column="scarcity", value=f"[scarcity] and {names['reserves']}", expected="one of the two"))
    return faults + deals(market, tables, names, unsound=unsound)


def _unknown(
    frame: pl.DataFrame, target_frame: pl.DataFrame, columns: tuple[str, ...], keys: tuple[str, ...], *, file: str, target: str
) -> Iterator[Fault]:
    known = target_frame.select(pl.col(key).alias(column) for key, column in zip(keys, columns, strict=True)).unique()
    given = pl.all_horizontal(pl.col(column).is_not_null() for column in columns)
    there = frame.select(*columns).join(known.with_columns(_known=True), on=columns, how="left", maintain_order="left")["_known"]
    value = pl.concat_str(columns, separator=", ")
    yield from faulty_rows(
        frame, given & pl.lit(there.is_null()), file=file, column=columns[-1], value=value, expected=f"a {' and '.join(keys)} of {target}"
    )


def _unused(tables: Tables, names: Mapping[str, str], unsound: frozenset[str]) -> Iterator[Fault]:
    """Recipes that use nothing, and bids for work that nothing can do."""
    file, uses = names["recipes"], names["recipe_resources"]
    if not unsound.intersection(("recipes", "recipe_resources")):
        some = tables["recipe_resources"].select(pl.struct("workload", "recipe")).to_series().implode()
        wrong = ~pl.struct("workload", "recipe").is_in(some)
        yield from faulty_rows(tables["recipes"], wrong, file=file, column="recipe", expected=f"a recipe with resources in {uses}")
    if not unsound.intersection(("recipes", "bids", "workloads")):
        known = tables["workloads"]["workload"].implode()
        done = tables["recipes"]["workload"].implode()
        wrong = pl.col("workload").is_in(known) & ~pl.col("workload").is_in(done)
        yield from faulty_rows(tables["bids"], wrong, file=names["bids"], column="workload", expected=f"a workload with a recipe in {file}")


def _tiers(tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    firm = pl.col("tier") == FIRM
    for column, value in (("interruption_probability", 0), ("overcommit", 1), ("reserve_share", 0)):
        wrong = firm & (pl.col(column) != value)
        yield from faulty_rows(tables["tiers"], wrong, file=names["tiers"], column=column, expected=f"{value}, as the tier {FIRM} is fixed")
    known = [FIRM, *tables["tiers"]["tier"].drop_nulls()]
    lists = tables["bids"]["tiers"].drop_nulls().unique()
    bad = [text for text in lists if not set(text.split(";")) <= set(known)]
    expected = f"tiers out of {', '.join(dict.fromkeys(known))}, separated by `;`"
    yield from faulty_rows(tables["bids"], pl.col("tiers").is_in(bad), file=names["bids"], column="tiers", expected=expected)


def _reserves(tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    resources = tables["resources"]
    accelerators = resources.filter(kind=ResourceKind.ACCELERATOR.value)["resource"].implode()
    wrong = pl.col("resource").is_in(resources["resource"].implode()) & ~pl.col("resource").is_in(accelerators)
    sentence = "an accelerator: scarcity is held on these only"
    yield from faulty_rows(tables["reserves"], wrong, file=names["reserves"], column="resource", expected=sentence)
    loop = pl.col("from") == pl.col("to")
    yield from faulty_rows(tables["links"], loop, file=names["links"], column="to", expected="a location other than the one it starts from")


def _order(tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """Cost rises and worth falls from step to step: else a later step would be taken before an earlier one."""
    orders = (
        ("offers", ["horizon", "offer_id", "location", "resource"], "price", False),
        ("bids", ["horizon", "bid_id"], "value", True),
        ("reserves", ["region", "resource"], "price", True),
    )
    for table, key, column, falling in orders:
        steps = tables[table].select(pl.int_range(pl.len()).alias("row"), pl.struct(key).hash().alias("key"), "step", column)
        if table == "offers" and tables[table]["block"].any():  # blocks are sold with the commitment, whatever their rank
            steps = steps.filter(~tables[table]["block"].fill_null(value=False))
        same = pl.col("key") == pl.col("key").shift(1)
        back = same & (pl.col("step") < pl.col("step").shift(1))
        runs, turns = steps.select(runs=(~same.fill_null(False)).sum(), turns=back.any()).row(0)
        if turns or runs != steps["key"].n_unique():  # rows come step by step in most files, and sorting them costs the most here
            steps = steps.sort("key", "step")
        change = pl.col(column) - pl.col(column).shift(1)
        wrong = steps.filter(same, change > 0 if falling else change < 0)["row"]
        expected = f"a {column} of at {'most' if falling else 'least'} that of the step before"
        if not wrong.is_empty():
            yield from faulty_rows(
                tables[table], pl.int_range(pl.len()).is_in(wrong.implode()), file=names[table], column=column, expected=expected
            )


def _known_horizons(market: Market | None, bids: pl.DataFrame) -> Sequence[str]:
    """Those of the market; where its terms could not be read, those that bids name."""
    if market is not None:
        return [horizon.name for horizon in market.horizons]
    return sorted(bids["horizon"].drop_nulls().unique()) or [""]


def _horizons(market: Market, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    known = [horizon.name for horizon in market.horizons]
    ahead = known[:-1]  # the shortest lead is real time
    for table in ("offers", "bids"):
        wrong = ~pl.col("horizon").is_in(known)
        sentence = f"a horizon of {FILE}: {', '.join(known)}"
        yield from faulty_rows(tables[table], wrong, file=names[table], column="horizon", expected=sentence)
    sentence = f"an ahead horizon of {FILE}: {', '.join(ahead)}" if ahead else f"no virtual bid, as {FILE} has no ahead horizon"
    yield from faulty_rows(tables["virtuals"], ~pl.col("horizon").is_in(ahead), file=names["virtuals"], column="horizon", expected=sentence)


def _boundaries(market: Market, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """Intervals are counted from midnight in the market's time zone."""
    for table in ("offers", "bids", "virtuals"):
        for column in ("start", "end"):
            off = _off(tables[table][column].drop_nulls().unique(), market)
            if off.is_empty():
                continue
            wrong = pl.col(column).is_in(off.implode())
            value = pl.col(column).dt.to_string("%Y-%m-%dT%H:%M:%SZ")
            sentence = f"a boundary of the market's intervals of {market.interval}"
            yield from faulty_rows(tables[table], wrong, file=names[table], column=column, value=value, expected=sentence)


def _off(times: pl.Series, market: Market) -> pl.Series:
    """Those that are no whole number of intervals past their local midnight."""
    local = times.dt.convert_time_zone(market.timezone).dt.date()
    known = local.unique()
    midnights = pl.Series([market.midnight(day) for day in known], dtype=times.dtype)
    past = times - local.replace_strict(known, midnights, return_dtype=times.dtype)
    return times.filter(past.dt.total_microseconds() % (market.interval // timedelta(microseconds=1)) != 0)


def _past_cap(market: Market, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """p φ / x > cap would let a bid ask for a price of some resource that the market does not admit."""
    recipes = tables["recipe_resources"].join(tables["recipes"], on=["workload", "recipe"])
    reach = pl.col("output_per_hour") / pl.col("per_hour")
    most = recipes.with_columns(reach=reach).sort("reach", "recipe", "resource", descending=[True, False, False])
    most = most.unique("workload", keep="first", maintain_order=True)
    bids = tables["bids"].with_row_index("row", offset=1).select("row", "workload", "value")
    beyond = bids.join(most, on="workload").filter(pl.col("value") * pl.col("reach") > market.price_cap * (1 + ROUNDING)).sort("row")
    for row, value, reach, recipe, resource in beyond.select("row", "value", "reach", "recipe", "resource").iter_rows():
        why = f"with recipe {recipe} a higher one could put {resource} above the price_cap of {market.price_cap:g}"
        sentence = f"a value of at most {market.price_cap / reach:.6g}: {why}"
        yield Fault(file=names["bids"], row=row, column="value", value=str(value), expected=sentence)


def _virtuals(market: Market, tables: Tables, names: Mapping[str, str]) -> Iterator[Fault]:
    """A node is a resource that some recipe of some bid may use."""
    used = tables["recipe_resources"].join(tables["bids"].select("workload").unique(), on="workload", how="semi")["resource"].implode()
    wrong = pl.col("resource").is_in(tables["resources"]["resource"].implode()) & ~pl.col("resource").is_in(used)
    sentence = "a resource that a recipe of some bid uses"
    yield from faulty_rows(tables["virtuals"], wrong, file=names["virtuals"], column="resource", expected=sentence)


def overcommitted(tiers: pl.DataFrame) -> Iterable[str]:
    """Tiers with (1 − π) β > 1, which no pool can keep: E[present] / listed is at most 1 (market design, section 3)."""
    return tiers.filter((1 - pl.col("interruption_probability")) * pl.col("overcommit") > 1 + ROUNDING)["tier"]

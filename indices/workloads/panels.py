"""Marks of GPU-hours as arrays, one panel for each home and tier: what each resource costs at each place on each day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.names import parts
from tenorgrid.indices.workloads.terms import Home, WorkloadBasket

Vector = npt.NDArray[np.float64]
Trust = npt.NDArray[np.int64]

GPU_HOUR_UNIT = "USD/GPUh"
TRUST = (MarkStatus.WITHHELD, MarkStatus.CARRIED, MarkStatus.LOW_CONFIDENCE, MarkStatus.PUBLISHED)  # the least first
SURE = len(TRUST) - 1


@dataclass(frozen=True, kw_only=True)
class PricePanel:
    """Prices of one home and tier.

    `days` has start, end and published_at, one row a day. `price` is (places, days, resources) USD per resource-hour, NaN where there is
    none; `trust` the place of the mark's status in `TRUST`. `rows` are the marks behind it, by place, day and resource.
    """

    home: Home
    tier: str
    resources: tuple[str, ...]
    days: pl.DataFrame = field(repr=False)
    price: Vector = field(repr=False)
    trust: Trust = field(repr=False)
    rows: pl.DataFrame = field(repr=False)


def nodes_of(marks: pl.DataFrame, basket: WorkloadBasket, resources: Sequence[str], accelerators: frozenset[str]) -> pl.DataFrame:
    """Marks of resources with resource, region, tier and trust, the last revision of each.

    Marks of other things, such as of workloads, and of committed terms are passed over: work is priced at what is rented by
    the hour. Raises `InputError` for bad rows, marks of another methodology,
    an accelerator's mark that is not per GPU-hour, and where no mark is left.
    """
    rows = checked(marks, Marks, name="marks").with_columns(pl.col("status").cast(pl.String))
    named = rows.with_columns(parts()).rename({"subject": "resource", "place": "region"})
    named = named.with_columns(pl.col("resource").str.to_lowercase())
    named = named.filter(pl.col("resource").is_in(list(resources)), pl.col("term").is_null())
    if named.is_empty():
        expected = f"RESOURCE.REGION.TIER of resources that recipes use: {', '.join(sorted(accelerators))}"
        raise InputError.of("marks", expected, column="index", value=", ".join(rows["index"].unique().sort().head(3)) or "no row")
    others = named.filter(pl.col("methodology") != basket.marks)["methodology"].unique().sort().to_list()
    if others:
        raise InputError.of("marks", f"{basket.marks}, by which {basket.name} prices", column="methodology", value=", ".join(others))
    odd = named.filter(pl.col("resource").is_in(list(accelerators)), pl.col("unit") != GPU_HOUR_UNIT)
    if not odd.is_empty():
        raise InputError.of("marks", GPU_HOUR_UNIT, column="unit", value=f"{odd['unit'][0]} of {odd['index'][0]}")
    last = named.sort("index", "start", "revision").unique(["index", "start"], keep="last", maintain_order=True)
    places = {status.value: place for place, status in enumerate(TRUST)}
    return last.with_columns(trust=pl.col("status").replace_strict(places, return_dtype=pl.Int64))


def panels(nodes: pl.DataFrame, basket: WorkloadBasket, resources: Sequence[str]) -> Iterator[PricePanel]:
    """A panel for each home and tier of which any accelerator has a mark, by name; auxiliary prices where a resource has no mark."""
    homes = basket.homes or tuple(Home(name=region, places={region: 0.0}) for region in nodes["region"].unique().sort())
    unusable = [MarkStatus.WITHHELD.value]
    unusable += [] if basket.low_confidence else [MarkStatus.LOW_CONFIDENCE.value]
    unusable += [] if basket.carried else [MarkStatus.CARRIED.value]
    for tier in nodes["tier"].unique().sort():
        for home in homes:
            mine = nodes.filter(pl.col("tier") == tier, pl.col("region").is_in(list(home.places)))
            if not mine.is_empty():
                usable = mine.filter(~pl.col("status").is_in(unusable), pl.col("value").is_not_null())
                yield _panel(mine, usable, home, str(tier), tuple(resources), basket)


def _panel(
    mine: pl.DataFrame, usable: pl.DataFrame, home: Home, tier: str, resources: tuple[str, ...], basket: WorkloadBasket
) -> PricePanel:
    days = mine.group_by("start").agg(pl.col("end").max(), pl.col("published_at").max()).sort("start").with_row_index("day")
    shape = (len(home.places), days.height, len(resources))
    beside = np.array([basket.auxiliary.get(name, np.nan) for name in resources])
    price, trust = np.broadcast_to(beside, shape).copy(), np.full(shape, SURE)
    kept = usable.join(days.select("start", "day"), on="start").sort("region", "start", "resource")
    at = (
        kept["region"].replace_strict({name: place for place, name in enumerate(home.places)}, return_dtype=pl.Int64).to_numpy(),
        kept["day"].to_numpy(),
        kept["resource"].replace_strict({name: place for place, name in enumerate(resources)}, return_dtype=pl.Int64).to_numpy(),
    )
    for place, region in enumerate(home.places):  # a resource that is marked there is never priced otherwise
        marked = set(mine.filter(pl.col("region") == region)["resource"])
        price[place, :, [name in marked for name in resources]] = np.nan
    price[at], trust[at] = kept["value"].to_numpy(), kept["trust"].to_numpy()
    return PricePanel(home=home, tier=tier, resources=resources, days=days, price=price, trust=trust, rows=kept)

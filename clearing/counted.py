r"""Interruptible sales that are counted as reserve, and whether the tier's promise has room for their recall (market design, section 4).

A share α of a tier's sales adds to headroom because it may be recalled when reserve is needed; then π of the tier must include those
recalls. What the scarcity curve says of them: A(r) = (VOLL − λ_ref) LOLP(r), and LOLP(r) is the chance that more than r is needed. With F
hours of headroom that nobody bought in front of them, R_k = α_k Y_k counted hours are called for

    E[min((N − F)⁺, R_k)] = ∫ from F to F + R_k of LOLP(r) dr

hours on average: the area under the curve that they stand for. Over all hours that share of the sold hours is what counting them
costs their users. It is never above α, so a promise π ≥ α has room at any time. The tier with the highest π is called first.
"""

import warnings

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.scarcity import reserves as scarcity_reserves
from tenorgrid.clearing.tiers import FIRM
from tenorgrid.data.case import Case
from tenorgrid.data.errors import PromiseWarning

Vector = npt.NDArray[np.float64]
GROUP = ["horizon", "start", "region", "resource"]
SCHEMA = pl.Schema(
    {"horizon": pl.String, "tier": pl.String, "listed": pl.Float64, "counted": pl.Float64, "called": pl.Float64, "share": pl.Float64,
     "promise": pl.Float64, "kept": pl.Boolean}
)  # fmt: skip
EVERY = "*"  # horizon of offers that stand in all of them
ROUNDING = 1e-12  # a promise right at the share has room


def curve_of(case: Case) -> pl.DataFrame:
    """The scarcity curve of a case in steps, `Reserves`: the table, or made of `[scarcity]` for every accelerator of every region."""
    terms = case.market.scarcity
    if terms is None or not case.reserves.is_empty():
        return case.reserves
    accelerators = sorted(case.resources.filter(pl.col("kind").cast(pl.String) == "accelerator")["resource"])
    regions = sorted(set(case.locations["region"]))
    return scarcity_reserves(terms, voll=case.market.voll, regions=regions, accelerators=accelerators)


def called_on(curve: pl.DataFrame, *, front: Vector, counted: Vector, worth: float) -> Vector:
    r"""Hours called on average, :math:`\int_F^{F + R} A(r)\,dr / (VOLL - \lambda_{ref})`, (n,).

    Args:
        curve: quantity and price of a group's steps, dearest first.
        front: (n,) F, headroom before them.
        counted: (n,) R.
        worth: VOLL − λ_ref, USD per resource-hour, which A is where reserve is needed for sure.

    >>> steps = pl.DataFrame({"quantity": [10.0, 20.0], "price": [100.0, 25.0]})
    >>> called_on(steps, front=np.array([5.0, 40.0]), counted=np.array([15.0, 15.0]), worth=100.0)
    array([7.5, 0. ])
    """
    edges = np.r_[0.0, np.cumsum(curve["quantity"].to_numpy())]
    chance = np.minimum(curve["price"].to_numpy() / worth, 1.0)
    area = np.r_[0.0, np.cumsum(curve["quantity"].to_numpy() * chance)]
    first, last = np.maximum(front, 0.0), np.maximum(front, 0.0) + counted
    return np.asarray(np.interp(last, edges, area) - np.interp(first, edges, area))


def counted_sales(case: Case, *, awards: pl.DataFrame, commitments: pl.DataFrame | None = None) -> pl.DataFrame:
    """By horizon and tier with a reserve share: hours listed and counted, hours called on average, their share, and the tier's promise.

    Columns horizon, tier, listed, counted, called (resource-hours over the run), share (called / listed), promise π, kept (share ≤ π).
    Where the curve is a table of steps λ_ref is not known, and taken as 0.

    Args:
        case: checked; its deals stand in it as legs.
        awards: as clearing published them.
        commitments: likewise; None where nothing is committed. An offer that is off holds no headroom.
    """
    curve, tiers = curve_of(case), case.tiers.filter(pl.col("reserve_share") > 0)
    if curve.is_empty() or tiers.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    sold = _sold(case, awards)
    reference = 0.0 if case.market.scarcity is None else case.market.scarcity.reference_price
    front = _front(case, sold, commitments)
    alike = sold.join(tiers, on="tier").group_by(*GROUP, "tier").agg(
        pl.col("listed").sum(), pl.col("interruption_probability", "reserve_share").first()
    )  # fmt: skip
    rows = alike.join(front, on=GROUP, how="left").with_columns(
        pl.col("front").fill_null(0.0), (pl.col("listed") * pl.col("reserve_share")).alias("counted")
    )
    rows = rows.sort(*GROUP, "interruption_probability", "tier", descending=[*(False for _ in GROUP), True, False])
    rows = rows.with_columns((pl.col("front") + (pl.col("counted").cum_sum() - pl.col("counted")).over(GROUP)).alias("front"))
    parts = []
    for (region, resource), group in rows.group_by("region", "resource", maintain_order=True):
        steps = curve.filter(pl.col("region") == region, pl.col("resource") == resource).sort("step")
        if not steps.is_empty():
            hours = called_on(
                steps, front=group["front"].to_numpy(), counted=group["counted"].to_numpy(), worth=case.market.voll - reference
            )
            parts.append(group.with_columns(pl.Series("called", hours)))
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    sums = pl.concat(parts).group_by("horizon", "tier").agg(
        pl.col("listed", "counted", "called").sum() * case.market.hours, pl.col("interruption_probability").first().alias("promise")
    )  # fmt: skip
    share = pl.col("called") / pl.col("listed")
    found = sums.with_columns(share.alias("share")).with_columns((pl.col("share") <= pl.col("promise") + ROUNDING).alias("kept"))
    return found.select(list(SCHEMA)).sort("horizon", "tier")


def warn_of_promises(found: pl.DataFrame) -> None:
    """Warns with `PromiseWarning` of each tier of `counted_sales` whose promise is broken by what is counted on it."""
    for row in found.filter(~pl.col("kept")).iter_rows(named=True):
        warnings.warn(
            f"{row['horizon']}: counting sales of the tier {row['tier']} as reserve recalls {row['share']:.4f} of them on average, above "
            f"its promised interruption_probability of {row['promise']:g}",
            PromiseWarning,
            stacklevel=2,
        )


def _sold(case: Case, awards: pl.DataFrame) -> pl.DataFrame:
    """Listed hours behind sales: `GROUP`, tier, whether they are of firm-able steps that are no blocks (`free` when unsold), listed."""
    sales = awards.lazy().filter(pl.col("side").cast(pl.String) == "offer")
    free = pl.col("firm_premium").is_not_null() & ~pl.col("block").fill_null(False)
    terms = case.offers.lazy().select(free.alias("free"), "resource", "step", named="horizon", id="offer_id")
    plain = not case.offers["block"].fill_null(False).any()  # then what is sold firm is free, and need not be looked up
    firm = sales.filter((pl.col("tier") == FIRM) & plain).with_columns(pl.lit(value=True).alias("free"))
    told = sales.filter((pl.col("tier") != FIRM) | (not plain)).join(terms, on=["id", "resource", "step"])
    told = told.filter(pl.col("named").is_null() | (pl.col("named") == pl.col("horizon"))).drop("named")
    key = ["horizon", "start", "location", "resource", "tier", "free"]
    sums = pl.concat([firm.select(*key, "quantity"), told.select(*key, "quantity")]).group_by(key).agg(pl.col("quantity").sum())
    rows = sums.join(case.tiers.lazy().select("tier", "overcommit"), on="tier")
    rows = rows.join(case.locations.lazy().select("location", "region"), on="location")
    return rows.group_by(*GROUP, "tier", "free").agg((pl.col("quantity") / pl.col("overcommit")).sum().alias("listed")).collect()


def _front(case: Case, sold: pl.DataFrame, commitments: pl.DataFrame | None) -> pl.DataFrame:
    """Firm-able inventory that nobody bought, by `GROUP`: what stands before counted sales."""
    block = pl.col("block").fill_null(False)
    committed = (pl.col("start_cost").fill_null(0.0) > 0) | (pl.col("min_hours").fill_null(1) > 1) | block
    whole = case.offers.filter(committed).select("horizon", "offer_id").unique()
    steps = case.offers.filter(pl.col("firm_premium").is_not_null(), ~block).select(
        "horizon", "offer_id", "location", "resource", "start", "end", "quantity"
    )  # fmt: skip
    keys = ["horizon", "offer_id"]
    always = _spread(steps.join(whole, on=keys, how="anti", nulls_equal=True).drop("offer_id"), sold)
    parts = [always]
    if commitments is not None and not whole.is_empty():
        on = commitments.filter(pl.col("side").cast(pl.String) == "offer", pl.col("on")).select("horizon", "start", offer_id="id")
        some = _spread(steps.join(whole, on=keys, how="semi", nulls_equal=True), sold, "offer_id")
        parts.append(some.join(on, on=["horizon", "start", "offer_id"], how="semi").drop("offer_id"))
    regions = case.locations.select("location", "region")
    held = pl.concat(parts).join(regions, on="location").group_by(GROUP).agg(pl.col("quantity").sum().alias("held"))
    gone = sold.filter("free").group_by(GROUP).agg(pl.col("listed").sum().alias("gone"))
    both = held.join(gone, on=GROUP, how="full", coalesce=True)
    return both.select(*GROUP, (pl.col("held").fill_null(0.0) - pl.col("gone").fill_null(0.0)).clip(0.0).alias("front"))


def _spread(steps: pl.DataFrame, sold: pl.DataFrame, *more: str) -> pl.DataFrame:
    """Quantity on offer by horizon and interval that something was sold in, location, resource and what more is asked for.

    What begins is added and what ends taken away, in order of time: windows are many times longer than their edges are many.
    """
    key = ["named", "location", "resource", *more]
    steps = steps.with_columns(pl.col("horizon").fill_null(EVERY).alias("named"))
    begins, ends = steps.select(*key, "start", "quantity"), steps.select(*key, -pl.col("quantity"), start="end")
    edges = pl.concat([begins, ends.select(begins.columns)]).group_by(*key, "start").agg(pl.col("quantity").sum()).sort("start")
    stands = edges.with_columns(pl.col("quantity").cum_sum().over(key))
    asked = sold.select("horizon", "start").unique().join(edges.select(key).unique(), how="cross")
    asked = asked.filter((pl.col("named") == EVERY) | (pl.col("named") == pl.col("horizon"))).sort("start")
    found = asked.join_asof(stands, on="start", by=key, check_sortedness=False)
    return found.drop_nulls("quantity").group_by("horizon", "start", "location", "resource", *more).agg(pl.col("quantity").sum())

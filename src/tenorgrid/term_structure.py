"""Term structures of a run: forward curves of several indices with what they were made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from warnings import warn

import polars as pl

from tenorgrid.curves.band import Band
from tenorgrid.curves.discount import Discount
from tenorgrid.curves.discount_table import discount_table
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.methods.choice import Choice
from tenorgrid.curves.quotes import joined, mark_quotes
from tenorgrid.curves.season import AnyShape, shape_tables
from tenorgrid.curves.volatility import fit_volatility
from tenorgrid.data.errors import InputError, PartLeftOutWarning, brief
from tenorgrid.data.tables.curve import Curve, CurveChoices, IndexSeasons, IndexShapes, Jacobian, Outages, Quotes, Volatility
from tenorgrid.data.tables.curve_kept import CurveDiscounts
from tenorgrid.data.tables.observed import Marks as MarkTable
from tenorgrid.results import Marks, Run, Tables

T = TypeVar("T")

LEAST_DAYS = 5  # of marks that a curve of marks needs
CURVES_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Fitted(Tables):
    """Forward curves of several indices with what they were made of."""

    quotes: pl.DataFrame = field(repr=False)
    curve: pl.DataFrame = field(repr=False)
    jacobian: pl.DataFrame = field(repr=False)
    volatility: pl.DataFrame = field(repr=False)
    coverage: pl.DataFrame = field(repr=False)
    shapes: pl.DataFrame = field(repr=False)
    curves: dict[str, ForwardCurve] = field(repr=False)
    choices: pl.DataFrame = field(repr=False, default_factory=CurveChoices.create_empty)
    outages: pl.DataFrame = field(repr=False, default_factory=Outages.create_empty)
    discounts: pl.DataFrame = field(repr=False, default_factory=CurveDiscounts.create_empty)
    seasons: pl.DataFrame = field(repr=False, default_factory=IndexSeasons.create_empty)


def curves_of(run: Run, marks: Marks, *, quotes: pl.DataFrame | None = None, indices: list[str] | None = None) -> Fitted:
    """A forward curve per index from the ahead horizons and given monthly quotes, its band and the volatility of its marks.

    Args:
        run: cleared at one ahead horizon at least.
        marks: of the run.
        quotes: further `Quotes`, as those of months that no run has cleared.
        indices: None takes those of `quotes`, or the firm GPU index with most hours sold.
    """
    names = indices or (quotes["index"].unique(maintain_order=True).to_list() if quotes is not None else [busiest(run)])
    moment = run.case.market.midnight(run.today())
    curves: dict[str, ForwardCurve] = {}
    bands: dict[str, Band | None] = {}
    shapes: dict[str, AnyShape | None] = {}
    for index in names:
        own = [run.quotes(index)] + ([quotes.filter(pl.col("index") == index)] if quotes is not None else [])
        band = bands[index] = _unless_short("band", index, run.band)
        shape = shapes[index] = _unless_short("hour-of-week shape", index, run.shape)
        curves[index] = fit_curve(joined(own), index=index, as_of=moment, shape=shape, band=band)
    return _fitted(curves, marks.marks, bands=bands, shapes=shapes)


def curves_of_marks(marks: Marks) -> Fitted:
    """A curve through the marks of each index with enough of them, its past as quotes; the indices with most published marks first."""
    rule = marks.run.methodology
    valued = marks.marks.filter(pl.col("value").is_not_null(), pl.col("unit") == "USD/GPUh")
    most = valued.group_by("index").len().filter(pl.col("len") >= LEAST_DAYS).sort("len", "index", descending=[True, False])
    curves = {}
    for index in sorted(most["index"].head(CURVES_SHOWN)):
        quotes = mark_quotes(valued, index=index, timezone=rule.timezone)
        last = quotes["as_of"].max()
        if isinstance(last, datetime):
            curves[index] = fit_curve(quotes, index=index, as_of=last, timezone=rule.timezone)
    return _fitted(curves, pl.concat([_unbroken(valued, index) for index in curves]) if curves else valued)


def curves_of_quotes(
    quotes: pl.DataFrame,
    *,
    indices: list[str] | None = None,
    choice: Choice | None = None,
    outages: pl.DataFrame | None = None,
    shape: AnyShape | None = None,
    discount: Discount | None = None,
) -> Fitted:
    """Curves of given `Quotes`, each as of its latest quote; None takes every index.

    Args:
        quotes: `Quotes`.
        indices: to fit.
        choice: method, ends and the like; None is the smoothest.
        outages: `Outages` of the quotes, each of one of them or of all.
        shape: of the hours, for every index.
        discount: that goes with the curves; None is none.
    """
    chosen = choice or Choice()
    taken: list[pl.DataFrame] = []
    curves = {}
    for index in indices or quotes["index"].unique(maintain_order=True).to_list():
        last = quotes.filter(pl.col("index") == index)["as_of"].max()
        if not isinstance(last, datetime):
            raise InputError.of("quotes", "quotes of this index", column="index", value=index)
        own = None if outages is None else outages_of(outages, quotes, index)
        taken += [] if own is None else [own]
        curves[index] = fit_curve(quotes, index=index, as_of=last, outages=own, shape=shape, discount=discount, **chosen.named)
    fitted = _fitted(curves, MarkTable.create_empty(), shapes=dict.fromkeys(curves, shape))
    first = next(iter(curves.values()), None)
    money = discount_table(discount, as_of=first.as_of) if first else CurveDiscounts.create_empty()
    return replace(
        fitted,
        choices=chosen.frame,
        discounts=money,
        outages=pl.concat(taken).unique(maintain_order=True) if taken else Outages.create_empty(),
    )


def outages_of(outages: pl.DataFrame, quotes: pl.DataFrame, index: str) -> pl.DataFrame:
    """Outages of all quotes and of those of one index; an outage of a quote that is nowhere is refused."""
    known = quotes["quote_id"].implode()
    if not (lost := outages.filter(pl.col("quote_id").is_not_null() & ~pl.col("quote_id").is_in(known))).is_empty():
        raise InputError.of("outages", "one of the quotes", column="quote_id", value=lost["quote_id"][0])
    own = quotes.filter(pl.col("index") == index)["quote_id"].implode()
    return outages.filter(pl.col("quote_id").is_null() | pl.col("quote_id").is_in(own))


def curve_alone(curve: ForwardCurve) -> Fitted:
    """One curve without marks, and so without volatility and coverage."""
    return _fitted({curve.index: curve}, MarkTable.create_empty())


def _unbroken(marks: pl.DataFrame, index: str) -> pl.DataFrame:
    """The longest stretch of days on which the index had a mark of its own: observed panels have holes, and volatility refuses them."""
    own = marks.filter(pl.col("index") == index, pl.col("status").cast(pl.String) != "carried").sort("start")
    stretch = (pl.col("start") != pl.col("end").shift(1)).fill_null(True).cast(pl.Int32).cum_sum()
    lengths = own.with_columns(stretch.alias("stretch"))
    longest = lengths.group_by("stretch").len().sort("len", "stretch", descending=[True, True])["stretch"]
    return lengths.filter(pl.col("stretch") == longest[0]).drop("stretch") if len(longest) else own


def busiest(run: Run) -> str:
    """The firm index of the accelerator and region on which most was spent in real time."""
    return run.busiest()


def _fitted(
    curves: dict[str, ForwardCurve],
    marks: pl.DataFrame,
    *,
    bands: Mapping[str, Band | None] | None = None,
    shapes: Mapping[str, AnyShape | None] | None = None,
) -> Fitted:
    """Volatility where the marks allow one: a refusal of a short, gapped or constant series is no reason to have no curve."""
    found, refused = [], []
    for index in curves if not marks.is_empty() else ():
        try:
            found.append(fit_volatility(marks, index=index, model="realised-weekday"))
        except InputError as error:
            refused.append(f"{index}: {brief(error)}")
    for sentence in refused:
        warn(f"no volatility of {sentence}", PartLeftOutWarning, stacklevel=3)
    coverage = [
        band.bands.select(
            pl.lit(index).alias("index"),
            pl.col("source").str.strip_suffix(" clearing").alias("horizon"),
            pl.col("held_back").alias("days"),
            pl.col("covered").alias("inside"),
            "coverage",
            "level",
        )
        for index, band in (bands or {}).items()
        if band is not None
    ]
    given = [shape_tables(shape, index) for index, shape in (shapes or {}).items()]
    return Fitted(
        shapes=pl.concat([IndexShapes.create_empty(), *(hours for hours, _ in given)]),
        seasons=pl.concat([IndexSeasons.create_empty(), *(months for _, months in given)]),
        quotes=pl.concat([curve.quotes for curve in curves.values()]) if curves else Quotes.create_empty(),
        curve=pl.concat([curve.curve for curve in curves.values()]) if curves else Curve.create_empty(),
        jacobian=pl.concat([curve.jacobian() for curve in curves.values()]) if curves else Jacobian.create_empty(),
        volatility=pl.concat(found) if found else Volatility.create_empty(),
        coverage=pl.concat(coverage) if coverage else pl.DataFrame(),
        curves=curves,
    )


def _unless_short(what: str, index: str, measure: Callable[[str], T]) -> T | None:
    """What `measure` finds, or None and a warning where the history is too short for it: the curve stands without."""
    try:
        return measure(index)
    except InputError as error:
        warn(f"no {what} of {index}: {brief(error)}", PartLeftOutWarning, stacklevel=4)
        return None

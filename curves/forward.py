"""The forward curve of an index: hourly forwards that average back to every quote, their band and their sensitivities."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import polars as pl

from tenorgrid.curves.arbitrage import Redundancy, redundancies, refuse_arbitrage
from tenorgrid.curves.band import Band
from tenorgrid.curves.components import TENSION, Bending, Components, Ends, Method, components
from tenorgrid.curves.discount import SECONDS_PER_YEAR, Discount
from tenorgrid.curves.hours import Vector, counted, position
from tenorgrid.curves.inside import Inside, smoothest_inside
from tenorgrid.curves.season import MonthShape
from tenorgrid.curves.shape import Shape
from tenorgrid.curves.weights import Weights, weights
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import Profile
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.curve import Curve, Jacobian, Quotes
from tenorgrid.data.tables.door import checked
from tenorgrid.data.terms.contracts import contract_dates

Within = Literal["price", "bid-ask"]
Averages = Literal["plain", "discounted"]

TOLERANCE = 1e-10  # USD per GPU-hour: what the curve's averages are held to


@dataclass(frozen=True, eq=False, kw_only=True)
class ForwardCurve:
    """Hourly forwards of one index, as `fit_curve` makes them.

    `quotes` are the `Quotes` met, in order of start, end and name; `redundant` those of them that the others already say; `fitted` the
    linear map; `timezone` that of the index's days.
    """

    index: str
    as_of: datetime
    timezone: str
    quotes: pl.DataFrame
    forward: Vector  # (hours,) USD per GPU-hour
    rows: Weights  # of `quotes`, in their order
    band: Band | None
    discount: Discount | None
    fitted: Components
    inside: Inside | None  # how prices were chosen between bids and asks; None where they were met
    kept: tuple[int, ...]  # rows of `quotes` that the curve is a function of
    redundant: tuple[Redundancy, ...]

    @property
    def starts(self) -> pl.Series:
        """First instants of the hours of the curve, UTC."""
        return self.fitted.weights.starts

    @cached_property
    def curve(self) -> pl.DataFrame:
        """`Curve`: one row per hour; the band is null where none was measured."""
        frame = pl.DataFrame({"start": self.starts, "forward": self.forward}).select(
            pl.lit(self.as_of).dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("as_of"),
            pl.lit(self.index).alias("index"),
            "start",
            pl.col("start").dt.offset_by("1h").alias("end"),
            "forward",
        )
        lower, upper = self._limits()
        return Curve.validate(frame.with_columns(pl.Series("lower", lower, nan_to_null=True), pl.Series("upper", upper, nan_to_null=True)))

    @cached_property
    def sensitivity(self) -> Vector:
        """(hours, quotes) ∂ forward / ∂ price; 0 for a redundant quote, whose risk the quotes that make it carry."""
        return self.by_quote(self.fitted.jacobian)

    def by_quote(self, by_kept: Vector) -> Vector:
        """(n, quotes) sensitivities to all quotes from those (n, kept) to the prices that the curve is a function of."""
        if self.inside is not None:
            return np.asarray(by_kept @ self.inside.response[list(self.kept)])
        found = np.zeros((len(by_kept), self.quotes.height))
        found[:, list(self.kept)] = by_kept
        return found

    def jacobian(self) -> pl.DataFrame:
        """`Jacobian`: every hour by every quote."""
        count, width = self.sensitivity.shape
        return Jacobian.validate(
            pl.DataFrame(
                {
                    "start": self.starts.gather(np.repeat(np.arange(count), width)),
                    "quote_id": self.quotes["quote_id"].gather(np.tile(np.arange(width), count)),
                    "weight": self.sensitivity.ravel(),
                }
            )
        )

    def average(self, start: datetime | date, end: datetime | date, *, profile: str = "base") -> float:
        """Average forward over `[start, end)`, USD per GPU-hour.

        Args:
            start, end: instants with a zone, or local days of the curve's time zone.
            profile: `base`, `peak`, `off-peak` or `weekend`, on the curve's own clock or, as `peak@Europe/Stockholm`, on another.

        Raises `InputError` when the curve does not cover the period or the profile has no hour in it.
        """
        low, high = self.places(start, end)
        name, _, zone = profile.partition("@")
        if name not in set(Profile):
            raise InputError.of("curve", f"one of {', '.join(Profile)}", column="profile", value=name)
        flags = counted(self.starts[low:high], name, zone or self.timezone)
        if not flags.any():
            raise InputError.of("curve", f"a period with hours of the profile {profile}", column="profile", value=f"{start} to {end}")
        return float(self.forward[low:high][flags].mean())

    def __getitem__(self, contract: str) -> float:
        """Price of a contract: a quoted one as it was quoted, else a base contract by its code `INDEX:YYYY-MM`."""
        quoted = [i for i, code in enumerate(self.quotes["contract"]) if code == contract]
        if quoted:
            return float(self.fair[quoted[0]])
        start, end = contract_dates(contract, timezone=self.timezone)
        if contract.partition(":")[0] != self.index:
            raise InputError.of("curve", f"a contract on {self.index}", column="contract", value=contract)
        return self.average(start, end)

    @cached_property
    def fair(self) -> Vector:
        """(quotes,) what the curve makes each quote: its price, to 1e-10."""
        return self.rows.average(self.forward)

    def bump(self, quote_id: str, size: float) -> "ForwardCurve":
        """The curve with one quote moved by `size` USD per GPU-hour, from the Jacobian.

        Raises `InputError` for a quote that is not there, and for one that cannot move alone because other quotes say the same.
        """
        names = self.quotes["quote_id"].to_list()
        if quote_id not in names:
            raise InputError.of("quotes", f"one of {', '.join(names)}", column="quote_id", value=quote_id)
        if self.inside is not None:
            raise InputError.of("curve", "a curve of prices: one between bids and asks is fitted again", column="within", value="bid-ask")
        row = names.index(quote_id)
        for tie in self.redundant:
            if row == tie.quote or row in tie.others:
                joined = ", ".join(names[i] for i in sorted((tie.quote, *tie.others)))
                raise InputError.of("quotes", f"a quote that can move alone: {joined} say the same", column="quote_id", value=quote_id)
        moved = pl.when(pl.col("quote_id") == quote_id).then(pl.col("price") + size).otherwise(pl.col("price")).alias("price")
        return replace(self, quotes=self.quotes.with_columns(moved), forward=self.forward + size * self.sensitivity[:, row])

    def places(self, start: datetime | date, end: datetime | date) -> tuple[int, int]:
        """First and end position on the grid of hours of a period that the curve covers."""
        low, high = (position(self.starts[0], self._instant(moment)) for moment in (start, end))
        if not 0 <= low < high <= self.forward.size:
            covered = f"{self.starts[0]:%Y-%m-%dT%H:%MZ} to {self.curve['end'][-1]:%Y-%m-%dT%H:%MZ}"
            raise InputError.of(f"curve of {self.index}", f"a period inside {covered}", value=f"{start} to {end}")
        return low, high

    def _instant(self, moment: datetime | date) -> datetime:
        if not isinstance(moment, datetime):
            return midnight(moment, timezone=self.timezone)
        if moment.tzinfo is None:
            raise InputError.of("curve", "a time with its zone, or a date", value=moment)
        return moment

    def _limits(self) -> tuple[Vector, Vector]:
        if self.band is None:
            nothing = np.full(self.forward.size, np.nan)
            return nothing, nothing
        low, high = self.band.ratios(self.quotes, self.starts)
        return self.forward * low, self.forward * high


def fit_curve(
    quotes: pl.DataFrame,
    *,
    index: str,
    as_of: datetime,
    shape: Shape | MonthShape | None = None,
    band: Band | None = None,
    discount: Discount | None = None,
    timezone: str | None = None,
    tolerance: float = TOLERANCE,
    bending: Bending = "period",
    method: Method = "smooth",
    ends: Ends = "free",
    tension: float = TENSION,
    within: Within = "price",
    outages: pl.DataFrame | None = None,
    averages: Averages = "plain",
) -> ForwardCurve:
    """Smoothest curve of hourly forwards that averages back to every quote of `index`.

    Args:
        quotes: `Quotes`, whose periods may overlap and leave gaps; rows of other indices are left alone.
        index: index that the curve is of.
        as_of: moment of the curve; no quote may be younger.
        shape: hour-of-week or month-of-year shape given to the hours; None is flat within the day.
        band: measured ahead errors, from `band`.
        discount: rate that goes with the curve, for the values made on it; for `discounted` averages too.
        timezone: zone of the index's days; None is the one that all quotes share.
        tolerance: USD per GPU-hour, the most by which a quote may contradict the others.
        method: what the curve is between the quotes' dates: `smooth` and `tension` quartic splines, `linear`, or `constant` pieces.
        ends: `free`, or without slope at its ends: `flat`, `flat-first`, `flat-last`.
        tension: how hard `tension` pulls the curve straight; 0 is `smooth`.
        within: meet the `price` of every quote, or be smoothest `bid-ask`: a quote with both may end anywhere between them.
        outages: `Outages`, hours that are not delivered.
        averages: `plain`, or `discounted`: every hour counts by its discount factor, as where a contract is paid hour by hour.
        bending: what is least: `period`, which keeps the noise of daily quotes out of the months after them, or `time`, ∫ f''² dt.

    Raises `InputError` for no quote, for a quote after `as_of`, and for quotes that contradict one another beyond `tolerance`: each
    contradiction names its quotes and its size. Nothing is averaged away.

    >>> from datetime import UTC
    >>> def month(m: int) -> datetime: return datetime(2027, m, 1, tzinfo=UTC)
    >>> quotes = pl.DataFrame({
    ...     "as_of": [month(1)] * 2, "quote_id": ["mar", "apr"], "index": ["X"] * 2, "contract": ["X:2027-03", "X:2027-04"],
    ...     "start": [month(3), month(4)], "end": [month(4), month(5)], "profile": ["base"] * 2, "price": [2.0, 2.4],
    ...     "average": ["hourly"] * 2, "timezone": ["UTC"] * 2, "source": ["broker"] * 2})
    >>> curve = fit_curve(quotes, index="X", as_of=month(1))
    >>> round(curve["X:2027-03"], 10), round(curve["X:2027-04"], 10)
    (2.0, 2.4)
    """
    mine = read_quotes(checked(quotes, Quotes, name="quotes"), index, as_of)
    return fit_read(
        mine, index=index, as_of=as_of, shape=shape, band=band, discount=discount, timezone=timezone, tolerance=tolerance,
        bending=bending, method=method, ends=ends, tension=tension, within=within, outages=outages, averages=averages,
    )  # fmt: skip


def fit_read(
    mine: pl.DataFrame,
    *,
    index: str,
    as_of: datetime,
    shape: Shape | MonthShape | None = None,
    band: Band | None = None,
    discount: Discount | None = None,
    timezone: str | None = None,
    tolerance: float = TOLERANCE,
    bending: Bending = "period",
    method: Method = "smooth",
    ends: Ends = "free",
    tension: float = TENSION,
    within: Within = "price",
    outages: pl.DataFrame | None = None,
    averages: Averages = "plain",
    before: ForwardCurve | None = None,
) -> ForwardCurve:
    """`fit_curve` of quotes that are read already: checked, of one index, none after `as_of`, in order of start, end and name.

    `before` is a curve of another day, asked for alike: where its quotes have the same hours, its factorisation is this one's too.
    """
    zones = sorted(set(mine["timezone"]))
    if timezone is None and len(zones) > 1:
        raise InputError.of("quotes", "one time zone, or a timezone given for the curve", column="timezone", value=", ".join(zones))
    refuse_names(bending=bending, method=method, ends=ends, within=within, averages=averages, tension=tension)
    if averages == "discounted" and discount is None:
        raise InputError.of("curve", "a discount curve for discounted averages", column="discount")
    rows = weights(mine, outages=outages, discounts=_paid(discount, as_of) if averages == "discounted" and discount else None)
    factor, offset = np.ones(len(rows.starts)), np.zeros(len(rows.starts))
    if shape is not None:
        given = shape.on(rows.starts)
        factor, offset = (given, offset) if shape.kind == "multiplicative" else (factor, given)
    known = before if before is not None and _alike(before, rows, factor) else None
    price = mine["price"].to_numpy()
    if known is None:
        kept, redundant = redundancies(rows.compressed(), price)
    else:
        kept, redundant = list(known.kept), [tie.at(price) for tie in known.redundant]
    if within == "price":
        refuse_arbitrage(mine, rows, redundant, tolerance=tolerance)
    independent = rows.take(kept)
    if known is None:
        try:
            fitted = components(independent, factor=factor, bending=bending, method=method, ends=ends, tension=tension)
        except np.linalg.LinAlgError as error:
            named = ", ".join(mine["quote_id"])
            raise InputError.of(
                "quotes", f"periods and profiles that a smooth curve can tell apart ({error})", column="quote_id", value=named
            ) from error
    else:
        fitted = replace(known.fitted, weights=independent)
    inside = None
    if within == "bid-ask":
        inside = smoothest_inside(mine, rows, fitted.bend, kept=kept, redundant=redundant, offset=offset)
        price = inside.price
    level = price[kept] if shape is None else price[kept] - independent.average(offset)
    forward = fitted.forward(level) + offset
    return ForwardCurve(
        index=index,
        as_of=as_of,
        timezone=timezone or zones[0],
        quotes=mine,
        forward=forward,
        rows=rows,
        band=band,
        discount=discount,
        fitted=fitted,
        inside=inside,
        kept=tuple(kept),
        redundant=tuple(redundant),
    )


def _alike(before: ForwardCurve, rows: Weights, factor: Vector) -> bool:
    """Whether the curve before has rows of the same places and hours; with spreads, the same hours of the calendar too."""
    other = before.rows
    return (
        all(np.array_equal(getattr(other, name), getattr(rows, name)) for name in ("first", "end", "kind", "densities"))
        and other.keys == rows.keys
        and np.array_equal(before.fitted.factor, factor)
        and (len(before.fitted.masks) == 1 or other.starts[0] == rows.starts[0])
    )


def read_quotes(quotes: pl.DataFrame, index: str, as_of: datetime) -> pl.DataFrame:
    """Checked quotes of one index, none after `as_of`, in order of start, end and name."""
    mine = quotes.lazy().filter(pl.col("index") == index).sort("start", "end", "quote_id").collect()
    if mine.is_empty():
        raise InputError.of("quotes", f"at least one quote of {index}", column="index")
    if as_of.tzinfo is None:
        raise InputError.of("curve", "a time with its zone", column="as_of", value=as_of)
    faults = [
        Fault(file="quotes", column="as_of", value=f"{name} as of {moment}", expected=f"no quote after {as_of}")
        for name, moment in zip(mine["quote_id"], mine["as_of"], strict=True)
        if moment > as_of
    ]
    if faults:
        raise InputError(faults)
    return mine


def _paid(discount: Discount, as_of: datetime) -> Callable[[pl.Series], Vector]:
    """Factors of hours that are paid as they end; hours before `as_of` are money of today."""

    def factors(starts: pl.Series) -> Vector:
        seconds = (starts.dt.epoch("us").to_numpy() / 1e6 + 3600) - as_of.timestamp()
        return discount.factors(np.maximum(seconds, 0.0) / SECONDS_PER_YEAR)

    return factors


def refuse_names(*, tension: float, **given: str) -> None:
    """Raise `InputError` with every name that `fit_curve` does not know, and a tension below 0."""
    known = {"bending": Bending, "method": Method, "ends": Ends, "within": Within, "averages": Averages}
    faults = [
        Fault(file="curve", column=name, value=value, expected=" or ".join(get_args(known[name])))
        for name, value in given.items()
        if value not in get_args(known[name])
    ]
    if not 0 <= tension < float("inf"):
        faults.append(Fault(file="curve", column="tension", value=str(tension), expected="a number from 0 on"))
    if given["method"] == "constant" and given["ends"] in get_args(Ends)[1:]:
        faults.append(Fault(file="curve", column="ends", value=given["ends"], expected="free: steps have no slope"))
    if faults:
        raise InputError(faults)

"""What a valuation reads: curves, published fixings, volatilities, correlations and rates of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import OptionModel
from tenorgrid.data.tables.book import Correlations
from tenorgrid.data.tables.curve import Volatility, VolatilityByExpiry
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Fixings
from tenorgrid.derivatives.book.lots import lots_of
from tenorgrid.derivatives.book.volatility import SECONDS_PER_YEAR as SECONDS_PER_YEAR
from tenorgrid.derivatives.book.volatility import ByExpiry, Sigma, by_expiry, least, moved

Pair = frozenset[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Market:
    """State of the market at `as_of`; `fixings` by index and local day hold what was published by then and no more.

    `volatility` is one number an index, or one an expiry (`ByExpiry`), a year; `normal` the same of prices themselves, USD/GPUh a root
    of a year, for Bachelier's model.
    """

    as_of: datetime
    timezone: str
    curves: Mapping[str, ForwardCurve]
    fixings: Mapping[str, Mapping[date, float]]
    volatility: Mapping[str, Sigma]
    normal: Mapping[str, Sigma] = field(default_factory=dict)
    correlation: Mapping[Pair, float] = field(default_factory=dict)
    discount: Discount | None = None

    def years(self, moments: pl.Series) -> Vector:
        """(n,) years of 365 days from now; below 0 in the past."""
        return np.asarray((moments.cast(pl.Int64).to_numpy() / 1e6 - self.as_of.timestamp()) / SECONDS_PER_YEAR)

    def rate(self, index: str) -> Discount:
        """Discount of an index's payments: the one given, else that of its curve. Raises `InputError` where there is none."""
        found = self.discount or self.curves[index].discount
        if found is None:
            raise InputError.of("curve", "a rate", column="discount", value=f"none with {index}")
        return found

    def sigma(self, index: str, years: Vector, *, model: str = OptionModel.BLACK) -> Vector:
        """(n,) volatility of an index to moments `years` (n,) from now, in the model's unit. Raises `InputError` where there is none."""
        held = self.volatility if model == OptionModel.BLACK else self.normal
        if index not in held:
            wanted = (
                "one model's volatility" if model == OptionModel.BLACK else "volatilities of prices, model bachelier, among the expiries"
            )
            raise InputError.of("volatility", wanted, column="index", value=f"0 rows of {index}")
        found = held[index]
        return found.at(years, now=self.as_of.timestamp()) if isinstance(found, ByExpiry) else np.full(years.shape, found)

    @property
    def least_volatility(self) -> float:
        """The lowest volatility of any index and expiry; 0 where there is none."""
        return min((least(sigma) for sigma in (*self.volatility.values(), *self.normal.values())), default=0.0)

    def with_volatility(self, move: float) -> "Market":
        """The same market with every volatility moved by an amount in its own unit."""
        held, normal = ({index: moved(sigma, move) for index, sigma in one.items()} for one in (self.volatility, self.normal))
        return replace(self, volatility=held, normal=normal)

    def rho(self, first: str, second: str) -> float:
        """Correlation of the logarithms of two indices; 1 of an index with itself. Raises `InputError` where there is none."""
        if first == second:
            return 1.0
        if frozenset((first, second)) not in self.correlation:
            raise InputError.of("correlation", "a correlation of the two", column="index", value=f"none of {first} and {second}")
        return self.correlation[frozenset((first, second))]

    @cached_property
    def lots(self) -> Mapping[str, Vector]:
        """By index (quotes,) GPU-hours of one lot of each quote's contract."""
        return {index: lots_of(curve.quotes, timezone=self.timezone) for index, curve in self.curves.items()}

    @cached_property
    def months(self) -> Mapping[str, tuple[list[str], Counts]]:
        """By index the delivery months of its curve, `YYYY-MM`, and the place of each hour's month among them."""
        found = {}
        for index, curve in self.curves.items():
            labels = curve.starts.dt.convert_time_zone(self.timezone).dt.to_string("%Y-%m")
            names = labels.unique(maintain_order=True)
            places = labels.replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64)
            found[index] = (names.to_list(), places.to_numpy())
        return found

    def month_of(self, index: str, moments: pl.Series) -> Counts:
        """(n,) place of each moment's month among the delivery months of an index's curve, the first or last for those outside."""
        names, _ = self.months[index]
        labels = moments.dt.convert_time_zone(self.timezone).dt.to_string("%Y-%m")
        return np.clip(np.searchsorted(np.array(names), labels.to_numpy()), 0, len(names) - 1)


def make_market(
    *,
    as_of: datetime,
    timezone: str,
    curves: Mapping[str, ForwardCurve],
    fixings: pl.DataFrame,
    volatility: pl.DataFrame,
    expiries: pl.DataFrame | None = None,
    correlation: pl.DataFrame | None = None,
    discount: Discount | None = None,
) -> Market:
    """A `Market` from tables.

    Args:
        as_of: moment; fixings published after it are not read, and every curve must be of it.
        timezone: of the days of the indices.
        curves: by index.
        fixings: `Fixings`.
        volatility: `Volatility`, one row for each index with options on it.
        expiries: `VolatilityByExpiry`, of indices whose volatility depends on the expiry, in place of their one number.
        correlation: `Correlations`; None is none.
        discount: rate; None is the one that each curve came with.

    Raises `InputError` with every fault: a curve of another moment, two volatilities of one index, a total variance that falls with
    the expiry, a correlation outside [−1, 1].
    """
    faults = [
        Fault(file="curve", column="as_of", value=f"{index} as of {curve.as_of}", expected=f"a curve as of {as_of}")
        for index, curve in sorted(curves.items())
        if curve.as_of != as_of
    ]
    told = checked(volatility, Volatility, name="volatility").select("index", "volatility")
    for index, count in told.group_by("index").len().filter(pl.col("len") > 1).sort("index").iter_rows():
        faults.append(Fault(file="volatility", column="index", value=f"{count} rows of {index}", expected="one model's volatility"))
    pairs: dict[Pair, float] = {}
    for first, second, rho in () if correlation is None else checked(correlation, Correlations, name="correlation").iter_rows():
        if first == second or frozenset((first, second)) in pairs:
            said = f"{first} and {second}"
            faults.append(Fault(file="correlation", column="index2", value=said, expected="two different indices, each pair once"))
        pairs[frozenset((first, second))] = rho
    if faults:
        raise InputError(faults)
    terms: dict[str, dict[str, ByExpiry]] = {model: {} for model in OptionModel}
    if expiries is not None:
        asked = checked(expiries, VolatilityByExpiry, name="expiries")
        of_model = pl.col("model").cast(pl.String)
        terms = {model: by_expiry(asked.filter(of_model == str(model)), as_of=as_of) for model in OptionModel}
    known: dict[str, dict[date, float]] = {}
    published = checked(fixings, Fixings, name="fixings").filter(pl.col("published_at") <= as_of)
    for index, day, fixing in published.select("index", "date", "value").iter_rows():
        known.setdefault(index, {})[day] = fixing
    return Market(
        as_of=as_of, timezone=timezone, curves=dict(curves), fixings=known, correlation=pairs, discount=discount,
        volatility=dict(told.iter_rows()) | terms[OptionModel.BLACK], normal=terms[OptionModel.BACHELIER],
    )  # fmt: skip


def refuse_without_curve(market: Market, named: pl.DataFrame) -> None:
    """Raise `InputError` for every trade on an index without a curve; `named` has columns trade_id and index."""
    lacking = named.filter(~pl.col("index").is_in(sorted(market.curves)))
    if not lacking.is_empty():
        wanted = f"an index with a curve: {', '.join(sorted(market.curves))}"
        pairs = lacking.select("trade_id", "index").iter_rows()
        raise InputError(Fault(file="trades", column="index", value=f"{index} in {trade}", expected=wanted) for trade, index in pairs)

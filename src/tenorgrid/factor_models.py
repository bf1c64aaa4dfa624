"""Factor models in the hand of a desk: `tg.fit_factors(...)`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.factors import jumps, kalman, reverting, samuelson, spread, two_factor
from tenorgrid.curves.factors.likelihood import Estimate
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.windows import window_of
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import FactorModel, PriceForm
from tenorgrid.data.store import write_result
from tenorgrid.data.tables import factors as tables
from tenorgrid.data.tables.door import checked
from tenorgrid.derivatives import black
from tenorgrid.mark_tables import read_marks
from tenorgrid.results import Tables

YEAR = 365.25
FORECAST_DAYS = 90
Asked = tuple[float, float, float, bool]  # of an option: expiry and maturity in years, strike, whether a call


@dataclass(frozen=True, kw_only=True)
class FactorFit(Tables):
    """Tables of `tenorgrid.data.tables.factors`; `tests` are half-life in years, statistics and correlations by name."""

    model: FactorModel
    log_likelihood: float
    converged: bool
    tests: dict[str, float]
    closed: two_factor.TwoFactor | None = field(repr=False, default=None)
    source: str = field(repr=False, default="a table")
    parameters: pl.DataFrame = field(repr=False)
    states: pl.DataFrame = field(repr=False)
    futures: pl.DataFrame | None = field(repr=False, default=None)
    volatility: pl.DataFrame | None = field(repr=False, default=None)
    forecasts: pl.DataFrame | None = field(repr=False, default=None)
    prices: pl.DataFrame | None = field(repr=False, default=None)

    def future(self, maturity: float, *, day: date | None = None) -> float:
        """Price of a futures, USD/GPUh, in closed form at the filtered factors of a day.

        Of `ou` it is the expected price: marks alone do not tell what the market asks for risk.

        Args:
            maturity: years to delivery, at least 0.
            day: of the factors; None is the last.

        Raises `InputError` for a model without a closed form (jumps, arithmetic prices, a spread), a day that has no factors and a
        time below 0.
        """
        model = self._closed()
        short, long = self._factors(day)
        return float(two_factor.futures(model, short=short, long=long, maturity=np.array([maturity]))[0])

    def option(
        self, strike: float, *, expiry: float, maturity: float | None = None, call: bool = True, discount: Discount | None = None,
        day: date | None = None,
    ) -> float:  # fmt: skip
        r"""Value of a European option on the futures, USD/GPUh: Black's formula on the model's variance of the futures' logarithm.

        Args:
            strike: USD/GPUh, above 0.
            expiry: years to exercise, at least 0.
            maturity: years to delivery, not before `expiry`; None is at it.
            call: False is a put.
            discount: of the payment at `expiry`; None is none.
            day: of the factors; None is the last.

        Raises `InputError` as `future` does, for a strike of 0 or less and a delivery before the expiry.
        """
        model, until = self._closed(), expiry if maturity is None else maturity
        variance = two_factor.variance(model, expiry=np.array([expiry]), maturity=np.array([until]))
        paid = np.ones(1) if discount is None else discount.factors(np.array([expiry]))
        if not strike > 0:
            raise InputError.of("option on futures", "a strike above 0", column="strike", value=strike)
        side: black.Option = "call" if call else "put"
        future = np.array([self.future(until, day=day)])
        return float(black.price(future, np.array([strike]), deviation=np.sqrt(variance), discount=paid, option=side)[0])

    def priced(self, futures: Sequence[float], options: Sequence["Asked"], *, discount: Discount | None = None) -> "FactorFit":
        """The same fit with `FactorPrices` of some futures (years) and options at its last day."""
        rows: list[dict[str, object]] = [
            {"contract": "future", "maturity": at, "expiry": None, "strike": None, "price": self.future(at)} for at in futures
        ]
        rows += [
            {
                "contract": "call" if call else "put", "maturity": until, "expiry": expiry, "strike": strike,
                "price": self.option(strike, expiry=expiry, maturity=until, call=call, discount=discount),
            }
            for expiry, until, strike, call in options
        ]  # fmt: skip
        types = {"contract": pl.String, "maturity": pl.Float64, "expiry": pl.Float64, "strike": pl.Float64, "price": pl.Float64}
        return replace(self, prices=checked(pl.DataFrame(rows, schema=types), tables.FactorPrices, name="prices"))

    def _closed(self) -> two_factor.TwoFactor:
        if self.closed is None:
            raise InputError.of("factors", "schwartz-smith or a logarithmic ou: others have no closed form here", value=self.model)
        return self.closed

    def _factors(self, day: date | None) -> tuple[float, float]:
        known = self.states.filter(pl.col("day") == (self.states["day"].max() if day is None else day))
        if known.is_empty():
            raise InputError.of("factors", "a day with factors", column="day", value=day)
        found = dict(known.select("factor", "filtered").iter_rows())
        return (found["short"], found["long"]) if "long" in found else (found["state"] - self._level(), self._level())

    def _level(self) -> float:
        return float(self.parameters.filter(pl.col("parameter") == "level")["value"][0])

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.factors import render  # plotly, only needed here

        return render(
            self.tables(),
            model=self.model,
            tests=self.tests,
            log_likelihood=self.log_likelihood,
            converged=self.converged,
            source=self.source,
        )

    def save(self, folder: Path, *, inputs: dict[str, Path] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.factors import FILE

        settings = {"model": str(self.model), "log_likelihood": self.log_likelihood, "converged": self.converged, **self.tests}
        return write_result(
            folder, self.tables(), pages={FILE: self.page()}, command="factors", inputs=inputs, settings=settings
        )  # fmt: skip


def fit_factors(
    source: pl.DataFrame | Path | str,
    *,
    model: str = "schwartz-smith",
    index: Sequence[str] | None = None,
    form: str = "logarithmic",
    window: int | None = None,
    estimated: bool = False,
) -> FactorFit:
    """Parameters with errors and factors through time of a panel of futures or of daily marks.

    Args:
        source: `FactorPanel` for schwartz-smith, marks (frame, file or folder) for the others.
        model: schwartz-smith, ou, ou-jumps or spread.
        index: of marks: one, two for a spread (numerator first).
        form: logarithmic, or arithmetic for prices of any sign (ou and ou-jumps).
        window: days that a mark averages over; None is its methodology's. Models take spots: another than 1 is refused, and 1 given
            by hand takes marks as they are.
        estimated: of a spread, β by regression (Engle and Granger's test) in place of 1.

    Raises `InputError` with every fault: unknown names, gaps, marks of a trailing window, and what each model refuses.
    """
    faults = [
        Fault(file="fit_factors", column=name, value=value, expected=f"one of {', '.join(kinds)}")
        for name, value, kinds in (("model", model, list(FactorModel)), ("form", form, list(PriceForm)))
        if value not in kinds
    ]
    if faults:
        raise InputError(faults)
    chosen = FactorModel(model)
    if estimated and chosen != FactorModel.SPREAD:
        raise InputError.of("fit_factors", "a spread, which alone has a β", column="estimated", value=model)
    if chosen == FactorModel.SCHWARTZ_SMITH:
        if form != PriceForm.LOGARITHMIC or index is not None or window is not None:
            raise InputError.of("fit_factors", "a panel alone for schwartz-smith, which is logarithmic: no index, window or other form")
        return replace(_of_panel(source), source=_named(source))
    if chosen == FactorModel.SPREAD and form != PriceForm.LOGARITHMIC:
        raise InputError.of("fit_factors", "the logarithmic form: a spread is of log prices", column="form", value=form)
    made = _of_marks(read_marks(source), chosen, list(index or ()), PriceForm(form), window, estimated=estimated)
    return replace(made, source=", ".join([_named(source), *(index or ())]))


def _named(source: pl.DataFrame | Path | str) -> str:
    return "a table" if isinstance(source, pl.DataFrame) else Path(source).name


def _of_panel(source: pl.DataFrame | Path | str) -> FactorFit:
    if isinstance(source, pl.DataFrame):
        frame = checked(source, tables.FactorPanel, name="panel")
    else:
        from tenorgrid.folders import read_file

        frame = read_file(Path(source), tables.FactorPanel)
    wide = frame.sort("maturity").pivot("maturity", index="day", values="price").sort("day")
    maturity = np.array(frame["maturity"].unique().sort())
    prices, days = wide.drop("day").cast(pl.Float64).fill_null(float("nan")).to_numpy(), wide["day"]
    step = _step(days)
    found = kalman.fit(prices, maturity=maturity, step=step)
    made, names = found.factors, [*kalman.NAMES, *(f"measurement {one:.6g}" for one in maturity)]
    states = pl.concat(
        _states(days, name, filtered, deviation, smoothed)
        for name, filtered, deviation, smoothed in (
            ("short", made.short, made.short_deviation, made.smoothed_short),
            ("long", made.long, made.long_deviation, made.smoothed_long),
        )
    )
    fitted = pl.DataFrame(
        {
            "day": np.repeat(days.to_numpy(), maturity.size),
            "maturity": np.tile(maturity, days.len()),
            "price": prices.ravel(),
            "fitted": made.fitted.ravel(),
        }
    ).with_columns(pl.col("day").cast(pl.Date), pl.col("price").fill_nan(None))
    return FactorFit(
        model=FactorModel.SCHWARTZ_SMITH, log_likelihood=found.estimate.log_likelihood, converged=found.estimate.converged,
        tests={"half_life": float(np.log(2) / found.model.reversion)}, closed=found.model, parameters=_parameters(names, found.estimate),
        states=checked(states, tables.FactorStates, name="states"), futures=checked(fitted, tables.FactorFutures, name="futures"),
        volatility=_volatility(found.model, prices, maturity, step),
    )  # fmt: skip


def _volatility(model: two_factor.TwoFactor, prices: Vector, maturity: Vector, step: float) -> pl.DataFrame:
    seen, error = samuelson.realised(prices, step=step)
    one = samuelson.fit(seen, maturity=maturity, error=error, factors=1).fitted
    two = samuelson.fit(seen, maturity=maturity, error=error).fitted.tolist() if maturity.size >= 4 else [None] * maturity.size
    average = [
        float(two_factor.average_volatility(model, expiry=np.array(at), maturity=np.array(at))) if at > 0 else None for at in maturity
    ]
    made = {
        "maturity": maturity, "model": two_factor.volatility(model, maturity), "average": average, "realised": seen,
        "realised_error": error, "two_factors": pl.Series(two, dtype=pl.Float64), "one_factor": one,
    }  # fmt: skip
    return checked(pl.DataFrame(made), tables.FactorVolatility, name="volatility")


def _of_marks(
    marks: pl.DataFrame, model: FactorModel, index: list[str], form: PriceForm, window: int | None, *, estimated: bool
) -> FactorFit:
    days, series = _series(marks, index, 2 if model == FactorModel.SPREAD else 1, window)
    step = _step(days)
    if model == FactorModel.SPREAD:
        return _of_spread(days, series, step, estimated=estimated)
    if model == FactorModel.OU:
        names: tuple[str, ...]
        alone = reverting.fit(series[0], step=step, form=form)
        estimate, names, jumped = _estimate(alone), ("reversion", "level", "volatility"), None
    else:
        mixed = jumps.fit(series[0], step=step, form=form)
        alone, estimate, names = mixed.without, mixed.estimate, jumps.NAMES
        jumped = mixed.jumped
    x = reverting.states(series[0], form)
    closed = _one_factor(alone) if model == FactorModel.OU and form == PriceForm.LOGARITHMIC else None
    return FactorFit(
        model=model, closed=closed, log_likelihood=estimate.log_likelihood, converged=estimate.converged,
        tests={"half_life": float(np.log(2) / estimate.values[0]), "adf": alone.adf, "adf_critical": alone.adf_critical},
        parameters=_parameters(names, estimate),
        states=checked(_states(days, "state", x, np.zeros(x.size), x, jumped), tables.FactorStates, name="states"),
    )  # fmt: skip


def _one_factor(one: reverting.Reverting) -> two_factor.TwoFactor:
    """The price that reverts as the short-term factor around a level that stays, without a premium."""
    return two_factor.TwoFactor(
        reversion=one.reversion, short_volatility=one.volatility, short_premium=0.0, drift=0.0, priced_drift=0.0, long_volatility=0.0,
        correlation=0.0,
    )  # fmt: skip


def _of_spread(days: pl.Series, series: list[Vector], step: float, *, estimated: bool) -> FactorFit:
    found = spread.fit(*series, step=step, estimated=estimated)
    estimate, r = _estimate(found.process), found.states
    mean, lower, upper = found.forecast(FORECAST_DAYS)
    apart, last = days[1] - days[0], days[-1]
    ahead = {"day": [last + apart * place for place in range(1, FORECAST_DAYS + 1)], "mean": mean, "lower": lower, "upper": upper}
    return FactorFit(
        model=FactorModel.SPREAD, log_likelihood=estimate.log_likelihood, converged=True,
        tests={
            "half_life": found.process.half_life, "beta": found.beta, "adf": found.statistic, "adf_critical": found.critical,
            "correlation": found.correlation,
            "correlation_lower": found.correlation_lower, "correlation_upper": found.correlation_upper,
        },
        parameters=_parameters(("reversion", "level", "volatility"), estimate),
        states=checked(_states(days, "spread", r, np.zeros(r.size), r), tables.FactorStates, name="states"),
        forecasts=checked(pl.DataFrame(ahead), tables.SpreadForecasts, name="forecasts"),
    )  # fmt: skip


def _series(marks: pl.DataFrame, index: list[str], count: int, window: int | None) -> tuple[pl.Series, list[Vector]]:
    known = marks["index"].unique().sort().to_list()
    index = index or (known if len(known) == count else [])
    if len(index) != count or len(set(index)) != count:
        raise InputError.of("index", f"{count} different indices, such as {', '.join(known[:4])}", value=", ".join(index) or "none")
    faults = [
        Fault(file="marks", column="index", value=one, expected=f"one of {', '.join(known[:8])}") for one in index if one not in known
    ]
    mine = marks.filter(pl.col("index").is_in(index), pl.col("value").is_not_null())
    for name in [] if window == 1 else mine["methodology"].unique().sort().to_list():
        wide = window or window_of(name)
        if wide is not None and wide > 1:
            expected = "spots: the mean of a trailing window is none; mark with tg.unwindowed, or give a window of 1 to take it as it is"
            faults.append(Fault(file="marks", column="methodology", value=f"{name}, a window of {wide}", expected=expected))
    if faults:
        raise InputError(faults)
    latest = mine.sort("revision").group_by("index", "methodology", "start", maintain_order=True).last()
    wide_table = latest.with_columns(pl.col("start").dt.date().alias("day")).select("index", "day", "value")
    if wide_table.select("index", "day").is_duplicated().any():
        raise InputError.of("marks", "one mark an index and day, of one methodology", column="start")
    both = wide_table.pivot("index", index="day", values="value").drop_nulls().sort("day")
    return both["day"], [both[one].to_numpy().astype(np.float64) for one in index]


def _step(days: pl.Series) -> float:
    apart = days.diff().drop_nulls().unique().sort().to_list()
    if len(apart) != 1:
        told = ", ".join(str(one.days) for one in apart[:5]) or "a single day"
        raise InputError.of(
            "days", "equal steps: fill or cut gaps by a rule of your own first", column="day", value=f"steps of {told} days"
        )
    return float(apart[0] / timedelta(days=YEAR))


def _estimate(one: reverting.Reverting) -> Estimate:
    return Estimate(
        values=np.array([one.reversion, one.level, one.volatility]), hessian_errors=one.hessian_errors, robust_errors=one.robust_errors,
        log_likelihood=one.log_likelihood, converged=True,
    )  # fmt: skip


def _parameters(names: Sequence[str], estimate: Estimate) -> pl.DataFrame:
    made = {
        "parameter": list(names), "value": estimate.values, "hessian_error": estimate.hessian_errors, "robust_error": estimate.robust_errors
    }  # fmt: skip
    return checked(pl.DataFrame(made).fill_nan(None), tables.FactorParameters, name="parameters")


def _states(
    days: pl.Series, name: str, filtered: Vector, deviation: Vector, smoothed: Vector, jumped: Vector | None = None
) -> pl.DataFrame:
    seen = pl.Series([None] * days.len() if jumped is None else [None, *np.clip(jumped, 0, 1).tolist()], dtype=pl.Float64)
    made = {"day": days, "factor": [name] * days.len(), "filtered": filtered, "deviation": deviation, "smoothed": smoothed, "jumped": seen}
    return pl.DataFrame(made)

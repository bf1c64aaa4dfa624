"""The premium of every horizon and series: tables of days, bias, forecasts, regressions and what a trade earns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.curves.premium.accuracy import diebold_mariano
from tenorgrid.curves.premium.hac import mean_errors, plug_in_lags, regress
from tenorgrid.curves.premium.panel import HOURS, NAIVE, Panel, days_from, known, naive_forecasts, panel, running_mean, trailing_moments
from tenorgrid.curves.premium.pooled import pools
from tenorgrid.curves.premium.verdict import LEVEL, limit, ratio, verdict
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables import premium as tables
from tenorgrid.data.tables.door import checked

WINDOW = 28  # days of the trailing moments
TAUGHT = 14  # known days that a virtual bid wants behind its guess
FEWEST = 4  # days of a regression of three terms


@dataclass(frozen=True, eq=False, kw_only=True)
class PremiumTables:
    """The frames of `tenorgrid.data.tables.premium`; `synthetic` and sources are the caller's to tell."""

    bias: pl.DataFrame
    days: pl.DataFrame
    forecasts: pl.DataFrame
    regressions: pl.DataFrame
    virtuals: pl.DataFrame
    pooled: pl.DataFrame


def study(
    pairs: pl.DataFrame,
    *,
    leads: Mapping[str, int],
    timezone: str = "UTC",
    window: int = WINDOW,
    cost: float = 0.0,
    classes: Mapping[str, str] | None = None,
) -> PremiumTables:
    """What ahead prices are worth against real time, by horizon, series and hour.

    What is said of a day rests on days that were known whole when its ahead price was made, `lead` days before it began, so rows of later
    days change nothing in it.

    Args:
        pairs: `AheadReal`.
        leads: of each horizon, whole days from the making of the price to the beginning of the delivery day.
        timezone: whose days and hours are meant.
        window: days of the trailing variance and third moment.
        cost: of a virtual bid of 1, in the unit of the prices.
        classes: class of each series, whose series are pooled; None pools all of a horizon.

    Raises `InputError` for bad tables, a horizon without a lead, and where no series has two hours.
    """
    rows = checked(pairs, tables.AheadReal, name="pairs").sort("horizon", "series", "start")
    faults = [
        Fault(file="pairs", column="horizon", value=name, expected=f"one of {', '.join(leads)}, whose leads are known")
        for name in rows["horizon"].unique().sort()
        if name not in leads
    ]
    if window < 6 or cost < 0 or rows.height < 2 or any(lead < 0 for lead in leads.values()):
        faults.append(
            Fault(
                file="premium",
                value=f"window {window}, cost {cost}, {rows.height} rows, leads {dict(leads)}",
                expected="a window of at least 6 days, a cost and leads of at least 0, two rows",
            )
        )
    if classes is not None:
        faults += [
            Fault(file="pairs", column="series", value=name, expected="a series with a class")
            for name in rows["series"].unique().sort()
            if name not in classes
        ]
    if faults:
        raise InputError(faults)
    bias, days, forecasts, regressions, virtuals = [], [], [], [], []
    for (horizon, series), group in rows.group_by("horizon", "series", maintain_order=True):
        key = {"horizon": horizon, "series": series}
        lead, grid = leads[str(horizon)], panel(group, timezone=timezone)
        bias += [key | row for row in _bias(group, grid, lead)]
        told = day_rows(grid, lead=lead, window=window)
        days.append(told.select(pl.lit(horizon).alias("horizon"), pl.lit(series).alias("series"), pl.all()))
        at = (told["day"] - grid.first).dt.total_days().to_numpy()
        forecasts += [key | row for row in _tests(told, at, lead)]
        regressions += [key | row for row in _regressions(told, at, lead)]
        virtuals += [key | row for row in _gains(told, at, lead, cost)]
    return PremiumTables(
        bias=_table(bias, tables.PremiumBias),
        days=tables.PremiumDays.validate(pl.concat(days), cast=True),
        forecasts=_table(forecasts, tables.ForecastTests),
        regressions=_table(regressions, tables.PremiumRegressions),
        virtuals=_table(virtuals, tables.VirtualGains),
        pooled=_table(list(pools(rows, leads=leads, timezone=timezone, classes=classes)), tables.PremiumPooled),
    )


def day_rows(grid: Panel, *, lead: int, window: int = WINDOW) -> pl.DataFrame:
    """`PremiumDays` of one series, without its names: a row for each day that has a pair."""
    lag = lead + 1
    naive = naive_forecasts(grid.real, lag=lag)
    daily = _row_mean(grid.real)
    variance, third = trailing_moments(daily, lag=lag, window=window)
    guess, count = running_mean(grid.premium)
    side = np.where(known(count.astype(np.float64), lag=lag) >= TAUGHT, np.sign(known(guess, lag=lag)), np.nan)
    whole = np.isfinite(grid.premium).sum(axis=1)
    losses = {f"loss_{name.replace(' ', '_')}": _row_mean((forecast - grid.real) ** 2) for name, forecast in naive.items()}
    frame = pl.DataFrame(
        {
            "day": days_from(grid.first, daily.size),
            "hours": whole,
            "ahead": _row_mean(np.where(np.isfinite(grid.real), grid.ahead, np.nan)),
            "real": daily,
            "ex_post": _row_mean(grid.premium),
            "ex_ante": _row_mean(grid.ahead - naive["mean"]),
            "variance": variance,
            "third_moment": third,
            "loss": _row_mean(grid.premium**2),
            **losses,
            "profit": _row_mean(side * grid.premium),
        },
        nan_to_null=True,
    )
    return frame.filter(pl.col("hours") > 0)


def _bias(group: pl.DataFrame, grid: Panel, lead: int) -> Iterator[dict[str, object]]:
    hours = (group["start"] - group["start"][0]).dt.total_hours().to_numpy()
    yield from _bias_row(-1, (group["ahead"] - group["real"]).to_numpy(), hours, HOURS * lead)
    for hour in range(HOURS):
        column = grid.premium[:, hour]
        there = np.flatnonzero(np.isfinite(column))
        yield from _bias_row(hour, column[there], there, lead)


def _bias_row(hour: int, premium: Vector, at: Counts, least: int) -> Iterator[dict[str, object]]:
    if premium.size < 2:
        return
    lags = plug_in_lags(premium, at, least=least)
    naive, robust = mean_errors(premium, at, lags=lags)
    mean = float(premium.mean())
    naive_t, hac_t = ratio(mean, naive), ratio(mean, robust)
    yield {
        "hour": hour, "count": premium.size, "bias": mean, "lags": lags, "naive_error": naive, "hac_error": robust, "naive_t": naive_t,
        "hac_t": hac_t, "naive_verdict": verdict(naive_t), "verdict": verdict(hac_t),
    }  # fmt: skip


def _tests(told: pl.DataFrame, at: Counts, lead: int) -> Iterator[dict[str, object]]:
    for rival in NAIVE:
        own, other = told["loss"].to_numpy(), told[f"loss_{rival.replace(' ', '_')}"].to_numpy()
        there = np.flatnonzero(np.isfinite(other))
        difference, steps = own[there] - other[there], lead + 1
        if there.size < 2 * steps + 2 or np.ptp(difference) == 0:
            continue
        window: Any = "rectangular"
        try:
            found = diebold_mariano(difference, steps=steps, at=at[there], window=window)
        except InputError:  # the rectangular variance is not positive, which the table says in `window`
            window = "bartlett"
            found = diebold_mariano(difference, steps=steps, at=at[there], window=window)
        yield {
            "rival": rival, "days": there.size, "loss": float(own[there].mean()), "rival_loss": float(other[there].mean()), "steps": steps,
            "window": window, "statistic": found.corrected, "p_value": found.corrected_p,
        }  # fmt: skip


def _regressions(told: pl.DataFrame, at: Counts, lead: int) -> Iterator[dict[str, object]]:
    for premium in ("ex ante", "ex post"):
        used = told.with_columns(place=pl.Series(at)).drop_nulls(["variance", "third_moment", premium.replace(" ", "_")])
        design = np.column_stack([np.ones(used.height), used["variance"].to_numpy(), used["third_moment"].to_numpy()])
        if used.height < FEWEST or np.linalg.matrix_rank(design / np.sqrt((design**2).mean(axis=0) + 1e-300)) < 3:
            continue
        explained, place = used[premium.replace(" ", "_")].to_numpy(), used["place"].to_numpy()
        if np.ptp(explained) == 0:
            continue
        fit = regress(design, explained, place, lags=plug_in_lags(explained, place, least=lead))
        for i, term in enumerate(("constant", "variance", "third moment")):
            yield {
                "premium": premium, "term": term, "days": used.height, "lags": fit.lags, "coefficient": fit.coefficients[i],
                "naive_error": fit.naive_errors[i], "hac_error": fit.hac_errors[i],
                "hac_t": ratio(float(fit.coefficients[i]), float(fit.hac_errors[i])), "r_squared": fit.r_squared,
            }  # fmt: skip


def _gains(told: pl.DataFrame, at: Counts, lead: int, cost: float) -> Iterator[dict[str, object]]:
    profit = told["profit"].to_numpy()
    there = np.flatnonzero(np.isfinite(profit))
    if there.size < FEWEST:
        return
    earned = profit[there]
    _, error = mean_errors(earned, at[there], lags=plug_in_lags(earned, at[there], least=lead))
    hac_t = ratio(float(earned.mean()) - cost, error)
    verdict = "open" if hac_t is not None and hac_t > norm.ppf(1 - LEVEL) else "closed"
    yield {"days": there.size, "profit": float(earned.mean()), "cost": cost, "hac_error": error, "hac_t": hac_t, "verdict": verdict}


def paired(days: pl.DataFrame, other: pl.DataFrame, *, leads: Mapping[str, int]) -> pl.DataFrame:
    """`PremiumPairs`: the absolute daily premium of one market less that of another on the same days, with HAC errors.

    Args:
        days, other: `PremiumDays` of both markets, for example cleared with and without virtual bids.
        leads: days, of each horizon; the least lags.

    Raises `InputError` where the two have no day of a series in common.
    """
    both = days.join(other, on=["horizon", "series", "day"], suffix="_other").sort("horizon", "series", "day")
    if both.is_empty():
        raise InputError.of("premium", "two markets with days of a series in common")
    found = []
    for (horizon, series), rows in both.group_by("horizon", "series", maintain_order=True):
        if rows.height < 2:
            continue
        size, other_size = rows["ex_post"].abs().to_numpy(), rows["ex_post_other"].abs().to_numpy()
        difference, at = size - other_size, (rows["day"] - rows["day"][0]).dt.total_days().to_numpy()
        _, error = mean_errors(difference, at, lags=plug_in_lags(difference, at, least=leads[str(horizon)]))
        hac_t = ratio(float(difference.mean()), error)
        verdict = "same" if hac_t is None or abs(hac_t) < limit() else "smaller" if hac_t < 0 else "larger"
        found.append(
            {
                "horizon": horizon, "series": series, "days": rows.height, "bias": rows["ex_post"].mean(),
                "other_bias": rows["ex_post_other"].mean(), "size": float(size.mean()), "other_size": float(other_size.mean()),
                "hac_t": hac_t, "verdict": verdict,
            }
        )  # fmt: skip
    return _table(found, tables.PremiumPairs)


def _row_mean(values: Vector) -> Vector:
    there = np.isfinite(values)
    count = there.sum(axis=1)
    return np.where(count > 0, np.where(there, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _table(rows: list[dict[str, Any]], schema: Any) -> pl.DataFrame:
    return schema.validate(pl.DataFrame(rows, infer_schema_length=None), cast=True) if rows else schema.create_empty()  # type: ignore[no-any-return]

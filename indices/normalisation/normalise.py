"""Prices of unlike offers brought to one specification, by what a hedonic regression finds its characteristics to be worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.errors import Fault, InputError, brief
from tenorgrid.indices.normalisation.characteristics import Model
from tenorgrid.indices.normalisation.design import NAME, Term, described
from tenorgrid.indices.normalisation.hedonic import HedonicFit, fit_hedonic

EVERYTHING = "all"  # name of the one fit where a model has no groups
REASON, FACTOR, FACTOR_SE, ADJUSTED = "reason", "factor", "factor_se", "adjusted"
NEAR = 1e-9
CODE = "\x1f"


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """`observations`: the rows handed in, with factor, factor_se (of its logarithm), adjusted (price × factor) and reason, which is null
    where there is a factor. `fits` by group; `refused`: group and reason of those without."""

    model: Model
    observations: pl.DataFrame = field(repr=False)
    fits: Mapping[str, HedonicFit] = field(repr=False)
    refused: Mapping[str, str]
    since: datetime | None
    until: datetime | None

    def coefficients(self) -> pl.DataFrame:
        """Coefficients of every fit, with the group they are of."""
        return pl.concat(fit.coefficients.select(pl.lit(group).alias("group"), pl.all()) for group, fit in self.fits.items())

    def periods(self) -> pl.DataFrame:
        """The time-dummy index of every fit, with the group that it is of."""
        return pl.concat(fit.periods.select(pl.lit(group).alias("group"), pl.all()) for group, fit in self.fits.items())

    def summary(self) -> pl.DataFrame:
        """What each fit stands on."""
        names = ("rows", "cells", "clusters", "excluded", "incomplete", "free", "sigma", "r_squared")
        left = {group: "; ".join(f"{one.term}: {one.why}" for one in fit.left) or None for group, fit in self.fits.items()}
        rows = [
            {"group": group, **{name: getattr(fit, name) for name in names}, "left_out": left[group]} for group, fit in self.fits.items()
        ]
        return pl.DataFrame(rows, schema_overrides={"left_out": pl.String()}, infer_schema_length=None)


def normalise(observations: pl.DataFrame, model: Model, *, until: datetime | None = None) -> Normalised:
    r"""Each price brought to the base specification: :math:`p_i \exp(-\sum_k (x_{ik} - x_k^{base}) \hat\gamma_k)`.

    The sum is over the characteristics that have a base; the others are controlled for and left as they are. A row is not adjusted, and
    the reason says so, where it lacks a value, where no row of the fit had its value of a category, and where the fit could not tell what
    its difference from the base is worth.

    Args:
        observations: `Observations` with attributes, in any order.
        model: the regression, its base, and how far its fit looks back.
        until: a fit sees rows before this moment only, and of them the last `model.days` days; rows at or after it are adjusted by the
            same fit and change nothing in it. None is after the last row.

    Raises `InputError` with every fault, as `fit_hedonic` does; where a model has groups only if no group can be fitted.

    >>> from tenorgrid.indices.normalisation.characteristics import Characteristic, Model
    >>> day, more = pl.datetime_range(pl.datetime(2027, 1, 1), pl.datetime(2027, 1, 2), "1d", time_zone="UTC", eager=True), [1, 2, 4, 8]
    >>> rows = pl.DataFrame([(when, size, 2 * size**0.1) for when in day for size in more], schema=["time", "n", "price"], orient="row")
    >>> model = Model(name="m", source="-", characteristics=(Characteristic(column="n", form="log", base=8.0),), at_least=1)
    >>> found = normalise(rows.with_columns(observation_id=pl.int_range(pl.len()).cast(pl.String)), model)
    >>> found.observations["adjusted"].round(6).unique().to_list()
    [2.462289]
    """
    rows = described(observations, model)
    since = None if model.days is None or until is None else until - timedelta(days=model.days)
    if model.days is not None and until is None:
        last = rows["time"].max()
        since = last - timedelta(days=model.days) if isinstance(last, datetime) else None
    seen = pl.lit(True) if until is None else pl.col("time") < until
    seen = seen if since is None else seen & (pl.col("time") >= since)
    name = group_of(model)
    fits, refused = _fits(observations.with_columns(rows.with_columns(name.alias(CODE))[CODE]).filter(seen), model)
    parts = []
    for group, part in rows.select(*rows.columns, name.alias(CODE)).group_by(CODE, maintain_order=True):
        fit = fits.get(str(group[0]))
        parts.append(_none(part, "no fit of its group") if fit is None else _adjusted(part, fit))
    factors = (
        pl.concat(parts).select("observation_id", FACTOR, FACTOR_SE, REASON)
        if parts
        else _none(rows, "").select("observation_id", FACTOR, FACTOR_SE, REASON)
    )
    joined = observations.drop(FACTOR, FACTOR_SE, ADJUSTED, REASON, strict=False).join(
        factors, on="observation_id", how="left", maintain_order="left"
    )
    made = joined.with_columns((pl.col("price") * pl.col(FACTOR)).alias(ADJUSTED)).select(pl.exclude(REASON), REASON)
    return Normalised(model=model, observations=made, fits=fits, refused=refused, since=since, until=until)


def group_of(model: Model) -> pl.Expr:
    """Name of the group of a row: the values of the model's `by` columns."""
    if not model.by:
        return pl.lit(EVERYTHING)
    return pl.concat_str([pl.col(column).cast(pl.String).fill_null("none") for column in model.by], separator=" / ")


def _fits(rows: pl.DataFrame, model: Model) -> tuple[dict[str, HedonicFit], dict[str, str]]:
    """The fit of each group, and why there is none of the others."""
    if rows.is_empty():
        raise InputError.of(NAME, f"rows in the window of {model.name}", value="none")
    fits: dict[str, HedonicFit] = {}
    refused: dict[str, InputError] = {}
    for (group,), part in sorted(rows.group_by(CODE), key=lambda found: str(found[0][0])):
        try:
            fits[str(group)] = fit_hedonic(part.drop(CODE), model)
        except InputError as error:
            refused[str(group)] = error
    if not fits:
        named = [(group, fault) for group, error in refused.items() for fault in error.faults]
        raise InputError(
            Fault(
                file=fault.file if group == EVERYTHING else f"{fault.file} of {group}",
                row=fault.row,
                column=fault.column,
                value=fault.value,
                expected=fault.expected,
            )
            for group, fault in named
        )
    return fits, {group: brief(error) for group, error in refused.items()}


def _none(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    empty = pl.lit(None, dtype=pl.Float64)
    return rows.select("observation_id", empty.alias(FACTOR), empty.alias(FACTOR_SE), pl.lit(reason).alias(REASON))


def _adjusted(rows: pl.DataFrame, fit: HedonicFit) -> pl.DataFrame:
    """Factors of one group's described rows, worked out once for each specification."""
    columns = [one.column for one in fit.model.adjusted]
    if not columns:
        return _none(rows, "the model adjusts for nothing").with_columns(
            pl.lit(1.0).alias(FACTOR), pl.lit(0.0).alias(FACTOR_SE), pl.lit(None, dtype=pl.String).alias(REASON)
        )
    kinds = rows.select(columns).unique().sort(columns).with_row_index(CODE)
    reasons = kinds.select(pl.coalesce(_lacking(fit), _unseen(fit)).alias(REASON))[REASON]
    apart = np.column_stack([_difference(kinds, fit, term) for term in fit.terms]) if fit.terms else np.zeros((kinds.height, 0))
    gamma = fit.coefficients["coefficient"].to_numpy()
    variance = np.einsum("ij,jk,ik->i", apart, fit.covariance, apart)
    unknown = reasons.is_null() & pl.Series(_untold(kinds, fit, apart))
    left = ", ".join(str(one.term) for one in fit.left)
    told = kinds.with_columns(
        pl.Series(FACTOR, np.exp(-apart @ gamma)),
        pl.Series(FACTOR_SE, np.sqrt(np.maximum(variance, 0.0))),
        pl.when(unknown).then(pl.lit(f"what it differs in cannot be told apart: {left}")).otherwise(reasons).alias(REASON),
    ).with_columns(pl.when(pl.col(REASON).is_null()).then(pl.col(FACTOR, FACTOR_SE)))
    found = rows.select("observation_id", *columns).join(told, on=columns, how="left", nulls_equal=True, maintain_order="left")
    return found.select("observation_id", FACTOR, FACTOR_SE, REASON)


def _lacking(fit: HedonicFit) -> pl.Expr:
    return pl.coalesce(pl.when(pl.col(one.column).is_null()).then(pl.lit(f"no {one.column}")) for one in fit.model.adjusted)


def _unseen(fit: HedonicFit) -> pl.Expr:
    """The first category whose value no row of the fit had."""
    parts = [pl.lit(None, dtype=pl.String)]
    for one in fit.model.adjusted:
        if one.form == "category":
            known = [term.level for term in [*fit.terms, *(left.term for left in fit.left)] if term.column == one.column]
            told = pl.format("{} {} is not in the fit", pl.lit(one.column), pl.col(one.column))
            parts.append(pl.when(~pl.col(one.column).is_in([*known, str(one.base)])).then(told))
    return pl.coalesce(parts)


def _difference(kinds: pl.DataFrame, fit: HedonicFit, term: Term) -> Any:
    """(kinds,) what a specification differs by from the base in one column of the regression; 0 in what is only controlled for."""
    base = next((one.base for one in fit.model.adjusted if one.column == term.column), None)
    if base is None:
        return np.zeros(kinds.height)
    own = kinds[term.column]
    if term.level is not None:
        return (own == term.level).fill_null(False).cast(pl.Float64).to_numpy()
    return (own - (np.log(float(base)) if term.form == "log" else float(base))).fill_null(0.0).to_numpy()


def _untold(kinds: pl.DataFrame, fit: HedonicFit, apart: Any) -> Any:
    """(kinds,) whether a specification differs from the base in what the fit could not tell apart.

    A difference d has a price only if it is orthogonal to every combination that the rows leave at 0: of a column that was left out,
    d must be what the others' differences make of it.
    """
    unknown = np.zeros(kinds.height, dtype=bool)
    for left in fit.left:
        made = np.zeros(kinds.height)
        for term, share in zip(left.others, left.shares, strict=True):
            made += share * apart[:, fit.terms.index(term)]
        own = _difference(kinds, fit, left.term)
        unknown |= np.abs(own - made) > NEAR * np.maximum(1.0, np.abs(own))
    return unknown

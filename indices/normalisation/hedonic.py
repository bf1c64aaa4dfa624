"""Hedonic regression, solved by cells: log price on the characteristics of an offer and a dummy of each period, with standard errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import t as student

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.indices.normalisation.characteristics import Model
from tenorgrid.indices.normalisation.design import COUNT, NAME, Cells, Design, Term, complete, described, design, without
from tenorgrid.indices.normalisation.time_dummy import CONFIDENCE, interval
from tenorgrid.indices.normalisation.two_way import Codes, Matrix, Vector

DEPENDENT = 1e-9  # of a column's length: what is left of it beside the others and the periods, below which it is none of its own
TOGETHER = 1e-6  # of a column's size: what is further apart between two periods than this is a difference
NORMAL = 1.4826  # standard deviations in a median absolute deviation of a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A column that is none of its own: `term` = Σ share · term of `others`, as far as the periods do not tell."""

    term: Term
    why: str
    others: tuple[Term, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class HedonicFit:
    """What a fit found.

    `coefficients`: term, characteristic, form, level, reference, coefficient (of the log price), se, t, lower, upper, rows, lowest and
    highest. `periods`: period, value (the time-dummy index, 1 in the first), se, lower, upper, rows; null in periods that cannot be
    compared with those that have most rows, as what was left out differs between them. `covariance` is of the coefficients.
    """

    model: Model
    coefficients: pl.DataFrame = field(repr=False)
    periods: pl.DataFrame = field(repr=False)
    covariance: Matrix = field(repr=False)
    terms: tuple[Term, ...] = field(repr=False)
    left: tuple[Left, ...]
    rows: int
    cells: int
    clusters: int  # 1 where errors are not clustered
    excluded: int  # as outliers
    incomplete: int  # rows without a value of some characteristic
    free: int
    sigma: float
    r_squared: float


def fit_hedonic(rows: pl.DataFrame, model: Model, *, confidence: float = CONFIDENCE) -> HedonicFit:
    r"""Least squares of :math:`\ln p_i = x_i \gamma + \delta_{t(i)} + e_i`.

    Rows with equal characteristics, period and cluster are pooled into cells; the periods are taken out cell by cell (Frisch and Waugh
    1933), so that what is solved has a column a characteristic. Errors of a row's own variance (HC1) and of clusters are exact by cells.
    A category's effects are against its base, failing one against its first value.

    Args:
        rows: `Observations` with attributes, or what `pool` made of them; `model.by` is not looked at.
        model: the regression.
        confidence: of intervals, by Student's t.

    Raises `InputError` with every fault: columns that are not there or have the wrong type, prices not above 0, too few rows, a base that
    no row has, and columns that are a combination of others, each named with these.

    Source: J. Triplett, Handbook on hedonic indexes, OECD (2006), chapter III (time dummies).

    >>> from tenorgrid.indices.normalisation.characteristics import Characteristic, Model
    >>> day, more = pl.datetime_range(pl.datetime(2027, 1, 1), pl.datetime(2027, 1, 2), "1d", time_zone="UTC", eager=True), [1, 2, 4, 8]
    >>> rows = pl.DataFrame([(when, size, 2 * size**0.1) for when in day for size in more], schema=["time", "n", "price"], orient="row")
    >>> model = Model(name="m", source="-", characteristics=(Characteristic(column="n", form="log"),), at_least=1)
    >>> fit = fit_hedonic(rows.with_columns(observation_id=pl.int_range(pl.len()).cast(pl.String)), model)
    >>> fit.coefficients["coefficient"].round(9).item(), fit.periods["value"].round(9).to_list()
    (0.1, [1.0, 1.0])
    """
    seen = described(rows, model).sort("observation_id")  # sums in one order: the same to the last bit
    whole = seen.filter(complete(model))
    made, left, part = _designed(whole, model)
    excluded = 0
    if model.outliers is not None:
        residual = np.abs(whole["price"].log().to_numpy() - _solved(made.cells).fitted[made.cell])
        limit = model.outliers * NORMAL * float(np.median(residual))
        kept = whole.filter(pl.Series(residual <= limit)) if limit > 0 else whole
        excluded = whole.height - kept.height
        if excluded:
            whole = kept
            made, left, part = _designed(whole, model)
    incomplete = seen.filter(~complete(model))
    missing = int(incomplete[COUNT].sum()) if COUNT in incomplete.columns else incomplete.height
    return _told(model, made, left=left, part=part, excluded=excluded, incomplete=missing, confidence=confidence)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Solved:
    """The numbers of a fit."""

    gamma: Vector
    inverse: Matrix  # of X̃ᵀ W X̃
    centre: Matrix  # (periods, terms) mean design row
    effect: Vector  # (periods,)
    mass: Vector  # (periods,)
    fitted: Vector  # (cells,)
    apart: Matrix  # (cells, terms) design less the period's mean


def _designed(rows: pl.DataFrame, model: Model) -> tuple[Design, tuple[Left, ...], Codes]:
    """Cells of the rows, columns left out, and the part that each period belongs to (`_parts`). Raises `InputError` for too few rows,
    bases that none has, and columns that depend on others where these are not to be left out."""
    if rows.is_empty():
        raise InputError.of(NAME, f"rows with a value of every characteristic of {model.name}", value="none")
    made = design(rows, model)
    coefficients = len(made.terms) + len(made.periods)
    faults = [
        Fault(file=NAME, column=one.column, value=f"no row with {one.base}", expected=f"rows with the base of {model.name}")
        for one in model.adjusted
        if one.form == "category" and made.references[one.column] != one.base
    ]
    count = int(made.cells.count.sum())
    if count < coefficients + model.at_least:
        value = f"{count} rows for {coefficients} coefficients"
        faults.append(Fault(file=NAME, value=value, expected=f"at least {model.at_least} rows more than coefficients"))
    if model.errors == "cluster" and made.clusters < 2:
        faults.append(Fault(file=NAME, column=model.cluster, value="one value", expected="at least two clusters"))
    left = _dependent(made)
    if model.dependent == "refuse":
        faults += [Fault(file=NAME, column=one.term.column, value=f"{one.term}: {one.why}", expected="a column of its own") for one in left]
    if faults:
        raise InputError(faults)
    return (without(made, [one.term for one in left]) if left else made), left, _parts(made, left)


def _apart(cells: Cells, periods: int) -> tuple[Vector, Matrix, Matrix]:
    """Weight and mean design row of each period, and design rows less these."""
    mass = np.bincount(cells.period, cells.weight, periods).astype(np.float64, copy=False)
    centre = _stacked([np.bincount(cells.period, cells.weight * column, periods) / mass for column in cells.design.T], periods)
    return mass, centre, cells.design - centre[cells.period]


def _stacked(columns: Sequence[npt.NDArray[Any]], rows: int) -> Matrix:
    """Columns side by side; every characteristic may have been left out, and then there are none."""
    return np.column_stack(columns) if columns else np.empty((rows, 0))


def _dependent(made: Design) -> tuple[Left, ...]:
    """Each column that is a combination of those before it and the periods, named with them."""
    cells = made.cells
    _, _, apart = _apart(cells, len(made.periods))
    root = np.sqrt(cells.weight)
    scaled, level = root[:, None] * apart, cells.weight @ cells.design / cells.weight.sum()
    kept: list[int] = []
    basis = np.empty((root.size, len(made.terms)), order="F")
    left = []
    for at in range(len(made.terms)):
        length = float(np.linalg.norm(root * (cells.design[:, at] - level[at])))
        others = basis[:, : len(kept)]
        rest = scaled[:, at] - others @ (others.T @ scaled[:, at])
        rest -= others @ (others.T @ rest)  # twice is enough
        if length > DEPENDENT * float(np.linalg.norm(root * cells.design[:, at])) and np.linalg.norm(rest) > DEPENDENT * length:
            basis[:, len(kept)] = rest / np.linalg.norm(rest)
            kept.append(at)
        else:
            left.append(_left(made, at, kept, scaled, length))
    return tuple(left)


def _left(made: Design, at: int, kept: list[int], scaled: Matrix, length: float) -> Left:
    term = made.terms[at]
    own = float(np.linalg.norm(scaled[:, at]))
    if own <= DEPENDENT * max(length, 1e-300):
        constant = bool(np.ptp(made.cells.design[:, at]) == 0)
        return Left(term=term, why="one value in every row" if constant else "the same in every row of a period", others=(), shares=())
    share = np.linalg.lstsq(scaled[:, kept], scaled[:, at], rcond=None)[0]
    parts = np.linalg.norm(scaled[:, kept], axis=0) * np.abs(share)
    named = [(made.terms[one], float(size)) for one, size, part in zip(kept, share, parts, strict=True) if part > 1e-6 * own]
    why = f"a combination of {', '.join(str(one) for one, _ in named)} and the periods"
    return Left(term=term, why=why, others=tuple(one for one, _ in named), shares=tuple(size for _, size in named))


def _parts(made: Design, left: tuple[Left, ...]) -> Codes:
    """(periods,) periods whose effects can be compared have one number.

    What a column that was left out has over the others is a function of the period. Where it differs between two periods, as for a provider
    who is alone in the second and absent in the first, the change of the price and that of the mix cannot be told apart.
    """
    _, centre, _ = _apart(made.cells, len(made.periods))
    over = np.zeros((len(made.periods), len(left)))
    for at, one in enumerate(left):
        column = centre[:, made.terms.index(one.term)]
        others = [share * centre[:, made.terms.index(term)] for term, share in zip(one.others, one.shares, strict=True)]
        over[:, at] = column - np.sum(others, axis=0) if others else column
    size = np.maximum(np.abs(over).max(axis=0, initial=0.0), 1.0)
    return np.asarray(np.unique(np.round(over / size / TOGETHER), axis=0, return_inverse=True)[1]).ravel()


def _solved(cells: Cells) -> _Solved:
    periods = int(cells.period.max()) + 1
    mass, centre, apart = _apart(cells, periods)
    level = np.bincount(cells.period, cells.weight * cells.mean, periods) / mass
    root = np.sqrt(cells.weight)
    q, r = np.linalg.qr(root[:, None] * apart)
    gamma = np.linalg.solve(r, q.T @ (root * (cells.mean - level[cells.period])))
    upper = np.linalg.inv(r)
    effect = level - centre @ gamma
    return _Solved(
        gamma=gamma, inverse=upper @ upper.T, centre=centre, effect=effect, mass=mass,
        fitted=cells.design @ gamma + effect[cells.period], apart=apart,
    )  # fmt: skip


def _variances(cells: Cells, found: _Solved, *, made: Design, base: int, errors: str, squares: float, free: int) -> tuple[Matrix, Vector]:
    """Covariance of the coefficients, and variances of the periods' effects less the base's."""
    towards = (found.centre - found.centre[base]) @ found.inverse
    residual = cells.mean - found.fitted
    periods, rows = found.mass.size, int(cells.count.sum())
    each = found.mass
    if errors == "classical":
        scale = squares / free
        spread = 1 / each + 1 / each[base] + np.einsum("ij,ij->i", towards, found.centre - found.centre[base])
        return scale * found.inverse, scale * spread
    if errors == "cluster":
        pull = cells.weight * residual
        groups = made.clusters
        z = _stacked([np.bincount(cells.cluster, pull * column, groups) for column in found.apart.T], groups)
        u = np.bincount(cells.cluster * periods + cells.period, pull, groups * periods).reshape(groups, periods)
        score = u / each - u[:, base : base + 1] / each[base] - z @ towards.T
        scale = groups / (groups - 1) * (rows - 1) / free
        return scale * found.inverse @ (z.T @ z) @ found.inverse, scale * np.einsum("ij,ij->j", score, score)
    squared = cells.spread2 + cells.square * (cells.mean2 - found.fitted) ** 2
    meat = found.apart.T @ (squared[:, None] * found.apart)
    sizes = np.bincount(cells.period, squared, periods)
    moved = _stacked([np.bincount(cells.period, squared * column, periods) for column in found.apart.T], periods) / each[:, None]
    spread = sizes / each**2 + sizes[base] / each[base] ** 2 - 2 * np.einsum("ij,ij->i", towards, moved - moved[base])
    spread += np.einsum("ij,ij->i", towards @ meat, towards)
    scale = rows / free
    return scale * found.inverse @ meat @ found.inverse, scale * spread


def _told(
    model: Model,
    made: Design,
    *,
    left: tuple[Left, ...],
    part: Codes,
    excluded: int,
    incomplete: int,
    confidence: float,
) -> HedonicFit:
    cells, found = made.cells, _solved(made.cells)
    residual = cells.mean - found.fitted
    squares = float(cells.spread.sum() + cells.weight @ residual**2)
    apart = cells.mean - cells.weight @ cells.mean / cells.weight.sum()
    total = float(cells.spread.sum() + cells.weight @ apart**2)
    rows = int(cells.count.sum())
    free = rows - len(made.terms) - len(made.periods)
    mine = part == np.bincount(part[cells.period], cells.count).argmax()  # the part with most rows
    base = int(np.argmax(mine))
    covariance, spread = _variances(cells, found, made=made, base=base, errors=model.errors, squares=squares, free=free)
    spread[base] = 0.0
    wide = made.clusters - 1 if model.errors == "cluster" else free
    return HedonicFit(
        model=model,
        coefficients=_coefficients(made, found, covariance, free=wide, confidence=confidence),
        periods=_periods(made, found, spread, mine=mine, free=wide, confidence=confidence),
        covariance=covariance,
        terms=made.terms,
        left=left,
        rows=rows,
        cells=cells.weight.size,
        clusters=made.clusters,
        excluded=excluded,
        incomplete=incomplete,
        free=free,
        sigma=float(np.sqrt(squares / free)),
        r_squared=1 - squares / total if total > 0 else float("nan"),
    )


def _coefficients(made: Design, found: _Solved, covariance: Matrix, *, free: int, confidence: float) -> pl.DataFrame:
    forms = {one.column: one.form for one in made.terms}
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))  # rounding may leave less than nothing
    reach = float(student.ppf((1 + confidence) / 2, free))
    told: list[dict[str, Any]] = []
    for term, value, error, own in zip(made.terms, found.gamma, se, made.cells.design.T, strict=True):
        there = int(made.cells.count.sum() if term.level is None else made.cells.count[own == 1].sum())
        ends: tuple[Any, Any] = (None, None) if term.level is not None else (own.min(), own.max())
        lowest, highest = (None if end is None else float(np.exp(end) if forms[term.column] == "log" else end) for end in ends)
        told.append(
            {
                "term": str(term), "characteristic": term.column, "form": term.form, "level": term.level,
                "reference": made.references.get(term.column),
                "coefficient": value, "se": error, "t": value / error if error > 0 else None, "lower": value - reach * error,
                "upper": value + reach * error, "rows": there, "lowest": lowest, "highest": highest,
            }
        )  # fmt: skip
    text, number = pl.String(), pl.Float64()
    schema = dict.fromkeys(("term", "characteristic", "form", "level", "reference"), text) | dict.fromkeys(
        ("coefficient", "se", "t", "lower", "upper"), number
    )
    return pl.DataFrame(told, schema={**schema, "rows": pl.Int64(), "lowest": number, "highest": number})


def _periods(made: Design, found: _Solved, spread: Vector, *, mine: npt.NDArray[np.bool_], free: int, confidence: float) -> pl.DataFrame:
    """The index, 1 in the first period of the part that is meant; null in the others."""
    value = pl.Series("value", np.exp(found.effect - found.effect[int(np.argmax(mine))]))
    se = pl.Series("se", np.sqrt(np.maximum(spread, 0.0)))
    rows = np.bincount(made.cells.period, made.cells.count, len(made.periods)).astype(np.int64)
    ends = interval(value, se, free=free, confidence=confidence)
    told = pl.DataFrame(
        [pl.Series("period", list(made.periods), dtype=pl.Datetime("us", "UTC")), value, se, *ends, pl.Series("rows", rows)]
    )
    return told.with_columns(pl.when(pl.Series(mine)).then(pl.col("value", "se", "lower", "upper")))

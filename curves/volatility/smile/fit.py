r"""SABR and SVI smiles of option quotes, one for each expiry, calibrated by QuantLib.

SABR (Hagan, Kumar, Lesniewski and Woodward 2002, Wilmott): α, ν, ρ at a given β, from lognormal or normal volatilities. SVI (Gatheral
2004): total variance :math:`w(k) = a + b (\rho (k - m) + \sqrt{(k - m)^2 + \sigma^2})` at k = ln K / F, from lognormal ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.smile.arbitrage import arbitrages, years_between
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import SmileModel, SmileQuote
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.volatility import OptionQuotes, SmileParameters, SmilePoints

FREE = {SmileModel.SABR: 3, SmileModel.SVI: 5}
STEPS = 100_000
EXACT = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Smile:
    """One expiry's smile."""

    contract: str
    expiry: datetime
    model: SmileModel
    quoted: SmileQuote
    forward: float
    years: float
    parameters: Mapping[str, float]
    rms: float
    worst: float

    def volatility(self, strikes: Vector) -> Vector:
        """Volatility (n,) at strikes (n,), in the kind that was quoted."""
        return _volatility(self.model, self.quoted, self.forward, self.years, self.parameters, strikes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Smiles:
    """Smiles by expiry, their `SmileParameters`, `SmilePoints`, and the `SmileArbitrages` of the quotes."""

    smiles: tuple[Smile, ...] = field(repr=False)
    parameters: pl.DataFrame = field(repr=False)
    points: pl.DataFrame = field(repr=False)
    arbitrages: pl.DataFrame = field(repr=False)


def fit_smiles(quotes: pl.DataFrame, *, model: SmileModel | str = SmileModel.SABR, beta: float = 1.0) -> Smiles:
    """A smile for every expiry, and the arbitrages that the quotes hold.

    Args:
        quotes: `OptionQuotes` of one moment.
        model: sabr or svi.
        beta: of SABR: 1 is lognormal, 0 normal.

    Raises `InputError` with every fault: another model, no quote, several moments, expiries that have passed, fewer strikes than a smile
    has parameters, several forwards or kinds in one expiry, strikes without a logarithm, normal volatilities for SVI.
    """
    if model not in list(SmileModel):
        raise InputError.of("smile", f"one of {', '.join(SmileModel)}", column="model", value=model)
    chosen = SmileModel(model)
    table = checked(quotes, OptionQuotes, name="option quotes").sort("contract", "expiry", "strike")
    if faults := _faults(table, chosen, beta):
        raise InputError(faults)
    parts = [part for _, part in table.group_by("contract", "expiry", maintain_order=True)]
    smiles = tuple(_fit(part, chosen, beta) for part in parts)
    points = pl.concat(
        part.select("contract", "expiry", "strike", quoted="volatility").with_columns(volatility=one.volatility(part["strike"].to_numpy()))
        for part, one in zip(parts, smiles, strict=True)
    )
    rows = [
        {
            "contract": one.contract,
            "expiry": one.expiry,
            "model": str(chosen),
            "name": name,
            "value": value,
            "rms": one.rms,
            "worst": one.worst,
        }
        for one in smiles
        for name, value in one.parameters.items()
    ]
    frame = SmileParameters.validate(pl.DataFrame(rows, schema=SmileParameters.create_empty().schema), cast=True)
    return Smiles(smiles=smiles, parameters=frame, points=SmilePoints.validate(points, cast=True), arbitrages=arbitrages(table))


def _faults(table: pl.DataFrame, model: SmileModel, beta: float) -> list[Fault]:
    file = "option quotes"
    if table.is_empty():
        return [Fault(file=file, expected="at least one row")]
    faults = []
    if not 0 <= beta <= 1:
        faults.append(Fault(file="smile", column="beta", value=f"{beta}", expected="a number from 0 to 1"))
    if table["as_of"].n_unique() > 1:
        faults.append(Fault(file=file, column="as_of", value=f"{table['as_of'].n_unique()} moments", expected="quotes of one moment"))
    for (contract, expiry), part in table.group_by("contract", "expiry", maintain_order=True):
        named = f"{contract} {expiry}"
        if part.height < FREE[model]:
            faults.append(
                Fault(file=file, column="strike", value=f"{part.height} of {named}", expected=f"at least {FREE[model]} for {model}")
            )
        if part["expiry"][0] <= part["as_of"][0]:
            faults.append(Fault(file=file, column="expiry", value=named, expected="expiries after as_of"))
        faults += [
            Fault(file=file, column=column, value=f"several of {named}", expected="one of each expiry")
            for column in ("forward", "quoted")
            if part[column].n_unique() > 1
        ]
        kinds = set(part["quoted"].cast(pl.String))
        if model is SmileModel.SVI and str(SmileQuote.NORMAL) in kinds:
            faults.append(Fault(file=file, column="quoted", value=f"normal of {named}", expected="lognormal volatilities for svi"))
        needs_logarithm = str(SmileQuote.LOGNORMAL) in kinds or beta > 0
        if needs_logarithm and not part.filter((pl.col("strike") <= 0) | (pl.col("forward") <= 0)).is_empty():
            faults.append(Fault(file=file, column="strike", value=f"0 or less in {named}", expected="strikes and forwards above 0"))
    return faults


def _fit(part: pl.DataFrame, model: SmileModel, beta: float) -> Smile:
    quoted = SmileQuote(part["quoted"][0])
    forward, years = float(part["forward"][0]), years_between(part["as_of"][0], part["expiry"][0])
    strikes, volatility = part["strike"].to_numpy(), part["volatility"].to_numpy()
    search = _sabr if model is SmileModel.SABR else _svi
    parameters = search(forward, years, strikes, volatility, quoted, beta)
    missed = _volatility(model, quoted, forward, years, parameters, strikes) - volatility
    return Smile(
        contract=part["contract"][0], expiry=part["expiry"][0], model=model, quoted=quoted, forward=forward, years=years,
        parameters=parameters, rms=float(np.sqrt((missed**2).mean())), worst=float(np.abs(missed).max()),
    )  # fmt: skip


def _end() -> Any:
    import QuantLib as ql

    return ql.EndCriteria(STEPS, 1000, EXACT, EXACT, EXACT)


def _kind(quoted: SmileQuote) -> Any:
    import QuantLib as ql

    return ql.Normal if quoted is SmileQuote.NORMAL else ql.ShiftedLognormal


def _sabr(forward: float, years: float, strikes: Vector, volatility: Vector, quoted: SmileQuote, beta: float) -> dict[str, float]:
    import QuantLib as ql

    middle = float(np.interp(forward, strikes, volatility))
    alpha = middle * forward ** (-beta if quoted is SmileQuote.NORMAL else 1 - beta) if forward > 0 else middle
    found = ql.SABRInterpolation(
        ql.Array(strikes.tolist()), ql.Array(volatility.tolist()), years, forward, alpha, beta, 0.5, 0.0, False, True, False, False,
        False, _end(), ql.LevenbergMarquardt(EXACT, EXACT, EXACT), EXACT, False, 50, 0.0, _kind(quoted),
    )  # fmt: skip
    found(forward)
    return {"alpha": found.alpha(), "beta": found.beta(), "nu": found.nu(), "rho": found.rho()}


def _svi(forward: float, years: float, strikes: Vector, volatility: Vector, quoted: SmileQuote, beta: float) -> dict[str, float]:
    import QuantLib as ql

    days = max(round(years * 365), 1)  # QuantLib takes whole days here; total variance, which SVI is a form of, is kept
    scaled = volatility * np.sqrt(years * 365 / days)
    least = float((scaled**2).min() * days / 365)
    found = ql.SviInterpolatedSmileSection(
        ql.Settings.instance().evaluationDate + days, forward, strikes.tolist(), False, float(np.interp(forward, strikes, scaled)),
        scaled.tolist(), least / 2, 0.1, 0.2, 0.0, 0.0, False, False, False, False, False, False, _end(),
        ql.LevenbergMarquardt(EXACT, EXACT, EXACT),
    )  # fmt: skip
    found.volatility(forward)
    return {"a": found.a(), "b": found.b(), "sigma": found.sigma(), "rho": found.rho(), "m": found.m()}


def _volatility(
    model: SmileModel, quoted: SmileQuote, forward: float, years: float, parameters: Mapping[str, float], strikes: Vector
) -> Vector:
    import QuantLib as ql

    if model is SmileModel.SABR:
        values = [parameters[name] for name in ("alpha", "beta", "nu", "rho")]
        return np.array([ql.sabrVolatility(float(strike), forward, years, *values, _kind(quoted)) for strike in strikes])
    section = ql.SviSmileSection(years, forward, [parameters[name] for name in ("a", "b", "sigma", "rho", "m")])
    return np.array([section.volatility(float(strike)) for strike in strikes])

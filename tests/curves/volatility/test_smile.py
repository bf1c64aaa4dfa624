"""Smiles: parameters that made quotes are found again, formulas beside QuantLib's, arbitrage by name."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.smile.arbitrage import arbitrages, calls
from tenorgrid.curves.volatility.smile.fit import fit_smiles
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import SmileQuote

AS_OF = datetime(2027, 3, 1, tzinfo=UTC)
STRIKES = np.linspace(1.6, 3.8, 9)
F = 2.5


def quotes(
    volatility: Vector, *, days: int = 180, strikes: Vector = STRIKES, quoted: str = "lognormal", forward: float = F
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "as_of": [AS_OF] * strikes.size, "contract": "GPU1U27", "expiry": AS_OF + timedelta(days=days), "strike": strikes,
            "forward": forward, "volatility": volatility, "quoted": quoted,
        }
    )  # fmt: skip


def hagan(strikes: Vector, years: float, alpha: float, nu: float, rho: float) -> Vector:
    """Hagan and others' formula at β = 1, written out."""
    z = nu / alpha * np.log(F / strikes)
    x = np.log((np.sqrt(1 - 2 * rho * z + z**2) + z - rho) / (1 - rho))
    ratio = np.where(np.abs(z) < 1e-9, 1.0, z / np.where(np.abs(z) < 1e-9, 1.0, x))
    return np.asarray(alpha * ratio * (1 + (rho * nu * alpha / 4 + (2 - 3 * rho**2) * nu**2 / 24) * years))


def svi(strikes: Vector, years: float, a: float, b: float, sigma: float, rho: float, m: float) -> Vector:
    k = np.log(strikes / F)
    return np.asarray(np.sqrt((a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))) / years))


def test_sabr_finds_the_parameters_that_hagan_s_formula_was_given() -> None:
    made = fit_smiles(quotes(hagan(STRIKES, 180 / 365, 0.4, 0.8, -0.3)))
    smile = made.smiles[0]
    assert smile.parameters == pytest.approx({"alpha": 0.4, "beta": 1.0, "nu": 0.8, "rho": -0.3}, abs=1e-6)
    assert smile.worst < 1e-8
    between = np.array([1.85, 2.5, 3.3])
    assert smile.volatility(between) == pytest.approx(hagan(between, 180 / 365, 0.4, 0.8, -0.3), abs=1e-7)
    assert made.arbitrages.is_empty()
    assert made.parameters["name"].to_list() == ["alpha", "beta", "nu", "rho"]


def test_sabr_of_normal_volatilities_at_the_money_is_hagan_s_expansion() -> None:
    """β = 0: σ_N(F) = α (1 + (2 − 3 ρ²) ν² T / 24)."""
    level = 0.9 * (1 + (2 - 3 * 0.2**2) * 0.5**2 / 24 * 180 / 365)
    made = fit_smiles(quotes(np.full(9, level), quoted="normal"), beta=0.0)
    assert made.smiles[0].volatility(np.array([F])) == pytest.approx([level], rel=1e-4)
    assert made.smiles[0].quoted == "normal"


@pytest.mark.parametrize("hours", [0, 7])
def test_svi_finds_the_parameters_that_made_the_quotes(hours: int) -> None:
    years = (180 + hours / 24) / 365
    true = {"a": 0.04, "b": 0.2, "sigma": 0.3, "rho": -0.4, "m": 0.05}
    table = quotes(svi(STRIKES, years, **true)).with_columns(pl.col("expiry") + timedelta(hours=hours))
    smile = fit_smiles(table, model="svi").smiles[0]
    assert smile.worst < 1e-6
    between = np.array([1.7, 2.2, 3.0])
    assert smile.volatility(between) == pytest.approx(svi(between, years, **true), abs=1e-5)


def test_prices_are_integrals_of_payoffs() -> None:
    for quoted in SmileQuote:
        price = calls(F, np.array([2.7]), np.array([0.6]), years=0.5, quoted=quoted)[0]
        deviation = 0.6 * 0.5**0.5

        def paid(z: float, quoted: SmileQuote = quoted, deviation: float = deviation) -> float:
            end = F + deviation * z if quoted is SmileQuote.NORMAL else F * np.exp(deviation * z - deviation**2 / 2)
            return float(max(end - 2.7, 0.0) * norm.pdf(z))

        assert price == pytest.approx(quad(paid, -12, 12, points=[0.3], limit=400)[0], abs=1e-8)


def test_a_smile_without_arbitrage_stays_so_when_scaled_and_a_butterfly_is_named() -> None:
    good = hagan(STRIKES, 180 / 365, 0.4, 0.5, -0.2)
    assert arbitrages(quotes(good)).is_empty()
    assert arbitrages(quotes(good, strikes=10 * STRIKES, forward=10 * F)).is_empty()
    bad = good.copy()
    bad[4] += 0.15
    found = arbitrages(quotes(bad))
    assert found["kind"].to_list() == ["butterfly"]
    assert found["strikes"][0] == "2.425;2.7;2.975"
    price = calls(F, STRIKES, bad, years=180 / 365, quoted=SmileQuote.LOGNORMAL)
    assert found["size"][0] == pytest.approx(price[4] - (price[3] + price[5]) / 2, rel=1e-12)


def test_calls_that_rise_with_the_strike_and_variance_that_falls_with_the_expiry_are_named() -> None:
    steep = hagan(STRIKES, 180 / 365, 0.4, 0.5, -0.2)
    steep[7:] *= 3
    assert "monotone" in arbitrages(quotes(steep))["kind"].to_list()
    both = pl.concat([quotes(np.full(9, 0.8), days=90), quotes(np.full(9, 0.5), days=180)])
    found = arbitrages(both)
    assert set(found["kind"]) == {"calendar"}  # 0.64 × 90 > 0.25 × 180
    assert found.height == 9
    assert (found["expiry"] == AS_OF + timedelta(days=180)).all()
    other = both.with_columns(contract=pl.when(pl.col("volatility") > 0.6).then(pl.lit("A")).otherwise(pl.lit("B")))
    assert arbitrages(other).is_empty()  # of two underlyings nothing follows


def test_too_few_strikes_and_other_faults_are_refused_at_once() -> None:
    with pytest.raises(InputError, match="expected at least 5 for svi"):
        fit_smiles(quotes(np.full(4, 0.5), strikes=STRIKES[:4]), model="svi")
    with pytest.raises(InputError, match="expected at least 3 for sabr"):
        fit_smiles(quotes(np.full(2, 0.5), strikes=STRIKES[:2]))
    with pytest.raises(InputError, match="one of sabr, svi"):
        fit_smiles(quotes(np.full(9, 0.5)), model="heston")
    with pytest.raises(InputError) as caught:
        fit_smiles(quotes(np.full(9, 0.5), days=-3, quoted="normal"), model="svi")
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="at least one row"):
        fit_smiles(quotes(np.full(9, 0.5)).clear())

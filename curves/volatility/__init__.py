"""Volatility of marks: realised, the GARCH family, EWMA, HAR, jumps, ranges, correlations, smiles, and what a trailing window does."""

from tenorgrid.curves.volatility.fit import Model, fit_volatility

__all__ = ["Model", "fit_volatility"]

"""Smiles of option quotes: SABR and SVI through QuantLib, and the arbitrages that quotes hold."""

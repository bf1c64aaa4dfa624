"""Simulated prices whose mean is the forward curve."""

"""Baskets: marks of several indices made into one series, by the formulas of price statistics."""

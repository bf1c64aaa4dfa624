"""Curve shapes by name: what a curve is between the knots, and what of it is least."""

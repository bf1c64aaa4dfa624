"""Figures: one function each, a declared table in, a plotly Figure out; beside them the sums that they draw."""

"""Risk of a position on a curve: deltas by quote and by month, scenarios, and what time alone does."""

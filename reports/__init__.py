"""Reports: one self-contained HTML page made from a run's tables, and nothing but its tables."""

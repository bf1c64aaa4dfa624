"""Sections of the report: each makes itself from a run, or says None where the run has no data for it."""

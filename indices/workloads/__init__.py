"""Workload indices: what a unit of work costs by the cheapest recipe at the day's marks."""

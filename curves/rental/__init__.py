"""Rental rates: par rates by tenor, the forwards in them, and what generations of GPUs are worth beside one another."""

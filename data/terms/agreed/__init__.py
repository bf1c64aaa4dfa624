"""Trades of every kind as frames of terms, read many at a time."""

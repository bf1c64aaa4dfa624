"""Trades as a desk writes them: one small frozen thing each, which is a row of `Trades`."""

"""Marks of observations that need not fit into memory: days by days, with what each leaves to the next."""

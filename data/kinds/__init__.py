"""Closed sets of values: each is an enumeration, and a table or a file that holds another value is refused."""

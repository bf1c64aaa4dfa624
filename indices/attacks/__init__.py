"""Attacks on marks: rows that somebody adds or spoils, the same rule over them, and how far the mark moves."""

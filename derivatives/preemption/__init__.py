"""The right of recall: what it is worth in an hour (`option`) and over a term (`strip`, `term`), and what cleared spreads imply (`fit`)."""

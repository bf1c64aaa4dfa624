"""How fast is it, and against whom? `python -m benchmarks` prints the table of docs/benchmarks.md again."""

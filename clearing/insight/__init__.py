"""What the published tables of a run say when they are asked: read from the tables and the orders alone, without the engine."""

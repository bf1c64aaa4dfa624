"""Who owes what, and how far is an exposure from the index? From published prices and awards to a balanced ledger, statements and basis."""

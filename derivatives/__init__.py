"""What a contract is worth and what moves it."""

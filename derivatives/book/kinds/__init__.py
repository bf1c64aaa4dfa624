"""Pricing of trades, one family of kinds a module: `price(trades, market) -> Priced`."""

"""What a price will be, and how sure we are: forward curves, their bands, volatility and discounting."""

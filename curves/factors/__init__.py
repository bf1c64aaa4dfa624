"""Factor models of prices: Schwartz and Smith's, Schwartz's of 1997, Ornstein and Uhlenbeck's with jumps, and a spread."""

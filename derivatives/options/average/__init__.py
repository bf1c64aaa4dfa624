"""Options on an average of fixings: conditioning bound, two moments, continuous averaging, Monte Carlo."""

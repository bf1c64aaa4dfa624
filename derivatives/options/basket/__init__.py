"""Options on a basket of forwards: conditioning bound, conditional and plain moments, Monte Carlo."""

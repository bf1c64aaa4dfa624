"""tenorgrid: the market in computing power, cleared, indexed, priced, settled and reported."""

"""What a book may lose, and what is asked for it: value at risk and expected shortfall, stress, initial margin, exposure, back-tests.

`tail` measures samples of gains; `historical` and `simulated` make moves of indices, `revalued` prices a book under them; `stress` moves by
name; `span` is the margin; `exposure` looks ahead; `backtests` judge forecasts of loss.
"""

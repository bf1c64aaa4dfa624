"""Who gets which compute, at what price? From a market case to λ, awards and the certificate of every horizon."""

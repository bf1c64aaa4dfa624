"""Options on the difference of two forwards: quadrature as the reference, Margrabe, Kirk and Bjerksund-Stensland in closed form."""

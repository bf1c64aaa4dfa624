"""Prices of unlike offers brought to one specification: hedonic regression and time-product-dummy, solved by cells."""

"""Declared tables: the only shapes in which rows cross a layer. One module per part of the chain."""

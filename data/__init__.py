"""What may come in, and in which shape: errors, tables, terms, periods, readers, the store and the packaged market."""

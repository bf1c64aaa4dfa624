"""One file a command of the command line; `tenorgrid.cli` gives each its name."""

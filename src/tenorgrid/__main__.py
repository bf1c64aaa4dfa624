"""`python -m tenorgrid`: the command line."""

from tenorgrid.cli import main

if __name__ == "__main__":  # worker processes import this module too, and must not run it
    main()

"""Which layout a file has, told from the columns of its header."""

from collections.abc import Mapping, Set
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError


def matching(path: Path, needs: Mapping[str, Set[str]]) -> str:
    """The one layout all of whose columns the header has.

    Args:
        path: CSV or Parquet.
        needs: columns that a file of each layout may not lack.

    Raises `InputError` where there is not exactly one, naming the nearest.
    """
    found = _columns(path)
    known = [name for name, columns in needs.items() if columns <= found]
    if len(known) != 1:
        near = min(needs, key=lambda name: len(needs[name] - found))
        missing = ", ".join(sorted(needs[near] - found))
        lacks = f"; the nearest is {near}, which lacks {missing}" if not known else ""
        value = ", ".join(sorted(found)) or "an empty file"
        raise InputError.of(path.name, f"the header of a known format ({', '.join(needs)}), or a format named{lacks}", value=value)
    return known[0]


def _columns(path: Path) -> set[str]:
    try:
        return set(pl.read_parquet_schema(path) if path.suffix == ".parquet" else pl.read_csv(path, n_rows=0, infer_schema=False).columns)
    except pl.exceptions.NoDataError:
        return set()
    except pl.exceptions.PolarsError as error:
        raise InputError.of(path.name, "CSV or Parquet", value=str(error).splitlines()[0]) from error

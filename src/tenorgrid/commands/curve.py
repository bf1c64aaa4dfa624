"""`tenorgrid curve`: curves of a file of quotes, and the arbitrages of one that is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenorgrid import folders
from tenorgrid.curves.arbitrage import ArbitrageError
from tenorgrid.curves.forward import refuse_names
from tenorgrid.curves.methods.choice import Choice
from tenorgrid.curves.shape import Shape, shape_of_history
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import find_table, write_manifest, write_table, writing
from tenorgrid.data.tables.curve import HourlyHistory, Outages, Quotes
from tenorgrid.term_structure import curves_of_quotes


def fit_folder(
    quotes: Path, out: Path, *, indices: list[str] | None, named: Mapping[str, Any], outages: Path | None, history: Path | None
) -> list[str]:
    """Fit every index of a file into a folder; names of what was fitted.

    Quotes that contradict one another leave `arbitrage.csv` in a folder that has no curves yet; curves that are there stay.

    Raises `InputError` for faults of the input or the names.
    """
    refuse_names(**named)
    table = folders.read_file(quotes, Quotes)
    inputs = {path.name: path for path in (quotes, outages, history) if path is not None}
    out_hours = None if outages is None else folders.read_file(outages, Outages)
    shape: Shape | None = None
    if history is not None:
        zones = table["timezone"].unique().sort().to_list()
        if len(zones) != 1:
            raise InputError.of("quotes", "one time zone for the shape of a history", column="timezone", value=", ".join(zones))
        shape = shape_of_history(folders.read_file(history, HourlyHistory), timezone=zones[0])
    try:
        fitted = curves_of_quotes(table, indices=indices, choice=Choice(**named), outages=out_hours, shape=shape)
    except ArbitrageError as error:
        if find_table(out, "curve") is None:
            with writing(out) as folder:
                write_table(folder, "arbitrage", error.table, form="csv")
                write_manifest(folder, command="curve", inputs=inputs, settings={"refused": str(error)})
        raise
    with writing(out) as folder:
        folders.write_curves(fitted, folder, inputs=inputs)
    return list(fitted.curves)

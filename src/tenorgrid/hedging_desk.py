"""What a run folder is asked when nobody says otherwise: fleets of its own work, and contracts from narrow to its own work."""

from pathlib import Path

import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.folders import read_clear

NARROW = "H100-SXM.US.FIRM"
TOKEN = "LLAMA2-70B-DECODE.GLOBAL.FIRM"
FLEETS = {"decode": ("decode",), "training": ("pre-training", "post-training")}
WHERE = "GLOBAL.FIRM"


def of_run(folder: Path, marks: pl.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """What `of_case` gives for the case of a run folder."""
    return of_case(read_clear(folder / "clear").case, marks)


def of_case(case: Case, marks: pl.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Items and contracts of `hedge_study` for a market's marks: decode and training, at every home and at all, each against six contracts.

    `narrow` is one class in one country, `basket` all classes everywhere, `at homes` the narrow one's class with a leg for each home,
    `token` the decode of one model, `workload decode` and `workload training` a fleet's own kinds of work anywhere.

    Raises `InputError` where the marks have no such index.
    """
    known = set(marks.filter(pl.col("value").is_not_null())["index"])
    places = case.locations["location"].sort().to_list()
    items: dict[str, str] = {}
    contracts = {"narrow": NARROW}
    chips = case.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR)["resource"].sort().to_list()
    contracts["basket"] = "+".join(one for one in (f"{chip.upper()}.{WHERE}" for chip in chips) if one in known)
    contracts["at homes"] = ",".join(one for one in (f"{NARROW.split('.')[0]}.{home}.firm".upper() for home in places) if one in known)
    contracts["token"] = TOKEN
    for fleet, classes in FLEETS.items():
        works = case.workloads.filter(pl.col("class").cast(pl.String).is_in(classes))["workload"].sort().to_list()
        homes = {home: [f"{work}.{home}.firm".upper() for work in works] for home in places}
        homes = {home: [one for one in names if one in known] for home, names in homes.items()}
        everywhere = [one for names in homes.values() for one in names]
        items |= {f"{fleet} at {home}": "+".join(names) for home, names in homes.items() if names}
        if everywhere:
            items[f"{fleet} at all homes"] = "+".join(everywhere)
            contracts[f"workload {fleet}"] = "+".join(one for one in (f"{work.upper()}.{WHERE}" for work in works) if one in known)
    if not items or NARROW not in known or TOKEN not in known or not contracts["basket"]:
        raise InputError.of("marks", f"marks of work at homes, of {NARROW} and {TOKEN}: else give --item and --contract", column="index")
    return items, {name: text for name, text in contracts.items() if text}

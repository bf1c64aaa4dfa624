"""Prints of others. The rows here are made up in the layout of the sources."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.published import read_ccir_prints, read_eucri_constituents, read_eucri_prints

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
PRINTS = "date,series,revision,value_usd,value_eur,fx_rate,fx_date,n_sources,n_executable,flags,methodology_version"
PRINT_ROWS = [
    "2026-07-19,INDEX,1,2.2,2.0,1.1,2026-07-17,6,1,,0.2.0",
    "2026-07-18,INDEX,2,,,1.1,2026-07-17,4,1,insufficient_sources,0.3.0",
    "2026-07-18,INDEX,1,3.3,3.0,1.1,2026-07-17,6,1,bootstrap_weights,0.2.0",
]
PARTS = "date,series,revision,provider,source,tier,price_usd,weight,included,exclusion_reason,flags"
PART_ROWS = ["2026-07-18,INDEX,1,cirrus,page,list,3.3,100,1,,", "2026-07-18,INDEX,2,cirrus,,,0.0,0.0,0,out_of_population,"]


def written(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "prints.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_every_revision_is_kept_in_order(tmp_path: Path) -> None:
    frame = read_eucri_prints(written(tmp_path, PRINTS, *PRINT_ROWS))
    assert frame.select("date", "revision", "value_usd", "flags").rows() == [
        (date(2026, 7, 18), 1, 3.3, "bootstrap_weights"),
        (date(2026, 7, 18), 2, None, "insufficient_sources"),
        (date(2026, 7, 19), 1, 2.2, None),
    ]
    parts = read_eucri_constituents(written(tmp_path, PARTS, *PART_ROWS))
    assert parts.select("revision", "included", "exclusion_reason").rows() == [(1, True, None), (2, False, "out_of_population")]


def test_a_print_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    bad = [PRINT_ROWS[0].replace(",2.0,1.1", ",2.1,1.1"), PRINT_ROWS[1].replace("insufficient_sources", ""), PRINT_ROWS[2]]
    with pytest.raises(InputError) as caught:
        read_eucri_prints(written(tmp_path, PRINTS, *bad))
    told = [(fault.row, fault.expected) for fault in caught.value.faults]
    assert told == [
        (1, "value_eur = value_usd / fx_rate to 6 decimals"),
        (2, "a value, or a flag that says why there is none"),
    ]


def test_a_missing_revision_and_one_that_comes_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2, column revision: found 2, expected revision 1: none of INDEX 2026-07-18 may be missing"):
        read_eucri_prints(written(tmp_path, PRINTS, *PRINT_ROWS[:2]))
    with pytest.raises(InputError, match="one row per date, series and revision"):
        read_eucri_prints(written(tmp_path, PRINTS, *PRINT_ROWS, PRINT_ROWS[0]))
    with pytest.raises(InputError, match="row 1, column included"):
        read_eucri_constituents(written(tmp_path, PARTS, PART_ROWS[0].replace(",1,,", ",2,,")))


@pytest.mark.skipif(not (SHARED / "eucri_daily_index.csv").is_file(), reason="the published prints are not part of the project")
def test_the_published_prints_and_their_constituents_agree() -> None:
    prints = read_eucri_prints(SHARED / "eucri_daily_index.csv")
    parts = read_eucri_constituents(SHARED / "eucri_constituents.csv")
    assert (prints.height, parts.height) == (279, 633)
    shares = parts.filter("included").group_by("date", "series", "revision").agg(pl.col("weight").sum(), pl.len().alias("n"))
    both = prints.join(shares, on=["date", "series", "revision"]).filter(pl.col("value_usd").is_not_null())
    assert both.height > 30
    assert both.filter((pl.col("weight") - 100).abs() > 1e-4).is_empty()  # six decimals of each
    assert both.filter(pl.col("n") != pl.col("n_sources")).is_empty()
    moved = prints.filter(pl.col("fx_date") > pl.col("date"))
    assert set(moved["methodology_version"]) == {"0.2.0-dev"}  # a rate of a later day, which 0.3.0 forbids
    assert read_ccir_prints(SHARED / "ccir_v2_rates_daily.csv").height == 192

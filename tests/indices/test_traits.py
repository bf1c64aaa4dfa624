"""Form factor, chip and term: on every name that the readers give, and over all lengths of a rental."""

import calendar

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.data.readers.names import GPU_CLASSES
from tenorgrid.indices.traits import chip, form_factor, term, traits


def told(hours: float | None) -> str | None:
    frame = pl.DataFrame({"hours": [hours]}, schema={"hours": pl.Float64})
    name: str | None = frame.select(term("hours")).item()
    return name


def test_a_name_is_its_chip_and_its_form_factor() -> None:
    names = sorted({*GPU_CLASSES.values(), "a100-pcie-40gb", "a100-sxm-40gb", "h100-nvl", "h200-nvl", "rtx-4090", "mi300x", "l40s"})
    frame = pl.DataFrame({"resource": names}).select("resource", chip=chip("resource"), form=form_factor("resource"))
    for name, core, form in frame.iter_rows():
        assert set(name.split("-")) == set(core.split("-")) | ({form} if form else set())
        assert not {"sxm", "pcie", "nvl", "nvl72"} & set(core.split("-"))


@pytest.mark.parametrize("months", range(1, 12))
def test_calendar_months_of_any_year_have_one_name(months: int) -> None:
    for year in (2027, 2028):
        for first in range(12):
            days = sum(calendar.monthrange(year + (first + step) // 12, (first + step) % 12 + 1)[1] for step in range(months))
            assert told(24.0 * days) == f"{months}M"


@given(st.floats(0, 100_000))
def test_every_length_of_a_day_or_more_has_a_name_and_no_other(hours: float) -> None:
    name = told(hours)
    if hours < 24:
        assert name is None
        return
    assert name is not None
    size = int(name[:-1]) * {"D": 24.0, "M": 730.0, "Y": 8760.0}[name[-1]]
    assert int(name[:-1]) >= 1
    assert abs(size - hours) <= {"D": 12.0, "M": 65.8, "Y": 175.3}[name[-1]]


def test_what_is_there_already_is_left() -> None:
    rows = pl.DataFrame({"resource": ["h100-sxm"], "term_hours": [8760.0], "term": ["a year"]})
    assert traits(rows, {"term", "chip"}).columns == ["resource", "term_hours", "term", "chip"]
    assert traits(rows, {"term", "chip"})["term"].to_list() == ["a year"]

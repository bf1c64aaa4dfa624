"""Names of indices: made by marks, taken apart in one place."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.indices.marks import mark
from tenorgrid.indices.names import PARTS, IndexName, parsed, parts

WORD = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,8}", fullmatch=True)
TERM = st.one_of(st.none(), st.builds("{}{}".format, st.integers(1, 48), st.sampled_from("YMD")))
CASE = Path(__file__).parent / "methodologies" / "terms-and-shares.toml"  # names terms


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("H100-SXM.US.FIRM", ("H100-SXM", "US", "FIRM", None)),
        ("H100-SXM.US-EAST1.FIRM.1Y", ("H100-SXM", "US-EAST1", "FIRM", "1Y")),
        ("LLAMA3.1-8B-RL.GLOBAL.SPOT", ("LLAMA3.1-8B-RL", "GLOBAL", "SPOT", None)),
        ("LLAMA3.1-8B-RL.GLOBAL.SPOT.36M", ("LLAMA3.1-8B-RL", "GLOBAL", "SPOT", "36M")),
        ("H100.US.1Y", ("H100", "US", "1Y", None)),  # three parts have no term
        ("H100.US.FIRM.0Y", ("H100.US", "FIRM", "0Y", None)),  # no term has nothing of it
    ],
)
def test_known_names(name: str, expected: tuple[str | None, ...]) -> None:
    found = parsed(name)
    assert tuple(getattr(found, part) for part in PARTS) == expected
    assert str(found) == name
    assert pl.DataFrame({"index": [name]}).select(parts()).row(0) == expected


@given(st.lists(WORD, min_size=1, max_size=3), WORD, st.sampled_from(["FIRM", "SPOT", "DEADLINE"]), TERM)
def test_a_name_comes_back_from_its_parts(subject: list[str], place: str, tier: str, term: str | None) -> None:
    made = IndexName(subject=".".join(subject), place=place, tier=tier, term=term)
    assert parsed(str(made)) == made
    assert pl.DataFrame({"index": [str(made)]}).select(parts()).row(0) == (made.subject, place, tier, term)


def test_names_that_marks_bear_are_taken_apart() -> None:
    """The second opinion: what the observations themselves say."""
    hours = {"1Y": 8760.0, "3Y": 26280.0, "3M": 2190.0, None: 1.0}
    row = {"time": datetime(2027, 1, 5, 12, tzinfo=UTC), "region": "us-east", "kind": "trade", "price": 2.0, "quantity": 10.0}
    seen = pl.DataFrame(
        [
            row
            | {"resource": resource, "tier": tier, "term_hours": length, "provider": f"p{number}"}
            | {"observation_id": f"{resource}{tier}{term}{number}"}
            for resource in ("h100-sxm", "llama3.1-8b")
            for tier in ("firm", "spot")
            for term, length in hours.items()
            for number in range(3)
        ]
    )
    run = mark(seen, methodology=CASE, first=date(2027, 1, 5), end=date(2027, 1, 6))
    found = run.marks.select(parts()).unique()
    expected = {
        (resource, place, tier, term)
        for resource in ("H100-SXM", "LLAMA3.1-8B")
        for place in ("US-EAST", "US", "GLOBAL")
        for tier in ("FIRM", "SPOT")
        for term in hours
    }
    assert set(found.rows()) == expected


@pytest.mark.parametrize("name", ["", "H100", "H100.US", "H100..FIRM", ".US.FIRM", "H100.US."])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"SUBJECT\.PLACE\.TIER"):
        parsed(name)
    assert pl.DataFrame({"index": [name]}).select(parts()).row(0) == (name, None, None, None)

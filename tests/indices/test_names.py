"""Names of indices: made by marks, taken apart in one place."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.marks import mark
from tenorgrid.indices.names import PARTS, IndexName, parsed, parts

WORD = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,8}", fullmatch=True)
TERM = st.one_of(st.none(), st.builds("{}{}".format, st.integers(1, 48), st.sampled_from("YMD")))
ROOT = Path(__file__).parents[2]
REGIONAL = ROOT.parent / "shared" / "data" / "gcp_gpu_prices_weekly_by_region_2022_2026.csv.gz"
DAY = date(2025, 6, 4)
LISTED = {"FIRM": 11.0612, "FIRM.1Y": 7.6730, "FIRM.3Y": 4.8580, "SPOT": 2.5487}  # H100 in us-central1, as the rate card of that week says
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


def documented(folder: Path) -> Path:
    """The methodology of terms that the documentation shows."""
    _, text = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "methodologies.md").read_text(), flags=re.DOTALL)
    path = folder / "by-term.toml"
    path.write_text(text)
    return path


def test_the_documented_methodology_gives_an_index_to_each_term(tmp_path: Path) -> None:
    row = {
        "time": datetime(2025, 6, 1, tzinfo=UTC),
        "region": "us-central1",
        "kind": "list price",
        "provider": "gcp",
        "resource": "h100-sxm",
    }
    hours = {"FIRM": ("firm", 1.0), "FIRM.1Y": ("firm", 8760.0), "FIRM.3Y": ("firm", 26280.0), "SPOT": ("spot", 1.0)}
    seen = pl.DataFrame(
        [row | {"tier": tier, "term_hours": term, "price": LISTED[name], "observation_id": name} for name, (tier, term) in hours.items()]
    )
    assert listed(seen, documented(tmp_path)) == LISTED


@pytest.mark.slow
@pytest.mark.skipif(not REGIONAL.exists(), reason="needs the regional prices of Google Cloud")
def test_a_rate_card_of_four_terms_gives_four_indices(tmp_path: Path) -> None:
    assert listed(read_observations(REGIONAL), documented(tmp_path)) == LISTED


def listed(seen: pl.DataFrame, method: Path) -> dict[str, float]:
    run = mark(seen, methodology=method, first=DAY, end=DAY + timedelta(1))
    here = run.marks.with_columns(parts()).filter(pl.col("place") == "US-CENTRAL1", pl.col("subject") == "H100-SXM")
    named = here.select(pl.concat_str("tier", "term", separator=".", ignore_nulls=True), "value")
    return dict(named.iter_rows())

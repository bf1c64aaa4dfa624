"""Restatement: by rule and no further, and what was published stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.methodology import load
from tenorgrid.indices.restatement import restated

CLOSE = datetime(2027, 3, 3, 21, tzinfo=UTC)
ORNN = load("ornn-like")  # until 24 hours, above a thousandth


def marks(value: float | None, *, revision: int = 0, published_at: datetime = CLOSE, status: str = "published") -> pl.DataFrame:
    row = {
        "index": "H100-SXM.US.FIRM",
        "methodology": "ornn-like",
        "start": CLOSE - timedelta(days=1),
        "end": CLOSE,
        "published_at": published_at,
        "revision": revision,
        "value": value,
        "unit": "USD/GPUh",
        "quantity": 10.0,
        "status": status,
        "method_hash": ORNN.hash,
    }
    return Marks.validate(pl.DataFrame([row], schema_overrides={"value": pl.Float64}), cast=True)


@pytest.mark.parametrize(
    ("value", "hours", "why"),
    [
        (2.01, 1, None),
        (2.01, 24, None),
        (2.01, 25, "too late"),
        (2.002, 1, "not material"),
        (2.0021, 1, None),
        (1.9, 1, None),
        (2.0, 1, "same"),
    ],
)
def test_a_print_is_replaced_in_time_and_by_more_than_a_share(value: float, hours: int, why: str | None) -> None:
    at = CLOSE + timedelta(hours=hours)
    found = restated(marks(2.0), marks(value), methodology=ORNN, at=at)
    assert found.marks.select("revision", "value", "published_at").rows() == ([(1, value, at)] if why is None else [])
    assert found.standing["why"].to_list() == ([why] if why in ("too late", "not material") else [])


def test_the_last_revision_counts_and_the_first_publication_dates() -> None:
    both = pl.concat([marks(2.0), marks(2.5, revision=1, published_at=CLOSE + timedelta(hours=3))])
    again = restated(both, marks(2.0), methodology=ORNN, at=CLOSE + timedelta(hours=5))
    assert again.marks.select("revision", "value").rows() == [(2, 2.0)]
    assert restated(both, marks(2.5), methodology=ORNN, at=CLOSE + timedelta(hours=5)).marks.is_empty()
    late = restated(both, marks(2.0), methodology=ORNN, at=CLOSE + timedelta(hours=25))
    assert late.standing.rows() == [("H100-SXM.US.FIRM", CLOSE - timedelta(days=1), 2.5, 2.0, "too late")]


def test_a_value_in_the_place_of_none_is_always_material() -> None:
    withheld = marks(None, status="withheld")
    at = CLOSE + timedelta(hours=1)
    assert restated(withheld, marks(2.0), methodology=ORNN, at=at).marks["value"].to_list() == [2.0]
    assert restated(marks(2.0), withheld, methodology=ORNN, at=at).marks["value"].to_list() == [None]


def test_a_methodology_that_never_restates_does_not(tmp_path: Path) -> None:
    path = tmp_path / "never.toml"
    text = (Path(__file__).parents[2] / "indices" / "methodologies" / "ornn-like.toml").read_text()
    path.write_text(text[: text.index("[restatement]")] + '[restatement]\nuntil = "never"\n\n' + text[text.index("[[levels]]") :])
    found = restated(marks(2.0), marks(9.0), methodology=load(path), at=CLOSE + timedelta(minutes=1))
    assert found.marks.is_empty()
    assert found.standing["why"].to_list() == ["the methodology restates nothing"]


def test_what_cannot_be_held_against_each_other_is_refused() -> None:
    with pytest.raises(InputError, match="a time with its zone"):
        restated(marks(2.0), marks(2.0), methodology=ORNN, at=datetime(2027, 3, 4))
    with pytest.raises(InputError, match="found ornn-like, expected marks of house"):
        restated(marks(2.0), marks(2.0), methodology=load("house"), at=CLOSE)
    with pytest.raises(InputError, match="from the last publication on"):
        restated(marks(2.0), marks(2.0), methodology=ORNN, at=CLOSE - timedelta(seconds=1))

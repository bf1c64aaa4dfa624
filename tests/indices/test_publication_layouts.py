"""Layouts of what a print's hash covers: a new column leaves old prints alone, and nothing hides beside what is covered."""

import json
import shutil
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from tenorgrid.data.tables.publication import Prints
from tenorgrid.indices.publication.chain import broken, content_hash, head, linked, print_hash
from tenorgrid.indices.publication.evidence import evidence, verify_evidence
from tenorgrid.indices.publication.history import open_history
from tenorgrid.indices.publication.layouts import FIRST, HASHED_APART, LATEST, LAYOUTS, covered
from tenorgrid.indices.publication.verification import verify_prints
from tests.indices.publishing_day import FIRST as DAY
from tests.indices.publishing_day import closed, listed, published, three_days

LINKED = {"layout", "content_hash", "audit_hash", "previous", "before", "hash", "number", "publication", "prints"}
# A print of the first layout and the hash that it was published with, worked out once by hand from its canonical JSON.
TEXT = (
    '{"approved_at":"2027-01-06T05:35:00.000000Z","approved_by":"bob","draft_hash":"d","end":"2027-01-06T05:00:00.000000Z",'
    '"index":"H100-SXM.US.FIRM","input_hash":"i","judgements":"[]","made_at":"2027-01-06T05:05:00.000000Z","made_by":"ann",'
    '"method_hash":"m","methodology":"house","number":0,"prints":1,"publication":0,"published_at":"2027-01-06T06:05:00.000000Z",'
    '"quantity":null,"reason":null,"revision":0,"rule":null,"start":"2027-01-05T05:00:00.000000Z","status":"published",'
    '"unit":"USD/GPUh","value":2.2}'
)


@pytest.fixture(scope="module")
def prints(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return open_history(three_days(tmp_path_factory.mktemp("days"))).prints


def before_the_column(place: Path) -> Path:
    """A history of three days as it was written before the column `layout`."""
    folder = three_days(place)
    made = open_history(folder).prints
    made = made.select(name for name in made.columns if name not in LINKED)
    chained: pl.DataFrame = Prints.create_empty()
    for _, rows in made.group_by("published_at", maintain_order=True):
        fresh = linked(rows, after=chained).with_columns(layout=pl.lit(None, dtype=pl.Int64))
        chained = pl.concat([chained, _rehashed(fresh)])
    shutil.rmtree(folder / "prints")
    write_deltalake(folder / "prints", chained.drop("layout").with_columns(pl.col("status").cast(pl.String)))
    return folder


def _rehashed(rows: pl.DataFrame) -> pl.DataFrame:
    """Prints of one publication, hashed by the first layout."""
    found = []
    for row in rows.iter_rows(named=True):
        row["content_hash"] = content_hash(row)
        found.append(row | {"hash": print_hash(row)})
    return pl.DataFrame(found, schema=rows.schema)


def test_every_column_is_covered_by_a_hash() -> None:
    assert set(LAYOUTS[LATEST]) | set(HASHED_APART) == set(Prints.columns())


def test_a_print_of_the_first_layout_keeps_its_hash_whatever_columns_come() -> None:
    row = {name: datetime.fromisoformat(value) if str(value).endswith("Z") else value for name, value in json.loads(TEXT).items()}
    assert content_hash(row) == sha256(TEXT.encode()).hexdigest()
    assert content_hash(row | {"layout": None, "venue": None}) == content_hash(row)
    assert content_hash(row | {"layout": 2}) != content_hash(row)


def test_a_history_from_before_the_column_is_whole_and_goes_on(tmp_path: Path) -> None:
    folder = before_the_column(tmp_path)
    known = open_history(folder)
    assert known.broken() == ()
    assert known.prints["layout"].to_list() == [None] * 9
    noted, first = head(known.prints), known.prints
    found = published(tmp_path, listed(4), DAY + timedelta(3)).history
    again = open_history(folder)
    assert again.broken(anchor=noted) == found.broken() == ()
    assert again.prints["layout"].to_list() == [None] * 9 + [LATEST] * 3
    assert again.prints.head(9).equals(first)
    assert verify_prints(again, again.prints).confirmed
    assert "layout" in {field.name for field in DeltaTable(folder / "prints").schema().fields}
    pack = evidence(again, tmp_path / "pack.zip", at=closed(DAY))
    assert verify_evidence(pack, anchor=noted).confirmed


@pytest.mark.parametrize("layout", [None, 99])
def test_another_layout_is_found(prints: pl.DataFrame, layout: int | None) -> None:
    told = " ".join(broken(prints.with_columns(layout=pl.lit(layout, dtype=pl.Int64))))
    assert ("content has not the hash" in told) if layout is None else ("has the layout 99, which this version" in told)


def test_what_no_hash_covers_is_found(prints: pl.DataFrame) -> None:
    told = broken(prints.with_columns(venue=pl.lit("dark")))
    assert len(told) == prints.height
    assert "its hash does not cover what it says in venue" in told[0]


def test_layouts_only_grow() -> None:
    for older, newer in zip(range(FIRST, LATEST), range(FIRST + 1, LATEST + 1), strict=True):
        assert LAYOUTS[newer][: len(LAYOUTS[older])] == LAYOUTS[older]
    with pytest.raises(KeyError):
        covered({"layout": LATEST + 1})

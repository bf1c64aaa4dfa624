"""The door: what is refused, with file, row, column, value and expectation, and all of it at once."""

import gzip
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import VirtualSide
from tenorgrid.data.store import Form, read_table, write_table
from tenorgrid.data.tables import book, case, cleared, curve, observed, settled
from tenorgrid.data.tables.cells import expected, guessed, typed
from tenorgrid.data.tables.door import checked, inspect, read_checked

HEADER = "horizon,bid_id,participant,location,resource,start,end,side,quantity,price"
GOOD = "day-ahead,v1,acme,east,h100-sxm,2027-01-01T05:00:00Z,2027-01-01T06:00:00Z,inc,10,2.5"


def faults_of(folder: Path, *lines: str, header: str = HEADER) -> list[Fault]:
    (folder / "virtuals.csv").write_text("\n".join([header, *lines]) + "\n")
    return read_checked(folder / "virtuals.csv", case.Virtuals)[1]


def changed(**cells: str) -> str:
    names = HEADER.split(",")
    return ",".join(cells.get(name, cell) for name, cell in zip(names, GOOD.split(","), strict=True))


def test_a_good_row_has_no_fault_and_its_types(tmp_path: Path) -> None:
    (tmp_path / "virtuals.csv").write_text(f"{HEADER}\n{GOOD}\n")
    frame, faults = read_checked(tmp_path / "virtuals.csv", case.Virtuals)
    assert faults == []
    row = frame.row(0, named=True)
    assert row["start"] == datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert (row["side"], row["quantity"], row["price"]) == ("inc", 10.0, 2.5)
    assert case.Virtuals.is_valid(frame)


@pytest.mark.parametrize(
    ("column", "cell", "found", "wanted"),
    [
        ("quantity", "-10", "-10.0", "a number of at least 0"),
        ("quantity", "ten", "ten", "a number of at least 0"),
        ("quantity", "", "nothing", "a number of at least 0"),
        ("price", "NaN", "NaN", "a number"),
        ("price", "-inf", "-inf", "a number"),
        ("price", "1e400", "1e400", "a number"),
        ("side", "up", "up", "one of inc, dec"),
        ("bid_id", "", "nothing", "text"),
        ("start", "2027-01-01", "2027-01-01", "a UTC time like 2027-01-01T05:00:00Z"),
        ("start", "2027-01-01T05:00:00", "2027-01-01T05:00:00", "a UTC time like 2027-01-01T05:00:00Z"),
        ("start", "2027-01-01 05:00:00Z", "2027-01-01 05:00:00Z", "a UTC time like 2027-01-01T05:00:00Z"),
        ("start", "2027-1-1T05:00:00Z", "2027-1-1T05:00:00Z", "a UTC time like 2027-01-01T05:00:00Z"),
        ("start", "2027-02-30T05:00:00Z", "2027-02-30T05:00:00Z", "a UTC time like 2027-01-01T05:00:00Z"),
        ("start", "2027-01-01T05:00:00-05:00", "2027-01-01T05:00:00-05:00", "a UTC time like 2027-01-01T05:00:00Z"),
    ],
)
def test_a_bad_cell_is_named_with_row_value_and_expectation(tmp_path: Path, column: str, cell: str, found: str, wanted: str) -> None:
    faults = faults_of(tmp_path, GOOD, changed(**{"bid_id": "v2", column: cell}))
    assert faults == [Fault(file="virtuals.csv", row=2, column=column, value=found, expected=wanted)]


def test_text_in_a_nullable_number_is_a_fault_and_not_a_null(tmp_path: Path) -> None:
    (tmp_path / "tiers.csv").write_text("tier,interruption_probability,overcommit,reserve_share\nspot,0.1,0.8,some\n")
    faults = read_checked(tmp_path / "tiers.csv", case.Tiers)[1]
    wanted = "a number of at least 0 and of at most 1, or nothing"
    assert faults == [Fault(file="tiers.csv", row=1, column="reserve_share", value="some", expected=wanted)]


def test_every_fault_of_a_file_is_told_in_the_order_of_rows(tmp_path: Path) -> None:
    end = "2027-01-01T04:00:00Z"
    faults = faults_of(tmp_path, changed(quantity="-1", price="x"), GOOD, changed(bid_id="v3", end=end), changed(side=""))
    where = [(fault.row, fault.column) for fault in faults]
    assert where == [(1, "quantity"), (1, "price"), (2, "horizon"), (3, "end"), (4, "horizon"), (4, "side")]


def test_a_window_that_ends_before_it_starts_shows_both_ends(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, changed(end="2027-01-01T05:00:00Z"))
    assert (fault.row, fault.column, fault.expected) == (1, "end", "`end` after `start`")
    assert fault.value == "end 2027-01-01T05:00:00Z, start 2027-01-01T05:00:00Z"


def test_a_duplicate_is_named_with_the_row_that_it_repeats(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, changed(bid_id="v0"), GOOD, GOOD, GOOD)
    assert [(fault.row, fault.value) for fault in faults] == [(3, "day-ahead, v1"), (4, "day-ahead, v1")]
    assert {fault.expected for fault in faults} == {"one row per horizon and bid_id (row 2 has the same)"}


def test_a_duplicate_primary_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("location,region\neast,us\nwest,us\neast,eu\n")
    (fault,) = read_checked(tmp_path / "locations.csv", case.Locations)[1]
    assert str(fault) == "locations.csv row 3, column location: found east, expected one row per location (row 1 has the same)"


def test_keys_that_cannot_be_read_are_not_called_duplicates_too() -> None:
    rows = {"start": ["noon", "noon", ""], "quote_id": ["a", "a", "a"], "weight": ["1", "1", "1"]}
    faults = inspect(pl.DataFrame(rows), curve.Jacobian, name="jacobian")[1]
    assert [(fault.row, fault.column, fault.value) for fault in faults] == [
        (1, "start", "noon"),
        (2, "start", "noon"),
        (3, "start", "nothing"),
    ]


def test_columns_that_are_missing_unlisted_or_doubled_are_named(tmp_path: Path) -> None:
    header = HEADER.replace("price", "prize").replace("location", "side")
    faults = faults_of(tmp_path, GOOD.replace("east", "inc"), header=header)
    assert {(fault.column, fault.value) for fault in faults if fault.row is None} == {
        ("prize", "an unlisted column"),
        ("side", "the column twice"),
        ("price", "a missing column"),
        ("location", "a missing column"),
    }
    assert len(faults) == 4


def test_a_nullable_column_may_be_absent_and_a_required_one_may_not() -> None:
    frame = checked(pl.DataFrame({"location": ["east"], "region": ["us"]}), case.Locations, name="locations")
    assert frame["provider"].to_list() == [None]
    assert frame.schema["provider"] == pl.String
    with pytest.raises(InputError, match="a missing column"):
        checked(pl.DataFrame({"location": ["east"]}), case.Locations, name="locations")


@pytest.mark.parametrize("text", ["", "\n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "locations.csv").write_text(text)
    faults = read_checked(tmp_path / "locations.csv", case.Locations)[1]
    assert faults
    assert all(fault.file == "locations.csv" for fault in faults)


def test_a_header_without_rows_is_refused_where_rows_are_needed(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("location,region\n")
    assert read_checked(tmp_path / "locations.csv", case.Locations)[1] == []
    needed = read_checked(tmp_path / "locations.csv", case.Locations, empty=False)[1]
    assert needed == [Fault(file="locations.csv", expected="at least one row")]


@pytest.mark.parametrize("content", [b"location,region\neast,us,more\n", b'location,region\n"east,us\n', b"location,region\n\xff\xfe,us\n"])
def test_what_is_no_table_is_refused_as_such(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "locations.csv").write_bytes(content)
    (fault,) = read_checked(tmp_path / "locations.csv", case.Locations)[1]
    assert fault.expected.startswith("CSV in UTF-8")
    (tmp_path / "locations.parquet").write_bytes(content)
    (fault,) = read_checked(tmp_path / "locations.parquet", case.Locations)[1]
    assert fault.expected == "Parquet"


def test_csv_gzipped_csv_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    lines = [HEADER, GOOD, changed(bid_id="v2", start="2027-01-01T05:00:00+00:00", side="dec")]
    text = "\n".join(lines) + "\n"
    (tmp_path / "a.csv").write_text(text)
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write(text)
    plain = read_checked(tmp_path / "a.csv", case.Virtuals)[0]
    plain.write_parquet(tmp_path / "a.parquet")
    for name in ("a.csv.gz", "a.parquet"):
        frame, faults = read_checked(tmp_path / name, case.Virtuals)
        assert faults == []
        assert frame.equals(plain)


def test_parquet_of_other_tools_is_taken_where_its_types_fit() -> None:
    frame = pl.DataFrame(
        {
            "horizon": ["day-ahead"],
            "bid_id": ["v"],
            "participant": ["acme"],
            "location": ["east"],
            "resource": ["h100-sxm"],
            "start": pl.Series([datetime(2027, 1, 1, 0)]).dt.cast_time_unit("ms").dt.replace_time_zone("America/New_York"),
            "end": pl.Series([datetime(2027, 1, 1, 6)]).dt.cast_time_unit("ns").dt.replace_time_zone("UTC"),
            "side": pl.Series(["inc"], dtype=pl.Categorical),
            "quantity": pl.Series([10], dtype=pl.Int32),
            "price": pl.Series([2.5], dtype=pl.Float32),
        }
    )
    found = checked(frame, case.Virtuals, name="virtuals")
    assert found["start"].to_list() == [datetime(2027, 1, 1, 5, tzinfo=UTC)]
    assert case.Virtuals.is_valid(found)


def test_typed_columns_that_do_not_fit_are_refused_whole() -> None:
    frame = pl.DataFrame({"location": [1], "region": ["us"]})
    with pytest.raises(InputError, match="column location: found a column of Int64, expected text"):
        checked(frame, case.Locations, name="locations")
    naive = pl.DataFrame({"start": [datetime(2027, 1, 1)], "quote_id": ["q"], "weight": [1.0]})
    (fault,) = inspect(naive, curve.Jacobian, name="jacobian")[1]
    assert fault.value == "a column of Datetime(time_unit='us', time_zone=None)"


def test_a_typed_number_that_is_none_is_named_by_row() -> None:
    frame = pl.DataFrame({"start": [datetime(2027, 1, 1, tzinfo=UTC)] * 2, "quote_id": ["a", "b"], "weight": [0.5, float("nan")]})
    assert inspect(frame, curve.Jacobian, name="jacobian")[1] == [
        Fault(file="jacobian", row=2, column="weight", value="nan", expected="a number")
    ]
    exact = frame.with_columns(weight=pl.Series([1, 2], dtype=pl.Decimal(38, 2)))
    assert inspect(exact, curve.Jacobian, name="jacobian")[0]["weight"].to_list() == [1.0, 2.0]
    halves = pl.DataFrame({"workload": ["w"], "recipe": ["r"], "output_per_hour": [1.0], "domain": [2.5]})
    assert [fault.value for fault in inspect(halves, case.Recipes, name="recipes")[1]] == ["2.5"]


def test_attributes_are_kept_after_the_declared_columns_and_typed_by_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("score,location,flag,region,word\n1.5,east,true,us,a\n,west,False,eu,2\n")
    frame, faults = read_checked(tmp_path / "a.csv", case.Locations, attributes=True)
    assert faults == []
    assert frame.columns == ["location", "region", "provider", "score", "flag", "word"]
    assert [frame["score"].to_list(), frame["flag"].to_list(), frame["word"].to_list()] == [[1.5, None], [True, False], ["a", "2"]]
    assert guessed(pl.Series(["", None])).to_list() == [None, None]


def test_an_error_shows_twenty_faults_of_a_file_and_counts_the_rest(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, *(changed(bid_id=f"v{number}", quantity="-1") for number in range(25)))
    assert len(faults) == 25
    lines = str(InputError(faults)).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "virtuals.csv: 5 more faults"


def test_money_is_read_exactly_or_not_at_all() -> None:
    cents = dy.Decimal(precision=38, scale=2)
    cells = typed(pl.Series(["12345678901234567890.12", "1.005", "1e3", "-0.10", "2"]), cents)
    assert cells.to_list() == [Decimal("12345678901234567890.12"), None, None, Decimal("-0.10"), Decimal("2.00")]
    assert expected(cents) == "an amount with at most 2 decimals"


def test_days_and_truth_values_have_one_spelling() -> None:
    assert typed(pl.Series(["2027-03-14", "2027-3-14", "14.03.2027"]), dy.Date()).to_list() == [date(2027, 3, 14), None, None]
    assert typed(pl.Series(["true", "false", "yes"]), dy.Bool()).to_list() == [True, False, None]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "quantity": st.sampled_from(["1", "-1", "x", "", "nan"]),
                "side": st.sampled_from(["inc", "dec", "both", ""]),
                "end": st.sampled_from(["2027-01-01T06:00:00Z", "2027-01-01T05:00:00Z", "2027-01-01", ""]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_faulty_cells_are_those_that_plain_python_finds(rows: list[dict[str, str]]) -> None:
    """A second, slower reading of the same rules, cell by cell."""
    names = HEADER.split(",")
    frame = pl.DataFrame([dict(zip(names, changed(bid_id=f"v{n}", **row).split(","), strict=True)) for n, row in enumerate(rows)])
    found = {(fault.row, fault.column) for fault in inspect(frame, case.Virtuals, name="virtuals")[1]}
    wanted = set()
    for number, row in enumerate(rows, start=1):
        if not re.fullmatch(r"\d+", row["quantity"]):
            wanted.add((number, "quantity"))
        if row["side"] not in set(VirtualSide):
            wanted.add((number, "side"))
        if not (row["end"].endswith("Z") and row["end"] > "2027-01-01T05:00:00Z"):
            wanted.add((number, "end"))
    assert found == wanted


SCHEMAS = [
    found
    for module in (book, case, cleared, curve, observed, settled)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, dy.Schema) and found is not dy.Schema
]


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_rows_drawn_to_keep_a_tables_rules_read_back_as_written(schema: type[dy.Schema], form: Form, tmp_path: Path) -> None:
    """The drawing is the schema library's, so it is a second opinion on what each table lets through."""
    drawn = schema.sample(6, generator=dy.random.Generator(seed=1))
    write_table(tmp_path, "drawn", drawn, form=form)
    assert read_table(tmp_path, "drawn", schema).equals(drawn)

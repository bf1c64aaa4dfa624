"""Listed products and contract codes: what the rules of each say, users' own, and what is refused."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import MONTH_LETTERS, month
from tenorgrid.data.terms.contracts import lot_hours
from tenorgrid.data.terms.specifications.listed import contracts, listed
from tenorgrid.data.terms.specifications.products import PACKAGED, known, read_products

ZONE = "America/New_York"
MINE = """
[GPX]
index = "H100-SXM.EU.FIRM"
settles_on = "our index"
unit = "GPU-hours"
lot = 100
tick = 0.005
average = "calendar-day"
missing_day = "exclude"
price_limit = 0.5
source = "rule book, section 4"
not_published = ["decimals"]
"""


def test_codes_say_what_their_exchange_publishes() -> None:
    found = contracts(["GPU1J27", "HPRJ27", "HPRH27", "X:2027-Q2"], timezone=ZONE).rows_by_key("contract", named=True, unique=True)
    nymex, ice = found["GPU1J27"], found["HPRJ27"]
    assert (nymex["lot"], nymex["tick"], nymex["tick_value"]) == (730.0, 0.01, 7.3)
    assert (nymex["average"], nymex["calendar"], nymex["missing_day"]) == ("business-day", "USSETTLE", None)
    assert (nymex["start"], nymex["end"]) == (datetime(2027, 4, 1, 4, tzinfo=UTC), datetime(2027, 5, 1, 4, tzinfo=UTC))
    assert nymex["first_trade"] == date(2024, 5, 1)  # May 2024 to April 2027 are 36 months
    assert (ice["lot"], ice["tick"], ice["tick_value"], ice["average"]) == (720.0, 0.001, 0.72, "calendar-day")
    assert ice["first_trade"] == date(2025, 5, 1)
    assert found["HPRH27"]["lot"] == 743.0  # clocks go forward
    own = found["X:2027-Q2"]
    assert (own["index"], own["lot"], own["last_trade"]) == ("X", 91 * 24.0, date(2027, 6, 30))


@pytest.mark.parametrize("letter", MONTH_LETTERS)
def test_lots_and_dates_agree_with_the_periods_themselves(letter: str) -> None:
    number = MONTH_LETTERS.index(letter) + 1
    exact, fixed = (listed(f"{product}{letter}27", timezone=ZONE) for product in ("HPR", "GPU2"))
    assert exact.period == fixed.period == month(2027, number, timezone=ZONE)
    assert exact.lot == lot_hours(f"2027-{number:02d}", timezone=ZONE)
    assert fixed.lot == lot_hours(f"2027-{number:02d}", timezone=ZONE, convention="730")


def test_every_packaged_product_says_where_it_is_from_and_that_no_missing_day_rule_is_published() -> None:
    for row in read_products(PACKAGED).iter_rows(named=True):
        assert row["source"]
        assert row["missing_day"] is None
        assert "missing-day rule" in row["not_published"]


def test_users_add_their_own_by_a_file_or_a_table_and_may_replace_packaged_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    mine = read_products(path)
    mine.write_csv(tmp_path / "mine.csv")
    assert read_products(tmp_path / "mine.csv").equals(mine)
    row = contracts(["GPXZ27", "GPU1Z27"], products=mine).row(0, named=True)
    assert (row["lot"], row["index"], row["missing_day"], row["price_limit"]) == (100.0, "H100-SXM.EU.FIRM", "exclude", 0.5)
    other = known(mine.with_columns(pl.lit("HPR").alias("product")))
    assert other["HPR"].lot == 100.0
    assert known()["HPR"].lot is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("lot = 100", "lot = -1", "lot"),
        ("lot = 100", "size = 100", "an unlisted key"),
        ("calendar-day", "daily", "average"),
        ("calendar-day", "business-day", "a calendar for business days"),
        ('"exclude"', '"skip"', "missing_day"),
        ('source = "rule book, section 4"', "", "source"),
        ("[GPX]", "[gpx", "TOML"),
    ],
)
def test_a_product_that_breaks_a_rule_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace(old, new))
    with pytest.raises(InputError, match=told):
        read_products(path)


def test_codes_of_nothing_are_refused_together() -> None:
    with pytest.raises(InputError) as caught:
        contracts(["ABCJ27", "GPU1J27", "GPU1-27", "X:2027-13"])
    assert [fault.row for fault in caught.value.faults] == [1, 3, 4]
    mine = read_products(PACKAGED).with_columns(pl.lit("UTC").alias("timezone"))
    with pytest.raises(InputError, match=r"days of America/New_York"):
        contracts(["GPU1J27"], timezone=ZONE, products=mine)

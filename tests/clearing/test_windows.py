"""Windows spread over intervals, and identical steps merged into slots."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.windows import Span, slotted, spread, widths

START = datetime(2027, 3, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = Span(first=START, count=4, interval=HOUR)


def rows(*windows: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [f"o{number}" for number in range(len(windows))],
            "start": [START + begin * HOUR for begin, _ in windows],
            "end": [START + end * HOUR for _, end in windows],
        },
        schema={"id": pl.String, "start": pl.Datetime("us", "UTC"), "end": pl.Datetime("us", "UTC")},
    )


@pytest.mark.parametrize(
    ("window", "expected"), [((0, 4), [0, 1, 2, 3]), ((1, 2), [1]), ((-3, 2), [0, 1]), ((3, 9), [3]), ((-5, 0), []), ((4, 6), [])]
)
def test_a_window_covers_the_intervals_that_lie_in_it(window: tuple[int, int], expected: list[int]) -> None:
    assert spread(rows(window), span=SPAN)["hour"].to_list() == expected


def test_spreading_agrees_with_asking_every_interval() -> None:
    rng = np.random.default_rng(5)
    begins = rng.integers(-4, 8, 60)
    windows = [(int(begin), int(begin + length)) for begin, length in zip(begins, rng.integers(1, 6, 60), strict=True)]
    table = rows(*windows)
    found = {tuple(row) for row in spread(table, span=SPAN).select("id", "hour").iter_rows()}
    slow = {(name, hour) for name, (begin, end) in zip(table["id"], windows, strict=True) for hour in range(4) if begin <= hour < end}
    assert found == slow
    assert len(slow) > 50


def test_a_part_of_a_span_begins_where_it_says() -> None:
    part = SPAN.part(1, 3)
    assert part.starts().to_list() == [START + HOUR, START + 2 * HOUR]
    assert SPAN.starts().len() == 4


def members(*steps: tuple[int, int, float, float]) -> pl.DataFrame:
    """(hour, class, price, quantity) of each."""
    names = ["hour", "class_number", "price", "quantity"]
    table = pl.DataFrame(steps, schema=names, orient="row")
    return table.with_columns(pl.Series("id", [f"o{number:02d}" for number in range(len(steps))]), pl.lit(1).alias("step"))


def windows(table: pl.DataFrame) -> pl.DataFrame:
    """Each member as a window of its one hour."""
    start = pl.lit(SPAN.first) + pl.col("hour") * SPAN.interval
    return table.with_columns(start.alias("start"), (start + SPAN.interval).alias("end")).drop("hour")


def test_equal_steps_share_a_slot_and_others_are_ranked_by_merit() -> None:
    table = slotted(members((0, 0, 2.0, 6.0), (0, 0, 1.0, 5.0), (0, 0, 2.0, 2.0), (0, 0, 3.0, 0.0)), merit=["price"], descending=[False])
    assert table.select("id", "rank", "share").rows() == [("o01", 0, 1.0), ("o00", 1, 0.75), ("o02", 1, 0.25)]
    back = slotted(members((0, 0, 2.0, 6.0), (0, 0, 1.0, 5.0)), merit=["price"], descending=[True])
    assert back.select("id", "rank").rows() == [("o00", 0), ("o01", 1)]


def test_ranks_begin_again_in_every_hour_and_class() -> None:
    table = slotted(members((0, 0, 2.0, 1.0), (0, 1, 2.0, 1.0), (1, 0, 2.0, 1.0), (1, 0, 4.0, 1.0)), merit=["price"], descending=[False])
    assert table.select("hour", "class_number", "rank").rows() == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 0, 1)]


def test_shares_of_a_slot_add_to_one() -> None:
    rng = np.random.default_rng(8)
    drawn = [(int(h), int(c), float(p), float(q)) for h, c, p, q in zip(*rng.integers(0, 3, (3, 90)), rng.uniform(0.1, 5, 90), strict=True)]
    table = slotted(members(*drawn), merit=["price"], descending=[False])
    sums = table.group_by("hour", "class_number", "rank").agg(pl.col("share").sum(), pl.col("price").n_unique())
    np.testing.assert_allclose(sums["share"].to_numpy(), 1.0, rtol=1e-12)
    assert sums["price"].max() == 1
    most = table.group_by("class_number").agg(pl.col("rank").max() + 1).sort("class_number")["rank"].to_list()
    assert widths(windows(members(*drawn)), span=SPAN, merit=["price"], classes=4) == [*most, 0]


def test_steps_without_quantity_need_no_slot() -> None:
    assert slotted(members((0, 0, 2.0, 0.0)), merit=["price"], descending=[False]).is_empty()
    assert widths(windows(members((0, 0, 2.0, 0.0))), span=SPAN, merit=["price"], classes=1) == [0]

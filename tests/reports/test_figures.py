"""Figures: what is drawn is what the tables say, computed again row by row without a frame library's sums."""

import csv
import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from tenorgrid.reports import theme
from tenorgrid.reports.figures import basis, book, certificate, curves, marks, prices, scarcity, settlement
from tenorgrid.reports.run import Run, read_run

ZONE = "America/New_York"
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def run(run_folder: Path) -> Run:
    return read_run(run_folder)


@pytest.fixture(scope="module")
def nodes(run: Run) -> pl.DataFrame:
    assert run.prices is not None
    return prices.node_prices(run.prices, resource="h100-sxm", tier="firm", timezone=ZONE)


@pytest.fixture(scope="module")
def rows(run: Run) -> list[tuple[str, str, datetime, float, float]]:
    """horizon, location, local start, price and scarcity of every H100 firm price of the marginal rule, by plain loops."""
    assert run.prices is not None
    mine = run.prices.filter(pl.col("resource") == "h100-sxm")
    return [
        (row["horizon"], row["location"], row["start"].astimezone(ZoneInfo(ZONE)), row["price"], row["scarcity"])
        for row in mine.iter_rows(named=True)
        if row["tier"] == "firm" and row["pricing"] == "marginal" and row["price"] is not None
    ]


def _lines(figure: go.Figure) -> dict[tuple[str, str], Any]:
    return {(trace.yaxis or "y", trace.name): trace for trace in figure.data}


def _means(groups: dict[Any, list[float]]) -> dict[Any, float]:
    return {key: math.fsum(values) / len(values) for key, values in groups.items()}


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_daily_means_by_horizon_are_those_of_the_price_table(
    nodes: pl.DataFrame, rows: list[tuple[str, str, datetime, float, float]]
) -> None:
    groups = defaultdict(list)
    for horizon, location, start, price, _ in rows:
        groups[location, horizon, start.date()].append(price)
    expected = _means(groups)
    drawn = {
        (location, horizon, day): value
        for (axis, horizon), trace in _lines(prices.by_horizon(nodes)).items()
        for location in [sorted({"us-east", "us-west", "eu-north"})[0 if axis == "y" else int(axis[1:]) - 1]]
        for day, value in zip(trace.x, trace.y, strict=True)
    }
    assert drawn == pytest.approx(expected, rel=TOLERANCE)


def test_the_hour_profile_is_over_hours_that_every_horizon_cleared(
    nodes: pl.DataFrame, rows: list[tuple[str, str, datetime, float, float]]
) -> None:
    cleared = defaultdict(set)
    for horizon, location, start, *_ in rows:
        cleared[location, start].add(horizon)
    groups = defaultdict(list)
    for horizon, location, start, price, _ in rows:
        if len(cleared[location, start]) == 4:
            groups[location, horizon, start.hour].append(price)
    expected = _means(groups)
    locations = ["eu-north", "us-east", "us-west"]
    drawn = {
        (locations[0 if axis == "y" else int(axis[1:]) - 1], horizon, int(hour)): value
        for (axis, horizon), trace in _lines(prices.by_hour(nodes)).items()
        for hour, value in zip(trace.x, trace.y, strict=True)
    }
    assert drawn == pytest.approx(expected, rel=TOLERANCE)


def test_the_heat_map_holds_every_difference_and_leaves_the_skipped_hour_blank(
    nodes: pl.DataFrame, rows: list[tuple[str, str, datetime, float, float]]
) -> None:
    table = {(horizon, location, start): price for horizon, location, start, price, _ in rows}
    expected = {
        (location, start.date(), start.hour): price - table["real-time", location, start]
        for (horizon, location, start), price in table.items()
        if horizon == "day-ahead" and ("real-time", location, start) in table
    }
    drawn = {}
    for location, trace in zip(["eu-north", "us-east", "us-west"], prices.day_ahead_minus_real_time(nodes).data, strict=True):
        for hour in range(24):
            for place, day in enumerate(trace.x):
                if not math.isnan(trace.z[hour][place]):
                    drawn[location, day, hour] = trace.z[hour][place]
    assert drawn == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)
    assert ("us-east", datetime(2027, 3, 14).date(), 2) not in drawn
    assert ("us-west", datetime(2027, 1, 1).date(), 0) not in drawn, "the node without a price is blank"


def test_the_autumn_hour_that_comes_twice_shows_the_later_one() -> None:
    starts = [datetime(2027, 11, 7, 5, tzinfo=UTC), datetime(2027, 11, 7, 6, tzinfo=UTC)]
    table = pl.DataFrame(
        [
            {
                "horizon": horizon,
                "pricing": "marginal",
                "start": start,
                "location": "us",
                "resource": "r",
                "tier": "firm",
                "price": price,
                "scarcity": 0.0,
            }
            for horizon, found in (("day-ahead", (3.0, 5.0)), ("real-time", (1.0, 1.0)))
            for start, price in zip(starts, found, strict=True)
        ]
    )
    found = prices.node_prices(table, resource="r", tier="firm", timezone=ZONE)
    assert found["hour"].to_list() == [1, 1, 1, 1]
    assert prices.day_ahead_minus_real_time(found).data[0].z[1][0] == 4.0


def test_every_scarce_hour_is_a_dot(nodes: pl.DataFrame, rows: list[tuple[str, str, datetime, float, float]]) -> None:
    expected = sorted(
        (location, start.replace(tzinfo=None), adder)
        for horizon, location, start, _, adder in rows
        if horizon == "real-time" and adder >= 0.5
    )
    figure = scarcity.adders(nodes, threshold=0.5)
    drawn = sorted((trace.name, when, adder) for trace in figure.data for when, adder in zip(trace.x, trace.y, strict=True))
    assert len(drawn) > 10
    assert drawn == expected


def test_binding_counts_are_hours_not_rows() -> None:
    start = datetime(2027, 1, 1, tzinfo=UTC)
    table = pl.DataFrame(
        {
            "horizon": ["real-time"] * 3 + ["day-ahead"],
            "start": [start, start, start + timedelta(hours=1), start],
            "kind": ["link"] * 4,
            "key": ["a>b"] * 4,
            "dual": [1.0, 3.0, -5.0, 100.0],
            "meaning": ["one", "three", "five", "other"],
        }
    )
    found = scarcity.binding_counts(table, horizon="real-time").row(0, named=True)
    assert found == {"kind": "link", "key": "a>b", "hours": 2, "mean_dual": pytest.approx(-1 / 3), "largest_dual": 5.0, "meaning": "five"}


def test_marks_are_drawn_in_their_latest_revision_with_gaps_where_withheld(run: Run, run_folder: Path) -> None:
    assert run.marks is not None
    latest: dict[tuple[str, str], tuple[int, str]] = {}
    for row in _table(run_folder / "marks" / "marks.csv"):
        key = (row["index"], row["start"])
        if row["methodology"] == "house" and (key not in latest or int(row["revision"]) > latest[key][0]):
            latest[key] = (int(row["revision"]), row["value"])
    series = marks.narrow(marks.current(run.marks, methodology="house"))
    spot = series.filter(pl.col("tier") == "SPOT")
    for tier, part in (("FIRM", series.filter(pl.col("tier") == "FIRM")), ("SPOT", spot)):
        kinds, where = marks.subjects(part), marks.places(part)
        figure = marks.by_place(part, kinds=kinds, where=where)
        assert len(figure.data) == len(kinds) * len(where) == 12
        for trace in figure.data:
            kind = kinds[0 if trace.yaxis == "y" else int(trace.yaxis[1:]) - 1]
            for when, value in zip(trace.x, trace.y, strict=True):
                said = latest[f"{kind}.{trace.name}.{tier}", f"{when:%Y-%m-%dT%H:%M:%SZ}"][1]
                assert (value is None or math.isnan(value)) if said == "" else value == float(said)
    assert marks.main_methodology(run.marks) == "house"


def test_a_workload_name_may_hold_dots() -> None:
    row = {
        "index": "LLAMA3.1-8B-RL.US-WEST.FIRM",
        "methodology": "house",
        "start": datetime(2027, 1, 1, tzinfo=UTC),
        "revision": 0,
        "value": 1.0,
    }
    table = pl.DataFrame([row | {"unit": "USD/1e6 tokens", "quantity": 1.0, "status": "published"}])
    found = marks.current(table, methodology="house").row(0, named=True)
    assert (found["subject"], found["place"], found["tier"]) == ("LLAMA3.1-8B-RL", "US-WEST", "FIRM")


def test_a_committed_year_is_a_line_of_its_own() -> None:
    """Terms are in the name behind the tier: none of the figures may take the tier for the place, or mix a year with the hour."""
    row = {"methodology": "named", "start": datetime(2027, 1, 1, tzinfo=UTC), "revision": 0, "unit": "USD/GPUh", "quantity": None}
    names = {"H100-SXM.US.FIRM": 3.0, "H100-SXM.US.FIRM.1Y": 2.0, "H100-SXM.US.FIRM.3Y": 1.5, "H100-SXM.US.SPOT": 1.0}
    table = pl.DataFrame([row | {"index": name, "value": value, "status": "published"} for name, value in names.items()])
    series = marks.current(table, methodology="named")
    assert set(series.select("subject", "place").rows()) == {("H100-SXM", "US")}
    assert series["tier"].to_list() == ["FIRM", "FIRM 1Y", "FIRM 3Y", "SPOT"]
    figure = marks.by_tier(series, kinds=["H100-SXM"])
    assert {trace.name: list(trace.y) for trace in figure.data} == {"FIRM": [3.0], "FIRM 1Y": [2.0], "FIRM 3Y": [1.5], "SPOT": [1.0]}


def test_the_curve_is_drawn_as_it_is_while_it_is_short_and_by_local_days_when_it_is_long(run: Run) -> None:
    assert run.curve is not None
    long = run.curve
    assert long.height > curves.SMOOTHEST
    short = long.head(100)
    assert curves.drawn_curve(short, timezone=ZONE)["forward"].to_list() == short["forward"].to_list()
    groups = defaultdict(list)
    for start, forward in long.select("start", "forward").iter_rows():
        groups[start.astimezone(ZoneInfo(ZONE)).date()].append(forward)
    found = curves.drawn_curve(long, timezone=ZONE)
    drawn = {start.date(): forward for start, forward in found.select("start", "forward").iter_rows()}
    assert drawn == pytest.approx(_means(groups), rel=TOLERANCE)


def test_every_quote_is_a_bar_at_its_price_over_its_delivery(run: Run) -> None:
    assert run.curve is not None
    assert run.quotes is not None
    figure = curves.forward(run.curve, run.quotes, timezone=ZONE)
    bars = set()
    for trace in figure.data:
        if trace.mode == "lines" and trace.legendgroup not in (None, "band"):
            for place in range(0, len(trace.x), 3):
                assert trace.y[place] == trace.y[place + 1]
                assert trace.x[place + 2] is None
                bars.add((trace.name, trace.x[place], trace.x[place + 1], trace.y[place]))
    expected = {
        (source, start.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None), end.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None), price)
        for source, start, end, price in run.quotes.select("source", "start", "end", "price").iter_rows()
    }
    assert bars == expected


def test_volatility_bars_reach_to_both_ends_of_the_interval(run: Run) -> None:
    assert run.volatility is not None
    trace = curves.volatility(run.volatility).data[0]
    drawn = {
        name: (value - less, value, value + more)
        for name, value, less, more in zip(trace.y, trace.x, trace.error_x.arrayminus, trace.error_x.array, strict=True)
    }
    for index, value, lower, upper in run.volatility.select("index", "volatility", "lower", "upper").iter_rows():
        assert drawn[index] == pytest.approx((100 * lower, 100 * value, 100 * upper), rel=TOLERANCE)


def test_values_and_deltas_are_sums_over_trades_and_views_do_not_mix(run: Run, run_folder: Path) -> None:
    assert run.values is not None
    assert run.risks is not None
    bars = book.values(run.values).data[0]
    said = {row["trade_id"]: float(row["value"]) for row in _table(run_folder / "value" / "values.csv")}
    assert dict(zip(bars.y, bars.x, strict=True)) == said
    for view in ("quote", "month"):
        sums: dict[str, float] = defaultdict(float)
        for row in _table(run_folder / "value" / "risks.csv"):
            if row["risk"] == "delta" and row["unit"] == "GPU-hours" and row["bucket"].startswith("month ") == (view == "month"):
                sums[row["bucket"].removeprefix("month ")] += float(row["amount"])
        found = book.deltas(run.risks, unit="GPU-hours", view=view).data[0]
        assert {name.strip(): amount for name, amount in zip(found.y, found.x, strict=True)} == pytest.approx(dict(sums), rel=TOLERANCE)
        assert sums


def test_statements_are_summed_exactly_before_they_are_drawn(run: Run, run_folder: Path) -> None:
    assert run.statements is not None
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in _table(run_folder / "settle" / "statements.csv"):
        if row["version"] == "final":
            sums[row["participant"], row["horizon"]] += Decimal(row["amount"])
    assert settlement.latest_version(run.statements) == "final"
    figure = settlement.owed(run.statements, version="final", horizons=list(theme.HORIZONS))
    drawn = {(name, trace.name): amount for trace in figure.data for name, amount in zip(trace.y, trace.x, strict=True)}
    assert drawn == {key: float(amount) for key, amount in sums.items()}


def test_the_hedge_line_has_the_ratio_as_slope_and_goes_through_the_means(run: Run) -> None:
    assert run.series is not None
    mine = run.series.filter(pl.col("exposure") == "decode-us-west")
    dots, line = basis.changes(mine, ratio=0.16, unit="USD per unit", index="I").data
    assert (line.y[1] - line.y[0]) / (line.x[1] - line.x[0]) == pytest.approx(0.16, rel=1e-9)
    assert np.interp(np.mean(dots.x), line.x, line.y) == pytest.approx(np.mean(dots.y), rel=1e-9)
    both = mine.drop_nulls()
    assert dots.x.tolist() == both["index_change"].to_list()
    assert dots.y.tolist() == both["exposure_change"].to_list()


def test_the_worst_certificate_is_the_largest_in_size_of_any_measure(run: Run, run_folder: Path) -> None:
    assert run.certificate is not None
    worst: dict[tuple[str, str], float] = defaultdict(float)
    for row in _table(run_folder / "clear" / "certificate.csv"):
        for measure in certificate.MEASURES:
            worst[row["horizon"], measure] = max(worst[row["horizon"], measure], abs(float(row[measure])))
    figure = certificate.measures(run.certificate)
    drawn = {(trace.name, measure): value for trace in figure.data for measure, value in zip(trace.y, trace.x, strict=True)}
    assert drawn == dict(worst)
    assert certificate.worst_of_all(run.certificate) == max(worst.values())


def test_strips_stack_without_overlap_from_the_top() -> None:
    layout = theme.strips(["a", "b", "c"], height=100).layout
    domains = [layout.yaxis.domain, layout.yaxis2.domain, layout.yaxis3.domain]
    assert domains[0][1] == 1.0
    assert domains[2][0] == 0.0
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    drawn = layout.height - layout.margin.t - layout.margin.b
    assert [round((top - bottom) * drawn) for bottom, top in domains] == [100, 100, 100]


def test_of_many_participants_the_largest_by_size_are_drawn() -> None:
    names = [f"p{place:03d}" for place in range(50)]
    amounts = [(-1) ** place * place for place in range(50)]
    table = pl.DataFrame(
        {
            "participant": names,
            "version": ["final"] * 50,
            "charge_code": ["energy"] * 50,
            "horizon": ["real-time"] * 50,
            "postings": [1] * 50,
        }
    ).with_columns(amount=pl.Series(amounts).cast(pl.Decimal(38, 6)))
    found = settlement.shown(table, version="final", horizons=["real-time"])
    assert set(found) == set(names[20:])
    assert (found[0], found[-1]) == ("p049", "p048")
    drawn = settlement.owed(table, version="final", horizons=["real-time"])
    assert set(drawn.data[0].y) == set(found)
    assert list(drawn.layout.yaxis.categoryarray) == found

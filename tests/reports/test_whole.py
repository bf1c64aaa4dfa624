"""Orders decided whole on the page: what was on when, both prices, and what they leave unpaid."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid import folders
from tenorgrid.api import clear
from tenorgrid.data import store
from tenorgrid.data.errors import InputError
from tenorgrid.reports.figures import twice, whole
from tenorgrid.reports.names import safe_json
from tenorgrid.reports.page import Drawing, Section
from tenorgrid.reports.pages.whole import by_participant, domains, payers, section
from tenorgrid.reports.report import render
from tenorgrid.reports.run import read_run

CASES = Path(__file__).parents[1] / "clearing" / "cases"
START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLES = ("commitments", "awards", "uplift", "allocation", "domain_prices")


def _cleared(case: str, place: Path) -> Path:
    folders.write_clear(clear(CASES / case), place / "clear", form="csv")
    return place


@pytest.fixture(scope="module")
def scarf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _cleared("scarf", tmp_path_factory.mktemp("scarf"))


def _commitments(on: dict[str, str], *, side: str = "offer") -> pl.DataFrame:
    """One row an hour: `#` is on, `-` is off, a blank is outside of the window."""
    rows = [
        {"start": START + hour * HOUR, "side": side, "id": name, "participant": f"of {name}", "on": mark == "#", "started": mark == "#"}
        for name, marks in on.items()
        for hour, mark in enumerate(marks)
        if mark != " "
    ]
    return pl.DataFrame(rows, schema_overrides={"start": pl.Datetime("us", "UTC")})


def _prices(rows: list[tuple[str, int, str, float]]) -> pl.DataFrame:
    """(pricing, hour, resource, price) in one place."""
    return pl.DataFrame(
        [
            {"horizon": "real-time", "pricing": rule, "start": START + hour * HOUR, "location": "east", "resource": resource,
             "tier": "firm", "price": price}
            for rule, hour, resource, price in rows
        ],
        schema_overrides={"start": pl.Datetime("us", "UTC")},
    )  # fmt: skip


def _drawings(shown: Section | None) -> dict[str, Drawing]:
    assert shown is not None
    return {block.name: block for block in shown.blocks if isinstance(block, Drawing)}


def test_hours_with_the_same_decision_are_one_bar_from_its_start_to_its_end() -> None:
    spans = whole.stretches(_commitments({"a": "##-##", "b": "  #  "}), interval=HOUR, timezone="America/New_York")
    local = START.replace(tzinfo=None) - 5 * HOUR
    at = [local + hour * HOUR for hour in range(6)]
    expected = [("offer", "a", True, at[0], at[2]), ("offer", "a", False, at[2], at[3]), ("offer", "a", True, at[3], at[5])]
    assert spans.rows() == [*expected, ("offer", "b", True, at[2], at[3])]


def test_a_window_with_a_hole_is_two_bars() -> None:
    assert whole.stretches(_commitments({"a": "## ##"}), interval=HOUR, timezone="UTC").height == 2
    assert whole.stretches(_commitments({"a": "#####"}), interval=HOUR, timezone="UTC").height == 1


def test_bars_cover_as_many_hours_as_the_table_says_on_and_off() -> None:
    """The second opinion: hours counted in the table, and lengths of what is drawn."""
    rng = np.random.default_rng(3)
    marks = {f"o{number}": "".join(rng.choice(list("#- "), 50)) for number in range(8)}
    table = pl.concat([_commitments(marks), _commitments({"g": "##########"}, side="bid")])
    shown = whole.orders(table, None)
    drawn = whole.decided(whole.stretches(table, interval=HOUR, timezone="UTC"), shown)
    hours = {trace.name: float(np.sum(trace.x)) / 3.6e6 for trace in drawn.data}
    offers = table.filter(pl.col("side") == "offer")
    assert hours == {"offer committed": offers["on"].sum(), "gang accepted": 10, "in its window, not taken": (~offers["on"]).sum()}


def test_orders_that_were_taken_come_first_and_of_them_the_largest_award() -> None:
    table = _commitments({"none": "---", "small": "###", "large": "-#-", "unpaid": "#--"})
    awards = pl.DataFrame({"side": ["offer"] * 3, "id": ["small", "large", "large"], "cash": [5.0, -4.0, -3.0]})
    found = whole.orders(table, awards)
    assert found.select("id", "taken", "seen", "cash").rows() == [
        ("large", 1, 3, 7.0), ("small", 3, 3, 5.0), ("unpaid", 1, 3, 0.0), ("none", 0, 3, 0.0),
    ]  # fmt: skip
    assert whole.orders(table, None)["id"].to_list() == ["small", "large", "unpaid", "none"]


def test_no_more_rows_than_fit_and_the_caption_counts_the_rest(run_folder: Path) -> None:
    shown = _drawings(section(read_run(run_folder)))["decided"]
    rows = {row for trace in shown.figure.data for row in trace.y}
    assert rows == set(range(whole.MOST_ROWS))
    assert "32 of 32 offers were committed and 2 of 4 gangs accepted" in shown.caption
    assert "6 are left out" in shown.caption
    assert shown.figure.layout.yaxis.ticktext[:3] == ("gang-35", "gang-33", "block-31")  # an hour of number n is 10 (n + 1) USD
    assert not any("divisible" in text for trace in shown.figure.data for text in trace.customdata)


def test_scarf_s_prices_and_side_payments_are_what_the_page_draws(scarf: Path) -> None:
    """Scarf's example: a smokestack at 3, start cost 53, of 16; a high tech at 2, start cost 30, of 7 (hull price 44/7)."""
    shown = _drawings(section(read_run(scarf)))
    lines = {trace.name: list(trace.y) for trace in shown["two-prices"].figure.data}
    assert lines == {"marginal": pytest.approx([3.0, 3.0]), "convex-hull": pytest.approx([44 / 7] * 2)}
    bars = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in shown["unpaid"].figure.data}
    assert bars["marginal"] == pytest.approx({"make-whole": 205.0, "lost opportunity": 205.0, "shortfall": 0.0}, abs=1e-9)
    assert bars["convex-hull"] == pytest.approx({"make-whole": 32 / 7, "lost opportunity": 32 / 7, "shortfall": 0.0}, abs=1e-9)


@pytest.mark.parametrize("case", ["scarf", "modified-scarf", "start-up", "unit-that-is-off"])
def test_hull_prices_leave_no_more_than_marginal_ones_as_the_caption_says(case: str, tmp_path: Path) -> None:
    run = read_run(_cleared(case, tmp_path))
    sums = whole.totals(run.uplift, run.allocation, horizons=["real-time"])
    least = dict(zip(sums["pricing"], sums["lost-opportunity"] + sums["shortfall"], strict=True))
    assert 0.0 <= least["convex-hull"] <= least["marginal"] + 1e-6
    caption = _drawings(section(run))["unpaid"].caption
    assert f"{least['convex-hull']:,.2f} USD at convex-hull prices: hull prices leave the least" in caption


def test_what_is_owed_is_what_would_be_paid(run_folder: Path, scarf: Path) -> None:
    for folder in (run_folder, scarf):
        run = read_run(folder)
        assert run.uplift is not None
        assert run.allocation is not None
        owed, paid = by_participant(run.uplift), payers(run.allocation)
        for column, charge in (("make_whole", "make-whole"), ("lost_opportunity", "lost-opportunity")):
            for rule in ("marginal", "convex-hull"):
                assert owed[f"{column} {rule}"].sum() == pytest.approx(paid[f"{charge} {rule}"].sum(), abs=0.02)
        most = owed.select(pl.max_horizontal(pl.selectors.numeric()))["make_whole marginal"]
        assert most.is_sorted(descending=True)


def test_orders_of_one_participant_are_one_row_and_less_than_a_cent_is_none() -> None:
    table = pl.DataFrame(
        {
            "pricing": ["marginal", "marginal", "convex-hull", "marginal"], "participant": ["p", "p", "p", "q"],
            "component": ["b", "a", "a", "c"], "make_whole": [1.0, 2.0, 0.5, 0.004], "lost_opportunity": [3.0, 2.0, 0.5, 0.004],
        }
    )  # fmt: skip
    assert by_participant(table).rows() == [("p", "a and 1 more", 3.0, 0.5, 5.0, 0.5)]


def test_nothing_unpaid_is_said_in_words_and_without_bars(tmp_path: Path) -> None:
    shown = section(read_run(_cleared("linked-blocks", tmp_path)))
    assert shown is not None
    assert [block.name for block in shown.blocks] == ["decided", "two-prices", "unpaid-totals"]
    assert shown.blocks[-1].caption.startswith("Not a cent")
    assert "agree at every node" in shown.blocks[1].caption
    (tmp_path / "clear" / "uplift.csv").unlink()  # a run that did not measure it says nothing of it
    (tmp_path / "clear" / "allocation.csv").unlink()
    again = section(read_run(tmp_path))
    assert again is not None
    assert [block.name for block in again.blocks] == ["decided", "two-prices"]


def test_the_reference_is_shown_and_the_node_that_is_wider_apart() -> None:
    rows = [("marginal", 0, "h100", 2.0), ("convex-hull", 0, "h100", 2.5), ("marginal", 0, "b200", 9.0), ("convex-hull", 0, "b200", 4.0)]
    nodes = twice.by_node(twice.paired(_prices(rows), horizon="real-time"))
    assert nodes.select("resource", "apart", "largest").rows() == [("b200", 5.0, 5.0), ("h100", 0.5, -0.5)]
    assert twice.chosen(nodes, reference="h100")["resource"].to_list() == ["h100", "b200"]
    assert twice.chosen(nodes, reference="b200")["resource"].to_list() == ["b200"]
    assert twice.chosen(nodes, reference="none such")["resource"].to_list() == ["b200"]


def test_a_relaxation_is_drawn_as_one_where_it_is_one() -> None:
    rows = [("marginal", hour, "h100", 2.0 + hour) for hour in range(3)]
    rows += [
        ("convex-hull", 0, "h100", 1.0),
        ("relaxation", 1, "h100", 1.5),
        ("convex-hull", 2, "h100", 1.25),
        ("marginal", 3, "h100", 7.0),
    ]
    pairs = twice.paired(_prices(rows), horizon="real-time")
    drawn = twice.side_by_side(pairs, twice.by_node(pairs), settles="marginal", interval=HOUR, timezone="UTC")
    found = {trace.name: (list(trace.y), trace.line.dash) for trace in drawn.data}
    assert found["convex-hull"] == ([1.0, 1.0, None, 1.25, 1.25], "solid")
    assert found["relaxation"] == ([1.5, 1.5], "dot")
    assert found["marginal"][0] == [2.0, 2.0, 3.0, 3.0, 4.0, 4.0]  # the last hour has no second price


def test_a_spike_ends_the_axis_and_is_marked_at_its_edge() -> None:
    rows = [
        (rule, hour, "h100", 500.0 if hour == 7 and rule == "marginal" else 2.0)
        for rule in ("marginal", "convex-hull")
        for hour in range(48)
    ]
    pairs = twice.paired(_prices(rows), horizon="real-time")
    drawn = twice.side_by_side(pairs, twice.by_node(pairs), settles="marginal", interval=HOUR, timezone="UTC")
    marks = [trace for trace in drawn.data if trace.mode == "markers"]
    assert [list(mark.customdata) for mark in marks] == [[500.0]]
    assert list(marks[0].y) == [2.5]
    assert drawn.layout.yaxis.range[1] < 3.0


def test_many_intervals_are_drawn_as_means_of_days() -> None:
    hours = twice.FINEST + 300
    rows = [
        (rule, hour, "h100", float(hour % 24) + shift) for rule, shift in (("marginal", 0.0), ("convex-hull", 1.0)) for hour in range(hours)
    ]
    pairs = twice.paired(_prices(rows), horizon="real-time")
    drawn = twice.side_by_side(pairs, twice.by_node(pairs), settles="marginal", interval=HOUR, timezone="UTC")
    lines = {trace.name: list(trace.y) for trace in drawn.data}
    assert lines == {"marginal": [11.5] * (hours // 24 * 2), "convex-hull": [12.5] * (hours // 24 * 2)}


def test_premia_are_the_means_of_the_table_and_lines_the_rule_that_settles(run_folder: Path) -> None:
    run = read_run(run_folder)
    assert run.domain_prices is not None
    found = twice.premia(run.domain_prices, horizon="real-time")
    assert found["domain"].to_list() == [72, 8]
    wide = pl.read_csv(run_folder / "clear" / "domain_prices.csv").filter(domain=72)
    assert found.row(0, named=True)["marginal"] == pytest.approx(wide.filter(pricing="marginal")["premium"].mean(), rel=1e-12)
    assert found.row(0, named=True)["priced"] == 48
    drawn = _drawings(section(run))["domain-premia"].figure.data
    lines = {trace.name: list(trace.y)[::2] for trace in drawn if trace.mode == "lines"}
    assert lines["domain of 72 GPUs"] == pytest.approx(wide.filter(pricing="marginal")["premium"].to_list())


def test_domains_have_a_section_of_their_own_where_nothing_is_decided_whole(run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(run_folder / "clear", tmp_path / "clear")
    assert domains(read_run(tmp_path)) is None
    for name in ("commitments", "uplift", "allocation"):
        (tmp_path / "clear" / f"{name}.csv").unlink()
    run = read_run(tmp_path)
    assert section(run) is None
    alone = domains(run)
    assert alone is not None
    assert [block.name for block in alone.blocks] == ["domain-premia", "domains-in-numbers"]


def test_a_run_without_these_tables_is_reported_without_the_section(run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(run_folder / "clear", tmp_path / "clear")
    for name in TABLES:
        path = store.find_table(tmp_path / "clear", name)
        assert path is not None
        path.unlink()
    html = render(tmp_path)
    assert '<section id="prices">' in html
    assert '<section id="whole">' not in html
    assert '<section id="domains">' not in html


def test_names_with_markup_stay_text_in_tables_and_to_plotly(run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(run_folder / "clear", tmp_path / "clear")
    for name, column, old in (("commitments", "id", "gang-35"), ("uplift", "participant", "supplier-5")):
        path = tmp_path / "clear" / f"{name}.csv"
        pl.read_csv(path, infer_schema=False).with_columns(pl.col(column).replace(old, "</script><b>x")).write_csv(path)
    (tmp_path / "clear" / "awards.parquet").unlink()  # without it the longest are shown
    html = render(tmp_path)
    assert "</script><b>x" not in html
    assert "<td>&lt;/script&gt;&lt;b&gt;x</td>" in html
    shown = safe_json(_drawings(section(read_run(tmp_path)))["decided"].figure)
    assert "&lt;/script&gt;&lt;b&gt;x" in json.loads(shown)["layout"]["yaxis"]["ticktext"]
    assert "<" not in shown


def test_a_table_that_breaks_its_schema_is_refused(run_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(run_folder / "clear", tmp_path / "clear")
    path = tmp_path / "clear" / "uplift.csv"
    table = pl.read_csv(path, infer_schema=False)
    table.with_columns(pl.col("make_whole").replace(table["make_whole"][0], "-1")).write_csv(path)
    with pytest.raises(InputError, match=r"uplift.csv row 1, column make_whole: found -1"):
        read_run(tmp_path)

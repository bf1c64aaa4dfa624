"""The page: whole, self-contained, the same each time, and only about what the run has."""

import base64
import json
import re
import shutil
import struct
from collections import defaultdict
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data import store
from tenorgrid.data.errors import InputError
from tenorgrid.reports.figures import prices as figures
from tenorgrid.reports.pages import curves, prices, scarcity
from tenorgrid.reports.pages.settlement import wide
from tenorgrid.reports.report import render, write
from tenorgrid.reports.run import read_run

SECTIONS = ["market", "prices", "scarcity", "whole", "marks", "curve", "book", "settlement", "basis", "certificate", "origin"]
CLEARED = {"market", "prices", "scarcity", "whole", "certificate"}
LARGEST = 8_000_000  # bytes


class Page(HTMLParser):
    """What a page is made of, its scripts and styles left out of the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.sections: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.styles = ""
        self.text = ""
        self.captions: list[str] = []
        self.json: dict[str, str] = {}
        self.open: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.open.append((tag, found.get("id", "")))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "section":
            self.sections.append(found["id"])
        if tag == "figcaption":
            self.captions.append("")
        if tag == "a":
            self.links.append(found["href"])
        else:
            self.loads += [found[name] for name in ("src", "href", "data", "srcset", "poster") if name in found]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, name = self.open[-1] if self.open else ("", "")
        if tag == "style":
            self.styles += data
        elif tag == "script":
            self.json[name] = self.json.get(name, "") + data
        else:
            self.text += data
            if any(place == "figcaption" for place, _ in self.open):
                self.captions[-1] += data


@pytest.fixture(scope="module")
def html(run_folder: Path) -> str:
    return render(run_folder)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_section_is_there_once_and_the_contents_name_them(page: Page) -> None:
    assert page.sections == SECTIONS
    assert page.links == [f"#{name}" for name in SECTIONS]
    assert len(page.ids) == len(set(page.ids))


def test_the_page_loads_nothing_from_anywhere(html: str, page: Page) -> None:
    assert page.loads == ["data:,"]
    assert "url(" not in page.styles
    assert "@import" not in page.styles
    own = html.replace(page.json[""], "")
    assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", own.split("<script>")[0])


def test_the_plot_script_is_embedded_once_and_the_page_is_small_enough(html: str) -> None:
    assert html.count("plotly.js v") == 1
    assert len(html.encode()) < LARGEST


def test_the_same_run_gives_the_same_page(run_folder: Path, html: str) -> None:
    assert render(run_folder) == html


def test_every_figure_has_its_data_and_a_caption_that_says_synthetic(page: Page) -> None:
    plots = [name.removesuffix("-plot") for name in page.ids if name.endswith("-plot")]
    assert len(plots) > 15
    for name in plots:
        figure = json.loads(page.json[f"{name}-data"])
        assert figure["data"], name
        assert figure["layout"]["height"] > 0
    assert len(page.captions) >= len(plots)
    assert all(caption.endswith("Synthetic data.") for caption in page.captions)
    assert "Compute market, synthetic" in page.text


def test_what_the_page_draws_of_statements_is_what_the_table_says(page: Page, run_folder: Path) -> None:
    expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in pl.read_csv(run_folder / "settle" / "statements.csv", infer_schema=False).filter(version="final").iter_rows(named=True):
        expected[row["participant"], row["horizon"]] += Decimal(row["amount"])
    drawn = {
        (name, trace["name"]): value
        for trace in json.loads(page.json["owed-data"])["data"]
        for name, value in zip(trace["y"], _numbers(trace["x"]), strict=True)
    }
    assert drawn == {key: float(amount) for key, amount in expected.items()}


def test_the_statement_table_adds_up_to_the_exact_sums(run_folder: Path) -> None:
    run = read_run(run_folder)
    assert run.statements is not None
    rows = wide(run.statements, run.invoices, version="final")
    for row in rows.iter_rows(named=True):
        parts = [value for name, value in row.items() if name not in {"participant", "exact", "invoice"}]
        assert sum(parts) == row["exact"]
        assert abs(row["invoice"] - row["exact"]) <= Decimal("0.005")
    first = str(rows["participant"][0])
    mine = pl.read_csv(run_folder / "settle" / "statements.csv", infer_schema=False).filter(version="final", participant=first)
    assert rows["exact"][0] == sum(Decimal(amount) for amount in mine["amount"])


def test_the_header_agrees_with_the_tables(page: Page, run_folder: Path) -> None:
    values = pl.read_csv(run_folder / "value" / "values.csv")["value"].sum()
    assert f"{values:,.0f} USD" in page.text
    last = pl.read_csv(run_folder / "marks" / "marks.csv").filter(index="H100-SXM.US.FIRM").sort("start", "revision")
    assert f"{last['value'][-1]:,.4f}" in page.text
    worst = (
        pl.read_csv(run_folder / "clear" / "certificate.csv").select("primal", "dual", "complementarity", "gap").max().max_horizontal()[0]
    )
    assert f"{worst:.1e}".replace("e-", "e−") in page.text
    assert "2027-03-16" in page.text


def test_the_curve_caption_states_the_coverage_on_held_back_days(page: Page) -> None:
    stated = "The band is meant to hold 80 % of outcomes; on held-back days it held, by horizon: day-ahead 49 of 60 days (82 %)"
    assert sum(stated in caption for caption in page.captions) == 2  # the next weeks, and the whole curve
    other = pl.DataFrame({"index": ["X"], "horizon": ["day-ahead"], "days": [3], "inside": [1], "coverage": [1 / 3], "level": [0.8]})
    assert "not measured" in curves.stated_coverage(other, index="H100-SXM.US.FIRM")
    anywhere = other.with_columns(pl.lit(None, dtype=pl.String).alias("index"))
    assert "1 of 3 days (33 %)" in curves.stated_coverage(anywhere, index="H100-SXM.US.FIRM")


def test_scarce_hours_are_counted_once_however_many_places_are_short(run_folder: Path) -> None:
    run = read_run(run_folder)
    nodes = prices.reference_nodes(run)
    assert nodes is not None
    real = [row for row in nodes.iter_rows(named=True) if row["horizon"] == "real-time"]
    short = {row["start"] for row in real if row["scarcity"] >= scarcity.THRESHOLD}
    count, monthly = scarcity.hours_anywhere(nodes)
    assert count == len(short)
    assert monthly == pytest.approx(len(short) * 720 / len({row["start"] for row in real}), rel=1e-12)
    assert scarcity.scarce_hours(nodes)["scarce"].sum() >= count


def test_rank_correlation_and_premium_agree_with_scipy(run_folder: Path) -> None:
    from scipy.stats import spearmanr

    nodes = prices.reference_nodes(read_run(run_folder))
    assert nodes is not None
    table = {(row["horizon"], row["location"], row["start"]): row["price"] for row in nodes.iter_rows(named=True)}
    for row in prices.premiums(nodes).iter_rows(named=True):
        hours = [
            key[2] for key in table if key[:2] == ("real-time", row["location"]) and (row["horizon"], row["location"], key[2]) in table
        ]
        ahead = [table[row["horizon"], row["location"], hour] for hour in hours]
        real = [table["real-time", row["location"], hour] for hour in hours]
        assert row["hours"] == len(hours)
        assert row["rank"] == pytest.approx(spearmanr(ahead, real).statistic, abs=1e-12)
        assert row["premium"] == pytest.approx(sum(ahead) / len(hours) - sum(real) / len(hours), abs=1e-9)


def test_an_observed_run_has_only_what_it_has_and_is_not_called_synthetic(observations_folder: Path) -> None:
    html = render(observations_folder)
    page = Page(html)
    assert page.sections == ["marks", "curve"]
    assert "ynthetic" not in page.text
    assert "It has no band." in page.text
    assert "H100-SXM.WORLD.ON-DEMAND" in page.text
    assert "of which 1 withheld (gaps)" in page.text


@pytest.mark.parametrize(
    ("part", "gone"),
    [("clear", CLEARED), ("value", {"book"}), ("basis", {"basis"}), ("settle", {"settlement"})],
)
def test_a_part_that_is_missing_leaves_its_sections_out(run_folder: Path, tmp_path: Path, part: str, gone: set[str]) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder, ignore=shutil.ignore_patterns("clear", "report.html") if part != "clear" else None)
    if part == "clear":
        shutil.rmtree(folder / "clear")
    else:
        gone = gone | CLEARED
        shutil.rmtree(folder / part)
    assert Page(render(folder)).sections == [name for name in SECTIONS if name not in gone]


def test_a_name_with_markup_in_it_stays_text(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder / "value", folder / "value")
    table = pl.read_csv(folder / "value" / "values.csv", infer_schema=False).with_columns(
        pl.col("trade_id").replace("fwd-mar", "</script><b>x")
    )
    table.write_csv(folder / "value" / "values.csv")
    html = render(folder)
    assert "</script><b>x" not in html
    page = Page(html)
    assert "&lt;/script&gt;&lt;b&gt;x" in json.loads(page.json["values-data"])["data"][0]["y"]
    assert "</script><b>x" in page.text


def test_write_moves_the_page_in_whole_and_leaves_nothing_beside_it(observations_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(observations_folder, folder)
    before = sorted(path.name for path in folder.iterdir())
    path = write(folder)
    assert path == folder / "report.html"
    assert path.read_text(encoding="utf-8") == render(folder)
    assert sorted(found.name for found in folder.iterdir()) == sorted([*before, "report.html"])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a run folder with some of clear/, marks/"):
        write(tmp_path / "nowhere")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="photos: found none that a report shows, expected a run folder"):
        write(tmp_path / "photos")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.csv"]


def test_a_table_that_breaks_its_schema_is_refused_by_row_and_the_last_page_stays(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder / "basis", folder / "basis")
    (folder / "report.html").write_text("the last good page")
    table = pl.read_csv(folder / "basis" / "basis.csv", infer_schema=False)
    table.with_columns(pl.col("correlation").replace(table["correlation"][1], "1.5")).write_csv(folder / "basis" / "basis.csv")
    with pytest.raises(InputError, match=r"basis.csv row 2, column correlation: found 1.5"):
        write(folder)
    assert (folder / "report.html").read_text() == "the last good page"


def test_tables_may_be_parquet_or_csv(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder / "marks", folder / "marks")
    first = render(folder)
    frame = read_run(folder).marks
    assert frame is not None
    (folder / "marks" / "marks.csv").unlink()
    store.write_table(folder / "marks", "marks", frame, form="parquet")
    assert render(folder) == first


def _numbers(found: object) -> list[float]:
    """Values of a plotted array, which plotly writes as base64 of doubles."""
    if isinstance(found, dict):
        assert found["dtype"] == "f8"
        raw = base64.b64decode(found["bdata"])
        return list(struct.unpack(f"<{len(raw) // 8}d", raw))
    assert isinstance(found, list)
    return [float(value) for value in found]


def test_one_horizon_is_told_as_one_and_has_no_line_where_it_becomes_known(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder / "clear", folder / "clear")
    prices_path = folder / "clear" / "prices.parquet"
    pl.read_parquet(prices_path).filter(pl.col("horizon") == "real-time").write_parquet(prices_path)
    page = Page(render(folder))
    assert "cleared at 1 horizon." in page.text
    assert "price at each horizon" not in page.text
    assert "up to the dotted line" not in page.text
    assert "What H100-SXM firm cost in the real-time run." in page.text
    assert "shapes" not in json.loads(page.json["by-horizon-data"])["layout"]


def test_an_axis_of_few_days_has_a_tick_a_day_and_no_more(run_folder: Path) -> None:
    run = read_run(run_folder)
    nodes = prices.reference_nodes(run)
    assert nodes is not None
    days = nodes["day"].unique().sort()
    week = figures.by_horizon(nodes.filter(pl.col("day").is_in(days.head(figures.FEW).implode())))
    longer = figures.by_horizon(nodes.filter(pl.col("day").is_in(days.head(figures.FEW + 1).implode())))
    assert (week.layout.xaxis.dtick, longer.layout.xaxis.dtick) == (86_400_000, None)


def test_only_the_largest_participants_are_drawn_and_the_rest_counted(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder / "settle", folder / "settle")
    path = folder / "settle" / "statements.csv"
    table = pl.read_csv(path, infer_schema=False)
    others = [table.with_columns(pl.col("participant") + f"-{place}") for place in range(3)]
    assert "more are in the statements" not in Page(render(folder)).text
    pl.concat(others).write_csv(path)
    count = 3 * table["participant"].n_unique()
    assert f"The 30 largest by size; {count - 30} more are in the statements." in Page(render(folder)).text

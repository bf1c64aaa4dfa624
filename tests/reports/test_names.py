"""Names come from users' files: whatever they hold, a page and its figures show them letter by letter."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.data import store
from tenorgrid.reports import theme
from tenorgrid.reports.figures import baskets, book, demand, pooling, versions, work
from tenorgrid.reports.names import beside, literal, safe_json, shortened
from tenorgrid.reports.page import Drawing, Section, compose
from tenorgrid.reports.report import render

HOSTILE = ("<b>x</b>", "</script><script>alert(1)</script>", "a & b", "%{y}<extra>", "<!--<script>", "<a href='https://x.y'>z</a>")
TEMPLATES = ("hovertemplate", "texttemplate", "tickformat")
MARKUP = re.compile(r"<(?!/?b>|br>|/?extra>)")


def _texts(value: Any, key: str = "") -> list[tuple[str, str]]:
    """Every text of a figure with the property that it is of."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _texts(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in _texts(inner, key)]
    return [(key, value)] if isinstance(value, str) else []


def _check(figure: go.Figure, name: str) -> None:
    """The name is in the figure as it is, never in a template, and on the page it is literal."""
    assert any(name in text or literal(name) in text for _, text in _texts(json.loads(pio.to_json(figure))))
    _literal_everywhere(safe_json(figure), name)


def _literal_everywhere(data: str, name: str) -> None:
    assert "<" not in data
    for key, text in _texts(json.loads(data)):
        assert literal(name) not in text or key not in TEMPLATES
        assert literal(name) == name or name not in text
        assert not MARKUP.search(text)


def _unescaped(text: str) -> str:
    return text.replace("%&#123;", "%{").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(st.text())
def test_a_literal_name_has_no_markup_and_reads_as_it_was(name: str) -> None:
    found = literal(name)
    assert "<" not in found
    assert ">" not in found
    assert _unescaped(found) == name


@given(st.text(max_size=60))
def test_a_shortened_name_keeps_both_ends(name: str) -> None:
    found = shortened(name)
    assert len(found) <= 18
    assert found == name or (name.startswith(found.split("…")[0]) and name.endswith(found.rsplit("…", 1)[-1]))


@given(st.sampled_from(HOSTILE) | st.text(min_size=1))
def test_a_figure_s_json_holds_every_name_letter_by_letter(name: str) -> None:
    drawn = theme.strips([(name, name)], height=100)
    drawn.add_bar(x=[1.0], y=[name], name=name, text=[name], customdata=[[name, 1.0]], meta=name, hovertemplate="%{y}<br>%{meta}")
    drawn.update_xaxes(title={"text": name}, tickformat="%d<br>%b")
    theme.mark_moment(drawn, 1.0, label=name)
    beside(drawn, [name])
    found = json.loads(safe_json(drawn))
    trace, layout = found["data"][0], found["layout"]
    told = [trace["y"][0], trace["name"], trace["text"][0], trace["customdata"][0][0], trace["meta"], layout["xaxis"]["title"]["text"]]
    assert [_unescaped(text) for text in told] == [name] * 6
    assert all("<" not in text for text in told)
    assert layout["yaxis"]["tickvals"] == layout["yaxis"]["categoryarray"] == trace["y"]  # plotly finds the row of each
    assert layout["annotations"][0]["text"] == f"<b>{literal(name)}</b>{literal(name)}"
    assert layout["annotations"][1]["text"] == literal(name)
    assert trace["hovertemplate"] == "%{hovertext}<br>%{meta}"  # the row's whole name
    assert _unescaped(trace["hovertext"][0]) == name
    assert layout["xaxis"]["tickformat"] == "%d<br>%b"


def test_of_a_template_only_the_tags_that_figures_write_are_kept() -> None:
    drawn = theme.figure(height=100)
    drawn.add_scatter(x=[1], y=[1], hovertemplate="<a href='x'>%{x}</a><br>&<extra>e</extra>")
    found = json.loads(safe_json(drawn))["data"][0]["hovertemplate"]
    assert found == "&lt;a href='x'&gt;%{x}&lt;/a&gt;<br>&amp;<extra>e</extra>"


def test_a_series_cannot_pass_for_a_title_of_ours() -> None:
    drawn = theme.strips(["title"], height=100)
    ours = json.loads(safe_json(drawn))["layout"]["annotations"][0]["name"]
    drawn.add_scatter(x=[1], y=[1], name=ours, text=["<b>x</b>"])
    assert json.loads(safe_json(drawn))["data"][0]["text"] == ["&lt;b&gt;x&lt;/b&gt;"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_cannot_be_left_through_a_name(name: str) -> None:
    drawn = theme.figure(height=100)
    drawn.add_scatter(x=[name], y=[1])
    block = Drawing(name=f'{name}"', title=name, figure=drawn, caption=name)
    html = compose(title=name, subtitle=name, keys=[], sections=[Section(name=name, title=name, lead=name, blocks=[block])], note=name)
    body = html[: html.index("<script>")]
    assert "<script>alert" not in body
    assert "<b>x" not in body
    assert "<!--" not in body
    assert "<a href='http" not in body


@pytest.mark.parametrize("name", HOSTILE)
def test_a_report_of_a_market_with_such_names_shows_them(run_folder: Path, tmp_path: Path, name: str) -> None:
    """Every name of every table of a run is changed; no figure has it as markup, and no template has it at all."""
    shutil.copytree(run_folder, tmp_path / "run")
    for part in sorted((tmp_path / "run").rglob("*")):
        if part.suffix in {".csv", ".parquet"}:
            _renamed(part, name)
    html = render(tmp_path / "run")
    figures = dict(re.findall(r'<script type="application/json" id="([^"]+)-data">(.*?)</script>', html))
    assert len(figures) > 15
    shown = 0
    for data in figures.values():
        _literal_everywhere(data, name)
        shown += any(literal(name) in text for _, text in _texts(json.loads(data)))
    assert shown > 12
    assert name not in html[: html.index("<script>")] or literal(name) == name


def _renamed(path: Path, name: str) -> None:
    """A name of each kind as the hostile one, in any column of text that has it."""
    folder = path.parent
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    old = ["us-east", "us-west", "supplier-1", "buyer-1", "block-1", "gang-33", "fwd-mar", "virtual-1", "train-eu", "b200-sxm", "q3"]
    old += ["H100-SXM.US.FIRM", "monthly quote", "realised", "USD/training step"]
    texts = [column for column in frame.columns if frame[column].dtype == pl.String]
    new = {one: f"{one}{name}" for one in old}
    store.write_table(
        folder, path.stem, frame.with_columns(pl.col(texts).replace(new)), form="parquet" if path.suffix == ".parquet" else "csv"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_names_beside_axes_are_rows_of_their_own(name: str) -> None:
    values = pl.DataFrame({"trade_id": [name, "1", "2"], "kind": ["forward"] * 3, "value": [1.0, 2.0, 3.0]})
    drawn = book.values(values)
    _check(drawn, name)
    assert drawn.layout.yaxis.type == "category"
    of_class = pl.DataFrame({"class": [name, "b"], "region": ["r", name], "hours": [1e6, 2e6], "price": [1.0, 2.0]})
    _check(demand.bars(of_class), name)


@pytest.mark.parametrize("name", HOSTILE)
def test_figures_of_other_pages_keep_names_too(name: str) -> None:
    rows = [("pool", 0.3, 0.25, 0.28, 0.3, 0.33, 0.4), (name, 0.2, 0.0, 0.1, 0.15, 0.3, 0.9)]
    band = pl.DataFrame(rows, schema=["group", "mean", "p05", "p25", "p50", "p75", "p95"], orient="row")
    _check(pooling.bands(band.with_columns(deviation=pl.lit(0.1))), name)
    day = pl.Series([1, 2]).cast(pl.Date).cast(pl.Datetime("us", "UTC"))
    told = {"start": day, "constituent": [name, "b"], "contribution": [1.0, 2.0], "weight": [0.5, 0.5]}
    _check(baskets.moves(pl.DataFrame(told), unit=name), name)
    _check(baskets.weights(pl.DataFrame(told)), name)
    both = {"start": day, "index": [name] * 2, "value": [1.0, 2.0], "value_against": [1.0, 2.5], "difference": [0.0, -0.5]}
    _check(versions.both(pl.DataFrame(both), names=(name, "other"), indices=[name]), name)
    family = pl.DataFrame({"model": [None], "unit": [name], "date": day[:1].dt.date(), "value": [1.0], "name": [name]})
    _check(work.families(family.with_columns(pl.col("model").cast(pl.String)), name), name.lower())

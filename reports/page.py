"""The page as data: sections of figures and tables with their captions, and the HTML made of them."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tenorgrid.reports.names import safe_json

_TEMPLATES = files("tenorgrid.reports") / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One number of the page's header."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure with its heading and caption; `name` is its id on the page."""

    name: str
    title: str
    figure: go.Figure
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table (HTML from `tenorgrid.reports.tables`) with its heading and caption."""

    name: str
    title: str
    table: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page that the table of contents names."""

    name: str
    title: str
    lead: str
    blocks: Sequence[Drawing | Listing]


def compose(*, title: str, subtitle: str, keys: Sequence[Key], sections: Sequence[Section], note: str) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        note: added to every caption, for example that the data is synthetic; may be empty.
    """
    template = Template((_TEMPLATES / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html.escape(title),
        subtitle=html.escape(subtitle),
        style=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        keys="\n".join(_key(key) for key in keys),
        contents="\n".join(f'<li><a href="#{html.escape(section.name)}">{html.escape(section.title)}</a></li>' for section in sections),
        sections="\n".join(_section(section, note) for section in sections),
        plotly=get_plotlyjs(),
        script=(_TEMPLATES / "report.js").read_text(encoding="utf-8"),
    )


def _key(key: Key) -> str:
    return f"<div><dt>{html.escape(key.label)}</dt><dd>{html.escape(key.value)}</dd><dd class=note>{html.escape(key.note)}</dd></div>"


def _section(section: Section, note: str) -> str:
    blocks = "\n".join(_drawing(block, note) if isinstance(block, Drawing) else _listing(block, note) for block in section.blocks)
    head = f"<h2>{html.escape(section.title)}</h2>\n<p class=lead>{html.escape(section.lead)}</p>"
    return f'<section id="{html.escape(section.name)}">\n{head}\n{blocks}\n</section>'


def _drawing(block: Drawing, note: str) -> str:
    name = html.escape(block.name)
    return (
        f'<figure id="{name}">\n<h3>{html.escape(block.title)}</h3>\n'
        f'<div class=plot id="{name}-plot" style="height:{block.figure.layout.height}px"></div>\n'
        f'<script type="application/json" id="{name}-data">{safe_json(block.figure)}</script>\n'
        f"<figcaption>{_caption(block.caption, note)}</figcaption>\n</figure>"
    )


def _listing(block: Listing, note: str) -> str:
    caption = f"<figcaption>{_caption(block.caption, note)}</figcaption>"
    return f'<figure id="{html.escape(block.name)}">\n<h3>{html.escape(block.title)}</h3>\n{block.table}\n{caption}\n</figure>'


def _caption(caption: str, note: str) -> str:
    return html.escape(f"{caption} {note}".strip())

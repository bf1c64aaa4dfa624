"""Names in figures: they come from users' files, and plotly reads some HTML and its own templates in nearly every text that it is given."""

import json
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

TITLE = "title of a strip"  # name of an annotation whose text is markup of ours, its names made literal before
MOST_LETTERS = 18  # of a name beside an axis; hovering tells all of it
_TEMPLATES = ("hovertemplate", "texttemplate", "tickformat", "hoverformat")
_OURS = ("<br>", "<extra>", "</extra>")


def literal(name: str) -> str:
    """A name as plotly shows it letter by letter: what would be markup or a variable to it stays text.

    >>> literal("<b>R&D"), literal("%{x}")
    ('&lt;b&gt;R&amp;D', '%&#123;x}')
    """
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "%&#123;")


def shortened(name: str) -> str:
    """A long name without its middle, since names of a series differ at their ends.

    >>> shortened("a-very-long-name-of-an-offer-0017")
    'a-very-lo…fer-0017'
    """
    half = MOST_LETTERS // 2
    return name if len(name) <= MOST_LETTERS else f"{name[:half]}…{name[1 - half :]}"


def titled(bold: str, rest: str = "") -> str:
    """The title of a strip: what it is of in bold, the rest after it.

    >>> titled("<us>", ", USD")
    '<b>&lt;us&gt;</b>, USD'
    """
    return f"<b>{literal(bold)}</b>{literal(rest)}"


def beside(drawn: go.Figure, names: Sequence[str]) -> None:
    """Puts names beside the vertical axis from the bottom up, never read as numbers or days; long ones are shortened, hovering tells all.

    Args:
        names: vertical values of the traces; each has one row, however often it is given.
    """
    order = list(dict.fromkeys(names))
    drawn.update_yaxes(
        type="category", automargin=True, showgrid=False, categoryorder="array", categoryarray=order, tickmode="array", tickvals=order,
        ticktext=[shortened(name) for name in order], range=[-0.5, len(order) - 0.5],
    )  # fmt: skip
    for trace in drawn.data:
        if trace.hovertemplate is not None:  # its %{y} would be the shortened name
            trace.update(hovertext=list(trace.y), hovertemplate=trace.hovertemplate.replace("%{y}", "%{hovertext}"))


def safe_json(figure: go.Figure) -> str:
    """A figure as JSON that may stand in a script element, every text of it literal.

    This is the one door from figures to the page. Of templates and formats of time the tags that figures themselves write are kept (`<br>`
    and `<extra>`): a name has no place in them, it is a trace's `name`, `text`, `customdata` or `meta`, which a template points to.

    >>> drawn = go.Figure(go.Scatter(x=["</script>"], y=[1], hovertemplate="%{x}<br><b>%{y}</b>"))
    >>> found = json.loads(safe_json(drawn))["data"][0]
    >>> found["x"], found["hovertemplate"], "<" in safe_json(drawn)
    (['&lt;/script&gt;'], '%{x}<br>&lt;b&gt;%{y}&lt;/b&gt;', False)
    """
    texts = json.dumps(_literal(json.loads(pio.to_json(figure, validate=False))), sort_keys=True, separators=(",", ":"))
    return texts.replace("<", "\\u003c")


def _literal(value: Any, key: str = "") -> Any:
    """Of a figure as data the same with every string literal, whatever it is of."""
    if isinstance(value, dict):
        ours = {"text": value["text"]} if key == "annotations" and value.get("name") == TITLE else {}
        return {name: _literal(inner, name) for name, inner in value.items()} | ours
    if isinstance(value, list):
        return [_literal(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    found = literal(value).replace("%&#123;", "%{") if key in _TEMPLATES else literal(value)
    for tag in _OURS if key in _TEMPLATES else ():
        found = found.replace(literal(tag), tag)
    return found

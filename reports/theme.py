"""How every figure looks: colours that colour-blind readers tell apart, fixed margins, strips stacked over one time axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from tenorgrid.reports.names import TITLE, literal, titled

ACCENT = "#c1592f"  # terracotta: what happened, or what is owed to us
BLUE = "#2f6690"  # the one thing it is compared with
DARK = "#3d4147"
MIDDLE = "#868c93"
LIGHT = "#c3c7cb"
GRID = "#eceef0"
SERIES = (ACCENT, BLUE, DARK, MIDDLE, LIGHT)
DASHES = ("solid", "solid", "dot", "solid", "solid")
DIVERGING = ((0.0, "#1f4d70"), (0.25, "#7fa3bd"), (0.5, "#f4f4f3"), (0.75, "#dd9c7c"), (1.0, "#a5431c"))
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HORIZONS = ("real-time", "day-ahead", "week-ahead", "month-ahead")
_GAP = 46  # pixels between two strips, room for the title of the lower one
_TOP, _BOTTOM = 60, 44  # the legend takes two rows on a phone


def colour(position: int) -> str:
    """Colour of the series at `position`; past the last the lightest grey, because more colours tell nobody anything.

    >>> colour(0), colour(40)
    ('#c1592f', '#c3c7cb')
    """
    return SERIES[min(position, len(SERIES) - 1)]


def dash(position: int) -> str:
    """Dash of the series at `position`.

    >>> dash(2)
    'dot'
    """
    return DASHES[min(position, len(DASHES) - 1)]


def horizon_order(names: Sequence[str]) -> list[str]:
    """Horizons from the nearest to delivery to the farthest; names that are not usual come last, by name.

    >>> horizon_order(["month-ahead", "year-ahead", "real-time"])
    ['real-time', 'month-ahead', 'year-ahead']
    """
    return sorted(set(names), key=lambda name: (HORIZONS.index(name) if name in HORIZONS else len(HORIZONS), name))


def figure(*, height: int) -> go.Figure:
    """An empty figure in the house's look, `height` pixels tall; the width follows the page.

    >>> figure(height=300).layout.height
    300
    """
    return go.Figure(layout=_layout(height, {"xaxis": _axis(), "yaxis": _axis()}))


def strips(titles: Sequence[str | tuple[str, str]], *, height: int) -> go.Figure:
    """Panels stacked over one shared horizontal axis, which reads as well on a phone as on a desk.

    Args:
        titles: one per panel, from the top, shown above it; of a pair the first part is bold.
        height: pixels of one panel.

    Panel k draws on axes `x` and `y{k + 1}` (`y` for the first): give traces `yaxis=axis(k)`.

    >>> strips(["us-east", "us-west"], height=100).layout.yaxis2.domain[0]
    0.0
    """
    drawn = len(titles) * height + (len(titles) - 1) * _GAP
    tops = [1 - position * (height + _GAP) / drawn for position in range(len(titles))]
    axes: dict[str, object] = {"xaxis": {**_axis(), "anchor": axis(len(titles) - 1)}}
    for position, top in enumerate(tops):
        bottom = 0.0 if position == len(titles) - 1 else top - height / drawn
        axes[axis(position).replace("y", "yaxis")] = {**_axis(), "domain": [bottom, top], "anchor": "x"}
    place = {"x": 0, "xref": "paper", "xanchor": "left", "yref": "paper", "yanchor": "bottom", "yshift": 4, "showarrow": False}
    texts = [literal(title) if isinstance(title, str) else titled(*title) for title in titles]
    names = [{**place, "name": TITLE, "text": text, "y": top, "font": {"size": 12}} for text, top in zip(texts, tops, strict=True)]
    layout = _layout(drawn + _TOP + 18 + _BOTTOM, {**axes, "annotations": names})
    return go.Figure(layout={**layout, "margin": {"l": 56, "r": 16, "t": _TOP + 18, "b": _BOTTOM}})


def axis(position: int) -> str:
    """Name by which a trace refers to the vertical axis of the panel at `position`.

    >>> axis(0), axis(2)
    ('y', 'y3')
    """
    return "y" if position == 0 else f"y{position + 1}"


def mark_moment(drawn: go.Figure, moment: object, *, label: str) -> None:
    """Draws a dotted vertical line at `moment` through every panel, with a label at its top."""
    drawn.add_shape(
        type="line", x0=moment, x1=moment, xref="x", y0=0, y1=1, yref="paper", line={"color": MIDDLE, "width": 1, "dash": "dot"}
    )
    drawn.add_annotation(
        text=label,
        x=moment,
        xref="x",
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="right",
        showarrow=False,
        font={"size": 11, "color": MIDDLE},
    )


def _axis() -> dict[str, object]:
    return {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": LIGHT,
        "tickcolor": LIGHT,
        "ticks": "outside",
        "ticklen": 4,
        "tickfont": {"size": 11},
        "automargin": False,
        "fixedrange": False,
    }


def _layout(height: int, axes: dict[str, object]) -> dict[str, object]:
    """The whole layout at once: plotly takes many times as long to change a figure as to make one."""
    return {
        "height": height,
        "template": "none",
        "font": {"family": FONT, "size": 12, "color": DARK},
        "margin": {"l": 56, "r": 16, "t": _TOP, "b": _BOTTOM},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "bgcolor": "white", "namelength": 40},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top", "xanchor": "left", "font": {"size": 12}},
        "hovermode": "closest",
        "bargap": 0.3,
        **axes,
    }

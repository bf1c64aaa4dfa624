"""How the engine's cost grows: from 500 to 50,000 steps an hour, and from one hour to a month; linopy, the quickest rival, beside it."""

from dataclasses import dataclass
from typing import Any

from plotly.graph_objects import Figure
from plotly.subplots import make_subplots

from benchmarks.lines import agree
from benchmarks.measure import measured
from tenorgrid.reports.theme import ACCENT, BLUE, DARK, FONT, GRID

STEPS = (500, 1_500, 5_000, 15_000, 50_000)
HOURS = (1, 6, 24, 168, 720)
ONE_DAY, USUAL = 24, 5_000  # hours while the steps grow, steps while the hours grow
RIVAL_UNTIL = 1_300_000  # steps times hours that linopy is still given
HEADER = (
    "hours",
    "steps an hour",
    "read, check s",
    "build s",
    "solve s",
    "µs per step and hour",
    "clear in all s",
    "write s",
    "MB",
    "linopy s",
)


@dataclass(frozen=True, kw_only=True)
class Grown:
    """One size of market."""

    hours: int
    steps: int
    told: dict[str, Any]
    rival: dict[str, Any] | None

    def seconds(self) -> float:
        """Build and solve."""
        return float(self.told["build"] + self.told["solve"])


def grown(steps: tuple[int, ...] = STEPS, hours: tuple[int, ...] = HOURS) -> list[Grown]:
    """Every size, plain: first by steps over a day, then by hours."""
    sizes = dict.fromkeys([(ONE_DAY, count) for count in steps] + [(count, USUAL) for count in hours])
    return [_one(hours, steps) for hours, steps in sizes]


def _one(hours: int, steps: int) -> Grown:
    told = measured("benchmarks.by_tenorgrid", "plain", str(hours), str(steps))
    rival = measured("benchmarks.by_linopy", "plain", str(hours), str(steps)) if hours * steps <= RIVAL_UNTIL else None
    if rival is not None:
        agree(rival["surplus"], told["surplus"], f"linopy on {hours} h of {steps:,} steps")
    return Grown(hours=hours, steps=steps, told=told, rival=rival)


def rows_of(found: list[Grown]) -> list[tuple[str, ...]]:
    """The printed table."""
    return [HEADER, *map(_row, found)]


def _row(one: Grown) -> tuple[str, ...]:
    told = one.told
    parts = (f"{told[name]:.2f}" for name in ("read and check", "build", "solve"))
    each = f"{one.seconds() / one.hours / one.steps * 1e6:.2f}"
    rival = "" if one.rival is None else f"{one.rival['build'] + one.rival['solve']:.2f}"
    return (
        f"{one.hours}",
        f"{one.steps:,}",
        *parts,
        each,
        f"{told['clear']:.2f}",
        f"{told['write results']:.2f}",
        f"{told['peak']:,.0f}",
        rival,
    )


def figure(found: list[Grown]) -> Figure:
    """Seconds of build and solve against the size, both ways, on logarithmic axes."""
    days = sorted((one for one in found if one.hours == ONE_DAY), key=lambda one: one.steps)
    usual = sorted((one for one in found if one.steps == USUAL), key=lambda one: one.hours)
    drawn = make_subplots(
        cols=2, subplot_titles=(f"{ONE_DAY} hours, more steps", f"{USUAL:,} steps an hour, more hours"), shared_yaxes=True
    )
    for column, (some, sizes) in enumerate(((days, [one.steps for one in days]), (usual, [one.hours for one in usual])), start=1):
        drawn.add_scatter(
            x=sizes, y=[one.seconds() for one in some], name="tenorgrid", row=1, col=column, mode="lines+markers",
            line={"color": ACCENT}, showlegend=column == 1,
        )  # fmt: skip
        rival = [(size, one.rival) for size, one in zip(sizes, some, strict=True) if one.rival is not None]
        drawn.add_scatter(
            x=[size for size, _ in rival], y=[told["build"] + told["solve"] for _, told in rival], name="linopy", row=1, col=column,
            mode="lines+markers", line={"color": BLUE}, showlegend=column == 1,
        )  # fmt: skip
        drawn.update_xaxes(title="steps an hour" if column == 1 else "hours", tickvals=sizes, row=1, col=column)
    drawn.update_xaxes(type="log", gridcolor=GRID)
    drawn.update_yaxes(type="log", dtick=1, gridcolor=GRID)  # of both panels: sharing an axis does not share its kind
    drawn.update_yaxes(title="build and solve, s", row=1, col=1)
    look = {"paper_bgcolor": "white", "plot_bgcolor": "white", "font": {"family": FONT, "color": DARK}}
    return drawn.update_layout(title="How the cost of clearing grows (synthetic market)", height=460, **look)

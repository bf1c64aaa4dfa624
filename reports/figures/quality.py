"""Quality adjustment drawn: averages beside adjusted indices, the mix alone, and what characteristics are worth."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import MOST_LETTERS, beside, shortened

HELD = ", prices held"
LINES = {  # method: colour, width, dash
    "time-product-dummy": (theme.ACCENT, 2.5, "solid"),
    "hedonic": (theme.ACCENT, 1.5, "dot"),
    "mean": (theme.BLUE, 2, "solid"),
    "median": (theme.MIDDLE, 2, "solid"),
}
MOST_TERMS = 24
PER_TERM = 22  # pixels


def series(rows: pl.DataFrame) -> go.Figure:
    """One group's index by each method; below it the same rows with every product's price held, and how many products there are.

    Args:
        rows: `IndexSeries` of one group.
    """
    own = rows.with_columns(pl.col("method").cast(pl.String)).sort("period")
    titles = [("As observed", ", first period 100"), ("Every product's price held", ": the mix alone"), ("Products", " with a price")]
    drawn = theme.strips(titles, height=190)
    band = own.filter(pl.col("method") == "time-product-dummy", pl.col("lower").is_not_null())
    if not band.is_empty():
        drawn.add_scatter(
            x=[*band["period"], *reversed(band["period"].to_list())],
            y=[*(100 * band["upper"]), *reversed((100 * band["lower"]).to_list())], fill="toself", mode="lines", line={"width": 0},
            fillcolor="rgba(193,89,47,0.15)", name="95 % interval", hoverinfo="skip",
        )  # fmt: skip
    for position, note in enumerate(("", HELD)):
        for method, (colour, width, dash) in LINES.items():
            line = own.filter(pl.col("method") == method + note)
            if line.is_empty():
                continue
            drawn.add_scatter(
                x=line["period"].to_list(), y=(100 * line["value"]).to_list(), yaxis=theme.axis(position), name=method, mode="lines",
                legendgroup=method, showlegend=position == 0, line={"color": colour, "width": width, "dash": dash},
                hovertemplate=f"%{{x|%Y-%m-%d}}: %{{y:.2f}}<extra>{method}{note}</extra>",
            )  # fmt: skip
    count = own.filter(pl.col("method") == "time-product-dummy")
    drawn.add_scatter(
        x=count["period"].to_list(), y=count["products"].to_list(), yaxis=theme.axis(2), mode="lines", showlegend=False,
        line={"color": theme.DARK, "width": 1.5, "shape": "hv"}, hovertemplate="%{x|%Y-%m-%d}: %{y} products<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(yaxis3={"rangemode": "tozero"})
    return drawn


def worth(rows: pl.DataFrame) -> go.Figure:
    """What a characteristic changes the price by, in per cent, with its 95 % interval; of many the surest.

    A number that enters by its logarithm is shown for a doubling, another for a change by the width of its range.

    Args:
        rows: `Coefficients` of one group.
    """
    doubled, width = pl.lit(2.0).log(), (pl.col("highest") - pl.col("lowest")).fill_null(1.0)
    step = pl.when(pl.col("form") == "log").then(doubled).when(pl.col("form") == "level").then(width).otherwise(1.0)
    label = (
        pl.when(pl.col("form") == "log").then(pl.format("{} doubled", "term"))
        .when(pl.col("form") == "level").then(pl.format("{}: {} to {}", "term", pl.col("lowest").round(3), pl.col("highest").round(3)))
        .otherwise(pl.format("{} against {}", "term", "reference"))
    )  # fmt: skip
    told = rows.with_columns(step=step, label=label, sure=pl.col("t").abs().fill_null(0.0)).sort("sure", descending=True)
    shown = pl.concat([told.filter(pl.col("level").is_null()), told.filter(pl.col("level").is_not_null())]).head(MOST_TERMS).reverse()
    change = {name: 100 * ((pl.col(name) * pl.col("step")).exp() - 1) for name in ("coefficient", "lower", "upper")}
    shown = shown.with_columns(**change)
    drawn = theme.figure(height=110 + PER_TERM * shown.height)
    drawn.add_scatter(
        x=shown["coefficient"].to_list(), y=shown["label"].to_list(), mode="markers", marker={"color": theme.ACCENT, "size": 8},
        error_x={
            "type": "data", "array": (shown["upper"] - shown["coefficient"]).to_list(), "color": theme.MIDDLE, "thickness": 1.5, "width": 3,
            "arrayminus": (shown["coefficient"] - shown["lower"]).to_list(), "symmetric": False,
        },
        hovertemplate="%{y}: %{x:+.2f} %<extra></extra>", showlegend=False,
    )  # fmt: skip
    drawn.add_vline(x=0, line={"color": theme.MIDDLE, "width": 1, "dash": "dot"})
    drawn.update_xaxes(title={"text": "change of the price, %", "standoff": 6})
    beside(drawn, shown["label"].to_list())
    drawn.update_yaxes(ticktext=[_beside(*row) for row in shown.select("label", "term", "level").iter_rows()])
    return drawn


def _beside(label: str, term: str, level: str | None) -> str:
    """What fits beside the axis: of a category what tells it from the others, not what all are held against; hovering tells that too."""
    if level is None:
        return shortened(label)
    return shortened(term if len(term) <= MOST_LETTERS else level)

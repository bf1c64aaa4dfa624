"""Figures of virtual bids: what rules earned day by day, and the bid curves of a day."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme

DAY_HOURS = 24


def totals(days: pl.DataFrame) -> go.Figure:
    """Profit of every rule so far, and the drawdown of the program below it.

    Args:
        days: `VirtualDays`.
    """
    drawn = theme.strips([("Profit so far", ", after fees"), ("Drawdown", " of the program")], height=220)
    own = days.filter(pl.col("rule") == "program")
    for place, rule in enumerate(["program", *sorted(set(days["rule"]) - {"program"})]):
        mine = days.filter(pl.col("rule") == rule).sort("day")
        drawn.add_scatter(
            x=mine["day"].to_list(), y=mine["total"].to_list(), yaxis=theme.axis(0), name=rule, mode="lines",
            line={"color": theme.colour(place), "dash": theme.dash(place), "width": 2},
            hovertemplate="%{x|%d %b %Y}: %{y:,.1f}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.add_scatter(
        x=own["day"].to_list(), y=(-own["drawdown"]).to_list(), yaxis=theme.axis(1), mode="lines", fill="tozeroy", showlegend=False,
        line={"color": theme.BLUE, "width": 1}, hovertemplate="%{x|%d %b %Y}: %{y:,.1f}<extra>drawdown</extra>",
    )  # fmt: skip
    drawn.update_yaxes(zeroline=True, zerolinecolor=theme.MIDDLE)
    return drawn


def premia(hours: pl.DataFrame, *, series: list[str], timezone: str) -> go.Figure:
    """Mean premium of every local hour with its deviation, and above it what is bid, a pair of strips a series.

    Args:
        hours: `BidHours`.
        series: which to draw.
        timezone: of the hours.
    """
    strips = [strip for name in series for strip in ((name, ", ahead less real time"), (name, ", bid: sold below 0"))]
    drawn = theme.strips(strips, height=150)
    for place, name in enumerate(series):
        mine = hours.filter(pl.col("series") == name).sort("start")
        clock = mine["start"].dt.convert_time_zone(timezone).dt.hour().to_list()
        drawn.add_bar(
            x=clock, y=mine["premium"].to_list(), yaxis=theme.axis(2 * place), showlegend=False, marker={"color": theme.LIGHT},
            error_y={"type": "data", "array": mine["deviation"].to_list(), "color": theme.MIDDLE, "thickness": 1, "width": 2},
            hovertemplate="hour %{x}: %{y:.3f}<extra>premium</extra>",
        )  # fmt: skip
        for side, sign, colour in (("dec", 1.0, theme.ACCENT), ("inc", -1.0, theme.BLUE)):
            drawn.add_bar(
                x=clock, y=(sign * mine[side]).to_list(), yaxis=theme.axis(2 * place + 1), name=side, legendgroup=side,
                showlegend=place == 0, marker={"color": colour}, hovertemplate="hour %{x}: %{y:.3f}<extra>" + side + "</extra>",
            )  # fmt: skip
    drawn.update_layout(barmode="relative")
    drawn.update_yaxes(zeroline=True, zerolinecolor=theme.MIDDLE)
    drawn.update_xaxes(title={"text": "local hour"}, range=[-0.5, DAY_HOURS - 0.5], dtick=4)
    return drawn


def curves(bids: pl.DataFrame, *, series: list[str], timezone: str) -> go.Figure:
    """Steps of the bids by local hour, a strip a series: their price, with the size of the mark their quantity.

    Args:
        bids: `BidCurves`.
        series: which to draw.
        timezone: of the hours.
    """
    drawn = theme.strips([(name, ", price of the step") for name in series], height=190)
    most = float(bids["quantity"].max() or 1.0)  # type: ignore[arg-type]
    for place, name in enumerate(series):
        for side, colour, symbol in (("dec", theme.ACCENT, "triangle-up"), ("inc", theme.BLUE, "triangle-down")):
            mine = bids.filter(pl.col("series") == name, pl.col("side").cast(pl.String) == side)
            hours = mine["start"].dt.convert_time_zone(timezone).dt.hour()
            drawn.add_scatter(
                x=hours.to_list(), y=mine["price"].to_list(), yaxis=theme.axis(place), mode="markers", legendgroup=side,
                name={"dec": "dec: buys at or below", "inc": "inc: sells at or above"}[side], showlegend=place == 0,
                marker={"color": colour, "symbol": symbol, "size": [6 + 10 * quantity / most for quantity in mine["quantity"]]},
                customdata=mine["quantity"].to_list(), hovertemplate="hour %{x}: %{customdata:.3f} at %{y:.2f}<extra>" + side + "</extra>",
            )  # fmt: skip
    drawn.update_xaxes(title={"text": "local hour"}, range=[-0.5, DAY_HOURS - 0.5], dtick=4)
    return drawn


def shifts(table: pl.DataFrame) -> go.Figure:
    """Correlation of ahead prices with real time some hours later, the best in colour."""
    best = table["correlation"].fill_null(-2.0).arg_max()
    drawn = theme.figure(height=240)
    drawn.add_bar(
        x=table["shift"].to_list(), y=table["correlation"].to_list(), showlegend=False,
        marker={"color": [theme.ACCENT if place == best else theme.LIGHT for place in range(table.height)]},
        hovertemplate="%{x} h: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(margin={"t": 20})
    drawn.update_xaxes(title={"text": "hours by which real time is later"}, dtick=1)
    return drawn

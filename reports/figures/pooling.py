"""Service tiers drawn: many suppliers' bands against one pool's, what a promise costs, how promises held, and what spreads are made of."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

POOL = "pool"
VERDICTS = {"kept": theme.BLUE, "unclear": theme.MIDDLE, "broken": theme.ACCENT}
_APART = 0.07  # of the axis: less room than that and two names are one blot
PARTS = {"premium": theme.BLUE, "overcommit": theme.DARK, "scarcity": theme.ACCENT, "residual": theme.LIGHT}


def bands(pooling: pl.DataFrame) -> go.Figure:
    """The share of listed hours missing over windows: 5–95 % thin, 25–75 % thick, the median a dot; suppliers grey, the pool terracotta.

    Args:
        pooling: `PoolingBands` of one pool.
    """
    alone = pooling.filter(pl.col("group") != POOL).sort("mean", descending=True)
    rows = pl.concat([pooling.filter(pl.col("group") == POOL), alone])
    drawn = theme.figure(height=140 + 24 * rows.height)
    for name, part, colour in ((POOL, rows.head(1), theme.ACCENT), ("each supplier alone", rows.slice(1), theme.MIDDLE)):
        labels = ["all pooled" if group == POOL else group for group in part["group"]]
        for low, high, width, shown in (("p05", "p95", 2, False), ("p25", "p75", 9, True)):
            across, up = _strokes(part[low].to_list(), part[high].to_list(), labels)
            drawn.add_scatter(
                x=across, y=up, mode="lines", name="all pooled" if name == POOL else name, legendgroup=name, showlegend=shown,
                line={"color": colour, "width": width}, hoverinfo="skip", connectgaps=False,
            )  # fmt: skip
        drawn.add_scatter(
            x=(100 * part["p50"]).to_list(), y=labels, mode="markers", legendgroup=name, showlegend=False, name=name,
            marker={"color": "white", "size": 8, "line": {"color": colour, "width": 2}},
            customdata=(100 * part.select("p05", "p95", "mean", "deviation")).rows(),
            hovertemplate="%{y}: median %{x:.1f} %<br>5–95 % %{customdata[0]:.1f} to %{customdata[1]:.1f} %, mean %{customdata[2]:.1f} %,"
            " sd %{customdata[3]:.1f} points<extra></extra>",
        )  # fmt: skip
    most = 100 * max(*rows["p95"].to_list(), 0.01)
    drawn.update_xaxes(title={"text": "hours missing, %", "standoff": 6}, range=[-0.02 * most, 1.02 * most])
    beside(drawn, ["all pooled" if group == POOL else group for group in rows["group"]])
    return drawn


def by_size(curve: pl.DataFrame, *, floor: float | None) -> go.Figure:
    """Spread of the share present, and β of each tier, by the number of suppliers pooled.

    Args:
        curve: `PoolingCurve` of one pool.
        floor: standard deviation that no pooling gets below; None draws none.
    """
    tiers = curve["tier"].unique(maintain_order=True).to_list()
    drawn = theme.strips([("Standard deviation", " of the share present"), ("β", ", sold hours per listed hour")], height=190)
    first = curve.filter(pl.col("tier") == tiers[0])
    sizes = first["suppliers"].to_list()
    drawn.add_scatter(
        x=sizes, y=first["deviation"].to_list(), name="as recorded", mode="lines+markers", line={"color": theme.DARK, "width": 2}
    )
    if first["formula"].null_count() == 0:
        line = {"color": theme.MIDDLE, "width": 1.5, "dash": "dot"}
        drawn.add_scatter(x=sizes, y=first["formula"].to_list(), name="equal suppliers in or out", mode="lines", line=line)
    if floor is not None:
        drawn.add_scatter(
            x=[sizes[0], sizes[-1]], y=[floor, floor], name="correlated floor", mode="lines",
            line={"color": theme.LIGHT, "width": 1.5, "dash": "dash"},
        )  # fmt: skip
    for order, tier in enumerate(tiers):
        here = curve.filter(pl.col("tier") == tier)
        drawn.add_scatter(
            x=here["suppliers"].to_list(), y=here["overcommit"].to_list(), yaxis=theme.axis(1), name=tier, mode="lines+markers",
            line={"color": theme.colour(order), "width": 2}, customdata=here.select("worst", "best", "drawn").rows(),
            hovertemplate="%{x} suppliers: β %{y:.3f}<br>%{customdata[0]:.3f} to %{customdata[1]:.3f} over %{customdata[2]} pools"
            "<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.update_xaxes(title={"text": "suppliers pooled", "standoff": 6})
    drawn.update_yaxes(rangemode="tozero")
    return drawn


def promises(curve: pl.DataFrame, estimates: pl.DataFrame) -> go.Figure:
    """Interruption probability and chance of any recall against what is sold, with the tiers as points.

    Args:
        curve: `PromiseCurve` of one pool.
        estimates: `TierEstimates` of the same pool.
    """
    drawn = theme.figure(height=380)
    sold = curve["overcommit"].to_list()
    for name, column, line in (
        ("interruption probability π", "interruption", {"color": theme.ACCENT, "width": 2}),
        ("chance of any recall P(A < S)", "chance_of_recall", {"color": theme.BLUE, "width": 2}),
    ):
        drawn.add_scatter(
            x=sold,
            y=(100 * curve[column]).to_list(),
            name=name,
            mode="lines",
            line=line,
            hovertemplate="β %{x:.3f}: %{y:.1f} %<extra></extra>",
        )
    shown = estimates.filter(pl.col("overcommit") > 0)
    margin = {
        "type": "data", "symmetric": False, "color": theme.DARK, "thickness": 1.5, "width": 4,
        "array": (shown["upper"] - shown["overcommit"]).fill_null(0.0).to_list(),
        "arrayminus": (shown["overcommit"] - shown["lower"]).fill_null(0.0).to_list(),
    }  # fmt: skip
    drawn.add_scatter(
        x=shown["overcommit"].to_list(), y=(100 * shown["promise"]).to_list(), name="tiers, β with its 95 % interval", mode="markers+text",
        text=_apart(shown, room=_APART * float(curve["chance_of_recall"].to_numpy().max())), textposition="top left",
        marker={"color": theme.DARK, "size": 8}, error_x=margin, cliponaxis=False, customdata=shown["tier"].to_list(),
        hovertemplate="%{customdata}: β %{x:.3f} for π %{y:.0f} %<extra></extra>",
    )  # fmt: skip
    drawn.update_xaxes(title={"text": "β, sold hours per listed hour", "standoff": 6})
    drawn.update_yaxes(title={"text": "%", "standoff": 6}, rangemode="tozero")
    return drawn


def held_out(backtest: pl.DataFrame) -> go.Figure:
    """Interrupted share of sold hours in each held-out period with its 95 % interval, a panel a tier, against the promise.

    Args:
        backtest: `Backtest` of one pool.
    """
    tiers = backtest.group_by("tier").agg(pl.col("promise").first()).sort("promise", "tier")
    titles = [(tier, f", promised {100 * promise:g} %, interrupted in %") for tier, promise in tiers.iter_rows()]
    drawn = theme.strips(titles, height=120)
    periods = backtest.filter(pl.col("period").is_not_null())
    ends = [periods["begin"].min(), periods["end"].max()]
    days = [float(end) / 24 if isinstance(end, float) else 0.0 for end in ends]
    told: set[str] = set()
    for at, (tier, promise) in enumerate(tiers.iter_rows()):
        line = {"color": theme.DARK, "width": 1.5, "dash": "dash"}
        drawn.add_scatter(
            x=days,
            y=[100 * promise] * 2,
            yaxis=theme.axis(at),
            mode="lines",
            line=line,
            name="promise",
            showlegend=at == 0,
            hoverinfo="skip",
        )
        for verdict, colour in VERDICTS.items():
            here = periods.filter(pl.col("tier") == tier, pl.col("verdict").cast(pl.String) == verdict)
            if here.is_empty():
                continue
            realised = 100 * here["realised"]
            drawn.add_scatter(
                x=((here["begin"] + here["end"]) / 48).to_list(), y=realised.to_list(), yaxis=theme.axis(at), mode="markers", name=verdict,
                legendgroup=verdict, showlegend=verdict not in told, marker={"color": colour, "size": 8},
                error_y={
                    "type": "data", "symmetric": False, "color": colour, "thickness": 1.5, "width": 5,
                    "array": (100 * here["upper"] - realised).fill_null(0.0).to_list(),
                    "arrayminus": (realised - 100 * here["lower"]).fill_null(0.0).to_list(),
                },
                customdata=here.select("overcommit", "chance_of_recall").rows(),
                hovertemplate="%{y:.2f} % interrupted at β %{customdata[0]:.3f},"
                " in %{customdata[1]:.1%} of the time<extra>%{fullData.name}</extra>",
            )  # fmt: skip
            told.add(verdict)
    drawn.update_xaxes(title={"text": "day of the record", "standoff": 6})
    drawn.update_yaxes(rangemode="tozero")
    return drawn


def spread_parts(split: pl.DataFrame) -> go.Figure:
    """Mean parts of the firm less interruptible spread, stacked, by horizon and tier.

    Args:
        split: `SpreadSplit` of one pricing rule and one resource.
    """
    means = split.group_by("horizon", "tier").agg(pl.col(*PARTS).mean(), pl.col("spread").mean()).sort("horizon", "tier")
    names = theme.horizon_order(means["horizon"].to_list())
    rows = means.with_columns(rank=pl.col("horizon").replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)).sort(
        "tier", "rank", descending=True
    )
    labels = [f"{tier}, {horizon}" for tier, horizon in rows.select("tier", "horizon").iter_rows()]
    drawn = theme.figure(height=130 + 44 * rows.height)
    for part, colour in PARTS.items():
        drawn.add_bar(
            x=rows[part].to_list(), y=labels, orientation="h", name=part, marker={"color": colour},
            hovertemplate="%{x:.4f} USD/GPUh<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    drawn.add_scatter(
        x=rows["spread"].to_list(), y=labels, mode="markers", name="spread",
        marker={"color": "black", "symbol": "line-ns-open", "size": 18},
        hovertemplate="%{x:.4f} USD/GPUh<extra>spread</extra>",
    )  # fmt: skip
    drawn.update_layout(barmode="relative")
    drawn.update_xaxes(title={"text": "USD per resource-hour", "standoff": 6}, zeroline=True, zerolinecolor=theme.LIGHT)
    beside(drawn, labels)
    return drawn


def _apart(tiers: pl.DataFrame, *, room: float) -> list[str]:
    """Names of tiers, empty where the promise is within `room` of one that is named; the largest is named first."""
    names: dict[str, str] = {}
    last = float("inf")
    for tier, promise in tiers.sort("promise", descending=True).select("tier", "promise").iter_rows():
        names[tier] = tier if last - promise >= room else ""
        last = promise if names[tier] else last
    return [names[tier] for tier in tiers["tier"]]


def _strokes(low: list[float], high: list[float], labels: list[str]) -> tuple[list[float | None], list[str | None]]:
    """Horizontal strokes as one trace, broken by nulls, in %."""
    across: list[float | None] = []
    up: list[str | None] = []
    for begin, end, label in zip(low, high, labels, strict=True):
        across += [100 * begin, 100 * end, None]
        up += [label, label, None]
    return across, up

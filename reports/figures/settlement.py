"""Who is owed what: statements by participant, horizon and charge."""

import plotly.graph_objects as go
import polars as pl

from tenorgrid.reports import theme
from tenorgrid.reports.names import beside

MOST = 30  # participants in a figure; the table has them all


def by_participant(statements: pl.DataFrame, *, version: str) -> pl.DataFrame:
    """Exact USD per participant, charge code and horizon over all days of one version.

    Returns participant, charge_code, horizon, amount (Decimal), postings.
    """
    return (
        statements.filter(pl.col("version") == version)
        .with_columns(pl.col("charge_code").cast(pl.String))
        .group_by("participant", "charge_code", "horizon")
        .agg(pl.col("amount").sum(), pl.col("postings").sum())
        .sort("participant", "charge_code", "horizon")
    )


def latest_version(statements: pl.DataFrame) -> str:
    """`final` where there is one, else the last version by name."""
    versions = statements["version"].unique().sort().to_list()
    return "final" if "final" in versions else str(versions[-1])


def shown(statements: pl.DataFrame, *, version: str, horizons: list[str]) -> list[str]:
    """Participants that are drawn: at most `MOST`, those with the largest sums by size over the horizons, the least owed first.

    Args:
        statements: `Statements`.
        version: the settlement version drawn.
        horizons: those that are drawn.
    """
    sums = by_participant(statements, version=version).filter(pl.col("horizon").is_in(horizons)).group_by("participant")
    every = sums.agg(pl.col("amount").sum()).sort(pl.col("amount").abs(), "participant", descending=[True, False])
    return every.head(MOST).sort("amount", "participant")["participant"].to_list()


def owed(statements: pl.DataFrame, *, version: str, horizons: list[str]) -> go.Figure:
    """What each participant that is `shown` is owed (right) or owes (left), stacked by the horizon whose prices it comes from.

    Args:
        statements: `Statements`.
        version: the settlement version drawn.
        horizons: those that are drawn, the nearest to delivery first.
    """
    sums = by_participant(statements, version=version).group_by("participant", "horizon").agg(pl.col("amount").sum().cast(pl.Float64))
    sums = sums.filter(pl.col("horizon").is_in(horizons))
    order = shown(statements, version=version, horizons=horizons)
    sums = sums.filter(pl.col("participant").is_in(order))
    drawn = theme.figure(height=130 + 22 * len(order))
    for position, horizon in enumerate(horizons):
        rows = sums.filter(pl.col("horizon") == horizon).sort("participant")
        drawn.add_bar(
            x=rows["amount"].to_numpy(),
            y=rows["participant"].to_list(),
            orientation="h",
            name=horizon,
            marker={"color": theme.colour(position if position < 2 else position + 1)},
            hovertemplate="%{y}: %{x:,.2f} USD<extra>%{fullData.name}</extra>",
        )
    drawn.update_layout(barmode="relative")
    drawn.update_xaxes(
        title={"text": "USD to the participant", "standoff": 6}, tickformat=",.3~s", zeroline=True, zerolinecolor=theme.MIDDLE
    )
    beside(drawn, order)
    return drawn

"""Statements per participant, invoices, and the checks that cash closes."""

import polars as pl

from tenorgrid.reports.figures import settlement
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, earliest, latest, table
from tenorgrid.reports.theme import horizon_order


def section(run: Run) -> Section | None:
    """Who is owed what, by horizon and charge; then the checks."""
    blocks: list[Drawing | Listing] = []
    if run.statements is not None:
        version = settlement.latest_version(run.statements)
        blocks += [*_owed(run.statements, version), _statements(run.statements, run.invoices, version)]
    if run.checks is not None:
        blocks.append(_checks(run.checks))
    if not blocks:
        return None
    return Section(
        name="settlement",
        title="Settlement",
        lead=(
            "Each horizon settles only what changed since the one before, at its own price. "
            "Money that enters leaves: every charge code sums to zero."
        ),
        blocks=blocks,
    )


def wide(statements: pl.DataFrame, invoices: pl.DataFrame | None, *, version: str) -> pl.DataFrame:
    """Per participant: exact USD per horizon of energy, of the `rest` (reserve), in all (`exact`), and the `invoice` or null."""
    sums = settlement.by_participant(statements, version=version)
    horizons = horizon_order(sums["horizon"].to_list())
    energy = pl.col("charge_code") == "energy"
    rows = sums.group_by("participant").agg(
        *(pl.col("amount").filter(energy & (pl.col("horizon") == horizon)).sum().alias(horizon) for horizon in horizons),
        pl.col("amount").filter(~energy).sum().alias("rest"),
        pl.col("amount").sum().alias("exact"),
    )
    if invoices is None:
        joined = rows.with_columns(pl.lit(None, dtype=pl.Decimal(38, 2)).alias("invoice"))
    else:
        billed = invoices.filter(pl.col("version") == version).select("participant", pl.col("amount").alias("invoice"))
        joined = rows.join(billed, on="participant", how="left")
    return joined.sort("exact", "participant", descending=[True, False])


def _owed(statements: pl.DataFrame, version: str) -> list[Drawing]:
    """All horizons; then those after the first, which the first would dwarf."""
    mine = statements.filter(pl.col("version") == version)
    horizons = horizon_order(mine["horizon"].to_list())
    period = f"deliveries {earliest(mine['day'])} to {latest(mine['day'])}, version {version}"
    drawings = [
        Drawing(
            name="owed",
            title="What each participant is owed, by horizon",
            figure=settlement.owed(statements, version=version, horizons=horizons),
            caption=(
                f"USD, positive to the participant, all charges, {period}. "
                "A horizon's part is the change of the position at that horizon times its price."
                f"{_left_out(mine)}"
            ),
        )
    ]
    if len(horizons) > 1:
        drawings.append(
            Drawing(
                name="owed-later",
                title=f"What changed after the {horizons[-1]} run",
                figure=settlement.owed(statements, version=version, horizons=horizons[:-1]),
                caption=(
                    f"The same in USD without the {horizons[-1]} run, which sells most of what is sold: "
                    f"what was bought and sold back since.{_left_out(mine)}"
                ),
            )
        )
    return drawings


def _left_out(mine: pl.DataFrame) -> str:
    rest = mine["participant"].n_unique() - settlement.MOST
    return f" The {settlement.MOST} largest by size; {rest:,} more are in the statements." if rest > 0 else ""


def _statements(statements: pl.DataFrame, invoices: pl.DataFrame | None, version: str) -> Listing:
    rows = wide(statements, invoices, version=version)
    horizons = [name for name in rows.columns if name not in {"participant", "rest", "exact", "invoice"}]
    columns = [
        Column(name="participant", head="Participant"),
        *(Column(name=horizon, head=horizon.capitalize(), unit="USD, energy", form=",.0f") for horizon in horizons),
        Column(name="rest", head="Reserve", unit="USD, all horizons", form=",.0f"),
        Column(name="exact", head="Total", unit="USD", form=",.2f"),
        Column(name="invoice", head="Invoice", unit="USD", form=",.2f"),
    ]
    return Listing(
        name="statements",
        title="Statements",
        table=table(rows, columns, name="statements-table"),
        caption=(
            f"Exact sums of the postings of version {version}, positive to the participant, shown to the dollar and in all to the cent; "
            "an invoice is rounded half-even to the cent, once."
        ),
    )


def _checks(checks: pl.DataFrame) -> Listing:
    columns = [
        Column(name="check", head="Check"),
        Column(name="amount", head="Found", form=",.4g"),
        Column(name="bound", head="Bound", form=",.4g"),
        Column(name="unit", head="Unit"),
        Column(name="result", head="Result"),
    ]
    rows = checks.with_columns(pl.when("passed").then(pl.lit("passed")).otherwise(pl.lit("FAILED")).alias("result"))
    return Listing(
        name="checks",
        title="Settlement checks",
        table=table(rows, columns, name="checks-table"),
        caption=(
            "Sums over all accounts, and how far rounding can reach: at most half a micro-dollar a posting. "
            "The solver's own residual is kept apart."
        ),
    )

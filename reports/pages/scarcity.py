"""Scarcity hours and what binds."""

import polars as pl

from tenorgrid.reports.figures import headroom, scarcity
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.pages.prices import reference, reference_nodes
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, table

THRESHOLD = 0.5  # USD/GPUh: below it an adder is the far tail of the scarcity curve, not a shortage
SHOWN_PER_KIND = 5
MONTH = 30 * 24  # hours


def scarce_hours(nodes: pl.DataFrame) -> pl.DataFrame:
    """Per location: real-time hours, scarce ones, scarce ones per 30 days, mean adder of those and the largest (USD/GPUh)."""
    real = nodes.filter(pl.col("horizon") == "real-time").group_by("location").agg(pl.len().alias("hours"))
    short = (
        scarcity.scarce(nodes, threshold=THRESHOLD)
        .group_by("location")
        .agg(pl.len().alias("scarce"), pl.col("scarcity").mean().alias("mean"), pl.col("scarcity").max().alias("largest"))
    )
    joined = real.join(short, on="location", how="left").with_columns(pl.col("scarce").fill_null(0))
    return joined.with_columns((pl.col("scarce") * MONTH / pl.col("hours")).alias("per_month")).sort("location")


def hours_anywhere(nodes: pl.DataFrame) -> tuple[int, float]:
    """Real-time hours that are scarce in some location, and the same per 30 days."""
    cleared = nodes.filter(pl.col("horizon") == "real-time")["start"].n_unique()
    short = scarcity.scarce(nodes, threshold=THRESHOLD)["start"].n_unique()
    return short, short * MONTH / max(cleared, 1)


def section(run: Run) -> Section | None:
    """Scarcity of the reference resource in real time, and the constraints that bind most."""
    nodes = reference_nodes(run)
    blocks: list[Drawing | Listing] = []
    if run.prices is not None and nodes is not None:
        blocks += _scarce(nodes, f"{reference(run.prices).upper()} firm", run.timezone)
    if run.prices is not None and run.headroom is not None and run.reserves is not None:
        blocks += _curve(run.headroom, run.reserves, reference(run.prices), run.timezone)
    if run.binding is not None:
        blocks.append(_binding(run.binding))
    if not blocks:
        return None
    return Section(
        name="scarcity",
        title="Scarcity" if run.binding is None else "Scarcity and what binds",
        lead=(
            "When reserve ran short, and what that added to the price."
            if run.binding is None
            else "When reserve ran short, what that added to the price, and which limits of the market decided prices in real time."
        ),
        blocks=blocks,
    )


def _scarce(nodes: pl.DataFrame, name: str, timezone: str) -> list[Drawing | Listing]:
    counts = scarce_hours(nodes)
    if counts.is_empty():
        return []
    columns = [
        Column(name="location", head="Location"),
        Column(name="hours", head="Real-time hours", unit="hours", form=",d"),
        Column(name="scarce", head="Scarce", unit="hours", form=",d"),
        Column(name="per_month", head="Scarce", unit="hours per 30 days", form=".1f"),
        Column(name="mean", head="Mean adder when scarce", unit="USD/GPUh", form=",.2f"),
        Column(name="largest", head="Largest adder", unit="USD/GPUh", form=",.2f"),
    ]
    rule = f"An hour is scarce when the real-time scarcity adder is at least {THRESHOLD:.2f} USD per GPU-hour."
    listing = Listing(
        name="scarce-hours",
        title=f"{name}: scarce hours in real time",
        table=table(counts, columns, name="scarce-hours-table"),
        caption=rule,
    )
    if not counts["scarce"].sum():
        return [listing]
    drawing = Drawing(
        name="adders",
        title=f"{name}: the adder of every scarce hour",
        figure=scarcity.adders(nodes, threshold=THRESHOLD),
        caption=f"USD per GPU-hour on a logarithmic axis, one dot an hour, local time ({timezone}). {rule}",
    )
    return [drawing, listing]


def _curve(held: pl.DataFrame, reserves: pl.DataFrame, resource: str, timezone: str) -> list[Drawing | Listing]:
    curve, hours = reserves.filter(pl.col("resource") == resource), headroom.cleared(held, resource=resource)
    if hours.is_empty() or not curve["price"].sum():
        return []
    return [
        Drawing(
            name="scarcity-curve",
            title=f"{resource.upper()}: the scarcity curve, and where on it the market cleared",
            figure=headroom.on_curve(curve, hours, timezone=timezone),
            caption=(
                "What one more GPU of headroom is worth when so many are left, and every real-time hour in which that was above zero. "
                "Headroom is firm-able capacity that nobody bought, and the share of interruptible sales that may be recalled as reserve. "
                "Where an hour stands between two steps, a load that gave way to reserve set its price."
            ),
        )
    ]


def _binding(binding: pl.DataFrame) -> Listing:
    horizon = "real-time" if binding["horizon"].eq("real-time").any() else str(binding["horizon"].sort()[0])
    counts = scarcity.binding_counts(binding, horizon=horizon)
    top = counts.group_by("kind", maintain_order=True).head(SHOWN_PER_KIND)
    columns = [
        Column(name="kind", head="Kind"),
        Column(name="key", head="Constraint"),
        Column(name="hours", head="Binds", unit="hours", form=",d"),
        Column(name="mean_dual", head="Mean dual", unit="USD/unit", form=",.4f"),
        Column(name="largest_dual", head="Largest", unit="USD/unit", form=",.4f"),
        Column(name="meaning", head="At its largest"),
    ]
    return Listing(
        name="binding",
        title=f"What binds in the {horizon} run",
        table=table(top, columns, name="binding-table"),
        caption=(
            f"The {SHOWN_PER_KIND} constraints of each kind that bind in most hours, of {counts.height:,} that ever do. "
            "A dual is what one more unit of the constraint would be worth, in USD per unit of it; the largest is by size."
        ),
    )

"""Intelligence: whose demand it was, and which suppliers it could not be met without."""

import polars as pl

from tenorgrid.reports.figures import demand
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, table
from tenorgrid.reports.theme import horizon_order

SHOWN = 12


def section(run: Run) -> Section | None:
    """Demand by class and region, and pivotal suppliers, of the horizon nearest to delivery; from what `tenorgrid intelligence` wrote."""
    blocks: list[Drawing | Listing] = []
    if run.demand is not None:
        blocks.append(_demand(run.demand))
    if run.pivotal is not None:
        blocks.append(_pivotal(run.pivotal))
    if not blocks:
        return None
    return Section(
        name="intelligence",
        title="Intelligence",
        lead="Whose demand it was, and which suppliers it could not have been met without.",
        blocks=blocks,
    )


def _nearest(rows: pl.DataFrame) -> str:
    return horizon_order(rows["horizon"].unique().to_list())[0]


def _demand(rows: pl.DataFrame) -> Drawing:
    horizon = _nearest(rows)
    return Drawing(
        name="demand",
        title=f"GPU-hours by class of work and region, {horizon}",
        figure=demand.bars(demand.by_class(rows, horizon=horizon)),
        caption="Hours of every accelerator together, by the region where they ran, over all the deliveries of the run.",
    )


def _pivotal(rows: pl.DataFrame) -> Listing:
    horizon = _nearest(rows)
    here = rows.filter(pl.col("horizon") == horizon, pl.col("pivotal") > 0)
    often = here.with_columns((100.0 * pl.col("pivotal") / pl.col("intervals")).alias("often"), (100.0 * pl.col("share")).alias("percent"))
    top = often.sort("often", "lowest", "region", "resource", "participant", descending=[True, *[False] * 4]).head(SHOWN)
    columns = [
        Column(name="participant", head="Supplier"),
        Column(name="resource", head="Accelerator"),
        Column(name="region", head="Region"),
        Column(name="percent", head="Of listed hours", unit="%", form=".1f"),
        Column(name="often", head="Pivotal", unit="% of intervals", form=".1f"),
        Column(name="lowest", head="Lowest RSI", unit="1", form=".2f"),
        Column(name="price", head="Price when not", unit="USD/GPUh", form=",.2f"),
        Column(name="price_pivotal", head="Price when pivotal", unit="USD/GPUh", form=",.2f"),
    ]
    names = here["participant"].n_unique()
    return Listing(
        name="pivotal",
        title=f"Pivotal suppliers, {horizon}",
        table=table(top, columns, name="pivotal-table"),
        caption=(
            f"The {top.height} most often pivotal of {here.height:,} groups of {names} suppliers. RSI, the residual supply index, "
            "is the listed hours of all the others over the hours sold; below 1 demand cannot be met without the supplier. "
            "It knows of no other chip and no other region: clearing again without a supplier (tenorgrid what-if) does."
        ),
    )

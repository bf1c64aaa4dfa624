"""Orders decided whole: what was taken when, the two prices of it, and what they leave unpaid."""

import polars as pl

from tenorgrid.data.kinds.market import PriceKind, PricingRule
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.reports.figures import twice, whole
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.pages.prices import reference
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, number, table
from tenorgrid.reports.theme import horizon_order

CENT = 0.005  # USD: less is rounding of the solver, not money
SHOWN_NODES = 10
SHOWN_NAMES = 30
MOST_STRIPS = 3
MARGINAL, HULL = PricingRule.MARGINAL.value, PricingRule.CONVEX_HULL.value
PRICE = "USD/resource-h"


def section(run: Run) -> Section | None:
    """What was committed and accepted, both prices, uplift with who would pay it, and premia of scale-up domains, of the horizon nearest
    to delivery.
    """
    horizon = _horizon(run)
    if horizon is None:
        return None
    blocks = [*_decided(run, horizon), *_prices(run, horizon), *_unpaid(run, horizon), *_domains(run, horizon)]
    return Section(
        name="whole",
        title="Orders decided whole",
        lead=(
            "Blocks, offers that cost something to start and gangs are taken whole or not at all. What was taken and when, the two prices "
            "that can be put on it, and what those prices leave unpaid."
        ),
        blocks=blocks,
    )


def domains(run: Run) -> Section | None:
    """Premia of scale-up domains by themselves, where nothing is decided whole."""
    if run.domain_prices is None or _horizon(run) is not None:
        return None
    blocks = _domains(run, horizon_order(run.domain_prices["horizon"].unique().to_list())[0])
    if not blocks:
        return None
    lead = "What GPUs earn above the price of their class because enough of them are joined."
    return Section(name="domains", title="Scale-up domains", lead=lead, blocks=blocks)


def by_participant(uplift: pl.DataFrame) -> pl.DataFrame:
    """Uplift of one horizon by participant, the largest amount first; those to whom nobody owes a cent are left out.

    Args:
        uplift: `Uplift` of one horizon.

    Returns participant, order (the only one, or the first and how many more), and make-whole and lost opportunity under both rules, USD.
    """
    amounts = [
        pl.col(column).filter(pl.col("pricing").cast(pl.String) == rule).sum().alias(f"{column} {rule}")
        for column in ("make_whole", "lost_opportunity")
        for rule in (MARGINAL, HULL)
    ]
    ids = pl.col("component").unique()
    found = uplift.group_by("participant").agg(ids.min().alias("first"), (ids.len() - 1).alias("more"), *amounts)
    named = pl.when(pl.col("more") > 0).then(pl.format("{} and {} more", "first", "more")).otherwise("first").alias("order")
    most = pl.max_horizontal(pl.exclude("participant", "first", "more", "order"))
    ranked = found.with_columns(named).filter(most >= CENT).sort(most, "participant", descending=[True, False])
    return ranked.select("participant", "order", pl.exclude("participant", "order", "first", "more"))


def payers(allocation: pl.DataFrame) -> pl.DataFrame:
    """Who would pay, of one horizon, the largest amount first: participant and an amount per charge and rule (`charge rule`), USD.

    Args:
        allocation: `Allocation` of one horizon.
    """
    charge, rule = pl.col("charge").cast(pl.String), pl.col("pricing").cast(pl.String)
    amounts = [
        pl.col("amount").filter(charge == name, rule == which).sum().alias(f"{name} {which}")
        for name in whole.CHARGES
        for which in (MARGINAL, HULL)
    ]
    found = allocation.group_by("participant").agg(amounts)
    most = pl.max_horizontal(pl.exclude("participant").abs())
    return found.filter(most >= CENT).sort(most, "participant", descending=[True, False])


def _horizons(run: Run) -> list[str]:
    """The horizons in which something was decided whole, the nearest to delivery first."""
    frames = [frame for frame in (run.commitments, run.uplift, run.allocation) if frame is not None]
    return horizon_order([name for frame in frames for name in frame["horizon"].unique()])


def _horizon(run: Run) -> str | None:
    """The nearest to delivery of them; None where nothing was."""
    return next(iter(_horizons(run)), None)


def _of(frame: pl.DataFrame | None, horizon: str) -> pl.DataFrame | None:
    mine = None if frame is None else frame.filter(pl.col("horizon") == horizon)
    return None if mine is None or mine.is_empty() else mine


def _decided(run: Run, horizon: str) -> list[Drawing | Listing]:
    commitments = _of(run.commitments, horizon)
    if commitments is None:
        return []
    awards = None if run.awards is None else run.awards.filter(pl.col("horizon") == horizon)
    found = whole.orders(commitments, awards)
    shown = found.head(whole.MOST_ROWS)
    left = found.height - shown.height
    counts = {
        side: (found.filter(pl.col("side") == side, pl.col("taken") > 0).height, found.filter(pl.col("side") == side).height)
        for side in ("offer", "bid")
    }
    said = [
        f"{done:,} of {all_:,} {name}"
        for (done, all_), name in zip(counts.values(), ("offers were committed", "gangs accepted"), strict=True)
        if all_
    ]
    by = "by award in USD" if awards is not None else "by time"
    rest = f" The {shown.height} largest {by} are shown, those taken first; {left:,} are left out." if left else f" Largest {by} first."
    drawing = Drawing(
        name="decided",
        title=f"What was committed and accepted, {horizon}",
        figure=whole.decided(whole.stretches(commitments, interval=run.interval, timezone=run.timezone), shown),
        caption=f"{' and '.join(said)} at some time, by offer and gang, delivery time in {run.timezone}.{rest}",
    )
    return [drawing]


def _prices(run: Run, horizon: str) -> list[Drawing | Listing]:
    """Both prices over the time in which something was decided whole."""
    if run.prices is None:
        return []
    pairs = twice.paired(run.prices, horizon=horizon)
    commitments = _of(run.commitments, horizon)
    if commitments is not None:
        pairs = pairs.filter(pl.col("start").is_between(commitments["start"].min(), commitments["start"].max()))
    if pairs.is_empty():
        return []
    nodes = twice.by_node(pairs)
    shown = twice.chosen(nodes, reference=reference(run.prices))
    figure = twice.side_by_side(pairs, shown, settles=run.pricing, interval=run.interval, timezone=run.timezone)
    kinds = pairs.select("start", "kind").unique()
    relaxed, name = kinds.filter(pl.col("kind") == PriceKind.RELAXATION.value).height, _hull_name(pairs["kind"])
    drawing = Drawing(
        name="two-prices",
        title=f"Marginal and {name} prices, {horizon}",
        figure=figure,
        caption=_prices_caption(run, pairs, shown, relaxed=relaxed),
    )
    apart = nodes.filter(pl.col("apart") >= 1e-6)
    if apart.is_empty():
        return [drawing]
    columns = [
        *(Column(name=part, head=part.capitalize()) for part in twice.NODE),
        Column(name="intervals", head="Intervals", unit="count", form=",d"),
        Column(name="marginal", head="Marginal", unit=f"{PRICE}, mean", form=",.4f"),
        Column(name="hull", head=name.capitalize(), unit=f"{PRICE}, mean", form=",.4f"),
        Column(name="apart", head="Apart", unit=f"{PRICE}, mean size", form=",.4f"),
        Column(name="largest", head="Largest difference", unit=PRICE, form="+,.4f"),
    ]
    top = apart.head(SHOWN_NODES)
    listing = Listing(
        name="apart",
        title="Where the two prices differ",
        table=table(top, columns, name="apart-table"),
        caption=(
            f"Marginal less {name}, over the time in which something was decided whole; nodes that differ: {apart.height:,} of "
            f"{nodes.height:,}{f', of which the {top.height} widest apart' if apart.height > top.height else ''}. "
            "The largest difference is by size."
        ),
    )
    return [drawing, listing]


def _prices_caption(run: Run, pairs: pl.DataFrame, shown: pl.DataFrame, *, relaxed: int) -> str:
    largest = float(pairs.select(pl.col("difference").abs().max()).item())
    days = " Means by local day." if pairs["start"].n_unique() > twice.FINEST else ""
    text = f"USD per resource-hour, which of a GPU class is the GPU-hour; delivery time in {run.timezone}.{days} "
    if largest < 1e-6:
        text += "The two agree at every node to a millionth of a dollar: here prices support what was decided whole."
    else:
        which = "the reference resource where the two are widest apart"
        wider = ", and the node where they are wider still" if shown.height > 1 else ""
        own = shown["resource"][0] == reference(run.prices) if run.prices is not None else False
        text += f"The node of {which}{wider}." if own else "The node where the two are widest apart."
    if relaxed:
        text += (
            f" In {relaxed:,} of {pairs['start'].n_unique():,} intervals the hull of some component is not known and the second price is "
            "that of the relaxation (dotted)."
        )
    drawn = pairs.join(shown, on=list(twice.NODE), how="semi")
    ends = [twice.edge(pl.concat([part["marginal"], part["hull"]])) for part in drawn.partition_by(*twice.NODE)]
    if any(end is not None for end in ends):
        most = float(drawn.select(pl.max_horizontal("marginal", "hull").max()).item())
        text += f" A triangle at the upper edge is a price above it; the largest is {number(most, ',.2f')}."
    return f"{text} The rule that settles is terracotta."


def _hull_name(kinds: pl.Series) -> str:
    """What the second price is called: convex-hull, relaxation, or both."""
    found = set(kinds.unique().to_list())
    relaxation = PriceKind.RELAXATION.value
    return HULL if relaxation not in found else relaxation if found == {relaxation} else f"{HULL} or {relaxation}"


def _names(run: Run, horizon: str) -> dict[str, str]:
    """What each rule is called on the page."""
    prices = None if run.prices is None else run.prices.filter(pl.col("horizon") == horizon, settles_under(HULL))
    return {MARGINAL: MARGINAL, HULL: HULL if prices is None or prices.is_empty() else _hull_name(prices["pricing"].cast(pl.String))}


def _unpaid(run: Run, horizon: str) -> list[Drawing | Listing]:
    if run.uplift is None and run.allocation is None:
        return []
    sums, names = whole.totals(run.uplift, run.allocation, horizons=_horizons(run)), _names(run, horizon)
    mine = sums.filter(pl.col("horizon") == horizon)
    everywhere = _totals(sums, names)
    if float(mine.select(pl.max_horizontal(pl.col(*whole.CHARGES).abs().max())).item()) < CENT:
        return [everywhere]
    least = {rule: mine.filter(pl.col("pricing") == rule)["lost-opportunity"][0] + mine.filter(pl.col("pricing") == rule)["shortfall"][0]
        for rule in (MARGINAL, HULL)}  # fmt: skip
    best = ": hull prices leave the least that any can" if names[HULL] == HULL else ""
    bars = Drawing(
        name="unpaid",
        title=f"What prices leave unpaid, {horizon}",
        figure=whole.unpaid(mine, settles=run.pricing, names=names),
        caption=(
            "USD over the whole run. Make-whole is what orders lose at published prices; lost opportunity is the best that each could make "
            "by itself less what it makes, so that the two overlap and are not added; the shortfall is what limits that carry a price and "
            f"are not used up would have cost. Lost opportunity and shortfall together are {number(least[MARGINAL], ',.2f')} USD at "
            f"marginal and {number(least[HULL], ',.2f')} USD at {names[HULL]} prices{best}."
        ),
    )
    blocks: list[Drawing | Listing] = [bars]
    if sums["horizon"].n_unique() > 1:
        blocks.append(everywhere)
    uplift, allocation = _of(run.uplift, horizon), _of(run.allocation, horizon)
    if uplift is not None and not (owed := by_participant(uplift)).is_empty():
        blocks.append(_owed(owed, names, horizon))
    if allocation is not None and not (paying := payers(allocation)).is_empty():
        blocks.append(_payers(paying, names, horizon))
    return blocks


def _totals(sums: pl.DataFrame, names: dict[str, str]) -> Listing:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="pricing", head="Prices"),
        *(Column(name=charge, head=label.capitalize(), unit="USD", form=",.2f") for charge, label in whole.CHARGES.items()),
    ]
    rows = sums.with_columns(pl.col("pricing").replace(names))
    nothing = float(sums.select(pl.max_horizontal(pl.col(*whole.CHARGES).abs().max())).item()) < CENT
    return Listing(
        name="unpaid-totals",
        title="What prices leave unpaid",
        table=table(rows, columns, name="unpaid-totals-table"),
        caption=(
            "Not a cent of uplift or shortfall: at these prices nobody would rather have been decided otherwise."
            if nothing
            else "Each horizon clears whole deliveries at its own prices, so that the amounts of two horizons are not added."
        ),
    )


def _owed(owed: pl.DataFrame, names: dict[str, str], horizon: str) -> Listing:
    columns = [
        Column(name="participant", head="Participant"),
        Column(name="order", head="Order"),
        *(
            Column(name=f"{column} {rule}", head=head, unit=f"USD, {names[rule]}", form=",.2f")
            for column, head in (("make_whole", "Make-whole"), ("lost_opportunity", "Lost opportunity"))
            for rule in (MARGINAL, HULL)
        ),
    ]
    return Listing(
        name="uplift",
        title=f"Uplift by participant, {horizon}",
        table=table(owed.head(SHOWN_NAMES), columns, name="uplift-table"),
        caption=(
            "Largest amount first. Orders that groups or links join are one, under the first of their ids."
            f"{_left_out(owed)} Amounts below a cent are not listed."
        ),
    )


def _payers(paying: pl.DataFrame, names: dict[str, str], horizon: str) -> Listing:
    charges = [
        Column(name=f"{charge} {rule}", head=label.capitalize(), unit=f"USD, {names[rule]}", form=",.2f")
        for charge, label in whole.CHARGES.items()
        for rule in (MARGINAL, HULL)
    ]
    kept = [column for column in charges if (paying[column.name].abs() >= CENT).any()]
    return Listing(
        name="payers",
        title=f"Who would pay, {horizon}",
        table=table(paying.head(SHOWN_NAMES), [Column(name="participant", head="Participant"), *kept], name="payers-table"),
        caption=(
            "Buyers of the same stretch of intervals, pro rata to what they pay for work; the operator where nobody pays."
            f"{_left_out(paying)} Charges of less than a cent to everybody are left out. Nothing of it is in the settlement."
        ),
    )


def _left_out(rows: pl.DataFrame) -> str:
    left = rows.height - SHOWN_NAMES
    return f" {left:,} more participants are left out." if left > 0 else ""


def _domains(run: Run, horizon: str) -> list[Drawing | Listing]:
    if run.domain_prices is None:
        return []
    found = twice.premia(run.domain_prices, horizon=horizon)
    if found.is_empty():
        return []
    nodes = found.select(*twice.NODE).unique(maintain_order=True).head(MOST_STRIPS)
    name = _names(run, horizon)[HULL]
    settling = name if run.pricing == HULL else MARGINAL
    left = found.select(*twice.NODE).unique().height - nodes.height
    drawing = Drawing(
        name="domain-premia",
        title=f"Premia of scale-up domains, {horizon}",
        figure=twice.premium_lines(
            run.domain_prices, nodes, horizon=horizon, settles=run.pricing, interval=run.interval, timezone=run.timezone
        ),
        caption=(
            f"USD per GPU-hour that GPUs of a domain earn above λ of their class, Σ δ over sizes up to theirs, at {settling} prices, "
            f"which settle; delivery time in {run.timezone}."
            f"{f' The {nodes.height} nodes with the largest mean premium; {left:,} more are in the table.' if left else ''}"
        ),
    )
    columns = [
        *(Column(name=part, head=part.capitalize()) for part in twice.NODE),
        Column(name="domain", head="Domain", unit="GPU", form=",d"),
        Column(name="priced", head="With a premium", unit="intervals", form=",d"),
        Column(name="intervals", head="Of", unit="intervals", form=",d"),
        Column(name="marginal", head="Marginal", unit="USD/GPUh, mean", form=",.4f"),
        Column(name="hull", head=name.capitalize(), unit="USD/GPUh, mean", form=",.4f"),
        Column(name="largest", head="Largest", unit="USD/GPUh", form=",.4f"),
    ]
    listing = Listing(
        name="domains-in-numbers",
        title="The same in numbers",
        table=table(found, columns, name="domains-table"),
        caption="Means over all intervals of the node, those without a premium too; the largest under either rule.",
    )
    return [drawing, listing]

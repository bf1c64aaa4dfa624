"""The page of `tenorgrid tiers`: what a pool may promise, how pooling helps, how promises held, and what spreads are made of."""

from collections.abc import Mapping

import polars as pl

from tenorgrid.reports.figures import pooling
from tenorgrid.reports.page import Drawing, Key, Listing, Section, compose
from tenorgrid.reports.tables import Column, number, table

FILE = "tiers.html"
SYNTHETIC = "Synthetic data."
EVERY = "all"
Frames = Mapping[str, pl.DataFrame]


def render(tables: Frames, *, pool: str, source: str, synthetic: bool) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Args:
        tables: by name, as `tenorgrid tiers` writes them; spread and preemption may be missing.
        pool: whose figures are drawn; "all" draws the pool with the least β.
        source: what the record is called.
        synthetic: whether it is of a market that was made up, which every caption then says.
    """
    shown = _weakest(tables["estimates"]) if pool == EVERY else pool
    mine = {name: frame.filter(pl.col("pool") == shown) if "pool" in frame.columns else frame for name, frame in tables.items()}
    moments = mine["pools"].row(0, named=True)
    sections = [_promises(mine, pool), _pooling(mine, moments), _held(mine), _suppliers(mine), _all_pools(tables)]
    if "spread" in tables and not tables["spread"].is_empty():
        sections.append(_spreads(tables))
    subtitle = f"{source}: pool {shown}, {moments['suppliers']} suppliers over {moments['hours']:,.0f} hours."
    return compose(
        title="Service tiers from data",
        subtitle=subtitle,
        keys=_keys(mine, moments),
        sections=sections,
        note=SYNTHETIC if synthetic else "",
    )


def _weakest(estimates: pl.DataFrame) -> str:
    return str(estimates.sort("overcommit", "pool")["pool"][0])


def _keys(mine: Frames, moments: Mapping[str, float]) -> list[Key]:
    tests = mine["backtest"].filter(pl.col("period").is_not_null(), pl.col("realised").is_not_null())
    broken = tests.filter(pl.col("verdict").cast(pl.String) == "broken").height
    error = moments["standard_error"]
    return [
        Key(label="Availability", value=number(moments["availability"], ".3f"), note=f"of listed hours present, ± {number(error, '.3f')}"),
        Key(
            label="Recall correlation",
            value=number(moments["correlation"], ".3f"),
            note=f"± {number(moments['correlation_error'], '.3f')}; 0 is independent",
        ),
        Key(label="Spread of the pool", value=number(moments["deviation"], ".3f"),
            note=f"sd of the share present; floor {number(moments['floor'], '.3f')}"),
        Key(label="Promises broken", value=f"{broken} of {tests.height}", note="held-out periods and tiers, at 95 %"),
    ]  # fmt: skip


def _promises(mine: Frames, pool: str) -> Section:
    own = [
        Column(name="tier", head="Tier"),
        Column(name="promise", head="Promise π", form=".3f"),
        Column(name="overcommit", head="β", unit="sold h / listed h", form=".4f"),
        Column(name="standard_error", head="Standard error", form=".4f"),
        Column(name="lower", head="Lower", form=".4f"),
        Column(name="upper", head="Upper", form=".4f"),
        Column(name="chance_of_recall", head="P(A < S)", form=".4f"),
        Column(name="bound", head="Bound a / (1 − π)", form=".4f"),
    ]
    said = [
        Column(name="tier", head="Tier"),
        Column(name="promise", head="Declared π", form=".3f"),
        Column(name="overcommit", head="Declared β", form=".4f"),
        Column(name="interruption", head="Interruption", form=".4f"),
        Column(name="lower", head="Lower", form=".4f"),
        Column(name="upper", head="Upper", form=".4f"),
        Column(name="chance_of_recall", head="P(A < S)", form=".4f"),
        Column(name="largest", head="Largest β", form=".4f"),
        Column(name="verdict", head="Verdict"),
    ]
    several = [
        Column(name="tier", head="Tier"),
        Column(name="promise", head="Promise π", form=".3f"),
        Column(name="share", head="Share of listed hours", form=".3f"),
        Column(name="sold", head="Sold S", unit="per listed h", form=".4f"),
        Column(name="cumulative", head="Cumulative C", unit="per listed h", form=".4f"),
        Column(name="interruption", head="Interruption", form=".4f"),
        Column(name="overcommit", head="β nested", form=".4f"),
        Column(name="alone", head="β alone", form=".4f"),
    ]
    least = " The tiers table takes the least β over all pools." if pool == EVERY else ""
    blocks: list[Drawing | Listing] = []
    if "declared" in mine and not mine["declared"].is_empty():
        caption = "What β of the case would have meant in this pool, had it sold the tier alone; 95 % intervals."
        blocks.append(
            Listing(name="declared", title="Tiers of the case", table=table(mine["declared"], said, name="declared-table"), caption=caption)
        )
    return Section(
        name="promises",
        title="What may be promised",
        lead="The most that may be sold is where the chance that a sold hour is interrupted reaches the promise.",
        blocks=[
            Drawing(
                name="promise-curve",
                title="Interruption against what is sold",
                figure=pooling.promises(mine["promise_curve"], mine["estimates"]),
                caption=(
                    "π(S) = E[(S − A)⁺] / S, and the chance that any sold hour is interrupted, which is larger. "
                    "Of tiers too close to tell apart one is named."
                ),
            ),
            Listing(
                name="estimates",
                title="Tiers, each as if sold alone",
                table=table(mine["estimates"], own, name="estimates-table"),
                caption=f"Errors allow for autocorrelation; 95 % intervals. A β of 0: the promise cannot be made.{least}",
            ),
            Listing(
                name="nested",
                title="Tiers sold from one pool, the lower interrupted first",
                table=table(mine["nested"], several, name="nested-table"),
                caption="π S = G(C) − G(C of the tier before), G(C) = E[(C − A)⁺]; better tiers do better than promised.",
            ),
            *blocks,
        ],
    )


def _pooling(mine: Frames, moments: Mapping[str, float]) -> Section:
    band = mine["pooling"].row(0, named=True)
    return Section(
        name="pooling",
        title="Pooling",
        lead="How wide each supplier's interruptions are, and the pool's: it is as narrow as its recalls are independent.",
        blocks=[
            Drawing(
                name="bands",
                title="Each supplier alone, and all pooled",
                figure=pooling.bands(mine["pooling"]),
                caption=(
                    f"Share of listed hours missing in each of {band['windows']:,} windows of {band['window']:g} hours: "
                    "thin 5–95 %, thick 25–75 %, dot the median."
                ),
            ),
            Drawing(
                name="by-size",
                title="What each further supplier adds",
                figure=pooling.by_size(mine["pooling_curve"], floor=moments["floor"]),
                caption="Means over pools of that size. Dotted: √(a (1 − a) [(1 − ρ) / M + ρ]); dashed: its limit √(ρ a (1 − a)).",
            ),
        ],
    )  # fmt: skip


def _held(mine: Frames) -> Section:
    columns = [
        Column(name="tier", head="Tier"),
        Column(name="period", head="Period", form="d"),
        Column(name="trained", head="Learnt from", unit="h", form=",.0f"),
        Column(name="overcommit", head="β", form=".4f"),
        Column(name="promise", head="Promise", form=".3f"),
        Column(name="realised", head="Realised", form=".4f"),
        Column(name="lower", head="Lower", form=".4f"),
        Column(name="upper", head="Upper", form=".4f"),
        Column(name="score", head="Score", unit="errors", form=".2f"),
        Column(name="chance_of_recall", head="Time with a recall", form=".3f"),
        Column(name="verdict", head="Verdict"),
    ]
    return Section(
        name="backtest",
        title="Promises out of sample",
        lead="β is estimated on everything before a period and sold in it; failures are shown like the rest.",
        blocks=[
            Drawing(
                name="held-out",
                title="Interrupted share of each held-out period",
                figure=pooling.held_out(mine["backtest"]),
                caption="Bars are 95 % intervals that allow for autocorrelation; none where the share never varied. Dashed: the promise.",
            ),
            Listing(
                name="backtest-rows",
                title="The same in numbers",
                table=table(mine["backtest"], columns, name="backtest-table"),
                caption="A dash for the period: all held-out periods together. The score has the error of β in it, the interval has not.",
            ),
        ],
    )


def _suppliers(mine: Frames) -> Section:
    facts = [
        Column(name="supplier", head="Supplier"),
        Column(name="listed", head="Listed", unit="resource-h/h", form=",.1f"),
        Column(name="availability", head="Availability a", form=".4f"),
        Column(name="standard_error", head="Standard error", form=".4f"),
        Column(name="lower", head="Lower", form=".4f"),
        Column(name="upper", head="Upper", form=".4f"),
        Column(name="recalls", head="Recalls", form=",d"),
        Column(name="hours_present", head="Present per recall", unit="h", form=",.2f"),
        Column(name="hours_absent", head="Absent per recall", unit="h", form=",.2f"),
        Column(name="correlation", head="With the rest", form=".3f"),
    ]
    wide = mine["credits"].pivot("tier", index=["supplier", "listed", "availability"], values="credit")
    tiers = [name for name in wide.columns if name not in ("supplier", "listed", "availability")]
    credit = [*facts[:3], *(Column(name=tier, head=tier, unit="β", form=".4f") for tier in tiers)]
    return Section(
        name="suppliers",
        title="Suppliers",
        lead="What each was there for, and what each of its listed hours adds to what the pool may sell.",
        blocks=[
            Listing(
                name="availability",
                title="Availability and recalls",
                table=table(mine["availability"], facts, name="availability-table"),
                caption="Over the hours in which every supplier of the pool is recorded.",
            ),
            Listing(
                name="credits",
                title="Credits",
                table=table(wide, credit, name="credits-table"),
                caption="β of the supplier = E[α 1{A < S}] / (P(A < S) − π); weighted by what is listed they sum to S exactly.",
            ),
        ],
    )


def _all_pools(tables: Frames) -> Section:
    columns = [
        Column(name="pool", head="Pool"),
        Column(name="suppliers", head="Suppliers", form=",d"),
        Column(name="hours", head="Hours", form=",.0f"),
        Column(name="availability", head="Availability", form=".3f"),
        Column(name="correlation", head="Correlation", form=".3f"),
        Column(name="correlation_error", head="Its error", form=".3f"),
        Column(name="deviation", head="Sd", form=".3f"),
        Column(name="formula", head="By formula", form=".3f"),
    ]
    estimates = tables["estimates"]
    wide = tables["pools"].join(estimates.pivot("tier", index="pool", values="overcommit"), on="pool", how="left").sort("pool")
    tiers = estimates["tier"].unique(maintain_order=True)
    columns += [Column(name=tier, head=tier, unit="β", form=".3f") for tier in tiers]
    return Section(
        name="pools",
        title="All pools of the record",
        lead="Suppliers are pooled only with those that were recorded at the same time.",
        blocks=[
            Listing(name="pools-rows", title="Moments and β", table=table(wide, columns, name="pools-table"), caption="β alone, by tier.")
        ],
    )


def _spreads(tables: Frames) -> Section:
    split = tables["spread"]
    rule = split["pricing"].cast(pl.String).unique().sort(descending=True)[0]  # marginal where it is there
    priced = split.filter(pl.col("pricing").cast(pl.String) == rule)
    exact = pl.col("residual_kind").cast(pl.String) == "none"
    worth = priced.group_by("resource").agg(pl.col("spread").filter(exact).sum().alias("told"), pl.col("spread").mean())
    resource = str(worth.sort("told", "spread", "resource", descending=True)["resource"][0])
    kinds = priced.group_by(pl.col("residual_kind").cast(pl.String)).agg(
        pl.len().alias("rows"), pl.col("spread", "premium", "overcommit", "scarcity", "residual").mean()
    )
    columns = [Column(name="residual_kind", head="Residual"), Column(name="rows", head="Nodes and intervals", form=",d")]
    columns += [
        Column(name=name, head=name.capitalize(), unit="USD/resource-h", form=".4f")
        for name in ("spread", "premium", "overcommit", "scarcity", "residual")
    ]
    blocks: list[Drawing | Listing] = [
        Drawing(
            name="spread-parts",
            title=f"Parts of the spread of {resource}",
            figure=pooling.spread_parts(priced.filter(pl.col("resource") == resource)),
            caption=f"Means over locations and intervals at {rule} prices; the parts sum to the spread (black).",
        ),
        Listing(
            name="residuals",
            title="Where the parts are exact, and where they are not",
            table=table(kinds.sort("rows", descending=True), columns, name="residuals-table"),
            caption="Means. With one offer sold in both tiers the parts are exact; else the premium is the nearest offer's.",
        ),
    ]
    if "preemption" in tables and not tables["preemption"].is_empty():
        blocks.append(_option(tables["preemption"].filter(pl.col("pricing").cast(pl.String) == rule)))
    return Section(
        name="spreads",
        title="Firm less interruptible",
        lead="What a buyer pays for never being recalled: the suppliers' premium, what overcommitment is worth, and scarcity.",
        blocks=blocks,
    )


def _option(fits: pl.DataFrame) -> Listing:
    columns = [
        Column(name="horizon", head="Horizon"),
        Column(name="location", head="Location"),
        Column(name="resource", head="Resource"),
        Column(name="tier", head="Tier"),
        Column(name="premium", head="Premium", unit="USD/resource-h", form=".4f"),
        Column(name="threshold", head="Threshold v", unit="USD/resource-h", form=".4f"),
        Column(name="call", head="Call", unit="USD/resource-h", form=".4f"),
        Column(name="implied_forward", head="Implied E[W]", unit="USD/resource-h", form=".4f"),
        Column(name="implied_deviation", head="Implied σ√T", form=".3f"),
        Column(name="outside_deviation", head="σ√T of real time", form=".3f"),
        Column(name="model_premium", head="Premium by real time", unit="USD/resource-h", form=".4f"),
    ]
    return Listing(
        name="option",
        title="Beside the preemption option",
        table=table(fits, columns, name="option-table"),
        caption="A lognormal outside value W with P(W ≤ v) = (1 − π) β whose right of recall is worth the premium; a dash where none is.",
    )

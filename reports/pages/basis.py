"""Basis of exposures against the index that hedges them."""

import polars as pl

from tenorgrid.reports.figures import basis
from tenorgrid.reports.page import Drawing, Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, number, table


def section(run: Run) -> Section | None:
    """A scatter per hedged exposure with its verdict, and all of them in a table."""
    if run.basis is None:
        return None
    blocks: list[Drawing | Listing] = []
    if run.series is not None:
        for row in run.basis.sort("exposure", "index", "method").iter_rows(named=True):
            mine = _series(run.series, exposure=row["exposure"], index=row["index"])
            if mine.height > 1:
                blocks.append(_scatter(mine, row, reason=_reason(run.effectiveness, row)))
    blocks.append(_table(run.basis))
    return Section(
        name="basis",
        title="Basis",
        lead="How well a GPU-hour index hedges what a workload costs. It may say that it does not.",
        blocks=blocks,
    )


def _series(series: pl.DataFrame, *, exposure: str, index: str) -> pl.DataFrame:
    return series.filter(pl.col("exposure") == exposure, pl.col("index") == index).drop_nulls(["exposure_change", "index_change"])


def _scatter(series: pl.DataFrame, row: dict[str, object], *, reason: str) -> Drawing:
    name = f"basis-{row['exposure']}-{row['index']}-{row['method']}".lower()
    return Drawing(
        name="".join(letter if letter.isalnum() else "-" for letter in name),
        title=f"{row['exposure']} against {row['index']}: {row['verdict']}",
        figure=basis.changes(series, ratio=float(str(row["ratio"])), unit="USD per unit", index=str(row["index"])),
        caption=(
            f"Daily changes, {series.height:,} of them: the index in USD per GPU-hour across, the exposure in USD per unit up. "
            "The line is the hedge: "
            f"{_n(row, 'ratio')} GPUh of index per unit ({row['method']}, interval {_n(row, 'lower')} to {_n(row, 'upper')}). "
            f"Effectiveness {_n(row, 'effectiveness')}, out of sample {_n(row, 'out_of_sample')}, correlation {_n(row, 'correlation')}. "
            f"Verdict: {row['verdict']}{reason}."
        ),
    )


def _reason(effectiveness: pl.DataFrame | None, row: dict[str, object]) -> str:
    """What the verdict rests on, with a leading comma; empty where the run does not say."""
    if effectiveness is None:
        return ""
    found = effectiveness.filter(*(pl.col(name) == row[name] for name in ("exposure", "index", "method")))["reason"].to_list()
    return f": {found[0]}" if found else ""


def _n(row: dict[str, object], name: str) -> str:
    value = row[name]
    return number(value if isinstance(value, float) else None, ".3g")


def _table(found: pl.DataFrame) -> Listing:
    columns = [
        Column(name="exposure", head="Exposure"),
        Column(name="index", head="Index"),
        Column(name="observations", head="Changes", unit="count", form=",d"),
        Column(name="ratio", head="Ratio", unit="GPUh/unit", form=".4g"),
        Column(name="lower", head="Lower", unit="GPUh/unit", form=".4g"),
        Column(name="upper", head="Upper", unit="GPUh/unit", form=".4g"),
        Column(name="effectiveness", head="Effectiveness", unit="1", form=".3f"),
        Column(name="out_of_sample", head="Out of sample", unit="1", form=".3f"),
        Column(name="correlation", head="Correlation", unit="1", form=".3f"),
        Column(name="verdict", head="Verdict"),
    ]
    return Listing(
        name="hedges",
        title="Hedges and their verdicts",
        table=table(found.sort("exposure", "index", "method"), columns, name="hedges-table"),
        caption="Effectiveness is 1 less the variance of the hedged changes over that of the unhedged; below zero the hedge does harm.",
    )

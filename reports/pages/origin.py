"""Where the page comes from: which commands wrote its tables."""

import polars as pl

from tenorgrid.reports.page import Listing, Section
from tenorgrid.reports.run import Run
from tenorgrid.reports.tables import Column, table


def section(run: Run) -> Section | None:
    """The manifests of the run and its parts."""
    if not run.manifests:
        return None
    rows = pl.DataFrame(
        {
            "part": [part for part, _ in run.manifests],
            "command": [str(manifest.get("command")) for _, manifest in run.manifests],
            "as_of": [_said(manifest.get("as_of")) for _, manifest in run.manifests],
            "seed": [_said(manifest.get("seed")) for _, manifest in run.manifests],
            "code": [_said((manifest.get("code") or {}).get("tenorgrid")) for _, manifest in run.manifests],
        }
    )
    columns = [
        Column(name="part", head="Part"),
        Column(name="command", head="Command"),
        Column(name="as_of", head="As of"),
        Column(name="seed", head="Seed"),
        Column(name="code", head="Version"),
    ]
    return Section(
        name="origin",
        title="Origin",
        lead="Every number on this page is read from the run's tables; each part's manifest names its inputs by their hashes.",
        blocks=[
            Listing(
                name="manifests",
                title="Manifests",
                table=table(rows, columns, name="manifests-table"),
                caption="One row per part of the run folder.",
            )
        ],
    )


def _said(value: object) -> str:
    return "–" if value is None else str(value)

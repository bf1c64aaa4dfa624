"""Why two indices differ, in the hand of a desk: `tg.split_gap(...)`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.store import write_manifest, write_table, writing
from tenorgrid.indices.decomposition.gap import coalitions_table, gaps_table, rules_table
from tenorgrid.indices.decomposition.split import Splits, split, split_all
from tenorgrid.results import Tables

TABLES = {"gaps": "gaps", "rules": "gap_rules", "coalitions": "gap_coalitions"}


@dataclass(frozen=True, kw_only=True)
class GapSplit(Tables):
    """Gaps between the prints of two methodologies; the tables are those of `tenorgrid.data.tables.gaps`.

    `refused` has the indices whose gap cannot be split, with why.
    """

    gaps: pl.DataFrame
    rules: pl.DataFrame
    coalitions: pl.DataFrame = field(repr=False)
    refused: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, object] = field(repr=False)

    def sentence(self, index: str) -> str:
        """Why the prints of an index differ. Raises NotPublishedError, with the reason, where its gap was not split."""
        found = self.gaps.filter(pl.col("index") == index)
        if found.is_empty():
            raise NotPublishedError(self.refused.get(index, f"{index} is not among the indices that both print"))
        return str(found["sentence"][0])

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.decomposition import render  # plotly, only needed here

        return render(self.tables(), refused=self.refused)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.decomposition import FILE

        page = self.page()
        with writing(folder) as temporary:
            for name, table in TABLES.items():
                write_table(temporary, table, getattr(self, name))
            (temporary / FILE).write_text(page, encoding="utf-8")
            settings = {**self.settings, "refused": dict(self.refused)}
            write_manifest(temporary, command="mark --against", inputs=dict(inputs or {}), settings=settings)
        return folder / FILE


def split_gap(
    observations: pl.DataFrame,
    *,
    method: str | Path = "house",
    against: str | Path,
    when: date | datetime | str,
    index: str | None = None,
    index_against: str | None = None,
    together: Sequence[Collection[str]] = (),
) -> GapSplit:
    """Split the gap between the prints of two methodologies over the rules in which they differ: exact Shapley values.

    Args:
        observations: `Observations`, with the attributes that both ask for.
        method: the one: name of a shipped methodology or a TOML file.
        against: the other, from whose print the gap is told.
        when: a day, each methodology's own (of several prints a day the last), or a moment with its zone: the period that holds it.
        index: only this one, and refused aloud where its gap cannot be split; None is every index that both print.
        index_against: what the other calls it, where regions or terms have other names there.
        together: rules to be exchanged together, such as `[("clock", "window")]`.

    Raises InputError and NotPublishedError as `tenorgrid.indices.decomposition.split` does, and where no gap at all can be split.

    >>> from datetime import UTC
    >>> row = {"time": datetime(2027, 1, 5, 18, tzinfo=UTC), "resource": "h100-sxm", "region": "us", "tier": "firm", "kind": "list price"}
    >>> listed = {"aws": 4.0, "azure": 3.0, "lambda": 2.0, "vultr": 2.4, "nebius": 2.6}
    >>> seen = pl.DataFrame([row | {"observation_id": name, "provider": name, "price": price} for name, price in listed.items()])
    >>> found = split_gap(seen, method="house", against="gpu-markets-like", when="2027-01-05T18:00Z", index="H100-SXM.GLOBAL.FIRM")
    >>> found.rules.filter(pl.col("share") != 0).select("rule", pl.col("share").round(9)).rows()
    [('estimator', 0.06)]
    """
    moment = _moment(when)
    asked: dict[str, object] = {
        "method": str(method),
        "against": str(against),
        "when": str(moment),
        "together": [list(part) for part in together],
    }
    if index is None:
        if index_against is not None:
            raise InputError.of("--against-index", "the index that it is another name of, with --index", value=index_against)
        found = split_all(observations, methodology=method, against=against, when=moment, together=together)
    else:
        one = split(
            observations, methodology=method, against=against, when=moment, index=index, index_against=index_against, together=together
        )
        found = Splits(gaps=(one,), refused={})
    if not found.gaps:
        first, why = next(iter(found.refused.items()))
        raise NotPublishedError(f"none of {len(found.refused)} gaps can be split; {first}: {why}")
    return GapSplit(
        gaps=gaps_table(found.gaps), rules=rules_table(found.gaps), coalitions=coalitions_table(found.gaps), refused=found.refused,
        settings=asked,
    )  # fmt: skip


def _moment(when: date | datetime | str) -> date | datetime:
    """A day, or a moment with its zone."""
    if isinstance(when, str):
        try:
            when = date.fromisoformat(when) if len(when) == len("2027-01-05") else datetime.fromisoformat(when)
        except ValueError as error:
            raise InputError.of("--date", "a day such as 2027-01-05, or a moment such as 2027-01-05T18:00Z", value=when) from error
    if isinstance(when, datetime) and when.tzinfo is None:
        raise InputError.of("--date", "a moment with its time zone, such as 2027-01-05T18:00Z", value=when)
    return when

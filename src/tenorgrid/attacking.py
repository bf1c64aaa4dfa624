"""Attacks on marks in the hand of a desk: `tg.attack(...)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from tenorgrid.data.store import write_manifest, write_table, writing
from tenorgrid.indices.attacks.example import example_market
from tenorgrid.indices.attacks.stress import Stress, stress
from tenorgrid.indices.audit import write_audit
from tenorgrid.indices.methodology import Methodology
from tenorgrid.results import Tables, to_day

FILE = "attacks.html"


@dataclass(frozen=True, kw_only=True)
class Attacked(Tables, Stress):
    """What attacks do to prints, with its page; `note` says where the observations are made up."""

    note: str = ""
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.attacks import render  # plotly, only needed here

        return render(self, note=self.note)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None) -> Path:
        """Write moves, methodologies left out, audit and the page into `folder`, replaced as a whole; returns the path of the page.

        Args:
            folder: where.
            inputs: what was read, for the manifest.
        """
        page = self.page()
        with writing(folder) as temporary:
            write_table(temporary, "moves", self.moves)
            write_table(temporary, "left_out", self.left_out)
            write_audit(self, temporary / "audit.jsonl")
            (temporary / FILE).write_text(page, encoding="utf-8")
            write_manifest(temporary, command="attack", inputs=inputs or {}, settings=self.settings)
        return folder / FILE


def attack(
    observations: pl.DataFrame | None = None,
    *,
    method: str | Path | Methodology | Sequence[str | Path | Methodology] | None = None,
    first: date | str | None = None,
    end: date | str | None = None,
    indices: Sequence[str] | None = None,
    attacks: Sequence[str] | None = None,
    most: int = 3,
) -> Attacked:
    """How far attacks move the marks of methodologies: each in growing sizes, marked again by the same rule, with what it costs.

    Args:
        observations: `Observations`; None is three made-up days that every shipped methodology can mark.
        method: one or several shipped names or TOML files; None is every shipped one that fits, and those that do not are named.
        first, end: days in the methodology's time zone, `end` the day after the last, by default the day after `first`; None is one print
            an index, of the last seven days that with most observations.
        indices: only these; None is the `most` with most observations, one of each resource and tier.
        attacks: such as `["parked ask", "late block"]`; None is all.
        most: number of indices where none is named.

    Raises InputError for unknown names, observations that break their rules, and where no methodology fits.

    >>> found = attack(method="house", indices=["L40S.GLOBAL.FIRM"], attacks=["parked ask"])
    >>> found.moves.select("size", "before", "after", "level_after").row(-1)
    (100.0, 0.9979, 1.0982, 'list prices, few')
    """
    seen = example_market() if observations is None else observations
    asked = [method] if isinstance(method, str | Path | Methodology) else method
    begin, stop = to_day(first, name="first"), to_day(end, name="end")
    if begin is not None and stop is None:
        stop = begin + timedelta(days=1)
    found = stress(seen, methodologies=asked, first=begin, end=stop, indices=indices, attacks=attacks, most=most)
    settings: dict[str, object] = {
        "methodologies": {rule.name: rule.hash for rule in found.methodologies}, "first": None if begin is None else str(begin),
        "end": None if stop is None else str(stop), "indices": None if indices is None else list(indices),
        "attacks": [one.name for one in found.attacks], "most": most,
    }  # fmt: skip
    parts = {name: getattr(found, name) for name in ("methodologies", "attacks", "moves", "left_out", "audits")}
    return Attacked(**parts, note="Synthetic data." if observations is None else "", settings=settings)

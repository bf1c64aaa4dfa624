"""Replay: what was known at a past moment, and each of those prints made once more from the input and the rule that were kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tenorgrid.indices.audit import Verification
from tenorgrid.indices.publication.chain import broken
from tenorgrid.indices.publication.history import History, only
from tenorgrid.indices.publication.verification import verify_prints


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What a reader saw at `moment`.

    `marks` are the latest revisions then, as `Marks`; `prints` all that was published by then, as `Prints`; `verification` says whether
    each of those prints comes out again, `chains` what is wrong with the hashes up to then.
    """

    moment: datetime
    marks: pl.DataFrame
    prints: pl.DataFrame
    verification: Verification
    chains: tuple[str, ...]

    @property
    def confirmed(self) -> bool:
        """Whether every print comes out again and the chains are whole."""
        return self.verification.confirmed and not self.chains

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return (*self.chains, *map(str, self.verification.differences))


def replay(history: History, *, at: datetime, indices: Sequence[str] | None = None) -> Replay:
    """What was published at `at` or before, recomputed.

    Args:
        history: the whole.
        at: the moment, with its time zone.
        indices: only these; None is all.

    Raises `InputError` for a time without a zone, `HistoryError` where a kept input or rule is gone, `NotPublishedError` for an index
    without a print.
    """
    known = history.known_at(at)
    prints = only(known, indices)
    marks = history.marks(at)
    mine = marks.filter(pl.col("index").is_in(prints["index"].unique().to_list()))
    return Replay(moment=at, marks=mine, prints=prints, verification=verify_prints(history, prints), chains=broken(known))

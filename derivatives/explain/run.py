"""P&L explain over many days: a row a day, and how much of it all the Greeks leave unsaid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import ExplainFactor
from tenorgrid.data.tables.explain import ExplainComponents, ExplainDays
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.explain.book import Explained, explained

SMALL = 0.01  # of the sum of the absolute components: what a residual may be


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedRun:
    """Explanations of days that follow one another."""

    each: tuple[Explained, ...]

    @cached_property
    def days(self) -> pl.DataFrame:
        """`ExplainDays`: gain, what the Greeks say, residual, and its share of the day's absolute components."""
        rows = [
            (
                one.passage.before.as_of,
                one.passage.after.as_of,
                one.gain,
                one.explained,
                one.residual,
                one.first_residual,
                one.size,
                one.share,
            )
            for one in self.each
        ]
        return ExplainDays.validate(pl.DataFrame(rows, schema=ExplainDays.column_names(), orient="row"), cast=True)

    @cached_property
    def components(self) -> pl.DataFrame:
        """`ExplainComponents` of all days together."""
        whole = (
            pl.concat(one.components for one in self.each).group_by("factor", maintain_order=True).agg(pl.col("greeks", "revalued").sum())
        )
        order = {str(factor): place for place, factor in enumerate(ExplainFactor)}
        return ExplainComponents.validate(whole.sort(pl.col("factor").cast(pl.String).replace_strict(order)))

    @property
    def share(self) -> float:
        """Absolute residual of all days together over the sum of the absolute components of all of them together."""
        size = float(self.components["greeks"].abs().sum())
        return abs(float(self.days["residual"].sum())) / size if size > 0 else 0.0

    @property
    def within(self) -> float:
        """Part of the days whose residual is below a hundredth of their own absolute components."""
        return float(np.mean(self.days["share"].to_numpy() < SMALL))


def explain_days(values: Sequence[BookValue]) -> ExplainedRun:
    """Explain a book from each of its valuations to the next.

    Args:
        values: in the order of time; the book may change from one to the next.

    Raises `InputError` for fewer than two, and as `explained` does.
    """
    if len(values) < 2:
        raise InputError.of("values", "at least two valuations", value=len(values))
    return ExplainedRun(each=tuple(explained(before, after) for before, after in pairwise(values)))

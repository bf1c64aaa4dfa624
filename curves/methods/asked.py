"""Everything that a curve was asked to be, beside its quotes: from it the same curve is made again."""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tenorgrid.curves.band import Band
from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve, fit_curve
from tenorgrid.curves.methods.choice import Choice
from tenorgrid.curves.season import AnyShape
from tenorgrid.data.tables.curve import Outages


@dataclass(frozen=True, eq=False, kw_only=True)
class Asked:
    """Choices by name, the shape of the hours, and `Outages`."""

    choice: Choice = field(default_factory=Choice)
    shape: AnyShape | None = None
    outages: pl.DataFrame = field(default_factory=Outages.create_empty, repr=False)

    def fit(
        self,
        quotes: pl.DataFrame,
        *,
        index: str,
        as_of: datetime,
        timezone: str | None = None,
        band: Band | None = None,
        discount: Discount | None = None,
    ) -> ForwardCurve:
        """The curve of `quotes` that was asked for; arguments and errors are those of `tenorgrid.curves.forward.fit_curve`."""
        hours_out = None if self.outages.is_empty() else self.outages
        return fit_curve(
            quotes, index=index, as_of=as_of, timezone=timezone, band=band, discount=discount, shape=self.shape, outages=hours_out,
            **self.choice.named,
        )  # fmt: skip

"""How curves were asked to be: kept beside them, so that whoever reads them makes the same ones again."""

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from tenorgrid.curves.components import TENSION, Bending, Ends, Method
from tenorgrid.curves.forward import Averages, Within
from tenorgrid.data.tables.curve import CurveChoices


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What `fit_curve` takes by name."""

    method: Method = "smooth"
    ends: Ends = "free"
    bending: Bending = "period"
    within: Within = "price"
    tension: float = TENSION
    averages: Averages = "plain"

    @property
    def named(self) -> dict[str, Any]:
        """Keyword arguments of `fit_curve`."""
        return asdict(self)

    @property
    def frame(self) -> pl.DataFrame:
        """`CurveChoices`, one row.

        >>> Choice(method="linear").frame["method"].to_list()
        ['linear']
        """
        return CurveChoices.validate(pl.DataFrame([asdict(self)]), cast=True)


def choice_of(frame: pl.DataFrame) -> Choice:
    """The choice of a `CurveChoices` table; none is the usual one.

    >>> choice_of(Choice(ends="flat").frame).ends
    'flat'
    """
    return Choice(**{name: value for name, value in frame.row(0, named=True).items() if value is not None}) if frame.height else Choice()

"""What a methodology says about the weights of contributors that come out of what they showed, not out of a column of the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tenorgrid.data.kinds.index import ObservationKind

Standing: TypeAlias = Literal["capacity", "kind"]
Spread: TypeAlias = Literal["whole", "by capacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Weights change on one day of the week, to what the `window_days` before it give; until then and before `least_days` days of
    collection have been seen they are those of the day itself."""

    weekday: int  # 1 is Monday
    window_days: int
    least_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """How much a contributor weighs on a day.

    `multiples` has a number for each kind of observation, and stands in order of preference: of a contributor that shows several kinds
    only rows of the first count. The contributor weighs that number (`kind`), or that number times its capacity (`capacity`): the sum of
    `column` over its rows, at most `at_most`, where its kind is `observed`, else `unknown`. Each of its rows bears that weight (`whole`),
    or its part of it in proportion to the row's own capacity (`by capacity`), which is `unknown` where the row shows none. The result
    stands in the attribute `name`.
    """

    name: str
    standing: Standing
    spread: Spread
    multiples: Mapping[ObservationKind, float]
    column: str | None = None
    at_most: float | None = None
    unknown: float | None = None
    observed: tuple[ObservationKind, ...] = ()
    schedule: Schedule | None = None

r"""Families of workload indices: fixed shares of work, or of value at a base day, over the prints of workloads.

Shares of work: :math:`\sum_i s_i P_i`, a Lowe index in USD per unit, of workloads that are counted in one unit. Shares of value:
:math:`100 \sum_i s_i P_{it} / P_{i0}`, a Young index, of any workloads. Shares never move, and a family of which a workload has no mark is
withheld: it moves for its workloads' prices and for nothing else.

Source: OECD glossary of statistical terms, Lowe index (after the consumer price index manual of 2004, ILO, IMF and others).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenorgrid.data.kinds.work import FamilyShares
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.workloads.panels import PricePanel
from tenorgrid.indices.workloads.prints import WorkloadPrints
from tenorgrid.indices.workloads.terms import BASE_LEVEL, POINTS, Family, WorkloadBasket

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FamilyPrints:
    """One family at one home and tier.

    `members` are names of workloads; `share` (members,) sums to 1; `prints` (members, days) of the workloads, NaN where they have none;
    `base` is the day of the shares of value; `weight` (members,) is what a print counts; `value` (days,) NaN where withheld.
    """

    family: Family
    panel: PricePanel
    unit: str
    members: tuple[str, ...]
    share: Vector
    weight: Vector
    base: int | None
    prints: Vector = field(repr=False)
    unrounded: Vector = field(repr=False)
    value: Vector = field(repr=False)
    trust: npt.NDArray[np.int64] = field(repr=False)

    @property
    def index(self) -> str:
        """FAMILY.HOME.TIER."""
        return f"{self.family.index}.{self.panel.home.name}.{self.panel.tier}"


def levels(prints: Vector, weight: Vector) -> Vector:
    """(days,) the weighted sum of (members, days) prints; NaN on days on which a member has none.

    >>> levels(np.array([[1.0, 2.0], [3.0, np.nan]]), np.array([0.25, 0.75]))
    array([2.5, nan])
    """
    return np.asarray(weight @ prints)


def families_of(basket: WorkloadBasket, panel: PricePanel, found: Sequence[WorkloadPrints], rule: Methodology) -> Iterator[FamilyPrints]:
    """Families of which every workload is marked at this home and tier on some day, at the base where they have one."""
    made = {one.recipes.term.index: one for one in found}
    for family in basket.families:
        members = basket.members(family)
        if not all(member.index in made for member in members):
            continue
        prints = np.array([made[member.index].value for member in members])
        whole = np.flatnonzero(~np.isnan(prints).any(axis=0))
        base = _base(family, whole, panel, rule)
        by_value = family.shares is FamilyShares.VALUE
        if not len(whole) or (by_value and base is None):
            continue
        share = np.array([member.weight for member in members]) / sum(member.weight for member in members)
        weight = BASE_LEVEL * share / prints[:, base] if by_value and base is not None else share
        unrounded = levels(prints, weight)
        value = np.full(len(unrounded), np.nan)
        value[whole] = [rounded(float(level), decimals=basket.decimals, rule=basket.rounding) for level in unrounded[whole]]
        yield FamilyPrints(
            family=family,
            panel=panel,
            unit=POINTS if by_value else f"USD/{members[0].unit}",
            members=tuple(member.index for member in members),
            share=share,
            weight=weight,
            base=base if by_value else None,
            prints=prints,
            unrounded=unrounded,
            value=value,
            trust=np.array([made[member.index].trust for member in members]).min(axis=0),
        )


def _base(family: Family, whole: npt.NDArray[np.int64], panel: PricePanel, rule: Methodology) -> int | None:
    """The day of the panel at which shares of value are taken; None where not every workload has a mark on it."""
    if family.base is None:
        return int(whole[0]) if len(whole) else None
    days = [rule.day_of(start) for start in panel.days["start"]]
    at = days.index(family.base) if family.base in days else None
    return at if at in whole else None

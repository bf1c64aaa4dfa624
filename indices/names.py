"""Names of indices: SUBJECT.PLACE.TIER, and SUBJECT.PLACE.TIER.TERM where a methodology names terms. Only here are they taken apart."""

import re
from dataclasses import dataclass

import polars as pl

from tenorgrid.data.errors import InputError

PARTS = ("subject", "place", "tier", "term")
# the shortest subject that leaves a place, a tier and perhaps a term; so a subject may hold dots itself
NAME = r"^(?P<subject>.+?)\.(?P<place>[^.]+)\.(?P<tier>[^.]+)(?:\.(?P<term>[1-9]\d*[YMD]))?$"
EXPECTED = "an index SUBJECT.PLACE.TIER, or SUBJECT.PLACE.TIER.TERM with a term like 1Y, 3M or 7D"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexName:
    """The parts of an index name; `term` is None for what is rented by the hour, and where terms are pooled."""

    subject: str
    place: str
    tier: str
    term: str | None = None

    def __str__(self) -> str:
        return ".".join(part for part in (self.subject, self.place, self.tier, self.term) if part is not None)


def parsed(name: str) -> IndexName:
    """The parts of an index name. The subject, a resource or a workload, may hold dots; place and tier may not.

    Raises `InputError` for a name of fewer than three parts.

    >>> parsed("H100-SXM.US-EAST.FIRM.1Y")
    IndexName(subject='H100-SXM', place='US-EAST', tier='FIRM', term='1Y')
    >>> parsed("LLAMA3.1-8B-RL.US.SPOT").subject
    'LLAMA3.1-8B-RL'
    """
    found = re.match(NAME, name)
    if found is None:
        raise InputError.of("index", EXPECTED, value=name)
    return IndexName(**found.groupdict())


def parts(column: str = "index") -> list[pl.Expr]:
    """subject, place, tier and term of a column of index names, as `parsed` reads them; of another name the subject is all of it.

    >>> names = ["H100-SXM.US.FIRM", "H100-SXM.US.FIRM.1Y", "GPU4"]
    >>> pl.DataFrame({"index": names}).select(parts()).rows()
    [('H100-SXM', 'US', 'FIRM', None), ('H100-SXM', 'US', 'FIRM', '1Y'), ('GPU4', None, None, None)]
    """
    found = pl.col(column).str.extract_groups(NAME).struct
    return [found.field("subject").fill_null(pl.col(column)), *(found.field(name) for name in PARTS[1:])]

"""The history of what was published, and what a publisher's checks say."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.tables.observed import Marks

SHA = "SHA-256 of"


class Prints(dy.Schema):
    """One print as it was published, never changed: a mark with its audit, who stood for it, and its place in two chains of hashes.

    A further column belongs to a new layout of `indices/publication/layouts.py`: what was published before keeps its hash.
    `hash` is SHA-256 of content_hash, audit_hash, previous and before, a line each. A publication is what one commit appended.
    """

    index = dy.String(primary_key=True, description="RESOURCE.REGION.TIER or WORKLOAD.HOME.TIER, in upper case")
    methodology = dy.String(primary_key=True, description="Methodology that made it")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period that the mark is of")
    end = dy.Datetime(time_zone="UTC", description="First instant after the period")
    published_at = dy.Datetime(time_zone="UTC", description="Moment at which it was appended")
    revision = dy.Int64(primary_key=True, min=0, description="0 at first, one more with each restatement")
    value = dy.Float64(nullable=True, description="The mark; null when withheld", metadata={"unit": "see unit"})
    unit = dy.String(description="USD/GPUh, or USD per unit of work")
    quantity = dy.Float64(min=0, nullable=True, description="GPU-hours or units of work behind it; null for quotes")
    status = dy.Enum(MarkStatus, description="What it may be relied on for")
    method_hash = dy.String(description=f"{SHA} the methodology file, under which the history keeps it")
    input_hash = dy.String(description=f"{SHA} the input file, under which the history keeps it")
    draft_hash = dy.String(description=f"{SHA} the draft that was approved")
    made_by = dy.String(description="Who made the draft")
    made_at = dy.Datetime(time_zone="UTC", description="When")
    approved_by = dy.String(description="Who approved it: somebody else")
    approved_at = dy.Datetime(time_zone="UTC", description="When")
    judgements = dy.String(description="JSON list of the failed checks that were accepted, each with its finding and the reason given")
    reason = dy.String(nullable=True, description="Why it was restated; null for a first print")
    rule = dy.String(nullable=True, description="Rule under which it was restated; null for a first print")
    number = dy.Int64(min=0, description="Its place among the prints of its index")
    publication = dy.Int64(min=0, description="Number of the publication")
    prints = dy.Int64(min=1, description="Prints in the publication")
    audit = dy.String(description="The audit, one JSON text")
    content_hash = dy.String(description=f"{SHA} the columns of its layout, as canonical JSON")
    audit_hash = dy.String(description=f"{SHA} the audit")
    previous = dy.String(description="Hash of the print before it of its index; empty for the first")
    before = dy.String(description="Hash of the publication before its own; empty for the first")
    hash = dy.String(description="Hash of the print")
    layout = dy.Int64(min=2, nullable=True, description="Which columns content_hash covers; null is the first layout, without this column")

    @dy.rule()
    def value_unless_withheld(cls) -> pl.Expr:
        """a value unless withheld, and none when withheld."""
        return pl.col("value").is_null() == (pl.col("status").cast(pl.String) == "withheld")


class Affiliations(dy.Schema):
    """Which contributors belong together: trades between them are no arm's-length trades, and together they are one contributor."""

    contributor = dy.String(primary_key=True, description="Name as it stands in the observations")
    group = dy.String(description="Whom it belongs to")


class PublicationChecks(dy.Schema):
    """What the checks before an approval found."""

    check = dy.String(description="Which check")
    index = dy.String(nullable=True, description="Index; null where the check is of the whole draft")
    date = dy.String(nullable=True, description="Day, or first instant of the period")
    passed = dy.Bool(description="Whether it passed")
    finding = dy.String(description="What was found")


class MethodComparison(dy.Schema):
    """Two methodologies on the same observations, period by period; null where one prints nothing. Daily marks meet on their day."""

    index = dy.String(primary_key=True, description="Index")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period, as the one has it")
    value = dy.Float64(nullable=True, description="Mark of the one methodology", metadata={"unit": "see the index"})
    value_against = dy.Float64(nullable=True, description="Mark of the other", metadata={"unit": "see the index"})
    status = dy.Enum(MarkStatus, nullable=True, description="Of the one; null where it has no mark")
    status_against = dy.Enum(MarkStatus, nullable=True, description="Of the other")
    difference = dy.Float64(nullable=True, description="The one less the other", metadata={"unit": "see the index"})
    ratio = dy.Float64(nullable=True, description="The one over the other, less 1")


MARK_COLUMNS = tuple(Marks.columns())

"""Observed prices and the index marks made of them."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.index import MarkStatus, ObservationKind

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}


class Observations(dy.Schema):
    """One price seen at one moment. Any further column is an attribute that a methodology may use."""

    observation_id = dy.String(primary_key=True, description="Given, else a hash of the row")
    time = dy.Datetime(time_zone="UTC", description="When the price held: of a clearing price, the start of its interval")
    provider = dy.String(description="Who sold, quoted or listed")
    resource = dy.String(description="GPU class, for example h100-sxm")
    region = dy.String(nullable=True, description="Region; null where the source does not say")
    location = dy.String(nullable=True, description="Location within the region")
    tier = dy.String(description="firm, spot, ...")
    horizon = dy.String(nullable=True, description="Horizon of the run; null except for kind clearing")
    term_hours = dy.Float64(
        min=0, nullable=True, description="Length of the rental; null where the source does not say", metadata={"unit": "h"}
    )
    gpu_count = dy.Float64(min_exclusive=0, nullable=True, description="GPUs in the offer", metadata={"unit": "GPU"})
    price = dy.Float64(description="Price of one GPU for one hour", metadata=USD_PER_GPU_HOUR)
    quantity = dy.Float64(min=0, nullable=True, description="GPU-hours; null for a quote", metadata={"unit": "GPUh"})
    kind = dy.Enum(ObservationKind, description="How the price came about")


class Marks(dy.Schema):
    """One published index value per delivery period and revision."""

    index = dy.String(primary_key=True, description="RESOURCE.REGION.TIER or WORKLOAD.HOME.TIER, in upper case")
    methodology = dy.String(primary_key=True, description="Methodology that made it")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period that the mark is of")
    end = dy.Datetime(time_zone="UTC", description="First instant after the period")
    published_at = dy.Datetime(time_zone="UTC", description="Moment of publication: the methodology's cut-off")
    revision = dy.Int64(primary_key=True, min=0, description="0 at first, one more with each restatement")
    value = dy.Float64(nullable=True, description="The mark; null when withheld", metadata={"unit": "see unit"})
    unit = dy.String(description="USD/GPUh, or USD per unit of work")
    quantity = dy.Float64(min=0, nullable=True, description="GPU-hours or units of work behind it; null for quotes")
    status = dy.Enum(MarkStatus, description="What it may be relied on for")
    method_hash = dy.String(description="SHA-256 of the methodology file")

    @dy.rule()
    def value_unless_withheld(cls) -> pl.Expr:
        """a value unless withheld, and none when withheld."""
        return pl.col("value").is_null() == (pl.col("status").cast(pl.String) == "withheld")


class RecipeMix(dy.Schema):
    """Which recipes did the work behind a mark of work, where a market tells: they all cost the same, and the shares are of the work."""

    index = dy.String(primary_key=True, description="WORKLOAD.HOME.TIER, in upper case")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period that the mark is of")
    recipe = dy.String(primary_key=True, description="Recipe")
    work = dy.Float64(min_exclusive=0, description="Work done by it in the period", metadata={"unit": "units of work"})
    share = dy.Float64(min_exclusive=0, max=1, description="Of all the work behind the mark", metadata={"unit": "1"})


class Fixings(dy.Schema):
    """The latest published revision of the marks at a cut-off: the one thing that values and contract settlement read."""

    index = dy.String(primary_key=True, description="Index")
    date = dy.Date(primary_key=True, description="Day of the index, in its own time zone")
    value = dy.Float64(description="Fixing", metadata={"unit": "see the index"})
    published_at = dy.Datetime(time_zone="UTC", description="Moment of publication")
    source = dy.String(description="Methodology and revision that it was read from")

"""What the bidders of the packaged market knew when each horizon ran."""

import dataframely as dy
import polars as pl


class Forecasts(dy.Schema):
    """What was expected of every delivery hour, one series, region and horizon a row; in real time what came."""

    horizon = dy.String(primary_key=True, description="Horizon whose market the forecast was made for")
    series = dy.String(primary_key=True, description="inference, training (demand over the book's) or availability (share there)")
    region = dy.String(primary_key=True, description="Region")
    start = dy.Datetime(time_zone="UTC", primary_key=True, description="First instant of the delivery hour")
    made_at = dy.Datetime(time_zone="UTC", description="Moment whose state it was made from")
    value = dy.Float64(min=0, description="Expected value", metadata={"unit": "1"})
    sd = dy.Float64(
        min=0,
        nullable=True,
        description="Standard deviation of log demand that is still unknown, bursts apart; null for availability",
        metadata={"unit": "1"},
    )

    @dy.rule()
    def made_before(cls) -> pl.Expr:
        """`made_at` no later than `start`."""
        return pl.col("made_at") <= pl.col("start")

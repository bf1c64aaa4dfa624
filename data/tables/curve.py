"""Quotes for delivery periods, the forward curve made of them, and volatility."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds import Averaging, Profile

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}


class Quotes(dy.Schema):
    """Prices for delivery over `[start, end)`, which may overlap."""

    as_of = dy.Datetime(time_zone="UTC", description="Moment that the quote was good")
    quote_id = dy.String(primary_key=True, description="Name of the quote")
    index = dy.String(description="Index that the contract settles on")
    contract = dy.String(description="Contract code, for example GPU1J27 or H100-SXM.US.FIRM:2027-04")
    start = dy.Datetime(time_zone="UTC", description="First instant of delivery")
    end = dy.Datetime(time_zone="UTC", description="First instant after delivery")
    profile = dy.Enum(Profile, description="Hours of the period that count")
    bid = dy.Float64(nullable=True, description="Bid", metadata=USD_PER_GPU_HOUR)
    price = dy.Float64(description="Price to fit", metadata=USD_PER_GPU_HOUR)
    ask = dy.Float64(nullable=True, description="Ask", metadata=USD_PER_GPU_HOUR)
    average = dy.Enum(Averaging, description="What the average runs over")
    calendar = dy.String(nullable=True, description="Calendar of business-day averages; null when every day counts")
    timezone = dy.String(description="IANA time zone of the contract's days")
    source = dy.String(description="Where the quote comes from, for example day-ahead clearing")

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")


class Curve(dy.Schema):
    """Forward price of every delivery interval."""

    as_of = dy.Datetime(primary_key=True, time_zone="UTC", description="Moment that the curve is of")
    index = dy.String(primary_key=True, description="Index")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    end = dy.Datetime(time_zone="UTC", description="First instant after the interval")
    forward = dy.Float64(description="Forward price", metadata=USD_PER_GPU_HOUR)
    lower = dy.Float64(nullable=True, description="Lower end of the band, whose coverage the report states", metadata=USD_PER_GPU_HOUR)
    upper = dy.Float64(nullable=True, description="Upper end of the band", metadata=USD_PER_GPU_HOUR)


class Jacobian(dy.Schema):
    """∂ forward of an interval / ∂ price of a quote."""

    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    quote_id = dy.String(primary_key=True, description="Quote")
    weight = dy.Float64(description="Change of the forward for a change of 1 of the quote", metadata={"unit": "1"})


class Volatility(dy.Schema):
    """Volatility of an index over a window, with its interval."""

    index = dy.String(primary_key=True, description="Index")
    model = dy.String(primary_key=True, description="Estimator")
    start = dy.Datetime(time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(time_zone="UTC", description="First instant after the window")
    observations = dy.Int64(min=2, description="Returns used")
    volatility = dy.Float64(min=0, description="Annualised standard deviation of log returns", metadata={"unit": "1/√year"})
    lower = dy.Float64(min=0, description="Lower end of the interval", metadata={"unit": "1/√year"})
    upper = dy.Float64(min=0, description="Upper end of the interval", metadata={"unit": "1/√year"})
    level = dy.Float64(min=0, max=1, description="Confidence of the interval", metadata={"unit": "1"})

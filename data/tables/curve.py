"""Quotes for delivery periods, the forward curve made of them, and volatility."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.contract import Averaging, OptionModel, Profile

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


class Outages(dy.Schema):
    """Hours taken out of the delivery of a quoted contract."""

    quote_id = dy.String(nullable=True, description="Quote without these hours; null for every quote")
    start = dy.Datetime(time_zone="UTC", description="First instant of the outage")
    end = dy.Datetime(time_zone="UTC", description="First instant after it")

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")


class Arbitrages(dy.Schema):
    """Quotes that contradict one another, and the riskless portfolio that they allow."""

    index = dy.String(primary_key=True, description="Index")
    arbitrage = dy.Int64(primary_key=True, min=1, description="Number of the arbitrage")
    quote_ids = dy.String(description="Quotes of the portfolio, joined by commas")
    legs = dy.String(description="Weight of each of these quotes, bought above 0 and sold below; their deliveries cancel hour by hour")
    size = dy.Float64(min=0, description="What the portfolio earns per GPU-hour of the first quote", metadata=USD_PER_GPU_HOUR)
    hours = dy.Float64(min=0, description="Hours of delivery of one contract of the first quote", metadata={"unit": "GPUh"})
    contract_size = dy.Float64(min=0, description="What it earns per contract of the first quote, one GPU", metadata={"unit": "USD"})


class CurveChoices(dy.Schema):
    """How the curves of a folder were asked to be."""

    method = dy.Enum(["smooth", "constant", "linear", "tension"], description="What a curve is between the dates of its quotes")
    ends = dy.Enum(["free", "flat", "flat-first", "flat-last"], description="Where it has no slope")
    bending = dy.Enum(["period", "time"], description="How bending is measured")
    within = dy.Enum(["price", "bid-ask"], description="Whether it meets prices, or lies between bids and asks")
    tension = dy.Float64(min=0, description="How hard the method tension pulls the curve straight", metadata={"unit": "1"})
    averages = dy.Enum(
        ["plain", "discounted"], nullable=True, description="Whether hours count by their discount factor; null is plain, as in old folders"
    )


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


class QuoteDeltas(dy.Schema):
    """What hedges a position, by quote."""

    quote_id = dy.String(primary_key=True, description="Quote")
    delta = dy.Float64(description="Change of the position's value for a change of 1 of the quote", metadata={"unit": "GPUh"})
    lot = dy.Float64(min_exclusive=0.0, description="GPU-hours of one lot", metadata={"unit": "GPUh"})
    lots = dy.Float64(description="delta / lot", metadata={"unit": "lots"})
    cent = dy.Float64(description="Change of value for 0.01 USD per GPU-hour", metadata={"unit": "USD"})


class BucketDeltas(dy.Schema):
    """A position by month of delivery."""

    month = dy.String(primary_key=True, description="Local month of delivery, YYYY-MM")
    delta = dy.Float64(description="GPU-hours held in the month", metadata={"unit": "GPUh"})
    lot = dy.Float64(min_exclusive=0.0, description="GPU-hours of one lot: the hours of the month", metadata={"unit": "GPUh"})
    lots = dy.Float64(description="delta / lot", metadata={"unit": "lots"})
    cent = dy.Float64(description="Change of value for 0.01 USD per GPU-hour", metadata={"unit": "USD"})


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


class VolatilityByExpiry(dy.Schema):
    """Volatility of an index to each of some expiries, for the options of a book."""

    index = dy.String(primary_key=True, description="Index")
    model = dy.Enum(OptionModel, primary_key=True, description="What moves: logarithms (black) or prices (bachelier)")
    end = dy.Datetime(primary_key=True, time_zone="UTC", description="Expiry")
    volatility = dy.Float64(min=0, description="From now to the expiry", metadata={"unit": "1/√year, of bachelier USD/GPUh/√year"})


class HourShape(dy.Schema):
    """How the hours of a week differ from the level of prices."""

    weekday = dy.Int64(primary_key=True, min=1, max=7, description="Day of the week in the market's time zone, 1 is Monday")
    hour = dy.Int64(primary_key=True, min=0, max=23, description="Hour of the day in the market's time zone")
    value = dy.Float64(description="Factor (1 is the week's mean), or USD per GPU-hour above the week's mean when additive")
    observations = dy.Int64(min=1, description="Hours that it was measured on")


class IndexShapes(dy.Schema):
    """The hour-of-week shapes that curves were given, by index."""

    index = dy.String(primary_key=True, description="Index")
    kind = dy.Enum(["multiplicative", "additive"], description="Whether values are factors or differences")
    timezone = dy.String(description="IANA time zone of the week's hours")
    weekday = dy.Int64(primary_key=True, min=1, max=7, description="Day of the week, 1 is Monday")
    hour = dy.Int64(primary_key=True, min=0, max=23, description="Hour of the day")
    value = dy.Float64(description="Factor (1 is the week's mean), or USD per GPU-hour above the week's mean when additive")
    observations = dy.Int64(min=1, description="Hours that it was measured on")


class IndexSeasons(dy.Schema):
    """The month-of-year shapes that curves were given, by index."""

    index = dy.String(primary_key=True, description="Index")
    kind = dy.Enum(["multiplicative", "additive"], description="Whether values are factors or differences")
    timezone = dy.String(description="IANA time zone of the months")
    month = dy.Int64(primary_key=True, min=1, max=12, description="Month of the year, 1 is January")
    value = dy.Float64(description="Factor (1 is the year's mean), or USD per GPU-hour above the year's mean when additive")
    error = dy.Float64(min=0, description="Standard error of the value over the years", metadata={"unit": "as the value"})
    years = dy.Int64(min=1, description="Years that the month was seen in")


class HourlyHistory(dy.Schema):
    """Past prices that a shape is measured on: of hours for the hours of a week; of hours, days or months for the months of a year."""

    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the hour, day or month")
    price = dy.Float64(description="Price", metadata=USD_PER_GPU_HOUR)


class Bands(dy.Schema):
    """Realised over ahead price, by horizon: limits from the first days, coverage on the days held back."""

    source = dy.String(primary_key=True, description="Quotes that it is for, for example `day-ahead clearing`")
    observations = dy.Int64(min=1, description="Days that the limits were measured on")
    lower = dy.Float64(min=0, description="Lower limit of realised daily average over ahead daily average", metadata={"unit": "1"})
    upper = dy.Float64(min=0, description="Upper limit of the same", metadata={"unit": "1"})
    level = dy.Float64(min=0, max=1, description="Share of days that the band is meant to hold", metadata={"unit": "1"})
    held_back = dy.Int64(min=1, description="Later days on which the limits were tried")
    covered = dy.Int64(min=0, description="Held-back days inside the limits")
    coverage = dy.Float64(min=0, max=1, description="covered / held_back", metadata={"unit": "1"})

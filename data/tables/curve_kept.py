"""Curves by month of delivery, how they moved between two days, and the history in which they are kept."""

import dataframely as dy

from tenorgrid.data.kinds.contract import Averaging, Profile

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
DIGEST = "SHA-256 of what was kept: rows of one digest belong together"


class CurveMonths(dy.Schema):
    """A curve by local month of delivery, and what time alone does to it."""

    index = dy.String(primary_key=True, description="Index")
    month = dy.String(primary_key=True, description="Local month of delivery, YYYY-MM")
    hours = dy.Int64(min=1, description="Hours of the month that the curve covers", metadata={"unit": "h"})
    forward = dy.Float64(description="Mean forward of these hours", metadata=USD_PER_GPU_HOUR)
    lower = dy.Float64(nullable=True, description="Mean lower end of the band", metadata=USD_PER_GPU_HOUR)
    upper = dy.Float64(nullable=True, description="Mean upper end of the band", metadata=USD_PER_GPU_HOUR)
    cent = dy.Float64(description="Change of value of one GPU through the month for 0.01 USD per GPU-hour", metadata={"unit": "USD"})
    roll_down = dy.Float64(
        nullable=True,
        description="Mean change after 30 days if the curve by time to delivery stays; null where an hour has no nearer one or is past",
        metadata=USD_PER_GPU_HOUR,
    )


class MonthlyJacobian(dy.Schema):
    """∂ mean forward of a month / ∂ price of a quote."""

    index = dy.String(primary_key=True, description="Index")
    month = dy.String(primary_key=True, description="Local month of delivery, YYYY-MM")
    quote_id = dy.String(primary_key=True, description="Quote")
    weight = dy.Float64(description="Change of the month's mean for a change of 1 of the quote", metadata={"unit": "1"})


class CurveMoves(dy.Schema):
    """How a curve moved between two moments, by month of delivery: change = roll_down + market."""

    index = dy.String(primary_key=True, description="Index")
    month = dy.String(primary_key=True, description="Local month of delivery, YYYY-MM")
    hours = dy.Int64(min=1, description="Hours that both curves cover", metadata={"unit": "h"})
    before = dy.Float64(description="Mean forward of the earlier curve", metadata=USD_PER_GPU_HOUR)
    after = dy.Float64(description="Mean forward of the later curve", metadata=USD_PER_GPU_HOUR)
    change = dy.Float64(description="after − before", metadata=USD_PER_GPU_HOUR)
    roll_down = dy.Float64(
        nullable=True, description="What the earlier curve, kept by time to delivery, would have changed by", metadata=USD_PER_GPU_HOUR
    )
    market = dy.Float64(nullable=True, description="change − roll_down", metadata=USD_PER_GPU_HOUR)


class CurveDiscounts(dy.Schema):
    """What discounted a curve: a flat rate, or the factor of every day."""

    day = dy.Date(primary_key=True, description="Day whose midnight the factor is of; of a flat rate the curve's own")
    factor = dy.Float64(min_exclusive=0, description="Worth of one dollar then", metadata={"unit": "1"})
    rate = dy.Float64(nullable=True, description="Flat rate, continuous, 365 days a year; null of a curve", metadata={"unit": "1/year"})
    timezone = dy.String(description="IANA time zone of the days")


class KeptCurves(dy.Schema):
    """Curves of a history: one row for each revision, written last."""

    index = dy.String(primary_key=True, description="Index")
    as_of = dy.Datetime(primary_key=True, time_zone="UTC", description="Moment that the curve is of")
    revision = dy.Int64(primary_key=True, min=0, description="0, and one more for each change of what was kept")
    recorded_at = dy.Datetime(time_zone="UTC", description="Moment since which it is known")
    digest = dy.String(description=DIGEST)
    timezone = dy.String(description="IANA time zone of the index's days")
    start = dy.Datetime(time_zone="UTC", description="First instant of the curve")
    end = dy.Datetime(time_zone="UTC", description="First instant after it")
    quotes = dy.Int64(min=1, description="Quotes that it was made of")
    method = dy.Enum(["smooth", "constant", "linear", "tension"], description="What it is between the dates of its quotes")
    ends = dy.Enum(["free", "flat", "flat-first", "flat-last"], description="Where it has no slope")
    bending = dy.Enum(["period", "time"], description="How bending is measured")
    within = dy.Enum(["price", "bid-ask"], description="Whether it meets prices, or lies between bids and asks")
    tension = dy.Float64(min=0, description="How hard the method tension pulls it straight", metadata={"unit": "1"})
    averages = dy.Enum(["plain", "discounted"], description="Whether hours count by their discount factor")


class KeptHours(dy.Schema):
    """Hours of kept curves."""

    digest = dy.String(primary_key=True, description=DIGEST)
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the hour")
    forward = dy.Float64(description="Forward price", metadata=USD_PER_GPU_HOUR)
    lower = dy.Float64(nullable=True, description="Lower end of the band", metadata=USD_PER_GPU_HOUR)
    upper = dy.Float64(nullable=True, description="Upper end of the band", metadata=USD_PER_GPU_HOUR)


class KeptQuotes(dy.Schema):
    """Quotes of kept curves."""

    digest = dy.String(primary_key=True, description=DIGEST)
    as_of = dy.Datetime(time_zone="UTC", description="Moment that the quote was good")
    quote_id = dy.String(primary_key=True, description="Name of the quote")
    index = dy.String(description="Index that the contract settles on")
    contract = dy.String(description="Contract code")
    start = dy.Datetime(time_zone="UTC", description="First instant of delivery")
    end = dy.Datetime(time_zone="UTC", description="First instant after delivery")
    profile = dy.Enum(Profile, description="Hours of the period that count")
    bid = dy.Float64(nullable=True, description="Bid", metadata=USD_PER_GPU_HOUR)
    price = dy.Float64(description="Price to fit", metadata=USD_PER_GPU_HOUR)
    ask = dy.Float64(nullable=True, description="Ask", metadata=USD_PER_GPU_HOUR)
    average = dy.Enum(Averaging, description="What the average runs over")
    calendar = dy.String(nullable=True, description="Calendar of business-day averages")
    timezone = dy.String(description="IANA time zone of the contract's days")
    source = dy.String(description="Where the quote comes from")


class KeptJacobian(dy.Schema):
    """Jacobians of kept curves by month of delivery; hour by hour they are made again from the quotes."""

    digest = dy.String(primary_key=True, description=DIGEST)
    month = dy.String(primary_key=True, description="Local month of delivery, YYYY-MM")
    quote_id = dy.String(primary_key=True, description="Quote")
    weight = dy.Float64(description="Change of the month's mean for a change of 1 of the quote", metadata={"unit": "1"})


class KeptShapes(dy.Schema):
    """Hour-of-week shapes that kept curves were given."""

    digest = dy.String(primary_key=True, description=DIGEST)
    kind = dy.Enum(["multiplicative", "additive"], description="Whether values are factors or differences")
    timezone = dy.String(description="IANA time zone of the week's hours")
    weekday = dy.Int64(primary_key=True, min=1, max=7, description="Day of the week, 1 is Monday")
    hour = dy.Int64(primary_key=True, min=0, max=23, description="Hour of the day")
    value = dy.Float64(description="Factor, or USD per GPU-hour above the week's mean")
    observations = dy.Int64(min=1, description="Hours that it was measured on")


class KeptSeasons(dy.Schema):
    """Month-of-year shapes that kept curves were given."""

    digest = dy.String(primary_key=True, description=DIGEST)
    kind = dy.Enum(["multiplicative", "additive"], description="Whether values are factors or differences")
    timezone = dy.String(description="IANA time zone of the months")
    month = dy.Int64(primary_key=True, min=1, max=12, description="Month of the year, 1 is January")
    value = dy.Float64(description="Factor, or USD per GPU-hour above the year's mean")
    error = dy.Float64(min=0, description="Standard error of the value over the years", metadata={"unit": "as the value"})
    years = dy.Int64(min=1, description="Years that the month was seen in")


class KeptOutages(dy.Schema):
    """Hours taken out of the quotes of kept curves."""

    digest = dy.String(description=DIGEST)
    quote_id = dy.String(nullable=True, description="Quote without these hours; null for every quote")
    start = dy.Datetime(time_zone="UTC", description="First instant of the outage")
    end = dy.Datetime(time_zone="UTC", description="First instant after it")


class KeptDiscounts(dy.Schema):
    """What discounted kept curves."""

    digest = dy.String(primary_key=True, description=DIGEST)
    day = dy.Date(primary_key=True, description="Day whose midnight the factor is of; of a flat rate the curve's own")
    factor = dy.Float64(min_exclusive=0, description="Worth of one dollar then", metadata={"unit": "1"})
    rate = dy.Float64(nullable=True, description="Flat rate, continuous, 365 days a year; null of a curve", metadata={"unit": "1/year"})
    timezone = dy.String(description="IANA time zone of the days")

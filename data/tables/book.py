"""Trades, what they are worth, and what moves them."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.contract import Profile, QuantityUnit, RiskKind, TradeKind, TradeSide


class Trades(dy.Schema):
    """What was agreed, one trade a row."""

    trade_id = dy.String(primary_key=True, description="Name of the trade")
    traded_at = dy.Datetime(time_zone="UTC", description="When it was agreed")
    book = dy.String(description="Book it belongs to")
    counterparty = dy.String(description="The other side")
    kind = dy.Enum(TradeKind, description="Kind of contract")
    side = dy.Enum(TradeSide, description="buy or sell")
    quantity = dy.Float64(min_exclusive=0, description="How much, in quantity_unit", metadata={"unit": "see quantity_unit"})
    quantity_unit = dy.Enum(QuantityUnit, description="What the quantity counts")
    index = dy.String(description="Index, or node LOCATION/RESOURCE/TIER for a virtual bid")
    index2 = dy.String(nullable=True, description="Second index of a spread")
    contract = dy.String(nullable=True, description="Contract code; null when start and end say it")
    start = dy.Datetime(time_zone="UTC", description="First instant of delivery")
    end = dy.Datetime(time_zone="UTC", description="First instant after delivery")
    profile = dy.Enum(Profile, nullable=True, description="Hours that count; null is base")
    strike = dy.Float64(nullable=True, description="Fixed price or strike", metadata={"unit": "USD/GPUh"})
    option = dy.String(nullable=True, description="call or put; null for none")
    expiry = dy.Datetime(time_zone="UTC", nullable=True, description="Last moment of exercise")
    premium = dy.Float64(nullable=True, description="Paid for the trade at pay_date", metadata={"unit": "USD"})
    pay_date = dy.Date(nullable=True, description="Day of payment")
    calendar = dy.String(nullable=True, description="Calendar of its fixings; null when every day counts")
    missing_day = dy.String(nullable=True, description="Rule for a day without fixing, one of MissingDay; null refuses")
    params = dy.String(nullable=True, description="JSON object of what only its kind has, checked per kind")

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")


class Values(dy.Schema):
    """What each trade is worth."""

    trade_id = dy.String(primary_key=True, description="Trade")
    kind = dy.Enum(TradeKind, description="Kind of contract")
    value = dy.Float64(description="Present value to the book", metadata={"unit": "see currency"})
    currency = dy.String(description="USD")
    as_of = dy.Datetime(time_zone="UTC", description="Moment of the valuation")


class Risks(dy.Schema):
    """What moves each trade."""

    trade_id = dy.String(primary_key=True, description="Trade")
    risk = dy.Enum(RiskKind, primary_key=True, description="Kind of sensitivity")
    bucket = dy.String(primary_key=True, description="Quote or month")
    amount = dy.Float64(description="Sensitivity", metadata={"unit": "see unit"})
    unit = dy.String(primary_key=True, description="GPU-hours, lots, USD per 0.01, ...")


class Correlations(dy.Schema):
    """Correlations of the logarithms of pairs of indices, for options on their spreads."""

    index = dy.String(primary_key=True, description="Index")
    index2 = dy.String(primary_key=True, description="Another index")
    correlation = dy.Float64(min=-1, max=1, description="Correlation", metadata={"unit": "1"})


class Scenarios(dy.Schema):
    """What a book gains when all prices and volatilities move, each pair of moves revalued in full."""

    price = dy.Float64(primary_key=True, description="Move of every forward", metadata={"unit": "USD/GPUh"})
    volatility = dy.Float64(primary_key=True, description="Move of every volatility", metadata={"unit": "1/√year"})
    gain = dy.Float64(description="Present value less today's", metadata={"unit": "USD"})


class MonthCones(dy.Schema):
    """The calendar-day mean of the running month: days that are over with their marks, days to come with what may be known by their end."""

    index = dy.String(primary_key=True, description="Index")
    day = dy.Date(primary_key=True, description="Local day")
    mark = dy.Float64(nullable=True, description="Fixing of a day that is over", metadata={"unit": "USD/GPUh"})
    so_far = dy.Float64(nullable=True, description="Mean of the fixings up to it", metadata={"unit": "USD/GPUh"})
    forward = dy.Float64(nullable=True, description="Forward of a day to come", metadata={"unit": "USD/GPUh"})
    expected = dy.Float64(nullable=True, description="Mean of the whole month as expected now", metadata={"unit": "USD/GPUh"})
    lower = dy.Float64(nullable=True, description="Of what it will be expected to be then, 2.5 %", metadata={"unit": "USD/GPUh"})
    low = dy.Float64(nullable=True, description="25 %", metadata={"unit": "USD/GPUh"})
    high = dy.Float64(nullable=True, description="75 %", metadata={"unit": "USD/GPUh"})
    upper = dy.Float64(nullable=True, description="97.5 %", metadata={"unit": "USD/GPUh"})

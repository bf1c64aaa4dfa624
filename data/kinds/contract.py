"""Sets of values of contracts, trades, risks and settlement."""

from enum import StrEnum


class Profile(StrEnum):
    """Hours of a delivery period, in the contract's own time zone: peak is Monday to Friday 08:00 to 20:00, night 20:00 to 08:00."""

    BASE = "base"
    PEAK = "peak"
    OFF_PEAK = "off-peak"
    WEEKEND = "weekend"
    WEEKDAY = "weekday"
    NIGHT = "night"
    WEEKDAY_NIGHT = "weekday-night"
    WEEKEND_DAY = "weekend-day"


class Averaging(StrEnum):
    """What a contract's average runs over."""

    HOURLY = "hourly"
    CALENDAR_DAY = "calendar-day"
    BUSINESS_DAY = "business-day"


class MissingDay(StrEnum):
    """What a day without fixing counts for in a contract's average."""

    REFUSE = "refuse"  # nothing is settled or valued until there is one
    CARRY_FORWARD = "carry-forward"  # the last fixing before it
    EXCLUDE = "exclude"  # nothing: the mean is over the days that have one
    NEXT = "next"  # the first fixing after it; the first forward day where none is published yet


class FallbackKind(StrEnum):
    """Why a contract settles on something else than its index's print."""

    PRICE_LIMIT = "price-limit"  # a print further than `limit` from the day before is held there
    HALT = "halt"  # no print for more than `days` days: the substitute, or the last one
    CESSATION = "cessation"  # the index ends: from `first` on the substitute


class OptionModel(StrEnum):
    """What an option's model takes for normally distributed."""

    BLACK = "black"  # the logarithm of the price
    BACHELIER = "bachelier"  # the price itself, which may be negative


class TradeKind(StrEnum):
    """What was agreed."""

    FORWARD = "forward"
    SWAP = "swap"
    FUTURE = "future"
    PERPETUAL = "perpetual"
    SPREAD = "spread"
    BASKET = "basket"
    OPTION = "option"
    AVERAGE = "average"
    SPREAD_OPTION = "spread-option"
    AMERICAN = "american"
    BARRIER = "barrier"
    BASKET_OPTION = "basket-option"
    CAP = "cap"
    FLOOR = "floor"
    COLLAR = "collar"
    VIRTUAL = "virtual"
    CAPACITY = "capacity"
    RELIABILITY = "reliability"
    TAKE_OR_PAY = "take-or-pay"
    SWING = "swing"
    TOLLING = "tolling"
    LEASE = "lease"
    GENERATION_SWITCH = "generation-switch"
    PREEMPTION = "preemption"


class TradeSide(StrEnum):
    """Which side of the trade the book is on."""

    BUY = "buy"
    SELL = "sell"


class QuantityUnit(StrEnum):
    """What a trade's quantity counts."""

    PER_HOUR = "per_hour"
    LOTS = "lots"
    TOTAL = "total"


class RiskKind(StrEnum):
    """Which sensitivity a risk row holds."""

    DELTA = "delta"
    GAMMA = "gamma"
    VEGA = "vega"
    THETA = "theta"
    CORRELATION = "correlation"


class ExplainFactor(StrEnum):
    """What a book's gain from one moment to the next came of."""

    TIME = "time"  # the days pass: what is left is nearer, forwards of days that are over stand as their fixings
    FIXINGS = "fixings"  # what was published in place of those forwards, and restatements
    CURVE = "curve"
    VOLATILITY = "volatility"
    CORRELATION = "correlation"
    DISCOUNT = "discount"
    TRADES = "trades"  # new ones, and other terms of old ones


class ChargeCode(StrEnum):
    """What a posting is for."""

    ENERGY = "energy"  # sellers and virtual bids by resource-hour, buyers by work, and the operator's legs of the same run
    RESERVE = "reserve"  # headroom paid at the scarcity adder, charged to firm users
    INVOICE = "invoice"  # the difference between exact sums and the whole cents that are paid


class OperatorAccount(StrEnum):
    """Accounts that belong to the market operator, so that every charge code sums to zero."""

    CONGESTION = "operator:congestion"
    TRANSFER = "operator:transfer"
    SUBSTITUTION = "operator:substitution"
    SHORTFALL = "operator:shortfall"
    RESIDUAL = "operator:solver-residual"
    ROUNDING = "operator:rounding"

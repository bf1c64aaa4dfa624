"""Sets of values of observations, marks and baskets."""

from enum import StrEnum


class ObservationKind(StrEnum):
    """How a price came about, the strongest evidence first."""

    TRADE = "trade"
    CLEARING = "clearing"
    FIRM_QUOTE = "firm quote"
    LIST_PRICE = "list price"


class MarkStatus(StrEnum):
    """What an index mark may be relied on for."""

    PUBLISHED = "published"
    LOW_CONFIDENCE = "low-confidence"
    CARRIED = "carried"
    WITHHELD = "withheld"


class Estimator(StrEnum):
    """How an index turns the prices that count into one value."""

    MEAN = "mean"
    VWAP = "vwap"
    TWAP = "twap"
    MEDIAN = "median"
    WEIGHTED_MEDIAN = "weighted median"
    VOLUME_WEIGHTED_MEDIAN = "volume-weighted median"
    TRIMMED_MEAN = "trimmed mean"
    WINSORISED_MEAN = "winsorised mean"
    MIDDLE_THIRD_MEAN = "middle-third mean"


class Weighting(StrEnum):
    """What the weight of a price in an index is a product of."""

    EQUAL = "equal"
    QUANTITY = "quantity"
    RECENCY = "recency"
    CONFIDENCE = "confidence"


class Pooling(StrEnum):
    """Who has a vote in an index: every observation, or every contributor with one price made of its observations."""

    OBSERVATION = "observation"
    CONTRIBUTOR = "contributor"


class Vote(StrEnum):
    """What a contributor's one price is."""

    MEDIAN = "median"
    MEAN = "mean"
    LOWEST = "lowest"
    LAST = "last"


class FilterRule(StrEnum):
    """Which observations go, out of those that are eligible."""

    TOO_FEW = "too few"  # all of a group that holds too few
    SIGMA = "sigma"  # far from the mean, in standard deviations
    MAD = "mad"  # far from the median, in median absolute deviations
    TUKEY = "tukey"  # outside the fences around the quartiles
    TRIMMED = "trimmed"  # a share of the lowest and of the highest
    VENUE = "erroneous venue"  # all of a venue whose median is far from that of the venues
    STALE = "stale"  # too old at the cut-off
    BOUNDS = "price bounds"  # too cheap or too dear whatever the others are
    JUMP = "jump"  # all of a contributor whose price moved too far from one period to the next


class Terms(StrEnum):
    """What becomes of rentals of different lengths."""

    POOLED = "pooled"  # one index takes them all, as far as its requirements let them
    NAMED = "named"  # each length of a day or more is an index of its own: RESOURCE.REGION.TIER.1Y


class Calendar(StrEnum):
    """The days on which an index has marks."""

    EVERY_DAY = "every day"
    WEEKDAYS = "weekdays"
    NEW_YORK = "New York Stock Exchange"
    US_BONDS = "US government bonds"
    FEDERAL_RESERVE = "Federal Reserve"
    LONDON = "London Stock Exchange"
    TARGET = "TARGET"


class MedianTie(StrEnum):
    """What a weighted median is where exactly half of the weight lies at or below a price."""

    LOWER = "lower"
    MIDPOINT = "midpoint"


class Rounding(StrEnum):
    """How a value halfway between two prints is rounded."""

    HALF_EVEN = "half-even"
    HALF_UP = "half-up"


class IndexFormula(StrEnum):
    """How a price index compares periods: two at a time, or all of a window at once."""

    LASPEYRES = "laspeyres"
    PAASCHE = "paasche"
    FISHER = "fisher"
    TORNQVIST = "tornqvist"
    WALSH = "walsh"
    JEVONS = "jevons"  # without quantities
    GEKS_FISHER = "geks-fisher"
    GEKS_TORNQVIST = "geks-tornqvist"
    GEKS_WALSH = "geks-walsh"
    TIME_PRODUCT_DUMMY = "time-product-dummy"  # weighted by expenditure shares
    GEARY_KHAMIS = "geary-khamis"


class Splice(StrEnum):
    """Which of the periods that a new window shares with what is published already links the two."""

    MOVEMENT = "movement"  # the last one
    WINDOW = "window"  # the first one
    HALF = "half"  # the one in the middle
    MEAN = "mean"  # all of them, by the geometric mean


class Rebalancing(StrEnum):
    """When a basket takes on new constituents and quantities, at the close of a day."""

    NEVER = "never"
    MONTHLY = "monthly"  # last day of the month
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    DAILY = "daily"  # every day: a chained index
    DATES = "dates"  # days that the basket's file lists


class BasketQuantity(StrEnum):
    """Where the quantities of a basket come from."""

    FIXED = "fixed"  # written in its file
    VALUE_SHARES = "value shares"  # shares of value at each rebalancing, written in its file
    MARKS = "marks"  # what stands behind the marks
    NONE = "none"  # the formula needs none


class MissingMark(StrEnum):
    """What becomes of a basket where a constituent has no mark of the day that it may use."""

    CARRY = "carry"  # the constituent's last value, for so many days; then left out
    LEAVE_OUT = "leave out"  # the others make the comparison
    WITHHOLD = "withhold"  # no value of the basket


class ConstituentState(StrEnum):
    """How a constituent entered a mark of its basket."""

    FRESH = "fresh"  # with its mark of the day
    LOW_CONFIDENCE = "low-confidence"
    CARRIED = "carried"  # with an earlier value, carried by its own methodology or by the basket
    LEFT_OUT = "left out"  # without any: the others made the comparison


class VolatilityModel(StrEnum):
    """How the volatility of an index is estimated."""

    REALISED = "realised"  # standard deviation around the mean return
    REALISED_WEEKDAY = "realised-weekday"  # around the mean return of each day of the week
    EWMA = "ewma"  # RiskMetrics, λ of 0.94
    EWMA_FITTED = "ewma-fitted"  # λ of the largest quasi-likelihood
    GARCH = "garch"
    GJR = "gjr"
    EGARCH = "egarch"
    GARCH_T = "garch-t"  # Student's t instead of normal surprises
    HAR = "har"  # realised variance of days from intraday prints, on that of the day, week and month before


class WindowTreatment(StrEnum):
    """What became of a mark whose window is longer than its period."""

    NONE_NEEDED = "none needed"  # the window is one period
    AS_MARKED = "as marked"  # the volatility of the average itself
    CORRECTED = "corrected for overlap"  # the variance was divided by what the average leaves of it
    UNWINDOWED = "un-windowed"  # marked again with a window of one period


class BarBasis(StrEnum):
    """What the highest and lowest price of a period are."""

    TRADED = "traded"  # of trades of one thing, over the period
    CROSS_SECTION = "cross-section"  # the dearest and cheapest of several offers at one moment: no range of a price


class SmileModel(StrEnum):
    """Form of a smile."""

    SABR = "sabr"
    SVI = "svi"


class SmileQuote(StrEnum):
    """What kind of volatility was quoted."""

    LOGNORMAL = "lognormal"
    NORMAL = "normal"


class SmileArbitrageKind(StrEnum):
    """Which no-arbitrage condition option quotes break."""

    MONOTONE = "monotone"  # a call of a higher strike costs more, or a spread more than its strikes are apart
    BUTTERFLY = "butterfly"
    CALENDAR = "calendar"


class PriceForm(StrEnum):
    """What a factor model is of."""

    LOGARITHMIC = "logarithmic"  # prices above 0
    ARITHMETIC = "arithmetic"  # prices of any sign


class FactorModel(StrEnum):
    """Factor model of prices."""

    SCHWARTZ_SMITH = "schwartz-smith"  # of a panel of futures
    OU = "ou"  # one factor that reverts
    OU_JUMPS = "ou-jumps"  # the same with jumps
    SPREAD = "spread"  # the ratio of two prices, which reverts

"""Everything that has a fixed set of values, each as one closed Enum; printed in the data dictionary."""

from enum import StrEnum


class ResourceKind(StrEnum):
    """What a resource is made of; scarcity reserves exist for accelerators only."""

    ACCELERATOR = "accelerator"
    CPU = "cpu"
    MEMORY = "memory"
    NETWORK = "network"
    STORAGE = "storage"


class PricingRule(StrEnum):
    """How a price is drawn from a market that may not be convex (market design, section 5)."""

    MARGINAL = "marginal"
    CONVEX_HULL = "convex-hull"


class PriceKind(StrEnum):
    """Which problem a published price is the dual of; a relaxation stands in the place of the hull where the hull was not had."""

    MARGINAL = "marginal"
    CONVEX_HULL = "convex-hull"
    RELAXATION = "relaxation"

    @property
    def rule(self) -> PricingRule:
        """The pricing rule that a price of this kind settles under."""
        return PricingRule.MARGINAL if self is PriceKind.MARGINAL else PricingRule.CONVEX_HULL


class HullKind(StrEnum):
    """What the convex-hull price of a group of hours stands on."""

    CONVEX = "convex"  # nothing is decided whole: the problem is its own hull
    CONVEX_HULL = "convex-hull"  # every component's hull is known exactly
    RELAXATION = "relaxation"  # some component's hull is not


class UpliftCharge(StrEnum):
    """What prices leave unpaid where a market is not convex."""

    MAKE_WHOLE = "make-whole"
    LOST_OPPORTUNITY = "lost-opportunity"
    SHORTFALL = "shortfall"


class ExtraKind(StrEnum):
    """What a term of a user's own constraint multiplies."""

    OFFER = "offer"  # listed hours of an offer's step sold in a tier, Y
    BID = "bid"  # work of a bid's step through a tier, m
    LEVEL = "level"  # recipe-hours of a workload, z
    ACCEPTED = "accepted"  # whether a gang is accepted, w
    COMMITTED = "committed"  # whether an offer is committed, u


class ExtraSpan(StrEnum):
    """Whether a user's own constraint holds in every interval, or once for the sum over the run."""

    INTERVAL = "interval"
    RUN = "run"


class VirtualSide(StrEnum):
    """A virtual sale (inc) or purchase (dec) of firm resource-hours in an ahead horizon."""

    INC = "inc"
    DEC = "dec"


class DealKind(StrEnum):
    """What two parties agreed outside the market that the market has to know of."""

    SELF_SCHEDULE = "self-schedule"  # a price-taking offer and bid of the same quantity
    CFD = "cfd"  # a contract for differences: cash alone
    RESERVATION = "reservation"  # capacity held by the buyer, who may offer it again


class AwardSide(StrEnum):
    """Whose award it is: an offer sold, a bid served, a virtual sale or purchase."""

    OFFER = "offer"
    BID = "bid"
    INC = "inc"
    DEC = "dec"


class BindingKind(StrEnum):
    """Which kind of constraint binds."""

    BALANCE = "balance"
    INVENTORY = "inventory"
    STEP = "step"
    RESERVE = "reserve"
    LINK = "link"
    DOMAIN = "domain"
    TOTAL = "total"
    GANG = "gang"
    EXTRA = "extra"


class PriceSetter(StrEnum):
    """What sets the price of a node."""

    OFFER = "offer"  # an offer's step that is sold in part
    BID = "bid"  # a bid's step that is served in part, through a recipe that uses the node
    INC = "inc"  # a virtual sale that is taken in part
    DEC = "dec"  # a virtual purchase that is taken in part
    TIER = "tier"  # the other tier of the node, as an offer sells in both
    SUBSTITUTE = "substitute"  # a price set elsewhere, through work that runs in both places or ways
    TOGETHER = "together"  # several orders, each of which sets a sum of prices, as of all that a recipe uses
    AVERAGE = "average"  # average cost, start included, of an offer that is committed whole: a hull price
    BETWEEN = "between"  # no order is taken in part: a price between two of them
    VOLL = "voll"  # bid for and not offered
    BOUND = "bound"  # held at the market's price cap or floor
    HULL = "hull"  # a hull price at which no single order stands
    NOBODY = "nobody"  # neither bid nor offer: no price


class WorthKind(StrEnum):
    """Of what one more unit is worth something."""

    RESOURCE = "resource"
    DOMAIN = "domain"
    LINK = "link"
    RESERVE = "reserve"


class PromiseVerdict(StrEnum):
    """How a tier's promise held in a period that its estimate had not seen."""

    KEPT = "kept"  # realised at or below the promise
    UNCLEAR = "unclear"  # above it, but within the realised share's own interval
    BROKEN = "broken"  # above it by more than that
    NOT_SOLD = "not sold"  # nothing could be sold for the promise


class SpreadResidual(StrEnum):
    """Why the parts of a spread between tiers leave a residual."""

    NONE = "none"  # one offer is sold in both tiers, and the parts are exact
    DIFFERENT_OFFERS = "different offers"  # both tiers are sold, but no offer in both
    FIRM_ONLY = "sold firm only"
    INTERRUPTIBLE_ONLY = "sold interruptible only"
    NO_OFFER = "no offer sold"
    COMMITTED = "decided whole or in a domain"  # the offer in both answers to more than the two prices
    NOT_MARGINAL = "not a marginal price"
    BOUND = "price at a bound"
    OTHER = "other"


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


class TradeKind(StrEnum):
    """What was agreed."""

    FORWARD = "forward"
    VIRTUAL = "virtual"
    CAPACITY = "capacity"


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


class BenchmarkFormat(StrEnum):
    """Layouts of published benchmarks that recipes are made of."""

    MLPERF_INFERENCE = "mlperf-inference"
    MLPERF_TRAINING = "mlperf-training"
    ML_ENERGY = "ml-energy"
    ML_ENERGY_IMAGES = "ml-energy-images"
    GAVEL = "gavel"


class Architecture(StrEnum):
    """Kinds of models that workload indices tell apart."""

    DENSE = "dense"  # a transformer whose every weight works on every token
    MOE = "moe"  # a mixture of experts
    HYBRID = "hybrid"  # attention beside another way to remember
    DIFFUSION_TRANSFORMER = "diffusion-transformer"
    DIFFUSION_CONVOLUTION = "diffusion-convolution"  # a diffusion model around a convolutional network


class WorkClass(StrEnum):
    """Kinds of work that workload indices tell apart."""

    PREFILL = "prefill"
    DECODE = "decode"
    GENERATION = "generation"  # of images or video
    PRE_TRAINING = "pre-training"
    POST_TRAINING = "post-training"
    RL = "rl"  # rollouts and the updates that learn from them


class FamilyShares(StrEnum):
    """What the shares of a family of workload indices are of."""

    WORK = "work"  # of the work: a price of a unit of it
    VALUE = "value"  # of what it costs at the base: index points


class LeftOutReason(StrEnum):
    """Why no recipe was made of a row of a benchmark."""

    UNCLEAR = "unclear"  # its unit, its accelerator or their number cannot be told
    DID_NOT_RUN = "did not run"
    OPEN_DIVISION = "open division"  # another model than the benchmark's may have been run
    NOT_CHOSEN = "not chosen"  # another model, accelerator or limit was asked for
    DOMINATED = "dominated"


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

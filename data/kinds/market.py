"""Sets of values of a market and its clearing."""

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

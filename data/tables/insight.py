"""What the tables of a run say when they are asked: who is marginal, what one more unit is worth, whose demand it is, who is pivotal,
what a breaker would do, and what a change would change.
"""

import dataframely as dy

from tenorgrid.data.kinds.market import AwardSide, PriceKind, PriceSetter, WorthKind

USD_PER_RESOURCE_HOUR = {"unit": "USD/resource-h"}
RESOURCE_HOURS = {"unit": "resource-h"}
PER_HOUR = {"unit": "resource-h/h"}
USD = {"unit": "USD"}
INTERVALS = {"unit": "intervals"}


class Marginal(dy.Schema):
    """Who sets each price, in parts that add up to it."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem the price is the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    price = dy.Float64(nullable=True, description="λ; null where the node has no price", metadata=USD_PER_RESOURCE_HOUR)
    set_by = dy.Enum(PriceSetter, description="What sets it")
    id = dy.String(nullable=True, description="offer_id or bid_id of the order that is part awarded; null where there is none")
    step = dy.Int64(nullable=True, description="Its step")
    participant = dy.String(nullable=True, description="Whose it is")
    via = dy.String(nullable=True, description="Work, recipe and place, or tier, through which a price set elsewhere reaches the node")
    order = dy.Float64(
        nullable=True, description="The order's own price per resource-hour of the node, c / β or ω φ / x", metadata=USD_PER_RESOURCE_HOUR
    )
    premium = dy.Float64(nullable=True, description="Firm premium of the offer", metadata=USD_PER_RESOURCE_HOUR)
    scarcity = dy.Float64(nullable=True, description="Scarcity adder", metadata=USD_PER_RESOURCE_HOUR)
    domain = dy.Float64(nullable=True, description="Less what the offer's scale-up domain earns apart", metadata=USD_PER_RESOURCE_HOUR)
    rent = dy.Float64(
        nullable=True,
        description="What the offer earns in the other tier, and so here; of work with a total, less what its last unit is worth elsewhen",
        metadata=USD_PER_RESOURCE_HOUR,
    )
    other_resources = dy.Float64(
        nullable=True, description="Less the other resources of the recipe at their prices", metadata=USD_PER_RESOURCE_HOUR
    )
    carriage = dy.Float64(nullable=True, description="Less moving the data, transport and congestion", metadata=USD_PER_RESOURCE_HOUR)
    remainder = dy.Float64(nullable=True, description="The price less the other parts", metadata=USD_PER_RESOURCE_HOUR)


class Worth(dy.Schema):
    """What one more unit of a resource, of a domain, of a link's capacity or of reserve would add to the surplus, over a horizon."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem it is the dual of")
    kind = dy.Enum(WorthKind, primary_key=True, description="Of what there is one more")
    key = dy.String(primary_key=True, description="Which one: location/resource, location/resource/domain, link, region/resource")
    unit = dy.String(description="One more of what, in every interval")
    intervals = dy.Int64(min=0, description="Intervals in which it is worth anything", metadata=INTERVALS)
    mean = dy.Float64(description="Mean worth over all intervals", metadata={"unit": "USD per unit and hour"})
    largest = dy.Float64(description="Largest worth", metadata={"unit": "USD per unit and hour"})
    largest_at = dy.Datetime(nullable=True, time_zone="UTC", description="When it was largest, the first time")
    total = dy.Float64(description="Worth of the unit in all intervals together", metadata=USD)


class SoldOut(dy.Schema):
    """Tiers sold out: nodes where every listed hour that could be sold in the tier was sold, in that tier or another."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    intervals = dy.Int64(min=1, description="Intervals in which it was offered", metadata=INTERVALS)
    sold_out = dy.Int64(min=0, description="Of them sold out", metadata=INTERVALS)
    sold = dy.Float64(min=0, description="Share of the listed hours sold, in any tier, over all intervals", metadata={"unit": "1"})
    price = dy.Float64(nullable=True, description="Mean price where it was not sold out", metadata=USD_PER_RESOURCE_HOUR)
    price_sold_out = dy.Float64(nullable=True, description="Mean price where it was", metadata=USD_PER_RESOURCE_HOUR)
    scarce = dy.Int64(min=0, description="Intervals with a scarcity adder", metadata=INTERVALS)
    scarcity = dy.Float64(min=0, description="Largest scarcity adder", metadata=USD_PER_RESOURCE_HOUR)


class Demand(dy.Schema):
    """Accelerator-hours that work used, by class of work, region and scale-up size."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    class_ = dy.String(alias="class", primary_key=True, description="Class of the workload")
    home = dy.String(primary_key=True, description="Region that the work belongs to; `*` may run anywhere")
    region = dy.String(primary_key=True, description="Region where it ran")
    resource = dy.String(primary_key=True, description="Accelerator")
    tier = dy.String(primary_key=True, description="Tier")
    size = dy.Int64(
        primary_key=True,
        min=1,
        description="Scale-up size: the domain that the recipe needs; where it needs none, 1",
        metadata={"unit": "GPU"},
    )
    hours = dy.Float64(min=0, description="Accelerator-hours used", metadata=RESOURCE_HOURS)
    share = dy.Float64(min=0, max=1.0000001, description="Of all accelerator-hours of the horizon", metadata={"unit": "1"})
    peak = dy.Float64(min=0, description="Most used in one interval", metadata=PER_HOUR)
    price = dy.Float64(nullable=True, description="Mean price, weighted by use", metadata=USD_PER_RESOURCE_HOUR)
    spend = dy.Float64(nullable=True, description="Use at the prices of the nodes", metadata=USD)


class Unserved(dy.Schema):
    """Work that was bid for and not served, and the most that was bid for it."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    workload = dy.String(primary_key=True, description="Workload")
    class_ = dy.String(alias="class", description="Class of the workload")
    home = dy.String(primary_key=True, description="Region that the work belongs to; `*` may run anywhere")
    unit = dy.String(description="One unit of work")
    wanted = dy.Float64(min=0, description="Bid for", metadata={"unit": "units of work"})
    served = dy.Float64(min=0, description="Awarded", metadata={"unit": "units of work"})
    share = dy.Float64(min=0, max=1.0000001, description="served / wanted", metadata={"unit": "1"})
    highest = dy.Float64(nullable=True, description="Highest value among unserved work", metadata={"unit": "USD/unit of work"})


class ResidualSupply(dy.Schema):
    """Each accelerator of a region in each interval: what is left of supply without its largest suppliers, against what was sold."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    region = dy.String(primary_key=True, description="Region")
    resource = dy.String(primary_key=True, description="Accelerator")
    supply = dy.Float64(min=0, description="Listed hours of all suppliers", metadata=PER_HOUR)
    demand = dy.Float64(min=0, description="Listed hours that were sold", metadata=PER_HOUR)
    largest = dy.String(description="The suppliers left out, separated by `;`")
    without = dy.Float64(min=0, description="Listed hours of the others", metadata=PER_HOUR)
    index = dy.Float64(min=0, description="RSI = without / demand; below 1 they are pivotal", metadata={"unit": "1"})
    price = dy.Float64(nullable=True, description="Mean firm price of the region's locations", metadata=USD_PER_RESOURCE_HOUR)


class Pivotal(dy.Schema):
    """How often demand for an accelerator of a region could not be met without a supplier."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    region = dy.String(primary_key=True, description="Region")
    resource = dy.String(primary_key=True, description="Accelerator")
    participant = dy.String(primary_key=True, description="Supplier")
    intervals = dy.Int64(min=1, description="Intervals in which anything was sold and it offered", metadata=INTERVALS)
    pivotal = dy.Int64(min=0, description="Of them with RSI below 1", metadata=INTERVALS)
    share = dy.Float64(min=0, max=1.0000001, description="Of the group's listed hours", metadata={"unit": "1"})
    lowest = dy.Float64(min=0, description="Lowest RSI", metadata={"unit": "1"})
    lowest_at = dy.Datetime(time_zone="UTC", description="When it was lowest, the first time")
    price = dy.Float64(nullable=True, description="Mean firm price where it was not pivotal", metadata=USD_PER_RESOURCE_HOUR)
    price_pivotal = dy.Float64(nullable=True, description="Mean firm price where it was", metadata=USD_PER_RESOURCE_HOUR)


class BreakerRules(dy.Schema):
    """When prices stop being free: a sum over a window that may not be passed, and the cap that then holds."""

    resource = dy.String(nullable=True, description="Resource; null is every one without a rule of its own")
    tier = dy.String(nullable=True, description="Tier; null is every one without a rule of its own")
    window_hours = dy.Int64(min=1, description="Length of the rolling sum", metadata={"unit": "h"})
    threshold = dy.Float64(min_exclusive=0, description="Sum that trips the breaker", metadata={"unit": "USD/resource-h · h"})
    cap = dy.Float64(min=0, description="Administered price cap", metadata=USD_PER_RESOURCE_HOUR)


class Cumulative(dy.Schema):
    """How near each node came to its threshold."""

    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    window_hours = dy.Int64(min=1, description="Length of the rolling sum", metadata={"unit": "h"})
    threshold = dy.Float64(description="Sum that trips the breaker", metadata={"unit": "USD/resource-h · h"})
    cap = dy.Float64(description="Administered price cap", metadata=USD_PER_RESOURCE_HOUR)
    highest = dy.Float64(description="Highest rolling sum", metadata={"unit": "USD/resource-h · h"})
    highest_at = dy.Datetime(time_zone="UTC", description="First instant of the interval that completed it")
    used = dy.Float64(description="highest / threshold", metadata={"unit": "1"})
    trips = dy.Int64(min=0, description="Administered periods")
    administered = dy.Int64(min=0, description="Intervals in them", metadata=INTERVALS)
    capped = dy.Int64(min=0, description="Of them with a price above the cap", metadata=INTERVALS)


class Administered(dy.Schema):
    """Intervals in which the breaker holds: the price that was cleared and the one that would be paid."""

    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    cumulative = dy.Float64(description="Rolling sum of cleared prices before the interval", metadata={"unit": "USD/resource-h · h"})
    price = dy.Float64(description="Cleared price", metadata=USD_PER_RESOURCE_HOUR)
    administered = dy.Float64(description="The same, at most the cap", metadata=USD_PER_RESOURCE_HOUR)


class AdministeredCash(dy.Schema):
    """What administered prices would move: each participant's real-time cash, and the cost that sellers could claim."""

    participant = dy.String(primary_key=True, description="Participant")
    side = dy.Enum(AwardSide, primary_key=True, description="offer and inc sell, bid and dec buy")
    cleared = dy.Float64(description="Real-time cash on what was not bought or sold ahead, at cleared prices", metadata=USD)
    administered = dy.Float64(description="The same at administered prices", metadata=USD)
    difference = dy.Float64(description="administered − cleared", metadata=USD)
    compensation = dy.Float64(
        min=0, description="Cost above the administered price of the hours sold in real time beyond the ahead position", metadata=USD
    )


class OfferChanges(dy.Schema):
    """Rows of offers to add, to replace a whole offer with, to change cells of, or the name of one to withdraw."""

    action = dy.String(description="add, replace, change or withdraw")
    horizon = dy.String(nullable=True, description="Horizon of the offer as the case has it; null where it stands in every one")
    offer_id = dy.String(description="Name of the offer")
    participant = dy.String(nullable=True, description="Who offers")
    location = dy.String(nullable=True, description="Where the resource stands")
    resource = dy.String(nullable=True, description="What is offered")
    start = dy.Datetime(nullable=True, time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(nullable=True, time_zone="UTC", description="First instant after the window")
    step = dy.Int64(nullable=True, description="Step of the cost curve; of a change, null is every step")
    quantity = dy.Float64(nullable=True, description="Resource-hours offered per hour", metadata=PER_HOUR)
    price = dy.Float64(nullable=True, description="c, cost of one resource-hour", metadata=USD_PER_RESOURCE_HOUR)
    firm_premium = dy.Float64(nullable=True, description="Added when sold firm", metadata=USD_PER_RESOURCE_HOUR)
    block = dy.Bool(nullable=True, description="Sold wholly or not at all")
    start_cost = dy.Float64(nullable=True, description="Cost of each start", metadata=USD)
    min_hours = dy.Int64(nullable=True, description="Shortest committed run", metadata={"unit": "h"})
    domain = dy.Int64(nullable=True, description="Scale-up domain size", metadata={"unit": "GPU"})


class BidChanges(dy.Schema):
    """Rows of bids to add, to replace a whole bid with, to change cells of, or the name of one to withdraw."""

    action = dy.String(description="add, replace, change or withdraw")
    horizon = dy.String(nullable=True, description="Horizon of the bid as the case has it; null where it stands in every one")
    bid_id = dy.String(description="Name of the bid")
    participant = dy.String(nullable=True, description="Who bids")
    workload = dy.String(nullable=True, description="What work is wanted")
    home = dy.String(nullable=True, description="Location where the work belongs")
    start = dy.Datetime(nullable=True, time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(nullable=True, time_zone="UTC", description="First instant after the window")
    step = dy.Int64(nullable=True, description="Step of the willingness to pay; of a change, null is every step")
    quantity = dy.Float64(nullable=True, description="Units of work wanted per hour", metadata={"unit": "units/h"})
    value = dy.Float64(nullable=True, description="p, worth of one unit of work", metadata={"unit": "USD/unit"})
    interruption_loss = dy.Float64(nullable=True, description="ℓ, loss per unit interrupted", metadata={"unit": "USD/unit"})
    tiers = dy.String(nullable=True, description="Tiers that serve it")
    min_share = dy.Float64(nullable=True, description="Least share a gang gets", metadata={"unit": "1"})
    total = dy.Float64(nullable=True, description="Most work over the whole window", metadata={"unit": "units"})
    exclusive_group = dy.String(nullable=True, description="Of the bids of a group at most one is accepted")
    linked_to = dy.String(nullable=True, description="bid_id without which this one is not accepted")


class PriceDifferences(dy.Schema):
    """Nodes whose price a change moves."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem it is the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    before = dy.Float64(nullable=True, description="Price as it is", metadata=USD_PER_RESOURCE_HOUR)
    after = dy.Float64(nullable=True, description="Price with the change", metadata=USD_PER_RESOURCE_HOUR)
    difference = dy.Float64(nullable=True, description="after − before", metadata=USD_PER_RESOURCE_HOUR)


class AwardDifferences(dy.Schema):
    """Awards that a change moves; an award that is not there is 0."""

    horizon = dy.String(description="Horizon of the run")
    start = dy.Datetime(time_zone="UTC", description="First instant of the interval")
    side = dy.Enum(AwardSide, description="offer and inc sell, bid and dec buy")
    id = dy.String(description="offer_id or bid_id")
    participant = dy.String(description="Whose award it is")
    step = dy.Int64(nullable=True, description="Step")
    resource = dy.String(nullable=True, description="Resource; null for work")
    workload = dy.String(nullable=True, description="Workload; null for resources")
    tier = dy.String(description="Tier")
    before = dy.Float64(description="Quantity as it is", metadata={"unit": "resource-h/h or units/h"})
    after = dy.Float64(description="Quantity with the change", metadata={"unit": "resource-h/h or units/h"})
    difference = dy.Float64(description="after − before", metadata={"unit": "resource-h/h or units/h"})


class SurplusDifferences(dy.Schema):
    """Who gains from a change, part by part of the surplus; under the rule that settles."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    part = dy.String(primary_key=True, description="Part of the surplus; total is the objective")
    before = dy.Float64(description="As it is, over the intervals cleared again", metadata=USD)
    after = dy.Float64(description="With the change", metadata=USD)
    difference = dy.Float64(description="after − before", metadata=USD)


class CashDifferences(dy.Schema):
    """What a change does to each participant's cash at each horizon's own prices; gross, before positions are netted."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    participant = dy.String(primary_key=True, description="Participant")
    before = dy.Float64(description="As it is", metadata=USD)
    after = dy.Float64(description="With the change", metadata=USD)
    difference = dy.Float64(description="after − before", metadata=USD)

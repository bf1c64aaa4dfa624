"""What clearing publishes: prices, awards, what binds, and the certificate."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.market import AwardSide, BindingKind, HullKind, PriceKind, PricingRule, UpliftCharge

USD_PER_RESOURCE_HOUR = {"unit": "USD/resource-h"}
USD_PER_UNIT = {"unit": "USD/unit of work"}
USD = {"unit": "USD"}


def settles_under(rule: PricingRule | str) -> pl.Expr:
    """Whether a row's `pricing` is what settles under a rule: a relaxation stands in the place of a hull price that was not had.

    >>> pl.DataFrame({"pricing": ["marginal", "relaxation"]}).filter(settles_under("convex-hull"))["pricing"].to_list()
    ['relaxation']
    """
    kinds = [kind.value for kind in PriceKind if kind.rule == PricingRule(rule)]
    return pl.col("pricing").cast(pl.String).is_in(kinds)


class Prices(dy.Schema):
    """λ of every node: a resource in a location, an interval and a tier that some bid may use."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem it is the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    price = dy.Float64(nullable=True, description="λ; null where the node has neither bid nor offer", metadata=USD_PER_RESOURCE_HOUR)
    energy = dy.Float64(nullable=True, description="λ less scarcity", metadata=USD_PER_RESOURCE_HOUR)
    scarcity = dy.Float64(nullable=True, description="(1 − α) A / β, the scarcity adder per sold hour", metadata=USD_PER_RESOURCE_HOUR)
    low = dy.Float64(nullable=True, description="Least price that is optimal too; with intervals only", metadata=USD_PER_RESOURCE_HOUR)
    high = dy.Float64(nullable=True, description="Largest price that is optimal too; with intervals only", metadata=USD_PER_RESOURCE_HOUR)


class WorkloadPrices(dy.Schema):
    """ω: least cost of one unit of work at the prices of the run, needing no bid."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem it is the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    workload = dy.String(primary_key=True, description="Workload")
    home = dy.String(primary_key=True, description="Home of the work; `*` may run anywhere")
    tier = dy.String(primary_key=True, description="Tier")
    price = dy.Float64(nullable=True, description="ω = resources + transport + congestion", metadata=USD_PER_UNIT)
    resources = dy.Float64(nullable=True, description="Σ x λ / φ of the cheapest recipe and place", metadata=USD_PER_UNIT)
    transport = dy.Float64(nullable=True, description="e κ of that place", metadata=USD_PER_UNIT)
    congestion = dy.Float64(nullable=True, description="e μ of that place", metadata=USD_PER_UNIT)


class Awards(dy.Schema):
    """What everyone was awarded: resource-hours to offers and virtual bids, units of work to bids. Rows of zero quantity are left out."""

    horizon = dy.String(description="Horizon of the run")
    start = dy.Datetime(time_zone="UTC", description="First instant of the interval")
    side = dy.Enum(AwardSide, description="offer and inc sell, bid and dec buy")
    id = dy.String(description="offer_id or bid_id")
    participant = dy.String(description="Whose award it is")
    step = dy.Int64(nullable=True, description="Step of the offer or bid; null for virtual bids")
    location = dy.String(nullable=True, description="Location of the resource, home of the work; null home may run anywhere")
    resource = dy.String(nullable=True, description="Resource; null for work")
    workload = dy.String(nullable=True, description="Workload; null for resources")
    tier = dy.String(description="Tier")
    quantity = dy.Float64(
        min=0, description="Per hour: sold hours of the tier (β Y), or units of work", metadata={"unit": "resource-h/h or units/h"}
    )
    price = dy.Float64(description="λ or ω that it is settled at", metadata={"unit": "USD/resource-h or USD/unit"})
    cash = dy.Float64(
        description="To the participant for the interval at the run's own price: price × quantity × Δ, negative for a buyer", metadata=USD
    )


class Placements(dy.Schema):
    """Which recipes ran where: the levels z, shared by all bids of the same workload, home and tier."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    workload = dy.String(primary_key=True, description="Workload")
    home = dy.String(primary_key=True, description="Home of the work; `*` may run anywhere")
    tier = dy.String(primary_key=True, description="Tier")
    recipe = dy.String(primary_key=True, description="Recipe")
    location = dy.String(primary_key=True, description="Where it runs")
    level = dy.Float64(min=0, description="z, recipe-hours per hour", metadata={"unit": "recipe-h/h"})
    work = dy.Float64(min=0, description="φ z", metadata={"unit": "units/h"})


class Headroom(dy.Schema):
    """Reserve held and used in intervals with a scarcity adder; real time's is paid at the adder."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    region = dy.String(primary_key=True, description="Region")
    resource = dy.String(primary_key=True, description="Accelerator")
    participant = dy.String(primary_key=True, description="Who holds the headroom or uses the accelerator")
    headroom = dy.Float64(description="Firm-able inventory not sold, and α of interruptible sales", metadata={"unit": "resource-h/h"})
    use = dy.Float64(
        description="Firm use of the accelerator by this participant's bids, to which the payment is charged pro rata",
        metadata={"unit": "resource-h/h"},
    )
    price = dy.Float64(description="A, the scarcity adder", metadata=USD_PER_RESOURCE_HOUR)


class Binding(dy.Schema):
    """Constraints that bind, with what one more unit would be worth."""

    horizon = dy.String(description="Horizon of the run")
    start = dy.Datetime(time_zone="UTC", description="First instant of the interval")
    kind = dy.Enum(BindingKind, description="Kind of constraint")
    key = dy.String(description="Which one")
    dual = dy.Float64(description="Worth of one more unit", metadata={"unit": "USD per unit of the constraint"})
    meaning = dy.String(description="The same in words")


class DomainPrices(dy.Schema):
    """What belonging to a scale-up domain adds to λ: the sum of δ over the domain sizes up to this one."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem it is the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Accelerator")
    tier = dy.String(primary_key=True, description="Tier")
    domain = dy.Int64(primary_key=True, description="Scale-up domain size", metadata={"unit": "GPU"})
    premium = dy.Float64(description="Paid above λ for GPUs of a domain of this size", metadata=USD_PER_RESOURCE_HOUR)


class Commitments(dy.Schema):
    """What was decided whole: offers committed and gangs accepted, in every interval of their windows that the run saw."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    side = dy.Enum(AwardSide, primary_key=True, description="offer: committed or not; bid: a gang accepted or not")
    id = dy.String(primary_key=True, description="offer_id or bid_id")
    participant = dy.String(description="Whose it is")
    on = dy.Bool(description="Committed, or accepted")
    started = dy.Bool(description="Whether an offer's run starts in this interval; false for bids")


class Uplift(dy.Schema):
    """Side payments per component: what it would lose, and what it forgoes, at the published prices."""

    horizon = dy.String(description="Horizon of the run")
    pricing = dy.Enum(PricingRule, description="At which prices it is measured")
    participant = dy.String(description="Who is made whole")
    component = dy.String(description="Offers or bids that are accepted together, the first of their ids")
    make_whole = dy.Float64(min=0, description="Loss at the published prices", metadata=USD)
    lost_opportunity = dy.Float64(min=0, description="Best profit at the published prices less the profit made", metadata=USD)


class Allocation(dy.Schema):
    """Who would pay for uplift and for the product-revenue shortfall: buyers pro rata to what they pay for work."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PricingRule, primary_key=True, description="At which prices it is measured")
    charge = dy.Enum(UpliftCharge, primary_key=True, description="What is allocated")
    participant = dy.String(primary_key=True, description="Who would pay")
    amount = dy.Float64(description="How much", metadata=USD)


class Surplus(dy.Schema):
    """Who gains what; `total` is the objective of the run."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PricingRule, primary_key=True, description="Pricing rule")
    buyers = dy.Float64(description="Expected value less payments", metadata=USD)
    suppliers = dy.Float64(description="Receipts, reserve payments included, less cost", metadata=USD)
    transfer = dy.Float64(description="Receipts of the links' owners for κ less their cost κ: zero by construction", metadata=USD)
    congestion = dy.Float64(description="Σ μ capacity: what rights to the links are worth", metadata=USD)
    reserve = dy.Float64(description="Worth of the reserve held, Σ A s", metadata=USD)
    virtuals = dy.Float64(
        description="Virtual bidders' gain against their own limits; carried positions count with what they pay", metadata=USD
    )
    shortfall = dy.Float64(
        description="Payments for work less what suppliers, virtual bids and links receive: below 0 where something priced is unused",
        metadata=USD,
    )
    total = dy.Float64(description="Objective of the run", metadata=USD)


class Certificate(dy.Schema):
    """How good each solution is, from its own primal and dual values alone."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the group of hours")
    method = dy.String(description="How it was solved")
    status = dy.String(description="What the solver said")
    hours = dy.Int64(
        min=1,
        description="Intervals solved together; in a rolling run also those that were only seen",
        metadata={"unit": "intervals"},
    )
    hull = dy.Enum(HullKind, description="What the second pricing rule stands on")
    incumbent_gap = dy.Float64(
        nullable=True,
        description="Gap of the best whole solution to the search's own bound, relative; null where nothing is whole",
        metadata={"unit": "1"},
    )
    hull_gap = dy.Float64(
        description="Distance of the objective from the hull's value, relative, from dual values alone", metadata={"unit": "1"}
    )
    primal = dy.Float64(description="Largest primal infeasibility, relative to its row or bound", metadata={"unit": "1"})
    dual = dy.Float64(description="Largest dual infeasibility, relative to its cost", metadata={"unit": "1"})
    complementarity = dy.Float64(description="Largest product of slack and dual, relative to the objective", metadata={"unit": "1"})
    gap = dy.Float64(description="Primal less dual objective, relative", metadata={"unit": "1"})
    price_rule = dy.String(description="hair: mean of the duals with a hair more and a hair less load; plain: the duals of the solve")
    columns_ = dy.Int64(alias="columns", description="Columns of the problem")
    rows = dy.Int64(description="Rows of the problem")
    seconds = dy.Float64(description="Time taken", metadata={"unit": "s"})

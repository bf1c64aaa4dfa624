"""The tables of a market case: who offers which resources, who bids for which work, and what joins them."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.market import ResourceKind, VirtualSide


class Locations(dy.Schema):
    """Clusters or data-centre regions in which resources stand."""

    location = dy.String(primary_key=True, description="Name of the cluster or data-centre region")
    region = dy.String(description="Region that the location belongs to; reserves are held by region")
    provider = dy.String(nullable=True, description="Who runs it; null for a shared location")


class Resources(dy.Schema):
    """Characteristics of compute that are bought and sold by the hour."""

    resource = dy.String(primary_key=True, description="Name, for example h100-sxm, vcpu, ram_gib, net_gbps")
    kind = dy.Enum(ResourceKind, description="What it is made of")
    unit = dy.String(description="What one unit is, for example GPU, vCPU, GiB, Gbit/s")


class Tiers(dy.Schema):
    """Levels of service; `firm` (0, 1) is always there."""

    tier = dy.String(primary_key=True, description="Name of the level of service")
    interruption_probability = dy.Float64(
        min=0, max_exclusive=1, description="π, chance that a sold hour is recalled", metadata={"unit": "1"}
    )
    overcommit = dy.Float64(min_exclusive=0, description="β, sold hours backed by one listed hour", metadata={"unit": "1"})
    reserve_share = dy.Float64(
        min=0, max=1, nullable=True, description="α, share of sold hours that may be recalled as reserve; null is 0", metadata={"unit": "1"}
    )


class Workloads(dy.Schema):
    """Kinds of work that buyers want done."""

    workload = dy.String(primary_key=True, description="Name of the workload")
    class_ = dy.String(alias="class", description="Class: decode, prefill, pre-training, post-training, ...")
    unit = dy.String(description="One unit of work, for example 1e6 tokens or 1 training step")
    egress_gib_per_unit = dy.Float64(
        min=0, nullable=True, description="Data moved per unit when it runs away from home; null is 0", metadata={"unit": "GiB/unit"}
    )


class Recipes(dy.Schema):
    """Benchmarked ways of running a workload."""

    workload = dy.String(primary_key=True, description="Workload that the recipe runs")
    recipe = dy.String(primary_key=True, description="Name of the recipe")
    output_per_hour = dy.Float64(min_exclusive=0, description="φ, units of work made in one recipe-hour", metadata={"unit": "units/h"})
    domain = dy.Int64(min=1, nullable=True, description="Scale-up domain size it needs; null is none", metadata={"unit": "GPU"})


class RecipeResources(dy.Schema):
    """What one recipe-hour uses: the vector x_a, one row per resource."""

    workload = dy.String(primary_key=True, description="Workload of the recipe")
    recipe = dy.String(primary_key=True, description="Recipe")
    resource = dy.String(primary_key=True, description="Resource used")
    per_hour = dy.Float64(min_exclusive=0, description="x, resource-hours used in one recipe-hour", metadata={"unit": "resource-h/h"})


class Offers(dy.Schema):
    """Steps of suppliers' cost curves, opportunity cost included."""

    horizon = dy.String(nullable=True, description="Horizon that it is offered in; null is every one")
    offer_id = dy.String(description="Name of the offer; its steps and resources share it")
    participant = dy.String(description="Who offers")
    location = dy.String(description="Where the resource stands")
    resource = dy.String(description="What is offered")
    start = dy.Datetime(time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(time_zone="UTC", description="First instant after the window")
    step = dy.Int64(min=1, description="Step of the cost curve, counted from 1")
    quantity = dy.Float64(min=0, description="Resource-hours offered per hour", metadata={"unit": "resource-h/h"})
    price = dy.Float64(description="c, cost of one resource-hour", metadata={"unit": "USD/resource-h"})
    firm_premium = dy.Float64(
        nullable=True, description="Added to the price when sold firm; null is interruptible only", metadata={"unit": "USD/resource-h"}
    )
    block = dy.Bool(nullable=True, description="Sold wholly or not at all; null is no")
    start_cost = dy.Float64(min=0, nullable=True, description="Cost of each start; null is 0", metadata={"unit": "USD"})
    min_hours = dy.Int64(min=1, nullable=True, description="Shortest committed run; null is 1", metadata={"unit": "h"})
    domain = dy.Int64(min=1, nullable=True, description="Scale-up domain size the GPUs belong to; null is none", metadata={"unit": "GPU"})

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")

    @dy.rule()
    def unique_step(cls) -> pl.Expr:
        """one row per horizon, offer_id, resource and step."""
        return pl.struct("horizon", "offer_id", "resource", "step").is_unique()


class Bids(dy.Schema):
    """Steps of buyers' willingness to pay for work."""

    horizon = dy.String(nullable=True, description="Horizon that it is bid in; null is every one")
    bid_id = dy.String(description="Name of the bid; its steps share it")
    participant = dy.String(description="Who bids")
    workload = dy.String(description="What work is wanted")
    home = dy.String(nullable=True, description="Location where the work belongs; null may run anywhere")
    start = dy.Datetime(time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(time_zone="UTC", description="First instant after the window")
    step = dy.Int64(min=1, description="Step of the willingness to pay, counted from 1")
    quantity = dy.Float64(min=0, description="Units of work wanted per hour", metadata={"unit": "units/h"})
    value = dy.Float64(description="p, worth of one unit of work", metadata={"unit": "USD/unit"})
    interruption_loss = dy.Float64(
        min=0, nullable=True, description="ℓ, loss per unit of work interrupted; null is 0", metadata={"unit": "USD/unit"}
    )
    tiers = dy.String(nullable=True, description="Tiers that serve it, separated by `;`; null is all")
    min_share = dy.Float64(
        min=0, max=1, nullable=True, description="Least share of its quantity a gang gets in every interval", metadata={"unit": "1"}
    )
    total = dy.Float64(min=0, nullable=True, description="Most work of the step over the whole window", metadata={"unit": "units"})
    exclusive_group = dy.String(nullable=True, description="Of the bids of a group at most one is accepted")
    linked_to = dy.String(nullable=True, description="bid_id without which this one is not accepted")

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")

    @dy.rule()
    def unique_step(cls) -> pl.Expr:
        """one row per horizon, bid_id and step."""
        return pl.struct("horizon", "bid_id", "step").is_unique()


class Links(dy.Schema):
    """Directed data links: from = the work's home, to = where it runs."""

    link = dy.String(primary_key=True, description="Name of the link")
    from_ = dy.String(alias="from", description="Location that is the work's home")
    to = dy.String(description="Location where the work runs")
    capacity_gib_per_hour = dy.Float64(min=0, description="Most data moved per hour", metadata={"unit": "GiB/h"})
    cost_per_gib = dy.Float64(min=0, description="κ, cost of moving data", metadata={"unit": "USD/GiB"})


class Reserves(dy.Schema):
    """The scarcity curve of an accelerator in a region, in steps."""

    region = dy.String(primary_key=True, description="Region in which the headroom is held")
    resource = dy.String(primary_key=True, description="Accelerator")
    step = dy.Int64(primary_key=True, min=1, description="Step of the curve, counted from 1")
    quantity = dy.Float64(min=0, description="Headroom bought in this step", metadata={"unit": "resource-h/h"})
    price = dy.Float64(min=0, description="A, worth of one unit of headroom in this step", metadata={"unit": "USD/resource-h"})


class Virtuals(dy.Schema):
    """Virtual bids: purely financial sales and purchases in the firm balance of an ahead horizon."""

    horizon = dy.String(description="Ahead horizon that it stands in")
    bid_id = dy.String(description="Name of the bid")
    participant = dy.String(description="Who bids")
    location = dy.String(description="Location of the balance")
    resource = dy.String(description="Resource of the balance")
    start = dy.Datetime(time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(time_zone="UTC", description="First instant after the window")
    side = dy.Enum(VirtualSide, description="inc sells, dec buys")
    quantity = dy.Float64(min=0, description="Resource-hours per hour", metadata={"unit": "resource-h/h"})
    price = dy.Float64(description="Least an inc takes, most a dec pays", metadata={"unit": "USD/resource-h"})

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")

    @dy.rule()
    def unique_bid(cls) -> pl.Expr:
        """one row per horizon and bid_id."""
        return pl.struct("horizon", "bid_id").is_unique()

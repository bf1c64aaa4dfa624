"""Deals that two parties made outside the market, and what they come to at the market's prices."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.market import DealKind

USD = {"unit": "USD"}
HOURS = {"unit": "resource-h/h"}
USD_PER_UNIT = {"unit": "USD/resource-h or USD/unit"}


class Bilaterals(dy.Schema):
    """Self-schedules, contracts for differences and reservations; a deal whose quantity changes has one row a window."""

    deal_id = dy.String(primary_key=True, description="Name of the deal; its windows share it")
    kind = dy.Enum(DealKind, description="What was agreed")
    horizon = dy.String(
        nullable=True,
        description="First horizon that a self-schedule or listing stands in, null is the market's first; the horizon that a cfd is "
        "settled against, null is the market's last",
    )
    seller = dy.String(description="Who supplies, or receives strike − price")
    buyer = dy.String(description="Who takes, or pays strike − price; of a reservation, who holds it")
    location = dy.String(nullable=True, description="Where the resource stands; of a cfd on work its home, null anywhere")
    resource = dy.String(nullable=True, description="What is delivered or held; null for a cfd on work")
    workload = dy.String(nullable=True, description="Work that a self-schedule is bought for, or that a cfd is on; else null")
    recipe = dy.String(nullable=True, description="How a self-schedule's resource becomes work; null where one recipe alone uses it")
    home = dy.String(nullable=True, description="Home of a self-schedule's work; null is its location")
    tier = dy.String(nullable=True, description="Tier of a self-schedule or cfd; null is firm")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(time_zone="UTC", description="First instant after the window")
    quantity = dy.Float64(min=0, description="Sold or held hours, or units of work, per hour", metadata={"unit": "resource-h/h or units/h"})
    price = dy.Float64(
        nullable=True,
        description="Strike of a cfd, or of the one that goes with a self-schedule, null none; least price of a reservation's listed "
        "hours, null the market's floor",
        metadata=USD_PER_UNIT,
    )
    need = dy.Float64(
        min=0,
        nullable=True,
        description="Hours of a reservation that its holder means to use; null is all: nothing is listed",
        metadata=HOURS,
    )
    real_time_need = dy.Float64(
        min=0,
        nullable=True,
        description="Hours that the holder came to need, those of its other sales included; null is as it meant",
        metadata=HOURS,
    )
    recall = dy.Bool(nullable=True, description="Whether the holder may recall listed hours; null is no")
    notice_hours = dy.Float64(
        min=0, nullable=True, description="Time from calling hours back to having them; null is 0", metadata={"unit": "h"}
    )

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")

    @dy.rule()
    def two_parties(cls) -> pl.Expr:
        """a `buyer` other than the `seller`."""
        return pl.col("buyer") != pl.col("seller")


class Differences(dy.Schema):
    """What each contract for differences pays in each interval: the two parties' amounts sum to zero."""

    deal_id = dy.String(primary_key=True, description="Deal")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    horizon = dy.String(description="Horizon whose price it was settled against")
    participant = dy.String(primary_key=True, description="Seller or buyer of the deal")
    counterparty = dy.String(description="The other one")
    quantity = dy.Float64(description="Per hour, positive for the seller", metadata={"unit": "resource-h/h or units/h"})
    strike = dy.Float64(description="Price agreed", metadata=USD_PER_UNIT)
    price = dy.Float64(description="Published price, λ or ω", metadata=USD_PER_UNIT)
    amount = dy.Int64(description="(strike − price) × quantity × Δ, to the participant", metadata={"unit": "micro-USD"})


class Recalls(dy.Schema):
    """Listed hours of a reservation that its holder took back, by the tier that they had been sold in."""

    deal_id = dy.String(primary_key=True, description="Reservation")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    tier = dy.String(primary_key=True, description="Tier in which the hours were sold")
    participant = dy.String(description="Who holds the reservation")
    location = dy.String(description="Where it is held")
    resource = dy.String(description="What is held")
    held = dy.Float64(min=0, description="Position", metadata=HOURS)
    need = dy.Float64(min=0, description="What the holder came to need", metadata=HOURS)
    booked = dy.Float64(min=0, description="Hours sold in this tier", metadata=HOURS)
    listed = dy.Float64(min=0, description="Hours of the position behind them", metadata=HOURS)
    returned = dy.Float64(min=0, description="Hours that the holder gets back", metadata=HOURS)
    recalled = dy.Float64(min=0, description="Sold hours that are interrupted for it", metadata=HOURS)
    within = dy.Float64(min=0, description="Of these, within π of the tier over the month: no payment", metadata=HOURS)
    beyond = dy.Float64(min=0, description="Of these, beyond it: bought back at the price", metadata=HOURS)
    price = dy.Float64(description="Real-time λ of the tier", metadata={"unit": "USD/resource-h"})
    amount = dy.Int64(description="−price × beyond × Δ, to the holder", metadata={"unit": "micro-USD"})
    short = dy.Float64(min=0, description="Need of the interval that no hour of the position meets, the same for all tiers", metadata=HOURS)


class Interruptions(dy.Schema):
    """Who is interrupted by recalls: hours drawn at random among those sold, so each user its expected share."""

    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Tier")
    participant = dy.String(primary_key=True, description="Whose work is interrupted")
    workload = dy.String(primary_key=True, description="Which work")
    use = dy.Float64(min=0, description="Hours that it uses", metadata=HOURS)
    hours = dy.Float64(min=0, description="Of these, interrupted", metadata=HOURS)
    work = dy.Float64(min=0, description="Work not done for it", metadata={"unit": "units/h"})
    amount = dy.Int64(description="Passed on of what was bought back", metadata={"unit": "micro-USD"})

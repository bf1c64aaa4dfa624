"""Virtual bids that a trader chooses, and what such bids earned."""

import dataframely as dy

from tenorgrid.data.kinds.market import VirtualSide

PRICE, MONEY = {"unit": "of the prices"}, {"unit": "money of the prices"}


class BidCurves(dy.Schema):
    """Bids for a day, a step a row: a dec buys at its price or below, an inc sells at its price or above."""

    series = dy.String(primary_key=True, description="Node, zone or index")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the hour")
    side = dy.Enum(VirtualSide, primary_key=True, description="inc sells, dec buys")
    price = dy.Float64(primary_key=True, description="Most a dec pays, least an inc takes", metadata=PRICE)
    quantity = dy.Float64(min_exclusive=0, description="Of this step, an hour", metadata={"unit": "of the market"})


class BidHours(dy.Schema):
    """What the scenarios of a day say of each hour's premium, and what is bid there."""

    series = dy.String(primary_key=True, description="Node, zone or index")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the hour")
    premium = dy.Float64(description="Mean of ahead less real time", metadata=PRICE)
    deviation = dy.Float64(min=0, description="Its standard deviation", metadata=PRICE)
    dec = dy.Float64(min=0, description="Bid to be bought, all steps", metadata={"unit": "of the market"})
    inc = dy.Float64(min=0, description="Bid to be sold, all steps", metadata={"unit": "of the market"})
    bought = dy.Float64(min=0, description="Decs that clear on average", metadata={"unit": "of the market"})
    sold = dy.Float64(min=0, description="Incs that clear on average", metadata={"unit": "of the market"})


class VirtualDays(dy.Schema):
    """What each rule earned on each day with bids that knew no later price than their own cut-off."""

    rule = dy.String(primary_key=True, description="program, always inc, always dec, or sign of the mean")
    day = dy.Date(primary_key=True, description="Local delivery day")
    bought = dy.Float64(nullable=True, min=0, description="Decs that cleared", metadata={"unit": "of the market"})
    sold = dy.Float64(nullable=True, min=0, description="Incs that cleared", metadata={"unit": "of the market"})
    profit = dy.Float64(description="After fees", metadata=MONEY)
    perfect = dy.Float64(min=0, description="What one who knew both prices would have earned at the hourly limit", metadata=MONEY)
    expected = dy.Float64(nullable=True, description="Mean of the scenarios that the bids were chosen from", metadata=MONEY)
    shortfall = dy.Float64(nullable=True, description="Their mean loss in the worst scenarios", metadata=MONEY)
    collateral = dy.Float64(nullable=True, min=0, description="Held for the bids", metadata=MONEY)
    total = dy.Float64(description="Profit of all days until then", metadata=MONEY)
    drawdown = dy.Float64(min=0, description="By how much it is below the highest before", metadata=MONEY)


class VirtualRules(dy.Schema):
    """Each rule over all days of a back-test."""

    rule = dy.String(primary_key=True, description="Rule")
    days = dy.Int64(min=1, description="Days")
    profit = dy.Float64(description="Of all days, after fees", metadata=MONEY)
    mean = dy.Float64(description="A day", metadata=MONEY)
    deviation = dy.Float64(nullable=True, min=0, description="Standard deviation of a day's profit", metadata=MONEY)
    ratio = dy.Float64(nullable=True, description="Mean over deviation, times the root of 365", metadata={"unit": "1"})
    losing = dy.Float64(min=0, max=1, description="Share of days with a loss", metadata={"unit": "1"})
    worst = dy.Float64(description="Worst day", metadata=MONEY)
    drawdown = dy.Float64(min=0, description="Largest fall from a high", metadata=MONEY)
    share = dy.Float64(
        nullable=True, max=1, description="Profit as a share of what knowing both prices would have earned", metadata={"unit": "1"}
    )


class ClockShifts(dy.Schema):
    """How ahead prices go with real time some hours later, the shape of days alone; best at 0 where the clocks of both agree."""

    shift = dy.Int64(primary_key=True, description="Hours by which real time is later", metadata={"unit": "hours"})
    correlation = dy.Float64(nullable=True, min=-1, max=1, description="Correlation within days", metadata={"unit": "1"})

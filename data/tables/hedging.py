"""A hedge study: what contracts take away of the volatility of costs, on days that their ratios have not seen."""

import dataframely as dy

SHARE, PER_DAY = {"unit": "1"}, {"unit": "USD/day"}


class HedgeStudy(dy.Schema):
    """One contract against one item over one horizon: ratios of the first days, judged on the days held back."""

    item = dy.String(primary_key=True, description="Cost that is hedged")
    volume = dy.Enum(["fixed", "served"], primary_key=True, description="Work of a day: mean of the first days, or what the day served")
    contract = dy.String(primary_key=True, description="Contract that hedges it")
    horizon = dy.Int64(primary_key=True, min=1, description="Days that a change of the cost is over", metadata={"unit": "days"})
    first_days = dy.Int64(min=2, description="Days that ratios are estimated on", metadata={"unit": "days"})
    held_back = dy.Int64(min=1, description="Changes held back that judge them")
    in_sample = dy.Float64(description="Volatility removed on the first days", metadata=SHARE)
    removed = dy.Float64(description="1 − hedged / unhedged, on the days held back", metadata=SHARE)
    lower = dy.Float64(nullable=True, description="Lower end of its 95 % interval; null where draws do not move", metadata=SHARE)
    upper = dy.Float64(nullable=True, description="Upper end of its 95 % interval", metadata=SHARE)
    variance_removed = dy.Float64(description="The same of the variance, on the days held back", metadata=SHARE)
    unhedged = dy.Float64(min=0, description="Standard deviation of changes of the cost", metadata=PER_DAY)
    hedged = dy.Float64(min=0, description="Standard deviation of changes of the cost with its hedge", metadata=PER_DAY)
    better = dy.Float64(
        nullable=True, min=0, max=1, description="Share of draws in which more is removed than by the first contract; null of that one",
        metadata=SHARE,
    )  # fmt: skip


class HedgeRatios(dy.Schema):
    """How much of each leg is bought."""

    item = dy.String(primary_key=True, description="Cost that is hedged")
    volume = dy.Enum(["fixed", "served"], primary_key=True, description="Work of a day")
    contract = dy.String(primary_key=True, description="Contract that hedges it")
    horizon = dy.Int64(primary_key=True, min=1, description="Days that a change is over", metadata={"unit": "days"})
    leg = dy.String(primary_key=True, description="Leg: indices joined by +")
    ratio = dy.Float64(description="Units of the leg a day, bought where above 0", metadata={"unit": "units a day"})


class HedgeWeights(dy.Schema):
    """What each index counts in an item or a leg: work or hours of the mean first day."""

    name = dy.String(primary_key=True, description="Item or contract")
    leg = dy.String(primary_key=True, description="Leg: indices joined by +")
    index = dy.String(primary_key=True, description="Index")
    weight = dy.Float64(
        description="Units a day of an item; shares that add to 1 of a contract's leg", metadata={"unit": "see description"}
    )


class HedgeDays(dy.Schema):
    """Costs and prices by day."""

    day = dy.Date(primary_key=True, description="Day, in the marks' order")
    name = dy.String(primary_key=True, description="Item, or contract's leg")
    volume = dy.Enum(["fixed", "served", "price"], primary_key=True, description="Of an item its volume; price of a leg")
    value = dy.Float64(description="USD a day of an item; USD a unit of a leg", metadata={"unit": "see description"})

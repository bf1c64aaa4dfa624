"""Rental rates by tenor, the forwards they imply, marks of the far end, and the rates that discount."""

import dataframely as dy
import polars as pl

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
MONTHS = {"unit": "months"}
YEARS = {"unit": "years"}


class RentalRates(dy.Schema):
    """Par rates: one price per GPU-hour for the whole of a rental that begins now."""

    as_of = dy.Date(primary_key=True, description="Day that the rates are of")
    index = dy.String(primary_key=True, description="Index, or any name of what is rented")
    months = dy.Int64(primary_key=True, min=1, max=600, description="Length of the rental", metadata=MONTHS)
    price = dy.Float64(min_exclusive=0, description="Par rate", metadata=USD_PER_GPU_HOUR)
    source = dy.String(nullable=True, description="Where the rate comes from")


class RentalForwards(dy.Schema):
    """What the months between two tenors cost, and how fast that falls."""

    as_of = dy.Date(primary_key=True, description="Day that the rates are of")
    index = dy.String(primary_key=True, description="Index")
    first = dy.Int64(min=0, description="Months from now at which the period begins", metadata=MONTHS)
    months = dy.Int64(primary_key=True, min=1, description="Months from now at which it ends: the tenor of the par rate", metadata=MONTHS)
    par = dy.Float64(min_exclusive=0, description="P, par rate of the tenor", metadata=USD_PER_GPU_HOUR)
    annuity = dy.Float64(min_exclusive=0, description="A, worth of 1 a year paid monthly over the tenor", metadata=YEARS)
    forward = dy.Float64(min=0, description="F = (A₂ P₂ − A₁ P₁) / (A₂ − A₁)", metadata=USD_PER_GPU_HOUR)
    ageing = dy.Float64(nullable=True, description="−∂ ln F / ∂T from the middle of the period before", metadata={"unit": "1/year"})


class RentalQuotes(dy.Schema):
    """Bids and asks of whole rentals that begin now."""

    as_of = dy.Date(primary_key=True, description="Day that the quotes are of")
    index = dy.String(primary_key=True, description="Index, or any name of what is rented")
    months = dy.Int64(primary_key=True, min=1, max=600, description="Length of the rental", metadata=MONTHS)
    bid = dy.Float64(nullable=True, min_exclusive=0, description="What somebody pays; null where nobody does", metadata=USD_PER_GPU_HOUR)
    ask = dy.Float64(nullable=True, min_exclusive=0, description="What somebody takes; null where nobody does", metadata=USD_PER_GPU_HOUR)


class RentalBands(dy.Schema):
    """The forwards between tenors that bids and asks leave open."""

    as_of = dy.Date(primary_key=True, description="Day that the quotes are of")
    index = dy.String(primary_key=True, description="Index")
    first = dy.Int64(min=0, description="Months from now at which the period begins", metadata=MONTHS)
    months = dy.Int64(primary_key=True, min=1, description="Months from now at which it ends: the tenor quoted", metadata=MONTHS)
    bid = dy.Float64(nullable=True, description="Bid of the tenor", metadata=USD_PER_GPU_HOUR)
    ask = dy.Float64(nullable=True, description="Ask of the tenor", metadata=USD_PER_GPU_HOUR)
    lower = dy.Float64(min=0, description="Least forward that meets every quote", metadata=USD_PER_GPU_HOUR)
    upper = dy.Float64(nullable=True, description="Greatest; null where no tenor as long has an ask", metadata=USD_PER_GPU_HOUR)


class SpotDiscounts(dy.Schema):
    """Spot beside on demand, day by day: no point of the term structure, as it holds until it is taken away."""

    day = dy.Date(primary_key=True, description="Day on which both were listed")
    index = dy.String(primary_key=True, description="Resource and region")
    firm = dy.Float64(min_exclusive=0, description="On demand", metadata=USD_PER_GPU_HOUR)
    spot = dy.Float64(min_exclusive=0, description="Spot", metadata=USD_PER_GPU_HOUR)
    discount = dy.Float64(description="1 − spot / on demand", metadata={"unit": "1"})


class GenerationShifts(dy.Schema):
    """A generation's forwards beside another's per unit of the same work."""

    as_of = dy.Date(primary_key=True, description="Day that the rates are of")
    index = dy.String(primary_key=True, description="Index of the generation that is tied")
    reference = dy.String(description="Index of the generation it is tied to")
    performance = dy.Float64(min_exclusive=0, description="Work per GPU-hour of the first over that of the second", metadata={"unit": "1"})
    first = dy.Int64(min=0, description="Months from now at which the period begins", metadata=MONTHS)
    months = dy.Int64(primary_key=True, min=1, description="Months from now at which it ends", metadata=MONTHS)
    forward = dy.Float64(min=0, description="Forward of the tied generation", metadata=USD_PER_GPU_HOUR)
    equal = dy.Float64(min=0, description="performance × forward of the reference: equal cost of work", metadata=USD_PER_GPU_HOUR)
    shift = dy.Float64(description="s = ln(forward / equal), one between two of its own tenors", metadata={"unit": "1"})


class FarMarks(dy.Schema):
    """Long-dated marks: results of capacity auctions, leases of one to three years."""

    quote_id = dy.String(primary_key=True, description="Name of the mark")
    index = dy.String(description="Index")
    start = dy.Datetime(time_zone="UTC", description="First instant of delivery")
    end = dy.Datetime(time_zone="UTC", description="First instant after delivery")
    price = dy.Float64(
        nullable=True, description="Price of every GPU-hour of the period; null where bid and ask tell", metadata=USD_PER_GPU_HOUR
    )
    kind = dy.Enum(["auction", "lease"], description="What it is the result of")
    source = dy.String(nullable=True, description="Where it was published")
    bid = dy.Float64(nullable=True, description="What somebody pays", metadata=USD_PER_GPU_HOUR)
    ask = dy.Float64(nullable=True, description="What somebody takes", metadata=USD_PER_GPU_HOUR)

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")

    @dy.rule()
    def price_or_both_sides(cls) -> pl.Expr:
        """A price, or a bid and an ask."""
        return pl.col("price").is_not_null() | (pl.col("bid").is_not_null() & pl.col("ask").is_not_null())

    @dy.rule()
    def sides_in_order(cls) -> pl.Expr:
        """Bid, price and ask in order, as far as they are there."""
        least, most = pl.max_horizontal("bid", "price"), pl.min_horizontal("price", "ask")
        return (least <= most).fill_null(value=True) & (pl.col("bid") <= pl.col("ask")).fill_null(value=True)


class FarLimits(dy.Schema):
    """What the quotes before it leave a long-dated mark free to be."""

    quote_id = dy.String(primary_key=True, description="Name of the mark")
    price = dy.Float64(description="Its price; of a bid and an ask, what is nearest to their middle and free", metadata=USD_PER_GPU_HOUR)
    lower = dy.Float64(nullable=True, description="Least average over its period that the others allow", metadata=USD_PER_GPU_HOUR)
    upper = dy.Float64(nullable=True, description="Largest; null where nothing limits it", metadata=USD_PER_GPU_HOUR)
    status = dy.Enum(["joined", "implied"], description="joined, or implied: the others say the same")


class DiscountRates(dy.Schema):
    """Rates that a discount curve is made of."""

    instrument = dy.Enum(["deposit", "ois"], primary_key=True, description="deposit, or ois: fixed against overnight")
    tenor = dy.String(primary_key=True, regex=r"^(ON|[1-9][0-9]*[DWMY])$", description="Such as ON, 1W, 3M or 2Y")
    rate = dy.Float64(min=-0.5, max=1, description="Rate a year", metadata={"unit": "1/year"})
    settlement_days = dy.Int64(nullable=True, min=0, max=10, description="Business days to its start; null is 0 for ON, else 2")

"""What is listed, by which rules it settles, and what it settles on when its index does not print."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.contract import Averaging, FallbackKind, MissingDay

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}


class Products(dy.Schema):
    """Rules that all contracts of a product share: GPU1J27 is product GPU1 for April 2027. What its exchange does not publish is null."""

    product = dy.String(primary_key=True, regex=r"^[A-Z0-9][A-Z0-9-]*$", description="Code before month letter and year")
    index = dy.String(nullable=True, description="Index of ours that it settles on; null: the trade says which stands for settles_on")
    settles_on = dy.String(description="What the exchange settles it on")
    unit = dy.String(description="What a lot counts")
    lot = dy.Float64(min_exclusive=0, nullable=True, description="A month's lot; null: the hours of the period", metadata={"unit": "GPUh"})
    tick = dy.Float64(min_exclusive=0, description="Least step of its price", metadata=USD_PER_GPU_HOUR)
    months = dy.Int64(min=1, nullable=True, description="Months listed at a time", metadata={"unit": "1"})
    average = dy.Enum(Averaging, description="Prints that the mean is over")
    calendar = dy.String(nullable=True, description="Calendar of the prints; null where every day has one")
    timezone = dy.String(nullable=True, description="IANA zone of its days; null: that of the index")
    missing_day = dy.Enum(MissingDay, nullable=True, description="Rule for a day without print; null: not published, the trade must say")
    price_limit = dy.Float64(min_exclusive=0, nullable=True, description="Furthest move of a day's fixing", metadata=USD_PER_GPU_HOUR)
    fallback = dy.String(nullable=True, description="Index named for when its own ends")
    decimals = dy.Int64(min=0, max=9, nullable=True, description="Places that the settlement price is rounded to, half-even; null: none")
    source = dy.String(description="Where its rules are from")
    not_published = dy.String(nullable=True, description="What the source does not say, joined by `; `")

    @dy.rule()
    def calendar_of_business_days(cls) -> pl.Expr:
        """a calendar for business days, and none for other averages."""
        return (pl.col("average").cast(pl.String) == "business-day") == pl.col("calendar").is_not_null()


class Contracts(dy.Schema):
    """One contract a row, its code spelled out."""

    contract = dy.String(primary_key=True, description="Code: GPU1H27, HPRJ27 or H100-SXM.US.FIRM:2027-03")
    product = dy.String(nullable=True, description="Product; null for INDEX:PERIOD")
    index = dy.String(nullable=True, description="Index of ours that it settles on; null where the trade says it")
    unit = dy.String(description="What a lot counts")
    lot = dy.Float64(min_exclusive=0, description="One lot", metadata={"unit": "GPUh"})
    tick = dy.Float64(min_exclusive=0, description="Least step of its price", metadata=USD_PER_GPU_HOUR)
    tick_value = dy.Float64(min_exclusive=0, description="tick × lot", metadata={"unit": "USD"})
    start = dy.Datetime(time_zone="UTC", description="First instant of delivery")
    end = dy.Datetime(time_zone="UTC", description="First instant after delivery")
    first_trade = dy.Date(nullable=True, description="First day of the month in which it is listed; null where nobody says")
    last_trade = dy.Date(nullable=True, description="Last day on which it trades; null where nobody says")
    average = dy.Enum(Averaging, description="Fixing rule: prints that the mean is over")
    calendar = dy.String(nullable=True, description="Calendar of the prints; null where every day has one")
    missing_day = dy.Enum(MissingDay, nullable=True, description="Rule for a day without print; null: the trade must say")
    price_limit = dy.Float64(min_exclusive=0, nullable=True, description="Furthest move of a day's fixing", metadata=USD_PER_GPU_HOUR)
    fallback = dy.String(nullable=True, description="Index named for when its own ends")


class Fallbacks(dy.Schema):
    """What an index's contracts settle on when it jumps, halts or ends. `contract` narrows a row to a product or to one contract."""

    index = dy.String(description="Index")
    contract = dy.String(nullable=True, description="Product or contract code; null: whatever reads the index")
    kind = dy.Enum(FallbackKind, description="Why")
    first = dy.Date(nullable=True, description="First local day that the row speaks of; null is the first fixing")
    substitute = dy.String(nullable=True, description="Index that stands in; null for a halt is the index's last print")
    ratio = dy.Float64(min_exclusive=0, nullable=True, description="The substitute is multiplied by it; null is 1", metadata={"unit": "1"})
    spread = dy.Float64(nullable=True, description="and this is added; null is 0", metadata=USD_PER_GPU_HOUR)
    limit = dy.Float64(min_exclusive=0, nullable=True, description="Of a price limit: furthest move in a day", metadata=USD_PER_GPU_HOUR)
    days = dy.Int64(min=0, nullable=True, description="Of a halt: calendar days without print that it may last", metadata={"unit": "day"})

    @dy.rule()
    def names_what_its_kind_needs(cls) -> pl.Expr:
        """a limit for a price-limit, days for a halt, a first day and a substitute for a cessation, and no more than its kind has."""
        kind, named = (
            pl.col("kind").cast(pl.String),
            {name: pl.col(name).is_not_null() for name in ("first", "substitute", "limit", "days")},
        )
        moved = pl.col("ratio").is_not_null() | pl.col("spread").is_not_null()
        return (
            pl.when(kind == "price-limit")
            .then(named["limit"] & ~named["days"] & ~named["substitute"])
            .when(kind == "halt")
            .then(named["days"] & ~named["limit"])
            .otherwise(named["first"] & named["substitute"] & ~named["limit"] & ~named["days"])
        ) & (named["substitute"] | ~moved)

    @dy.rule()
    def of_another(cls) -> pl.Expr:
        """a substitute that is another index."""
        return pl.col("substitute").is_null() | (pl.col("substitute") != pl.col("index"))


class FixingChanges(dy.Schema):
    """Every settlement fixing that is not its index's print, and why: one row a day and rule, in the order they were applied."""

    index = dy.String(description="Index")
    contract = dy.String(nullable=True, description="Product or contract that it holds for; null: whatever reads the index")
    date = dy.Date(description="Local day")
    kind = dy.Enum(FallbackKind, description="Rule")
    before = dy.Float64(nullable=True, description="What stood there; null for nothing", metadata={"unit": "see the index"})
    after = dy.Float64(
        nullable=True, description="What stands there; null where there is nothing to put", metadata={"unit": "see the index"}
    )
    reason = dy.String(description="Why, in words")

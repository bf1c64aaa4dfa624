"""Service tiers from data: recorded presence, what it says of suppliers and pools, and how promises held."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.market import PriceKind, PromiseVerdict, SpreadResidual

ONE = {"unit": "1"}
HOURS = {"unit": "h"}
SECONDS = {"unit": "s"}
USD_PER_HOUR = {"unit": "USD/resource-h"}


class Presence(dy.Schema):
    """What a supplier had listed and how much of it was there, in runs of unchanged presence; what an owner of a record hands in."""

    pool = dy.String(nullable=True, description="Who is pooled with whom; null is one pool of all")
    supplier = dy.String(description="Whose inventory it is")
    start = dy.Datetime(time_zone="UTC", description="First instant of the run")
    end = dy.Datetime(time_zone="UTC", description="First instant after the run")
    share = dy.Float64(min=0, max=1, description="α, share of what is listed that is present", metadata=ONE)
    listed = dy.Float64(
        nullable=True, min_exclusive=0, description="Y, resource-hours listed per hour; null is 1", metadata={"unit": "resource-h/h"}
    )

    @dy.rule()
    def ends_after_start(cls) -> pl.Expr:
        """`end` after `start`."""
        return pl.col("end") > pl.col("start")


class Runs(dy.Schema):
    """The same on a record's own clock: what every reader of presence makes, and every estimate is made from."""

    pool = dy.String(description="Who is pooled with whom")
    supplier = dy.String(description="Whose inventory it is")
    begin = dy.Float64(description="Beginning of the run, from the record's beginning", metadata=SECONDS)
    end = dy.Float64(description="End of the run, from the record's beginning", metadata=SECONDS)
    listed = dy.Float64(min=0, description="Y, resource-hours listed per hour", metadata={"unit": "resource-h/h"})
    present = dy.Float64(min=0, description="α Y, of them present", metadata={"unit": "resource-h/h"})


class Availability(dy.Schema):
    """Availability and recalls of one supplier, over the hours in which its whole pool was recorded."""

    pool = dy.String(primary_key=True, description="Pool")
    supplier = dy.String(primary_key=True, description="Supplier")
    listed = dy.Float64(min=0, description="Mean of what it listed", metadata={"unit": "resource-h/h"})
    hours = dy.Float64(min=0, description="Hours used", metadata=HOURS)
    availability = dy.Float64(min=0, max=1, description="a, share of listed hours present", metadata=ONE)
    standard_error = dy.Float64(
        nullable=True, min=0, description="Of a, autocorrelation allowed for; null where presence never changed", metadata=ONE
    )
    lower = dy.Float64(nullable=True, description="Lower end of the 95 % interval", metadata=ONE)
    upper = dy.Float64(nullable=True, description="Upper end of the 95 % interval", metadata=ONE)
    recalls = dy.Int64(min=0, description="Times that presence fell")
    hours_present = dy.Float64(nullable=True, min=0, description="Present hours per recall; null without recalls", metadata=HOURS)
    hours_absent = dy.Float64(nullable=True, min=0, description="Absent hours per recall; null without recalls", metadata=HOURS)
    correlation = dy.Float64(
        nullable=True,
        min=-1.0,
        max=1.0,
        description="With the presence of the rest of the pool; null where either is constant",
        metadata=ONE,
    )


class Pools(dy.Schema):
    """A pool of suppliers: how much of it is there on average, and how widely that swings."""

    pool = dy.String(primary_key=True, description="Pool")
    suppliers = dy.Int64(min=1, description="Suppliers in it")
    hours = dy.Float64(min=0, description="Hours in which all of them were recorded", metadata=HOURS)
    recorded_hours = dy.Float64(min=0, description="Hours from the first record of any to the last", metadata=HOURS)
    listed = dy.Float64(min=0, description="ΣY, mean", metadata={"unit": "resource-h/h"})
    availability = dy.Float64(min=0, max=1, description="E[A] / ΣY", metadata=ONE)
    standard_error = dy.Float64(nullable=True, min=0, description="Of the availability", metadata=ONE)
    herfindahl = dy.Float64(min=0, max=1.000001, description="H, sum of squared shares of what is listed", metadata=ONE)
    correlation = dy.Float64(nullable=True, description="ρ, recall correlation, weighted by inventory and spread", metadata=ONE)
    correlation_error = dy.Float64(nullable=True, min=0, description="Standard error of ρ, by a block jackknife", metadata=ONE)
    deviation = dy.Float64(min=0, description="Standard deviation of the share present", metadata=ONE)
    formula = dy.Float64(
        nullable=True,
        min=0,
        description="√(a (1 − a) [(1 − ρ) H + ρ]), the same for equal suppliers in or out; null where none can have that ρ",
        metadata=ONE,
    )
    floor = dy.Float64(nullable=True, min=0, description="√(ρ a (1 − a)), below which no pooling gets", metadata=ONE)


class TierEstimates(dy.Schema):
    """The most that a pool may sell for a promise: β, its error, and the chance of any recall."""

    pool = dy.String(primary_key=True, description="Pool")
    tier = dy.String(primary_key=True, description="Tier")
    promise = dy.Float64(min_exclusive=0, max_exclusive=1, description="π, promised interruption probability", metadata=ONE)
    listed = dy.Float64(min=0, description="ΣY, mean", metadata={"unit": "resource-h/h"})
    sold = dy.Float64(min=0, description="S, most that may be sold, at the mean of what is listed", metadata={"unit": "resource-h/h"})
    overcommit = dy.Float64(min=0, description="β = S / ΣY; 0 where the promise cannot be made", metadata=ONE)
    standard_error = dy.Float64(nullable=True, min=0, description="Of β, autocorrelation allowed for", metadata=ONE)
    lower = dy.Float64(nullable=True, description="Lower end of the 95 % interval of β", metadata=ONE)
    upper = dy.Float64(nullable=True, description="Upper end of the 95 % interval of β", metadata=ONE)
    chance_of_recall = dy.Float64(min=0, max=1.000001, description="P(A < S): some sold hour is interrupted", metadata=ONE)
    bound = dy.Float64(min=0, description="E[A] / ΣY / (1 − π), above which no β can be", metadata=ONE)


class Declared(dy.Schema):
    """Tiers that a market case declares, held against a record: π that its β would have meant."""

    pool = dy.String(primary_key=True, description="Pool")
    tier = dy.String(primary_key=True, description="Tier of the case")
    promise = dy.Float64(min=0, max_exclusive=1, description="π, as declared", metadata=ONE)
    overcommit = dy.Float64(min_exclusive=0, description="β, as declared", metadata=ONE)
    interruption = dy.Float64(min=0, max=1.000001, description="π(S) of the record at that β", metadata=ONE)
    standard_error = dy.Float64(
        nullable=True, min=0, description="Of it, autocorrelation allowed for; null if it never varied", metadata=ONE
    )
    lower = dy.Float64(nullable=True, description="Lower end of its 95 % interval", metadata=ONE)
    upper = dy.Float64(nullable=True, description="Upper end of its 95 % interval", metadata=ONE)
    chance_of_recall = dy.Float64(min=0, max=1.000001, description="P(A < S) at that β", metadata=ONE)
    largest = dy.Float64(
        nullable=True, min=0, description="β that the record allows for the promise; null for a promise of 0", metadata=ONE
    )
    verdict = dy.Enum(PromiseVerdict, description="Whether the promise would have held")


class Nested(dy.Schema):
    """Several tiers sold from one pool, the one with the larger promise interrupted first."""

    pool = dy.String(primary_key=True, description="Pool")
    tier = dy.String(primary_key=True, description="Tier, the most reliable first")
    promise = dy.Float64(min_exclusive=0, max_exclusive=1, description="π", metadata=ONE)
    share = dy.Float64(min=0, max=1, description="Share of what is listed that stands behind the tier", metadata=ONE)
    sold = dy.Float64(min=0, description="S, of one listed hour of the pool", metadata=ONE)
    cumulative = dy.Float64(min=0, description="C, sold in this tier and those before it, of one listed hour", metadata=ONE)
    interruption = dy.Float64(
        nullable=True, min=0, description="[G(C) − G(C of the tier before)] / S; null if nothing is sold", metadata=ONE
    )
    overcommit = dy.Float64(min=0, description="S / share", metadata=ONE)
    alone = dy.Float64(min=0, description="β if the pool sold this tier alone", metadata=ONE)


class Credits(dy.Schema):
    """What each listed hour of a supplier adds to what the pool may sell."""

    pool = dy.String(primary_key=True, description="Pool")
    tier = dy.String(primary_key=True, description="Tier")
    supplier = dy.String(primary_key=True, description="Supplier")
    listed = dy.Float64(min=0, description="Mean of what it listed", metadata={"unit": "resource-h/h"})
    availability = dy.Float64(min=0, max=1, description="a", metadata=ONE)
    credit = dy.Float64(min=0, description="β of the supplier: sold hours that one of its listed hours backs", metadata=ONE)
    average = dy.Float64(min=0, description="β of the pool, which everyone would be paid for without credits", metadata=ONE)


class PromiseCurve(dy.Schema):
    """What any sale would mean: the interruption probability and the chance of any recall by sold hours per listed hour."""

    pool = dy.String(primary_key=True, description="Pool")
    overcommit = dy.Float64(primary_key=True, min=0, description="Sold hours per listed hour", metadata=ONE)
    interruption = dy.Float64(min=0, max=1.000001, description="π(S) = E[(S − A)⁺] / S", metadata=ONE)
    chance_of_recall = dy.Float64(min=0, max=1.000001, description="P(A < S)", metadata=ONE)


class Backtest(dy.Schema):
    """Promises out of sample: β estimated on all that came before a period, and the interruptions that came in it."""

    pool = dy.String(description="Pool")
    tier = dy.String(description="Tier")
    period = dy.Int64(nullable=True, min=1, description="Held-out period; null is all of them together")
    begin = dy.Float64(description="Its beginning, from the record's beginning", metadata=HOURS)
    end = dy.Float64(description="Its end", metadata=HOURS)
    trained = dy.Float64(nullable=True, min=0, description="Hours that β was estimated on; null for all together", metadata=HOURS)
    promise = dy.Float64(min_exclusive=0, max_exclusive=1, description="π", metadata=ONE)
    overcommit = dy.Float64(nullable=True, min=0, description="β of the hours before; null for all together", metadata=ONE)
    realised = dy.Float64(nullable=True, min=0, description="Share of sold hours interrupted; null if nothing was sold", metadata=ONE)
    standard_error = dy.Float64(
        nullable=True, min=0, description="Of the realised share, autocorrelation allowed for; null if it never varied", metadata=ONE
    )
    lower = dy.Float64(nullable=True, description="Lower end of its 95 % interval", metadata=ONE)
    upper = dy.Float64(nullable=True, description="Upper end of its 95 % interval", metadata=ONE)
    training_error = dy.Float64(nullable=True, min=0, description="Standard error that β's own error puts on the share", metadata=ONE)
    score = dy.Float64(nullable=True, description="(realised − promise) over both errors together", metadata=ONE)
    chance_of_recall = dy.Float64(nullable=True, min=0, max=1.000001, description="Share of time with any interruption", metadata=ONE)
    verdict = dy.Enum(PromiseVerdict, description="Whether the promise held")


class PoolingBands(dy.Schema):
    """The share of listed hours that was missing, window by window: each supplier's own, and the pool's."""

    pool = dy.String(primary_key=True, description="Pool")
    group = dy.String(primary_key=True, description="Supplier, or `pool` for all together")
    window = dy.Float64(min_exclusive=0, description="Length of a window", metadata=HOURS)
    windows = dy.Int64(min=1, description="Windows counted")
    mean = dy.Float64(min=0, max=1, description="Share missing, mean over windows", metadata=ONE)
    deviation = dy.Float64(min=0, description="Its standard deviation", metadata=ONE)
    p05 = dy.Float64(min=0, max=1, description="5 % quantile", metadata=ONE)
    p25 = dy.Float64(min=0, max=1, description="25 % quantile", metadata=ONE)
    p50 = dy.Float64(min=0, max=1, description="Median", metadata=ONE)
    p75 = dy.Float64(min=0, max=1, description="75 % quantile", metadata=ONE)
    p95 = dy.Float64(min=0, max=1, description="95 % quantile", metadata=ONE)


class PoolingCurve(dy.Schema):
    """What pooling more suppliers does, over pools drawn from the suppliers recorded."""

    pool = dy.String(primary_key=True, description="Pool that the suppliers are drawn from")
    suppliers = dy.Int64(primary_key=True, min=1, description="Suppliers pooled")
    tier = dy.String(primary_key=True, description="Tier")
    drawn = dy.Int64(min=1, description="Pools of that many suppliers looked at")
    deviation = dy.Float64(min=0, description="Standard deviation of the share present, mean over them", metadata=ONE)
    formula = dy.Float64(nullable=True, min=0, description="The same of equal suppliers with the pool's a and ρ", metadata=ONE)
    overcommit = dy.Float64(min=0, description="β, mean over them", metadata=ONE)
    worst = dy.Float64(min=0, description="Least β among them", metadata=ONE)
    best = dy.Float64(min=0, description="Largest β among them", metadata=ONE)
    model = dy.Float64(nullable=True, min=0, description="β of as many equal suppliers with the pool's a and ρ", metadata=ONE)


class SpreadSplit(dy.Schema):
    """The spread between a firm and an interruptible hour, in parts that sum to it exactly."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem the prices are the dual of")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Interruptible tier")
    firm = dy.Float64(description="λ of firm", metadata=USD_PER_HOUR)
    price = dy.Float64(description="λ of the tier", metadata=USD_PER_HOUR)
    spread = dy.Float64(description="firm − price", metadata=USD_PER_HOUR)
    premium = dy.Float64(description="Firm premium of the offer that is marginal in both, or of the nearest", metadata=USD_PER_HOUR)
    overcommit = dy.Float64(description="(β − 1) λ", metadata=USD_PER_HOUR)
    scarcity = dy.Float64(description="α A", metadata=USD_PER_HOUR)
    residual = dy.Float64(description="spread − premium − overcommit − scarcity", metadata=USD_PER_HOUR)
    residual_kind = dy.Enum(SpreadResidual, description="Why there is a residual")
    offer_id = dy.String(nullable=True, description="Offer that the premium is of")


class PreemptionFit(dy.Schema):
    """What the recall option of section 3 would have to be worth for the spreads seen: means of a node over its intervals."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    pricing = dy.Enum(PriceKind, primary_key=True, description="Which problem the prices are the dual of")
    location = dy.String(primary_key=True, description="Location")
    resource = dy.String(primary_key=True, description="Resource")
    tier = dy.String(primary_key=True, description="Interruptible tier")
    intervals = dy.Int64(min=1, description="Intervals of the means")
    firm = dy.Float64(description="Mean λ of firm", metadata=USD_PER_HOUR)
    price = dy.Float64(description="Mean λ of the tier", metadata=USD_PER_HOUR)
    premium = dy.Float64(description="Mean of λ_firm − β λ − α A: what a supplier gains by giving up recall", metadata=USD_PER_HOUR)
    availability = dy.Float64(min_exclusive=0, max_exclusive=1, description="a = P(W ≤ v)", metadata=ONE)
    threshold = dy.Float64(nullable=True, description="v = β λ / a, paid per present hour", metadata=USD_PER_HOUR)
    call = dy.Float64(nullable=True, description="E[(W − v)⁺] = premium − (1 − a) v", metadata=USD_PER_HOUR)
    implied_forward = dy.Float64(nullable=True, description="E[W]; null where no lognormal W has this call", metadata=USD_PER_HOUR)
    implied_deviation = dy.Float64(nullable=True, description="σ √T of W; null likewise", metadata=ONE)
    outside_forward = dy.Float64(description="Mean real-time firm price, as an outside value of the hour", metadata=USD_PER_HOUR)
    outside_deviation = dy.Float64(nullable=True, description="Standard deviation of its logarithm; null of one price", metadata=ONE)
    model_availability = dy.Float64(nullable=True, description="P(W ≤ v) of that outside value", metadata=ONE)
    model_premium = dy.Float64(nullable=True, description="E[W 1{W > v}] of that outside value", metadata=USD_PER_HOUR)


class PreemptionStrip(dy.Schema):
    """The right of recall over a term, period by period: fair to a volatility, or with the volatility that firm and spot curves imply."""

    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the hour, day or month")
    hours = dy.Float64(min_exclusive=0, description="Hours of the period", metadata={"unit": "h"})
    firm = dy.Float64(min_exclusive=0, description="Firm forward, λ_firm", metadata=USD_PER_HOUR)
    spot = dy.Float64(min_exclusive=0, description="Forward of an hour sold under the promise, λ", metadata=USD_PER_HOUR)
    premium = dy.Float64(description="λ_firm − β λ: worth of the right to recall an hour that is listed", metadata=USD_PER_HOUR)
    threshold = dy.Float64(min_exclusive=0, description="v = β λ / a: an outside value above it recalls", metadata=USD_PER_HOUR)
    recalled = dy.Float64(min=0, description="Hours expected to be recalled of one resource listed for the period", metadata={"unit": "h"})
    outside_forward = dy.Float64(min_exclusive=0, description="E[W], mean outside value", metadata=USD_PER_HOUR)
    outside_deviation = dy.Float64(min=0, description="Deviation of its logarithm until the period", metadata=ONE)
    volatility = dy.Float64(min=0, description="σ of it", metadata={"unit": "1/√year"})

"""Positions, the ledger, statements and basis."""

import dataframely as dy
import polars as pl

from tenorgrid.data.kinds.contract import ChargeCode


class Positions(dy.Schema):
    """What was awarded at each horizon, as settlement events."""

    event_id = dy.String(primary_key=True, description="Name of the event: the same event posts once")
    case = dy.String(description="Market case")
    participant = dy.String(description="Whose position it is")
    charge_code = dy.Enum(ChargeCode, description="What it is charged as")
    horizon = dy.String(description="Horizon of the run")
    start = dy.Datetime(time_zone="UTC", description="First instant of the interval")
    location = dy.String(nullable=True, description="Location of the resource")
    resource = dy.String(nullable=True, description="Resource; null for work")
    workload = dy.String(nullable=True, description="Workload; null for resources")
    home = dy.String(nullable=True, description="Home of the work; `*` may run anywhere")
    tier = dy.String(description="Tier")
    unit = dy.String(description="Resource-hours or units of work, per hour")
    quantity = dy.Float64(description="Position after this horizon, positive for a sale")
    price = dy.Float64(description="Price of this horizon")
    meter = dy.Float64(nullable=True, description="Delivered quantity; null is the real-time award")
    effective_at = dy.Datetime(time_zone="UTC", description="When it takes effect: the interval")
    recorded_at = dy.Datetime(time_zone="UTC", description="When it was recorded")
    version = dy.String(description="initial, final, ...")


class Ledger(dy.Schema):
    """Postings, append-only: per charge code, interval and version they sum to zero over all accounts."""

    posting_id = dy.String(primary_key=True, description="Name of the posting")
    event_id = dy.String(description="Event that it belongs to")
    account = dy.String(description="Participant or operator account")
    charge_code = dy.Enum(ChargeCode, description="What it is for")
    interval = dy.Datetime(time_zone="UTC", description="First instant of the interval")
    amount = dy.Int64(description="To the account", metadata={"unit": "micro-USD"})
    version = dy.String(description="initial, final, ...")
    effective_at = dy.Datetime(time_zone="UTC", description="When it takes effect")
    recorded_at = dy.Datetime(time_zone="UTC", description="When it was recorded")


class Statements(dy.Schema):
    """What each participant is owed, per delivery day and charge code."""

    participant = dy.String(primary_key=True, description="Participant")
    day = dy.Date(primary_key=True, description="Delivery day in the market's time zone")
    charge_code = dy.Enum(ChargeCode, primary_key=True, description="What it is for")
    horizon = dy.String(primary_key=True, description="Horizon of the run")
    version = dy.String(primary_key=True, description="initial, final, ...")
    amount = dy.Decimal(precision=38, scale=6, description="Exact sum of the postings, to the participant", metadata={"unit": "USD"})
    postings = dy.Int64(min=1, description="Postings behind it")


class Invoices(dy.Schema):
    """What is paid to each participant: the statements, rounded once to cents."""

    participant = dy.String(primary_key=True, description="Participant")
    version = dy.String(primary_key=True, description="initial, final, ...")
    start = dy.Datetime(time_zone="UTC", description="First interval settled")
    end = dy.Datetime(time_zone="UTC", description="End of the last interval settled")
    exact = dy.Decimal(precision=38, scale=6, description="Sum of the statements", metadata={"unit": "USD"})
    amount = dy.Decimal(precision=38, scale=2, description="Rounded half-even to cents", metadata={"unit": "USD"})
    rounding = dy.Decimal(
        precision=38, scale=6, description="amount − exact, posted to the operator's rounding account", metadata={"unit": "USD"}
    )


class Closings(dy.Schema):
    """How the cash of each run closes: what the operator keeps, what the solver left and what rounding left, apart."""

    horizon = dy.String(primary_key=True, description="Horizon of the run")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the interval")
    version = dy.String(primary_key=True, description="initial, final, ...")
    turnover = dy.Float64(min=0, description="What participants pay and receive, in absolute value", metadata={"unit": "USD"})
    transfer = dy.Float64(description="κ on the change of flow", metadata={"unit": "USD"})
    congestion = dy.Float64(description="μ on the change of flow", metadata={"unit": "USD"})
    substitution = dy.Float64(description="Reduced cost of the old recipes at the new prices", metadata={"unit": "USD"})
    shortfall = dy.Float64(description="Hours sold before and not used, at the new prices", metadata={"unit": "USD"})
    residual = dy.Float64(description="What the solver's tolerances leave", metadata={"unit": "USD"})
    rounding = dy.Int64(description="What whole micro-dollars leave", metadata={"unit": "micro-USD"})
    bound = dy.Float64(min=0, description="Half a micro-dollar a posting", metadata={"unit": "micro-USD"})
    postings = dy.Int64(min=0, description="Postings that were rounded", metadata={"unit": "1"})


class Checks(dy.Schema):
    """Whether money that enters leaves: sums and largest deviations, each with its bound."""

    check = dy.String(primary_key=True, description="What is checked")
    amount = dy.Float64(description="What was found", metadata={"unit": "see unit"})
    bound = dy.Float64(min=0, description="Largest absolute value that passes", metadata={"unit": "see unit"})
    unit = dy.String(description="Unit of both")
    passed = dy.Bool(description="Whether it is within the bound")


class Exposures(dy.Schema):
    """What somebody runs: work or resource-hours over a period."""

    exposure = dy.String(primary_key=True, description="Name of the exposure")
    workload = dy.String(nullable=True, description="Workload; null for a resource")
    resource = dy.String(nullable=True, description="Resource; null for a workload")
    region = dy.String(description="Home location of the work, or region of the resource")
    tier = dy.String(description="Tier")
    start = dy.Datetime(time_zone="UTC", description="First instant")
    end = dy.Datetime(time_zone="UTC", description="First instant after")
    quantity = dy.Float64(description="Per hour, positive when bought", metadata={"unit": "units/h or GPUh/h"})
    unit = dy.String(description="Unit of the quantity")
    price = dy.Float64(nullable=True, description="Price agreed; null is the market's", metadata={"unit": "USD per unit"})

    @dy.rule()
    def names_one(cls) -> pl.Expr:
        """either a workload or a resource."""
        return pl.col("workload").is_null() != pl.col("resource").is_null()


class Basis(dy.Schema):
    """How far an exposure is from the index it is hedged with."""

    exposure = dy.String(primary_key=True, description="Name of the exposure")
    index = dy.String(primary_key=True, description="Index it is hedged with")
    method = dy.String(primary_key=True, description="Estimator of the hedge ratio")
    start = dy.Datetime(time_zone="UTC", description="First instant of the history")
    end = dy.Datetime(time_zone="UTC", description="First instant after the history")
    observations = dy.Int64(min=3, description="Changes used")
    ratio = dy.Float64(description="Index units per unit of the exposure", metadata={"unit": "GPUh per unit"})
    lower = dy.Float64(description="Lower end of the ratio's interval (HAC)", metadata={"unit": "GPUh per unit"})
    upper = dy.Float64(description="Upper end of the ratio's interval (HAC)", metadata={"unit": "GPUh per unit"})
    effectiveness = dy.Float64(
        max=1, description="1 − variance hedged / variance unhedged; negative when hedging harms", metadata={"unit": "1"}
    )
    out_of_sample = dy.Float64(
        max=1, nullable=True, description="The same on the second half with the first half's ratio", metadata={"unit": "1"}
    )
    correlation = dy.Float64(min=-1, max=1, description="Of the changes", metadata={"unit": "1"})
    verdict = dy.String(description="effective or ineffective, by the stated limits")


class Effectiveness(dy.Schema):
    """What a verdict on a hedge rests on, and what was seen beside it."""

    exposure = dy.String(primary_key=True, description="Name of the exposure")
    index = dy.String(primary_key=True, description="Index it is hedged with")
    method = dy.String(primary_key=True, description="Estimator of the hedge ratio")
    r_squared = dy.Float64(min=0, max=1, description="Of the regression of changes", metadata={"unit": "1"})
    in_sample = dy.Float64(max=1, description="Variance reduction, all changes", metadata={"unit": "1"})
    out_of_sample = dy.Float64(
        max=1, nullable=True, description="Variance reduction of the second half at the first half's ratio", metadata={"unit": "1"}
    )
    offset_single = dy.Float64(
        min=0, max=1, nullable=True, description="Share of single changes whose dollar offset lies in 80 to 125 %", metadata={"unit": "1"}
    )
    offset_cumulative = dy.Float64(
        min=0, max=1, nullable=True, description="Share of days whose cumulative dollar offset lies in 80 to 125 %", metadata={"unit": "1"}
    )
    offset_final = dy.Float64(nullable=True, description="Cumulative dollar offset at the end", metadata={"unit": "1"})
    lags = dy.Int64(min=0, description="Lags of the Newey–West standard error", metadata={"unit": "1"})
    limit = dy.Float64(description="Least variance reduction, in and out of sample, that is called effective", metadata={"unit": "1"})
    reason = dy.String(description="Why the verdict is what it is")

"""What a book may lose: value at risk, stress, margin, exposure and back-tests."""

import dataframely as dy

USD, ONE = {"unit": "USD"}, {"unit": "1"}


class TailRisks(dy.Schema):
    """Value at risk and expected shortfall of a book; losses are positive."""

    method = dy.String(primary_key=True, description="filtered (the past, rescaled), historical (as it was), normal or student-t")
    level = dy.Float64(primary_key=True, min_exclusive=0, max_exclusive=1, description="Share of outcomes that are better", metadata=ONE)
    days = dy.Int64(min=1, description="Horizon", metadata={"unit": "days"})
    outcomes = dy.Int64(min=1, description="Moves")
    value_at_risk = dy.Float64(description="Loss that the share does not exceed", metadata=USD)
    lower = dy.Float64(description="Lower end of its 95 % interval", metadata=USD)
    upper = dy.Float64(nullable=True, description="Upper end; none where the outcomes are too few to bound it", metadata=USD)
    expected_shortfall = dy.Float64(description="Mean loss of the outcomes beyond", metadata=USD)
    error = dy.Float64(min=0, description="Standard error of it", metadata=USD)


class StressScenarios(dy.Schema):
    """Moves by name; a row of `*` moves every index, a row of an index that index in addition."""

    scenario = dy.String(primary_key=True, description="Name")
    index = dy.String(primary_key=True, description="Index, or * for all")
    relative = dy.Float64(min_exclusive=-1, description="Move of every forward as a share of it", metadata=ONE)
    price = dy.Float64(description="And in money", metadata={"unit": "USD/GPUh"})
    volatility = dy.Float64(description="Move of every volatility, down to 0 at most", metadata={"unit": "1/√year"})


class StressGains(dy.Schema):
    """What each trade gains in each scenario."""

    scenario = dy.String(primary_key=True, description="Name")
    trade_id = dy.String(primary_key=True, description="Trade")
    gain = dy.Float64(description="Present value less today's", metadata=USD)


class RiskArray(dy.Schema):
    """Losses of a book in SPAN's sixteen scenarios of each index."""

    index = dy.String(primary_key=True, description="Index that moves")
    scenario = dy.Int64(primary_key=True, min=1, max=16, description="Number")
    price = dy.Float64(description="Move of prices", metadata={"unit": "scan ranges"})
    volatility = dy.Float64(description="Move of volatilities", metadata={"unit": "1/√year"})
    counted = dy.Float64(min=0, max=1, description="Part of the loss that counts", metadata=ONE)
    loss = dy.Float64(description="That part; below 0 a gain", metadata=USD)


class MarginComponents(dy.Schema):
    """Initial margin of a book by component."""

    component = dy.Enum(
        [
            "historical",
            "floor",
            "stress",
            "inter-month",
            "liquidity",
            "concentration",
            "sold-options",
            "margin",
            "inter-index-credit",
            "scan",
        ],
        primary_key=True,
        description="margin: historical or its floor and stress, weighted, and the charges, at least the minimum; scan is beside it",
    )
    amount = dy.Float64(min=0, description="Amount", metadata=USD)


class Exposures(dy.Schema):
    """What a book may be worth, or owe, at days to come."""

    day = dy.Date(primary_key=True, description="Day")
    expected = dy.Float64(description="Mean value of the book", metadata=USD)
    positive = dy.Float64(min=0, description="Mean of what is owed to it: of max(value, 0)", metadata=USD)
    negative = dy.Float64(min=0, description="Mean of what it owes: of max(−value, 0)", metadata=USD)
    high = dy.Float64(description="Value that a share `level` of the paths does not exceed", metadata=USD)
    low = dy.Float64(description="Value that the same share stays above", metadata=USD)
    level = dy.Float64(min_exclusive=0, max_exclusive=1, description="The share", metadata=ONE)


class RiskBacktest(dy.Schema):
    """Each day's forecast, made from the days before it, and what followed."""

    day = dy.Date(primary_key=True, description="Day of the gain")
    gain = dy.Float64(description="What today's deltas gained that day", metadata=USD)
    value_at_risk = dy.Float64(description="Forecast of the day before", metadata=USD)
    expected_shortfall = dy.Float64(description="Forecast of the day before", metadata=USD)
    exceeded = dy.Bool(description="Whether the loss was above the value at risk")


class RiskTests(dy.Schema):
    """Back-tests of value at risk and shortfall."""

    test = dy.Enum(["kupiec", "independence", "conditional-coverage", "traffic-light", "shortfall"], primary_key=True, description="Test")
    statistic = dy.Float64(description="Statistic; of the traffic light the cumulative probability", metadata=ONE)
    p_value = dy.Float64(nullable=True, min=0, max=1, description="Probability of one as large where the model is right", metadata=ONE)
    verdict = dy.String(description="What it says")

"""What a book gained from one moment to the next, and what of."""

import dataframely as dy

from tenorgrid.data.kinds.contract import ExplainFactor

USD = {"unit": "USD"}


class ExplainComponents(dy.Schema):
    """The gain of a book by what it came of: the Greeks' part and that of a full revaluation, none of which depends on an order."""

    factor = dy.Enum(ExplainFactor, primary_key=True, description="What happened")
    greeks = dy.Float64(description="By the mean of the sensitivities before and after; of time and fixings by revaluation", metadata=USD)
    revalued = dy.Float64(description="Shapley's value of the factor over full revaluations", metadata=USD)


class ExplainTrades(dy.Schema):
    """The same by trade."""

    trade_id = dy.String(primary_key=True, description="Trade")
    factor = dy.Enum(ExplainFactor, primary_key=True, description="What happened")
    greeks = dy.Float64(description="As of the book", metadata=USD)
    revalued = dy.Float64(description="As of the book", metadata=USD)


class ExplainMoves(dy.Schema):
    """What moved and what it gained, by the Greeks: a quote of a curve, a volatility, a correlation, the discount."""

    factor = dy.Enum(ExplainFactor, primary_key=True, description="curve, volatility, correlation or discount")
    index = dy.String(primary_key=True, description="Index; of a correlation the pair, of the discount empty")
    bucket = dy.String(primary_key=True, description="Quote of the later curve, or shape for what no quote's move says; else empty")
    move = dy.Float64(nullable=True, description="Of the quote in USD/GPUh, of a volatility or correlation that is one number in 1")
    first = dy.Float64(description="By the sensitivities before", metadata=USD)
    second = dy.Float64(description="What the sensitivities' change adds: gamma, vanna and their like", metadata=USD)


class ExplainCash(dy.Schema):
    """What each trade was worth before and after, what it paid in between, and so what it gained."""

    trade_id = dy.String(primary_key=True, description="Trade")
    before = dy.Float64(description="Value before; 0 of a trade that is new", metadata=USD)
    after = dy.Float64(description="Value after; 0 of a trade that has ended", metadata=USD)
    cash = dy.Float64(description="Paid to the book in between, and what a trade that left was worth as it did", metadata=USD)
    gain = dy.Float64(description="after + cash − before", metadata=USD)


class ExplainDays(dy.Schema):
    """Gains of many days, one row each: what they came of and what the Greeks leave unsaid."""

    before = dy.Datetime(time_zone="UTC", primary_key=True, description="The earlier moment")
    after = dy.Datetime(time_zone="UTC", description="The later moment")
    gain = dy.Float64(description="after + cash − before", metadata=USD)
    explained = dy.Float64(description="By the Greeks", metadata=USD)
    residual = dy.Float64(description="gain less explained", metadata=USD)
    first_residual = dy.Float64(description="What the sensitivities of before alone would leave, time and fixings revalued", metadata=USD)
    size = dy.Float64(min=0, description="Sum of the absolute components", metadata=USD)
    share = dy.Float64(min=0, description="Absolute residual over size", metadata={"unit": "1"})


class CashTold(dy.Schema):
    """What trades paid between two moments, where their kind does not tell."""

    trade_id = dy.String(primary_key=True, description="Trade")
    amount = dy.Float64(description="Paid to the book", metadata=USD)

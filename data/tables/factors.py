"""Factor models: panels of futures, parameters with errors, factors through time, fitted futures, volatility by time to delivery."""

import dataframely as dy

YEARS = {"unit": "years"}
A_YEAR = {"unit": "1/year, or 1/√year of a volatility; 1 of a level, a mean or a correlation"}
LOG = {"unit": "1, a logarithm; the prices' of an arithmetic model"}


class FactorPanel(dy.Schema):
    """Futures, or points of a curve, by constant time to delivery."""

    day = dy.Date(primary_key=True, description="Day of the prices; all days are equally far apart")
    maturity = dy.Float64(primary_key=True, min=0, description="Time to delivery", metadata=YEARS)
    price = dy.Float64(description="Price of the futures", metadata={"unit": "USD/GPUh, or any other"})


class FactorParameters(dy.Schema):
    """What a factor model estimated."""

    parameter = dy.String(primary_key=True, description="Name; measurement deviations are named by their maturity in years")
    value = dy.Float64(description="Maximum likelihood estimate", metadata=A_YEAR)
    hessian_error = dy.Float64(min=0, nullable=True, description="By the Hessian; null at a bound", metadata=A_YEAR)
    robust_error = dy.Float64(min=0, nullable=True, description="By the Hessian and the scores; null at a bound", metadata=A_YEAR)


class FactorStates(dy.Schema):
    """Factors of each day; a filtered one knows no later day."""

    day = dy.Date(primary_key=True, description="Day")
    factor = dy.String(primary_key=True, description="short, long, state or spread")
    filtered = dy.Float64(description="From days until this one", metadata=LOG)
    deviation = dy.Float64(min=0, description="Standard deviation of the filtered one; 0 where it is seen", metadata=LOG)
    smoothed = dy.Float64(description="From all days", metadata=LOG)
    jumped = dy.Float64(
        min=0, max=1, nullable=True, description="Probability of a jump since the day before; null without jumps", metadata={"unit": "1"}
    )


class FactorFutures(dy.Schema):
    """Futures beside what the filtered factors say of them."""

    day = dy.Date(primary_key=True, description="Day")
    maturity = dy.Float64(primary_key=True, min=0, description="Time to delivery", metadata=YEARS)
    price = dy.Float64(nullable=True, description="Price seen, if any", metadata={"unit": "the panel's"})
    fitted = dy.Float64(description="Price by the filtered factors", metadata={"unit": "the panel's"})


class FactorVolatility(dy.Schema):
    """Volatility of futures by time to delivery (Samuelson's effect), a year."""

    maturity = dy.Float64(primary_key=True, min=0, description="Time to delivery", metadata=YEARS)
    model = dy.Float64(min=0, description="Instantaneous, of the model", metadata={"unit": "1/√year"})
    average = dy.Float64(
        min=0, nullable=True, description="Of an option that expires at delivery; null for none to come", metadata={"unit": "1/√year"}
    )
    realised = dy.Float64(min=0, nullable=True, description="Of the panel's own moves", metadata={"unit": "1/√year"})
    realised_error = dy.Float64(min=0, nullable=True, description="Its standard error", metadata={"unit": "1/√year"})
    two_factors = dy.Float64(
        min=0, nullable=True, description="Fitted to the realised ones; null below 4 maturities", metadata={"unit": "1/√year"}
    )
    one_factor = dy.Float64(min=0, nullable=True, description="σ e^(−κT) fitted to the realised ones", metadata={"unit": "1/√year"})


class SpreadForecasts(dy.Schema):
    """The log spread of two prices ahead of the last day, with its band."""

    day = dy.Date(primary_key=True, description="Day ahead")
    mean = dy.Float64(description="Expected log spread", metadata={"unit": "1"})
    lower = dy.Float64(description="Lower end of the band", metadata={"unit": "1"})
    upper = dy.Float64(description="Upper end of the band", metadata={"unit": "1"})


class FactorPrices(dy.Schema):
    """Futures and options on them by a fitted model, at the factors of its last day."""

    contract = dy.Enum(["future", "call", "put"], primary_key=True, description="What is priced")
    maturity = dy.Float64(primary_key=True, min=0, description="Time to delivery", metadata=YEARS)
    expiry = dy.Float64(nullable=True, min=0, description="Time to exercise; null of a future", metadata=YEARS)
    strike = dy.Float64(nullable=True, min_exclusive=0, description="Strike; null of a future", metadata={"unit": "the panel's"})
    price = dy.Float64(min=0, description="Worth, an option's discounted", metadata={"unit": "the panel's"})

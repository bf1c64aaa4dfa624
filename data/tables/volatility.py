"""What volatility models found: fits, parameters, paths, forecasts, realised days, correlations and smiles."""

import dataframely as dy

from tenorgrid.data.kinds.index import BarBasis, SmileArbitrageKind, SmileModel, SmileQuote, VolatilityModel, WindowTreatment

ONE, YEAR, DAYS = {"unit": "1"}, {"unit": "1/√year"}, {"unit": "days"}
SQUARE = {"unit": "squared log return"}
PRICE = {"unit": "USD/GPUh, or the unit of the prices"}


class VolatilityFits(dy.Schema):
    """Each model's fit: how good, whether the search ended at an optimum, and what it says of the long run."""

    index = dy.String(primary_key=True, description="Index")
    model = dy.Enum(VolatilityModel, primary_key=True, description="Model")
    start = dy.Datetime(time_zone="UTC", description="First instant of the window")
    end = dy.Datetime(time_zone="UTC", description="First instant after the window")
    observations = dy.Int64(min=2, description="Returns used")
    window = dy.Int64(min=1, description="Periods that a mark averages over")
    treatment = dy.Enum(WindowTreatment, description="What was done about a window longer than a period")
    converged = dy.Bool(nullable=True, description="Whether the search ended at an optimum; null where nothing is searched")
    message = dy.String(nullable=True, description="What the optimiser said")
    iterations = dy.Int64(min=0, nullable=True, description="Steps of the search")
    log_likelihood = dy.Float64(nullable=True, description="Of the log returns", metadata=ONE)
    akaike = dy.Float64(nullable=True, description="2 k − 2 log-likelihood", metadata=ONE)
    scale = dy.Float64(min_exclusive=0, nullable=True, description="What returns were multiplied by for the search", metadata=ONE)
    backcast = dy.Float64(min=0, nullable=True, description="Variance before the sample: mean squared residual", metadata=SQUARE)
    persistence = dy.Float64(nullable=True, description="Share of a surprise in variance that is left a day later", metadata=ONE)
    half_life = dy.Float64(min=0, nullable=True, description="Days until half of it is left", metadata=DAYS)
    long_run = dy.Float64(min=0, nullable=True, description="Volatility far ahead; null where there is none", metadata=YEAR)
    next_day = dy.Float64(min=0, nullable=True, description="Volatility of the day after the window", metadata=YEAR)


class VolatilityParameters(dy.Schema):
    """Estimates with their errors, of daily log returns."""

    index = dy.String(primary_key=True, description="Index")
    model = dy.Enum(VolatilityModel, primary_key=True, description="Model")
    name = dy.String(primary_key=True, description="Parameter")
    value = dy.Float64(description="Estimate", metadata=ONE)
    error = dy.Float64(min=0, nullable=True, description="From the inverse Hessian (HAR: least squares)", metadata=ONE)
    robust_error = dy.Float64(min=0, nullable=True, description="Bollerslev and Wooldridge's (HAR: Newey and West's)", metadata=ONE)


class VolatilityPath(dy.Schema):
    """Volatility through time, each day's from the days before it at the estimates of the whole window."""

    index = dy.String(primary_key=True, description="Index")
    model = dy.Enum(VolatilityModel, primary_key=True, description="Model")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the day")
    change = dy.Float64(description="Log return of the day, or the root of its realised variance", metadata=ONE)
    volatility = dy.Float64(min=0, description="Annualised, expected for the day", metadata=YEAR)


class VolatilityTerms(dy.Schema):
    """Term structure of forecast volatility."""

    index = dy.String(primary_key=True, description="Index")
    model = dy.Enum(VolatilityModel, primary_key=True, description="Model")
    days = dy.Int64(primary_key=True, min=1, description="Days ahead", metadata=DAYS)
    end = dy.Datetime(time_zone="UTC", description="First instant after them")
    forward = dy.Float64(min=0, description="Of the last of these days alone", metadata=YEAR)
    volatility = dy.Float64(min=0, description="Of all of them: root of the mean variance", metadata=YEAR)


class RealisedDays(dy.Schema):
    """What the prints of a day say of its variance and its jumps."""

    series = dy.String(primary_key=True, description="Series")
    day = dy.Date(primary_key=True, description="Day")
    returns = dy.Int64(min=1, description="Returns of the grid within the day")
    still = dy.Int64(min=0, description="Of these, returns of 0")
    variance = dy.Float64(min=0, description="Realised variance: Σ r²", metadata=SQUARE)
    bipower = dy.Float64(min=0, description="Bipower variation, jumps left out", metadata=SQUARE)
    statistic = dy.Float64(
        nullable=True, description="Ratio statistic, normal without jumps; null where half the returns are 0", metadata=ONE
    )
    p_value = dy.Float64(min=0, max=1, nullable=True, description="Of no jump, one-sided", metadata=ONE)
    jump = dy.Float64(min=0, description="Variance of jumps: max(Σ r² − bipower, 0) where the test finds one, else 0", metadata=SQUARE)


class HarForecasts(dy.Schema):
    """Forecasts of a day's realised variance made the day before, beside naive ones."""

    series = dy.String(primary_key=True, description="Series")
    day = dy.Date(primary_key=True, description="Day that is forecast")
    variance = dy.Float64(min=0, description="Realised variance", metadata=SQUARE)
    har = dy.Float64(min=0, description="Forecast of the regression on the days known", metadata=SQUARE)
    last = dy.Float64(min=0, description="Forecast that the day is like the last", metadata=SQUARE)
    mean = dy.Float64(min=0, description="Forecast by the mean of the days known", metadata=SQUARE)
    replaced = dy.Bool(description="Whether the regression left the range of the variances known and their mean took its place")


class ForecastContests(dy.Schema):
    """Diebold and Mariano's test of the regression against naive forecasts."""

    series = dy.String(primary_key=True, description="Series")
    rival = dy.String(primary_key=True, description="Naive forecast")
    loss = dy.String(primary_key=True, description="squared error, or qlike: v / f − ln(v / f) − 1")
    days = dy.Int64(min=1, description="Days")
    own = dy.Float64(description="Mean loss of the regression", metadata={"unit": "of the loss"})
    other = dy.Float64(description="Mean loss of the rival", metadata={"unit": "of the loss"})
    statistic = dy.Float64(nullable=True, description="Corrected statistic; below 0 the regression is better", metadata=ONE)
    p_value = dy.Float64(min=0, max=1, nullable=True, description="Of equal accuracy, two-sided", metadata=ONE)


class Bars(dy.Schema):
    """First, highest, lowest and last price of a period."""

    series = dy.String(primary_key=True, description="Series")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the period")
    open = dy.Float64(min_exclusive=0, description="First price", metadata=PRICE)
    high = dy.Float64(min_exclusive=0, description="Highest price", metadata=PRICE)
    low = dy.Float64(min_exclusive=0, description="Lowest price", metadata=PRICE)
    close = dy.Float64(min_exclusive=0, description="Last price", metadata=PRICE)
    basis = dy.Enum(BarBasis, description="What high and low are")


class Correlations(dy.Schema):
    """Dynamic conditional correlations."""

    day = dy.Date(primary_key=True, description="Day that the correlation is expected for, from the days before it")
    index = dy.String(primary_key=True, description="Index")
    other = dy.String(primary_key=True, description="The other index")
    correlation = dy.Float64(min=-1, max=1, description="Correlation of the day's log returns", metadata=ONE)


class CorrelationParameters(dy.Schema):
    """Estimates of dynamic correlation: a, the weight of the last day's products, and b, that of what was expected."""

    name = dy.String(primary_key=True, description="a or b")
    value = dy.Float64(min=0, max=1, description="Estimate", metadata=ONE)
    error = dy.Float64(min=0, nullable=True, description="From the inverse Hessian of the second step; null at a bound", metadata=ONE)
    robust_error = dy.Float64(min=0, nullable=True, description="Robust, of both steps together; null at a bound", metadata=ONE)
    gain = dy.Float64(description="Twice the log-likelihood above constant correlation", metadata=ONE)
    p_value = dy.Float64(min=0, max=1, description="Of constant correlation, χ² of 2 degrees", metadata=ONE)
    converged = dy.Bool(description="Whether the search ended at an optimum")


class OptionQuotes(dy.Schema):
    """Implied volatilities by strike and expiry."""

    as_of = dy.Datetime(primary_key=True, time_zone="UTC", description="When they were quoted")
    contract = dy.String(primary_key=True, description="What the option is on; expiries of one contract share one underlying")
    expiry = dy.Datetime(primary_key=True, time_zone="UTC", description="Expiry of the option")
    strike = dy.Float64(primary_key=True, description="Strike", metadata=PRICE)
    forward = dy.Float64(description="Forward of the contract at the expiry", metadata=PRICE)
    volatility = dy.Float64(min_exclusive=0, description="Implied volatility", metadata={"unit": "1/√year, normal: price/√year"})
    quoted = dy.Enum(SmileQuote, description="Lognormal (Black) or normal (Bachelier)")


class SmileParameters(dy.Schema):
    """Calibrated smiles."""

    contract = dy.String(primary_key=True, description="Contract")
    expiry = dy.Datetime(primary_key=True, time_zone="UTC", description="Expiry")
    model = dy.Enum(SmileModel, primary_key=True, description="Model")
    name = dy.String(primary_key=True, description="Parameter")
    value = dy.Float64(description="Value", metadata=ONE)
    rms = dy.Float64(min=0, description="Root mean squared error of the smile's volatilities", metadata={"unit": "as quoted"})
    worst = dy.Float64(min=0, description="Largest error", metadata={"unit": "as quoted"})


class SmilePoints(dy.Schema):
    """Quotes beside the smile through them."""

    contract = dy.String(primary_key=True, description="Contract")
    expiry = dy.Datetime(primary_key=True, time_zone="UTC", description="Expiry")
    strike = dy.Float64(primary_key=True, description="Strike", metadata=PRICE)
    quoted = dy.Float64(min_exclusive=0, description="Volatility that was quoted", metadata={"unit": "as quoted"})
    volatility = dy.Float64(min=0, description="Volatility of the smile", metadata={"unit": "as quoted"})


class SmileArbitrages(dy.Schema):
    """Quotes that together pay without a risk."""

    contract = dy.String(description="Contract")
    kind = dy.Enum(SmileArbitrageKind, description="What is broken")
    expiry = dy.Datetime(time_zone="UTC", description="Expiry; of a calendar spread the later one")
    strikes = dy.String(description="Strikes of the trade, separated by ;")
    size = dy.Float64(min_exclusive=0, description="What the trade earns at least, undiscounted", metadata=PRICE)
    meaning = dy.String(description="The trade in words")

"""Ahead prices against real time: bias, forecasts, the reasons for a premium, and whether trading takes it away."""

import dataframely as dy

ONE, DAYS = {"unit": "1"}, {"unit": "days"}
PRICE = {"unit": "USD/GPUh, or the unit of the prices"}
VERDICTS = ["none", "ahead above real", "real above ahead"]


class AheadReal(dy.Schema):
    """A price made ahead and the real-time price of the same hour."""

    horizon = dy.String(primary_key=True, description="Horizon of the ahead price")
    series = dy.String(primary_key=True, description="Node, zone or index")
    start = dy.Datetime(primary_key=True, time_zone="UTC", description="First instant of the hour")
    ahead = dy.Float64(description="Price made ahead", metadata=PRICE)
    real = dy.Float64(description="Real-time price", metadata=PRICE)


class PremiumBias(dy.Schema):
    """Mean of ahead less real, with the error that independent hours would have and the one that they have."""

    horizon = dy.String(primary_key=True, description="Horizon")
    series = dy.String(primary_key=True, description="Series")
    hour = dy.Int64(primary_key=True, min=-1, max=23, description="Local hour of the day; -1 is all hours together")
    count = dy.Int64(min=2, description="Hours with both prices")
    bias = dy.Float64(description="Mean of ahead less real", metadata=PRICE)
    lags = dy.Int64(min=0, description="Lags of the long-run variance: hours, or days of one hour's rows")
    naive_error = dy.Float64(min=0, description="s / √n, as if errors were independent", metadata=PRICE)
    hac_error = dy.Float64(min=0, description="Newey and West's", metadata=PRICE)
    naive_t = dy.Float64(nullable=True, description="bias / naive_error", metadata=ONE)
    hac_t = dy.Float64(nullable=True, description="bias / hac_error", metadata=ONE)
    naive_verdict = dy.Enum(VERDICTS, description="What the naive error says at 5 %")
    verdict = dy.Enum(VERDICTS, description="What the HAC error says at 5 %")


class PremiumPooled(dy.Schema):
    """Mean of ahead less real over all series of a class, with errors that know that series move together."""

    horizon = dy.String(primary_key=True, description="Horizon")
    class_ = dy.String(alias="class", primary_key=True, description="Class of accelerator; all where series have no class")
    series = dy.Int64(min=1, description="Series pooled")
    count = dy.Int64(min=2, description="Hours of all series with both prices")
    bias = dy.Float64(description="Mean of ahead less real", metadata=PRICE)
    lags = dy.Int64(min=0, description="Lags of the long-run variance", metadata={"unit": "hours"})
    naive_error = dy.Float64(min=0, description="s / √n, as if all rows were independent", metadata=PRICE)
    day_error = dy.Float64(min=0, description="Clustered by local day: any dependence within a day, none between days", metadata=PRICE)
    hac_error = dy.Float64(
        min=0, description="Driscoll and Kraay's: any dependence between series, Bartlett weights over time", metadata=PRICE
    )
    naive_t = dy.Float64(nullable=True, description="bias / naive_error", metadata=ONE)
    hac_t = dy.Float64(nullable=True, description="bias / hac_error", metadata=ONE)
    naive_verdict = dy.Enum(VERDICTS, description="What the naive error says at 5 %")
    verdict = dy.Enum(VERDICTS, description="What Driscoll and Kraay's error says at 5 %")


class PremiumDays(dy.Schema):
    """Each day: both prices, what was known of them when the ahead price was made, and what forecasts and a trade made of it."""

    horizon = dy.String(primary_key=True, description="Horizon")
    series = dy.String(primary_key=True, description="Series")
    day = dy.Date(primary_key=True, description="Local day of delivery")
    hours = dy.Int64(min=1, description="Hours with both prices")
    ahead = dy.Float64(description="Mean of the day's ahead prices", metadata=PRICE)
    real = dy.Float64(description="Mean of the day's real-time prices", metadata=PRICE)
    ex_post = dy.Float64(description="ahead − real", metadata=PRICE)
    ex_ante = dy.Float64(nullable=True, description="ahead less the mean of the hour's real prices known then", metadata=PRICE)
    variance = dy.Float64(nullable=True, min=0, description="Of daily real prices, known days of the window", metadata={"unit": "price²"})
    third_moment = dy.Float64(nullable=True, description="Third central moment of the same", metadata={"unit": "price³"})
    loss = dy.Float64(min=0, description="Mean squared error of the ahead price as a forecast", metadata={"unit": "price²"})
    loss_last_day = dy.Float64(nullable=True, min=0, description="Of the same hour of the last known day", metadata={"unit": "price²"})
    loss_last_week = dy.Float64(nullable=True, min=0, description="Of the last known day of the same weekday", metadata={"unit": "price²"})
    loss_mean = dy.Float64(nullable=True, min=0, description="Of the mean of the same hour of all known days", metadata={"unit": "price²"})
    profit = dy.Float64(nullable=True, description="Virtual bid of 1 an hour, against the mean premium known then", metadata=PRICE)


class ForecastTests(dy.Schema):
    """Diebold and Mariano's test of the ahead price against a naive forecast, on daily losses."""

    horizon = dy.String(primary_key=True, description="Horizon")
    series = dy.String(primary_key=True, description="Series")
    rival = dy.Enum(["last day", "last week", "mean"], primary_key=True, description="Naive forecast")
    days = dy.Int64(min=2, description="Days with both losses", metadata=DAYS)
    loss = dy.Float64(min=0, description="Mean squared error of the ahead price", metadata={"unit": "price²"})
    rival_loss = dy.Float64(min=0, description="Mean squared error of the naive forecast", metadata={"unit": "price²"})
    steps = dy.Int64(min=1, description="h, days from what was known to delivery", metadata=DAYS)
    window = dy.Enum(["rectangular", "bartlett"], description="bartlett where the rectangular variance is not positive")
    statistic = dy.Float64(description="Harvey, Leybourne and Newbold's, below 0 where the ahead price is better", metadata=ONE)
    p_value = dy.Float64(min=0, max=1, description="Two-sided, t with days − 1", metadata=ONE)


class PremiumRegressions(dy.Schema):
    """Bessembinder and Lemmon's regression of the premium on variance and third moment of real prices."""

    horizon = dy.String(primary_key=True, description="Horizon")
    series = dy.String(primary_key=True, description="Series")
    premium = dy.Enum(["ex ante", "ex post"], primary_key=True, description="Which premium is explained")
    term = dy.Enum(["constant", "variance", "third moment"], primary_key=True, description="Regressor, known when the price was made")
    days = dy.Int64(min=4, description="Days", metadata=DAYS)
    lags = dy.Int64(min=0, description="Lags of the HAC errors", metadata=DAYS)
    coefficient = dy.Float64(description="Theory: below 0 for the variance, above 0 for the third moment")
    naive_error = dy.Float64(min=0, description="Least squares error")
    hac_error = dy.Float64(min=0, description="Newey and West's error")
    hac_t = dy.Float64(nullable=True, description="coefficient / hac_error", metadata=ONE)
    r_squared = dy.Float64(description="Share of the premium's variance", metadata=ONE)


class VirtualGains(dy.Schema):
    """What a virtual bid against the known premium earns: nothing where others have closed it."""

    horizon = dy.String(primary_key=True, description="Horizon")
    series = dy.String(primary_key=True, description="Series")
    days = dy.Int64(min=2, description="Days traded", metadata=DAYS)
    profit = dy.Float64(description="Mean profit of 1 an hour", metadata=PRICE)
    cost = dy.Float64(min=0, description="Cost of a virtual bid of 1", metadata=PRICE)
    hac_error = dy.Float64(min=0, description="Newey and West's error", metadata=PRICE)
    hac_t = dy.Float64(nullable=True, description="(profit − cost) / hac_error", metadata=ONE)
    verdict = dy.Enum(["closed", "open"], description="open where the profit above cost is significant at 5 %, one-sided")


class PremiumPairs(dy.Schema):
    """The same days in two markets, for example with and without virtual bids."""

    horizon = dy.String(primary_key=True, description="Horizon")
    series = dy.String(primary_key=True, description="Series")
    days = dy.Int64(min=2, description="Days in both", metadata=DAYS)
    bias = dy.Float64(description="Mean premium", metadata=PRICE)
    other_bias = dy.Float64(description="Mean premium of the other market", metadata=PRICE)
    size = dy.Float64(min=0, description="Mean absolute daily premium", metadata=PRICE)
    other_size = dy.Float64(min=0, description="Of the other market", metadata=PRICE)
    hac_t = dy.Float64(nullable=True, description="size − other_size over its HAC error; below 0: closer to real time", metadata=ONE)
    verdict = dy.Enum(["smaller", "same", "larger"], description="Of the size, at 5 %")

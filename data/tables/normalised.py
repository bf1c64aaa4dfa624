"""Normalisation of unlike offers: coefficients, factors and index series."""

import dataframely as dy

ONE = {"unit": "1"}


class Coefficients(dy.Schema):
    """What a characteristic is worth: one column of a hedonic regression of the log price."""

    group = dy.String(primary_key=True, description="Values of the model's `by` columns, or all")
    term = dy.String(primary_key=True, description="The characteristic, of a category with its value")
    characteristic = dy.String(description="Column of the observations")
    form = dy.String(description="log, level or category: how it enters")
    level = dy.String(nullable=True, description="Value of a category; null for a number")
    reference = dy.String(nullable=True, description="Value of the category that it is compared with")
    coefficient = dy.Float64(description="Change of the log price: an elasticity for log", metadata=ONE)
    se = dy.Float64(min=0, description="Standard error", metadata=ONE)
    t = dy.Float64(nullable=True, description="coefficient / se", metadata=ONE)
    lower = dy.Float64(description="Lower end of the 95 % interval", metadata=ONE)
    upper = dy.Float64(description="Upper end", metadata=ONE)
    rows = dy.Int64(min=1, description="Rows of the fit, of a category those with the value")
    lowest = dy.Float64(nullable=True, description="Least value in the fit; null for a category")
    highest = dy.Float64(nullable=True, description="Greatest value in the fit; null for a category")


class Factors(dy.Schema):
    """Each price brought to the base specification."""

    observation_id = dy.String(primary_key=True, description="Observation")
    price = dy.Float64(description="As observed", metadata={"unit": "USD/GPUh"})
    factor = dy.Float64(nullable=True, min_exclusive=0, description="What it is multiplied by; null where it cannot be told", metadata=ONE)
    factor_se = dy.Float64(nullable=True, min=0, description="Standard error of the factor's logarithm", metadata=ONE)
    adjusted = dy.Float64(nullable=True, description="price × factor", metadata={"unit": "USD/GPUh"})
    reason = dy.String(nullable=True, description="Why there is no factor")


class Fits(dy.Schema):
    """What each hedonic regression stands on."""

    group = dy.String(primary_key=True, description="Values of the model's `by` columns, or all")
    rows = dy.Int64(min=1, description="Rows of the fit")
    cells = dy.Int64(min=1, description="Different specifications, periods and clusters among them")
    clusters = dy.Int64(min=1, description="Clusters of errors; 1 where they are not clustered. Errors of few clusters are too small")
    excluded = dy.Int64(min=0, description="Rows left out as outliers")
    incomplete = dy.Int64(min=0, description="Rows without a value of some characteristic")
    free = dy.Int64(description="Degrees of freedom")
    sigma = dy.Float64(min=0, description="Standard deviation of the log price, given what it is explained by", metadata=ONE)
    r_squared = dy.Float64(nullable=True, description="Share of the variance of the log price that is explained", metadata=ONE)
    left_out = dy.String(nullable=True, description="Columns that are a combination of others, and of which")


class IndexSeries(dy.Schema):
    """An index of a group by period, by several methods; the first period is 1."""

    group = dy.String(primary_key=True, description="Values of the model's `by` columns, or all")
    method = dy.Enum(
        ["mean", "median", "time-product-dummy", "hedonic", "mean, prices held", "median, prices held", "time-product-dummy, prices held"],
        primary_key=True, description="prices held: every product keeps one price for ever, so that only the mix moves",
    )  # fmt: skip
    period = dy.Datetime(primary_key=True, time_zone="UTC", description="Beginning of the period of the model's own time zone")
    value = dy.Float64(min_exclusive=0, description="Index", metadata=ONE)
    se = dy.Float64(nullable=True, min=0, description="Standard error of its logarithm; null where there is none", metadata=ONE)
    lower = dy.Float64(nullable=True, description="Lower end of the 95 % interval", metadata=ONE)
    upper = dy.Float64(nullable=True, description="Upper end", metadata=ONE)
    rows = dy.Int64(min=1, description="Prices in the period")
    products = dy.Int64(min=1, nullable=True, description="Products in the period; null for hedonic")

"""What the name and term of an offer tell about it: chip, form factor, and the term that an index is named by."""

import polars as pl

HOURS_IN_MONTH, HOURS_IN_YEAR = 730.0, 8760.0
SHORTEST_MONTH = 672.0  # 28 days
FORM_FACTOR = r"-(sxm|pcie|nvl\d*)(?:-|$)"  # as our names of GPU classes end: h100-sxm, h200-nvl, a100-pcie-40gb, gb200-nvl72
TRAITS = ("chip", "form_factor", "term")


def traits(rows: pl.DataFrame, wanted: set[str]) -> pl.DataFrame:
    """Observations with those of `TRAITS` that are wanted and not there already.

    >>> rows = pl.DataFrame({"resource": ["h100-sxm", "l40s"], "term_hours": [8760.0, None]})
    >>> traits(rows, {"form_factor", "term", "price"}).select("form_factor", "term").rows()
    [('sxm', '1Y'), (None, None)]
    """
    made = {"chip": chip("resource"), "form_factor": form_factor("resource"), "term": term("term_hours")}
    return rows.with_columns(made[name].alias(name) for name in TRAITS if name in wanted and name not in rows.columns)


def form_factor(column: str) -> pl.Expr:
    """Form factor of a GPU class by its name; null where the name does not say.

    >>> names = ["h100-sxm", "h200-nvl", "a100-pcie-40gb", "gb200-nvl72", "l40s"]
    >>> pl.DataFrame({"gpu": names}).select(form_factor("gpu")).to_series().to_list()
    ['sxm', 'nvl', 'pcie', 'nvl72', None]
    """
    return pl.col(column).str.extract(FORM_FACTOR)


def chip(column: str) -> pl.Expr:
    """A GPU class without its form factor: what is compared across form factors.

    >>> names = ["h100-sxm", "h100-pcie", "a100-pcie-40gb", "gb200-nvl72", "l40s"]
    >>> pl.DataFrame({"gpu": names}).select(chip("gpu")).to_series().to_list()
    ['h100', 'h100', 'a100-40gb', 'gb200', 'l40s']
    """
    return pl.col(column).str.replace(r"-(?:sxm|pcie|nvl\d*)(-|$)", "$1")


def term(column: str) -> pl.Expr:
    """The TERM of an index name from a rental's hours: `1Y` a committed year, `3M` three months, `7D` a week; null by the hour.

    Less than a day, and a term that the source does not give, is rented by the hour and has no part in the name. Whole years are within 2 %
    of 8,760 hours, whole months within 9 % of a month of 730 hours (28 to 31 days are one, 84 to 92 three); all else is counted in days.

    >>> hours = [None, 1.0, 24.0, 168.0, 672.0, 744.0, 2160.0, 4380.0, 8760.0, 8784.0, 13140.0, 26280.0, 1100.0]
    >>> pl.DataFrame({"hours": hours}).select(term("hours")).to_series().to_list()
    [None, None, '1D', '7D', '1M', '1M', '3M', '6M', '1Y', '1Y', '18M', '3Y', '46D']
    """
    hours = pl.col(column)
    years, months, days = ((hours / unit).round() for unit in (HOURS_IN_YEAR, HOURS_IN_MONTH, 24.0))
    whole_years = (years >= 1) & ((hours - years * HOURS_IN_YEAR).abs() <= 0.02 * HOURS_IN_YEAR)
    whole_months = (hours >= SHORTEST_MONTH) & ((hours - months * HOURS_IN_MONTH).abs() <= 0.09 * HOURS_IN_MONTH)
    count, unit = (
        pl.when(whole_years).then(one).when(whole_months).then(other).otherwise(third)
        for one, other, third in ((years, months, days), (pl.lit("Y"), pl.lit("M"), pl.lit("D")))
    )
    return pl.when(hours >= 24).then(pl.format("{}{}", count.cast(pl.Int64), unit))

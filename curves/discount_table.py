"""Discount curves as a table, so that whoever reads a curve again discounts as it was discounted."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount, Flat
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.curve_kept import CurveDiscounts

LONGEST = 40 * 366  # days that are kept of a curve without an end


def discount_table(discount: Discount | None, *, as_of: datetime) -> pl.DataFrame:
    """`CurveDiscounts` of a discount; none has no row.

    Between two midnights a curve of factors is log-linear, so its factor at each midnight says all of it.

    Raises `InputError` for a discount that is neither flat nor a `DiscountCurve`.

    >>> from tenorgrid.curves.discount import flat
    >>> discount_table(flat(0.04), as_of=datetime(2027, 1, 1, tzinfo=UTC))["rate"].to_list()
    [0.04]
    """
    if discount is None:
        return CurveDiscounts.create_empty()
    if isinstance(discount, Flat):
        rows = {"day": [as_of.astimezone(UTC).date()], "factor": [1.0], "rate": [discount.rate], "timezone": ["UTC"]}
        return CurveDiscounts.validate(pl.DataFrame(rows))
    from tenorgrid.curves.discount_quantlib import DiscountCurve  # loads QuantLib, only needed here

    if not isinstance(discount, DiscountCurve):
        raise InputError.of("discount", "a flat rate or a discount curve of tenorgrid", value=type(discount).__name__)
    days = min(int(discount.handle.maxDate() - discount.handle.referenceDate()), LONGEST)
    rows = {
        "day": [discount.day + timedelta(days=k) for k in range(days + 1)],
        "factor": discount.factors(np.arange(days + 1) / 365.0).tolist(),
    }
    return CurveDiscounts.validate(
        pl.DataFrame(rows).with_columns(pl.lit(None, dtype=pl.Float64).alias("rate"), pl.lit(discount.timezone).alias("timezone"))
    )


def discount_of(table: pl.DataFrame) -> Discount | None:
    """The discount of a `CurveDiscounts` table; of no row none.

    >>> from tenorgrid.curves.discount import flat
    >>> discount_of(discount_table(flat(0.04), as_of=datetime(2027, 1, 1, tzinfo=UTC)))
    Flat(rate=0.04)
    """
    if table.is_empty():
        return None
    if table["rate"][0] is not None:
        return Flat(rate=float(table["rate"][0]))
    import QuantLib as ql

    from tenorgrid.curves.conventions import ql_date
    from tenorgrid.curves.discount_quantlib import from_quantlib

    rows = table.sort("day")
    made = ql.DiscountCurve([ql_date(day) for day in rows["day"]], rows["factor"].to_list(), ql.Actual365Fixed())
    return from_quantlib(made, timezone=str(rows["timezone"][0]))

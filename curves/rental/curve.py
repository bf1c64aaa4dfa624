"""The term structure of rentals of every index in a table of par rates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.rental.generations import tied_forwards
from tenorgrid.curves.rental.par import Months, Payment, ageing, annuities, forwards, pars, refuse_free_months
from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.rental import GenerationShifts, RentalForwards, RentalRates


@dataclass(frozen=True, eq=False, kw_only=True)
class RentalCurve:
    """Par rates (`RentalRates`) and forwards (`RentalForwards`) of one day, as `rental_curve` makes them."""

    as_of: date
    rates: pl.DataFrame
    curve: pl.DataFrame
    discount: Discount | None
    payment: Payment

    def par(self, index: str, months: int) -> float:
        """Par rate of a tenor between those quoted too, the forward of a period being constant in it.

        Raises `InputError` for an unknown index and a tenor past the longest.
        """
        rows = self._rows(index)
        tenors, forward = rows["months"].to_numpy(), rows["forward"].to_numpy()
        if not 1 <= months <= tenors[-1]:
            raise InputError.of("rental", f"a tenor of 1 to {tenors[-1]} months for {index}", column="months", value=months)
        upto = np.unique(np.append(tenors[tenors < months], months))
        steps = annuities(upto, discount=self.discount, payment=self.payment)
        return float(pars(forward[np.searchsorted(tenors, upto)], steps)[-1])

    def forward(self, index: str, first: int, months: int) -> float:
        """Rate of a rental from `first` to `months` months from now."""
        if not 0 <= first < months:
            raise InputError.of("rental", "a period that begins before it ends", value=f"{first} to {months}")
        if first == 0:
            return self.par(index, months)
        both = np.array([first, months])
        worth = np.array([self.par(index, int(tenor)) for tenor in both])
        return float(forwards(worth, annuities(both, discount=self.discount, payment=self.payment))[1])

    def quotes(self, *, timezone: str = "UTC") -> pl.DataFrame:
        """`Quotes` of the periods between tenors at their forwards, which `fit_curve` turns into hours.

        The periods do not overlap, so nothing in them can contradict. A period is calendar months from the local day `as_of`.
        """
        return Quotes.validate(pl.DataFrame(list(self._quoted(timezone))), cast=True)

    def tied(self, performance: Mapping[str, float], *, reference: str) -> pl.DataFrame:
        """`GenerationShifts`: each index of `performance` on the periods of `reference`, tied by work per GPU-hour.

        Args:
            performance: work of one GPU-hour of the index over that of `reference`, on one workload.
            reference: index whose forwards give the term structure.

        Raises `InputError` for unknown indices, a performance that is not above 0, and where a tenor has no period of the reference.
        """
        base = self._rows(reference)
        parts = []
        for index, ratio in performance.items():
            own = self._rows(index)
            found = tied_forwards(
                (own["months"].to_numpy(), own["par"].to_numpy()),
                (base["months"].to_numpy(), base["forward"].to_numpy()),
                performance=ratio,
                annuity=lambda months: annuities(months, discount=self.discount, payment=self.payment),
                names=(index, reference),
            )
            parts.append(
                pl.DataFrame(found).select(
                    pl.lit(self.as_of).alias("as_of"),
                    pl.lit(index).alias("index"),
                    pl.lit(reference).alias("reference"),
                    pl.lit(float(ratio)).alias("performance"),
                    "first", "months", "forward", "equal", "shift",
                )
            )  # fmt: skip
        if not parts:
            raise InputError.of("rental", "the performance of at least one index", column="performance")
        return GenerationShifts.validate(pl.concat(parts), cast=True)

    def _rows(self, index: str) -> pl.DataFrame:
        rows = self.curve.filter(pl.col("index") == index).sort("months")
        if rows.is_empty():
            known = self.curve["index"].unique().sort().to_list()
            raise InputError.of("rental", f"one of {', '.join(known)}", column="index", value=index)
        return rows

    def _quoted(self, timezone: str) -> Iterator[dict[str, object]]:
        now = midnight(self.as_of, timezone=timezone)
        for row in self.curve.sort("index", "months").iter_rows(named=True):
            span = f"{row['first']}-{row['months']} months"
            yield {
                "as_of": now, "quote_id": f"{row['index']} rental {span}", "index": row["index"], "contract": f"{row['index']} {span}",
                "start": midnight(months_after(self.as_of, row["first"]), timezone=timezone),
                "end": midnight(months_after(self.as_of, row["months"]), timezone=timezone),
                "profile": "base", "bid": None, "price": row["forward"], "ask": None, "average": "hourly", "calendar": None,
                "timezone": timezone, "source": "rental rates",
            }  # fmt: skip


def rental_curve(
    rates: pl.DataFrame, *, as_of: date | None = None, discount: Discount | None = None, payment: Payment = "arrears"
) -> RentalCurve:
    """Forwards in the par rates of every index, on one day.

    Args:
        rates: `RentalRates`.
        as_of: day; None is the last of the table. Rows of other days are left alone.
        discount: of the monthly payments; None is the zero-rate case, F = (T₂ P₂ − T₁ P₁) / (T₂ − T₁).
        payment: `arrears` or `advance`.

    Raises `InputError` for a bad table, for a day without rates, and where a longer rental costs less than a shorter one, every such
    pair with its size.

    >>> day = date(2026, 4, 24)
    >>> table = pl.DataFrame({"as_of": [day] * 2, "index": ["A100"] * 2, "months": [12, 36], "price": [3.2979, 2.8713]})
    >>> rental_curve(table).curve["forward"].round(4).to_list()
    [3.2979, 2.658]
    """
    known = checked(rates, RentalRates, name="rates")
    last = known["as_of"].max()
    if not isinstance(last, date):
        raise InputError.of("rates", "at least one row")
    day = as_of or last
    mine = known.filter(pl.col("as_of") == day).sort("index", "months")
    if mine.is_empty():
        days = known["as_of"].unique().sort()
        raise InputError.of("rates", f"a day with rates, {days[0]} to {days[-1]}", column="as_of", value=day)
    tenors = mine["months"].to_numpy()
    worth = annuities(np.arange(1, int(tenors.max()) + 1), discount=discount, payment=payment)
    faults, parts = [], []
    for (index,), rows in mine.group_by("index", maintain_order=True):
        months, par = rows["months"].to_numpy(), rows["price"].to_numpy()
        annuity = worth[months - 1]
        found = refuse_free_months(par, annuity, months, index=str(index))
        faults += found
        if not found:
            parts.append(_forward_rows(day, str(index), months, par, annuity))
    if faults:
        raise InputError(faults)
    return RentalCurve(
        as_of=day, rates=mine, curve=RentalForwards.validate(pl.concat(parts), cast=True), discount=discount, payment=payment
    )


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last day where it has no such day.

    >>> months_after(date(2027, 1, 31), 13)
    datetime.date(2028, 2, 29)
    """
    return pl.Series([day]).dt.offset_by(f"{months}mo").to_list()[0]  # type: ignore[no-any-return]


def _forward_rows(day: date, index: str, months: Months, par: Vector, annuity: Vector) -> pl.DataFrame:
    forward = np.maximum(forwards(par, annuity), 0.0)  # what is below zero here is rounding: more was refused
    return pl.DataFrame(
        {
            "as_of": [day] * months.size,
            "index": [index] * months.size,
            "first": np.concatenate([[0], months[:-1]]),
            "months": months,
            "par": par,
            "annuity": annuity,
            "forward": forward,
            "ageing": pl.Series(ageing(forward, months), nan_to_null=True),
        }
    )

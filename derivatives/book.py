"""A book of trades valued on its curves: what each trade is worth, and what moves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import RiskKind
from tenorgrid.data.tables.book import Risks, Values
from tenorgrid.data.tables.curve import Volatility
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Fixings
from tenorgrid.data.terms.contracts import CapacityContract, Forward, VirtualBid
from tenorgrid.data.terms.trades import Terms, terms
from tenorgrid.derivatives import capacity, forwards, virtual
from tenorgrid.derivatives.valuation import Valuation

TICK = 0.01
ROUNDING = 1e-10  # part of a trade's largest sensitivity
GPU_HOURS = "GPU-hours"
USD_PER_TICK = "USD per 0.01"
MONTH = "month "  # what month buckets begin with, so that no quote is taken for one


@dataclass(frozen=True, eq=False, kw_only=True)
class BookValue:
    """`values` (`Values`) and `risks` (`Risks`) of a book."""

    values: pl.DataFrame
    risks: pl.DataFrame

    @property
    def value(self) -> float:
        """Present value of the whole book, USD."""
        return float(self.values["value"].sum())

    def delta(self, by: Literal["quote", "month"], *, unit: str = GPU_HOURS) -> pl.DataFrame:
        """Delta of the whole book, columns bucket and amount: by quote through the Jacobian, or by delivery month of the curve's hours."""
        months = pl.col("bucket").str.starts_with(MONTH)
        return self._total(RiskKind.DELTA, unit, months if by == "month" else ~months)

    def vega(self) -> pl.DataFrame:
        """Vega of the whole book by delivery month, columns bucket and amount: USD for 0.01 of volatility."""
        return self._total(RiskKind.VEGA, USD_PER_TICK, pl.lit(value=True))

    def _total(self, risk: RiskKind, unit: str, chosen: pl.Expr) -> pl.DataFrame:
        rows = self.risks.filter(pl.col("risk").cast(pl.String) == str(risk), pl.col("unit") == unit, chosen)
        return rows.group_by("bucket", maintain_order=True).agg(pl.col("amount").sum())


def value(
    trades: pl.DataFrame,
    *,
    curves: Mapping[str, ForwardCurve],
    fixings: pl.DataFrame,
    volatility: pl.DataFrame,
    as_of: datetime,
    discount: Discount | None = None,
    timezone: str,
) -> BookValue:
    """Value every trade and its risks.

    Deltas are signed: positive gains when prices rise. By quote: ∂ value / ∂ quote through the curve's Jacobian, as the GPU-hours of
    quote that would hedge it and as USD for a move of 0.01; buckets are named by quote_id. By month: the same by delivery month of
    the hours of the curve, buckets `month YYYY-MM` (the two are views of one risk, not parts of it). Vega: USD for 0.01 of volatility, by
    delivery month. A risk that is 0 to rounding has no row.

    Args:
        trades: `Trades`; kinds forward, virtual and capacity.
        curves: by index; a virtual bid's node `us-east/h100-sxm/firm` reads the curve `H100-SXM.US-EAST.FIRM`.
        fixings: `Fixings`; those published after `as_of` are not read.
        volatility: `Volatility`, one row for each index with options on it.
        as_of: moment of the valuation.
        discount: rate; None is the one that each curve came with.
        timezone: of the days of the indices.

    Raises `InputError` with every fault of the trades, for an index without curve, volatility or discount, a curve of another moment and
    periods past its curve; `NotPublishedError` naming the days whose marks are missing.

    A book of five trades:

    >>> from datetime import UTC
    >>> from tenorgrid.data.terms.contracts import contract_dates
    >>> march, april = (contract_dates(f"H100-SXM.US.FIRM:2027-0{m}", timezone="America/New_York") for m in (3, 4))
    >>> evening = (datetime(2027, 3, 16, 22, tzinfo=UTC), datetime(2027, 3, 16, 23, tzinfo=UTC))
    >>> def trade(name: str, kind: str, side: str, quantity: float, index: str, span: tuple[datetime, datetime], strike: float,
    ...           params: str | None = None) -> dict[str, object]:
    ...     return {"trade_id": name, "traded_at": datetime(2027, 2, 20, tzinfo=UTC), "book": "desk", "counterparty": "acme", "kind": kind,
    ...             "side": side, "quantity": quantity, "quantity_unit": "per_hour", "index": index, "start": span[0], "end": span[1],
    ...             "strike": strike, "params": params}
    >>> book = pl.DataFrame([
    ...     trade("F-MAR", "forward", "buy", 100.0, "H100-SXM.US.FIRM", march, 2.50),
    ...     trade("F-APR", "forward", "sell", 60.0, "H100-SXM.US.FIRM", april, 2.55),
    ...     trade("C-APR", "capacity", "buy", 50.0, "H100-SXM.US.FIRM", april, 2.80),
    ...     trade("V-DEC", "virtual", "buy", 40.0, "us-east/h100-sxm/firm", evening, 2.40, '{"horizon": "week-ahead"}'),
    ...     trade("V-INC", "virtual", "sell", 25.0, "us-east/h100-sxm/firm", evening, 2.60, '{"horizon": "day-ahead"}')])
    >>> sorted(terms(book, timezone="America/New_York"))
    ['C-APR', 'F-APR', 'F-MAR', 'V-DEC', 'V-INC']
    """
    agreed = terms(trades, timezone=timezone)
    _refuse_unpriced(agreed, curves, as_of)
    rates = _rates(agreed, curves, discount)
    known = _known(fixings, as_of)
    sigma = _sigma(agreed, volatility)
    rows: list[pl.DataFrame] = []
    worth: list[tuple[str, float]] = []
    kinds = dict(trades.select("trade_id", pl.col("kind").cast(pl.String)).iter_rows())
    for name, one in agreed.items():
        curve = curves[one.index]
        found = _valued(one, curve, known.get(one.index, {}), sigma.get(one.index, 0.0), as_of, rates[one.index])
        worth.append((name, found.value))
        rows.append(_risks(name, found, curve, timezone))
    values = pl.DataFrame(worth, schema={"trade_id": pl.String, "value": pl.Float64}, orient="row").select(
        "trade_id",
        pl.col("trade_id").replace_strict(kinds, return_dtype=pl.String).alias("kind"),
        "value",
        pl.lit("USD").alias("currency"),
        pl.lit(as_of).dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("as_of"),
    )
    return BookValue(values=Values.validate(values, cast=True), risks=Risks.validate(pl.concat(rows), cast=True))


def _valued(one: Terms, curve: ForwardCurve, known: Mapping[date, float], sigma: float, as_of: datetime, discount: Discount) -> Valuation:
    match one:
        case Forward():
            return forwards.value(one, curve=curve, fixings=known, as_of=as_of, discount=discount)
        case VirtualBid():
            return virtual.value(one, curve=curve, as_of=as_of, discount=discount)
        case CapacityContract():
            return capacity.value(one, curve=curve, volatility=sigma, as_of=as_of, discount=discount)


def _risks(name: str, found: Valuation, curve: ForwardCurve, timezone: str) -> pl.DataFrame:
    by_quote = dict(zip(curve.quotes["quote_id"], found.delta @ curve.sensitivity, strict=True))
    delta = {**by_quote, **_by_month(found.delta, curve, timezone)}
    rows = [
        (name, str(RiskKind.DELTA), bucket, amount * scale, unit)
        for bucket, amount in _kept(delta).items()
        for scale, unit in ((1.0, GPU_HOURS), (TICK, USD_PER_TICK))
    ]
    if found.vega is not None:
        vega = _kept(_by_month(found.vega, curve, timezone))
        rows += [(name, str(RiskKind.VEGA), bucket, amount * TICK, USD_PER_TICK) for bucket, amount in vega.items()]
    columns = {"trade_id": pl.String, "risk": pl.String, "bucket": pl.String, "amount": pl.Float64, "unit": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")


def _by_month(amount: Vector, curve: ForwardCurve, timezone: str) -> dict[str, float]:
    month = curve.starts.dt.convert_time_zone(timezone).dt.to_string("%Y-%m")
    sums = pl.DataFrame({"month": month, "amount": amount}).group_by("month", maintain_order=True).agg(pl.col("amount").sum())
    return {MONTH + label: total for label, total in sums.iter_rows()}


def _kept(amounts: Mapping[str, float]) -> dict[str, float]:
    """Without what is 0 but for rounding."""
    least = ROUNDING * max((abs(amount) for amount in amounts.values()), default=0.0)
    return {bucket: float(amount) for bucket, amount in amounts.items() if abs(amount) > least}


def _known(fixings: pl.DataFrame, as_of: datetime) -> dict[str, dict[date, float]]:
    found: dict[str, dict[date, float]] = {}
    published = checked(fixings, Fixings, name="fixings").filter(pl.col("published_at") <= as_of)
    for index, day, fixing in published.select("index", "date", "value").iter_rows():
        found.setdefault(index, {})[day] = fixing
    return found


def _sigma(agreed: Mapping[str, Terms], volatility: pl.DataFrame) -> dict[str, float]:
    rows = checked(volatility, Volatility, name="volatility").select("index", "volatility").rows()
    found = dict(rows)
    needed = {one.index for one in agreed.values() if isinstance(one, CapacityContract)}
    faults = [
        Fault(file="volatility", column="index", value=f"{count} rows of {index}", expected="one model's volatility")
        for index in sorted(needed)
        if (count := sum(name == index for name, _ in rows)) != 1
    ]
    if faults:
        raise InputError(faults)
    return found


def _rates(agreed: Mapping[str, Terms], curves: Mapping[str, ForwardCurve], given: Discount | None) -> dict[str, Discount]:
    used = sorted({one.index for one in agreed.values()})
    found = {index: rate for index in used if (rate := given or curves[index].discount) is not None}
    lacking = [
        Fault(file="curve", column="discount", value=f"none with {index}", expected="a rate") for index in used if index not in found
    ]
    if lacking:
        raise InputError(lacking)
    return found


def _refuse_unpriced(agreed: Mapping[str, Terms], curves: Mapping[str, ForwardCurve], as_of: datetime) -> None:
    faults = [
        Fault(file="trades", column="index", value=f"{one.index} in {name}", expected=f"an index with a curve: {', '.join(sorted(curves))}")
        for name, one in agreed.items()
        if one.index not in curves
    ]
    used = {one.index for one in agreed.values()} & curves.keys()
    faults += [
        Fault(file="curve", column="as_of", value=f"{index} as of {curves[index].as_of}", expected=f"a curve as of {as_of}")
        for index in sorted(used)
        if curves[index].as_of != as_of
    ]
    if faults:
        raise InputError(faults)

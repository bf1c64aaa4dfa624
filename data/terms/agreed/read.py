"""Rows of the trades table as frames of terms, one a kind: checked by columns, so that a hundred thousand cost little more than ten."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import Averaging, MissingDay, Profile, QuantityUnit, TradeKind, TradeSide
from tenorgrid.data.periods import in_profile, midnight
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.door import checked
from tenorgrid.data.terms.agreed.kinds import OPTIONAL, RULES, Rule
from tenorgrid.data.terms.agreed.listed import with_rules
from tenorgrid.data.terms.agreed.params import read_params
from tenorgrid.data.terms.agreed.rights import unfit
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.data.terms.specifications.products import Product, known

FILE = "trades"
UTC_TIME = pl.Datetime("us", "UTC")
Agreed = dict[TradeKind, pl.DataFrame]


def read_trades(trades: pl.DataFrame, *, timezone: str, products: pl.DataFrame | None = None) -> Agreed:
    """Terms of the trades of each kind, in the order of the rows.

    Columns: those of `Trades`, and `number` (row, from 1), `sign` (1 for a buyer, −1 for a seller), `quantity` (by the hour), `amount`
    (GPU-hours or units of work that the pay-off is multiplied by), `hours` (that count), `average`, `pay` (moment, the end where none is
    agreed), `premium_at`, and one for each parameter of the kind.

    A `total` is divided by the hours of the profile; `lots` are of futures alone, `lot` GPU-hours each. What a future on a listed
    contract (GPU1J27, INDEX:PERIOD) leaves out, lot, average, calendar and missing_day, is its product's. A virtual bid's node
    LOCATION/RESOURCE/TIER becomes the index RESOURCE.LOCATION.TIER.

    Args:
        trades: `Trades`.
        timezone: of the days of every index in them.
        products: the user's own `Products` beside the packaged ones.

    Raises `InputError` with every fault of every row.

    >>> from datetime import UTC
    >>> row = {"trade_id": "T1", "traded_at": datetime(2027, 3, 1, tzinfo=UTC), "book": "desk", "counterparty": "acme", "kind": "average",
    ...        "side": "sell", "quantity": 100.0, "quantity_unit": "per_hour", "index": "H100-SXM.US.FIRM", "option": "call",
    ...        "start": datetime(2027, 4, 1, 4, tzinfo=UTC), "end": datetime(2027, 5, 1, 4, tzinfo=UTC), "strike": 2.5}
    >>> read_trades(pl.DataFrame([row]), timezone="America/New_York")[TradeKind.AVERAGE].select("sign", "amount", "average").row(0)
    (-1.0, 72000.0, 'calendar-day')
    """
    rows = checked(trades, Trades, name=FILE).with_row_index("number", offset=1)
    found: Agreed = {}
    faults: list[Fault] = []
    listed = known(products)
    there = set(rows["kind"].cast(pl.String).unique())
    for kind, rule in RULES.items():
        if str(kind) not in there:
            continue
        mine = rows.filter(pl.col("kind").cast(pl.String) == str(kind))
        made, wrong = _of_kind(mine, kind, rule, timezone, listed)
        found[kind] = made
        faults += wrong
    if faults:
        raise InputError(sorted(faults, key=lambda fault: fault.row or 0))
    return found


def _of_kind(
    rows: pl.DataFrame, kind: TradeKind, rule: Rule, timezone: str, products: Mapping[str, Product]
) -> tuple[pl.DataFrame, list[Fault]]:
    faults = list(_columns(rows, kind, rule))
    values, wrong = read_params(rows["params"], rule.parameters, kind=str(kind))
    for text, told in wrong.items():
        mine = rows.filter(pl.col("params").is_null() if text is None else pl.col("params") == text)
        faults += [Fault(file=FILE, row=row, column="params", value=value, expected=want) for row in mine["number"] for value, want in told]
    faults += list(_contracts(rows, kind, timezone))
    rows = rows.join(values, on="params", how="left", nulls_equal=True, maintain_order="left")
    if rule.lots:
        rows, contradictions = with_rules(rows, products, timezone)
        faults += contradictions
    rows = rows.with_columns(
        pl.col("profile").cast(pl.String).fill_null(str(Profile.BASE)),
        pl.when(pl.col("side").cast(pl.String) == TradeSide.BUY.value).then(1.0).otherwise(-1.0).alias("sign"),
    )
    if "average" not in rows.columns:
        rows = rows.with_columns(pl.lit(str(Averaging.HOURLY)).alias("average"))
    faults += [*_periods(rows, kind, rule, timezone), *unfit(rows, kind)]
    if faults:
        return rows, faults
    if kind == TradeKind.VIRTUAL:
        parts = pl.col("index").str.split("/").list
        rows = rows.with_columns(pl.format("{}.{}.{}", parts.get(1), parts.get(0), parts.get(2)).str.to_uppercase().alias("index"))
    return _amounts(_paid(rows, timezone), rule, timezone), []


def _columns(rows: pl.DataFrame, kind: TradeKind, rule: Rule) -> Iterator[Fault]:
    for column in OPTIONAL:
        there = pl.col(column).is_not_null()
        if column in rule.needs:
            yield from _told(rows, ~there, column, f"something: a {kind} needs it")
        elif column not in rule.may and not (column == "missing_day" and rule.days):
            yield from _told(rows, there, column, f"nothing: a {kind} has no {column}")
    yield from _told(rows, ~pl.col("strike").is_finite(), "strike", "a number")
    if rule.days:
        known_rule = pl.col("missing_day").is_in([str(one) for one in MissingDay])
        yield from _told(rows, ~known_rule, "missing_day", f"one of {', '.join(MissingDay)}")
    if kind in (TradeKind.AMERICAN, TradeKind.BARRIER):
        yield from _told(rows, pl.col("strike") <= 0, "strike", "a strike above 0")
    if "option" in rule.needs:
        yield from _told(rows, ~pl.col("option").is_in(["call", "put"]), "option", "call or put")
    elif kind == TradeKind.PERPETUAL:
        total = pl.col("quantity_unit").cast(pl.String) == QuantityUnit.TOTAL.value
        yield from _told(rows, ~total, "quantity_unit", "total: a perpetual is of so many GPU-hours")
    elif kind == TradeKind.CAPACITY:
        yield from _told(rows, pl.col("option") != "call", "option", "call or nothing for a capacity contract")
        yield from _told(rows, pl.col("strike") <= 0, "strike", "a strike above 0")
    unit = pl.col("quantity_unit").cast(pl.String)
    lots = QuantityUnit.LOTS.value
    if rule.lots:
        yield from _told(rows, unit != lots, "quantity_unit", f"lots: a {kind} counts them")
    else:
        yield from _told(rows, unit == lots, "quantity_unit", f"per_hour or total: a {kind} has no lots")
    if "premium" in rule.may:
        yield from _told(rows, pl.col("premium").is_not_null() & pl.col("pay_date").is_null(), "pay_date", "the day of the premium")
    if kind == TradeKind.VIRTUAL:
        yield from _told(rows, pl.col("index").str.count_matches("/", literal=True) != 2, "index", "a node LOCATION/RESOURCE/TIER")
        yield from _told(rows, pl.col("profile").cast(pl.String) != "base", "profile", "base or nothing for a virtual")


def _contracts(rows: pl.DataFrame, kind: TradeKind, timezone: str) -> Iterator[Fault]:
    """Codes that say INDEX:PERIOD must be of the index, and every code's dates those of the row."""
    for code, mine in rows.filter(pl.col("contract").is_not_null()).group_by("contract", maintain_order=True):
        contract = str(code[0])
        try:
            start, end = contract_dates(contract, timezone=timezone)
        except InputError as error:
            for fault in error.faults:
                yield from _told(mine, pl.lit(value=True), "contract", fault.expected)
            continue
        if ":" in contract:
            strange = mine.filter(pl.col("index") != contract.partition(":")[0])
            for number, index in strange.select("number", "index").iter_rows():
                yield Fault(file=FILE, row=number, column="contract", value=contract, expected=f"a contract on the trade's index {index}")
        for column, moment in (("start", start), ("end", end)):
            yield from _told(mine, pl.col(column) != pl.lit(moment, dtype=UTC_TIME), column, f"{moment.isoformat()}, as {contract} says")


def _periods(rows: pl.DataFrame, kind: TradeKind, rule: Rule, timezone: str) -> Iterator[Fault]:
    daily = pl.col("average").is_in([str(Averaging.CALENDAR_DAY), str(Averaging.BUSINESS_DAY)]) if rule.days else pl.lit(value=False)
    if kind == TradeKind.PERPETUAL:  # whose funding is paid by the day
        daily = pl.lit(value=True)
    for column in ("start", "end"):
        local = pl.col(column).dt.convert_time_zone(timezone)
        yield from _told(rows, daily & (local != local.dt.truncate("1d")), column, f"midnight in {timezone}")
        yield from _told(rows, pl.col(column) != pl.col(column).dt.truncate("1h"), column, "a whole hour")
    business = pl.col("average") == str(Averaging.BUSINESS_DAY)
    if rule.days:
        yield from _told(rows, business & pl.col("calendar").is_null(), "calendar", "a calendar of the business days")
        yield from _told(rows, ~business & pl.col("calendar").is_not_null(), "calendar", "nothing beside an average of other days")
    if kind == TradeKind.PERPETUAL:
        yield from _told(rows, pl.col("interest") >= pl.col("rate"), "params", "an interest below the rate")
        yield from _told(rows, pl.col("profile").cast(pl.String) != "base", "profile", "base or nothing for a perpetual")
    if "expiry" in rule.needs:
        yield from _told(rows, pl.col("expiry") > pl.col("start"), "expiry", "an expiry at or before the delivery begins")
    if kind == TradeKind.BASKET_OPTION and "weights" in rows.columns:
        negative = [text for text in rows["weights"].drop_nulls().unique() if min(json.loads(text).values()) < 0]
        wanted = "weights above 0: an option on a difference is a spread-option"
        yield from _told(rows, pl.col("weights").is_in(negative), "params", wanted)
    if kind == TradeKind.COLLAR and "floor" in rows.columns:
        yield from _told(rows, pl.col("floor") > pl.col("strike"), "params", "a floor not above the strike of the cap")


def _told(rows: pl.DataFrame, wrong: pl.Expr, column: str, expected: str) -> Iterator[Fault]:
    for number, value in rows.filter(wrong).select("number", pl.col(column).cast(pl.String)).iter_rows():
        yield Fault(file=FILE, row=number, column=column, value="nothing" if value is None else value, expected=expected)


def _paid(rows: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """`pay`: the moment at which the day of payment begins, else the end of delivery. Where there is a premium the day is the premium's."""
    days = rows["pay_date"].drop_nulls().unique().to_list()
    moments: dict[object, datetime] = {day: midnight(day, timezone=timezone) for day in days}
    agreed = pl.col("pay_date").replace_strict(moments, default=None, return_dtype=UTC_TIME) if moments else pl.lit(None, dtype=UTC_TIME)
    of_premium = pl.col("premium").is_not_null()
    return rows.with_columns(agreed.alias("premium_at"), pl.when(of_premium).then("end").otherwise(pl.coalesce(agreed, "end")).alias("pay"))


def _amounts(rows: pl.DataFrame, rule: Rule, timezone: str) -> pl.DataFrame:
    """`quantity` an hour and `amount` in all, from the hours that count."""
    spans = rows.select("start", "end", "profile").unique()
    counts = pl.Series("hours", [hours_of(start, end, profile, timezone) for start, end, profile in spans.iter_rows()], dtype=pl.Float64)
    rows = rows.join(spans.with_columns(counts), on=["start", "end", "profile"], how="left", maintain_order="left")
    if rule.lots:
        lot = pl.coalesce("lot", "hours")
        return rows.with_columns(lot.alias("lot"), (pl.col("quantity") * lot).alias("amount")).with_columns(
            (pl.col("amount") / pl.col("hours")).alias("quantity")
        )
    total = pl.col("quantity_unit").cast(pl.String) == QuantityUnit.TOTAL.value
    an_hour = pl.when(total).then(pl.col("quantity") / pl.col("hours")).otherwise(pl.col("quantity"))
    return rows.with_columns(an_hour.alias("quantity")).with_columns((pl.col("quantity") * pl.col("hours")).alias("amount"))


def hours_of(start: datetime, end: datetime, profile: str, timezone: str) -> float:
    """Hours of a period that a profile counts on the clock of a time zone."""
    hours = (end - start).total_seconds() / 3600
    if profile == Profile.BASE:
        return hours
    starts = pl.datetime_range(start, end, "1h", closed="left", time_zone="UTC", time_unit="us", eager=True).alias("start")
    return float(starts.to_frame().select(in_profile("start", profile, timezone=timezone).sum()).item())

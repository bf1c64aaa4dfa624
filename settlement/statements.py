"""Statements per participant, day, charge code and horizon, exact; and invoices, rounded once to cents."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import ChargeCode, OperatorAccount
from tenorgrid.data.tables.settled import Invoices
from tenorgrid.data.tables.settled import Statements as Lines
from tenorgrid.settlement.events import HALF, digests
from tenorgrid.settlement.money import MICRO, cents, dollars

OPERATOR = tuple(account.value for account in OperatorAccount)


def statements(ledger: pl.DataFrame, positions: pl.DataFrame, *, timezone: str) -> pl.DataFrame:
    """`Statements` of every account: exact sums of postings, the operator's accounts included, so that the whole sums to zero.

    The first half of an event's name says which run and charge code it is of; positions tell the horizon of each.

    Args:
        ledger: postings; those that round an invoice are left out.
        positions: the events.
        timezone: of the market; days are its local days.

    Raises InputError for a posting whose run has no position.
    """
    half = pl.col("event_id").str.slice(0, HALF).alias("event_id")  # first sums per run and account: the joins are then short
    named = pl.col("charge_code", "interval", "version").first()  # which the half decides
    sums = ledger.group_by(half, "account").agg(named, pl.col("amount").sum(), pl.len().alias("postings"))
    rows = _dated(sums, positions, timezone=timezone)
    if rows["horizon"].null_count():
        strange = rows.filter(pl.col("horizon").is_null())["event_id"][0]
        raise InputError.of("ledger", "events of runs that have a position", column="event_id", value=strange)
    keys = ["participant", "day", "charge_code", "horizon", "version"]
    lines = rows.group_by(keys).agg(pl.col("amount").sum(), pl.col("postings").sum().cast(pl.Int64)).sort(keys)
    return Lines.validate(lines.with_columns(_usd("amount")).select(list(Lines.columns())))


def invoices(ledger: pl.DataFrame, *, interval: timedelta) -> pl.DataFrame:
    """`Invoices` of every participant: the sum of its postings, rounded half-even to cents.

    Args:
        ledger: postings; those that round an earlier invoice are left out.
        interval: Δ, by which the last interval's end is found.
    """
    mine = ledger.filter(~pl.col("account").is_in(OPERATOR) & _settles())
    keys = ["participant", "version"]
    sums = (
        mine.rename({"account": "participant"})
        .group_by(keys)
        .agg(pl.col("interval").min().alias("start"), pl.col("interval").max().alias("end") + interval, pl.col("amount").sum())
        .sort(keys)
    )
    exact = [dollars(amount) for amount in sums["amount"]]
    paid = [cents(amount) for amount in exact]
    return Invoices.validate(
        sums.drop("amount").with_columns(
            pl.Series("exact", exact, dtype=pl.Decimal(38, 6)),
            pl.Series("amount", paid, dtype=pl.Decimal(38, 2)),
            pl.Series("rounding", [after - before for before, after in zip(exact, paid, strict=True)], dtype=pl.Decimal(38, 6)),
        )
    )


def rounding_postings(owed: pl.DataFrame, ledger: pl.DataFrame, *, interval: timedelta, recorded_at: datetime) -> pl.DataFrame:
    """Postings that bring each participant's balance to the whole cents of its invoice, against the ROUNDING account.

    An invoice that grew since it was last rounded is posted the difference; one that did not change posts nothing.

    Args:
        owed: `Invoices` of the ledger.
        ledger: all postings.
        interval: Δ; the postings stand in the last interval settled.
        recorded_at: when they are made.
    """
    done = (
        ledger.filter(~_settles())
        .group_by(pl.col("account").alias("participant"), "version")
        .agg(pl.col("amount").sum().alias("posted"), pl.len().alias("count"))
    )
    rows = owed.join(done, on=["participant", "version"], how="left", maintain_order="left")
    wanted = pl.Series("micro", [int(rounding * MICRO) for rounding in rows["rounding"]], dtype=pl.Int64)
    rows = rows.with_columns(wanted - rows["posted"].fill_null(0), pl.col("count").fill_null(0)).filter(pl.col("micro") != 0)
    event = _named(rows.select("participant", "version", "exact", "count").iter_rows())
    rows = rows.with_columns((event + digests((name,) for name in rows["participant"])).alias("event_id"))
    operator = pl.lit(OperatorAccount.ROUNDING.value)
    side = [
        rows.select("event_id", posting_id=pl.col("event_id") + ".1", account="participant", amount="micro"),
        rows.select("event_id", posting_id=pl.col("event_id") + ".2", account=operator, amount=-pl.col("micro")),
    ]
    dated = rows.select("event_id", "version", interval=pl.col("end") - interval)
    return (
        pl.concat(side)
        .join(dated, on="event_id", maintain_order="left")
        .with_columns(charge_code=pl.lit(ChargeCode.INVOICE.value), effective_at=pl.col("interval"), recorded_at=pl.lit(recorded_at))
    )


def drill_down(ledger: pl.DataFrame, positions: pl.DataFrame, *, participant: str, timezone: str) -> pl.DataFrame:
    """Every posting of a participant with its day and position: what its statement lines are the sums of."""
    mine = ledger.filter(pl.col("account") == participant)
    events = positions.filter(pl.col("participant") == participant).drop(
        "participant", "case", "charge_code", "start", "effective_at", "recorded_at", "version", "horizon"
    )
    return _dated(mine, positions, timezone=timezone).join(events, on="event_id", how="left", maintain_order="left")


def _dated(ledger: pl.DataFrame, positions: pl.DataFrame, *, timezone: str) -> pl.DataFrame:
    """Postings of runs with their participant, local day and horizon."""
    half = pl.col("event_id").str.slice(0, HALF)
    horizons = positions.group_by("horizon", "start", "charge_code", "version").agg(half.first().alias("half"))
    intervals = ledger.select(pl.col("interval").unique())
    local = intervals.with_columns(pl.col("interval").dt.convert_time_zone(timezone).dt.date().alias("day"))
    return (
        ledger.filter(_settles())
        .rename({"account": "participant"})
        .with_columns(half.alias("half"))
        .join(horizons.select("half", "horizon"), on="half", how="left", maintain_order="left")
        .join(local, on="interval", how="left", maintain_order="left")
        .drop("half")
    )


def _settles() -> pl.Expr:
    return pl.col("charge_code").cast(pl.String) != ChargeCode.INVOICE.value


def _usd(name: str) -> pl.Expr:
    """Micro-dollars as USD: six digits more than a whole number has, so the quotient is exact."""
    return pl.col(name).cast(pl.Decimal(38, 6)) / pl.lit(Decimal(MICRO))


def _named(keys: Iterable[tuple[str, str, Decimal, int]]) -> pl.Series:
    return digests(("invoice", name, version, str(exact), str(count)) for name, version, exact, count in keys)

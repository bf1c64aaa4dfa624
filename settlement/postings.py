"""Positions and cash as rows: settlement events, and the postings of each."""

from datetime import datetime

import numpy as np
import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.kinds.contract import ChargeCode, OperatorAccount
from tenorgrid.data.tables.settled import Ledger, Positions
from tenorgrid.settlement.awarded import Held
from tenorgrid.settlement.coding import Codes, Coding, Matrix, Runs
from tenorgrid.settlement.events import first_halves, join_halves, second_halves
from tenorgrid.settlement.money import Amounts
from tenorgrid.settlement.reserve import Legs

FIRM = "firm"
HOURS = "resource-h/h"


class Writer:
    """Makes rows of one case, version and moment of recording."""

    def __init__(self, case: Case, runs: Runs, *, version: str, recorded_at: datetime) -> None:
        self._case, self._runs, self._version, self._recorded_at = case.market.name, runs, version, recorded_at
        self._units = dict(case.workloads.select("workload", "unit").iter_rows())
        self._halves = {
            code: first_halves(runs.frame, case=case.market.name, charge_code=code, version=version)
            for code in (ChargeCode.ENERGY, ChargeCode.RESERVE)
        }

    def held(self, held: Held, price: Matrix) -> pl.DataFrame:
        """`Positions` of sales, virtual positions or work."""
        things, at = np.unique(held.thing, return_inverse=True)
        names = held.coding.decode(things)
        event = join_halves(self._halves[ChargeCode.ENERGY], held.run, second_halves(names, kind=held.kind), at)
        unit = (
            names["workload"].replace_strict({name: f"{unit}/h" for name, unit in self._units.items()}, return_dtype=pl.String)
            if "workload" in names.columns
            else pl.Series([HOURS], dtype=pl.String).new_from_index(0, names.height)
        )
        rows = names.with_columns(unit.alias("unit")).select(pl.all().gather(at))
        return self._events(
            rows,
            held.run,
            event,
            charge_code=ChargeCode.ENERGY,
            quantity=pl.Series(held.now),
            price=pl.Series(price[held.what, held.run]),
            meter=0.0 if held.kind == "virtual" else None,
        )

    def reserve(self, legs: Legs, coding: Coding, *, kind: str) -> pl.DataFrame:
        """`Positions` of headroom held or of the use it is charged to; the location is the region."""
        things, at = np.unique(legs.thing, return_inverse=True)
        names = coding.decode(things)
        event = join_halves(self._halves[ChargeCode.RESERVE], legs.run, second_halves(names, kind=kind), at)
        rows = names.rename({"region": "location"}).select(pl.all().gather(at)).with_columns(tier=pl.lit(FIRM), unit=pl.lit(HOURS))
        return self._events(
            rows,
            legs.run,
            event,
            charge_code=ChargeCode.RESERVE,
            quantity=pl.Series(legs.quantity),
            price=pl.Series(legs.price),
            meter=None,
        )

    def of_participants(self, positions: pl.DataFrame, amount: Amounts) -> pl.DataFrame:
        """One posting to the holder of each position."""
        return positions.select(
            posting_id=pl.col("event_id") + ".1",
            event_id="event_id",
            account="participant",
            charge_code="charge_code",
            interval="start",
            amount=pl.Series(amount),
            version="version",
            effective_at="effective_at",
            recorded_at="recorded_at",
        ).cast({"charge_code": Ledger.columns()["charge_code"].dtype})

    def of_operator(self, account: OperatorAccount, amount: Amounts, run: Codes, *, charge_code: ChargeCode) -> pl.DataFrame:
        """One posting to an operator account of each run."""
        half = second_halves(pl.DataFrame({"account": [account.value]}), kind="operator")
        event = join_halves(self._halves[charge_code], run, half, np.zeros(run.size, dtype=np.int64))
        start = self._runs.frame["start"].gather(run)
        return pl.DataFrame({"posting_id": event + ".1", "event_id": event, "interval": start, "effective_at": start}).select(
            "posting_id",
            "event_id",
            account=pl.lit(account.value),
            charge_code=pl.lit(charge_code.value, dtype=Ledger.columns()["charge_code"].dtype),
            interval="interval",
            amount=pl.Series(amount),
            version=pl.lit(self._version),
            effective_at="effective_at",
            recorded_at=pl.lit(self._recorded_at).cast(pl.Datetime("us", "UTC")),
        )

    def _events(
        self, rows: pl.DataFrame, run: Codes, event: pl.Series, *, charge_code: ChargeCode, quantity: pl.Series, price: pl.Series,
        meter: float | None,
    ) -> pl.DataFrame:  # fmt: skip
        frame = self._runs.frame
        start = frame["start"].gather(run)
        columns = Positions.columns()
        empty = {name: pl.lit(None, dtype=pl.String).alias(name) for name in ("location", "resource", "workload", "home")}
        return rows.with_columns(
            *(expr for name, expr in empty.items() if name not in rows.columns),
            event_id=event,
            case=pl.lit(self._case),
            charge_code=pl.lit(charge_code.value, dtype=columns["charge_code"].dtype),
            horizon=frame["horizon"].gather(run),
            start=start,
            quantity=quantity,
            price=price,
            meter=pl.lit(meter, dtype=pl.Float64),
            effective_at=start,
            recorded_at=pl.lit(self._recorded_at).cast(pl.Datetime("us", "UTC")),
            version=pl.lit(self._version),
        ).select(list(columns))

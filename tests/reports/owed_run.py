"""A made-up book and its value, what was settled, and hedges."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.data import store
from tenorgrid.data.tables.book import Risks, Trades, Values
from tenorgrid.data.tables.settled import Basis, Checks, Invoices, Statements
from tests.reports.run_parts import AS_OF, FIRST, LAST, write_part


# fmt: off
# (the rows of made-up tables, several columns a line)
def write_value(folder: Path) -> None:
    ids = {
        "fwd-mar": ("forward", 41250.0),
        "fwd-apr": ("forward", -12800.0),
        "cap-apr": ("capacity", 230500.0),
        "virt-0316": ("virtual", 815.0),
    }
    values = [{"trade_id": name, "kind": kind, "value": value, "currency": "USD", "as_of": AS_OF} for name, (kind, value) in ids.items()]
    write_part(folder, "value", "values", pl.DataFrame(values), Values)
    trades = [
        {
            "trade_id": name, "traded_at": FIRST, "book": "house", "counterparty": "acme", "kind": kind, "side": "buy",
            "quantity": 100.0, "quantity_unit": "per_hour", "index": "H100-SXM.US.FIRM", "start": AS_OF, "end": LAST, "strike": 2.5,
        }
        for name, (kind, _) in ids.items()
    ]
    write_part(folder, "value", "trades", pl.DataFrame(trades), Trades)
    risks = [
        {"trade_id": name, "risk": "delta", "bucket": f"q{bucket}", "amount": 1000.0 * (bucket - 2) * (1 + place), "unit": "GPU-hours"}
        for place, name in enumerate(ids)
        for bucket in range(8)
    ]
    risks += [{"trade_id": name, "risk": "delta", "bucket": "month 2027-04", "amount": 700.5, "unit": "GPU-hours"} for name in ids]
    risks += [{"trade_id": "cap-apr", "risk": "vega", "bucket": "2027-04", "amount": 99.0, "unit": "USD per 0.01"}]
    write_part(folder, "value", "risks", pl.DataFrame(risks), Risks)


def write_settle(folder: Path, rng: np.random.Generator) -> None:
    names = (
        [f"supplier-{n}" for n in range(6)] + [f"buyer-{n}" for n in range(6)] + ["virtual-1", "operator:congestion", "operator:rounding"]
    )
    cents = {name: int(rng.integers(1, 10**9)) * (-1 if name.startswith("buyer") else 1) for name in names}
    rows = [
        {
            "participant": name, "day": date(2027, 1, 1) + timedelta(days=day), "charge_code": code, "horizon": horizon,
            "version": version, "amount": str(round(cents[name] * share * part / 100 + day, 6)), "postings": 24,
        }
        for name in names
        for day in range(5)
        for horizon, share in (("month-ahead", 0.6), ("week-ahead", 0.2), ("day-ahead", 0.15), ("real-time", -0.05))
        for code, part in (("energy", 1.0), ("reserve", 0.01))
        for version in ("initial", "final")
    ]
    frame = pl.DataFrame(rows).with_columns(pl.col("amount").cast(pl.Decimal(38, 6)))
    write_part(folder, "settle", "statements", frame, Statements)
    sums = frame.group_by("participant", "version").agg(pl.col("amount").sum().alias("exact")).sort("participant", "version")
    invoices = sums.with_columns(
        pl.lit(FIRST).alias("start"), pl.lit(AS_OF).alias("end"), pl.col("exact").round(2).cast(pl.Decimal(38, 2)).alias("amount")
    )
    invoices = invoices.with_columns((pl.col("amount").cast(pl.Decimal(38, 6)) - pl.col("exact")).alias("rounding")).select(
        list(Invoices.columns())
    )
    write_part(folder, "settle", "invoices", invoices, Invoices)
    checks = pl.DataFrame(
        {
            "check": ["sum of all postings", "rounding", "solver residual"], "amount": [0.0, 1214.0, 3e-8],
            "bound": [0.0, 60000.0, 1e-6], "unit": ["micro-USD", "micro-USD", "1"], "passed": [True, True, False],
        }
    )
    write_part(folder, "settle", "checks", checks, Checks)


def write_basis(folder: Path, rng: np.random.Generator) -> None:
    index, changes = "H100-SXM.US.FIRM", rng.normal(0, 0.08, 73)
    series = [
        {
            "date": date(2027, 1, 2) + timedelta(days=day), "exposure": name, "index": index,
            "exposure_change": float(ratio * changes[day] + rng.normal(0, noise)), "index_change": float(changes[day]),
        }
        for name, ratio, noise in (("decode-us-west", 0.16, 0.004), ("train-eu", 40.0, 9.0))
        for day in range(73)
    ]
    (folder / "basis").mkdir()
    store.write_table(folder / "basis", "series", pl.DataFrame(series))
    rows = [
        {
            "exposure": name, "index": index, "method": "ols-hac", "start": FIRST, "end": AS_OF, "observations": 73, "ratio": ratio,
            "lower": 0.9 * ratio, "upper": 1.1 * ratio, "effectiveness": good, "out_of_sample": good - 0.05, "correlation": good**0.5,
            "verdict": verdict,
        }
        for name, ratio, good, verdict in (("decode-us-west", 0.16, 0.91, "effective"), ("train-eu", 40.0, 0.12, "ineffective"))
    ]
    write_part(folder, "basis", "basis", pl.DataFrame(rows), Basis)
# fmt: on

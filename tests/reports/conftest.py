"""A made-up run folder: every table that the report reads, in its declared schema, with plausible numbers and a fixed seed."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dataframely as dy
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from tenorgrid.data import store
from tenorgrid.data.tables.book import Risks, Trades, Values
from tenorgrid.data.tables.cleared import Allocation, Awards, Binding, Certificate, Commitments, DomainPrices, Prices, Surplus, Uplift
from tenorgrid.data.tables.curve import Curve, Quotes, Volatility
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.data.tables.settled import Basis, Checks, Invoices, Statements

ZONE = "America/New_York"
FIRST = datetime(2027, 1, 1, 5, tzinfo=UTC)
AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
LAST = datetime(2027, 4, 1, 4, tzinfo=UTC)
LEADS = {"month-ahead": 30, "week-ahead": 7, "day-ahead": 1, "real-time": 0}
ERRORS = {"month-ahead": 0.16, "week-ahead": 0.12, "day-ahead": 0.07, "real-time": 0.0}
LOCATIONS = {"us-east": 1.0, "us-west": 1.06, "eu-north": 0.9}
CLASSES = {"a100-sxm": 1.35, "h100-sxm": 2.5, "h200-sxm": 3.1, "mi300x": 2.2, "b200-sxm": 4.4, "gb200-nvl72": 5.6}
OTHERS = {"vcpu": 0.02, "ram_gib": 0.0025, "net_gbps": 0.006}
WORK = {
    "llama2-70b-decode": ("USD/1e6 tokens", 0.42),
    "llama2-70b-prefill": ("USD/1e6 tokens", 0.08),
    "llama31-405b-train": ("USD/training step", 310.0),
}


def make_run(folder: Path, *, resources: Collection[str]) -> Path:
    """Write the whole run, Parquet and CSV mixed as real runs may."""
    rng = np.random.default_rng(7)
    prices = _prices(rng, resources)
    _part(folder, "clear", "prices", prices, Prices, form="parquet")
    _part(folder, "clear", "surplus", _surplus(), Surplus)
    _part(folder, "clear", "certificate", _certificate(rng), Certificate)
    _part(folder, "clear", "binding", _binding(rng), Binding, form="parquet")
    _whole(folder)
    _manifest(folder, "clear")
    marks = _marks(prices, rng)
    _part(folder, "marks", "marks", marks, Marks)
    _manifest(folder, "mark")
    _curve(folder, prices)
    _part(folder, "curve", "volatility", _volatility(), Volatility)
    _manifest(folder, "curve")
    _value(folder)
    _settle(folder, rng)
    _basis(folder, rng)
    return folder


def make_observations_run(folder: Path) -> Path:
    """A run on observed prices: marks, curve and volatility only, with no settings in its manifest."""
    rng = np.random.default_rng(8)
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(60)]
    rows = []
    for index, level in (("H100-SXM.WORLD.ON-DEMAND", 2.3), ("H200-SXM.WORLD.ON-DEMAND", 2.9), ("B200-SXM.WORLD.ON-DEMAND", 4.1)):
        values = level * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        rows += [_mark(index, day, value, "USD/GPUh", method="house") for day, value in zip(days, values, strict=True)]
    rows[10] |= {"value": None, "status": "withheld"}
    _part(folder, "marks", "marks", pl.DataFrame(rows), Marks)
    starts = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day) for day in range(90)]
    curve = pl.DataFrame(
        {
            "as_of": [starts[0]] * 90,
            "index": ["H100-SXM.WORLD.ON-DEMAND"] * 90,
            "start": starts,
            "end": [s + timedelta(days=1) for s in starts],
            "forward": np.linspace(2.3, 2.2, 90),
            "lower": [None] * 90,
            "upper": [None] * 90,
        },
        schema_overrides={"lower": pl.Float64, "upper": pl.Float64},
    )
    _part(folder, "curve", "curve", curve, Curve)
    _part(folder, "curve", "volatility", _volatility().head(1), Volatility)
    return folder


def _part(folder: Path, part: str, name: str, frame: pl.DataFrame, schema: type[dy.Schema], *, form: Any = "csv") -> None:
    (folder / part).mkdir(parents=True, exist_ok=True)
    store.write_table(folder / part, name, checked(frame, schema, name=name), form=form)


def _manifest(folder: Path, command: str) -> None:
    part = {"mark": "marks"}.get(command, command)
    settings = {"market": "packaged-90", "timezone": ZONE, "pricing": "marginal", "synthetic": True}
    store.write_manifest(folder / part, command=command, as_of=AS_OF, seed=7, settings=settings, written_at=AS_OF)


def _prices(rng: np.random.Generator, resources: Collection[str]) -> pl.DataFrame:
    hours = int((LAST - FIRST) / timedelta(hours=1))
    starts = pl.Series([FIRST + timedelta(hours=hour) for hour in range(hours)]).dt.cast_time_unit("us")
    daily = np.sin(2 * np.pi * (np.arange(hours) - 14) / 24)
    slow = np.cumsum(rng.normal(0, 0.012, hours)) * 0.6
    parts = []
    for location, dearness in LOCATIONS.items():
        local = slow + 0.1 * daily + rng.normal(0, 0.02, hours)
        scarce = np.where(rng.uniform(size=hours) < 0.008, rng.exponential(6.0, hours), 0.0)
        for horizon, lead in LEADS.items():
            seen = int((min(LAST, AS_OF + timedelta(days=lead)) - FIRST) / timedelta(hours=1))
            noise = ERRORS[horizon] * rng.normal(0, 1, hours) * 0.5 + ERRORS[horizon] * 0.2
            adder = scarce if horizon == "real-time" else scarce * 0.2
            for resource in resources:
                level = (CLASSES | OTHERS)[resource]
                energy = level * dearness * np.exp(local + noise)
                mine = adder * (resource in CLASSES)
                for tier, part in (("firm", 1.0), ("spot", 0.62)):
                    parts.append(
                        _node(horizon, location, resource, tier, starts[:seen], part * energy[:seen], mine[:seen] * (tier == "firm"))
                    )
    marginal = pl.concat(parts).with_columns(pl.lit("marginal").alias("pricing"))
    # One node that has neither bid nor offer in one hour.
    gone = (pl.col("start") == FIRST) & (pl.col("resource") == "h100-sxm") & (pl.col("tier") == "firm") & (pl.col("location") == "us-west")
    marginal = marginal.with_columns(pl.when(~gone).then(pl.col("price", "energy", "scarcity")))
    hull = marginal.with_columns(pl.lit("convex-hull").alias("pricing"), pl.col("price") * 3)
    bare = pl.lit(None, dtype=pl.Float64)  # cleared without intervals
    return pl.concat([marginal, hull]).with_columns(bare.alias("low"), bare.alias("high")).select(list(Prices.columns()))


def _whole(folder: Path) -> None:
    """Orders decided whole in the last three days of real time: 32 blocks, gangs, what prices leave unpaid, and one domain."""
    rng = np.random.default_rng(9)  # its own, so that all other tables stay what they were
    first, hours = AS_OF - timedelta(days=3), 72
    commitments, awards = [], []
    for number in range(36):
        side, name, whose = ("offer", f"block-{number}", f"supplier-{number % 6}") if number < 32 else ("bid", f"gang-{number}", "buyer-1")
        on = np.full(hours, number % 2) if side == "bid" else (np.arange(hours) // 12 + number) % 3 > 0
        for hour in range(hours):
            start = first + timedelta(hours=hour)
            row = {"horizon": "real-time", "start": start, "side": side, "id": name, "participant": whose, "on": bool(on[hour])}
            commitments.append(row | {"started": side == "offer" and bool(on[hour]) and (hour == 0 or not on[hour - 1])})
            if on[hour]:
                node = {"location": "us-east", "resource": "h100-sxm"} if side == "offer" else {"workload": "decode"}
                cash = 10.0 * (number + 1) * (1 if side == "offer" else -1)
                paid = {"step": 1, "tier": "firm", "quantity": 4.0, "price": abs(cash) / 4, "cash": cash}
                awards.append({key: row[key] for key in ("horizon", "start", "side", "id", "participant")} | node | paid)
    awards.append(awards[0] | {"id": "divisible", "cash": 9e9})
    _part(folder, "clear", "commitments", pl.DataFrame(commitments), Commitments)
    _part(folder, "clear", "awards", pl.DataFrame(awards, infer_schema_length=None).select(list(Awards.columns())), Awards, form="parquet")
    sizes = (("marginal", 40.0), ("convex-hull", 2.5))
    amounts = [(rule, f"supplier-{n}", f"block-{n}", size * (n + 1)) for rule, size in sizes for n in range(6)]
    uplift = [
        {
            "horizon": "real-time",
            "pricing": rule,
            "participant": whose,
            "component": name,
            "make_whole": size,
            "lost_opportunity": 1.5 * size,
        }
        for rule, whose, name, size in amounts
    ]
    _part(folder, "clear", "uplift", pl.DataFrame(uplift), Uplift)
    due = {rule: sum(size for other, *_, size in amounts if other == rule) for rule in ("marginal", "convex-hull")}
    allocation = [
        {"horizon": "real-time", "pricing": rule, "charge": charge, "participant": f"buyer-{n}", "amount": total * share * (n + 1) / 6}
        for rule, total in due.items()
        for charge, share in (("make-whole", 1.0), ("lost-opportunity", 1.5), ("shortfall", 0.25))
        for n in range(3)
    ]
    _part(folder, "clear", "allocation", pl.DataFrame(allocation), Allocation)
    premia = [
        {
            "horizon": "real-time",
            "pricing": rule,
            "start": first + timedelta(hours=hour),
            "location": "us-east",
            "resource": "b200-sxm",
            "tier": "firm",
            "domain": size,
            "premium": float(rng.uniform(0, 0.5)) * (size / 72) * (hour % 3 > 0),
        }
        for rule in ("marginal", "convex-hull")
        for hour in range(hours)
        for size in (8, 72)
    ]
    _part(folder, "clear", "domain_prices", pl.DataFrame(premia), DomainPrices)


def _node(
    horizon: str,
    location: str,
    resource: str,
    tier: str,
    starts: pl.Series,
    energy: npt.NDArray[np.float64],
    adder: npt.NDArray[np.float64],
) -> pl.DataFrame:
    return pl.DataFrame({"start": starts, "energy": energy, "scarcity": adder}).select(
        pl.lit(horizon).alias("horizon"),
        "start",
        pl.lit(location).alias("location"),
        pl.lit(resource).alias("resource"),
        pl.lit(tier).alias("tier"),
        (pl.col("energy") + pl.col("scarcity")).alias("price"),
        "energy",
        "scarcity",
    )


# fmt: off
# (the rows of made-up tables, several columns a line)
def _surplus() -> pl.DataFrame:
    rows = [
        {
            "horizon": horizon, "pricing": rule, "buyers": 3e6, "suppliers": 2e6, "transfer": 0.0, "congestion": 2e4, "reserve": 1e4,
            "virtuals": 1e3, "shortfall": 0.0, "total": 5.031e6,
        }
        for horizon in LEADS
        for rule in ("marginal", "convex-hull")
    ]
    return pl.DataFrame(rows)


def _certificate(rng: np.random.Generator) -> pl.DataFrame:
    days = [FIRST + timedelta(days=day) for day in range(74)]
    rows = [
        {
            "horizon": horizon, "start": day, "method": "simplex", "status": "Optimal", "hours": 1, "hull": "convex",
            "incumbent_gap": None, "hull_gap": 10 ** rng.uniform(-16, -11), "primal": 10 ** rng.uniform(-15, -10),
            "dual": 10 ** rng.uniform(-15, -9), "complementarity": 10 ** rng.uniform(-14, -9), "gap": 10 ** rng.uniform(-16, -11),
            "price_rule": "hair", "columns": 1210, "rows": 640, "seconds": 0.004,
        }
        for horizon in LEADS
        for day in days
    ]
    return pl.DataFrame(rows, schema_overrides={"incumbent_gap": pl.Float64})


def _binding(rng: np.random.Generator) -> pl.DataFrame:
    keys = [("balance", f"h100-sxm/{location}/firm") for location in LOCATIONS] + [
        ("link", "us-east>us-west"),
        ("reserve", "us-east/h100-sxm"),
        ("inventory", "neo-1/1"),
    ]
    rows = [
        {
            "horizon": "real-time", "start": FIRST + timedelta(hours=int(hour)), "kind": kind, "key": key,
            "dual": float(rng.uniform(0.5, 3)), "meaning": f"one more unit of {key} is worth this much",
        }
        for kind, key in keys
        for hour in rng.choice(1700, 60 if kind == "link" else 400, replace=False)
    ]
    return pl.DataFrame(rows)


def _mark(index: str, start: datetime, value: float, unit: str, *, method: str, revision: int = 0) -> dict[str, Any]:
    end = start + timedelta(days=1)
    return {
        "index": index, "methodology": method, "start": start, "end": end, "published_at": end + timedelta(hours=16),
        "revision": revision, "value": float(value), "unit": unit, "quantity": 1e4, "status": "published", "method_hash": "0" * 64,
    }


def _marks(prices: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    real = prices.filter(pl.col("horizon") == "real-time", pl.col("pricing") == "marginal", pl.col("resource").is_in(list(CLASSES)))
    day = pl.col("start").dt.convert_time_zone(ZONE).dt.truncate("1d").dt.convert_time_zone("UTC").alias("day")
    means = real.group_by("location", "resource", "tier", day).agg(pl.col("price").mean()).sort("location", "resource", "tier", "day")
    rows = [
        _mark(f"{resource}.{location}.{tier}".upper(), start, price, "USD/GPUh", method="house")
        for location, resource, tier, start, price in means.iter_rows()
    ]
    both = (
        means.filter(pl.col("location").str.starts_with("us"))
        .group_by("resource", "tier", "day")
        .agg(pl.col("price").mean())
        .sort("resource", "tier", "day")
    )
    rows += [
        _mark(f"{resource}.US.{tier}".upper(), start, price, "USD/GPUh", method="house")
        for resource, tier, start, price in both.iter_rows()
    ]
    days = means["day"].unique().sort().to_list()
    for work, (unit, level) in WORK.items():
        for location, dearness in LOCATIONS.items():
            walk = level * dearness * np.exp(np.cumsum(rng.normal(0, 0.02, len(days))))
            rows += [
                _mark(f"{work}.{location}.FIRM".upper(), start, value, unit, method="house")
                for start, value in zip(days, walk, strict=True)
            ]
    restated = [dict(row, revision=1, value=row["value"] + 0.5) for row in rows if row["index"] == "H100-SXM.US.FIRM"][-2:-1]
    rival = [dict(row, methodology="rival") for row in rows[:5]]
    held = next(row for row in rows if row["index"] == "A100-SXM.EU-NORTH.SPOT")
    held |= {"value": None, "status": "withheld"}
    return pl.DataFrame(rows + restated + rival, infer_schema_length=None)


def _curve(folder: Path, prices: pl.DataFrame) -> None:
    index = "H100-SXM.US.FIRM"
    edges = [
        ("day-ahead clearing", AS_OF, AS_OF + timedelta(days=1), 2.55),
        ("week-ahead clearing", AS_OF + timedelta(days=1), AS_OF + timedelta(days=7), 2.62),
    ]
    edges.append(("month-ahead clearing", AS_OF + timedelta(days=7), LAST, 2.58))
    months = [datetime(2027, month, 1, 4, tzinfo=UTC) for month in (4, 5, 6, 7)]
    edges += [("monthly quote", first, last, 2.5 - 0.03 * place) for place, (first, last) in enumerate(pairwise(months))]
    edges.append(("quarterly quote", months[0], months[-1], 2.47))
    quotes = [
        {
            "as_of": AS_OF, "quote_id": f"q{place}", "index": index, "contract": f"{index}:{start:%Y-%m}", "start": start, "end": end,
            "profile": "base", "bid": price - 0.02, "price": price, "ask": price + 0.02, "average": "hourly", "calendar": None,
            "timezone": ZONE, "source": source,
        }
        for place, (source, start, end, price) in enumerate(edges)
    ]
    _part(folder, "curve", "quotes", pl.DataFrame(quotes, schema_overrides={"calendar": pl.String}), Quotes)
    hours = int((months[-1] - AS_OF) / timedelta(hours=1))
    starts = [AS_OF + timedelta(hours=hour) for hour in range(hours)]
    forward = 2.58 - 0.1 * np.arange(hours) / hours + 0.12 * np.sin(2 * np.pi * (np.arange(hours) - 10) / 24)
    width = 0.2 + 0.3 * np.sqrt(np.arange(hours) / hours)
    curve = pl.DataFrame(
        {
            "as_of": [AS_OF] * hours, "index": [index] * hours, "start": starts, "end": [s + timedelta(hours=1) for s in starts],
            "forward": forward, "lower": forward - width, "upper": forward + width,
        }
    )
    _part(folder, "curve", "curve", curve, Curve)
    coverage = pl.DataFrame(
        {
            "index": [index] * 3, "horizon": ["day-ahead", "week-ahead", "month-ahead"], "days": [60, 55, 44], "inside": [49, 43, 33],
            "coverage": [49 / 60, 43 / 55, 0.75], "level": [0.8] * 3,
        }
    )
    store.write_table(folder / "curve", "coverage", coverage)


def _volatility() -> pl.DataFrame:
    rows = [
        {
            "index": f"{name}.US.FIRM".upper(), "model": "realised", "start": FIRST, "end": AS_OF, "observations": 73,
            "volatility": 0.5 + 0.1 * place, "lower": 0.42 + 0.1 * place, "upper": 0.61 + 0.1 * place, "level": 0.95,
        }
        for place, name in enumerate(CLASSES)
    ]
    return pl.DataFrame(rows)


def _value(folder: Path) -> None:
    ids = {
        "fwd-mar": ("forward", 41250.0),
        "fwd-apr": ("forward", -12800.0),
        "cap-apr": ("capacity", 230500.0),
        "virt-0316": ("virtual", 815.0),
    }
    values = [{"trade_id": name, "kind": kind, "value": value, "currency": "USD", "as_of": AS_OF} for name, (kind, value) in ids.items()]
    _part(folder, "value", "values", pl.DataFrame(values), Values)
    trades = [
        {
            "trade_id": name, "traded_at": FIRST, "book": "house", "counterparty": "acme", "kind": kind, "side": "buy",
            "quantity": 100.0, "quantity_unit": "per_hour", "index": "H100-SXM.US.FIRM", "start": AS_OF, "end": LAST, "strike": 2.5,
        }
        for name, (kind, _) in ids.items()
    ]
    _part(folder, "value", "trades", pl.DataFrame(trades), Trades)
    risks = [
        {"trade_id": name, "risk": "delta", "bucket": f"q{bucket}", "amount": 1000.0 * (bucket - 2) * (1 + place), "unit": "GPU-hours"}
        for place, name in enumerate(ids)
        for bucket in range(8)
    ]
    risks += [{"trade_id": name, "risk": "delta", "bucket": "month 2027-04", "amount": 700.5, "unit": "GPU-hours"} for name in ids]
    risks += [{"trade_id": "cap-apr", "risk": "vega", "bucket": "2027-04", "amount": 99.0, "unit": "USD per 0.01"}]
    _part(folder, "value", "risks", pl.DataFrame(risks), Risks)


def _settle(folder: Path, rng: np.random.Generator) -> None:
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
    _part(folder, "settle", "statements", frame, Statements)
    sums = frame.group_by("participant", "version").agg(pl.col("amount").sum().alias("exact")).sort("participant", "version")
    invoices = sums.with_columns(
        pl.lit(FIRST).alias("start"), pl.lit(AS_OF).alias("end"), pl.col("exact").round(2).cast(pl.Decimal(38, 2)).alias("amount")
    )
    invoices = invoices.with_columns((pl.col("amount").cast(pl.Decimal(38, 6)) - pl.col("exact")).alias("rounding")).select(
        list(Invoices.columns())
    )
    _part(folder, "settle", "invoices", invoices, Invoices)
    checks = pl.DataFrame(
        {
            "check": ["sum of all postings", "rounding", "solver residual"], "amount": [0.0, 1214.0, 3e-8],
            "bound": [0.0, 60000.0, 1e-6], "unit": ["micro-USD", "micro-USD", "1"], "passed": [True, True, False],
        }
    )
    _part(folder, "settle", "checks", checks, Checks)


def _basis(folder: Path, rng: np.random.Generator) -> None:
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
    _part(folder, "basis", "basis", pl.DataFrame(rows), Basis)


# fmt: on
@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run, of four resources so that tests stay quick; run this file for one of all nine."""
    return make_run(tmp_path_factory.mktemp("runs") / "run", resources=("a100-sxm", "h100-sxm", "b200-sxm", "vcpu"))


@pytest.fixture(scope="session")
def observations_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on observed prices."""
    return make_observations_run(tmp_path_factory.mktemp("observed") / "run")


if __name__ == "__main__":
    import sys

    make_run(Path(sys.argv[1]) / "full", resources=[*CLASSES, *OTHERS])
    make_observations_run(Path(sys.argv[1]) / "observed")

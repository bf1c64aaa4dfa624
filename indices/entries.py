"""The audit entry of each mark: everything that somebody needs to follow it, and to find out what differs when it is recomputed."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any, TypeAlias

import polars as pl

from tenorgrid.indices.calculation import REVISION, Calculation
from tenorgrid.indices.levels import PERCENTILES, Evidence
from tenorgrid.indices.scope import MARK, SEEN, in_windows
from tenorgrid.indices.specification import Methodology

Entry: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]
CLOCK = "%Y-%m-%dT%H:%M:%SZ"
PRICES = ("min", *PERCENTILES, "max", "mean", "sd")
SHORT = 16  # hexadecimal digits that are enough to tell one contributor's rows from a changed set


def entries(calculation: Calculation) -> list[Entry]:
    """One JSON object per mark, in the order of index and day.

    `input` is the SHA-256 of the mark's rows, and the same per contributor: every observation in its scope and window, excluded or not,
    by time and name, so that no order of rows matters. `days` tells what became of each day of a window of several. The JSON keys are
    public.
    """
    rule = calculation.methodology
    inputs, sources = _inputs(calculation)
    excluded = _grouped(calculation.exclusions.with_columns(pl.col("start").dt.to_string(CLOCK)), ["index", "start"])
    days = {part.level.name: _days(part) for part in calculation.evidence if rule.window_days > 1}
    tried = [_tried(part) for part in calculation.evidence]
    shared = {
        "precision": {"decimals": rule.decimals, "rounding": rule.rounding.value},
        "methodology": {"name": rule.name, "hash": rule.hash, "source": rule.source},
        "code_version": version("tenorgrid"),
    }
    told = calculation.decided.with_columns(
        pl.col("day").cast(pl.String).alias("date"), pl.col("carried_from").cast(pl.String), pl.col("start", "end").dt.to_string(CLOCK)
    )
    windows = {day: _window(rule, day) for day in told["day"].unique()}
    made = []
    for row in told.iter_rows(named=True):
        key = (row["index"], row["day"])
        gone = excluded.get((row["index"], row["start"]), [])
        made.append(
            {
                "index": row["index"],
                "date": row["date"],
                "start": row["start"],
                "end": row["end"],
                "published_at": row["end"],
                "revision": REVISION,
                "value": row["value"],
                "unit": f"USD/{row['unit']}",
                "status": row["status"],
                "unrounded": row["unrounded"],
                **shared,
                "window": windows[row["day"]],
                "input": inputs.get(key, {"hash": None, "rows": 0}),
                "level": row["level"],
                "levels": [found[key] for found in tried if key in found],
                "counts": {"used": row["observations"] or 0, "excluded": len(gone), "contributors": row["contributors"] or 0},
                "quantity": row["quantity"],
                "prices": {name: row[name] for name in PRICES} if row["level"] else None,
                "days": days[row["level"]][key] if row["level"] in days else None,
                "contributors": sources.get(key, []),
                "fallback": _fallback(row, rule.carry_days),
                "low_confidence": row["reasons"],
                "exclusions": [{name: part[name] for name in ("observation_id", "rule", "value", "limit")} for part in gone],
            }
        )
    return made


def text(entry: Mapping[str, Any]) -> str:
    """An entry as one line of JSON."""
    return json.dumps(entry, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _window(rule: Methodology, day: date) -> Entry:
    cut_off = "24:00" if rule.cut_off is None else rule.cut_off.strftime("%H:%M")
    opens, closes = rule.opens(day - timedelta(rule.window_days - 1)), rule.closes(day)
    return {
        "start": opens.strftime(CLOCK),
        "end": closes.strftime(CLOCK),
        "days": rule.window_days,
        "cut_off": f"{cut_off} {rule.timezone}",
    }


def _fallback(row: Entry, carry_days: int) -> Entry | None:
    """What stands in where no level sufficed."""
    if row["level"]:
        return None
    if row["carried_from"]:
        return {"used": "carried", "carried_from": row["carried_from"], "at_most_days": carry_days}
    return {"used": "withheld", "carried_from": None, "at_most_days": carry_days}


def _tried(part: Evidence) -> dict[Key, Entry]:
    """What a level that was tried gave."""
    names = ("value", "observations", "contributors", "days")
    rows = part.values.select(*MARK, *names).iter_rows(named=True)
    return {(row["index"], row["day"]): {"level": part.level.name} | {name: row[name] for name in names} for row in rows}


def _grouped(frame: pl.DataFrame, keys: list[str]) -> dict[Key, list[Entry]]:
    found: dict[Key, list[Entry]] = {}
    for row in frame.iter_rows(named=True):
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _days(part: Evidence) -> dict[Key, list[Entry]]:
    """For each mark, the days of its window on which the level saw anything: what was there, what went and the median of the rest."""
    used = part.used.group_by(*MARK, SEEN).agg(
        pl.len().alias("used"), pl.col("price").median().alias("median"), pl.col("price").mean().alias("mean")
    )
    gone = part.excluded.group_by(*MARK, SEEN).agg(pl.len().alias("excluded"))
    both = used.join(gone, on=[*MARK, SEEN], how="full", coalesce=True).sort(*MARK, SEEN)
    both = both.with_columns(pl.col(SEEN).cast(pl.String).alias("date"), pl.col("used", "excluded").fill_null(0))
    shown = ("date", "used", "excluded", "median", "mean")
    return {key: [{name: row[name] for name in shown} for row in rows] for key, rows in _grouped(both, MARK).items()}


def _inputs(calculation: Calculation) -> tuple[dict[Key, Entry], dict[Key, list[Entry]]]:
    """Hash and number of the rows behind each mark, in all and by contributor."""
    seen = in_windows(calculation.rows, calculation.methodology, first=calculation.first, end=calculation.end)
    rows = seen.select(*MARK, "provider", "digest", "price", "quantity")
    whole = rows.group_by(MARK).agg(pl.col("digest").str.join("\n"), pl.len().alias("rows"))
    hashes = {(index, day): {"hash": _sha(digest), "rows": count} for index, day, digest, count in whole.iter_rows()}
    parts = rows.group_by(*MARK, "provider").agg(
        pl.len().alias("rows"),
        pl.col("price").median().alias("median"),
        pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()).alias("quantity"),
        pl.col("digest").str.join("\n"),
    )
    sources: dict[Key, list[Entry]] = {}
    for index, day, provider, count, middle, quantity, digest in parts.sort(*MARK, "provider").iter_rows():
        own = hashes[index, day]["hash"] if count == hashes[index, day]["rows"] else _sha(digest)
        entry = {"provider": provider, "rows": count, "median": middle, "quantity": quantity, "hash": own[:SHORT]}
        sources.setdefault((index, day), []).append(entry)
    return hashes, sources


def _sha(digests: str) -> str:
    return hashlib.sha256(digests.encode()).hexdigest()

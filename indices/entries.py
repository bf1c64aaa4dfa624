"""The audit entry of each mark: everything that somebody needs to follow it, and to find out what differs when it is recomputed."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Literal, TypeAlias

import polars as pl

from tenorgrid.indices.calculation import REVISION, Calculation
from tenorgrid.indices.levels import PERCENTILES, Evidence
from tenorgrid.indices.scope import digests
from tenorgrid.indices.sensitivity.inputs import kinds
from tenorgrid.indices.sensitivity.moving import to_move
from tenorgrid.indices.sensitivity.without import ranges
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.windows import MARK, SEEN, in_windows

Entry: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]
Sensitivity: TypeAlias = Literal["told", "left out"]
CLOCK = "%Y-%m-%dT%H:%M:%SZ"
PRICES = ("min", *PERCENTILES, "max", "mean", "sd")
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))  # entries are trees
SHORT = 16  # hexadecimal digits that are enough to tell one contributor's rows from a changed set


def entries(calculation: Calculation, *, sensitivity: Sensitivity = "told") -> list[Entry]:
    """One JSON object per mark, in the order of index and day.

    `input` is the SHA-256 of the mark's rows, and the same per contributor: every observation in its scope and window, excluded or not,
    by time and name, so that no order of rows matters. `days` tells what became of each day of a window of several. The JSON keys are
    public: docs/audit.md tells them one by one.

    Args:
        calculation: what `calculate` gave.
        sensitivity: whether each mark is made again without each contributor, and the least is looked for that moves it; with `left out`
            the entry says so, and `without_one` and `to_move` are null.
    """
    rule = calculation.methodology
    inputs, sources = _inputs(calculation)
    excluded = _grouped(calculation.exclusions, MARK)
    days = {part.level.name: _days(part) for part in calculation.evidence if rule.window.days > 1}
    shares = kinds(calculation)
    alone, moved = (ranges(calculation), to_move(calculation)) if sensitivity == "told" else ({}, {})
    tried = [_tried(part) for part in calculation.evidence]
    shared = {
        "precision": {"decimals": rule.decimals, "rounding": rule.rounding.value},
        "methodology": {"name": rule.name, "hash": rule.hash, "source": rule.source},
        "code_version": version("tenorgrid"),
    }
    cut_off = f"{'24:00' if rule.cut_off is None else rule.cut_off.strftime('%H:%M')} {rule.timezone}"
    clock = (pl.col(name).dt.to_string(CLOCK).alias(f"{name}_text") for name in ("start", "end", "opens"))
    told = calculation.decided.join(calculation.marked.select("start", "opens"), on="start", how="left", maintain_order="left")
    made = []
    for row in told.with_columns(pl.col("day").cast(pl.String).alias("date"), *clock).iter_rows(named=True):
        key = (row["index"], row["start"])
        gone = excluded.get(key, [])
        made.append(
            {
                "index": row["index"],
                "date": row["date"],
                "start": row["start_text"],
                "end": row["end_text"],
                "published_at": row["end_text"],
                "revision": REVISION,
                "value": row["value"],
                "unit": f"USD/{row['unit']}",
                "status": row["status"],
                "unrounded": row["unrounded"],
                **shared,
                "window": {"start": row["opens_text"], "end": row["end_text"], "length": str(rule.window), "cut_off": cut_off},
                "input": inputs.get(key, {"hash": None, "rows": 0}),
                "level": row["level"],
                "levels": [found[key] for found in tried if key in found],
                "counts": {"used": row["observations"] or 0, "excluded": len(gone), "contributors": row["contributors"] or 0},
                "quantity": row["quantity"],
                "kinds": shares.get(key, []),
                "prices": {name: row[name] for name in PRICES} if row["level"] else None,
                "days": days[row["level"]][key] if row["level"] in days else None,
                "contributors": sources.get(key, []),
                "sensitivity": sensitivity,
                "without_one": alone.get(key),
                "to_move": moved.get(key),
                "fallback": _fallback(row, rule),
                "low_confidence": row["reasons"],
                "exclusions": [{name: part[name] for name in ("observation_id", "rule", "value", "limit")} for part in gone],
            }
        )
    return made


def text(entry: Mapping[str, Any]) -> str:
    """An entry as one line of JSON."""
    return _JSON.encode(entry)


def _fallback(row: Entry, rule: Methodology) -> Entry | None:
    """What stands in where no level sufficed."""
    if row["level"]:
        return None
    start = row["carried_from"]
    if start is None:
        return {"used": "withheld", "carried_from": None, "at_most_periods": rule.fallback.carry}
    shown = str(rule.day_of(start)) if rule.daily else start.strftime(CLOCK)
    return {"used": "carried", "carried_from": shown, "at_most_periods": rule.fallback.carry}


def _tried(part: Evidence) -> dict[Key, Entry]:
    """What a level that was tried gave."""
    names = ("value", "observations", "contributors", "days", "partitions", "largest_share")
    rows = part.values.select(*MARK, *names).iter_rows(named=True)
    return {(row["index"], row["start"]): {"level": part.level.name} | {name: row[name] for name in names} for row in rows}


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
    known = calculation.rows.join(_digests(calculation), on="observation_id", maintain_order="left")
    rows = in_windows(known.select("index", "time", "provider", "digest", "price", "quantity"), calculation.marked)
    rows = rows.with_columns(mark=pl.col("index").rle_id() + pl.col("start").rle_id())  # grows by one or two from mark to mark
    whole = rows.group_by("mark", maintain_order=True).agg(pl.col(MARK).first(), pl.col("digest").str.join("\n"), pl.len().alias("rows"))
    keys: dict[int, Key] = {number: (index, start) for number, index, start in _listed(whole, "mark", *MARK)}
    hashes = {keys[number]: {"hash": _sha(digest), "rows": count} for number, digest, count in _listed(whole, "mark", "digest", "rows")}
    parts = rows.group_by("mark", "provider").agg(
        pl.len().alias("rows"),
        pl.col("price").median().alias("median"),
        pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()).alias("quantity"),
        pl.col("digest").str.join("\n"),
    )
    sources: dict[Key, list[Entry]] = {key: [] for key in hashes}
    told = _listed(parts.sort("mark", "provider"), "mark", "provider", "rows", "median", "quantity", "digest")
    for number, provider, count, middle, quantity, digest in told:
        key = keys[number]
        own = hashes[key]["hash"] if count == hashes[key]["rows"] else _sha(digest)
        sources[key].append({"provider": provider, "rows": count, "median": middle, "quantity": quantity, "hash": own[:SHORT]})
    return hashes, sources


def _listed(frame: pl.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    """The rows of some columns, a column turned into Python at a time, which costs an eighth of `iter_rows`."""
    return zip(*(frame[name].to_list() for name in names), strict=True)


def _digests(calculation: Calculation) -> pl.DataFrame:
    """Digests of the observations that something depends on, as they were handed in."""
    return digests(calculation.observations.join(calculation.rows.select("observation_id"), on="observation_id", how="semi"))


def _sha(lines: str) -> str:
    return hashlib.sha256(lines.encode()).hexdigest()

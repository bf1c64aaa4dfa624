"""Attacks on prints: each in growing sizes, marked again by the same methodology, and what became of the mark."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.indices.attacks.catalog import Attack, attacks_named
from tenorgrid.indices.attacks.scene import Planted, Scene, Unsuited, scene_of
from tenorgrid.indices.attacks.struck import Outcome, outcomes
from tenorgrid.indices.attacks.targets import Asked, attacked, targets, within
from tenorgrid.indices.entries import CLOCK, Entry, text
from tenorgrid.indices.methodology import load, shipped
from tenorgrid.indices.scope import digests
from tenorgrid.indices.specification import Methodology

MOVES: dict[str, pl.DataType] = {
    "methodology": pl.String(),
    "index": pl.String(),
    "date": pl.Date(),
    "start": pl.Datetime("us", "UTC"),
    "attack": pl.String(),
    "size": pl.Float64(),
    "unit": pl.String(),
    "before": pl.Float64(),
    "status_before": pl.String(),
    "level_before": pl.String(),
    "after": pl.Float64(),
    "status_after": pl.String(),
    "level_after": pl.String(),
    "move": pl.Float64(),
    "rows": pl.Int64(),
    "used": pl.Int64(),
    "excluded": pl.Int64(),
    "unseen": pl.Int64(),
    "rules": pl.String(),
    "told": pl.Int64(),
    "notional": pl.Float64(),
    "cash_cost": pl.Float64(),
    "unsuited": pl.String(),
}
LEFT_OUT: dict[str, pl.DataType] = {"methodology": pl.String(), "reason": pl.String()}
NAMED = 20  # exclusions of an attacker's rows that an audit lists one by one


@dataclass(frozen=True, kw_only=True)
class Stress:
    """What attacks do to prints.

    `moves` has a row a print, attack and size: the mark `before` and `after` with the level that made it and its status, `move` (after
    over before less one; null where there is no mark after), of the attacker's `rows` how many are `used`, `excluded` (`rules` says by
    which) and `unseen` (the level that decides does not look at them), how many trades among the used the publisher's check of related
    parties names (`told`), and what the attack costs: `notional` traded and `cash_cost` lost (USD). An attack with nothing to work on has
    one row that says why.
    `left_out` names methodologies that do not fit and why. `audits` has methodology, index, date and one JSON text a print.
    """

    methodologies: tuple[Methodology, ...]
    attacks: tuple[Attack, ...]
    moves: pl.DataFrame
    left_out: pl.DataFrame
    audits: pl.DataFrame

    def worst(self) -> pl.DataFrame:
        """Of each methodology, index and attack the row of the largest move, upward or downward, of any size."""
        group = ["methodology", "index", "attack"]
        known = self.moves.filter(pl.col("unsuited").is_null()).sort(
            pl.col("move").abs(), descending=True, nulls_last=True, maintain_order=True
        )
        return known.unique(group, keep="first", maintain_order=True).sort(group)

    def usual(self) -> pl.DataFrame:
        """Of each methodology, index and attack the row of the size by which methodologies are compared, or that of what is unsuited."""
        sizes = pl.col("attack").replace_strict({one.name: one.usual for one in self.attacks}, return_dtype=pl.Float64)
        return self.moves.filter((pl.col("size") == sizes) | pl.col("unsuited").is_not_null())


def stress(
    observations: pl.DataFrame,
    *,
    methodologies: Sequence[Methodology | Path | str] | None = None,
    first: date | None = None,
    end: date | None = None,
    indices: Sequence[str] | None = None,
    attacks: Sequence[str] | None = None,
    most: int = 3,
) -> Stress:
    """Attack the prints of methodologies and tell how far each moves.

    Every size of every attack is marked by itself, by the same rule over all observations and the attacker's; nothing is estimated.

    Args:
        observations: `Observations`, with attributes.
        methodologies: shipped names, TOML files or what `load` gave; None is every shipped one that fits the observations.
        first: first day; None is one print an index, of the last seven days that with most observations.
        end: the day after the last.
        indices: only these; None is the `most` with most observations.
        attacks: names of the catalog; None is all.
        most: number of indices where none is named.

    Raises `InputError` for an unknown name, observations that break their rules, and where no methodology fits, with the reason of each.
    """
    chosen, rules = attacks_named(attacks), tuple(load(one) for one in (shipped() if methodologies is None else methodologies))
    if (first is None) != (end is None):
        raise InputError.of("dates", "a first day and an end, or neither", column="first", value=f"{first} to {end}")
    if most < 1 or not rules:
        raise InputError.of("attack", "at least one index and one methodology", column="most", value=most)
    asked = Asked(first=first, end=end, indices=None if indices is None else tuple(indices), most=most)
    moves: list[dict[str, Any]] = []
    audits: list[dict[str, Any]] = []
    left: list[dict[str, str]] = []
    for rule in rules:
        found = targets(observations, rule, asked)
        if isinstance(found, str):
            left.append({"methodology": rule.name, "reason": found})
            continue
        for index, start, day in found.select("index", "start", "day").iter_rows():
            rows, told = _print(observations, rule, (index, start, day), chosen)
            moves += rows
            audits.append({"methodology": rule.name, "index": index, "date": day, "audit": text(told)})
    if not moves:
        raise InputError.of("attack", "; ".join(f"{one['methodology']}: {one['reason']}" for one in left), column="methodology")
    return Stress(
        methodologies=tuple(rule for rule in rules if rule.name not in {one["methodology"] for one in left}),
        attacks=chosen,
        moves=pl.DataFrame(moves, schema=MOVES, orient="row"),
        left_out=pl.DataFrame(left, schema=LEFT_OUT, orient="row"),
        audits=pl.DataFrame(audits, schema={"methodology": pl.String, "index": pl.String, "date": pl.Date, "audit": pl.String}),
    )


def _print(
    observations: pl.DataFrame, rule: Methodology, place: tuple[str, datetime, date], attacks: Sequence[Attack]
) -> tuple[list[dict[str, Any]], Entry]:
    """Rows of `MOVES` of one print, and its audit: what it was made of, and each attack with the rows that were excluded."""
    index, start, day = place
    made = attacked(observations, rule, [index], day)
    scene = scene_of(made, index, start, within(observations, made))
    status = made.decided.filter(pl.col("index") == index, pl.col("start") == start)["status"][0]
    shared = {"methodology": rule.name, "index": index, "date": day, "start": start}
    before = {"before": scene.value, "status_before": status, "level_before": scene.level.name}
    struck, unsuited = _strikes(scene, attacks)
    rows, told = [], []
    for (attack, size, planted), outcome in zip(struck, outcomes([one for _, _, one in struck], scene, rule, day), strict=True):
        named = {"attack": attack.name, "size": size, "unit": attack.unit}
        result = _result(planted, outcome, scene.value)
        rows.append(shared | named | before | result)
        listed = outcome.exclusions.head(NAMED).select("observation_id", "rule", "value", "limit").rows(named=True)
        told.append(named | {"does": attack.does} | result | {"exclusions": listed})
    for attack, found in unsuited:
        rows.append(shared | {"attack": attack.name, "unit": attack.unit, "unsuited": found.reason} | before)
        told.append({"attack": attack.name, "unit": attack.unit, "does": attack.does, "unsuited": found.reason})
    return rows, {"index": index, "date": str(day), "before": _before(scene, rule, status), "attacks": told}


def _before(scene: Scene, rule: Methodology, status: str) -> dict[str, Any]:
    """The print that is attacked: its rule, window and the SHA-256 of what its level counts, by time and name."""
    lines = "\n".join(digests(scene.used)["digest"])
    return {
        "value": scene.value,
        "status": status,
        "level": scene.level.name,
        "methodology": {"name": rule.name, "hash": rule.hash, "source": rule.source},
        "window": {name: f"{moment:{CLOCK}}" for name, moment in (("start", scene.opens), ("end", scene.end))},
        "observations": scene.used.height,
        "contributors": scene.used["provider"].n_unique(),
        "input": hashlib.sha256(lines.encode()).hexdigest(),
    }


def _strikes(scene: Scene, attacks: Sequence[Attack]) -> tuple[list[tuple[Attack, float, Planted]], list[tuple[Attack, Unsuited]]]:
    """Every attack in every size, and those that have nothing to work on."""
    struck: list[tuple[Attack, float, Planted]] = []
    unsuited: list[tuple[Attack, Unsuited]] = []
    for attack in attacks:
        for size in attack.sizes:
            found = attack.strike(scene, size)
            if isinstance(found, Unsuited):
                unsuited.append((attack, found))
                break
            struck.append((attack, size, found))
    return struck, unsuited


def _result(planted: Planted, outcome: Outcome, value: float) -> dict[str, Any]:
    rules = outcome.exclusions.group_by("rule").agg(pl.col("observation_id").n_unique()).sort("rule")
    return {
        "after": outcome.value,
        "status_after": outcome.status,
        "level_after": outcome.level,
        "move": None if outcome.value is None else outcome.value / value - 1,
        "rows": len(planted.names),
        "used": outcome.used,
        "excluded": outcome.excluded,
        "unseen": len(planted.names) - outcome.used - outcome.excluded,
        "rules": ", ".join(f"{rule} {number}" for rule, number in rules.iter_rows()),
        "told": outcome.told,
        "notional": planted.notional,
        "cash_cost": planted.cash,
    }

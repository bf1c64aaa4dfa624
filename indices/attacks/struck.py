"""Many attacked versions of one print marked in one calculation: each version is a resource of its own, which no other touches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from tenorgrid.indices.attacks.scene import Planted, Scene
from tenorgrid.indices.attacks.targets import attacked
from tenorgrid.indices.calculation import Calculation
from tenorgrid.indices.publication.affiliations import BUYER, suspicions
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.windows import MARK

MOST_ROWS = 400_000  # of observations in one calculation
NAMED = ("resource", "observation_id")
VERSION = "\N{NUMBER SIGN}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a print, and of the attacker's rows: `used` and `excluded` count them, `told` those that a publisher's check names,
    `exclusions` has observation_id, rule, value and limit of those that went."""

    value: float | None
    status: str
    level: str | None
    used: int
    excluded: int
    told: int
    exclusions: pl.DataFrame


def outcomes(versions: Sequence[Planted], scene: Scene, rule: Methodology, day: date) -> list[Outcome]:
    """The outcome of each version, in their order.

    Versions are marked together, each under a resource of its own, where the methodology treats resources apart; one by one where it
    learns prices across them, or asks for a resource by name.
    """
    if not _apart(rule):
        return [_read(one, attacked(one.observations, rule, [scene.index], day), scene, "") for one in versions]
    found: list[Outcome] = []
    for first, group in _groups(versions):
        tags = [f"{VERSION}{first + place}" for place in range(len(group))]
        rows = pl.concat([_tagged(one.observations, tag) for one, tag in zip(group, tags, strict=True)], how="diagonal_relaxed")
        made = attacked(rows, rule, [_index(scene.index, tag) for tag in tags], day)
        found += [_read(one, made, scene, tag) for one, tag in zip(group, tags, strict=True)]
    return found


def _apart(rule: Methodology) -> bool:
    asked = {column for level in rule.levels for column in level.columns}
    return rule.normalisation is None and not asked & set(NAMED)


def _groups(versions: Sequence[Planted]) -> Iterator[tuple[int, list[Planted]]]:
    """Versions in pieces of at most `MOST_ROWS` observations, or of one version."""
    first, group, size = 0, list[Planted](), 0
    for place, one in enumerate(versions):
        if group and size + one.observations.height > MOST_ROWS:
            yield first, group
            first, group, size = place, [], 0
        group.append(one)
        size += one.observations.height
    if group:
        yield first, group


def _tagged(rows: pl.DataFrame, tag: str) -> pl.DataFrame:
    return rows.with_columns(pl.col(name) + tag for name in NAMED)


def _index(index: str, tag: str) -> str:
    resource, point, rest = index.partition(".")
    return f"{resource}{tag}{point}{rest}"


def _read(one: Planted, made: Calculation, scene: Scene, tag: str) -> Outcome:
    mine = pl.col("index") == _index(scene.index, tag), pl.col("start") == scene.start
    row = made.decided.filter(*mine).row(0, named=True)
    names = pl.DataFrame({"observation_id": sorted(one.names)}, schema={"observation_id": pl.String})
    parts = [part.used for part in made.evidence if row["level"] in (None, part.level.name)]
    used = pl.concat([_theirs(part.filter(*mine), names, tag) for part in parts]).unique()
    gone = made.exclusions.filter(*mine).drop(MARK).with_columns(pl.col("observation_id").str.strip_suffix(tag))
    gone = gone.join(names, on="observation_id", how="semi", maintain_order="left")
    return Outcome(
        value=row["value"],
        status=row["status"],
        level=row["level"],
        used=used.height,
        excluded=gone["observation_id"].n_unique(),
        told=_told(one, used),
        exclusions=gone,
    )


def _theirs(rows: pl.DataFrame, names: pl.DataFrame, tag: str) -> pl.DataFrame:
    return rows.select(pl.col("observation_id").str.strip_suffix(tag)).join(names, on="observation_id", how="semi")


def _told(one: Planted, used: pl.DataFrame) -> int:
    """Trades of the attacker, among those that count, that the publisher's check of related parties names once it knows them."""
    if not one.groups or used.is_empty():
        return 0
    traded = one.observations.join(used, on="observation_id", how="semi")
    suspects = suspicions(traded.select("observation_id", "provider", BUYER, "kind"), dict(one.groups))
    return len({name for suspect in suspects for name in suspect.trades})

"""History of curves: append-only Delta tables in which each curve is found as it was known at any past moment.

What a curve is made of goes first, under the digest of all of it; the row of `curves` that names the digest goes last and is the commit. A
writer that is killed before it leaves rows that nobody reads, and that the next writer of the same curve uses.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl

from tenorgrid.curve_result import Curve
from tenorgrid.curves.discount_table import discount_of, discount_table
from tenorgrid.curves.methods.asked import Asked
from tenorgrid.curves.methods.choice import Choice
from tenorgrid.curves.risk.months import monthly_jacobian, moves
from tenorgrid.curves.season import shape_of, shape_tables
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.history import Compaction, HistoryError, OvertakenError, append, compact, read, version
from tenorgrid.data.store import LOG
from tenorgrid.data.tables import curve_kept as kept

HEADS = "curves"
PARTS: dict[str, type[dy.Schema]] = {
    "hours": kept.KeptHours,
    "quotes": kept.KeptQuotes,
    "jacobian": kept.KeptJacobian,
    "shapes": kept.KeptShapes,
    "seasons": kept.KeptSeasons,
    "outages": kept.KeptOutages,
    "discounts": kept.KeptDiscounts,
}
CHOICES = ["method", "ends", "bending", "within", "tension", "averages"]
TRIES = 5  # of a commit that others are faster than
SAME = 1e-9  # USD per GPU-hour between what is kept and what its quotes make again


@dataclass(frozen=True, kw_only=True)
class CurveHistory:
    """A folder with the Delta table `curves` and, beside it, what each of its curves is made of."""

    folder: Path

    def curves(self, *, index: str | None = None, known: datetime | None = None) -> pl.DataFrame:
        """`KeptCurves`: the latest revision of each curve, by index and moment.

        Args:
            index: None is every one.
            known: only what was recorded by this moment; None is all.
        """
        rows, seen = read(self.folder, HEADS, kept.KeptCurves)
        if seen < 0:
            raise InputError.of(str(self.folder), f"a history of curves, a folder with the Delta table {HEADS}")
        chosen = rows if known is None else rows.filter(pl.col("recorded_at") <= _zoned(known, "known"))
        if index is not None:
            chosen = chosen.filter(pl.col("index") == index)
        return chosen.filter(pl.col("revision") == pl.col("revision").max().over("index", "as_of")).sort("index", "as_of")

    def read(self, index: str | None = None, *, as_of: datetime | None = None, known: datetime | None = None) -> Curve:
        """A kept curve: the last one of an index by `as_of`, as it was known at `known`.

        Its hours and band are what was kept, to the last bit; its risk is that of the fit made again.

        Args:
            index: None is the only one of the history.
            as_of: moment; None is the last.
            known: moment; None is now.

        Raises `InputError` for an index that is not kept, `NotPublishedError` where there was no curve by then, `HistoryError` where a
        table is damaged, or the quotes no longer make the kept curve.
        """
        heads = self.curves(known=known)
        names = heads["index"].unique().sort().to_list()
        name = names[0] if index is None and len(names) == 1 else index
        if names and name not in names:
            raise InputError.of(self.folder.name, f"one of {', '.join(names[:8])}", column="index", value=name or "none named")
        found = heads.filter(pl.col("index") == name)
        if as_of is not None:
            found = found.filter(pl.col("as_of") <= _zoned(as_of, "as_of"))
        if found.is_empty():
            raise NotPublishedError(f"{self.folder.name} has no curve{f' of {name}' if name else ''} by {as_of or known}")
        return self._curve(found.row(-1, named=True))

    def moves(self, index: str | None = None, *, before: datetime, after: datetime, known: datetime | None = None) -> pl.DataFrame:
        """`CurveMoves` from the last curve by `before` to the last one by `after`: by month, time and market apart."""
        pair = [self.read(index, as_of=moment, known=known).fitted for moment in (before, after)]
        return moves(*pair)

    def keep(self, curve: Curve, *, recorded_at: datetime | None = None) -> int:
        """Add a curve; returns its revision. What is kept already adds nothing, what has changed is the next revision.

        Args:
            curve: as `tg.fit_curve` gives it.
            recorded_at: since when it is known; None is now.

        Raises `InputError` for a moment before that of the last revision, and for an index in another time zone than before.
        """
        moment = datetime.now(UTC) if recorded_at is None else _zoned(recorded_at, "recorded_at").astimezone(UTC)
        parts = _parts(curve)
        digest = _digest(curve, parts)
        for _ in range(TRIES):
            rows, seen = read(self.folder, HEADS, kept.KeptCurves)
            before = _before(rows, curve, moment)
            if before is not None and before["digest"] == digest:
                return int(before["revision"])
            revision = 0 if before is None else int(before["revision"]) + 1
            head = _head(curve, digest, revision=revision, recorded_at=moment)
            try:
                for name, frame in parts.items():
                    self._put(name, frame, digest)
                append(self.folder, HEADS, head, kept.KeptCurves, seen=seen)
            except OvertakenError:
                continue
            return revision
        raise OvertakenError(f"{self.folder.name}: others were faster {TRIES} times")

    def compact(self) -> dict[str, Compaction]:
        """Put small files together, table by table; no row changes and no former version is lost."""
        return {name: compact(self.folder, name) for name in (*PARTS, HEADS)}

    def _put(self, name: str, frame: pl.DataFrame, digest: str) -> None:
        mine = pl.col("digest") == digest
        held, seen = (PARTS[name].create_empty(), -1) if frame.is_empty() else self._part(name, mine)
        if not frame.is_empty() and held.is_empty():
            append(self.folder, name, frame.select(pl.lit(digest).alias("digest"), pl.all()), PARTS[name], seen=seen)

    def _part(self, name: str, where: pl.Expr) -> tuple[pl.DataFrame, int]:
        if version(self.folder, name) < 0:
            return PARTS[name].create_empty(), -1
        return read(self.folder, name, PARTS[name], where=where)

    def _curve(self, head: dict[str, Any]) -> Curve:
        mine = pl.col("digest") == head["digest"]
        parts = {name: self._part(name, mine)[0].drop("digest") for name in PARTS}
        hours = parts["hours"].sort("start")
        shape = shape_of(parts["shapes"], parts["seasons"])
        asked = Asked(choice=Choice(**{name: head[name] for name in CHOICES}), shape=shape, outages=parts["outages"])
        discount = discount_of(parts["discounts"])
        index, as_of = str(head["index"]), head["as_of"]
        assert isinstance(as_of, datetime)  # by the schema
        again = asked.fit(parts["quotes"], index=index, as_of=as_of, timezone=str(head["timezone"]), discount=discount)
        forward = hours["forward"].to_numpy()
        if not again.starts.equals(hours["start"]) or np.abs(again.forward - forward).max() > SAME:
            raise HistoryError(f"{self.folder.name}: the curve of {index} as of {as_of} is not what its quotes make")
        fitted = replace(again, forward=forward)
        curve = fitted.curve.with_columns(hours["lower"], hours["upper"])
        return Curve(quotes=fitted.quotes, curve=curve, fitted=fitted, asked=asked)


def curve_history(folder: Path | str) -> CurveHistory:
    """The history of curves in a folder, which need not be there yet: the first `keep` makes it.

    >>> curve_history("curves").folder.name
    'curves'
    """
    path = Path(folder)
    if path.is_file():
        raise InputError.of(str(path), "a folder", value="a file")
    return CurveHistory(folder=path)


def is_curve_history(path: Path) -> bool:
    """Whether a folder holds the tables of a history of curves."""
    return (path / HEADS / LOG).is_dir()


def _parts(curve: Curve) -> dict[str, pl.DataFrame]:
    fitted = curve.fitted
    hours, months = (table.drop("index") for table in shape_tables(curve.asked.shape, fitted.index))
    return {
        "hours": curve.curve.select("start", "forward", "lower", "upper"),
        "quotes": fitted.quotes,
        "jacobian": monthly_jacobian(fitted).drop("index"),
        "shapes": hours,
        "seasons": months,
        "outages": curve.asked.outages,
        "discounts": discount_table(fitted.discount, as_of=fitted.as_of),
    }


def _digest(curve: Curve, parts: dict[str, pl.DataFrame]) -> str:
    """Of everything but the Jacobian, which the rest says."""
    found = hashlib.sha256(f"{curve.fitted.index} {curve.fitted.as_of.astimezone(UTC).isoformat()} {curve.fitted.timezone}".encode())
    found.update(curve.asked.choice.frame.write_csv().encode())
    for name, frame in parts.items():
        if name != "jacobian":
            found.update(f"{name}\n{frame.with_columns(pl.col(pl.Enum).cast(pl.String)).write_csv()}".encode())
    return found.hexdigest()


def _head(curve: Curve, digest: str, *, revision: int, recorded_at: datetime) -> pl.DataFrame:
    fitted = curve.fitted
    row = {
        "index": fitted.index, "as_of": fitted.as_of.astimezone(UTC), "revision": revision, "recorded_at": recorded_at, "digest": digest,
        "timezone": fitted.timezone, "start": curve.curve["start"][0], "end": curve.curve["end"][-1], "quotes": fitted.quotes.height,
    }  # fmt: skip
    return kept.KeptCurves.validate(pl.DataFrame([row | curve.asked.choice.named]), cast=True)


def _before(rows: pl.DataFrame, curve: Curve, moment: datetime) -> dict[str, Any] | None:
    """The last revision of the same curve."""
    same = rows.filter(pl.col("index") == curve.fitted.index)
    if zones := sorted(set(same["timezone"]) - {curve.fitted.timezone}):
        raise InputError.of("curves", f"a curve in {zones[0]}, as before", column="timezone", value=curve.fitted.timezone)
    found = same.filter(pl.col("as_of") == curve.fitted.as_of).sort("revision")
    if found.is_empty():
        return None
    last = found.row(-1, named=True)
    if moment < last["recorded_at"]:
        raise InputError.of(
            "curves", f"a moment from {last['recorded_at']} on, that of the last revision", column="recorded_at", value=moment
        )
    return last


def _zoned(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise InputError.of("curves", "a time with its zone, such as 2027-03-16T05:00Z", column=name, value=moment)
    return moment

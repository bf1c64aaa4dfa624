"""Names as whole numbers, so that a million positions are added and looked up as arrays."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Market

Codes = npt.NDArray[np.int64]
Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class Coding:
    """One number for each combination of names, in alphabetical order of the names.

    >>> coding = Coding.of(pl.DataFrame({"location": ["west", "east"], "tier": ["firm", "spot"]}), "location", "tier")
    >>> coding.encode(pl.DataFrame({"location": ["west", "north"], "tier": ["firm", "firm"]})).tolist()
    [2, -1]
    """

    fields: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, frame: pl.DataFrame, *fields: str) -> "Coding":
        """The coding of the names that stand in the columns `fields` of `frame`."""
        return cls(fields=fields, names=tuple(tuple(frame[name].cast(pl.String).unique().sort()) for name in fields))

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return int(np.prod([len(names) for names in self.names], dtype=np.int64))

    def encode(self, frame: pl.DataFrame) -> Codes:
        """(rows,) number of each row's combination; −1 where a name is unknown or null."""
        code = np.zeros(frame.height, dtype=np.int64)
        for name, names in zip(self.fields, self.names, strict=True):
            place = (
                frame[name].cast(pl.String).cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int64).fill_null(UNKNOWN).to_numpy()
            )
            code = np.where((code == UNKNOWN) | (place == UNKNOWN), UNKNOWN, code * len(names) + place)
        return code

    def decode(self, code: Codes) -> pl.DataFrame:
        """The names behind each number."""
        columns = []
        for name, names in zip(reversed(self.fields), reversed(self.names), strict=True):
            code, place = np.divmod(code, max(len(names), 1))
            columns.append(pl.Series(name, names, dtype=pl.String).gather(place))
        return pl.DataFrame(columns[::-1])


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Every run (an interval at a horizon) in order of interval, then of horizon; `before` and `after` are its neighbours in the
    interval, −1 where there is none.
    """

    frame: pl.DataFrame = field(repr=False)  # run, horizon, start
    before: Codes = field(repr=False)  # (runs,)
    after: Codes = field(repr=False)
    closing: npt.NDArray[np.bool_] = field(repr=False)  # whether the run is at real time
    _horizons: tuple[str, ...]
    _first: int
    _step: int
    _table: Codes = field(repr=False)  # (intervals, horizons) number of the run

    @classmethod
    def of(cls, prices: pl.DataFrame, market: Market) -> "Runs":
        """The runs that prices were published of. Raises InputError for a horizon the market does not have, or a start off its grid."""
        horizons = tuple(horizon.name for horizon in market.horizons)
        found = prices.select("horizon", "start").unique()
        if unknown := sorted(set(found["horizon"]) - set(horizons)):
            raise InputError.of("prices", f"one of {', '.join(horizons)}", column="horizon", value=", ".join(unknown))
        if found.is_empty():
            raise InputError.of("prices", "at least one price of the pricing rule that settles")
        rank = pl.col("horizon").replace_strict(list(horizons), range(len(horizons)), return_dtype=pl.Int64)
        frame = (
            found.with_columns(rank.alias("rank")).sort("start", "rank").with_row_index("run").with_columns(pl.col("run").cast(pl.Int64))
        )
        moment = _microseconds(frame["start"])
        first, step = int(moment[0]), int(market.interval.total_seconds() * 1_000_000)
        if ((moment - first) % step).any():
            raise InputError.of("prices", f"starts that are a whole number of intervals of {market.interval} apart", column="start")
        place, order = (moment - first) // step, frame["rank"].to_numpy()
        table = np.full((int(place[-1]) + 1, len(horizons)), UNKNOWN, dtype=np.int64)
        table[place, order] = np.arange(frame.height)
        same = place[1:] == place[:-1]
        number = np.arange(frame.height)
        closing = np.array([horizon.lead.total_seconds() == 0 for horizon in market.horizons])[order]
        return cls(
            frame=frame.select("run", "horizon", "start"),
            before=np.where(np.r_[False, same], number - 1, UNKNOWN),
            after=np.where(np.r_[same, False], number + 1, UNKNOWN),
            closing=closing,
            _horizons=horizons,
            _first=first,
            _step=step,
            _table=table,
        )

    @property
    def count(self) -> int:
        """How many runs there are."""
        return self.frame.height

    def number(self, frame: pl.DataFrame) -> Codes:
        """(rows,) run of each row's horizon and start; −1 where there was none."""
        rank = Coding(fields=("horizon",), names=(self._horizons,)).encode(frame)
        place, off = np.divmod(_microseconds(frame["start"]) - self._first, self._step)
        known = (rank != UNKNOWN) & (off == 0) & (place >= 0) & (place < len(self._table))
        return np.where(known, self._table[np.where(known, place, 0), rank], UNKNOWN)


def numbered(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """The text columns `names` as Enums of the values that they hold, which every later look-up is quicker on."""
    return frame.with_columns(frame[name].cast(pl.Enum(frame[name].unique().drop_nulls().sort())) for name in names)


def union(left: Codes, right: Codes) -> Codes:
    """The different values of two rising arrays, rising: two runs are merged, not sorted."""
    both = np.sort(np.concatenate([left, right]), kind="stable")
    return both[np.r_[True, both[1:] != both[:-1]]] if both.size else both


def totals(code: Codes, value: Vector) -> tuple[Codes, Vector]:
    """The different codes in order and the sum of the values of each; the same to the last bit whatever the order of the rows."""
    ordered = pl.DataFrame({"code": code, "value": value}).sort("code", "value")
    keys = ordered["code"].to_numpy()
    if not keys.size:
        return keys, ordered["value"].to_numpy()
    edges = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return keys[edges], np.add.reduceat(ordered["value"].to_numpy(), edges)


def spread(code: Codes, run: Codes, value: Vector, *, shape: tuple[int, int]) -> Matrix:
    """(codes, runs) sums of the values, 0 where there is none."""
    key, total = totals(code * shape[1] + run, value)
    dense = np.zeros(shape[0] * shape[1])
    dense[key] = total
    return dense.reshape(shape)


def previous(quantity: Matrix, runs: Runs) -> Matrix:
    """(codes, runs) what stood after the run before, 0 where there was none."""
    return np.where(runs.before == UNKNOWN, 0.0, quantity[:, runs.before])


def _microseconds(start: pl.Series) -> Codes:
    return start.dt.epoch("us").to_numpy()

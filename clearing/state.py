"""What passes from one run to the next: virtual positions, and what was decided whole or over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

CARRIED = pl.Schema(
    {
        "start": pl.Datetime("us", "UTC"),
        "side": pl.String(),
        "id": pl.String(),
        "participant": pl.String(),
        "location": pl.String(),
        "resource": pl.String(),
        "quantity": pl.Float64(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What earlier runs have decided that this one has to keep.

    `accepted`: gangs. `running`: offers that are committed just before the first interval, with the intervals that they must go on for.
    `committed`: intervals in which an offer stays committed, by their first instant. `done`: work done of a `total`, units by bid and step.
    """

    accepted: frozenset[str] = frozenset()
    running: Mapping[str, int] = field(default_factory=dict)
    committed: Mapping[str, frozenset[datetime]] = field(default_factory=dict)
    done: Mapping[tuple[str, int], float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class State:
    """Virtual positions per hour that later ahead runs carry (`CARRIED` columns), and what stands at each horizon."""

    virtuals: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CARRIED))
    standing: Mapping[str, Standing] = field(default_factory=dict)

    def at(self, horizon: str) -> Standing:
        """What stands at a horizon."""
        return self.standing.get(horizon, Standing())


def joined(states: list[State]) -> State:
    """The state after several parts of the deliveries, each of which has decided other things."""
    horizons = dict.fromkeys(name for state in states for name in state.standing)
    return State(
        virtuals=pl.concat([state.virtuals for state in states]) if states else State().virtuals,
        standing={name: _joined([state.standing[name] for state in states if name in state.standing]) for name in horizons},
    )


def _joined(parts: list[Standing]) -> Standing:
    return Standing(
        accepted=frozenset().union(*(part.accepted for part in parts)),
        running={name: left for part in parts for name, left in part.running.items()},
        committed={name: times for part in parts for name, times in part.committed.items()},
        done={key: work for part in parts for key, work in part.done.items()},
    )

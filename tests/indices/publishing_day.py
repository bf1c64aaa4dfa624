"""A publisher's days on made-up prices, for the tests of publication: four providers list H100 in us-east, a little dearer every day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.indices.publication.approval import approve
from tenorgrid.indices.publication.draft import Draft, make_draft
from tenorgrid.indices.publication.history import open_history
from tenorgrid.indices.publication.publish import Publication, publish

EAST, US = "H100-SXM.US-EAST.FIRM", "H100-SXM.US.FIRM"
FIRST = date(2027, 1, 5)
ASKED = {"a": 2.0, "b": 2.1, "c": 2.3, "d": 2.4}
HOUR = timedelta(hours=1)


def listed(days: int = 3, *, change: dict[str, dict[str, Any]] | None = None) -> pl.DataFrame:
    """One list price a provider and day from 2027-01-05 on, 0.01 dearer every day; `change` replaces cells of the rows it names."""
    rows = [
        {
            "observation_id": f"{name}{day}",
            "time": datetime(2027, 1, 5 + day, 17, tzinfo=UTC),
            "provider": name,
            "resource": "h100-sxm",
            "region": "us-east",
            "tier": "firm",
            "price": round(price + 0.01 * day, 2),
            "kind": "list price",
        }
        | (change or {}).get(f"{name}{day}", {})
        for day in range(days)
        for name, price in ASKED.items()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def closed(day: date) -> datetime:
    """A little after the end of a day in New York."""
    return datetime(day.year, day.month, day.day, 5, tzinfo=UTC) + timedelta(days=1, minutes=5)


def drafted(seen: pl.DataFrame, day: date = FIRST, **more: Any) -> Draft:
    told: dict[str, Any] = {"methodology": "house", "first": day, "end": day + timedelta(1), "by": "ann", "at": closed(day)}
    return make_draft(seen, **(told | more))


def published(place: Path, seen: pl.DataFrame, day: date = FIRST, *, draft: Draft | None = None, wait: timedelta = HOUR) -> Publication:
    """The whole day: draft, approval by another, publication `wait` after the draft."""
    made = draft or drafted(seen, day)
    folder = made.write(place / f"draft-{day}")
    history = place / "history"
    approve(folder, open_history(history, new=True), by="bob", at=made.made_at + wait / 2)
    return publish(folder, history, at=made.made_at + wait)


def three_days(place: Path) -> Path:
    """A history of three days, two indices each; returns its folder."""
    for number in range(3):
        published(place, listed(), FIRST + timedelta(number))
    return place / "history"

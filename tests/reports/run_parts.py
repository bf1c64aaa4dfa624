"""What all parts of a made-up run have in common: its time, its market, and how tables and manifests are written."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from tenorgrid.data import store
from tenorgrid.data.tables.door import checked

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


def write_part(folder: Path, part: str, name: str, frame: pl.DataFrame, schema: type[dy.Schema], *, form: Any = "csv") -> None:
    (folder / part).mkdir(parents=True, exist_ok=True)
    store.write_table(folder / part, name, checked(frame, schema, name=name), form=form)


def write_manifest(folder: Path, command: str) -> None:
    part = {"mark": "marks"}.get(command, command)
    settings = {"market": "packaged-90", "timezone": ZONE, "pricing": "marginal", "synthetic": True}
    store.write_manifest(folder / part, command=command, as_of=AS_OF, seed=7, settings=settings, written_at=AS_OF)

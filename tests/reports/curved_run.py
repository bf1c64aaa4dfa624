"""A made-up forward curve with its quotes, how often its band held, and volatilities."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.data import store
from tenorgrid.data.tables.curve import Curve, Quotes
from tests.reports.run_parts import AS_OF, CLASSES, FIRST, LAST, ZONE, write_part


# fmt: off
# (the rows of made-up tables, several columns a line)
def write_curve(folder: Path, prices: pl.DataFrame) -> None:
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
    write_part(folder, "curve", "quotes", pl.DataFrame(quotes, schema_overrides={"calendar": pl.String}), Quotes)
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
    write_part(folder, "curve", "curve", curve, Curve)
    coverage = pl.DataFrame(
        {
            "index": [index] * 3, "horizon": ["day-ahead", "week-ahead", "month-ahead"], "days": [60, 55, 44], "inside": [49, 43, 33],
            "coverage": [49 / 60, 43 / 55, 0.75], "level": [0.8] * 3,
        }
    )
    store.write_table(folder / "curve", "coverage", coverage)


def volatility() -> pl.DataFrame:
    rows = [
        {
            "index": f"{name}.US.FIRM".upper(), "model": "realised", "start": FIRST, "end": AS_OF, "observations": 73,
            "volatility": 0.5 + 0.1 * place, "lower": 0.42 + 0.1 * place, "upper": 0.61 + 0.1 * place, "level": 0.95,
        }
        for place, name in enumerate(CLASSES)
    ]
    return pl.DataFrame(rows)
# fmt: on

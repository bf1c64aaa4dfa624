"""Figures of quality adjustment: what is drawn is what the tables say."""

from datetime import UTC, datetime

import polars as pl
import pytest

from tenorgrid.reports.figures.quality import series, worth
from tenorgrid.reports.pages.normalisation import render

DAYS = [datetime(2027, 1, day, tzinfo=UTC) for day in (1, 2)]


def rows(method: str, *values: float, se: float | None = None) -> list[dict[str, object]]:
    """Two periods of one method."""
    return [
        {
            "group": "all",
            "method": method,
            "period": day,
            "value": value,
            "se": se,
            "lower": None if se is None else value - se,
            "upper": None if se is None else value + se,
            "rows": 5,
            "products": 4,
        }
        for day, value in zip(DAYS, values, strict=True)
    ]


def table() -> pl.DataFrame:
    made = [*rows("mean", 1.0, 0.7), *rows("time-product-dummy", 1.0, 0.99, se=0.1), *rows("mean, prices held", 1.0, 0.71)]
    return pl.DataFrame([*made, *rows("time-product-dummy, prices held", 1.0, 1.0, se=0.0)], infer_schema_length=None)


def coefficients() -> pl.DataFrame:
    numbers = {"se": 0.01, "t": 9.0, "rows": 9}
    return pl.DataFrame(
        [
            {
                "group": "all",
                "term": "n",
                "characteristic": "n",
                "form": "log",
                "level": None,
                "reference": None,
                "coefficient": -1.0,
                "lower": -2.0,
                "upper": 0.0,
                "lowest": 1.0,
                "highest": 8.0,
                **numbers,
            },
            {
                "group": "all",
                "term": "up",
                "characteristic": "up",
                "form": "level",
                "level": None,
                "reference": None,
                "coefficient": 2.0,
                "lower": 1.0,
                "upper": 3.0,
                "lowest": 0.5,
                "highest": 1.0,
                **numbers,
            },
            {
                "group": "all",
                "term": "net x",
                "characteristic": "net",
                "form": "category",
                "level": "x",
                "reference": "y",
                "coefficient": 0.0,
                "lower": -0.1,
                "upper": 0.1,
                "lowest": None,
                "highest": None,
                **numbers,
            },
        ],
        infer_schema_length=None,
    )


def test_observed_and_held_stand_on_panels_of_their_own() -> None:
    drawn = {(trace.name, trace.yaxis or "y"): trace for trace in series(table()).data}
    assert list(drawn["mean", "y"].y) == pytest.approx([100.0, 70.0])
    assert list(drawn["mean", "y2"].y) == pytest.approx([100.0, 71.0])
    assert list(drawn["time-product-dummy", "y2"].y) == [100.0, 100.0]
    band = drawn["95 % interval", "y"]
    assert list(band.y) == pytest.approx([110.0, 109.0, 89.0, 90.0])
    assert len(series(table().filter(pl.col("method") == "mean")).data) == 2  # the mean, and the empty count of products


def test_worth_is_for_a_doubling_a_range_or_against_the_reference() -> None:
    trace = worth(coefficients()).data[0]
    told = dict(zip(trace.y, trace.x, strict=True))
    assert told == {"n doubled": pytest.approx(-50.0), "up: 0.5 to 1.0": pytest.approx(171.828, abs=1e-3), "net x against y": 0.0}
    reach = dict(zip(trace.y, zip(trace.error_x.arrayminus, trace.error_x.array, strict=True), strict=True))
    assert reach["n doubled"] == pytest.approx((25.0, 50.0))


def test_values_of_a_category_are_told_apart_beside_the_axis() -> None:
    """Long names lose their middle: of `provider digitalocean against acecloud` what is left must not be the reference."""
    one = coefficients().filter(pl.col("level").is_not_null()).head(1)
    names = ["aws", "digitalocean", "a-cloud-with-a-very-long-name"]
    rows = pl.concat(
        [one.with_columns(level=pl.lit(name), term=pl.lit(f"provider {name}"), reference=pl.lit("acecloud")) for name in names]
    )
    drawn = worth(rows)
    assert sorted(drawn.layout.yaxis.ticktext) == ["a-cloud-w…ong-name", "digitalocean", "provider aws"]
    assert {"provider aws against acecloud"} < set(drawn.data[0].hovertext)


def test_the_page_says_what_was_not_adjusted() -> None:
    factors = pl.DataFrame({"observation_id": ["a", "b"], "price": [1.0, 2.0], "factor": [1.1, None], "reason": [None, "no n"]})
    fits = pl.DataFrame(
        {
            "group": ["all"],
            "rows": [9],
            "cells": [8],
            "clusters": [1],
            "excluded": [0],
            "incomplete": [1],
            "free": [5],
            "sigma": [0.1],
            "r_squared": [0.9],
            "left_out": [None],
        }
    )
    tables = {"coefficients": coefficients(), "factors": factors, "fits": fits, "series": table()}
    page = render(tables, model="m", source="offers.csv")
    assert "no n" in page
    assert "of 2; the others say why not" in page
    assert ">70.0<" in page
    assert "What moved" not in render({name: frame for name, frame in tables.items() if name != "series"}, model="m", source="offers.csv")

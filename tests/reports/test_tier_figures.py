"""Figures of tiers: what is drawn is what the tables say."""

import polars as pl
import pytest

from tenorgrid.data.kinds.market import PromiseVerdict
from tenorgrid.reports import theme
from tenorgrid.reports.figures import pooling


def test_the_pool_is_terracotta_and_suppliers_are_grey_from_narrow_to_wide() -> None:
    rows = [("pool", 0.3, 0.25, 0.28, 0.3, 0.33, 0.4), ("a", 0.2, 0.0, 0.1, 0.15, 0.3, 0.9), ("b", 0.5, 0.1, 0.2, 0.5, 0.8, 1.0)]
    names = ["group", "mean", "p05", "p25", "p50", "p75", "p95"]
    table = pl.DataFrame(rows, schema=names, orient="row").with_columns(deviation=pl.lit(0.1))
    drawn = pooling.bands(table)
    strokes = [one for one in drawn.data if one.mode == "lines"]
    assert [one.line.color for one in strokes] == [theme.ACCENT] * 2 + [theme.MIDDLE] * 2
    assert list(strokes[0].x) == [25.0, 40.0, None]
    assert list(strokes[2].y) == ["b", "b", None, "a", "a", None]
    dots = [one for one in drawn.data if one.mode == "markers"]
    assert [list(one.x) for one in dots] == [[30.0], [50.0, 15.0]]


def test_every_held_out_period_is_drawn_with_its_interval_in_its_verdicts_colour() -> None:
    kinds = pl.Enum([kind.value for kind in PromiseVerdict])
    rows = [
        ("spot", 1, 24.0, 48.0, 0.2, 0.15, 0.3, "broken"), ("spot", 2, 48.0, 72.0, 0.05, None, None, "kept"),
        ("spot", 3, 72.0, 96.0, None, None, None, "not sold"), ("spot", None, 24.0, 96.0, 0.12, 0.1, 0.2, "broken"),
    ]  # fmt: skip
    table = pl.DataFrame(
        rows, schema=["tier", "period", "begin", "end", "realised", "lower", "upper", "verdict"], orient="row"
    ).with_columns(pl.col("verdict").cast(kinds), promise=pl.lit(0.1), overcommit=pl.lit(0.8), chance_of_recall=pl.lit(0.3))
    drawn = pooling.held_out(table)
    by_name = {one.name: one for one in drawn.data}
    assert set(by_name) == {"promise", "broken", "kept"}
    broken = by_name["broken"]
    assert (list(broken.x), list(broken.y), broken.marker.color) == ([1.5], [20.0], theme.ACCENT)
    assert [*broken.error_y.array, *broken.error_y.arrayminus] == pytest.approx([10.0, 5.0])
    assert list(by_name["promise"].y) == [10.0, 10.0]


def test_tiers_stand_on_the_promise_curve_with_their_errors() -> None:
    curve = pl.DataFrame({"overcommit": [0.5, 1.0], "interruption": [0.05, 0.2], "chance_of_recall": [0.1, 0.6]})
    estimates = pl.DataFrame(
        {"tier": ["none", "spot"], "promise": [0.01, 0.1], "overcommit": [0.0, 0.7], "lower": [None, 0.6], "upper": [None, 0.75]}
    )
    drawn = pooling.promises(curve, estimates)
    lines = [one for one in drawn.data if one.mode == "lines"]
    assert [list(one.y) for one in lines] == [pytest.approx([5.0, 20.0]), pytest.approx([10.0, 60.0])]
    tiers = drawn.data[-1]
    assert (list(tiers.x), list(tiers.y), list(tiers.text)) == ([0.7], [10.0], ["spot"])
    assert [*tiers.error_x.array, *tiers.error_x.arrayminus] == pytest.approx([0.05, 0.1])


def test_the_curve_of_pool_sizes_has_a_line_a_tier_and_leaves_out_a_formula_that_is_not_there() -> None:
    table = pl.DataFrame(
        {
            "suppliers": [1, 4, 1, 4], "tier": ["a", "a", "b", "b"], "drawn": [4, 1, 4, 1], "deviation": [0.4, 0.2, 0.4, 0.2],
            "formula": [None] * 4, "overcommit": [0.1, 0.5, 0.3, 0.7], "worst": [0.0, 0.5, 0.1, 0.7], "best": [0.2, 0.5, 0.4, 0.7],
        },
        schema_overrides={"formula": pl.Float64},
    )  # fmt: skip
    drawn = pooling.by_size(table, floor=None)
    assert [one.name for one in drawn.data] == ["as recorded", "a", "b"]
    assert [list(one.y) for one in drawn.data] == [[0.4, 0.2], [0.1, 0.5], [0.3, 0.7]]


def test_parts_of_a_spread_are_stacked_to_it_the_nearest_horizon_on_top() -> None:
    table = pl.DataFrame(
        {
            "horizon": ["month-ahead", "real-time", "real-time"], "tier": ["spot"] * 3, "spread": [0.5, 0.2, 0.6],
            "premium": [0.4, 0.3, 0.5], "overcommit": [-0.1, -0.1, -0.1], "scarcity": [0.2, 0.0, 0.2], "residual": [0.0, 0.0, 0.0],
        }
    )  # fmt: skip
    drawn = pooling.spread_parts(table)
    bars = [one for one in drawn.data if one.type == "bar"]
    assert list(bars[0].y) == ["spot, month-ahead", "spot, real-time"]  # the last is drawn on top
    sums = [sum(one.x[at] for one in bars) for at in range(2)]
    assert sums == pytest.approx(list(drawn.data[-1].x))
    assert sums == pytest.approx([0.5, 0.4])


def test_tiers_that_stand_on_each_other_are_named_once_and_all_are_told_under_the_pointer() -> None:
    curve = pl.DataFrame({"overcommit": [0.5, 1.0], "interruption": [0.05, 0.2], "chance_of_recall": [0.1, 1.0]})
    tiers = ["a", "b", "c", "d"]
    estimates = pl.DataFrame({"tier": tiers, "promise": [0.02, 0.05, 0.1, 0.2], "overcommit": [0.7] * 4}).with_columns(
        lower=pl.lit(0.6), upper=pl.lit(0.8)
    )
    named = pooling.promises(curve, estimates).data[-1]
    assert list(named.text) == ["a", "", "c", "d"]
    assert list(named.customdata) == tiers

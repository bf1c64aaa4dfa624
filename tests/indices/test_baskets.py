"""Marks of baskets: levels, rebalancings, contributions, statuses, stages."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from math import exp, log
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula
from tenorgrid.indices.baskets.basket import SPLICE, BasketRun, basket_marks
from tenorgrid.indices.baskets.bilateral import BILATERAL
from tenorgrid.indices.baskets.multilateral import MULTILATERAL, multilateral
from tenorgrid.indices.baskets.panel import Panel, panel

Write = Callable[..., Path]
Marked = Callable[..., pl.DataFrame]
A, B, C, D = (f'index = "{name}.US.FIRM"' for name in "ABCD")
DAYS = 12


def values_of(run: BasketRun, index: str = "ALL.US.FIRM") -> list[float | None]:
    return run.marks.filter(index=index)["value"].to_list()


def states_of(run: BasketRun) -> list[str]:
    return run.marks.filter(index="ALL.US.FIRM")["status"].cast(pl.String).to_list()


def drawn(marked: Marked, seed: int, *, gaps: bool = False) -> pl.DataFrame:
    """Twelve days of four indices with quantities; with `gaps` three marks are withheld."""
    rng = np.random.default_rng(seed)
    values: dict[str, list[float | None]] = {f"{name}.US.FIRM": list(rng.lognormal(1, 0.2, DAYS)) for name in "ABCD"}
    if gaps:
        for name, day in (("A", 3), ("B", 4), ("D", 11)):
            values[f"{name}.US.FIRM"][day] = None
    return marked(values, quantities={name: list(rng.uniform(10, 90, DAYS)) for name in values})


def arguments(formula: IndexFormula) -> dict[str, str]:
    """What a file needs to go with a formula."""
    if formula is IndexFormula.JEVONS:
        return {"formula": formula, "come_from": "none"}
    return {"formula": formula} | ({"window": '{ periods = 5, splice = "mean" }'} if formula in MULTILATERAL else {})


def test_a_rebalanced_basket_keeps_its_level(write_basket: Write, marked: Marked) -> None:
    """The known answer: 100, 50, 20 become 80, 60, 0, 40 at the close of the second day."""
    definition = write_basket(
        f"{A}\nquantity = 100.0\nuntil = 2027-01-02",
        f"{B}\nquantity = 50.0\nuntil = 2027-01-02",
        f"{C}\nquantity = 20.0\nuntil = 2027-01-02",
        f"{A}\nquantity = 80.0\nfrom = 2027-01-02",
        f"{B}\nquantity = 60.0\nfrom = 2027-01-02",
        f"{D}\nquantity = 40.0\nfrom = 2027-01-02",
        come_from="fixed",
        rebalancing='{ when = "dates", dates = [2027-01-02] }',
    )
    values = {"A.US.FIRM": [2.5, 2.6, 2.65], "B.US.FIRM": [3.2, 3.1, 3.0], "C.US.FIRM": [5.0, 5.2, 5.3], "D.US.FIRM": [1.7, 1.8, 1.9]}
    run = basket_marks(marked(values), definition=definition)
    assert values_of(run) == pytest.approx([1000.0, 1017.647059, 1022.014643], abs=5e-7)
    links = run.rebalancings.unique("start", maintain_order=True)
    assert links["divisor"].to_list() == pytest.approx([0.51, 0.457919075], abs=5e-10)
    last = run.contributions.filter(pl.col("start") == pl.col("start").max())
    assert last["constituent"].to_list() == ["A.US.FIRM", "B.US.FIRM", "D.US.FIRM"]
    assert last["contribution"].to_list() == pytest.approx([80 * 0.05 / 0.457919075, -60 * 0.1 / 0.457919075, 40 * 0.1 / 0.457919075])


def test_tornqvist_linked_at_two_dates_written_out(write_basket: Write, marked: Marked) -> None:
    marks = drawn(marked, 1)
    definition = write_basket(A, B, C, D, formula="tornqvist", rebalancing='{ when = "dates", dates = [2027-01-04, 2027-01-09] }')
    grouped = marks.partition_by("index")
    price, sold = ([list(one[column]) for one in grouped] for column in ("value", "quantity"))

    def compare(base: int, day: int) -> float:
        then, now = ([p[at] * q[at] for p, q in zip(price, sold, strict=True)] for at in (base, day))
        return exp(sum((x / sum(then) + y / sum(now)) / 2 * log(p[day] / p[base]) for x, y, p in zip(then, now, price, strict=True)))

    wanted, level, base = [1000.0], 1000.0, 0
    for day in range(1, DAYS):
        wanted.append(level * compare(base, day))
        if day in (3, 8):
            level, base = wanted[-1], day
    assert values_of(basket_marks(marks, definition=definition)) == pytest.approx(wanted, rel=1e-12)


def test_a_window_as_long_as_the_marks_ends_at_the_plain_multilateral_index(write_basket: Write, marked: Marked) -> None:
    """With a window splice onto a base that every window holds, each value is its own window's index."""
    marks = drawn(marked, 2)
    definition = write_basket(A, B, C, D, formula="geks-tornqvist", window='{ periods = 12, splice = "window" }')
    rows = panel(marks.select(period="start", product="index", price="value", quantity="quantity"))
    wanted = 1000 * multilateral(rows, IndexFormula.GEKS_TORNQVIST)[-1]
    assert values_of(basket_marks(marks, definition=definition))[-1] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("formula", [*BILATERAL, *MULTILATERAL])
@pytest.mark.parametrize("missing", ["leave out", "carry"])
def test_contributions_sum_to_every_move(write_basket: Write, marked: Marked, formula: IndexFormula, missing: str) -> None:
    days = ", carry_days = 3" if missing == "carry" else ""
    rule = f'{{ low_confidence = "use", carried = "use", missing = "{missing}"{days} }}'
    when = "never" if formula in MULTILATERAL else "dates"
    dates = ", dates = [2027-01-05]" if when == "dates" else ""
    definition = write_basket(A, B, C, D, marks=rule, rebalancing=f'{{ when = "{when}"{dates} }}', **arguments(formula))
    run = basket_marks(drawn(marked, 3, gaps=True), definition=definition)
    found = run.contributions.group_by("start", maintain_order=True).agg(pl.col("contribution").sum())["contribution"].to_numpy()
    levels = [json.loads(line)["unrounded"] for line in run.audits["audit"]]
    np.testing.assert_allclose(found[1:], np.diff(levels), atol=1e-9)
    assert SPLICE in run.contributions["constituent"].to_list() or formula in BILATERAL


@pytest.mark.parametrize("formula", [*BILATERAL, *MULTILATERAL])
def test_nothing_later_and_no_order_of_rows_changes_a_mark(write_basket: Write, marked: Marked, formula: IndexFormula) -> None:
    marks = drawn(marked, 4, gaps=True)
    definition = write_basket(A, B, C, D, **arguments(formula))
    whole = basket_marks(marks, definition=definition)
    shuffled = basket_marks(marks.sample(fraction=1.0, shuffle=True, seed=1), definition=definition)
    assert whole.marks.equals(shuffled.marks)
    assert whole.audits.equals(shuffled.audits)
    for day in (3, 7):  # within the first window, and after it
        early = basket_marks(marks, definition=definition, at=datetime(2027, 1, day + 1, 5, tzinfo=UTC))
        assert early.marks.height == day
        assert values_of(early) == pytest.approx(values_of(whole)[:day], rel=1e-13)


def test_laspeyres_in_two_stages_is_laspeyres_in_one(write_basket: Write, marked: Marked) -> None:
    marks = drawn(marked, 5)
    write_basket(A, B, name="inner", index='"IN.US.FIRM"', base='{ date = 2027-01-01, value = "mean price" }')
    two = basket_marks(marks, definition=write_basket('basket = "inner"', C, D))
    one = basket_marks(marks, definition=write_basket(A, B, C, D))
    assert values_of(two) == pytest.approx(values_of(one), rel=1e-9)
    assert two.marks["index"].unique(maintain_order=True).to_list() == ["IN.US.FIRM", "ALL.US.FIRM"]
    paid = two.marks.with_columns(paid=pl.col("value") * pl.col("quantity"))
    assert paid.filter(index="ALL.US.FIRM")["paid"].to_list() == pytest.approx(
        marks.group_by("start", maintain_order=True).agg((pl.col("value") * pl.col("quantity")).sum())["value"].to_list(), rel=1e-9
    )
    assert set(two.marks.filter(index="IN.US.FIRM")["unit"]) == {"USD/GPUh"}
    assert set(two.marks.filter(index="ALL.US.FIRM")["unit"]) == {"index points"}


def test_shares_of_value_are_what_was_written_on_the_base_day(write_basket: Write, marked: Marked) -> None:
    marks = marked({"A.US.FIRM": [2.0, 3.0], "B.US.FIRM": [8.0, 8.0]})
    run = basket_marks(marks, definition=write_basket(f"{A}\nshare = 0.25", f"{B}\nshare = 0.75", come_from="value shares"))
    assert values_of(run) == pytest.approx([1000.0, 1000 * (0.25 * 1.5 + 0.75)])
    assert run.rebalancings["weight"].to_list() == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(
    ("missing", "values", "states"),
    [
        ("leave out", [1000, 1100, 1200, 1200], ["published", "published", "low-confidence", "low-confidence"]),
        ("carry", [1000, 1100, 1000 * 3.5 / 3, 1200], ["published", "published", "low-confidence", "low-confidence"]),  # then left out
        ("withhold", [1000, 1100, None, None], ["published", "published", "withheld", "withheld"]),
    ],
)
def test_what_a_missing_mark_does(write_basket: Write, marked: Marked, missing: str, values: list[float], states: list[str]) -> None:
    """B has no mark on the third day, and one of a status that does not count on the fourth."""
    marks = marked({"A.US.FIRM": [2.0, 2.2, 2.4, 2.4], "B.US.FIRM": [1.0, 1.1, None, 5.0]}, statuses={("B.US.FIRM", 3): "carried"})
    days = ", carry_days = 1" if missing == "carry" else ""
    rule = f'{{ low_confidence = "use", carried = "missing", missing = "{missing}"{days} }}'
    definition = write_basket(f"{A}\nquantity = 1.0", f"{B}\nquantity = 1.0", come_from="fixed", marks=rule)
    run = basket_marks(marks, definition=definition)
    assert values_of(run) == [None if value is None else pytest.approx(value, rel=1e-12) for value in values]
    assert states_of(run) == states


def test_statuses_follow_the_value_that_stands_on_good_marks(write_basket: Write, marked: Marked) -> None:
    told = {("A.US.FIRM", 1): "low-confidence", ("A.US.FIRM", 2): "carried", ("B.US.FIRM", 3): "carried"}
    marks = marked({"A.US.FIRM": [6.0] * 4, "B.US.FIRM": [4.0] * 4}, statuses=told)
    definition = write_basket(f"{A}\nquantity = 1.0", f"{B}\nquantity = 1.0", come_from="fixed")
    assert states_of(basket_marks(marks, definition=definition)) == ["published", "low-confidence", "carried", "low-confidence"]


def test_a_share_that_just_suffices_publishes(write_basket: Write, marked: Marked) -> None:
    marks = marked({"A.US.FIRM": [9.0], "B.US.FIRM": [1.0]}, statuses={("B.US.FIRM", 0): "low-confidence"})
    definition = write_basket(f"{A}\nquantity = 1.0", f"{B}\nquantity = 1.0", come_from="fixed")
    assert states_of(basket_marks(marks, definition=definition)) == ["published"]


def test_quantities_are_means_of_the_days_up_to_a_rebalancing(write_basket: Write, marked: Marked) -> None:
    marks = marked(
        {"A.US.FIRM": [1.0] * 3 + [2.0], "B.US.FIRM": [1.0] * 4}, quantities={"A.US.FIRM": [7.0, 2, 4, 9], "B.US.FIRM": [99.0, 6, 0, 9]}
    )
    definition = write_basket(
        A, B, quantities='{ from = "marks", days = 2 }', rebalancing='{ when = "dates", dates = [2027-01-03] }'
    )  # fmt: skip
    run = basket_marks(marks, definition=definition)
    assert run.rebalancings["quantity"].to_list() == [7.0, 99.0, 3.0, 3.0]
    assert values_of(run)[-1] == pytest.approx(1500.0)


def test_the_quantity_of_a_mark_is_of_what_is_held(write_basket: Write, marked: Marked) -> None:
    marks = marked({"A.US.FIRM": [2.0, 3.0], "B.US.FIRM": [5.0, 5.0]}, quantities={"A.US.FIRM": [10.0, 20], "B.US.FIRM": [1.0, 1]})
    found = basket_marks(marks, definition=write_basket(A, f"{B}\nfrom = 2027-02-01")).marks
    assert (found["value"] * found["quantity"]).to_list() == pytest.approx([20.0, 60.0])


def test_a_new_gpu_joins_at_the_next_rebalancing_and_a_vanished_one_leaves(write_basket: Write, marked: Marked) -> None:
    """B comes on the fourth day, A goes after the sixth; the basket is rebalanced after the fifth and the eighth."""
    values: dict[str, list[float | None]] = {
        "A.US.FIRM": [2.0, 2.0, 2.2, 2.2, 2.2, 2.42, None, None, None, None],
        "B.US.FIRM": [None, None, None, 7.0, 8.0, 8.8, 8.8, 9.68, 9.68, 10.648],
    }
    quantities = {"A.US.FIRM": [9.0] * 6 + [0.0] * 4, "B.US.FIRM": [0.0] * 3 + [3.0] * 7}
    definition = write_basket(A, B, rebalancing='{ when = "dates", dates = [2027-01-05, 2027-01-08] }')
    run = basket_marks(marked(values, quantities=quantities), definition=definition)
    assert values_of(run) == pytest.approx([1000, 1000, 1100, 1100, 1100, 1210, 1210, 1331, 1331, 1464.1])
    held = run.rebalancings.select("constituent", "joined").rows()
    assert held == [
        ("A.US.FIRM", True),
        ("B.US.FIRM", False),
        ("A.US.FIRM", True),
        ("B.US.FIRM", True),
        ("A.US.FIRM", False),
        ("B.US.FIRM", True),
    ]


def test_a_rebalancing_that_falls_on_a_day_without_marks_is_made_on_the_next(write_basket: Write, marked: Marked) -> None:
    values: dict[str, list[float | None]] = {"A.US.FIRM": [2.0, 2.2, None, 2.2, 2.2], "B.US.FIRM": [2.0, 2.2, None, 2.2, 4.4]}
    definition = write_basket(
        f"{A}\nquantity = 1.0",
        f"{B}\nquantity = 1.0\nfrom = 2027-01-03",
        come_from="fixed",
        rebalancing='{ when = "dates", dates = [2027-01-03] }',
    )
    run = basket_marks(marked(values), definition=definition)
    assert values_of(run) == pytest.approx([1000, 1100, None, 1100, 1650])
    assert run.rebalancings["start"].dt.day().to_list() == [1, 4, 4]


def test_a_rule_selects_by_published_days_and_size(write_basket: Write, marked: Marked) -> None:
    names = ("A.US.FIRM", "B.US.FIRM", "C.US.FIRM", "D.US.SPOT")
    sizes = dict(zip(names, (5.0, 9.0, 7.0, 99.0), strict=True))
    marks = marked(
        {name: [2.0, 2.0, 2.0, 3.0] for name in names},
        quantities={name: [size] * 4 for name, size in sizes.items()},
        statuses={("B.US.FIRM", 1): "low-confidence", ("B.US.FIRM", 2): "low-confidence"},
    )
    select = '{ like = ["*.US.FIRM"], published_days = 2, of_days = 3, most = MOST }'
    base = "{ date = 2027-01-03, value = 100.0 }"
    early = basket_marks(
        marks, definition=write_basket(select='{ like = ["B.US.FIRM", "A.US.FIRM"], published_days = 3, of_days = 3 }', base=base)
    )
    assert early.rebalancings["constituent"].to_list() == ["A.US.FIRM"]
    older = '{ like = ["*.US.FIRM"], published_days = 1, of_days = 2 }'  # B was published three days before, and no more since
    assert basket_marks(marks, definition=write_basket(select=older, base=base)).rebalancings.height == 2
    for most, wanted in (("9", ["A.US.FIRM", "C.US.FIRM"]), ("1", ["C.US.FIRM"])):
        run = basket_marks(marks, definition=write_basket(select=select.replace("MOST", most), base=base))
        assert run.rebalancings["constituent"].to_list() == wanted
        assert values_of(run) == pytest.approx([100.0, 150.0])


def test_the_latest_revision_counts_and_an_earlier_moment_is_replayed(write_basket: Write, marked: Marked) -> None:
    marks = marked({"A.US.FIRM": [2.0, 2.2]})
    restated = marks[1:].with_columns(revision=pl.lit(1), value=pl.lit(2.4), published_at=pl.lit(datetime(2027, 1, 9, tzinfo=UTC)))
    both = pl.concat([marks, restated], how="vertical_relaxed")
    definition = write_basket(f"{A}\nquantity = 1.0", come_from="fixed")
    assert values_of(basket_marks(both, definition=definition))[-1] == pytest.approx(1200)
    assert values_of(basket_marks(both, definition=definition, at=datetime(2027, 1, 8, tzinfo=UTC)))[-1] == pytest.approx(1100)


def test_audits_hold_the_marks_and_what_they_stand_on(write_basket: Write, marked: Marked) -> None:
    marks = drawn(marked, 6)
    definition = write_basket(A, B, C, D, rebalancing='{ when = "dates", dates = [2027-01-04] }')
    run = basket_marks(marks, definition=definition)
    entries = [json.loads(line) for line in run.audits["audit"]]
    assert [entry["value"] for entry in entries] == values_of(run)
    assert [entry["rebalanced"] for entry in entries] == ["2027-01-01"] * 4 + ["2027-01-04"] * 8
    changed = marks.with_columns(
        value=pl.when((pl.col("index") == "A.US.FIRM") & (pl.col("start").dt.day() == 3)).then(9.0).otherwise("value")
    )
    other = [json.loads(line) for line in basket_marks(changed, definition=definition).audits["audit"]]
    assert [one["input"] != two["input"] for one, two in zip(entries, other, strict=True)] == [day == 2 for day in range(DAYS)]


def test_what_does_not_fit_the_marks_is_refused(write_basket: Write, marked: Marked) -> None:
    fixed = [f"{A}\nquantity = 1.0", f"{B}\nquantity = 1.0"]
    marks = marked({"A.US.FIRM": [2.0, 2.0], "B.US.FIRM": [1.0, 1.0]})
    with pytest.raises(InputError) as refused:
        basket_marks(marks, definition=write_basket(*fixed, f"{C}\nquantity = 1.0", f"{D}\nquantity = 1.0", come_from="fixed"))
    assert [fault.value for fault in refused.value.faults] == ["C.US.FIRM", "D.US.FIRM"]
    definition = write_basket(*fixed, come_from="fixed")
    rival = marks.head(1).with_columns(methodology=pl.lit("other"))
    with pytest.raises(InputError, match=r"column A\.US\.FIRM: found house and other, expected marks of one methodology"):
        basket_marks(pl.concat([marks, rival]), definition=definition)
    with pytest.raises(InputError, match="expected constituents whose periods are the same"):
        basket_marks(
            marks.with_columns(end=pl.when(pl.col("index") == "A.US.FIRM").then(pl.col("end").dt.offset_by("1h")).otherwise("end")),
            definition=definition,
        )
    with pytest.raises(InputError, match="no marks of an index that a basket makes"):
        basket_marks(marks.with_columns(index=pl.lit("ALL.US.FIRM")).head(2), definition=definition)
    with pytest.raises(InputError, match="2026-01-01, while marks run from 2027-01-01 to 2027-01-02"):
        basket_marks(marks, definition=write_basket(*fixed, come_from="fixed", base="{ date = 2026-01-01, value = 1.0 }"))
    with pytest.raises(InputError, match="expected marks with quantities"):
        basket_marks(marks, definition=write_basket(A, B))
    with pytest.raises(InputError, match="a time with its zone"):
        basket_marks(marks, definition=definition, at=datetime(2027, 1, 1))
    points = pl.concat([marks.filter(index="A.US.FIRM"), marks.filter(index="B.US.FIRM").with_columns(unit=pl.lit("index points"))])
    with pytest.raises(InputError, match="expected a unit of money, to go with a fixed quantity"):
        basket_marks(points, definition=write_basket(*fixed, come_from="fixed"))
    with pytest.raises(InputError, match="expected constituents in one unit, for a mean price"):
        basket_marks(points, definition=write_basket(*fixed, come_from="fixed", base='{ date = 2027-01-01, value = "mean price" }'))
    late = marked({"A.US.FIRM": [2.0, None], "B.US.FIRM": [None, 1.0]})
    with pytest.raises(InputError, match="a day on which every constituent has a mark to join with"):
        basket_marks(late, definition=write_basket(*fixed, come_from="fixed", base='{ date = "first", value = 1.0 }'))


def test_half_hourly_marks_are_rebalanced_at_the_last_of_a_day(write_basket: Write, marked: Marked) -> None:
    """Four periods of six hours a day: the composition of the second day begins after its last period."""
    marks = marked({"A.US.FIRM": [2.0] * 4 + [2.2, 2.2, 2.2, 2.42] + [2.42] * 4, "B.US.FIRM": [1.0] * 7 + [5.0] + [5.5] * 4})
    step = pl.duration(hours=6)
    place = pl.int_range(pl.len()).over("index")
    opens = pl.col("start").first() + place * step
    intraday = marks.with_columns(start=opens, end=opens + step, published_at=opens + step)
    definition = write_basket(
        f"{A}\nquantity = 1.0", f"{B}\nquantity = 1.0\nfrom = 2027-01-02", come_from="fixed", base="{ date = 2027-01-01, value = 100.0 }",
        rebalancing='{ when = "dates", dates = [2027-01-02] }',
    )  # fmt: skip
    run = basket_marks(intraday, definition=definition)
    after = 121 * 7.92 / 7.42
    assert values_of(run) == pytest.approx([100.0, 110, 110, 110, 121, after, after, after, after])
    assert run.rebalancings["start"].dt.hour().to_list() == [23, 23, 23]
    assert [json.loads(line)["date"] for line in run.audits["audit"]] == ["2027-01-01"] + ["2027-01-02"] * 4 + ["2027-01-03"] * 4


def test_a_chain_drifts_where_the_window_does_not(write_basket: Write, marked: Marked, bounce: Panel) -> None:
    marks = marked(
        {f"{name.upper()}.US.FIRM": list(bounce.price[:, n]) for n, name in enumerate(bounce.products)},
        quantities={f"{name.upper()}.US.FIRM": list(bounce.quantity[:, n]) for n, name in enumerate(bounce.products)},
    )
    chain = basket_marks(marks, definition=write_basket(A, B, rebalancing='{ when = "daily" }'))
    window = basket_marks(marks, definition=write_basket(A, B, formula="geks-fisher", window='{ periods = 5, splice = "window" }'))
    assert values_of(chain)[-1] == pytest.approx(1375.0, rel=1e-12)
    assert values_of(window)[-1] == pytest.approx(1000.0, rel=1e-12)

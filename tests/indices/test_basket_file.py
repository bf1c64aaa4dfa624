"""Baskets as data: what a file may say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import Rebalancing
from tenorgrid.indices.baskets.file import load_basket, shipped_baskets
from tenorgrid.indices.baskets.terms import Constituent

Write = Callable[..., Path]
A, B = 'index = "A.US.FIRM"', 'index = "B.US.FIRM"'
WINDOW = '{ periods = 5, splice = "mean" }'


@pytest.mark.parametrize("name", shipped_baskets())
def test_shipped_baskets_are_read_and_named_like_their_files(name: str) -> None:
    found = load_basket(name)
    assert found.name == name
    assert len(found.hash) == 64
    assert load_basket(found) is found


def test_a_basket_in_a_basket_stands_before_it_and_belongs_to_its_hash(write_basket: Write) -> None:
    write_basket(A, B, name="inner", index='"IN.US.FIRM"')
    top = write_basket('basket = "inner"', 'index = "C.US.FIRM"')
    before = load_basket(top)
    assert [stage.name for stage in before.stages()] == ["inner", "all"]
    assert [one.index for one in before.constituents] == ["IN.US.FIRM", "C.US.FIRM"]
    write_basket(A, B, name="inner", index='"IN.US.FIRM"', decimals="3")
    assert load_basket(top).hash != before.hash


def test_a_basket_that_two_others_hold_is_made_once(write_basket: Write) -> None:
    write_basket(A, name="d", index='"D.US.FIRM"')
    write_basket('basket = "d"', name="b", index='"BB.US.FIRM"')
    write_basket('basket = "d"', name="c", index='"CC.US.FIRM"')
    assert [stage.name for stage in load_basket(write_basket('basket = "b"', 'basket = "c"')).stages()] == ["d", "b", "c", "all"]


def test_a_basket_that_holds_itself_is_refused_with_the_way_round(write_basket: Write) -> None:
    write_basket('basket = "all"', name="inner", index='"IN.US.FIRM"')
    with pytest.raises(InputError, match="found all > inner > all, expected baskets that do not hold themselves"):
        load_basket(write_basket('basket = "inner"'))


def test_all_faults_are_told_at_once(write_basket: Write) -> None:
    path = write_basket(
        A, formula="median", decimals="-1", timezone='"Moon"', colour='"red"', base="{ date = 2027-01-01, value = -5.0 }", sufficiency="{}"
    )
    with pytest.raises(InputError) as refused:
        load_basket(path)
    told = {fault.column for fault in refused.value.faults}
    assert len(refused.value.faults) == len(told)
    assert {"formula", "decimals", "timezone", "colour", "base.value", "sufficiency.published", "sufficiency.low_confidence"} <= told


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    "no constituent": ((), {}, "either constituents or a rule under select"),
    "a constituent twice": ((A, A), {}, "each constituent once at a time"),
    "its own constituent": (('index = "ALL.US.FIRM"',), {}, "a name that is not a constituent's"),
    "neither index nor basket": (("from = 2027-01-01",), {}, "either an index or a basket"),
    "no such basket": (('basket = "nowhere"',), {}, "a file nowhere.toml beside it, or a shipped basket"),
    "span": ((f"{A}\nfrom = 2027-02-01\nuntil = 2027-02-01",), {}, "a day after 2027-02-01"),
    "day": ((f'{A}\nfrom = "soon"',), {}, "a day such as 2027-01-01"),
    "small letters": ((A,), {"index": '"all us"'}, "capital letters, digits"),
    "quantity not read": ((f"{A}\nquantity = 5.0",), {}, "no quantity, as quantities are from marks"),
    "no quantity": ((A,), {"come_from": "fixed"}, "a quantity, as quantities are from fixed"),
    "share for quantity": ((f"{A}\nshare = 0.5",), {"come_from": "fixed"}, "no share, as quantities are from fixed"),
    "shares beyond the whole": (
        (f"{A}\nshare = 0.7", f"{B}\nshare = 0.4"),
        {"come_from": "value shares"},
        "found 1.1, expected shares that sum to 1",
    ),
    "shares that leave a gap": (
        (f"{A}\nshare = 0.5", f"{B}\nshare = 0.5\nuntil = 2027-02-01"),
        {"come_from": "value shares"},
        "found 0.5, expected shares that sum to 1 from 2027-02-01 on",
    ),
    "negative": ((f"{A}\nquantity = -5.0",), {"come_from": "fixed"}, "a number above 0"),
    "formula without quantities": ((A,), {"formula": "jevons"}, "none with the formula jevons"),
    "fixed superlative": ((f"{A}\nquantity = 1.0",), {"formula": "fisher", "come_from": "fixed"}, "marks with the formula fisher"),
    "window": ((A,), {"window": WINDOW}, "a window only with a multilateral formula"),
    "no window": ((A,), {"formula": "geary-khamis"}, "a window with a multilateral formula"),
    "rebalanced window": (
        (A,),
        {"formula": "geks-fisher", "window": WINDOW, "rebalancing": '{ when = "monthly" }'},
        "never, as the window of geks-fisher rolls",
    ),
    "even half": ((A,), {"formula": "geks-walsh", "window": '{ periods = 4, splice = "half" }'}, "an odd number"),
    "dates": ((A,), {"rebalancing": '{ when = "dates" }'}, "days with when = dates"),
    "dates not read": ((A,), {"rebalancing": '{ when = "never", dates = [2027-01-02] }'}, "days with when = dates"),
    "unordered dates": ((A,), {"rebalancing": '{ when = "dates", dates = [2027-01-02, 2027-01-01] }'}, "different days in their order"),
    "days not read": (
        (f"{A}\nquantity = 1.0",),
        {"quantities": '{ from = "fixed", days = 5 }'},
        "no days, as quantities are not from marks",
    ),
    "carry": ((A,), {"marks": '{ low_confidence = "use", carried = "use", missing = "carry" }'}, "days with missing = carry"),
    "status": ((A,), {"marks": '{ low_confidence = "yes", carried = "use", missing = "withhold" }'}, "use or missing"),
    "sufficiency": ((A,), {"sufficiency": "{ published = 0.5, low_confidence = 0.9 }"}, "at most the share that publishes, 0.5"),
    "share of all": ((A,), {"sufficiency": "{ published = 1.5, low_confidence = 0.9 }"}, "a share above 0 and of at most 1"),
    "mean of nothing": (
        (A,),
        {"formula": "jevons", "come_from": "none", "base": '{ date = 2027-01-01, value = "mean price" }'},
        "a number, as jevons has no quantities",
    ),
    "both ways": ((A,), {"select": '{ like = ["*"], published_days = 1, of_days = 1 }'}, "either constituents or a rule"),
    "first of a rule": (
        (),
        {"select": '{ like = ["*"], published_days = 1, of_days = 1 }', "base": '{ date = "first", value = 1.0 }'},
        "a day, as the rule under select needs days before it",
    ),
    "impossible rule": ((), {"select": '{ like = ["*"], published_days = 3, of_days = 2 }'}, "at most of_days, 2"),
    "unknown key below": ((A,), {"base": "{ date = 2027-01-01, value = 1.0, colour = 1 }"}, "an unknown key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused(write_basket: Write, case: str) -> None:
    constituents, changed, told = REFUSED[case]
    with pytest.raises(InputError, match=told):
        load_basket(write_basket(*constituents, **changed))


def test_a_name_that_is_not_the_files_and_no_file_at_all(write_basket: Write, tmp_path: Path) -> None:
    path = write_basket(A)
    path.rename(tmp_path / "other.toml")
    with pytest.raises(InputError, match="found all, expected the name of its file, other"):
        load_basket(tmp_path / "other.toml")
    with pytest.raises(InputError, match="expected one of accelerators-global"):
        load_basket("nowhere")
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(InputError, match="expected TOML in UTF-8"):
        load_basket(tmp_path / "broken.toml")


def test_spans_hold_from_their_first_day_to_the_one_before_their_end() -> None:
    one = Constituent(index="A", first=date(2027, 1, 2), end=date(2027, 1, 4))
    assert [one.holds(date(2027, 1, day)) for day in range(1, 6)] == [False, True, True, False, False]
    assert not one.meets(Constituent(index="A", first=date(2027, 1, 4)))
    assert one.meets(Constituent(index="A", end=date(2027, 1, 3)))


@pytest.mark.parametrize(
    ("when", "dates", "due"),
    [
        (Rebalancing.NEVER, (), []),
        (Rebalancing.DAILY, (), ["03-30", "03-31", "04-01"]),
        (Rebalancing.MONTHLY, (), ["03-31"]),
        (Rebalancing.QUARTERLY, (), ["03-31"]),
        (Rebalancing.YEARLY, (), []),
        (Rebalancing.DATES, (date(2027, 4, 2),), ["04-01"]),  # a day without marks: at the close of the last one before it
    ],
)
def test_rebalancing_days(when: Rebalancing, dates: tuple[date, ...], due: list[str]) -> None:
    basket = replace(load_basket("hopper-us"), rebalancing=when, dates=dates)
    days = [date(2027, 3, 30), date(2027, 3, 31), date(2027, 4, 1), date(2027, 4, 5)]
    assert [f"{day:%m-%d}" for day, following in pairwise(days) if basket.rebalances(day, following)] == due

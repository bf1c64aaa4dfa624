"""Ledger: append-only, balanced, idempotent by event."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.settlement.ledger import Ledger
from tenorgrid.settlement.settle import settle

Markets = Callable[[int], tuple[Case, dict[str, Any]]]
HOUR = datetime(2027, 1, 1, 5, tzinfo=UTC)


def postings(
    *amounts: tuple[str, str, int], interval: datetime = HOUR, recorded_at: datetime = HOUR, version: str = "initial"
) -> pl.DataFrame:
    """Postings of energy: name of the event, account, micro-dollars."""
    return pl.DataFrame(
        [
            {"posting_id": f"{event}.1", "event_id": event, "account": account, "charge_code": "energy", "interval": interval,
             "amount": amount, "version": version, "effective_at": interval, "recorded_at": recorded_at}
            for event, account, amount in amounts
        ]
    )  # fmt: skip


def test_the_same_event_twice_changes_nothing_whenever_it_is_recorded() -> None:
    once = Ledger().append(postings(("a", "sue", 5), ("b", "bob", -5)))
    twice = once.append(postings(("b", "bob", -5), ("a", "sue", 5), recorded_at=HOUR + timedelta(days=3)))
    assert twice.frame.equals(once.frame)


def test_new_events_are_put_behind_the_old_ones() -> None:
    once = Ledger().append(postings(("a", "sue", 5), ("b", "bob", -5)))
    more = once.append(pl.concat([postings(("a", "sue", 5), ("b", "bob", -5)), postings(("c", "sue", 1), ("d", "bob", -1))]))
    assert more.frame["event_id"].to_list() == ["a", "b", "c", "d"]
    assert once.frame.height == 2
    more.check()


def test_the_same_event_with_another_amount_is_refused() -> None:
    once = Ledger().append(postings(("a", "sue", 5), ("b", "bob", -5)))
    with pytest.raises(InputError, match=r"found a\.1 of 6 to sue, expected what was posted under this name before: 5 to sue"):
        once.append(postings(("a", "sue", 6), ("b", "bob", -6)))


def test_a_further_posting_of_an_event_that_has_posted_is_refused() -> None:
    once = Ledger().append(postings(("a", "sue", 5), ("b", "bob", -5)))
    late = postings(("a", "sue", 3), ("c", "bob", -3)).with_columns(posting_id=pl.col("event_id") + ".2")
    with pytest.raises(InputError, match="no further posting of an event that has posted"):
        once.append(late)


def test_postings_that_do_not_sum_to_zero_are_refused_by_interval_and_version() -> None:
    balanced_in_all = pl.concat([postings(("a", "sue", 5)), postings(("b", "bob", -5), interval=HOUR + timedelta(hours=1))])
    with pytest.raises(
        InputError, match="found 5 micro-dollars over 1 postings, expected a sum of 0 for energy, 2027-01-01T05:00Z, initial"
    ) as refused:
        Ledger().append(balanced_in_all)
    assert len(refused.value.faults) == 2
    with pytest.raises(InputError, match="expected a sum of 0"):
        Ledger().append(pl.concat([postings(("a", "sue", 5)), postings(("b", "bob", -5), version="final")]))


def test_a_tampered_ledger_does_not_pass_its_check() -> None:
    good = Ledger().append(postings(("a", "sue", 5), ("b", "bob", -5)))
    with pytest.raises(InputError, match="expected a sum of 0"):
        Ledger(frame=good.frame.with_columns(pl.col("amount") + 1)).check()


def test_sums_that_could_wrap_are_refused() -> None:
    huge = [(f"{n}", "sue", 2**53 if n % 2 else -(2**53)) for n in range(1024)]
    with pytest.raises(InputError, match=r"less than 2\^62"):
        Ledger().append(postings(*huge))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8), st.data())
def test_appending_in_any_parts_with_repeats_gives_the_same_postings(amounts: list[int], data: st.DataObject) -> None:
    pairs = [postings((f"{n}a", "sue", amount), (f"{n}b", "bob", -amount)) for n, amount in enumerate(amounts)]
    order = data.draw(st.lists(st.sampled_from(range(len(pairs))), max_size=12))
    ledger = Ledger()
    for at in [*order, *range(len(pairs))]:
        ledger = ledger.append(pairs[at])
    whole = Ledger().append(pl.concat(pairs))
    assert ledger.frame.sort("posting_id").equals(whole.frame.sort("posting_id"))


def test_a_later_run_appends_only_what_is_new(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(4)
    last = tables["prices"]["start"].max()
    early = {name: table.filter((pl.col("start") < last) | (pl.col("horizon") != "real-time")) for name, table in tables.items()}
    first = settle(case, **early, recorded_at=recorded_at)
    second = settle(case, **tables, recorded_at=recorded_at + timedelta(days=1), before=first)
    alone = settle(case, **tables, recorded_at=recorded_at)
    assert second.ledger.frame.head(first.ledger.frame.height).equals(first.ledger.frame)
    assert second.statements.equals(alone.statements)
    assert second.invoices.equals(alone.invoices)
    added = second.ledger.frame.tail(second.ledger.frame.height - first.ledger.frame.height)
    assert added["recorded_at"].unique().to_list() == [recorded_at + timedelta(days=1)]
    assert added["interval"].unique().to_list() == [last]
    second.ledger.check()
    third = settle(case, **tables, recorded_at=recorded_at + timedelta(days=2), before=second)
    assert third.ledger.frame.equals(second.ledger.frame)


def test_a_changed_award_is_refused_under_the_same_version_and_posted_under_another(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(4)
    first = settle(case, **tables, recorded_at=recorded_at)
    more = pl.when(pl.int_range(pl.len()) == 0).then(pl.col("quantity") + 1).otherwise(pl.col("quantity"))
    changed = tables | {"awards": tables["awards"].with_columns(more.alias("quantity"))}
    with pytest.raises(InputError, match="expected what was posted under this name before"):
        settle(case, **changed, recorded_at=recorded_at, before=first)
    final = settle(case, **changed, recorded_at=recorded_at, version="final", before=first)
    final.ledger.check()
    assert set(final.ledger.frame["version"]) == {"initial", "final"}


def test_invoices_bring_balances_to_whole_cents(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(6)
    settled = settle(case, **tables, recorded_at=recorded_at)
    balances = settled.ledger.frame.filter(~pl.col("account").str.starts_with("operator:")).group_by("account").agg(pl.col("amount").sum())
    assert (balances["amount"] % 10_000 == 0).all()
    assert (settled.invoices["rounding"].cast(pl.Float64).abs() <= 0.005).all()
    owed = {row["participant"]: int(row["amount"] * 1_000_000) for row in settled.invoices.iter_rows(named=True)}
    assert dict(balances.iter_rows()) == owed

"""Resettlement: later versions post differences."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.settled import Ledger as Postings
from tenorgrid.settlement.ledger import Ledger
from tenorgrid.settlement.resettlement import difference_postings, run_halves
from tenorgrid.settlement.settle import Settlement, settle

Markets = Callable[[int], tuple[Case, dict[str, Any]]]
NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
VERSIONS = ("initial", "final", "true-up")
SUE, POT = "a" * 12, "b" * 12
HALVES = run_halves(pl.DataFrame({"horizon": ["real-time"], "start": [NOON]}), case="one", versions=VERSIONS)


def postings(version: str, *amounts: tuple[str, str, int], recorded_at: datetime = NOON) -> pl.DataFrame:
    half = HALVES[version]["half"][0]
    rows = [
        {"posting_id": f"{half}{rest}.1", "event_id": f"{half}{rest}", "account": account, "charge_code": "energy", "interval": NOON,
         "amount": amount, "version": version, "effective_at": NOON, "recorded_at": recorded_at}
        for rest, account, amount in amounts
    ]  # fmt: skip
    return Postings.validate(pl.DataFrame(rows), cast=True)


def resettled(ledger: Ledger, version: str, *amounts: tuple[str, str, int], recorded_at: datetime = NOON) -> Ledger:
    return ledger.append(difference_postings(postings(version, *amounts, recorded_at=recorded_at), ledger.frame, HALVES, version=version))


def accounts(settled: Settlement | pl.DataFrame) -> dict[str, int]:
    frame = settled if isinstance(settled, pl.DataFrame) else settled.ledger.frame
    rows = frame.filter(pl.col("charge_code").cast(pl.String) != "invoice").group_by("account").agg(pl.col("amount").sum())
    return dict(rows.filter(pl.col("amount") != 0).iter_rows())


def test_the_worked_meter_posts_its_differences() -> None:
    ledger = Ledger()
    for days, (version, meter) in enumerate(zip(VERSIONS, (8000, 8100, 8085), strict=True)):  # hundredths of a unit against 100 sold
        owed = (meter - 10_000) * 45 * 10_000
        both = ((SUE, "sue", owed), (POT, "pot", -owed))
        ledger = resettled(ledger, version, *both, recorded_at=NOON + timedelta(days=days))
        assert resettled(ledger, version, *both, recorded_at=NOON + timedelta(days=90)).frame.equals(ledger.frame)
    assert ledger.frame.filter(account="sue")["amount"].to_list() == [-900_000_000, 45_000_000, -6_750_000]
    assert accounts(ledger.frame) == {"sue": -861_750_000, "pot": 861_750_000}


def test_an_event_that_a_later_version_lacks_is_taken_back() -> None:
    first = resettled(Ledger(), "initial", (SUE, "sue", 5), (POT, "bob", -5))
    final = resettled(first, "final", (SUE, "sue", 7), ("c" * 12, "eve", -7))
    assert accounts(final.frame) == {"sue": 7, "eve": -7}
    assert final.frame.head(2).equals(first.frame)


def test_an_earlier_version_gets_no_new_event_and_no_version_another_content() -> None:
    first = resettled(Ledger(), "initial", (SUE, "sue", 5), (POT, "bob", -5))
    final = resettled(first, "final", (SUE, "sue", 7), (POT, "bob", -7))
    with pytest.raises(InputError, match="no new event of initial: a later version has posted its run"):
        resettled(final, "initial", (SUE, "sue", 5), (POT, "bob", -5), ("d" * 12, "eve", 0))
    with pytest.raises(InputError, match=r"of 3 to sue, expected what was posted under this name before: 2 to sue"):
        resettled(final, "final", (SUE, "sue", 8), (POT, "bob", -8))


def test_the_versions_of_a_market_sum_to_the_last_alone(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(4)
    more = pl.when(pl.int_range(pl.len()) == 0).then(pl.col("quantity") + 1).otherwise(pl.col("quantity"))
    changed = tables | {"awards": tables["awards"].with_columns(more.alias("quantity"))}
    fewer = tables | {"awards": tables["awards"].slice(1)}
    settled = settle(case, **tables, recorded_at=recorded_at)
    for days, (version, said) in enumerate((("final", changed), ("true-up", fewer), ("ad-hoc", tables))):
        before, later = settled, recorded_at + timedelta(days=days + 1)
        settled = settle(case, **said, recorded_at=later, version=version, before=before)
        assert settled.ledger.frame.head(before.ledger.frame.height).equals(before.ledger.frame)
        assert accounts(settled) == accounts(settle(case, **said, recorded_at=later))
        settled.ledger.check()
        again = settle(case, **said, recorded_at=later + timedelta(days=9), version=version, before=settled)
        assert again.ledger.frame.equals(settled.ledger.frame)
        assert again.positions.equals(settled.positions)
    whole = settle(case, **tables, recorded_at=recorded_at, before=settled)
    assert whole.ledger.frame.equals(settled.ledger.frame)
    assert whole.positions.equals(settled.positions)
    assert set(whole.positions["event_id"]) <= set(whole.ledger.frame["event_id"])

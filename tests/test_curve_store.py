"""History of curves: as known at any moment, to the last bit, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.curve_result import Curve
from tenorgrid.curve_store import HEADS, is_curve_history
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.history import HistoryError, append, read

NOW = datetime(2027, 1, 5, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def quoted(*, day: int = 5, price: float = 2.4, timezone: str = "UTC", index: str = "X") -> pl.DataFrame:
    """February, March, and May; April is not quoted."""
    edges = [datetime(2027, m, 1, tzinfo=UTC) for m in range(2, 7)]
    return pl.DataFrame(
        {
            "as_of": [datetime(2027, 1, day, tzinfo=UTC)] * 3,
            "quote_id": ["feb", "mar", "may"],
            "index": [index] * 3,
            "contract": ["GPU1G27", "GPU1H27", "GPU1K27"],
            "start": [edges[0], edges[1], edges[3]],
            "end": [edges[1], edges[2], edges[4]],
            "profile": ["base"] * 3,
            "price": [2.5, price, 2.3],
            "average": ["hourly"] * 3,
            "timezone": [timezone] * 3,
            "source": ["broker"] * 3,
        }
    )


@pytest.fixture
def curve() -> Curve:
    return tg.fit_curve(quoted())


def test_a_kept_curve_comes_back_to_the_last_bit(curve: Curve, tmp_path: Path) -> None:
    store = tg.curve_history(tmp_path / "curves")
    assert store.keep(curve, recorded_at=NOW) == 0
    back = store.read("X")
    assert back.curve.equals(curve.curve)
    assert back.quotes.equals(curve.quotes)
    for span in (("2027-02-03", "2027-02-20"), ("2027-04-01", "2027-05-01")):
        assert back.average(*span, profile="peak@America/New_York") == curve.average(*span, profile="peak@America/New_York")
    assert back.jacobian().equals(curve.jacobian())
    assert is_curve_history(tmp_path / "curves")


def test_everything_that_a_curve_was_asked_comes_back_with_it(tmp_path: Path) -> None:
    starts = pl.datetime_range(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC), "1h", closed="left", eager=True)
    past = pl.DataFrame({"start": starts, "price": 2 + 0.3 * np.sin(2 * np.pi * starts.dt.hour().to_numpy() / 24)})
    out = pl.DataFrame({"quote_id": ["feb"], "start": [datetime(2027, 2, 3, tzinfo=UTC)], "end": [datetime(2027, 2, 4, tzinfo=UTC)]})
    rates = pl.DataFrame({"instrument": ["deposit", "ois"], "tenor": ["3M", "1Y"], "rate": [0.040, 0.038]})
    money = tg.discount_curve(rates, as_of=date(2027, 1, 5))
    made = tg.fit_curve(
        quoted(), method="tension", tension=5.0, ends="flat-last", averages="discounted", discount=money, history=past, outages=out
    )
    store = tg.curve_history(tmp_path / "curves")
    store.keep(made)
    back = store.read()
    assert back.curve.equals(made.curve)
    assert back.asked.choice == made.asked.choice
    assert back.fitted.sensitivity == pytest.approx(made.fitted.sensitivity, abs=1e-12)
    assert back.fitted.discount is not None
    assert back.fitted.discount.factors(np.array([0.1, 0.77])) == pytest.approx(money.factors(np.array([0.1, 0.77])), abs=1e-14)
    assert store.keep(back) == 0  # the same to the last digit adds nothing


def test_the_same_adds_nothing_a_change_is_a_revision_and_the_past_stays(curve: Curve, tmp_path: Path) -> None:
    store = tg.curve_history(tmp_path / "curves")
    changed = tg.fit_curve(quoted(price=2.45))
    assert [store.keep(one, recorded_at=NOW + k * HOUR) for k, one in enumerate((curve, curve, changed, curve))] == [0, 0, 1, 2]
    rows, _ = read(tmp_path / "curves", HEADS, None)
    assert rows.sort("revision")["recorded_at"].to_list() == [NOW, NOW + 2 * HOUR, NOW + 3 * HOUR]
    assert read(tmp_path / "curves", "hours", None)[0].height == 2 * curve.curve.height  # the third revision is the first one's content
    for moment, price in ((NOW, 2.4), (NOW + 2 * HOUR, 2.45), (NOW + 9 * HOUR, 2.4)):
        assert store.read("X", known=moment)["GPU1H27"] == pytest.approx(price, abs=1e-10)
    with pytest.raises(NotPublishedError, match="has no curve of X by"):
        store.read("X", known=NOW - HOUR)


def test_the_tables_say_what_any_reader_of_delta_tables_computes(curve: Curve, tmp_path: Path) -> None:
    """The second way: averages and sensitivities from the tables alone."""
    tg.curve_history(tmp_path).keep(curve)
    hours = pl.read_delta(str(tmp_path / "hours")).filter(pl.col("start").dt.month() == 3)
    assert hours["forward"].mean() == pytest.approx(2.4, abs=1e-10)
    weights = pl.read_delta(str(tmp_path / "jacobian")).filter(pl.col("month") == "2027-04").sort("quote_id")["weight"].to_list()
    found = [
        (curve.bump(name, 0.01).average("2027-04-01", "2027-05-01") - curve.average("2027-04-01", "2027-05-01")) / 0.01
        for name in ("feb", "mar", "may")
    ]
    assert weights == pytest.approx(found, abs=1e-9)


def test_putting_files_together_changes_no_row(curve: Curve, tmp_path: Path) -> None:
    store = tg.curve_history(tmp_path)
    for day in (5, 6, 7):
        store.keep(tg.fit_curve(quoted(day=day, price=2.4 + day / 100)), recorded_at=NOW + day * HOUR)
    before = store.curves()
    assert store.compact()["hours"].after == 1
    assert store.curves().equals(before)
    assert store.read("X", as_of=datetime(2027, 1, 6, 12, tzinfo=UTC))["GPU1H27"] == pytest.approx(2.46, abs=1e-10)


def test_a_move_is_its_roll_down_and_the_market(tmp_path: Path) -> None:
    """Quotes that moved by nothing: all of the change is by the market what time alone would have given back."""
    store = tg.curve_history(tmp_path)
    store.keep(tg.fit_curve(quoted()), recorded_at=NOW)
    store.keep(tg.fit_curve(quoted(day=12)), recorded_at=NOW + HOUR)
    moved = store.moves("X", before=NOW, after=datetime(2027, 1, 12, tzinfo=UTC))
    assert moved["month"].to_list() == ["2027-02", "2027-03", "2027-04", "2027-05"]
    assert moved["change"].abs().max() == pytest.approx(0.0, abs=1e-10)
    first = store.read("X", as_of=NOW).fitted
    march = (first.starts.dt.month() == 3).to_numpy()
    expected = first.forward[np.flatnonzero(march) - 7 * 24].mean() - first.forward[march].mean()
    row = moved.row(1, named=True)
    assert (row["roll_down"], row["market"]) == (pytest.approx(expected, abs=1e-12), pytest.approx(-expected, abs=1e-10))
    assert moved["roll_down"][0] is None  # the first week of February has no nearer hour


def test_what_is_not_a_history_or_does_not_fit_it_is_refused(curve: Curve, tmp_path: Path) -> None:
    store = tg.curve_history(tmp_path / "curves")
    with pytest.raises(InputError, match="a history of curves"):
        store.curves()
    store.keep(curve, recorded_at=NOW)
    with pytest.raises(InputError, match="expected one of X"):
        store.read("Y")
    with pytest.raises(InputError, match="a curve in UTC, as before"):
        store.keep(tg.fit_curve(quoted(timezone="America/New_York")))
    with pytest.raises(InputError, match="that of the last revision"):
        store.keep(tg.fit_curve(quoted(price=2.5)), recorded_at=NOW - HOUR)
    with pytest.raises(InputError, match="a time with its zone"):
        store.read("X", as_of=datetime(2027, 1, 5))
    file = next((tmp_path / "curves" / "hours").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(HistoryError, match="bytes of the"):
        store.read("X")


def test_a_table_of_another_schema_is_refused(curve: Curve, tmp_path: Path) -> None:
    pl.DataFrame({"index": ["X"], "price": [2.0]}).write_delta(str(tmp_path / HEADS))
    with pytest.raises(InputError, match="a missing column"):
        tg.curve_history(tmp_path).keep(curve)


def test_a_killed_writer_leaves_nothing_that_is_read_and_the_next_one_uses_it(
    curve: Curve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenorgrid import curve_store

    true = append

    def killed(folder: Path, name: str, *rest: object, **more: object) -> int:
        if name == HEADS:
            raise KeyboardInterrupt
        return true(folder, name, *rest, **more)  # type: ignore[arg-type]

    store = tg.curve_history(tmp_path)
    monkeypatch.setattr(curve_store, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        store.keep(curve)
    assert not is_curve_history(tmp_path)
    monkeypatch.setattr(curve_store, "append", true)
    assert store.keep(curve) == 0
    assert store.read("X").curve.equals(curve.curve)
    assert read(tmp_path, "hours", None)[0].height == curve.curve.height

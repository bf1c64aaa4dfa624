"""The facade: what a desk does from Python, step by step, and what it is refused."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.case import Case
from tenorgrid.results import Marks, Run

TWO = Path(__file__).parent / "data" / "cases" / "two_locations"
AHEAD = '\n[[horizons]]\nname = "day-ahead"\nlead = "1d"\n\n[[horizons]]\nname = "real-time"\nlead = "0h"\n'
EAST, WEST = "H100-SXM.US-EAST.FIRM", "H100-SXM.US-WEST.FIRM"
TODAY = datetime(2027, 2, 22, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def marks(weeks_run: Run) -> Marks:
    both = pl.concat([weeks_run.observations(), weeks_run.work_observations()], how="diagonal")
    return tg.mark(both, method="house", first="2027-01-11", end="2027-02-22")


def fleet(home: str) -> tg.Exposure:
    return tg.Exposure(
        workload="chat", quantity=4.0, unit="1e6 tokens per hour", home=home, tier="firm", first=date(2027, 3, 1), end=date(2027, 4, 1)
    )


def test_a_case_is_cleared_by_its_name_its_folder_or_itself() -> None:
    case = tg.read_case(TWO)
    for given in (case, TWO, str(TWO)):
        run = tg.clear(given)
        assert run.surplus.filter(pl.col("pricing").cast(pl.String) == "marginal")["total"].to_list() == pytest.approx([154.0], abs=1e-9)
    assert tg.clear(case, pricing="convex-hull").pricing == "convex-hull"
    assert tg.clear(case).pricing == case.market.pricing == "marginal"


def test_a_market_with_an_ahead_horizon_and_no_virtual_bids_clears_the_same_at_both(tmp_path: Path) -> None:
    folder = shutil.copytree(TWO, tmp_path / "case")
    (folder / "market.toml").write_text((folder / "market.toml").read_text() + AHEAD)
    run = tg.clear(folder)
    marginal = run.prices.filter(pl.col("pricing").cast(pl.String) == "marginal")
    for horizon in ("day-ahead", "real-time"):
        found = dict(marginal.filter(pl.col("horizon") == horizon).select("location", "price").iter_rows())
        assert found == pytest.approx({"east": 2.4, "west": 2.5}, abs=1e-9)
    owed = tg.settle(run)
    paid = dict(owed.invoices.select("participant", "amount").iter_rows())
    assert {name: float(paid[name]) for name in ("carla", "dario", "acme", "bolt")} == {
        "carla": -120.0,  # 50 units at 2.40
        "dario": -100.0,  # 10 in the east at 2.40 and 0.10 for the link, 30 in the west at 2.50
        "acme": 144.0,  # 60 GPU-hours at 2.40
        "bolt": 75.0,  # 30 GPU-hours at 2.50
    }


def test_clear_refuses_unknown_horizons_rules_days_and_folders() -> None:
    with pytest.raises(tg.InputError, match="horizon: found hour-ahead, expected one of real-time"):
        tg.clear(TWO, horizons=("hour-ahead",))
    with pytest.raises(tg.InputError, match="pricing: found free, expected one of marginal, convex-hull"):
        tg.clear(TWO, pricing="free")
    for day in ("2027-02-30", "soon", "2027/01/01"):
        with pytest.raises(tg.InputError, match=f"as_of: found {day}, expected a day"):
            tg.clear(TWO, as_of=day)
    with pytest.raises(tg.InputError, match="expected the folder of a market case"):
        tg.clear("nosuch")


def test_clear_tells_how_far_it_is(seven_weeks: Case) -> None:
    told: list[tuple[int, int]] = []
    run = tg.clear(seven_weeks, as_of="2027-01-22", horizons=("real-time",), progress=lambda done, count: told.append((done, count)))
    assert run.certificate.height == 11 * 24
    count = told[-1][1]
    assert told == [(done, count) for done in range(1, count + 1)]
    assert count > 1


def test_rows_at_or_after_as_of_change_nothing(seven_weeks: Case) -> None:
    known = tg.clear(seven_weeks, as_of="2027-01-14")
    late = pl.col("start") >= datetime(2027, 1, 21, 5, tzinfo=UTC)  # a week ahead of the day
    changed = seven_weeks.offers.with_columns(pl.when(late).then(pl.col("price") * 3).otherwise("price").alias("price"))
    again = tg.clear(tg.make_case(seven_weeks.market, {**seven_weeks.tables(), "offers": changed}), as_of="2027-01-14")
    for name, frame in known.tables().items():
        assert frame.drop("seconds", strict=False).equals(again.tables()[name].drop("seconds", strict=False)), name


def test_marks_are_the_hours_sold_at_their_prices(weeks_run: Run, marks: Marks) -> None:
    day = (datetime(2027, 1, 20, 5, tzinfo=UTC), datetime(2027, 1, 21, 5, tzinfo=UTC))
    here = (pl.col("horizon") == "real-time") & (pl.col("location") == "us-east") & pl.col("start").is_between(*day, closed="left")
    prices = weeks_run.prices.filter(here, pl.col("pricing").cast(pl.String) == "marginal")["price"]
    found = marks.marks.filter(pl.col("index") == EAST, pl.col("start") == day[0])
    assert prices.len() == 24
    assert found["value"][0] == pytest.approx(prices.mean(), abs=5e-7)  # 50 GPU-hours are sold in every hour; six decimals
    assert found["quantity"][0] == pytest.approx(24 * 50, abs=1e-6)


def test_an_audit_confirms_its_mark_and_no_other_prices(weeks_run: Run, marks: Marks) -> None:
    seen = weeks_run.observations()
    audit = marks.audit(EAST, "2027-01-20")
    assert audit.verify(seen).confirmed
    found = audit.verify(seen.with_columns(pl.col("price") * 1.01))
    assert not found.confirmed
    assert "value" in {difference.field for difference in found.differences}
    with pytest.raises(tg.NotPublishedError, match=f"{EAST} has no mark of 2027-02-22"):
        marks.audit(EAST, "2027-02-22")


def test_mark_takes_the_days_that_the_observations_span_and_refuses_text_that_is_no_day(weeks_run: Run) -> None:
    seen = weeks_run.observations().filter(pl.col("time") < datetime(2027, 1, 14, 5, tzinfo=UTC))
    assert tg.mark(seen, indices=[EAST]).marks["start"].dt.date().to_list() == [date(2027, 1, day) for day in (11, 12, 13)]
    for edge in ("first", "end"):
        with pytest.raises(tg.InputError, match=f"{edge}: found whenever, expected a day"):
            tg.mark(seen, **{edge: "whenever"})  # type: ignore[arg-type]
    with pytest.raises(tg.InputError, match="methodology: found nosuch"):
        tg.mark(seen, method="nosuch")
    with pytest.raises(tg.InputError, match="observations: expected at least one row"):
        tg.mark(seen.clear())


@pytest.mark.parametrize("shaped", ["flat", "shaped"])
def test_a_curve_averages_back_to_every_quote(shaped: str, weeks_run: Run, march_quotes: pl.DataFrame) -> None:
    quotes = pl.concat([weeks_run.quotes(EAST), march_quotes])
    shape = weeks_run.shape(EAST) if shaped == "shaped" else None
    curve = tg.fit_curve(quotes, index=EAST, as_of="2027-02-22", shape=shape, band=weeks_run.band(EAST), discount=tg.flat(0.04))
    assert quotes.height == 8
    for row in quotes.iter_rows(named=True):
        assert curve.average(row["start"], row["end"]) == pytest.approx(row["price"], abs=1e-9)
    assert curve[f"{EAST}:2027-03"] == pytest.approx(2.6, abs=1e-9)
    assert curve.average("2027-03-01", "2027-04-01") == pytest.approx(2.6, abs=1e-9)
    assert curve.fitted.as_of == TODAY  # a day is its midnight where the market is
    day = curve.curve["forward"].head(24).to_numpy()
    assert (np.ptp(day) > 0.1) == (shaped == "shaped")


def test_the_jacobian_is_what_a_bump_does(weeks_run: Run, march_quotes: pl.DataFrame) -> None:
    curve = tg.fit_curve(pl.concat([weeks_run.quotes(EAST), march_quotes]), index=EAST, as_of=TODAY)
    bumped = curve.bump("march", 0.01)
    change = (bumped.curve["forward"] - curve.curve["forward"]) / 0.01
    weights = curve.jacobian().filter(pl.col("quote_id") == "march").sort("start")["weight"]
    assert (change - weights).abs().max() == pytest.approx(0.0, abs=1e-9)
    assert bumped[f"{EAST}:2027-03"] == pytest.approx(2.61, abs=1e-9)


def test_fit_curve_refuses_an_index_without_quotes_and_text_that_is_no_day(march_quotes: pl.DataFrame) -> None:
    with pytest.raises(tg.InputError, match=f"quotes, column index: found {WEST}, expected quotes of this index"):
        tg.fit_curve(march_quotes, index=WEST, as_of="2027-02-22")
    with pytest.raises(tg.InputError, match="as_of: found soon"):
        tg.fit_curve(march_quotes, index=EAST, as_of="soon")


def test_a_forward_is_worth_the_curve_less_its_strike(weeks_run: Run, march_quotes: pl.DataFrame, marks: Marks) -> None:
    curve = tg.fit_curve(march_quotes, index=EAST, as_of=march_quotes["start"][0])
    row = march_quotes.row(0, named=True)
    hours = (row["end"] - row["start"]) / timedelta(hours=1)
    book = pl.DataFrame(
        [
            {"trade_id": "f", "traded_at": TODAY, "book": "b", "counterparty": "c", "kind": "forward", "side": "buy",
             "quantity": 10.0, "quantity_unit": "per_hour", "index": EAST, "contract": row["contract"], "start": row["start"],
             "end": row["end"], "strike": 2.5}
        ]
    )  # fmt: skip
    volatility = tg.fit_volatility(marks, index=EAST)
    plain = tg.value(book, curve=curve, fixings=marks, volatility=volatility, discount=tg.flat(0.0))
    assert plain.value == pytest.approx(0.1 * 10 * hours, abs=1e-6)
    by_name = tg.value(book, curve={EAST: curve}, fixings=marks, volatility=volatility, discount=tg.flat(0.0))
    assert by_name.values.equals(plain.values)
    delta = plain.delta("quote")
    assert delta["bucket"].to_list() == ["march"]
    assert delta["amount"][0] == pytest.approx(10 * hours, rel=1e-9)
    assert plain.delta("month", unit="USD per 0.01")["amount"].sum() == pytest.approx(0.01 * 10 * hours, rel=1e-9)
    assert 0 < tg.value(book, curve=curve, fixings=marks, volatility=volatility, discount=tg.flat(0.5)).value < plain.value
    with pytest.raises(tg.InputError, match="trades: expected at least one row"):
        tg.value(book.clear(), curve=curve, fixings=marks, volatility=volatility)
    with pytest.raises(tg.InputError, match="curves: expected at least one curve"):
        tg.value(book, curve={}, fixings=marks, volatility=volatility)


def test_a_settlement_balances_and_is_the_same_each_time(weeks_run: Run) -> None:
    owed = tg.settle(weeks_run)
    owed.ledger.check()
    assert owed.checks["passed"].all()
    assert owed.ledger.frame["amount"].sum() == 0
    assert owed.ledger.frame["recorded_at"].unique().to_list() == [weeks_run.last_delivery()]
    assert tg.settle(weeks_run).ledger.frame.equals(owed.ledger.frame)
    twice = tg.settle(weeks_run, before=owed, recorded_at=weeks_run.last_delivery() + timedelta(days=1))
    assert twice.ledger.frame.equals(owed.ledger.frame)
    final = tg.settle(weeks_run, before=owed, version="final")
    assert final.ledger.frame.height > owed.ledger.frame.height
    assert final.ledger.frame.head(owed.ledger.frame.height).equals(owed.ledger.frame)


def test_a_statement_is_the_sum_of_its_postings(weeks_run: Run) -> None:
    owed = tg.settle(weeks_run)
    lines, postings = owed.statement("vera"), owed.drill_down("vera")
    assert lines["participant"].unique().to_list() == ["vera"]
    assert int(lines["amount"].sum() * 1_000_000) == postings["amount"].sum()
    assert postings.height > 0
    broken = owed.ledger.frame.with_columns(pl.when(pl.int_range(pl.len()) == 0).then(pl.col("amount") + 1).otherwise("amount"))
    with pytest.raises(tg.InputError, match="ledger, column amount: found 1 micro-dollars"):
        type(owed.ledger)(frame=broken).check()


def test_a_hedge_with_its_own_index_is_effective_and_with_another_is_not(marks: Marks) -> None:
    fit = tg.hedge(fleet("us-west"), using=[WEST, EAST], history=marks)
    rows = {row["index"]: row for row in fit.basis.iter_rows(named=True)}
    assert rows[WEST]["ratio"] == pytest.approx(1.0, abs=1e-6)  # one GPU-hour a unit; marks have six decimals
    assert rows[WEST]["verdict"] == "effective"
    assert rows[EAST]["verdict"] == "ineffective"
    table = tg.hedge(fit.exposures, using=[WEST, EAST], history=marks.marks)  # exposures as a table give the same
    assert table.basis.equals(fit.basis)


def test_a_hedge_refuses_too_few_days_unknown_indices_and_estimators(marks: Marks) -> None:
    short = marks.marks.filter(pl.col("start") >= TODAY - timedelta(days=5))
    with pytest.raises(tg.InputError, match="found 4, expected at least 10 changes"):
        tg.hedge(fleet("us-east"), using=[EAST], history=short)
    with pytest.raises(tg.InputError, match="expected marks of this index"):
        tg.hedge(fleet("us-east"), using=["NOSUCH.US.FIRM"], history=marks)
    with pytest.raises(tg.InputError, match="hedge, column method: found magic, expected ols-hac"):
        tg.hedge(fleet("us-east"), using=[EAST], history=marks, method="magic")  # type: ignore[arg-type]
    with pytest.raises(tg.InputError, match="exposures: expected at least one row"):
        tg.hedge(tg.hedge(fleet("us-east"), using=[EAST], history=marks).exposures.clear(), using=[EAST], history=marks)


def test_volatility_agrees_with_the_standard_deviation_of_log_changes(marks: Marks) -> None:
    found = tg.fit_volatility(marks, index=EAST).row(0, named=True)
    values = marks.marks.filter(pl.col("index") == EAST).sort("start")["value"]
    changes = values.log().diff().drop_nulls()
    size = float((changes**2).mean()) ** 0.5 * 365**0.5  # type: ignore[arg-type]
    assert found["observations"] == changes.len() == 41
    assert found["volatility"] == pytest.approx(size, rel=0.02)  # with or without the mean taken out
    assert found["lower"] < found["volatility"] < found["upper"]
    with pytest.raises(tg.InputError):
        tg.fit_volatility(marks, index="NOSUCH.US.FIRM")

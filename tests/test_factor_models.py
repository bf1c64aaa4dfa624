"""`tg.fit_factors` and `tenorgrid factors`: tables, refusals, what is written."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import tenorgrid as tg
from tenorgrid.cli import app

FIRST = date(2027, 1, 1)


def marks(values: dict[str, list[float]], *, methodology: str = "own") -> pl.DataFrame:
    """Daily marks of several indices."""
    rows = []
    for index, series in values.items():
        for place, value in enumerate(series):
            start = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=place)
            rows.append(
                (
                    index,
                    methodology,
                    start,
                    start + timedelta(days=1),
                    start + timedelta(days=1),
                    0,
                    value,
                    "USD/GPUh",
                    None,
                    "published",
                    "x",
                )
            )
    names = ["index", "methodology", "start", "end", "published_at", "revision", "value", "unit", "quantity", "status", "method_hash"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("quantity").cast(pl.Float64))


def reverting(seed: int, rows: int = 200) -> list[float]:
    """A log price of which a fifth of a deviation is lost a day."""
    rng, x, made = np.random.default_rng(seed), 0.0, []
    for _ in range(rows):
        x = 0.8 * x + 0.05 * rng.normal()
        made.append(2 * float(np.exp(x)))
    return made


def test_a_reverting_mark_has_the_parameters_of_its_recursion() -> None:
    found = tg.fit_factors(marks({"A": reverting(1, 600)}), model="ou", index=["A"])
    value = dict(zip(found.parameters["parameter"], found.parameters["value"], strict=True))
    error = dict(zip(found.parameters["parameter"], found.parameters["robust_error"], strict=True))
    assert abs(value["reversion"] - -np.log(0.8) * 365.25) < 4 * error["reversion"]
    assert found.tests["adf"] < found.tests["adf_critical"]
    assert found.states.height == 600


def test_a_spread_has_a_forecast_that_goes_to_its_level() -> None:
    found = tg.fit_factors(marks({"A": reverting(1, 400), "B": reverting(2, 400)}), model="spread", index=["A", "B"])
    assert found.forecasts is not None
    level = found.parameters.filter(parameter="level")["value"].item()
    assert found.forecasts["mean"][-1] == pytest.approx(level, abs=1e-6)
    assert found.forecasts["day"][0] == FIRST + timedelta(days=400)


def test_windows_gaps_unknown_names_and_models_are_refused() -> None:
    with pytest.raises(tg.InputError, match="window of 7"):
        tg.fit_factors(marks({"A": reverting(1)}, methodology="ccir-1.1.1"), model="ou")
    assert tg.fit_factors(marks({"A": reverting(1)}, methodology="ccir-1.1.1"), model="ou", window=1).converged
    with pytest.raises(tg.InputError, match="equal steps"):
        tg.fit_factors(marks({"A": reverting(1)}).filter(pl.col("start").dt.day() != 9), model="ou")
    with pytest.raises(tg.InputError, match="found Z"):
        tg.fit_factors(marks({"A": reverting(1)}), model="ou", index=["Z"])
    with pytest.raises(tg.InputError) as caught:
        tg.fit_factors(marks({"A": reverting(1)}), model="garch", form="square")
    assert len(caught.value.faults) == 2
    with pytest.raises(tg.InputError, match="arithmetic form"):
        tg.fit_factors(marks({"A": [*reverting(1), -37.63, *reverting(2)]}), model="ou")
    assert tg.fit_factors(marks({"A": [*reverting(1), -37.63, *reverting(2)]}), model="ou", form="arithmetic").parameters.height == 3


def test_the_command_writes_the_tables_that_python_gives(tmp_path: Path) -> None:
    table, source = marks({"A": reverting(1)}), tmp_path / "marks.parquet"
    table.write_parquet(source)
    done = CliRunner().invoke(app, ["factors", str(source), "--model", "ou", "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["parameters"] == tg.fit_factors(table, model="ou").parameters.to_dicts()
    assert pl.read_csv(tmp_path / "out" / "parameters.csv")["parameter"].to_list() == ["reversion", "level", "volatility"]
    page = (tmp_path / "out" / "factors.html").read_text()
    assert '<figure id="states">' in page
    assert "<script src" not in page


def test_a_spread_s_page_shows_it_ahead() -> None:
    both = marks({"A": reverting(1), "B": reverting(2)})
    assert '<figure id="ahead">' in tg.fit_factors(both, model="spread", index=["A", "B"]).page()
    assert '<figure id="ahead">' not in tg.fit_factors(both, model="ou", index=["A"]).page()


@pytest.mark.slow
def test_a_panel_gives_factors_futures_and_volatilities() -> None:
    rng = np.random.default_rng(0)
    short, long, rows = 0.0, 0.7, []
    for week in range(120):
        short, long = 0.97 * short + 0.04 * rng.normal(), long + 0.02 * rng.normal()
        rows += [
            (FIRST + timedelta(weeks=week), at, float(np.exp(short * np.exp(-1.5 * at) + long + 0.005 * rng.normal())))
            for at in (0.1, 0.5, 1.0, 2.0)
        ]
    found = tg.fit_factors(pl.DataFrame(rows, schema=["day", "maturity", "price"], orient="row"))
    assert found.futures is not None
    assert found.volatility is not None
    assert (found.futures["fitted"] / found.futures["price"] - 1).abs().is_between(0, 0.05).all()
    assert found.volatility["model"].is_sorted(descending=True)
    assert (found.volatility["model"] / found.volatility["realised"]).is_between(0.7, 1.4).all()
    for name in ("states", "by-delivery", "missed"):
        assert f'<figure id="{name}">' in found.page()


def test_a_reverting_price_s_futures_are_its_expectation_and_its_options_obey_parity() -> None:
    """E[S] = exp(θ + e^{-κT} (x − θ) + σ² (1 − e^{-2κT}) / 4κ), and draws of the exact step agree with call and put."""
    found = tg.fit_factors(marks({"A": reverting(1)}), model="ou", index=["A"])
    k, level, sigma = (found.parameters.filter(pl.col("parameter") == name)["value"][0] for name in ("reversion", "level", "volatility"))
    x, at = float(found.states["filtered"][-1]), 0.02
    mean, variance = level + np.exp(-k * at) * (x - level), sigma**2 * (1 - np.exp(-2 * k * at)) / (2 * k)
    assert found.future(at) == pytest.approx(np.exp(mean + variance / 2), rel=1e-12)
    drawn = np.exp(mean + np.sqrt(variance) * np.random.default_rng(5).normal(size=400_000))
    call, put = (found.option(2.1, expiry=at, call=side, discount=tg.flat(0.04)) for side in (True, False))
    paid = np.exp(-0.04 * at) * np.maximum(drawn - 2.1, 0)
    assert call == pytest.approx(paid.mean(), abs=4 * paid.std() / np.sqrt(drawn.size))
    assert call - put == pytest.approx(np.exp(-0.04 * at) * (found.future(at) - 2.1), abs=1e-12)
    assert found.future(0.0, day=found.states["day"][3]) == pytest.approx(np.exp(found.states["filtered"][3]), rel=1e-12)


def test_what_has_no_closed_form_no_such_day_or_an_expiry_after_delivery_is_refused() -> None:
    table = marks({"A": reverting(1), "B": reverting(2)})
    one = tg.fit_factors(table, model="ou", index=["A"])
    with pytest.raises(tg.InputError, match="a day with factors"):
        one.future(0.1, day=date(2030, 1, 1))
    with pytest.raises(tg.InputError, match="not before the expiry"):
        one.option(2.0, expiry=0.2, maturity=0.1)
    with pytest.raises(tg.InputError, match=r"column strike: found -2.0, expected a strike above 0"):
        one.option(-2.0, expiry=0.2)
    with pytest.raises(tg.InputError, match="no closed form"):
        tg.fit_factors(table, model="ou", index=["A"], form="arithmetic").future(0.1)
    with pytest.raises(tg.InputError, match="which alone has a β"):
        tg.fit_factors(table, model="ou", index=["A"], estimated=True)


def test_an_estimated_ratio_is_the_regression_s() -> None:
    second = np.cumsum(np.random.default_rng(10).normal(scale=0.1, size=300)) + 0.7
    first = 0.2 + 0.6 * second + np.log(reverting(3, 300)) - np.log(2)
    table = marks({"A": np.exp(first).tolist(), "B": np.exp(second).tolist()})
    found = tg.fit_factors(table, model="spread", index=["A", "B"], estimated=True)
    assert found.tests["beta"] == pytest.approx(np.polyfit(second, first, 1)[0], rel=1e-10)
    with pytest.raises(tg.InputError, match="may wander"):
        tg.fit_factors(table, model="spread", index=["A", "B"])


def test_the_command_prices_futures_and_options(tmp_path: Path) -> None:
    source = tmp_path / "marks.parquet"
    marks({"A": reverting(1)}).write_parquet(source)
    asked = ["factors", str(source), "--model", "ou", "--future", "0.1", "--option", "0.1:0.2:2.1:put", "--rate", "0.04"]
    done = CliRunner().invoke(app, [*asked, "--out", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    found = tg.fit_factors(source, model="ou")
    prices = [row["price"] for row in json.loads(done.stdout)["prices"]]
    assert prices == [found.future(0.1), found.option(2.1, expiry=0.1, maturity=0.2, call=False, discount=tg.flat(0.04))]
    assert pl.read_csv(tmp_path / "out" / "prices.csv")["price"].to_list() == pytest.approx(prices)
    assert "What it prices" in (tmp_path / "out" / "factors.html").read_text()
    wrong = CliRunner().invoke(app, ["factors", str(source), "--option", "0.1:0.2:put", "--out", str(tmp_path / "no")])
    assert wrong.exit_code == 2
